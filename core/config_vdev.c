/* SPDX-License-Identifier: MIT */
/*
 * `vdev TYPE` and the options behind it. Which types there are and what options they have comes
 * from the tables of the devices; loc, intr and name are common to all. Knows no device.
 */
#include "core/check.h"
#include "core/config_parse.h"
#include "core/log.h"
#include "core/str.h"

#define VDEV_NAME_LEN 31

/* Bits of parser.seen; the type's own options follow from SEEN_OWN on. */
enum { SEEN_LOC, SEEN_INTR, SEEN_NAME, SEEN_OWN };

/* What QNX's devices say of their threads, drivers and logs: it means nothing here. */
const struct idle_option config_idle_options[] = {
    {"sched", "", IDLE_PRIORITY, 1, 255, "PRIORITY[r|f|o]",
     MANUAL("Priority of QNX's device thread. There's none here."), MANUAL("sched 20")},
    {"delayed", "", IDLE_SECONDS, 0, UINT32_MAX, "SECONDS|forever",
     MANUAL("When QNX opens its host device. There's none here."), MANUAL("delayed forever")},
    {"log", "", IDLE_TEXT, 0, 0, "TEXT", MANUAL("Where QNX's device logs. See `logger`."),
     MANUAL("log /tmp/uart")},
    {"threads", "virtio-", IDLE_NUMBER, 1, 1024, "N",
     MANUAL("Threads of QNX's device. There are none here."), MANUAL("threads 4")},
    {"dio", "virtio-blk", IDLE_BOOL, 0, 0, "on|off",
     MANUAL("Direct access to QNX's host file. There's none here."), MANUAL("dio on")},
    {"hostdev", "virtio-", IDLE_TEXT, 0, 0, "[<|>]PATH",
     MANUAL("A device of QNX's host. There's none here."), MANUAL("hostdev /dev/random")},
    {.name = NULL},
};

static const char *const x86_types[] = {"ioapic",     "8259",    "timer8254", "mc146818",  "hpet",
                                        "pckeyboard", "ser8250", "pci-dummy", "wdt-ib700", NULL};

/* Devices of QNX, and of virtio, that Muntin doesn't have; what to write instead, says the tool. */
static const struct {
    const char *name, *instead;
} other_types[] = {
    {"virtio-input", MANUAL("a keyboard is the VM's console: pl011")},
    {"virtio-snd", MANUAL("give it a sound card of the board's with `pass`")},
    {"virtio-sound", MANUAL("give it a sound card of the board's with `pass`")},
    {"virtio-gpu", MANUAL("give it a display of the board's with `pass`")},
    {"virtio-video", MANUAL("give it a codec of the board's with `pass`")},
    {"virtio-fs", MANUAL("use files over virtio-net, or in its initrd")},
    {"virtio-9p", MANUAL("use files over virtio-net, or in its initrd")},
    {"virtio-scsi", MANUAL("use virtio-blk")},
    {"virtio-vsock", MANUAL("use virtio-net on a private link")},
    {"virtio-i2c", MANUAL("give it a bus of the board's with `pass`")},
    {"virtio-balloon", MANUAL("a VM has the RAM of its config")},
    {"smmu", MANUAL("a guest needs none: leave this device out")},
};

/* What stands behind a device of an unknown or missing type: these take no argument. */
static const char *const bare_options[] = {"legacy",  "packed",   "monitor",
                                           "isolate", "readonly", NULL};
static const char *const arg_options[] = {
    "loc",     "intr",   "name",    "sched",   "delayed",   "hostdev",   "log",          "batch",
    "threads", "dio",    "peer",    "mac",     "peerfeats", "bind-mode", "tapdev",       "create",
    "allow",   "deny",   "subst",   "action",  "frequency", "version",   "switch",       "vlan",
    "mtu",     "queues", "qsize",   "serial",  "rate",      "mac-spoof", "rate-packets", "storm",
    "static",  "speed",  "capture", "ramdisk", "cow",       NULL};

static bool listed(struct str s, const char *const *words)
{
    for (; words != NULL && *words != NULL; words++) {
        if (str_is(s, *words)) {
            return true;
        }
    }
    return false;
}

