/* SPDX-License-Identifier: MIT */
/*
 * The options of the config language but for devices: one function for each, and the tables that
 * the parser and the manual go by. Semantics and sources: docs/config.md.
 */
#include "core/config_parse.h"
#include "core/log.h"
#include "core/str.h"

#define NAME_MAX_LEN 31
#define LINUX_LINE   2047 /* COMMAND_LINE_SIZE of Linux, less its NUL */

/* The word's index in a NULL-terminated list, or -1. */
static int word_index(struct str s, const char *const *words)
{
    for (int i = 0; words[i] != NULL; i++) {
        if (str_is(s, words[i])) {
            return i;
        }
    }
    return -1;
}

int config_word(struct parser *p, struct str s, struct place place, const char *const *words)
{
    int index = word_index(s, words);
    char list[160];
    size_t n = 0;

    list[0] = '\0';
    for (u32 i = 0; index < 0 && words[i] != NULL && n < sizeof(list); i++) {
        n += (size_t)fmt_print(list + n, sizeof(list) - n, "%s%s", i == 0 ? "" : ", ", words[i]);
    }
    if (index < 0) {
        diag_error(p->diag, place, "'%.*s' is not one of: %s", STR_ARG(s), list);
    }
    return index;
}

static void opt_system(struct parser *p, const struct keyword *k, const struct token *t)
{
    struct token arg;

    (void)k;
    if (!config_arg(p, t, "a NAME", &arg)) {
        p->has_system = true;
        return;
    }
    if (p->vm->name.len > 0) {
        diag_error(p->diag, t->place, "a second 'system': each VM has its own file, this is '%.*s'",
                   STR_ARG(p->vm->name));
    } else if (config_name(p, &arg, NAME_MAX_LEN)) {
        p->vm->name = arg.text;
        p->vm->place = t->place;
    }
    p->has_system = true;
}

static void opt_mem(struct parser *p, const struct keyword *k, const struct token *t)
{
    struct cfg_mem m = {.kind = (enum cfg_mem_kind)k->value, .place = t->place};
    struct token arg;
    struct str first, rest;

    if (!config_arg(p, t, "[START,]LENGTH", &arg) || !config_ram_identity(p, t, &m, &arg)) {
        return;
    }
    first = str_cut(arg.text, ',', &rest);
    m.has_base = first.len < arg.text.len;
    if ((m.has_base && !config_address(p, arg.place, first, &m.base)) ||
        !config_address(p, arg.place, m.has_base ? rest : first, &m.size)) {
        return;
    }
    if (p->vm->nmems == CFG_MEMS) {
        diag_error(p->diag, t->place, "more than %u ram and rom areas", CFG_MEMS);
        return;
    }
    p->vm->mem[p->vm->nmems++] = m;
}

static void opt_reserve(struct parser *p, const struct keyword *k, const struct token *t)
{
    (void)k;
    (void)t;
    config_ctx(p, CTX_RESERVE);
}

static void add_reserve(struct parser *p, const struct cfg_reserve *r)
{
    if (p->vm->nreserves == CFG_RESERVES) {
        diag_error(p->diag, r->place, "more than %u reserved areas and interrupts", CFG_RESERVES);
        return;
    }
    p->vm->reserve[p->vm->nreserves++] = *r;
}

static void reserve_loc(struct parser *p, const struct keyword *k, const struct token *t)
{
    struct cfg_reserve r = {.place = t->place};
    struct token arg;
    struct str rest;

    (void)k;
    if (!config_arg(p, t, "START,LENGTH", &arg) || !config_loc(p, &arg, &rest, &r.base)) {
        return;
    }
    if (rest.len == 0) {
        diag_error(p->diag, arg.place, "'%.*s' lacks a length: START,LENGTH", STR_ARG(arg.text));
    } else if (config_address(p, arg.place, rest, &r.size)) {
        if (r.size == 0) {
            diag_error(p->diag, arg.place, "a reserved area of length 0");
            return;
        }
        add_reserve(p, &r);
    }
}

