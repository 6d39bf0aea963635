/* SPDX-License-Identifier: MIT */
/*
 * The reference of the config language as Markdown, printed from the tables that the parser goes
 * by: what isn't in a table isn't an option.
 */
#include "core/config_parse.h"
#include "core/log.h"

typedef void print_fn(const char *fmt, ...);

static void word(print_fn *print, const struct keyword *k, const char *context)
{
    print("- **`%s%s%s%s`**  \n  %s\n", context, k->name, k->arg != NULL ? " " : "",
          k->arg != NULL ? k->arg : "", k->help);
}

static void words(print_fn *print, const struct keyword *list, const char *context)
{
    for (const struct keyword *k = list; k->name != NULL; k++) {
        if (k->state == WORKS && k->help != NULL) {
            word(print, k, context);
        }
    }
}

static void words_of_state(print_fn *print, const struct keyword *list, const char *context,
                           u32 state)
{
    for (const struct keyword *k = list; k->name != NULL; k++) {
        if (k->state == state && k->help != NULL) {
            print("- `%s%s%s%s`\n", context, k->name, k->arg != NULL ? " " : "",
                  k->arg != NULL ? k->arg : "");
        }
    }
}

static void option(print_fn *print, const struct opt *o)
{
    print("- **`%s%s%s`**", o->name, o->arg != NULL ? " " : "", o->arg != NULL ? o->arg : "");
    if (o->dflt != NULL) {
        print(" (default: %s)", o->dflt);
    }
    print("  \n  %s%s", o->ignored ? "No effect. " : "", o->help != NULL ? o->help : "");
    if (o->example != NULL) {
        print(" Example: `%s`", o->example);
    }
    print("\n");
}

static void type(print_fn *print, const struct vdev_type *t)
{
    print("\n### vdev %s\n\n%s\n", t->name, t->help != NULL ? t->help : "");
    if (t->aliases != NULL && t->aliases[0] != NULL) {
        print("Also written as:");
        for (u32 i = 0; t->aliases[i] != NULL; i++) {
            print(" `%s`", t->aliases[i]);
        }
        print(".\n");
    }
    if (t->opts == NULL || t->opts->name == NULL) {
        return;
    }
    print("\n");
    for (const struct opt *o = t->opts; o->name != NULL; o++) {
        option(print, o);
    }
}

static void variables(print_fn *print)
{
    print("\n## Variables of `set`\n\n");
    for (const struct cfg_var *v = config_vars; v->name != NULL; v++) {
        if (!v->ignored) {
            print("- **`set %s`**  \n  %s\n", v->name, v->help);
        }
    }
}

static void no_effect(print_fn *print)
{
    print("\n## Accepted without effect\n\nThe parser takes these and says so once:\n\n");
    words_of_state(print, config_words, "", IGNORED);
    words_of_state(print, config_cpu_words, "cpu ", IGNORED);
    for (const struct cfg_var *v = config_vars; v->name != NULL; v++) {
        if (v->ignored) {
            print("- `set %s`\n", v->name);
        }
    }
    print("\n## Not supported yet\n\nThe parser knows these, and answers with an error:\n\n");
    words_of_state(print, config_words, "", LATER);
    words_of_state(print, config_cpu_words, "cpu ", LATER);
}

void config_manual(const struct vdev_type *const *types, print_fn *print)
{
    print("## Options\n\n");
    words(print, config_words, "");
    print("\n### Of `cpu`\n\n");
    words(print, config_cpu_words, "");
    print("\n### Of `reserve`\n\n");
    words(print, config_reserve_words, "");
    print("\n### Of `pass`\n\n");
    words(print, config_pass_words, "");
    print("\n### Of `switch`\n\n");
    words(print, config_switch_words, "");
    variables(print);
    print(
        "\n## Devices\n\nEach device has these options, and those of its type:\n\n"
        "- **`loc ADDRESS`** (default: the next free place)  \n  Where its registers are: a "
        "guest-physical address, a multiple of 4 KiB.\n"
        "- **`intr gic:N`** (default: the next free one)  \n  Its interrupt: N is the GIC's INTID, "
        "an SPI's number + 32. In a device tree, gic:37 is `<0 5 4>`.\n"
        "- **`name NAME`**  \n  What others call it: /dev/qvm/SYSTEM/NAME.\n");
    for (u32 i = 0; types[i] != NULL; i++) {
        type(print, types[i]);
    }
    print("\n### vdev gic\n\nThe interrupt controller is always there; its version is that of the "
          "board.\n\n");
    words(print, config_gic_words, "");
    no_effect(print);
}
