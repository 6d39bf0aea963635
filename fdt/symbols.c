/* SPDX-License-Identifier: MIT */
/*
 * Labels of the generated tree's nodes, for overlays to refer to: `&eth0`. Only made when a config
 * loads an overlay. No lock.
 */
#include "fdt/symbols.h"

#include "core/log.h"

#include <string.h>

/* Labels are C identifiers: anything else in a config's names becomes '_'. */
static void make_label(char *label, const char *text, u32 len)
{
    u32 i;

    for (i = 0; i < MIN(len, (u32)SYMBOL_LABEL - 1); i++) {
        char c = text[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

        label[i] = c == '_' || good ? c : '_';
    }
    label[i] = '\0';
}

/* How many vdevs before this one have its type. */
static u32 ordinal(const struct vm_config *vm, u32 index)
{
    u32 count = 0;

    for (u32 i = 0; i < index; i++) {
        count += vm->vdev[i].type == vm->vdev[index].type;
    }
    return count;
}

/* A vdev has up to three: TYPE_N, its name, and uartN. */
static bool vdev_symbol(const struct vm_config *vm, u32 index, u32 which, struct symbol *s)
{
    const struct vdev_conf *conf = &vm->vdev[index];
    char text[SYMBOL_LABEL];

    gen_vdev_path(conf, s->path);
    if (which == 0) {
        fmt_print(text, sizeof(text), "%s_%u", conf->type->name, ordinal(vm, index));
        make_label(s->label, text, (u32)strlen(text));
        return true;
    }
    if (which == 1) {
        make_label(s->label, conf->name.p, conf->name.len);
        return conf->name.len > 0;
    }
    fmt_print(s->label, SYMBOL_LABEL, "uart%u", ordinal(vm, index));
    return gen_is_uart(conf);
}

/* Symbol number i; false: that number has none. */
static bool symbol(const struct vm_config *vm, u32 i, struct symbol *s)
{
    static const char *const fixed[] = {"chosen", "cpus", "psci", "timer", "vdevs", "pass"};

    if (i < ARRAY_SIZE(fixed)) {
        fmt_print(s->label, SYMBOL_LABEL, "%s", fixed[i]);
        fmt_print(s->path, GEN_PATH, "/%s", fixed[i]);
        return i + 1 < ARRAY_SIZE(fixed) || vm->pass.nwindows != 0;
    }
    i -= (u32)ARRAY_SIZE(fixed);
    if (i == 0) {
        fmt_print(s->label, SYMBOL_LABEL, "gic");
        gen_gic_path(vm, s->path);
        return true;
    }
    i -= 1;
    if (i < vm->ncpus) {
        fmt_print(s->label, SYMBOL_LABEL, "cpu%u", i);
        fmt_print(s->path, GEN_PATH, "/cpus/cpu@%x", i);
        return true;
    }
    i -= vm->ncpus;
    return vdev_symbol(vm, i / 3, i % 3, s);
}

/* True if an earlier symbol has this label: names of a config may collide with the built-in ones.
 */
static bool symbol_taken(const struct vm_config *vm, u32 index, const char *label)
{
    struct symbol s;

    for (u32 i = 0; i < index; i++) {
        if (symbol(vm, i, &s) && strcmp(s.label, label) == 0) {
            return true;
        }
    }
    return false;
}

u32 symbols_count(const struct vm_config *vm)
{
    return 7 + vm->ncpus + 3 * vm->nvdevs;
}

bool symbols_get(const struct vm_config *vm, u32 index, struct symbol *s)
{
    return symbol(vm, index, s) && !symbol_taken(vm, index, s->label);
}
