/* SPDX-License-Identifier: MIT */
/* `set VARIABLE VALUE`: the variables, their values and what they do. */
#include "core/config_parse.h"
#include "core/log.h"
#include "core/str.h"

static bool var_value(struct parser *p, const struct cfg_var *var, const struct token *arg, u64 *v)
{
    bool flag = false;

    switch (var->type) {
    case VAR_BOOL:
        if (!bool_read(arg->text, &flag)) {
            diag_error(p->diag, arg->place, "'%.*s' is not on or off", STR_ARG(arg->text));
            return false;
        }
        *v = flag;
        return true;
    case VAR_NUMBER:
        return config_number(p, arg, var->name, (const u64[2]){var->min, var->max}, v);
    case VAR_SIZE:
        return config_address(p, arg->place, arg->text, v);
    default:
        return true;
    }
}

static void unknown_var(struct parser *p, const struct token *name)
{
    struct suggest s = {.word = name->text};
    char hint[128];

    for (const struct cfg_var *v = config_vars; v->name != NULL; v++) {
        suggest_add(&s, v->name);
    }
    diag_error(p->diag, name->place, "unknown variable '%.*s'%s", STR_ARG(name->text),
               suggest_text(&s, hint, sizeof(hint)));
}

void config_set(struct parser *p, const struct keyword *k, const struct token *t)
{
    const struct cfg_var *var = config_vars;
    struct token name, arg;
    u64 v = 0;

    (void)k;
    if (!config_arg(p, t, "VARIABLE VALUE", &name) || !config_arg(p, t, "VARIABLE VALUE", &arg)) {
        return;
    }
    while (var->name != NULL && !str_is(name.text, var->name)) {
        var++;
    }
    if (var->name == NULL) {
        unknown_var(p, &name);
        return;
    }
    if (!var_value(p, var, &arg, &v)) {
        return;
    }
    if (var->ignored) {
        config_ignored(p, &name, var->name);
    } else {
        var->apply(p, &arg, v);
    }
}

static void set_exit_on_halt(struct parser *p, const struct token *value, u64 v)
{
    p->vm->exit_on_halt = v != 0 ? HALT_ON : HALT_OFF;
    p->vm->exit_on_halt_place = value->place;
}

static void set_counter_offset(struct parser *p, const struct token *value, u64 v)
{
    (void)value;
    p->vm->counter_offset = v;
}

static void set_aarch32(struct parser *p, const struct token *value, u64 v)
{
    p->vm->has_aarch32 = true;
    p->vm->aarch32 = v != 0;
    p->vm->aarch32_place = value->place;
}

static void set_fdt_dump_file(struct parser *p, const struct token *value, u64 v)
{
    (void)v;
    p->vm->fdt_dump_file = value->text;
}

static void set_gic_hwassist(struct parser *p, const struct token *value, u64 v)
{
    if (v == 0) {
        diag_error(p->diag, value->place,
                   "gic-hwassist off is not supported: Muntin needs the GIC's virtualization");
    }
}

const struct cfg_var config_vars[] = {
    {"exit-on-halt", VAR_BOOL, .apply = set_exit_on_halt,
     .help = MANUAL(
         "Whether a waiting vCPU (WFI) gives its physical CPU back. Unset, that happens only where "
         "the CPU is shared; `on`: always; `off`: never, which is an error on a shared CPU.")},
    {"counter-offset", VAR_NUMBER, .max = UINT64_MAX, .apply = set_counter_offset,
     .help = MANUAL(
         "Ticks that the guest's counters are behind the board's; 0: the same. By default they "
         "start at 0 with the VM.")},
    {"aarch32", VAR_BOOL, .apply = set_aarch32,
     .help =
         MANUAL("Whether the VM starts in 32-bit state. Only bytes that are started as they are "
                "(`load ADDRESS,PATH`, `entry`) need it: of kernels it must be what their "
                "format says. Not in QNX.")},
    {"fdt-dump-file", VAR_STR, .apply = set_fdt_dump_file,
     .help = MANUAL("`muntin check` writes the generated device tree there.")},
    {"gic-hwassist", VAR_BOOL, .apply = set_gic_hwassist,
     .help = MANUAL("Must be on: Muntin always uses the GIC's virtualization.")},
    {"debug", VAR_BOOL, .ignored = true},
    {"grow-heap", VAR_SIZE, .ignored = true},
    {"slog-buffer", VAR_SIZE, .ignored = true},
    {"message-block-timeout", VAR_NUMBER, .max = 10000, .ignored = true},
    {"vdev-message-block-timeout", VAR_NUMBER, .max = 10000, .ignored = true},
    {"host-paddr-gicd", VAR_SIZE, .ignored = true},
    {"host-paddr-gicc", VAR_SIZE, .ignored = true},
    {"host-paddr-gich", VAR_SIZE, .ignored = true},
    {"host-paddr-gicv", VAR_SIZE, .ignored = true},
    {.name = NULL},
};
