/* SPDX-License-Identifier: MIT */
/*
 * The config parser: a flat stream of options, some of which open a context whose own options may
 * follow until another context opens or the file ends; line ends mean nothing. What each option
 * does is in config_opts.c and config_vdev.c. It never stops at an error: it reports, skips the
 * word and goes on, so that all errors of a file are seen at once.
 */
#include "core/config.h"

#include "core/config_parse.h"
#include "core/log.h"
#include "core/str.h"

const struct keyword *config_find(const struct keyword *words, struct str name)
{
    for (; words->name != NULL; words++) {
        if (str_is(name, words->name)) {
            return words;
        }
    }
    return NULL;
}

const struct keyword *config_ctx_words(const struct parser *p)
{
    static const struct keyword none[] = {{.name = NULL}};

    switch (p->ctx) {
    case CTX_CPU:
        return config_cpu_words;
    case CTX_GIC:
        return config_gic_words;
    case CTX_RESERVE:
        return config_reserve_words;
    case CTX_PASS:
        return config_pass_words;
    case CTX_SWITCH:
        return config_switch_words;
    default:
        return none;
    }
}

void config_ctx(struct parser *p, enum ctx ctx)
{
    p->ctx = ctx;
    p->seen = 0;
    p->cpu = NULL;
    p->vdev = NULL;
    p->sw = NULL;
    p->lex[p->depth - 1].braces = ctx == CTX_SWITCH;
}

static bool is_option(struct parser *p, struct str word)
{
    struct token t = {.text = word};

    if (config_find(config_words, word) != NULL || config_find(config_ctx_words(p), word) != NULL) {
        return true;
    }
    if (p->ctx != CTX_VDEV) {
        return false;
    }
    for (const struct opt *o = p->vdev->type->opts; o != NULL && o->name != NULL; o++) {
        if (str_is(t.text, o->name)) {
            return true;
        }
    }
    return str_is(word, "loc") || str_is(word, "intr") || str_is(word, "name");
}

/* What the next word of the open file would be, without taking it. */
static bool peek(const struct parser *p, struct token *t)
{
    struct lexer copy = p->lex[p->depth - 1];

    copy.arena = NULL;
    copy.diag = NULL;
    return lex_next(&copy, t);
}

bool config_arg(struct parser *p, const struct token *t, const char *what, struct token *arg)
{
    struct token next;

    /* An option on a later line is not the argument, but a sign that the argument is missing. */
    if (!peek(p, &next) || next.brace ||
        (next.place.line != t->place.line && is_option(p, next.text))) {
        diag_error(p->diag, t->place, "'%.*s' needs %s behind it", STR_ARG(t->text), what);
        return false;
    }
    return lex_next(&p->lex[p->depth - 1], arg);
}

bool config_number(struct parser *p, const struct token *arg, const char *what, const u64 bounds[2],
                   u64 *v)
{
    enum num_result r = num_read(arg->text, v);

    if (r == NUM_BAD) {
        diag_error(p->diag, arg->place, "'%.*s' is not a number: %s must be %llu..%llu",
                   STR_ARG(arg->text), what, (unsigned long long)bounds[0],
                   (unsigned long long)bounds[1]);
        return false;
    }
    if (r == NUM_RANGE || *v < bounds[0] || *v > bounds[1]) {
        diag_error(p->diag, arg->place, "%s must be %llu..%llu, not %.*s", what,
                   (unsigned long long)bounds[0], (unsigned long long)bounds[1],
                   STR_ARG(arg->text));
        return false;
    }
    return true;
}

bool config_address(struct parser *p, struct place place, struct str s, u64 *v)
{
    switch (num_read_size(s, v)) {
    case NUM_OK:
        return true;
    case NUM_RANGE:
        diag_error(p->diag, place, "'%.*s' does not fit in 64 bits", STR_ARG(s));
        return false;
    default:
        diag_error(p->diag, place,
                   "'%.*s' is not an address or size: decimal, 0x or 0d, with K, M, G or T",
                   STR_ARG(s));
        return false;
    }
}

static bool name_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != '\0' && strchr("._-:+", c) != NULL);
}

bool config_name(struct parser *p, const struct token *arg, u32 max_len)
{
    struct str s = arg->text;

    for (u32 i = 0; i < s.len; i++) {
        if (!name_char(s.p[i])) {
            diag_error(p->diag, arg->place,
                       "'%.*s' is not a name: letters, digits and . _ - : + are allowed",
                       STR_ARG(s));
            return false;
        }
    }
    if (s.len == 0 || s.len > max_len) {
        diag_error(p->diag, arg->place, "a name has 1 to %u characters, '%.*s' has %u", max_len,
                   STR_ARG(s), s.len);
        return false;
    }
    return true;
}