static void reserve_intr(struct parser *p, const struct keyword *k, const struct token *t)
{
    struct cfg_reserve r = {.place = t->place};
    struct token arg;
    struct str rest;

    (void)k;
    if (!config_arg(p, t, "gic:N", &arg) || !config_intr(p, &arg, &rest, &r.intid)) {
        return;
    }
    if (rest.len > 0) {
        diag_error(p->diag, arg.place, "'%.*s': gic:N is all that may stand here",
                   STR_ARG(arg.text));
        return;
    }
    add_reserve(p, &r);
}

static void opt_load(struct parser *p, const struct keyword *k, const struct token *t)
{
    struct cfg_load l = {.type = (enum cfg_load_type)k->value, .place = t->place};
    struct token arg;
    struct str first, rest;

    if (!config_arg(p, t, "[ADDRESS,]PATH", &arg)) {
        return;
    }
    first = str_cut(arg.text, ',', &rest);
    l.path = arg.text;
    if (num_read_size(first, &l.addr) == NUM_OK && (rest.len > 0 || l.type == LOAD_FDT)) {
        l.has_addr = true;
        l.path = rest;
    } else {
        l.addr = 0;
    }
    if (l.path.len == 0 && !l.has_addr) {
        diag_error(p->diag, arg.place, "'load' with an empty file name");
    } else if (p->vm->nloads == CFG_LOADS) {
        diag_error(p->diag, t->place, "more than %u files to load", CFG_LOADS);
    } else {
        p->vm->load[p->vm->nloads++] = l;
    }
}

/* fdt, initrd, data, guest, acpi: say what the `load` behind them loads; mem, pci: a `pass`. */
static void opt_prefix(struct parser *p, const struct keyword *k, const struct token *t)
{
    bool pass = str_is(t->text, "mem") || str_is(t->text, "io") || str_is(t->text, "pci");
    const char *verb = pass ? "pass" : "load";
    struct token arg;

    if (!config_arg(p, t, pass ? "'pass'" : "'load'", &arg)) {
        return;
    }
    if (!str_is(arg.text, verb)) {
        diag_error(p->diag, t->place, "'%.*s' needs '%s' behind it, not '%.*s'", STR_ARG(t->text),
                   verb, STR_ARG(arg.text));
    } else if (pass) {
        config_pass(p, k, &arg);
    } else if (str_is(t->text, "acpi")) {
        diag_error(p->diag, t->place, "'acpi load' is for x86 guests");
        (void)!config_arg(p, &arg, "a PATH", &arg);
    } else {
        opt_load(p, k, &arg);
    }
}

static void opt_cmdline(struct parser *p, const struct keyword *k, const struct token *t)
{
    struct token arg;
    char *copy;

    (void)k;
    if (!config_arg(p, t, "a STRING", &arg)) {
        return;
    }
    if (p->vm->cmdline_place.line != 0) {
        diag_warn(p->diag, t->place, "this 'cmdline' replaces the one of line %u",
                  p->vm->cmdline_place.line);
    }
    if (arg.text.len > LINUX_LINE) {
        diag_warn(p->diag, arg.place, "%u bytes of command line: Linux takes %u", arg.text.len,
                  LINUX_LINE);
    }
    copy = cfg_alloc(p->arena, arg.text.len + 1);
    if (copy == NULL) {
        diag_error(p->diag, t->place, "no memory left for configs");
        return;
    }
    memcpy(copy, arg.text.p, arg.text.len);
    p->vm->cmdline = (struct str){copy, arg.text.len};
    p->vm->cmdline_place = t->place;
}

static void opt_logger(struct parser *p, const struct keyword *k, const struct token *t)
{
    static const char *const severities[] = {"fatal", "internal", "error",   "warn",
                                             "info",  "debug",    "verbose", NULL};
    static const char *const places[] = {"stdout", "stderr", "slog", "none", NULL};
    enum { TO_STDOUT, TO_STDERR, TO_SLOG };
    struct token set, dest;
    struct str rest;
    u32 bits = 0;
    int to;

    (void)k;
    if (!config_arg(p, t, "SEVERITY[,SEVERITY...] DESTINATION", &set) ||
        !config_arg(p, t, "SEVERITY[,SEVERITY...] DESTINATION", &dest)) {
        return;
    }
    rest = set.text;
    do {
        int i = config_word(p, str_cut(rest, ',', &rest), set.place, severities);

        bits |= i >= 0 ? BIT(i) : 0;
    } while (rest.len > 0);
    to = config_word(p, dest.text, dest.place, places);
    if (!p->has_logger) {
        p->vm->log_set = 0; /* an explicit logger replaces the default */
        p->has_logger = true;
    }
    if (to == TO_STDOUT || to == TO_STDERR) {
        p->vm->log_set |= bits;
    } else if (to == TO_SLOG) {
        p->vm->slog_set |= bits;
    }
}

