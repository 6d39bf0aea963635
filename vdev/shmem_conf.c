/* SPDX-License-Identifier: MIT */
/*
 * Shared memory as config lines: the options of `vdev shmem`, what is wrong with them, and the plan
 * of all regions that the configs of a bundle make together. Knows nothing of how the device works.
 * No lock: the plan is made at boot.
 */
#include "core/check_switch.h"
#include "core/config.h"
#include "core/config_lex.h"
#include "core/log.h"
#include "core/str.h"
#include "vdev/shmem.h"

#include <string.h>

#define BLOCK (2 * (u64)MIB) /* a region of this size or more is mapped in blocks */

struct shmem_plan shmem_plan;

/* --- names and patterns ---------------------------------------------------------------------- */

bool shmem_name_ok(struct str name)
{
    for (u32 i = 0; i < name.len; i++) {
        if (name.p[i] <= ' ' || name.p[i] > '~' || name.p[i] == '/') {
            return false;
        }
    }
    return name.len > 0 && name.len < SHMEM_NAME;
}

/* A set of characters, '[' at *p; *p moves behind its ']'. Without a ']' it's a '[' only. */
static bool glob_set(struct str pattern, u32 *p, char c)
{
    u32 at = *p + 1;
    bool invert = at < pattern.len && pattern.p[at] == '!', in = false;
    u32 first = at += invert;

    for (; at < pattern.len && (at == first || pattern.p[at] != ']'); at++) {
        char low = pattern.p[at], high = low;

        if (at + 2 < pattern.len && pattern.p[at + 1] == '-' && pattern.p[at + 2] != ']') {
            at += 2;
            high = pattern.p[at];
        }
        in |= low <= c && c <= high;
    }
    if (at >= pattern.len) {
        (*p)++;
        return c == '[';
    }
    *p = at + 1;
    return in != invert;
}

/* What stands at *p, which isn't '*', against one character; *p moves behind it. */
static bool glob_one(struct str pattern, u32 *p, char c)
{
    switch (pattern.p[*p]) {
    case '?':
        (*p)++;
        return true;
    case '[':
        return glob_set(pattern, p, c);
    case '\\':
        *p += *p + 1 < pattern.len;
        break;
    default:
        break;
    }
    return pattern.p[(*p)++] == c;
}

