/* SPDX-License-Identifier: MIT */
/*
 * `pass` and its options: windows of the board's memory and interrupts of its devices that the
 * guest gets. `ram identity`, too, which devices that write to memory by themselves need. Whether
 * all that can be had is for core/check_pass.c to say.
 */
#include "core/config_parse.h"
#include "core/log.h"
#include "core/str.h"

#define HOST_INTIDS 1019

void config_pass(struct parser *p, const struct keyword *k, const struct token *t)
{
    config_ctx(p, CTX_PASS);
    p->pass_first = p->vm->pass.nwindows;
    p->pass_shared = false;
    p->pass_unknown = str_is(str_of(k->name), "io") || str_is(str_of(k->name), "pci");
    if (p->pass_unknown) {
        diag_error(p->diag, t->place,
                   "'%s pass' is not supported: only memory and interrupts are passed", k->name);
    }
}

/* Letters of FLAGS; false after an error. */
static bool read_flags(struct parser *p, struct place place, struct str s, u8 *flags)
{
    static const char letters[] = "rwxcm"; /* bit n of enum pass_flag */
    bool uncached = false;

    *flags = 0;
    for (u32 i = 0; i < s.len; i++) {
        char c = s.p[i];
        const char *at = c != '\0' ? strchr(letters, c) : NULL;

        if (at != NULL) {
            *flags |= (u8)BIT(at - letters);
        } else if (c == 'n') {
            uncached = true;
        } else if (c != '\0' && strchr("sdet+-", c) != NULL) {
            config_ignored(p, &(struct token){.place = place}, "pass loc ...,s d e t + -");
        } else {
            diag_error(
                p->diag, place,
                "'%c' in '%.*s' is no flag of a window: r w x (rights), c (cached memory) or "
                "n (device), m (RAM)",
                c, STR_ARG(s));
            return false;
        }
    }
    if (uncached && (*flags & PASS_C) != 0) {
        diag_error(p->diag, place, "'%.*s': a window is cached (c) or not (n)", STR_ARG(s));
        return false;
    }
    return true;
}

static bool sensible_flags(struct parser *p, struct place place, u8 flags)
{
    if ((flags & PASS_R) == 0) {
        diag_error(p->diag, place, "a window that can't be read: its flags need r");
    } else if ((flags & PASS_X) != 0 && (flags & PASS_C) == 0) {
        diag_error(p->diag, place, "only cached memory (c) can be executed (x)");
    } else if ((flags & PASS_RAM) != 0 && (~flags & (PASS_C | PASS_W)) != 0) {
        diag_error(p->diag, place, "RAM (m) must be writable and cached: rwcm or rwxcm");
    } else {
        return true;
    }
    return false;
}

static const char loc_form[] = "ADDRESS,LENGTH[,FLAGS][=HOST]";

/* LENGTH[,FLAGS] into *w. */
static bool read_extent(struct parser *p, struct place place, struct str s, struct cfg_window *w)
{
    struct str flags, length = str_cut(s, ',', &flags);

    w->flags = PASS_R | PASS_W;
    if (length.len == 0) {
        diag_error(p->diag, place, "a window needs a length: %s", loc_form);
        return false;
    }
    return config_address(p, place, length, &w->size) &&
           (flags.len == 0 ||
            (read_flags(p, place, flags, &w->flags) && sensible_flags(p, place, w->flags)));
}

/* A hexadecimal number up to `max`. */
static bool read_hex(struct str s, u32 max, u32 *out)
{
    *out = 0;
    for (u32 i = 0; i < s.len; i++) {
        const char *digits = "0123456789abcdef", *at = strchr(digits, s.p[i] | 0x20);

        if (s.p[i] == '\0' || at == NULL || i > 2) {
            return false;
        }
        *out = *out * 16 + (u32)(at - digits);
    }
    return s.len > 0 && *out <= max;
}

/* pci:BUS:DEVICE.FUNCTION, in hexadecimal as lspci has it. */
static void pass_function(struct parser *p, const struct token *arg)
{
    struct cfg_pass *pass = &p->vm->pass;
    struct str rest, function, bus = str_cut(str_after(arg->text, 4), ':', &rest);
    struct str device = str_cut(rest, '.', &function);
    u32 b, d, f;

    if (!read_hex(bus, 0xff, &b) || !read_hex(device, 0x1f, &d) || !read_hex(function, 7, &f)) {
        diag_error(p->diag, arg->place, "'%.*s' is no PCIe function: pci:BUS:DEVICE.FUNCTION",
                   STR_ARG(arg->text));
    } else if (pass->npci == CFG_PCI) {
        diag_error(p->diag, arg->place, "more than %u PCIe functions are passed", CFG_PCI);
    } else {
        pass->pci[pass->npci].function = (u16)(b << 8 | d << 3 | f);
        pass->pci[pass->npci++].place = arg->place;
    }
}

