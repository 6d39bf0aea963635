/* SPDX-License-Identifier: MIT */
/*
 * `cpu` and its own options: where a vCPU may run and with which priority. Knows no board: what a
 * `cluster` is, is found out later (core/check_cluster.c).
 */
#include "core/config_parse.h"
#include "core/log.h"
#include "core/sched.h"
#include "core/str.h"

#define PRIO_MAX      255
#define CLUSTER_LEN   31
#define SPORADIC_FORM "HIGH,LOW,MAX,PERIOD,BUDGETs"

/* Bits of parser.seen. */
enum { SEEN_RUNMASK, SEEN_SCHED, SEEN_CLUSTER };

static const u64 prio_bounds[2] = {1, PRIO_MAX};

void config_cpu(struct parser *p, const struct keyword *k, const struct token *t)
{
    static struct cfg_cpu surplus; /* takes the options of a vCPU that is one too many */

    (void)k;
    config_ctx(p, CTX_CPU);
    if (p->vm->ncpus == VCPU_MAX) {
        diag_error(p->diag, t->place, "more than %u vCPUs: a VM has at most %u", VCPU_MAX,
                   VCPU_MAX);
        p->cpu = &surplus;
    } else {
        p->cpu = &p->vm->cpu[p->vm->ncpus++];
    }
    *p->cpu = (struct cfg_cpu){.prio = CFG_PRIO, .place = t->place, .cluster = {"", 0}};
}

/* Both say on which CPUs it runs. */
static bool first_of_two(struct parser *p, const struct token *t)
{
    if (p->cpu->runmask != 0 && p->cpu->cluster.len > 0) {
        diag_error(p->diag, t->place, "a vCPU has a `runmask` or a `cluster`, not both");
        return false;
    }
    return true;
}

static void cpu_runmask(struct parser *p, const struct keyword *k, const struct token *t)
{
    static const u64 bounds[2] = {0, PCPU_MAX - 1};
    struct token arg;
    struct str rest;
    u64 v;

    (void)k;
    if (!config_arg(p, t, "CPU numbers", &arg) || !config_once(p, SEEN_RUNMASK, t)) {
        return;
    }
    rest = arg.text;
    do {
        struct token one = {.text = str_cut(rest, ',', &rest), .place = arg.place};

        if (!config_number(p, &one, "a CPU number", bounds, &v)) {
            return;
        }
        p->cpu->runmask |= BIT(v);
    } while (rest.len > 0);
    (void)!first_of_two(p, t);
}

static void cpu_cluster(struct parser *p, const struct keyword *k, const struct token *t)
{
    struct token arg;

    if (!config_arg(p, t, k->arg, &arg) || !config_once(p, SEEN_CLUSTER, t) ||
        !config_name(p, &arg, CLUSTER_LEN)) {
        return;
    }
    p->cpu->cluster = arg.text;
    p->cpu->cluster_place = arg.place;
    (void)!first_of_two(p, t);
}

/*
 * HIGH,LOW,MAX,PERIOD,BUDGETs, as QNX has it: priority HIGH for BUDGET ns of each PERIOD ns, LOW
 * for the rest, with MAX replenishments pending. Muntin has no budgets: HIGH always.
 */
static void sporadic(struct parser *p, const struct token *arg)
{
    static const u64 bounds[5][2] = {
        {1, PRIO_MAX}, {1, PRIO_MAX}, {1, 1000}, {1, UINT64_MAX}, {1, UINT64_MAX}};
    static const char *const what[5] = {"the high priority", "the low priority",
                                        "the number of replenishments", "the period in ns",
                                        "the budget in ns"};
    struct str rest = arg->text;
    u64 v[5];

    for (u32 i = 0; i < 5; i++) {
        struct token one = {.text = str_cut(rest, ',', &rest), .place = arg->place};

        if (i == 4) {
            one.text.len -= str_ends(one.text, "s");
        }
        if ((i < 4) != (rest.len > 0) || (i == 4 && !str_ends(arg->text, "s"))) {
            diag_error(p->diag, arg->place, "'%.*s' is not PRIORITY or " SPORADIC_FORM,
                       STR_ARG(arg->text));
            return;
        }
        if (!config_number(p, &one, what[i], bounds[i], &v[i])) {
            return;
        }
    }
    if (v[1] > v[0] || v[4] > v[3]) {
        diag_error(p->diag, arg->place, "'%.*s': the %s", STR_ARG(arg->text),
                   v[1] > v[0] ? "low priority is above the high one"
                               : "budget is longer than the period");
        return;
    }
    p->cpu->prio = (u32)v[0];
    diag_note(p->diag, arg->place,
              "no sporadic scheduling in Muntin: the vCPU always has priority %u", p->cpu->prio);
}

static void cpu_sched(struct parser *p, const struct keyword *k, const struct token *t)
{
    struct token arg;
    u64 v;

    (void)k;
    if (!config_arg(p, t, "a priority", &arg) || !config_once(p, SEEN_SCHED, t)) {
        return;
    }
    if (str_find(arg.text, ',') < arg.text.len) {
        sporadic(p, &arg);
        return;
    }
    if (arg.text.len > 1 && strchr("rfo", arg.text.p[arg.text.len - 1]) != NULL) {
        arg.text.len--;
    }
    if (config_number(p, &arg, "a priority", prio_bounds, &v)) {
        p->cpu->prio = (u32)v;
    }
}

const struct keyword config_cpu_words[] = {
    {"runmask", cpu_runmask, 0, "N[,N...]",
     MANUAL("Physical CPUs on which the vCPU may run; Muntin pins it to one of them."), WORKS},
    {"cluster", cpu_cluster, 0, "NAME",
     MANUAL("The same by name: `_all`, `_cpu-N`, a cluster of the board's device tree (a node of "
            "its cpu-map, such as `cluster0`), or all CPUs of a kind, such as `cortex-a72`. "
            "`muntin check` needs `--board` to know them."),
     WORKS},
    {"sched", cpu_sched, 0, "PRIORITY[r|f|o]",
     MANUAL("Of the vCPUs that share a CPU the one with the highest priority runs; equals take "
            "turns, whatever letter stands there. QNX's sporadic form " SPORADIC_FORM
            " is taken, too: the vCPU then always has the priority HIGH."),
     WORKS},
    {"partition", config_unused, 0, "NAME", MANUAL("QNX's adaptive partitions: there are none."),
     IGNORED},
    {.name = NULL},
};
