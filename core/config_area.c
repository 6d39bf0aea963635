/* SPDX-License-Identifier: MIT */
/*
 * $asinfo_start{NAME} and $asinfo_length{NAME} in the words of a config: the place and the size of
 * the board's reserved memory of that name, which replace them before anybody reads the word. Knows
 * no device tree, and no option.
 */
#include "core/board.h"
#include "core/config_lex.h"
#include "core/log.h"
#include "core/str.h"

struct search {
    struct str name;
    struct range area;
    bool found;
    char known[160]; /* all names */
    size_t len;
};

void (*config_areas)(config_area *each, void *ctx);

static void look(void *ctx, struct str name, struct range area)
{
    struct search *s = ctx;

    if (!s->found && str_same(s->name, name)) {
        s->area = area;
        s->found = true;
    }
    if (s->len + name.len + 3 < sizeof(s->known)) {
        s->len += (size_t)fmt_print(s->known + s->len, sizeof(s->known) - s->len, "%s%.*s",
                                    s->len > 0 ? ", " : "", STR_ARG(name));
    }
}

/* Bytes of "$asinfo_...{NAME}" at the start of s; 0: it's none. */
static u32 match(struct str s, bool *start, struct str *name)
{
    static const char *const words[] = {"$asinfo_length{", "$asinfo_start{"};

    for (u32 i = 0; i < ARRAY_SIZE(words); i++) {
        u32 len = (u32)strlen(words[i]);
        struct str rest = str_after(s, len);
        u32 end = str_find(rest, '}');

        if (str_starts(s, words[i]) && end < rest.len) {
            *start = i == 1;
            *name = (struct str){rest.p, end};
            return len + end + 1;
        }
    }
    return 0;
}

static bool find(const struct lexer *l, const struct token *t, struct str name, struct range *area)
{
    struct search s = {.name = name};

    if (config_areas == NULL) {
        diag_error(l->diag, t->place,
                   "$asinfo_...{%.*s} needs the board's device tree: --board BOARD.dtb, or write "
                   "the number",
                   STR_ARG(name));
        return false;
    }
    config_areas(look, &s);
    if (!s.found) {
        diag_error(l->diag, t->place, "the board's tree has no reserved memory '%.*s'%s%s",
                   STR_ARG(name), s.len > 0 ? ", but: " : ", nor any with a fixed place", s.known);
        return false;
    }
    *area = s.area;
    return true;
}

/* No value is twice as long as what it replaces. */
bool lex_replace_areas(const struct lexer *l, struct token *t)
{
    u32 room = 2 * t->text.len, len = 0, n;
    char *copy = NULL;
    struct range area;
    struct str name;
    bool start;

    for (u32 i = 0; i < t->text.len; i += MAX(n, 1u)) {
        n = match(str_after(t->text, i), &start, &name);
        if (n != 0 && copy == NULL) {
            copy = cfg_alloc(l->arena, room);
            if (copy == NULL) {
                diag_error(l->diag, t->place, "no memory left for configs");
                return false;
            }
            memcpy(copy, t->text.p, i);
            len = i;
        }
        if (n != 0 && !find(l, t, name, &area)) {
            return false;
        }
        if (n != 0) {
            len += (u32)fmt_print(copy + len, room - len, "0x%llx",
                                  (unsigned long long)(start ? area.base : area.size));
        } else if (copy != NULL) {
            copy[len++] = t->text.p[i];
        }
    }
    t->text = copy != NULL ? (struct str){copy, len} : t->text;
    return true;
}