/* vdev-NAME, NAME.so, NAME-safety and all of them together are NAME. */
static struct str bare_type(struct str s)
{
    if (str_starts(s, "vdev-")) {
        s = str_after(s, 5);
    }
    if (str_ends(s, ".so")) {
        s.len -= 3;
    }
    if (str_ends(s, "-safety")) {
        s.len -= 7;
    }
    return s;
}

static const struct vdev_type *find_type(const struct parser *p, struct str name)
{
    for (u32 i = 0; p->types[i] != NULL; i++) {
        if (str_is(name, p->types[i]->name) || listed(name, p->types[i]->aliases)) {
            return p->types[i];
        }
    }
    return NULL;
}

static void unknown_type(struct parser *p, const struct token *arg, struct str name)
{
    struct suggest s = {.word = name};
    char hint[128];

    if (listed(name, x86_types)) {
        diag_error(p->diag, arg->place, "vdev '%.*s' exists on x86 only", STR_ARG(name));
        return;
    }
    for (u32 i = 0; i < ARRAY_SIZE(other_types); i++) {
        const char *instead = other_types[i].instead;

        if (str_is(name, other_types[i].name)) {
            diag_error(p->diag, arg->place, "vdev '%.*s' is not supported%s%s", STR_ARG(name),
                       instead != NULL ? ": " : "", instead != NULL ? instead : "");
            return;
        }
        suggest_add(&s, other_types[i].name);
    }
    for (u32 i = 0; p->types[i] != NULL; i++) {
        suggest_add(&s, p->types[i]->name);
    }
    diag_error(p->diag, arg->place, "unknown vdev '%.*s'%s", STR_ARG(arg->text),
               suggest_text(&s, hint, sizeof(hint)));
}

static void add_vdev(struct parser *p, const struct vdev_type *type, const struct token *t)
{
    struct vdev_conf *c;
    void *opts;

    if (p->vm->nvdevs == CFG_VDEVS) {
        diag_error(p->diag, t->place, "more than %u devices", CFG_VDEVS);
        return;
    }
    opts = cfg_alloc(p->arena, MAX(type->opts_size, (size_t)1));
    if (opts == NULL) {
        diag_error(p->diag, t->place, "no memory left for configs");
        return;
    }
    if (type->defaults != NULL) {
        type->defaults(opts);
    }
    c = &p->vm->vdev[p->vm->nvdevs++];
    *c = (struct vdev_conf){.type = type, .place = t->place, .opts = opts};
    c->name = (struct str){"", 0};
    config_ctx(p, CTX_VDEV);
    p->vdev = c;
}

void config_vdev(struct parser *p, const struct keyword *k, const struct token *t)
{
    const struct vdev_type *type;
    struct token arg;
    struct str name;

    (void)k;
    config_ctx(p, CTX_UNKNOWN); /* until the type turns out to be known */
    if (!config_arg(p, t, "a TYPE", &arg)) {
        return;
    }
    name = bare_type(arg.text);
    type = find_type(p, name);
    if (type != NULL) {
        add_vdev(p, type, t);
    } else if (str_is(name, "gic")) {
        config_ctx(p, CTX_GIC);
    } else {
        unknown_type(p, &arg, name);
    }
}

void config_vdev_skip(struct parser *p, const struct token *t)
{
    struct token arg;

    if (!listed(t->text, bare_options) && listed(t->text, arg_options)) {
        (void)!config_arg(p, t, "an argument", &arg);
    }
}

void config_vdev_names(const struct vdev_type *type, void (*add)(void *to, const char *name),
                       void *to)
{
    add(to, "loc");
    add(to, "intr");
    add(to, "name");
    for (const struct opt *o = type->opts; o != NULL && o->name != NULL; o++) {
        add(to, o->name);
    }
}

static void vdev_loc(struct parser *p, const struct token *t)
{
    struct token arg;
    struct str rest;
    u64 addr;

    if (!config_arg(p, t, "an ADDRESS", &arg) || !config_once(p, SEEN_LOC, t) ||
        !config_loc(p, &arg, &rest, &addr)) {
        return;
    }
    if (rest.len > 0) {
        diag_error(p->diag, arg.place, "'%.*s': a device's loc is one address", STR_ARG(arg.text));
        return;
    }
    p->vdev->loc = addr;
    p->vdev->has_loc = true;
    p->vdev->loc_place = t->place;
}