bool config_loc(struct parser *p, const struct token *arg, struct str *rest, u64 *addr)
{
    struct str s = arg->text;

    if (str_starts(s, "mem:")) {
        s = str_after(s, 4);
    } else if (str_find(s, ':') < s.len) {
        diag_error(p->diag, arg->place, "'%.*s': only memory addresses (mem:) are supported",
                   STR_ARG(s));
        return false;
    }
    return config_address(p, arg->place, str_cut(s, ',', rest), addr);
}

bool config_intr(struct parser *p, const struct token *arg, struct str *rest, u32 *id)
{
    struct str line, pic = str_cut(arg->text, ':', &line);
    u32 end = MIN(str_find(line, ','), str_find(line, '='));
    u64 v;

    *rest = str_after(line, end);
    if (!str_is(pic, "gic") || line.len == 0) {
        diag_error(p->diag, arg->place,
                   "'%.*s': an interrupt is gic:N with N the GIC's INTID (an SPI's number + 32)",
                   STR_ARG(arg->text));
        return false;
    }
    line.len = end;
    if (!config_number(p, &(struct token){.text = line, .place = arg->place}, "an INTID",
                       (const u64[2]){0, 1019}, &v)) {
        return false;
    }
    *id = (u32)v;
    return true;
}

bool config_once(struct parser *p, u32 bit, const struct token *t)
{
    if ((p->seen & BIT64(bit)) != 0) {
        diag_error(p->diag, t->place, "'%.*s' is given twice", STR_ARG(t->text));
        return false;
    }
    p->seen |= BIT64(bit);
    return true;
}

void config_ignored(struct parser *p, const struct token *t, const char *name)
{
    struct diag *d = p->diag;

    for (u32 i = 0; i < d->notes; i++) {
        if (d->noted[i] == name) {
            return;
        }
    }
    if (d->notes < CFG_NOTES) {
        d->noted[d->notes++] = name;
        diag_note(d, t->place, "'%s' is accepted, but has no effect in Muntin", name);
    }
}

static bool already_open(const struct parser *p, struct str text)
{
    for (u32 i = 0; i < p->depth; i++) {
        if (p->lex[i].text.p == text.p) {
            return true;
        }
    }
    return false;
}

static void include(struct parser *p, const struct token *t)
{
    struct str name = str_after(t->text, 1), text;

    if (p->ctx == CTX_SWITCH) {
        diag_error(p->diag, t->place, "'%.*s': no file may be pulled in between braces",
                   STR_ARG(t->text));
        return;
    }
    config_ctx(p, CTX_NONE);
    if (name.len == 0) {
        diag_error(p->diag, t->place, "'@' needs a file name right behind it");
    } else if (p->includes == CFG_INCLUDES) {
        diag_error(p->diag, t->place, "more than %u files are pulled in with @", CFG_INCLUDES);
    } else if (p->src == NULL || !p->src->open(p->src, &name, &text)) {
        diag_error(p->diag, t->place, "file '%.*s' not found", STR_ARG(name));
    } else if (already_open(p, text)) {
        diag_error(p->diag, t->place, "file '%.*s' pulls itself in", STR_ARG(name));
    } else if (p->depth == CFG_DEPTH) {
        diag_error(p->diag, t->place, "files are nested deeper than %u", CFG_DEPTH);
    } else {
        lex_init(&p->lex[p->depth++], text, diag_file(p->diag, name), p->arena, p->diag);
    }
    p->includes += p->includes < CFG_INCLUDES;
}

/* The next word where an option may stand; opens and closes files on the way. */
static bool next_option(struct parser *p, struct token *t)
{
    while (p->depth > 0) {
        if (!lex_next(&p->lex[p->depth - 1], t)) {
            config_switch_open_end(p);
            config_ctx(p, CTX_NONE);
            p->depth--;
        } else if (t->text.len > 0 && t->text.p[0] == '@') {
            include(p, t);
        } else {
            return true;
        }
    }
    return false;
}

static const char *ctx_name(const struct parser *p)
{
    static const char *const name[] = {
        [CTX_NONE] = "",         [CTX_CPU] = "cpu",         [CTX_VDEV] = "vdev ",
        [CTX_GIC] = "vdev gic",  [CTX_RESERVE] = "reserve", [CTX_PASS] = "pass",
        [CTX_SWITCH] = "switch", [CTX_UNKNOWN] = "vdev"};

    return name[p->ctx];
}

static void add_suggestion(void *to, const char *name)
{
    suggest_add(to, name);
}

struct list {
    char text[400];
    size_t len;
};

static void add_to_list(void *to, const char *name)
{
    struct list *l = to;

    if (l->len < sizeof(l->text)) {
        l->len += (size_t)fmt_print(l->text + l->len, sizeof(l->text) - l->len, " %s", name);
    }
}