bool shmem_glob(struct str pattern, struct str name)
{
    u32 p = 0, i = 0, star = UINT32_MAX, from = 0; /* behind the last '*', and what it leaves */

    while (i < name.len) {
        u32 next = p;

        if (p < pattern.len && pattern.p[p] == '*') {
            star = ++p;
            from = i;
        } else if (p < pattern.len && glob_one(pattern, &next, name.p[i])) {
            p = next;
            i++;
        } else if (star != UINT32_MAX) {
            p = star;
            i = ++from;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.p[p] == '*') {
        p++;
    }
    return p == pattern.len;
}

bool shmem_allowed(const struct shmem_opts *o, struct str name)
{
    bool allows = false;

    for (u32 i = 0; i < o->rules; i++) {
        if (shmem_glob(o->rule[i].pattern, name)) {
            return o->rule[i].allow;
        }
        allows |= o->rule[i].allow;
    }
    return !allows; /* an `allow` anywhere denies all others */
}

bool shmem_translate(const struct shmem_opts *o, struct str name, char buf[SHMEM_NAME])
{
    struct str to = {"", 0};

    for (u32 i = 0; i < o->substs; i++) {
        struct str from = o->subst[i].from;

        if (name.len >= from.len && (from.len == 0 || memcmp(name.p, from.p, from.len) == 0)) {
            to = o->subst[i].to;
            name = str_after(name, from.len);
            break;
        }
    }
    if (to.len + name.len >= SHMEM_NAME) {
        return false;
    }
    memset(buf, 0, SHMEM_NAME);
    memcpy(buf, to.p, to.len);
    memcpy(buf + to.len, name.p, name.len);
    return true;
}

bool shmem_place(const struct shmem_opts *o, const struct shmem_plan_region *r, u64 *end,
                 u64 *control)
{
    u64 data = *end + PAGE_SIZE;

    if (r->name.len > 0 && !shmem_allowed(o, r->name)) {
        return false;
    }
    if (r->size >= BLOCK) {
        data = ALIGN_UP(data, BLOCK);
    }
    *control = data - PAGE_SIZE;
    *end = data + r->size;
    return true;
}

/* --- options --------------------------------------------------------------------------------- */

static bool parse_size(struct str s, u64 *size, const char **why)
{
    if (num_read_size(s, size) != NUM_OK || *size == 0 || *size > SHMEM_SIZE) {
        *why = "the SIZE is 1 to 1G, in bytes";
        return false;
    }
    *size = ALIGN_UP(*size, (u64)PAGE_SIZE);
    return true;
}

/* NAME,SIZE[,MODE[,GID]]: the last two are QNX's business. */
static bool parse_create(void *opts, struct str arg, const char **why)
{
    struct shmem_opts *o = opts;
    struct str rest, name = str_cut(arg, ',', &rest), size = str_cut(rest, ',', &rest);
    struct shmem_create c = {.name = name};

    if (!shmem_name_ok(name)) {
        *why = "the NAME is 1 to 31 visible characters, without '/'";
        return false;
    }
    if (!parse_size(size, &c.size, why)) {
        return false;
    }
    for (u32 i = 0; i < o->creates; i++) {
        if (str_same(o->create[i].name, name)) {
            *why = "this device creates it already";
            return false;
        }
    }
    if (o->creates == SHMEM_CREATES) {
        *why = "at most 16 regions of one device";
        return false;
    }
    o->create[o->creates++] = c;
    return true;
}

static bool parse_rule(struct shmem_opts *o, bool allow, struct str arg, const char **why)
{
    if (arg.len == 0 || arg.len > SHMEM_PATTERN) {
        *why = "a PATTERN has 1 to 31 characters";
        return false;
    }
    if (o->rules == SHMEM_RULES) {
        *why = "at most 16 `allow` and `deny` of one device";
        return false;
    }
    o->rule[o->rules++] = (struct shmem_rule){arg, allow};
    return true;
}

static bool parse_allow(void *opts, struct str arg, const char **why)
{
    return parse_rule(opts, true, arg, why);
}

static bool parse_deny(void *opts, struct str arg, const char **why)
{
    return parse_rule(opts, false, arg, why);
}

static bool parse_subst(void *opts, struct str arg, const char **why)
{
    struct shmem_opts *o = opts;
    struct str to, from = str_cut(arg, ',', &to);

    if (from.len == arg.len || (from.len == 0 && to.len == 0)) {
        *why = "[MATCH],PREFIX is expected";
        return false;
    }
    if ((from.len > 0 && !shmem_name_ok(from)) || (to.len > 0 && !shmem_name_ok(to))) {
        *why = "both have up to 31 visible characters, without '/'";
        return false;
    }
    if (o->substs == SHMEM_SUBSTS) {
        *why = "at most 4 `subst` of one device";
        return false;
    }
    o->subst[o->substs++] = (struct shmem_subst){from, to};
    return true;
}

static bool parse_spare(void *opts, struct str arg, const char **why)
{
    struct shmem_opts *o = opts;
    struct str size, number = str_cut(arg, ',', &size);
    u64 count;

    if (num_read(number, &count) != NUM_OK || count == 0 || count > SHMEM_REGIONS) {
        *why = "the COUNT is 1 to 32";
        return false;
    }
    if (o->spares != 0) {
        *why = "once is enough";
        return false;
    }
    if (!parse_size(size, &o->spare_size, why)) {
        return false;
    }
    o->spares = (u32)count;
    return true;
}

/* --- all VMs together ------------------------------------------------------------------------ */

static struct shmem_plan_region *plan_find(struct str name)
{
    for (u32 i = 0; i < shmem_plan.count; i++) {
        if (name.len > 0 && str_same(shmem_plan.region[i].name, name)) {
            return &shmem_plan.region[i];
        }
    }
    return NULL;
}

static bool plan_add(struct str name, u64 size, const struct vdev_conf *conf)
{
    if (shmem_plan.count == SHMEM_REGIONS) {
        return false;
    }
    shmem_plan.region[shmem_plan.count++] =
        (struct shmem_plan_region){name, size, conf->place, conf};
    return true;
}

static void size_error(struct diag *d, struct place here, struct place there,
                       const struct shmem_create *c, u64 size)
{
    char at[96];

    diag_error(d, here, "shmem: region '%.*s' has 0x%llx bytes here, but 0x%llx at %s",
               STR_ARG(c->name), (unsigned long long)c->size, (unsigned long long)size,
               place_text(d, there, at, sizeof(at)));
}

static struct vm_config *owner_of(struct vm_config *const *vm, u32 count,
                                  const struct vdev_conf *conf)
{
    u32 i = 0;

    while (i + 1 < count && (conf < vm[i]->vdev || conf >= vm[i]->vdev + CFG_VDEVS)) {
        i++;
    }
    return vm[i];
}

/* A region of one config line: a new one, or the same as that of an earlier line. */
static void plan_create(struct vm_config *const *vm, u32 count, const struct vdev_conf *conf,
                        const struct shmem_create *c, struct diag *d)
{
    const struct shmem_plan_region *r = plan_find(c->name);
    struct shmem_create other;

    if (r == NULL && !plan_add(c->name, c->size, conf)) {
        diag_error(d, conf->place, "shmem: more than %u regions in all", SHMEM_REGIONS);
        owner_of(vm, count, conf)->errors++;
    } else if (r != NULL && r->size != c->size) {
        other = (struct shmem_create){c->name, r->size};
        size_error(d, conf->place, r->place, c, r->size);
        size_error(d, r->place, conf->place, &other, c->size);
        owner_of(vm, count, conf)->errors++;
        owner_of(vm, count, r->conf)->errors++;
    }
}

static void plan_device(struct vm_config *const *vm, u32 count, const struct vdev_conf *conf,
                        struct diag *d)
{
    const struct shmem_opts *o = conf->opts;

    for (u32 i = 0; i < o->creates; i++) {
        plan_create(vm, count, conf, &o->create[i], d);
    }
    for (u32 i = 0; i < o->spares; i++) {
        if (!plan_add((struct str){"", 0}, o->spare_size, conf)) {
            diag_error(d, conf->place, "shmem: more than %u regions in all", SHMEM_REGIONS);
            owner_of(vm, count, conf)->errors++;
            break;
        }
    }
}

/* Whether a pattern can ever matter: guests name spare regions as they like. */
static bool pattern_matches(struct str pattern)
{
    for (u32 i = 0; i < shmem_plan.count; i++) {
        struct str name = shmem_plan.region[i].name;

        if (name.len == 0 || shmem_glob(pattern, name)) {
            return true;
        }
    }
    return false;
}

/* How many devices may have the region. */
static u32 count_users(struct vm_config *const *vm, u32 count, struct str name)
{
    u32 users = 0;

    for (u32 i = 0; i < count; i++) {
        for (u32 k = 0; k < vm[i]->nvdevs; k++) {
            const struct vdev_conf *c = &vm[i]->vdev[k];

            users += c->type == &shmem_type && shmem_allowed(c->opts, name);
        }
    }
    return users;
}

static void check_creates(struct vm_config *const *vm, u32 count, const struct vdev_conf *conf,
                          struct diag *d)
{
    const struct shmem_opts *o = conf->opts;

    for (u32 i = 0; i < o->creates; i++) {
        struct str name = o->create[i].name;

        if (!shmem_allowed(o, name)) {
            diag_warn(d, conf->place,
                      "shmem: its own `allow` and `deny` keep the guest from region '%.*s'",
                      STR_ARG(name));
        } else if (count_users(vm, count, name) == 1) {
            diag_warn(d, conf->place, "shmem: no other device may have region '%.*s'",
                      STR_ARG(name));
        }
    }
}

static void check_rules(const struct vdev_conf *conf, struct diag *d)
{
    const struct shmem_opts *o = conf->opts;

    for (u32 i = 0; i < o->rules; i++) {
        if (!pattern_matches(o->rule[i].pattern)) {
            diag_warn(d, conf->place, "shmem: `%s %.*s`: no VM creates such a region",
                      o->rule[i].allow ? "allow" : "deny", STR_ARG(o->rule[i].pattern));
        }
    }
}

/* How many addresses the device needs for its regions. */
static void size_window(struct vdev_conf *conf, struct diag *d)
{
    u64 control;

    conf->window_size = 0;
    for (u32 i = 0; i < shmem_plan.count; i++) {
        (void)shmem_place(conf->opts, &shmem_plan.region[i], &conf->window_size, &control);
    }
    if (conf->window_size == 0) {
        diag_warn(
            d, conf->place,
            "shmem: there's no region that it may have; guests can create none by themselves, "
            "unless a `spare COUNT,SIZE` keeps memory for them");
    }
}

/* What a VM that isn't started creates is there for the others. */
static void shmem_check_all(struct vm_config *const *vm, u32 count, struct diag *d)
{
    shmem_plan.count = 0;
    for (u32 i = 0; i < count; i++) {
        for (u32 k = 0; k < vm[i]->nvdevs; k++) {
            if (vm[i]->vdev[k].type == &shmem_type) {
                plan_device(vm, count, &vm[i]->vdev[k], d);
            }
        }
    }
    for (u32 i = 0; i < count; i++) {
        for (u32 k = 0; k < vm[i]->nvdevs; k++) {
            if (vm[i]->vdev[k].type == &shmem_type) {
                check_creates(vm, count, &vm[i]->vdev[k], d);
                check_rules(&vm[i]->vdev[k], d);
                size_window(&vm[i]->vdev[k], d);
            }
        }
    }
}

/* --- the type -------------------------------------------------------------------------------- */

static const struct opt options[] = {
    {
        .name = "create",
        .type = OPT_CUSTOM,
        .parse = parse_create,
        .arg = "NAME,SIZE",
        .range = MANUAL("a name of up to 31 characters; 1 to 1G bytes"),
        .dflt = MANUAL("none"),
        .help = MANUAL("A region of SIZE bytes (up to 1G, rounded up to 4 KiB), made at boot and "
                       "zeroed once. Up to 16; two VMs that create one of the same NAME have it "
                       "together and give it the same SIZE. QNX's `,MODE` and `,GID` behind it "
                       "have no effect."),
        .example = MANUAL("create frames,0x200000"),
    },
    {
        .name = "allow",
        .type = OPT_CUSTOM,
        .parse = parse_allow,
        .arg = "PATTERN",
        .range = MANUAL("a pattern of up to 63 characters"),
        .dflt = MANUAL("all regions"),
        .help = MANUAL(
            "The guest may have the regions whose names match this shell pattern. Up to 16 `allow` "
            "and `deny`, of which the first that matches decides; if none does, an `allow` "
            "anywhere means that all others are denied."),
        .example = MANUAL("allow frames*"),
    },
    {
        .name = "deny",
        .type = OPT_CUSTOM,
        .parse = parse_deny,
        .arg = "PATTERN",
        .range = MANUAL("a pattern of up to 63 characters"),
        .dflt = MANUAL("none"),
        .help = MANUAL("The guest may not have the regions whose names match; without any `allow`, "
                       "it may have all others."),
        .example = MANUAL("deny secret-?"),
    },
    {
        .name = "spare",
        .type = OPT_CUSTOM,
        .parse = parse_spare,
        .arg = "COUNT,SIZE",
        .range = MANUAL("1 to 32; 1 to 1G bytes"),
        .dflt = MANUAL("none"),
        .help = MANUAL("Memory for regions that no config creates: this guest may create COUNT of "
                       "up to SIZE bytes each by names of its own."),
        .example = MANUAL("spare 2,64K"),
    },
    {
        .name = "subst",
        .type = OPT_CUSTOM,
        .parse = parse_subst,
        .arg = "[MATCH],PREFIX",
        .range = MANUAL("both of up to 31 characters"),
        .dflt = MANUAL("none"),
        .help = MANUAL("A name that the guest says is that of another region: MATCH at its begin "
                       "becomes PREFIX; without MATCH, PREFIX is put before it. Up to 4, of which "
                       "the first that fits counts. `create`, `allow` and `deny` name regions as "
                       "they are."),
        .example = MANUAL("subst ,left-"),
    },
    {
        .name = "umask",
        .type = OPT_STR,
        .offset = offsetof(struct shmem_opts, unused_text),
        .arg = "OCT",
        .dflt = MANUAL("none"),
        .help = MANUAL("Permissions on QNX's host. There's none here."),
        .example = MANUAL("umask 0022"),
        .ignored = true,
    },
    {
        .name = "gid",
        .type = OPT_STR,
        .offset = offsetof(struct shmem_opts, unused_text),
        .arg = "GROUP",
        .dflt = MANUAL("none"),
        .help = MANUAL("A group on QNX's host. There's none here."),
        .example = MANUAL("gid drivers"),
        .ignored = true,
    },
    {.name = NULL},
};

static const char compatible[] = "qvm,guest_shm";

const struct vdev_type shmem_type = {
    .name = "shmem",
    .help = MANUAL("Memory shared with other VMs, with doorbells: QNX's shmem."),
    .opts = options,
    .opts_size = sizeof(struct shmem_opts),
    .check_all = shmem_check_all,
    .node = "qnx,guest_shm",
    .compatible = compatible,
    .compatible_len = sizeof(compatible),
    .mmio_size = PAGE_SIZE,
    .level = true,
    .create = shmem_create,
};