static void vdev_intr(struct parser *p, const struct token *t)
{
    struct token arg;
    struct str rest;
    u32 id;

    if (!config_arg(p, t, "gic:N", &arg) || !config_once(p, SEEN_INTR, t)) {
        return;
    }
    if (str_is(arg.text, "apic")) {
        diag_error(p->diag, arg.place, "'apic' exists on x86 only");
        return;
    }
    if (!config_intr(p, &arg, &rest, &id)) {
        return;
    }
    if (rest.len > 0) {
        diag_error(p->diag, arg.place, "'%.*s': gic:N is all that may stand here",
                   STR_ARG(arg.text));
        return;
    }
    p->vdev->intid = id;
    p->vdev->has_intr = true;
    p->vdev->intr_place = t->place;
}

static void vdev_name(struct parser *p, const struct token *t)
{
    struct token arg;

    if (config_arg(p, t, "a NAME", &arg) && config_once(p, SEEN_NAME, t) &&
        config_name(p, &arg, VDEV_NAME_LEN)) {
        p->vdev->name = arg.text;
    }
}

/* The largest value of a numeric option. */
static u64 opt_max(const struct opt *o)
{
    if (o->max != 0) {
        return o->max;
    }
    return o->type == OPT_U64 || o->type == OPT_SIZE ? UINT64_MAX : UINT32_MAX;
}

static enum num_result opt_read(const struct opt *o, struct str s, u64 *v)
{
    switch (o->type) {
    case OPT_SIZE:
        return num_read_size(s, v);
    case OPT_OCT:
        return num_read_octal(s, v);
    default:
        return num_read(s, v);
    }
}

static void opt_num(struct parser *p, const struct opt *o, const struct token *arg, void *at)
{
    const char *const kind = o->type == OPT_SIZE  ? "a size"
                             : o->type == OPT_OCT ? "an octal number"
                                                  : "a number";
    enum num_result r;
    u64 v;

    r = opt_read(o, arg->text, &v);
    if (r == NUM_BAD) {
        diag_error(p->diag, arg->place, "'%.*s' is not %s, which '%s' needs", STR_ARG(arg->text),
                   kind, o->name);
    } else if (r == NUM_RANGE || v < o->min || v > opt_max(o)) {
        diag_error(p->diag, arg->place,
                   o->type == OPT_OCT ? "'%s' must be %llo..%llo (octal), not %.*s"
                                      : "'%s' must be %llu..%llu, not %.*s",
                   o->name, (unsigned long long)o->min, (unsigned long long)opt_max(o),
                   STR_ARG(arg->text));
    } else if (o->type == OPT_U64 || o->type == OPT_SIZE) {
        *(u64 *)at = v;
    } else {
        *(u32 *)at = (u32)v;
    }
}

static void opt_enum(struct parser *p, const struct opt *o, const struct token *arg, u32 *at)
{
    char list[160] = "";
    size_t n = 0;

    for (u32 i = 0; o->words[i] != NULL; i++) {
        if (str_is(arg->text, o->words[i])) {
            *at = i;
            return;
        }
        if (n < sizeof(list)) {
            n += (size_t)fmt_print(list + n, sizeof(list) - n, "%s%s", i == 0 ? "" : ", ",
                                   o->words[i]);
        }
    }
    diag_error(p->diag, arg->place, "'%.*s' is not one of: %s", STR_ARG(arg->text), list);
}

static void opt_bool(struct parser *p, const struct opt *o, const struct token *arg, bool *at)
{
    if (!bool_read(arg->text, at)) {
        diag_error(p->diag, arg->place, "'%.*s' is not on or off, which '%s' needs",
                   STR_ARG(arg->text), o->name);
    }
}

static void opt_file(struct parser *p, const struct opt *o, const struct token *arg,
                     struct opt_file *at)
{
    struct str path = arg->text;

    at->place = arg->place;
    if (str_starts(path, "<") || str_starts(path, ">")) {
        at->mark = path.p[0];
        path = str_after(path, 1);
    }
    if (path.len == 0) {
        diag_error(p->diag, arg->place, "'%s' needs a file's PATH", o->name);
    }
    at->path = path;
}

