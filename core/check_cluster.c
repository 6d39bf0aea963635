/* SPDX-License-Identifier: MIT */
/*
 * Names of groups of physical CPUs: `_all` and `_cpu-N`, which QNX always has, and what the board
 * has by the list that is handed in. Knows no device tree.
 */
#include "core/check_cluster.h"

#include "core/config_lex.h"
#include "core/log.h"
#include "core/sched.h"
#include "core/str.h"

struct search {
    struct str name;
    u32 cpus;
    char known[200]; /* all names, each once */
    size_t len;
};

static bool has_word(const char *text, struct str word)
{
    for (const char *p = text; *p != '\0';) {
        const char *end = strchr(p, ' ') != NULL ? strchr(p, ' ') : p + strlen(p);

        if (str_same(word, (struct str){p, (u32)(end - p)})) {
            return true;
        }
        p = *end == ' ' ? end + 1 : end;
    }
    return false;
}

static void look(void *ctx, struct str name, u32 cpus)
{
    struct search *s = ctx;

    if (str_same(s->name, name)) {
        s->cpus |= cpus;
    }
    if (!has_word(s->known, name) && s->len + name.len + 2 < sizeof(s->known)) {
        s->len +=
            (size_t)fmt_print(s->known + s->len, sizeof(s->known) - s->len, " %.*s", STR_ARG(name));
    }
}

/* `_all` and `_cpu-N`: what QNX calls them on any board. */
static u32 built_in(struct str name, u32 npcpus)
{
    u32 all = npcpus == 0 ? BIT(PCPU_MAX) - 1 : BIT(npcpus) - 1;
    u64 n;

    if (str_is(name, "_all")) {
        return all;
    }
    if (!str_starts(name, "_cpu-") || num_read(str_after(name, 5), &n) != NUM_OK || n >= PCPU_MAX) {
        return 0;
    }
    return BIT(n) & all;
}

static void settle(struct vm_config *vm, struct cfg_cpu *c, cluster_list *list, u32 npcpus,
                   struct diag *d)
{
    struct search s = {.name = c->cluster, .cpus = built_in(c->cluster, npcpus)};

    if (s.cpus == 0 && list != NULL) {
        list(look, &s);
    }
    if (s.cpus != 0) {
        c->runmask = s.cpus;
    } else if (list == NULL && !str_starts(c->cluster, "_")) {
        diag_warn(d, c->cluster_place,
                  "cluster '%.*s' can't be looked up without the board's device tree (--board)",
                  STR_ARG(c->cluster));
    } else {
        diag_error(d, c->cluster_place, "this board has no cluster '%.*s', only _all, _cpu-N%s%s",
                   STR_ARG(c->cluster), s.len > 0 ? " and:" : "", s.known);
        vm->errors++;
    }
}

void check_clusters(struct vm_config *vm, cluster_list *list, u32 npcpus, struct diag *d)
{
    for (u32 i = 0; i < vm->ncpus; i++) {
        if (vm->cpu[i].cluster.len > 0) {
            settle(vm, &vm->cpu[i], list, MIN(npcpus, (u32)PCPU_MAX), d);
        }
    }
}