static void unknown(struct parser *p, const struct token *t)
{
    struct suggest s = {.word = t->text};
    struct list list = {.text = ""};
    struct token next;
    char hint[128];
    const char *name = ctx_name(p);

    for (const struct keyword *k = config_ctx_words(p); k->name != NULL; k++) {
        add_suggestion(&s, k->name);
        add_to_list(&list, k->name);
    }
    if (p->ctx == CTX_VDEV) {
        config_vdev_names(p->vdev->type, add_suggestion, &s);
        config_vdev_names(p->vdev->type, add_to_list, &list);
    }
    for (const struct keyword *k = config_words; p->ctx != CTX_SWITCH && k->name != NULL; k++) {
        add_suggestion(&s, k->name);
    }
    suggest_text(&s, hint, sizeof(hint));
    if (p->ctx == CTX_NONE || p->ctx == CTX_UNKNOWN) {
        diag_error(p->diag, t->place, "unknown word '%.*s' (no context is open)%s",
                   STR_ARG(t->text), hint);
    } else {
        diag_error(p->diag, t->place,
                   "unknown option '%.*s' in the context of '%s%s'%s (it has:%s)", STR_ARG(t->text),
                   name, p->ctx == CTX_VDEV ? p->vdev->type->name : "", hint, list.text);
    }
    /* What follows on the line is most likely its argument. */
    if (peek(p, &next) && next.place.line == t->place.line && !is_option(p, next.text) &&
        !next.brace && next.text.len > 0 && next.text.p[0] != '@') {
        (void)!lex_next(&p->lex[p->depth - 1], &next);
    }
}

/* Lines without which images can't be placed. */
static bool places_images(struct str word)
{
    static const char *const words[] = {"ram",  "rom", "load",   "guest",
                                        "data", "fdt", "initrd", "entry"};

    for (u32 i = 0; i < ARRAY_SIZE(words); i++) {
        if (str_is(word, words[i])) {
            return true;
        }
    }
    return false;
}

/* The word's keyword; NULL with *done false: there's none. */
static const struct keyword *find_option(struct parser *p, const struct token *t, bool *done)
{
    const struct keyword *k = config_find(config_ctx_words(p), t->text);
    bool described = str_is(t->text, "switch") && config_switch_opens(p);

    *done = false;
    if (k != NULL) {
        return k;
    }
    if (p->ctx == CTX_VDEV && !described) {
        *done = config_vdev_option(p, t);
    } else if (p->ctx == CTX_SWITCH) {
        *done = config_switch_closes(p, t);
    } else if (p->ctx == CTX_UNKNOWN && str_is(t->text, "switch") && !described) {
        return NULL; /* a NIC's */
    }
    return *done || p->ctx == CTX_SWITCH ? NULL : config_find(config_words, t->text);
}

static void option(struct parser *p, const struct token *t)
{
    bool done;
    const struct keyword *k = find_option(p, t, &done);
    u32 before;

    if (done) {
        return;
    }
    if (k == NULL && p->ctx == CTX_UNKNOWN) {
        config_vdev_skip(p, t);
    } else if (k == NULL) {
        unknown(p, t);
    } else {
        if (!p->has_system && !p->order_told && !str_is(t->text, "system")) {
            diag_error(p->diag, t->place,
                       "'%.*s' before 'system': `system NAME` must be the first option of a VM",
                       STR_ARG(t->text));
            p->order_told = true;
        }
        before = p->diag->errors;
        k->parse(p, k, t);
        p->vm->unsure |= p->diag->errors != before && places_images(t->text);
    }
}

static void set_defaults(struct vm_config *vm)
{
    *vm = (struct vm_config){0};
    vm->cmdline = (struct str){"", 0};
    vm->on_instruction = POLICY_FAIL;
    vm->on_reference = POLICY_IGNORE;
    vm->on_register = POLICY_FAIL;
    vm->exit_on_halt = HALT_AUTO;
    vm->counter_offset = UINT64_MAX;
    vm->on_reset.restart = true;
    vm->max_restarts = CFG_RESTARTS;
    vm->log_set = SEV_FATAL | SEV_INTERNAL | SEV_ERROR | SEV_WARN | SEV_INFO;
    vm->slog_set = SEV_INTERNAL; /* always */
}

void config_parse(struct vm_config *vm, struct str name, struct str text, struct cfg_source *src,
                  const struct vdev_type *const *types, struct cfg_arena *arena, struct diag *diag)
{
    struct parser p = {.vm = vm, .src = src, .types = types, .arena = arena, .diag = diag};
    u32 before = diag->errors;
    struct token t;

    set_defaults(vm);
    vm->place = (struct place){diag_file(diag, name), 1, 1};
    lex_init(&p.lex[p.depth++], text, vm->place.file, arena, diag);
    while (next_option(&p, &t)) {
        option(&p, &t);
    }
    if (!p.has_system && !p.order_told) {
        diag_error(diag, vm->place, "no `system NAME`: there's no VM in this file");
    }
    if (vm->ncpus == 0) {
        vm->ncpus = 1;
        vm->cpu[0] = (struct cfg_cpu){.prio = CFG_PRIO, .place = vm->place, .cluster = {"", 0}};
    }
    vm->errors += diag->errors - before;
}
