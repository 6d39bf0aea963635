/* SPDX-License-Identifier: MIT */
/*
 * Config text to words: blanks separate, '#' starts a comment, double quotes keep blanks together
 * and may span lines, a backslash before a line's end inside quotes joins the lines. Braces are
 * words only where the parser expects them. A quote may also begin inside a word (hostdev >"a b").
 * A word without quotes is a slice of the text; one with quotes is a copy in the arena.
 */
#include "core/config_lex.h"

#include "core/log.h"
#include "core/str.h"

/* Words are walked twice: to measure, with out == NULL, and to copy. */
struct walk {
    struct lex_pos pos;
    u32 len;
    bool quoted, unterminated;
    bool control; /* a control byte stands in the word */
    u8 control_byte;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

static char at(const struct lexer *l, u32 i)
{
    return i < l->text.len ? l->text.p[i] : '\0';
}

static void step(const struct lexer *l, struct lex_pos *p)
{
    if (l->text.p[p->at] == '\n') {
        p->line++;
        p->line_start = p->at + 1;
    }
    p->at++;
}

void lex_init(struct lexer *l, struct str text, u16 file, struct cfg_arena *arena,
              struct diag *diag)
{
    u32 zero = str_find(text, '\0');

    *l = (struct lexer){.text = text, .file = file, .arena = arena, .diag = diag};
    l->pos.line = 1;
    if (zero < text.len) { /* told once, not for each of its words */
        l->text.len = 0;
        if (diag != NULL) {
            diag_error(diag, (struct place){.file = file, .col = 1, .line = 1},
                       "this is no text: byte %u is 0 (a kernel, or UTF-16?)", zero);
        }
    }
    if (str_starts(text, "\xef\xbb\xbf")) { /* a byte-order mark, as some editors leave it */
        l->pos.at = 3;
        l->pos.line_start = 3;
    }
}

static void skip_blanks(struct lexer *l)
{
    while (l->pos.at < l->text.len) {
        char c = l->text.p[l->pos.at];

        if (c == '#') {
            while (l->pos.at < l->text.len && l->text.p[l->pos.at] != '\n') {
                l->pos.at++;
            }
        } else if (is_blank(c)) {
            step(l, &l->pos);
        } else {
            return;
        }
    }
}

/* Bytes of a joining backslash and line end at i: 0, 2 or 3. */
static u32 join_length(const struct lexer *l, u32 i)
{
    if (at(l, i) != '\\') {
        return 0;
    }
    if (at(l, i + 1) == '\n') {
        return 2;
    }
    return at(l, i + 1) == '\r' && at(l, i + 2) == '\n' ? 3 : 0;
}

static void walk_char(struct walk *w, char c, char *out)
{
    if (out != NULL) {
        out[w->len] = c;
    }
    w->len++;
    if ((u8)c < 0x20 || c == 0x7f) {
        if (!is_blank(c) && !w->control) {
            w->control = true;
            w->control_byte = (u8)c;
        }
    }
}

/* From behind an opening quote to behind the closing one. */
static void walk_quotes(const struct lexer *l, struct walk *w, char *out)
{
    while (w->pos.at < l->text.len) {
        char c = l->text.p[w->pos.at];
        u32 join = join_length(l, w->pos.at);

        if (c == '"') {
            w->pos.at++;
            return;
        }
        for (u32 i = 0; i < join; i++) {
            step(l, &w->pos);
        }
        if (join == 0) {
            walk_char(w, c, out);
            step(l, &w->pos);
        }
    }
    w->unterminated = true;
}

static bool is_brace(const struct lexer *l, char c)
{
    return l->braces && (c == '{' || c == '}');
}

static void walk_word(const struct lexer *l, struct walk *w, char *out)
{
    *w = (struct walk){.pos = l->pos};
    while (w->pos.at < l->text.len) {
        char c = l->text.p[w->pos.at];

        if (is_blank(c) || c == '#' || (is_brace(l, c) && w->len > 0)) {
            return;
        }
        w->pos.at++;
        if (is_brace(l, c)) {
            w->len = 1;
            return;
        }
        if (c == '"') {
            w->quoted = true;
            walk_quotes(l, w, out);
        } else {
            walk_char(w, c, out);
        }
    }
}

static bool is_letter(char c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* $name{…}, which QNX replaces before it reads the words. */
static bool has_substitution(struct str s)
{
    for (u32 i = 0; i + 1 < s.len; i++) {
        u32 n = i + 1;

        if (s.p[i] != '$') {
            continue;
        }
        while (n < s.len && (is_letter(s.p[n]) || s.p[n] == '_')) {
            n++;
        }
        if (n > i + 1 && n < s.len && s.p[n] == '{') {
            return true;
        }
    }
    return false;
}

/* What is wrong with a word is told, and what names something of the board replaced. */
static void finish(const struct lexer *l, const struct walk *w, struct token *t)
{
    if (w->unterminated) {
        diag_error(l->diag, t->place, "this word opens a quote that is never closed");
    }
    if (w->control) {
        diag_error(l->diag, t->place, "control byte 0x%02x in a word", w->control_byte);
    }
    if (lex_replace_areas(l, t) && has_substitution(t->text)) {
        diag_error(l->diag, t->place,
                   "'%.*s': only `muntin check` and `muntin pack` replace $env{NAME}: pack the "
                   "bundle with it",
                   STR_ARG(t->text));
    }
}

bool lex_next(struct lexer *l, struct token *t)
{
    struct walk w;

    skip_blanks(l);
    if (l->pos.at >= l->text.len) {
        return false;
    }
    t->place.file = l->file;
    t->place.line = l->pos.line;
    t->place.col = (u16)MIN(l->pos.at - l->pos.line_start + 1, UINT16_MAX);
    walk_word(l, &w, NULL);
    t->text = (struct str){l->text.p + l->pos.at, w.len};
    t->brace = is_brace(l, l->text.p[l->pos.at]);
    if (w.quoted) {
        char *copy = l->arena != NULL ? cfg_alloc(l->arena, w.len + 1) : NULL;

        t->text = (struct str){"", 0};
        if (copy != NULL) {
            walk_word(l, &w, copy);
            t->text = (struct str){copy, w.len};
        } else if (l->diag != NULL) {
            diag_error(l->diag, t->place, "no memory left for configs");
        }
    }
    l->pos = w.pos;
    if (l->diag != NULL) {
        finish(l, &w, t);
    }
    return true;
}