static void opt_unsupported(struct parser *p, const struct keyword *k, const struct token *t)
{
    static const char *const whats[] = {"instruction", "reference", "register", NULL};
    static const char *const policies[] = {"abort", "fail", "ignore", NULL};
    enum cfg_policy *const target[] = {&p->vm->on_instruction, &p->vm->on_reference,
                                       &p->vm->on_register};
    struct token what, policy;
    int w, a;

    (void)k;
    if (!config_arg(p, t, "instruction, reference or register", &what) ||
        !config_arg(p, t, "abort, fail or ignore", &policy)) {
        return;
    }
    w = config_word(p, what.text, what.place, whats);
    a = config_word(p, policy.text, policy.place, policies);
    if (w >= 0 && a >= 0) {
        *target[w] = (enum cfg_policy)a;
    }
}

static void opt_group(struct parser *p, const struct keyword *k, const struct token *t)
{
    struct token arg;

    (void)k;
    if (config_arg(p, t, "a NAME", &arg) && config_name(p, &arg, NAME_MAX_LEN)) {
        p->vm->group = arg.text;
    }
}

static void opt_entry(struct parser *p, const struct keyword *k, const struct token *t)
{
    struct token arg;
    u64 v;

    if (!config_arg(p, t, k->arg, &arg) || !config_address(p, arg.place, arg.text, &v)) {
        return;
    }
    if (p->vm->has_entry) {
        diag_error(p->diag, t->place, "'entry' is given twice");
    } else if (v % 4 != 0) {
        diag_error(p->diag, arg.place, "'%.*s' is no address of an instruction: a multiple of 4",
                   STR_ARG(arg.text));
    } else {
        p->vm->entry = v;
        p->vm->entry_place = t->place;
        p->vm->has_entry = true;
    }
}

static void opt_autostart(struct parser *p, const struct keyword *k, const struct token *t)
{
    struct token arg;
    bool on;

    if (!config_arg(p, t, k->arg, &arg)) {
        return;
    }
    if (!bool_read(arg.text, &on)) {
        diag_error(p->diag, arg.place, "'%.*s' is not on or off", STR_ARG(arg.text));
        return;
    }
    p->vm->no_autostart = !on;
}

static void opt_flag(struct parser *p, const struct keyword *k, const struct token *t)
{
    bool *const flag[] = {&p->vm->debug, &p->vm->dryrun};

    (void)t;
    *flag[k->value] = true;
}

void config_unused(struct parser *p, const struct keyword *k, const struct token *t)
{
    struct token arg;

    if (config_arg(p, t, k->arg, &arg)) {
        config_ignored(p, t, k->name);
    }
}

/* Areas of the board's memory have no tags here: `pass` gives a VM the one that it names. */
static void opt_memtag(struct parser *p, const struct keyword *k, const struct token *t)
{
    struct token arg;

    if (config_arg(p, t, k->arg, &arg)) {
        diag_error(p->diag, t->place,
                   "'memtag' is not supported: for memory that the board's tree reserves as "
                   "'%.*s', write pass loc ADDRESS,$asinfo_length{%.*s},rwcm=$asinfo_start{%.*s}",
                   STR_ARG(arg.text), STR_ARG(arg.text), STR_ARG(arg.text));
    }
}

static void opt_safety(struct parser *p, const struct keyword *k, const struct token *t)
{
    static const char *const levels[] = {"none", "warn", "required", NULL};
    struct token arg;

    if (config_arg(p, t, k->arg, &arg) && config_word(p, arg.text, arg.place, levels) >= 0) {
        config_ignored(p, t, k->name);
    }
}

