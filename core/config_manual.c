/* SPDX-License-Identifier: MIT */
/*
 * The reference of the config language as Markdown, printed from the tables that the parser goes
 * by: what isn't in a table isn't an option. Of each: unit, range, default, what it does, an
 * example.
 */
#include "core/config_parse.h"
#include "core/log.h"

typedef void print_fn(const char *fmt, ...);

/* A table of options and the docs that go with it. */
struct section {
    const struct keyword *words;
    const struct cfg_doc *docs;
    const char *context;
};

static const struct section sections[] = {
    {config_words, config_docs, ""},
    {config_cpu_words, config_cpu_docs, "cpu"},
    {config_reserve_words, config_reserve_docs, "reserve"},
    {config_pass_words, config_pass_docs, "pass"},
    {config_switch_words, config_switch_docs, "switch"},
    {config_gic_words, config_gic_docs, "vdev gic"},
};
enum { TOP, CPU, RESERVE, PASS, SWITCH, GIC, SECTIONS };

static void fact(print_fn *print, const char **before, const char *label, const char *text)
{
    if (text != NULL) {
        print("%s%s%s", *before, label, text);
        *before = "; ";
    }
}

/* " (bytes; 1 to 5; default: 3)" */
static void facts(print_fn *print, const struct cfg_doc *d)
{
    const char *before = " (";

    fact(print, &before, "", d->unit);
    fact(print, &before, "", d->range);
    fact(print, &before, "default: ", d->dflt);
    print(before[0] == ';' ? ")" : "");
}

/* One option. d NULL: nothing is known of it but its help. */
static void entry(print_fn *print, const char *name, const char *arg, const char *help,
                  const struct cfg_doc *d)
{
    static const struct cfg_doc nothing;

    d = d != NULL ? d : &nothing;
    print("- **`%s%s%s`**", name, arg != NULL ? " " : "", arg != NULL ? arg : "");
    facts(print, d);
    print("  \n  %s", help != NULL ? help : "");
    if (d->example != NULL) {
        print("%sExample: `%s`", help != NULL && help[0] != '\0' ? " " : "", d->example);
    }
    print("\n");
}

static bool any_works(const struct section *s)
{
    for (const struct keyword *k = s->words; k->name != NULL; k++) {
        if (k->state == WORKS && k->help != NULL) {
            return true;
        }
    }
    return false;
}

static void words(print_fn *print, const struct section *s)
{
    for (const struct keyword *k = s->words; k->name != NULL; k++) {
        if (k->state == WORKS && k->help != NULL) {
            entry(print, k->name, k->arg, k->help, config_doc(s->docs, k->name));
        }
    }
}

static void words_of_state(print_fn *print, u32 state)
{
    for (u32 i = 0; i < ARRAY_SIZE(sections); i++) {
        const struct section *s = &sections[i];

        for (const struct keyword *k = s->words; k->name != NULL; k++) {
            if (k->state == state && k->help != NULL) {
                print("- `%s%s%s%s%s`%s%s\n", s->context, s->context[0] != '\0' ? " " : "", k->name,
                      k->arg != NULL ? " " : "", k->arg != NULL ? k->arg : "",
                      k->help[0] != '\0' ? ": " : "", k->help);
            }
        }
    }
}

/* --- devices --------------------------------------------------------------------------------- */

static void number_text(char *buf, size_t size, const struct opt *o, u64 v)
{
    static const char suffix[] = "KMGT";
    u32 i = 0;

    if (v == UINT64_MAX) {
        fmt_print(buf, size, "2^64 - 1");
        return;
    }
    if (o->type == OPT_OCT) {
        fmt_print(buf, size, v != 0 ? "0%llo" : "%llo", (unsigned long long)v);
        return;
    }
    while (o->type == OPT_SIZE && v != 0 && v % 1024 == 0 && i < 4) {
        v /= 1024;
        i++;
    }
    fmt_print(buf, size, "%llu%.*s", (unsigned long long)v, i > 0, i > 0 ? &suffix[i - 1] : "");
}

/* What its table says may stand there. */
const char *config_opt_range(const struct opt *o, char *buf, size_t size)
{
    u64 max = o->max != 0                                ? o->max
              : o->type == OPT_U32 || o->type == OPT_OCT ? UINT32_MAX
                                                         : UINT64_MAX;
    char low[32], high[32];
    size_t n = 0;

    switch (o->range != NULL ? OPT_CUSTOM : o->type) {
    case OPT_U32:
    case OPT_U64:
    case OPT_SIZE:
    case OPT_OCT:
        number_text(low, sizeof(low), o, o->min);
        number_text(high, sizeof(high), o, max);
        fmt_print(buf, size, "%s to %s", low, high);
        return buf;
    case OPT_BOOL:
        return "on or off";
    case OPT_STR:
        return "a text";
    case OPT_FILE:
        return "a file's path";
    case OPT_MAC:
        return "a MAC address, of no group";
    case OPT_MACS:
        return "MAC addresses, of no group, up to 8";
    case OPT_VLAN:
        return "VLANs, 1 to 4094";
    case OPT_ENUM:
        for (u32 i = 0; o->words[i] != NULL && n < size; i++) {
            n += (size_t)fmt_print(buf + n, size - n, "%s%s",
                                   i == 0                    ? ""
                                   : o->words[i + 1] != NULL ? ", "
                                                             : " or ",
                                   o->words[i]);
        }
        return buf;
    default:
        return o->range;
    }
}