static void pass_loc(struct parser *p, const struct keyword *k, const struct token *t)
{
    struct cfg_pass *pass = &p->vm->pass;
    struct cfg_window w = {.shared = p->pass_shared, .place = t->place};
    struct token arg;
    struct str rest, host;

    if (!config_arg(p, t, k->arg, &arg) || p->pass_unknown) {
        return;
    }
    if (str_starts(arg.text, "pci:")) {
        pass_function(p, &arg);
        return;
    }
    w.place = arg.place;
    arg.text = str_cut(arg.text, '=', &host);
    if (!config_loc(p, &arg, &rest, &w.base) || !read_extent(p, arg.place, rest, &w)) {
        return;
    }
    w.host = w.base;
    if (host.len > 0 && !config_address(p, arg.place, host, &w.host)) {
        return;
    }
    if (pass->nwindows == CFG_WINDOWS) {
        diag_error(p->diag, t->place, "more than %u windows are passed", CFG_WINDOWS);
        return;
    }
    pass->window[pass->nwindows++] = w;
}

/* `,t` and `,u` say when QNX lets an interrupt in again: here the GIC does. */
static bool read_delivery(struct parser *p, struct place place, struct str s)
{
    if (s.len == 0) {
        return true;
    }
    if (!str_is(s, ",t") && !str_is(s, ",u")) {
        diag_error(p->diag, place,
                   "'%.*s' behind an interrupt: only ,t or ,u and =HOST may stand "
                   "there",
                   STR_ARG(s));
        return false;
    }
    config_ignored(p, &(struct token){.place = place}, "pass intr ...,t|u");
    return true;
}

static void pass_intr(struct parser *p, const struct keyword *k, const struct token *t)
{
    struct cfg_pass *pass = &p->vm->pass;
    struct cfg_pass_irq irq = {.place = t->place};
    struct token arg;
    struct str rest, host;
    u64 v;

    if (!config_arg(p, t, k->arg, &arg) || !config_intr(p, &arg, &rest, &irq.intid)) {
        return;
    }
    irq.place = arg.place;
    irq.host = irq.intid;
    if (!read_delivery(p, arg.place, str_cut(rest, '=', &host))) {
        return;
    }
    if (host.len > 0) {
        if (!config_number(p, &(struct token){.text = host, .place = arg.place}, "an INTID",
                           (const u64[2]){0, HOST_INTIDS}, &v)) {
            return;
        }
        irq.host = (u32)v;
    }
    if (pass->nirqs == CFG_PASS_IRQS) {
        diag_error(p->diag, t->place, "more than %u interrupts are passed", CFG_PASS_IRQS);
        return;
    }
    pass->irq[pass->nirqs++] = irq;
}

static void pass_shared(struct parser *p, const struct keyword *k, const struct token *t)
{
    (void)k;
    (void)t;
    p->pass_shared = true;
    for (u32 i = p->pass_first; i < p->vm->pass.nwindows; i++) {
        p->vm->pass.window[i].shared = true;
    }
}

bool config_ram_identity(struct parser *p, const struct token *t, struct cfg_mem *m,
                         struct token *arg)
{
    if (!str_is(arg->text, "identity")) {
        return true;
    }
    m->identity = true;
    if (m->kind != MEM_RAM) {
        diag_error(p->diag, arg->place, "rom can't be identity-mapped: no device writes to it");
        return false;
    }
    return config_arg(p, t, "[START,]LENGTH", arg);
}

const struct keyword config_pass_words[] = {
    {"loc", pass_loc, 0, "ADDRESS,LENGTH[,FLAGS][=HOST]|pci:BUS:DEVICE.FUNCTION",
     MANUAL(
         "A window: what is at HOST (without it, at the same address) in the board's memory, the "
         "guest has at ADDRESS. FLAGS: r, w and x are rights (rw without FLAGS), n a device's "
         "registers, as is the default, c cached memory, m RAM besides. Or a PCIe function of the "
         "board, which the guest finds behind a host "
         "bridge of its own. May be repeated."),
     WORKS},
    {"intr", pass_intr, 0, "gic:N[,t|u][=HOST]",
     MANUAL("An interrupt of the board: INTID HOST (without it, N) comes as the guest's INTID N. "
            "May be repeated."),
     WORKS},
    {"shared", pass_shared, 0, NULL,
     MANUAL("Other VMs may have these windows, too, if they also say so."), WORKS},
    {.name = NULL},
};