/* Stores an option's argument. */
static void opt_store(struct parser *p, const struct opt *o, const struct token *arg)
{
    void *at = (char *)p->vdev->opts + o->offset;
    const char *why = "malformed";

    switch (o->type) {
    case OPT_BOOL:
        opt_bool(p, o, arg, at);
        break;
    case OPT_STR:
        if (arg->text.len == 0) {
            diag_error(p->diag, arg->place, "'%s' needs a text that is not empty", o->name);
        }
        *(struct str *)at = arg->text;
        break;
    case OPT_MAC:
        config_mac_option(p, arg, at);
        break;
    case OPT_MACS:
        config_macs_option(p, arg, at);
        break;
    case OPT_VLAN:
        config_vlan_option(p, arg, at);
        break;
    case OPT_ENUM:
        opt_enum(p, o, arg, at);
        break;
    case OPT_FILE:
        opt_file(p, o, arg, at);
        break;
    case OPT_CUSTOM:
        if (!o->parse(p->vdev->opts, arg->text, &why)) {
            diag_error(p->diag, arg->place, "'%s %.*s': %s", o->name, STR_ARG(arg->text), why);
        }
        break;
    default:
        opt_num(p, o, arg, at);
        break;
    }
}

static void own_option(struct parser *p, const struct opt *o, u32 index, const struct token *t)
{
    struct token arg;

    bool repeatable = o->type == OPT_CUSTOM || o->type == OPT_MACS;

    if (!repeatable && !config_once(p, SEEN_OWN + index, t)) {
        if (o->type != OPT_FLAG) {
            (void)!config_arg(p, t, "an argument", &arg);
        }
        return;
    }
    if (o->ignored) {
        config_ignored(p, t, o->name);
    }
    p->vdev->given |= BIT64(index);
    if (o->type == OPT_FLAG) {
        *(bool *)((char *)p->vdev->opts + o->offset) = true;
    } else if (config_arg(p, t, o->arg != NULL ? o->arg : "an argument", &arg)) {
        opt_store(p, o, &arg);
    }
}

bool config_is_idle(const struct vdev_type *type, const struct idle_option *o)
{
    return str_starts(str_of(type->name), o->types) && opt_find(type, o->name) == NULL;
}

/* An option that has no effect is still looked at: what is wrong with it is wrong in QNX, too. */
static bool idle_option(struct parser *p, const struct token *t)
{
    const struct idle_option *o = config_idle_options;
    struct token arg;
    bool flag;
    u64 v;

    while (o->name != NULL && !(str_is(t->text, o->name) && config_is_idle(p->vdev->type, o))) {
        o++;
    }
    if (o->name == NULL) {
        return false;
    }
    if (!config_arg(p, t, o->arg, &arg)) {
        return true;
    }
    if (o->kind == IDLE_PRIORITY && arg.text.len > 1 &&
        strchr("rfo", arg.text.p[arg.text.len - 1]) != NULL) {
        arg.text.len--;
    }
    if (o->kind == IDLE_BOOL && !bool_read(arg.text, &flag)) {
        diag_error(p->diag, arg.place, "'%.*s' is not on or off, which '%s' needs",
                   STR_ARG(arg.text), o->name);
    } else if (o->max == 0 || (o->kind == IDLE_SECONDS && str_is(arg.text, "forever")) ||
               config_number(p, &arg, o->name, (const u64[2]){o->min, o->max}, &v)) {
        config_ignored(p, t, o->name);
    }
    return true;
}

bool config_vdev_option(struct parser *p, const struct token *t)
{
    const struct opt *opts = p->vdev->type->opts;

    if (str_is(t->text, "loc")) {
        vdev_loc(p, t);
        return true;
    }
    if (str_is(t->text, "intr")) {
        vdev_intr(p, t);
        return true;
    }
    if (str_is(t->text, "name")) {
        vdev_name(p, t);
        return true;
    }
    for (u32 i = 0; opts != NULL && opts[i].name != NULL; i++) {
        if (str_is(t->text, opts[i].name)) {
            own_option(p, &opts[i], i, t);
            return true;
        }
    }
    return idle_option(p, t);
}