static void gic_version(struct parser *p, const struct keyword *k, const struct token *t)
{
    struct token arg;
    u64 v;

    (void)k;
    if (config_arg(p, t, "2 or 3", &arg) &&
        config_number(p, &arg, "the GIC's version", (const u64[2]){2, 3}, &v)) {
        p->vm->gic_version = (u32)v;
        p->vm->gic_place = t->place;
    }
}

static void gic_loc(struct parser *p, const struct keyword *k, const struct token *t)
{
    struct token arg;
    struct str rest;

    (void)k;
    if (config_arg(p, t, "an ADDRESS", &arg) && config_loc(p, &arg, &rest, &p->vm->gicd)) {
        p->vm->gic_has_loc = true;
        p->vm->gic_place = t->place;
    }
}

const struct keyword config_reserve_words[] = {
    {"loc", reserve_loc, 0, "START,LENGTH",
     MANUAL("Keeps a range of guest addresses free: nothing is placed there."), WORKS},
    {"intr", reserve_intr, 0, "gic:N",
     MANUAL("Keeps an interrupt free: no device gets it by default."), WORKS},
    {.name = NULL},
};

const struct keyword config_gic_words[] = {
    {"version", gic_version, 0, "2|3", MANUAL("Must be the board's."), WORKS},
    {"loc", gic_loc, 0, "ADDRESS",
     MANUAL("Where its distributor lies; the other frames follow as on QEMU's virt board."), WORKS},
    {.name = NULL},
};

