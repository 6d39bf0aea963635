/* SPDX-License-Identifier: MIT */
/*
 * struct str, the slice of text of core/types.h: comparing and cutting. A slice never ends in NUL
 * and may be empty; nothing here allocates.
 */
#ifndef CORE_STR_H
#define CORE_STR_H

#include "core/types.h"

#include <string.h>

static inline struct str str_of(const char *text)
{
    return (struct str){text, (u32)strlen(text)};
}

static inline bool str_same(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

static inline bool str_is(struct str s, const char *text)
{
    return str_same(s, str_of(text));
}

static inline bool str_starts(struct str s, const char *text)
{
    size_t len = strlen(text);

    return s.len >= len && memcmp(s.p, text, len) == 0;
}

static inline bool str_ends(struct str s, const char *text)
{
    size_t len = strlen(text);

    return s.len >= len && memcmp(s.p + s.len - len, text, len) == 0;
}

/* What follows the first n bytes; n beyond the end gives an empty slice. */
static inline struct str str_after(struct str s, u32 n)
{
    n = MIN(n, s.len);
    return (struct str){s.len == 0 ? s.p : s.p + n, s.len - n};
}

/* Index of the first c, or s.len. */
static inline u32 str_find(struct str s, char c)
{
    u32 i = 0;

    while (i < s.len && s.p[i] != c) {
        i++;
    }
    return i;
}

/*
 * Cuts s at the first c: returns what is before it, *rest is what is behind it. Without a c the
 * whole is returned and *rest is empty.
 */
static inline struct str str_cut(struct str s, char c, struct str *rest)
{
    u32 i = str_find(s, c);

    *rest = str_after(s, i + 1);
    return (struct str){s.p, i};
}

/* What follows the last '/', or the whole. */
static inline struct str str_basename(struct str path)
{
    u32 i = path.len;

    while (i > 0 && path.p[i - 1] != '/') {
        i--;
    }
    return str_after(path, i);
}

#endif