static void option(print_fn *print, const struct opt *o)
{
    char range[160], help[1024];
    struct cfg_doc d = {.unit = o->unit, .dflt = o->dflt, .example = o->example};

    d.range = config_opt_range(o, range, sizeof(range));
    if (d.unit == NULL && o->type == OPT_SIZE) {
        d.unit = "bytes";
    }
    if (o->type == OPT_FLAG) {
        d.dflt = "off";
    }
    fmt_print(help, sizeof(help), "%s%s", o->ignored ? "No effect. " : "",
              o->help != NULL ? o->help : "");
    entry(print, o->name, o->arg, help, &d);
}

static void type(print_fn *print, const struct vdev_type *t)
{
    bool any = false;

    print("\n### vdev %s\n\n%s\n", t->name, t->help != NULL ? t->help : "");
    if (t->aliases != NULL && t->aliases[0] != NULL) {
        print("Also written as:");
        for (u32 i = 0; t->aliases[i] != NULL; i++) {
            print(" `%s`", t->aliases[i]);
        }
        print(".\n");
    }
    print("\n");
    for (const struct opt *o = t->opts; o != NULL && o->name != NULL; o++) {
        option(print, o);
    }
    for (const struct idle_option *o = config_idle_options; o->name != NULL; o++) {
        if (config_is_idle(t, o)) {
            print("%s`%s %s`", any ? ", " : "- Without effect: ", o->name, o->arg);
            any = true;
        }
    }
    print(any ? ".\n" : "");
}

static void common_options(print_fn *print)
{
    static const struct cfg_doc loc = {NULL, NULL, "a guest address, a multiple of 4K",
                                       "the next free place", "vdev pl011 loc 0x1c090000"};
    static const struct cfg_doc intr = {NULL, "INTID", "gic:32 to gic:287", "the next free one",
                                        "vdev pl011 intr gic:37"};
    static const struct cfg_doc name = {NULL, NULL, "a name of up to 31 characters", "none",
                                        "vdev pl011 name debug"};

    print("\n## Devices\n\nEach device has these options, and those of its type:\n\n");
    entry(print, "loc", "ADDRESS", "Where its registers are.", &loc);
    entry(print, "intr", "gic:N",
          "Its interrupt: N is the GIC's INTID, an SPI's number + 32. In a device tree, gic:37 is "
          "`<0 5 4>`.",
          &intr);
    entry(print, "name", "NAME", "What others call it: /dev/qvm/SYSTEM/NAME.", &name);
    print(
        "\nOthers mean something to QNX's devices, but nothing here. They are looked at, and said "
        "once to have no effect:\n\n");
    for (const struct idle_option *o = config_idle_options; o->name != NULL; o++) {
        entry(print, o->name, o->arg, o->help, &(struct cfg_doc){.example = o->example});
    }
}

/* --- the rest -------------------------------------------------------------------------------- */

static void variables(print_fn *print)
{
    print("\n## Variables of `set`\n\n");
    for (const struct cfg_var *v = config_vars; v->name != NULL; v++) {
        if (!v->ignored) {
            entry(print, v->name, NULL, v->help, config_doc(config_var_docs, v->name));
        }
    }
}

static void no_effect(print_fn *print)
{
    print("\n## Accepted without effect\n\nThe parser takes these and says so once:\n\n");
    words_of_state(print, IGNORED);
    for (const struct cfg_var *v = config_vars; v->name != NULL; v++) {
        if (v->ignored) {
            print("- `%s`\n", config_doc(config_var_docs, v->name)->example);
        }
    }
    print("\n## Not supported\n\nThe parser knows these, and answers with an error:\n\n");
    words_of_state(print, LATER);
}

void config_manual(const struct vdev_type *const *types, print_fn *print)
{
    print("## Options\n\n");
    words(print, &sections[TOP]);
    for (u32 i = TOP + 1; i < GIC; i++) {
        if (any_works(&sections[i])) {
            print("\n### Of `%s`\n\n", sections[i].context);
            words(print, &sections[i]);
        }
    }
    variables(print);
    common_options(print);
    for (u32 i = 0; types[i] != NULL; i++) {
        type(print, types[i]);
    }
    print("\n### vdev gic\n\nThe interrupt controller is always there; its version is that of the "
          "board.\n\n");
    words(print, &sections[GIC]);
    no_effect(print);
}
