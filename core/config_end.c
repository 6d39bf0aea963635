/* SPDX-License-Identifier: MIT */
/* The options that say what comes when a VM ends. What they do is in core/vm_end.c. */
#include "core/config_parse.h"
#include "core/str.h"

static struct cfg_end *end_of(struct vm_config *vm, u32 which)
{
    struct cfg_end *const all[] = {&vm->on_reset, &vm->on_crash, &vm->on_watchdog};

    return all[which];
}

/* [dump,]halt|restart */
void config_end(struct parser *p, const struct keyword *k, const struct token *t)
{
    static const char *const words[] = {"halt", "restart", NULL};
    struct cfg_end end = {.dump = false};
    struct token arg;
    int word;

    if (!config_arg(p, t, k->arg, &arg)) {
        return;
    }
    if (k->value != END_RESET && str_starts(arg.text, "dump,")) {
        end.dump = true;
        arg.text = str_after(arg.text, 5);
    }
    word = config_word(p, arg.text, arg.place, words);
    if (word >= 0) {
        end.restart = word == 1;
        *end_of(p->vm, k->value) = end;
    }
}

void config_max_restarts(struct parser *p, const struct keyword *k, const struct token *t)
{
    struct token arg;
    u64 v;

    if (config_arg(p, t, k->arg, &arg) &&
        config_number(p, &arg, "restarts a minute", (const u64[2]){0, 1000000}, &v)) {
        p->vm->max_restarts = (u32)v;
    }
}

/* That there's one counts. There are no directories: a core leaves over the console, as text. */
void config_dump(struct parser *p, const struct keyword *k, const struct token *t)
{
    struct token arg;

    if (config_arg(p, t, k->arg, &arg)) {
        p->vm->core = true;
    }
}
