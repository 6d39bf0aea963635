/* SPDX-License-Identifier: MIT */
/*
 * `switch NAME { OPTIONS }`: the only context with braces, because `switch NAME` alone is an option
 * of a NIC. Its '}' must come before the next option of the VM, and in the same file.
 */
#include "core/config_parse.h"
#include "core/log.h"
#include "core/sched.h"
#include "core/str.h"

#define NAME_MAX_LEN 31

enum { SEEN_AGE, SEEN_UNKNOWN, SEEN_STORM, SEEN_POLL };

static bool is_open(const struct token *t)
{
    return t->brace && t->text.p[0] == '{';
}

bool config_switch_opens(const struct parser *p)
{
    struct lexer copy = p->lex[p->depth - 1];
    struct token next;

    copy.arena = NULL;
    copy.diag = NULL;
    copy.braces = true;
    return lex_next(&copy, &next) && (is_open(&next) || (lex_next(&copy, &next) && is_open(&next)));
}

static struct switch_conf *add_switch(struct parser *p, const struct token *t)
{
    static struct switch_conf surplus; /* takes the options of one too many */
    struct switch_conf *sw = &surplus;

    if (p->vm->nswitches < CFG_SWITCHES) {
        sw = &p->vm->sw[p->vm->nswitches++];
    } else {
        diag_error(p->diag, t->place, "more than %u switches described in one VM", CFG_SWITCHES);
    }
    *sw = (struct switch_conf){.place = t->place, .age_s = CFG_AGE, .poll_cpu = UINT32_MAX};
    sw->name = (struct str){"", 0};
    return sw;
}

void config_switch(struct parser *p, const struct keyword *k, const struct token *t)
{
    struct token arg;

    if (!config_switch_opens(p)) {
        diag_error(p->diag, t->place,
                   "'switch' is an option of a NIC; a switch is described by `switch %s`", k->arg);
        (void)!config_arg(p, t, "a NAME", &arg);
        return;
    }
    config_ctx(p, CTX_SWITCH);
    p->sw = add_switch(p, t);
    if (config_arg(p, t, "a NAME", &arg) && config_name(p, &arg, NAME_MAX_LEN)) {
        p->sw->name = arg.text;
    }
    while (lex_next(&p->lex[p->depth - 1], &arg) && !is_open(&arg)) {
        continue; /* it was seen */
    }
    p->sw_brace = arg.place;
}

bool config_switch_closes(struct parser *p, const struct token *t)
{
    if (t->brace && !is_open(t)) {
        config_ctx(p, CTX_NONE);
        return true;
    }
    if (config_find(config_words, t->text) != NULL) {
        diag_error(p->diag, p->sw_brace, "this '{' is not closed before '%.*s' of line %u",
                   STR_ARG(t->text), t->place.line);
        config_ctx(p, CTX_NONE);
    }
    return false;
}

void config_switch_open_end(struct parser *p)
{
    if (p->ctx == CTX_SWITCH) {
        diag_error(p->diag, p->sw_brace, "this '{' is never closed");
    }
}

static void switch_age(struct parser *p, const struct keyword *k, const struct token *t)
{
    struct token arg;
    u64 v;

    if (config_arg(p, t, k->arg, &arg) && config_once(p, SEEN_AGE, t) &&
        config_number(p, &arg, "age", (const u64[2]){10, 1000000}, &v)) {
        p->sw->age_s = (u32)v;
    }
}

static void switch_unknown(struct parser *p, const struct keyword *k, const struct token *t)
{
    static const char *const words[] = {"flood", "drop", NULL};
    struct token arg;

    if (config_arg(p, t, k->arg, &arg) && config_once(p, SEEN_UNKNOWN, t)) {
        p->sw->drop_unknown = config_word(p, arg.text, arg.place, words) == 1;
    }
}

static void switch_storm(struct parser *p, const struct keyword *k, const struct token *t)
{
    struct token arg;
    u64 v;

    if (config_arg(p, t, k->arg, &arg) && config_once(p, SEEN_STORM, t) &&
        config_number(p, &arg, "storm", (const u64[2]){0, 1000000000}, &v)) {
        p->sw->storm = (u32)v;
        p->sw->has_storm = true;
    }
}

static void switch_poll(struct parser *p, const struct keyword *k, const struct token *t)
{
    struct token arg;
    u64 v;

    if (!config_arg(p, t, k->arg, &arg) || !config_once(p, SEEN_POLL, t) ||
        !config_number(p, &arg, "a CPU number", (const u64[2]){0, PCPU_MAX - 1}, &v)) {
        return;
    }
    if (v == 0) {
        diag_error(p->diag, arg.place, "CPU 0 can't poll: it has the console");
        return;
    }
    p->sw->poll_cpu = (u32)v;
    p->sw->poll_place = t->place;
}

static void switch_isolate(struct parser *p, const struct keyword *k, const struct token *t)
{
    (void)k;
    (void)t;
    p->sw->isolate = true;
}

const struct keyword config_switch_words[] = {
    {"age", switch_age, 0, "SECONDS",
     MANUAL("An address from which nothing comes for so long is forgotten."), WORKS},
    {"unknown", switch_unknown, 0, "flood|drop",
     MANUAL("What becomes of a frame to an address that the switch doesn't know: `flood` sends it "
            "to all."),
     WORKS},
    {"storm", switch_storm, 0, "N", MANUAL("What NICs have that don't say `storm` themselves."),
     WORKS},
    {"poll", switch_poll, 0, "CPU",
     MANUAL("A physical CPU, not 0, that does nothing but to look for frames: the guests needn't "
            "exit to send. No vCPU may be pinned to it; without a `runmask` none is put there."),
     WORKS},
    {"isolate", switch_isolate, 0, NULL,
     MANUAL("All its NICs are isolated: none can talk to another."), WORKS},
    {.name = NULL},
};