const struct keyword config_words[] = {
    {"system", opt_system, 0, "NAME", MANUAL("The VM's name. The first option of each VM."), WORKS},
    {"cpu", config_cpu, 0, NULL,
     MANUAL("One vCPU for each occurrence, at most 8; none at all means one. Its own options may "
            "follow."),
     WORKS},
    {"ram", opt_mem, MEM_RAM, "[identity] [START,]LENGTH",
     MANUAL("RAM of the guest, in whole pages; may be given several times. Without START it lies "
            "directly "
            "above the highest RAM or ROM so far, the first one at 0x40000000. With `identity` its "
            "guest addresses are those of the board, as a passed device that does DMA needs it "
            "where no SMMU stands between; without START Muntin chooses them at boot."),
     WORKS},
    {"rom", opt_mem, MEM_ROM, "[START,]LENGTH", MANUAL("The same, but the guest can't write it."),
     WORKS},
    {"reserve", opt_reserve, 0, NULL,
     MANUAL("Keeps addresses or an interrupt free. Its own options follow."), WORKS},
    {"load", opt_load, LOAD_AUTO, "[ADDRESS,]PATH",
     MANUAL("A file to load: an arm64 Linux Image or an ELF file, found out from its contents, "
            "says where "
            "it "
            "goes and where it starts; anything else is copied to ADDRESS and, if it's the first, "
            "started "
            "there."),
     WORKS},
    {"guest", opt_prefix, LOAD_GUEST, "load [ADDRESS,]PATH", MANUAL("As plain `load`."), WORKS},
    {"data", opt_prefix, LOAD_DATA, "load [ADDRESS,]PATH", MANUAL("Bytes to copy, never started."),
     WORKS},
    {"fdt", opt_prefix, LOAD_FDT, "load [ADDRESS][,][PATH]",
     MANUAL(
         "A device tree to merge the generated one into, or an overlay to apply to it; ADDRESS is "
         "where "
         "the guest finds the result."),
     WORKS},
    {"initrd", opt_prefix, LOAD_INITRD, "load [ADDRESS,]PATH",
     MANUAL("An initial RAM disk, placed behind the kernel unless ADDRESS is given."), WORKS},
    {"acpi", opt_prefix, 0, "load PATH", MANUAL("For x86 guests only."), LATER},
    {"cmdline", opt_cmdline, 0, "STRING",
     MANUAL("The kernel's command line. Given twice, the last one counts, with a warning."), WORKS},
    {"vdev", config_vdev, 0, "TYPE", MANUAL("A virtual device; its own options follow."), WORKS},
    {"switch", config_switch, 0, "NAME { OPTIONS }",
     MANUAL("How the switch NAME works, if not by its defaults; in any VM's file, but only once. "
            "Its options stand between the braces."),
     WORKS},
    {"pass", config_pass, 0, NULL,
     MANUAL("Gives the guest a device of the board (docs/passthrough.md); its own options follow."),
     WORKS},
    {"mem", opt_prefix, 0, NULL, NULL, LATER},
    {"io", opt_prefix, 0, NULL, NULL, LATER},
    {"pci", opt_prefix, 0, NULL, NULL, LATER},
    {"logger", opt_logger, 0, "SEVERITY[,SEVERITY...] DESTINATION",
     MANUAL("Which of a VM's messages are shown: fatal, internal, error, warn, info, debug, "
            "verbose; a "
            "set, "
            "not a level; `fatal` has what stops the VM. DESTINATION is stdout or stderr, which "
            "both are the console, slog, which is only seen with `log` at the prompt, or none. The "
            "first `logger` replaces the default."),
     WORKS},
    {"unsupported", opt_unsupported, 0, "instruction|reference|register abort|fail|ignore",
     MANUAL("What happens when the guest uses what isn't there: an instruction (default fail), an "
            "address "
            "without a device (default ignore: reads give all ones), a system register (default "
            "fail). "
            "`abort` stops the VM, `fail` raises the exception that hardware would, `ignore` goes "
            "on."),
     WORKS},
    {"set", config_set, 0, "VARIABLE VALUE", MANUAL("Sets a variable; see below."), WORKS},
    {"group", opt_group, 0, "NAME", MANUAL("VMs of one group may use each other's switches."),
     WORKS},
    {"debug", opt_flag, 0, NULL, MANUAL("More messages about this VM."), WORKS},
    {"dryrun", opt_flag, 1, NULL, MANUAL("The VM is checked, but not started."), WORKS},
    {"on-reset", config_end, END_RESET, "halt|restart",
     MANUAL("What follows when the guest resets its machine: it starts anew, or "
            "stays stopped with exit code 0."),
     WORKS},
    {"on-crash", config_end, END_CRASH, "[dump,]halt|restart",
     MANUAL("What follows when the VM is stopped by `unsupported ... abort` (exit code 5) or "
            "anything unexpected (6, 7); with `dump,` the registers of its vCPUs go to Muntin's "
            "log first, and with `dump DIR` its whole core to the console."),
     WORKS},
    {"on-watchdog", config_end, END_WATCHDOG, "[dump,]halt|restart",
     MANUAL("What follows when its watchdog bit (exit code 4); `dump,` as above."), WORKS},
    {"max-restarts", config_max_restarts, 0, "N",
     MANUAL("How often in a minute the VM starts anew by one of the three above; then "
            "it stays stopped. `vm reset` isn't counted."),
     WORKS},
    {"dump", config_dump, 0, "DIR",
     MANUAL("What `dump,` saves is the whole core, registers and RAM, and not only registers. It "
            "leaves over Muntin's console as text, whatever DIR (or \"|COMMAND\") says; `muntin "
            "gcore LOG` "
            "makes the file on the host. `vm core NAME` at the prompt does without this option."),
     WORKS},
    {"safety", opt_safety, 0, "none|warn|required",
     MANUAL("Whether QNX wants its certified parts."), IGNORED},
    {"user", config_unused, 0, "NAME[:GROUP...]",
     MANUAL("Whose rights QNX's process for the VM has."), IGNORED},
    {"entry", opt_entry, 0, "ADDRESS",
     MANUAL("Where the first vCPU starts, instead of at its image's own entry point: a guest "
            "address at which something is loaded."),
     WORKS},
    {"autostart", opt_autostart, 0, "on|off",
     MANUAL("`off`: the VM is made, but it waits for `vm start NAME` at Muntin's prompt."), WORKS},
    {"memtag", opt_memtag, 0, "NAME",
     MANUAL("Write `pass loc ADDRESS,$asinfo_length{NAME},rwcm=$asinfo_start{NAME}`."), LATER},
    {.name = NULL},
};
