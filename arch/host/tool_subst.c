/* SPDX-License-Identifier: MIT */
/*
 * $env{NAME} from the environment. QNX replaces it before it splits the text into words, so a value
 * may be several words; so it is here. Knows no option; what the board has to say is left as it is,
 * for core/config_area.c, here and on the board.
 */
#include "arch/host/tool_subst.h"

#include "core/log.h"
#include "core/str.h"

#include <stdio.h>
#include <stdlib.h>

struct text {
    char *data;
    size_t len, room;
};

/* Where the walk through the text is, and what it knows there. */
struct walk {
    struct str in;
    struct place place;
    bool quoted, comment;
    struct diag *d;
};

static void put(struct text *t, const char *data, size_t len)
{
    if (t->room - t->len < len + 1) {
        t->room = 2 * t->room + len + 4096;
        t->data = realloc(t->data, t->room);
        if (t->data == NULL) {
            abort();
        }
    }
    memcpy(t->data + t->len, data, len);
    t->len += len;
    t->data[t->len] = '\0';
}

static void step(struct walk *w)
{
    char c = *w->in.p;

    w->comment = c != '\n' && (w->comment || (c == '#' && !w->quoted));
    w->quoted ^= c == '"' && !w->comment;
    w->place.col++;
    if (c == '\n') {
        w->place.line++;
        w->place.col = 1;
    }
    w->in = str_after(w->in, 1);
}

/* Bytes of "$name{...}" at the start of the text, split into both; 0: it's none. */
static u32 match(struct str s, struct str *name, struct str *arg)
{
    u32 i = 1, end;

    if (s.len == 0 || s.p[0] != '$') {
        return 0; /* before any search to the end: this is asked at every byte */
    }
    while (i < s.len && ((s.p[i] >= 'a' && s.p[i] <= 'z') || s.p[i] == '_')) {
        i++;
    }
    s.len = str_find(s, '\n');
    end = str_find(s, '}');
    if (i == 1 || i >= end || s.p[i] != '{' || end >= s.len) {
        return 0;
    }
    *name = (struct str){s.p + 1, i - 1};
    *arg = (struct str){s.p + i + 1, end - i - 1};
    return end + 1;
}

static bool is_boards(struct str s)
{
    return str_starts(s, "$asinfo_start{") || str_starts(s, "$asinfo_length{");
}

static bool env_value(struct walk *w, struct str arg, struct text *out)
{
    char name[256];
    const char *value;

    snprintf(name, sizeof(name), "%.*s", STR_ARG(arg));
    value = getenv(name);
    if (value == NULL) {
        diag_error(w->d, w->place, "$env{%s}: the environment has no %s", name, name);
        return false;
    }
    for (const char *p = value; *p != '\0'; p++) {
        if ((u8)*p < 0x20) {
            diag_error(w->d, w->place, "$env{%s}: its value has a control byte 0x%02x", name, *p);
            return false;
        }
    }
    put(out, value, strlen(value));
    return true;
}

static bool replace(struct walk *w, struct str name, struct str arg, struct text *out)
{
    if (str_is(name, "env")) {
        return env_value(w, arg, out);
    }
    diag_error(w->d, w->place,
               "unknown $%.*s{...}: there are $env{NAME}, $asinfo_start{NAME} and "
               "$asinfo_length{NAME}",
               STR_ARG(name));
    return false;
}

u8 *subst_text(struct str name, u8 *data, size_t *size, struct diag *d)
{
    struct walk w = {.in = {(const char *)data, (u32)*size}, .d = d};
    struct text out = {0};
    struct str what, arg;

    w.place = (struct place){diag_file(d, name), 1, 1};
    put(&out, "", 0);
    while (w.in.len > 0) {
        u32 len = w.comment || is_boards(w.in) ? 0 : match(w.in, &what, &arg);
        bool done = len > 0 && replace(&w, what, arg, &out);

        for (u32 i = 0; i < MAX(len, 1u); i++) {
            if (len == 0) {
                put(&out, w.in.p, 1);
            }
            step(&w);
        }
        if (len > 0 && !done) {
            put(&out, "?", 1); /* the error was told once: the parser shall not tell it again */
        }
    }
    free(data);
    *size = out.len;
    return (u8 *)out.data;
}
