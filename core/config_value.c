/* SPDX-License-Identifier: MIT */
/*
 * Values in configs: numbers, sizes, booleans, and the search for what a mistyped word was meant to
 * be. Pure functions.
 */
#include "core/config_lex.h"
#include "core/log.h"
#include "core/str.h"

#define WORD_MAX 32 /* longer words get no suggestion */
#define SHORT_FORM                                                                                 \
    3 /* "intr" of "interrupt": alike for that many letters, but for its last one                  \
       */

static u32 digit(char c)
{
    if (c >= '0' && c <= '9') {
        return (u32)(c - '0');
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? (u32)(c - 'a') + 10 : 99;
}

static enum num_result read_digits(struct str s, u32 base, u64 *v)
{
    enum num_result result = s.len > 0 ? NUM_OK : NUM_BAD;

    *v = 0;
    for (u32 i = 0; i < s.len; i++) {
        u32 d = digit(s.p[i]);
        u64 product;

        if (d >= base) {
            return NUM_BAD;
        }
        if (__builtin_mul_overflow(*v, (u64)base, &product) ||
            __builtin_add_overflow(product, (u64)d, v)) {
            result = NUM_RANGE;
        }
    }
    return result;
}

enum num_result num_read(struct str s, u64 *v)
{
    if (str_starts(s, "0x") || str_starts(s, "0X")) {
        return read_digits(str_after(s, 2), 16, v);
    }
    if (str_starts(s, "0d") || str_starts(s, "0D")) {
        return read_digits(str_after(s, 2), 10, v);
    }
    return read_digits(s, 10, v);
}

enum num_result num_read_size(struct str s, u64 *v)
{
    static const char suffix[] = "kmgt";
    u32 shift = 0;
    enum num_result result;

    for (u32 i = 0; s.len > 0 && suffix[i] != '\0'; i++) {
        if ((s.p[s.len - 1] | 0x20) == suffix[i]) {
            shift = 10 * (i + 1);
        }
    }
    s.len -= shift != 0;
    result = num_read(s, v);
    if (result == NUM_OK && shift != 0 && *v >> (64 - shift) != 0) {
        return NUM_RANGE;
    }
    *v <<= shift;
    return result;
}

enum num_result num_read_octal(struct str s, u64 *v)
{
    if (str_starts(s, "0o")) {
        s = str_after(s, 2);
    }
    return read_digits(s, 8, v);
}

bool bool_read(struct str s, bool *v)
{
    static const char *const words[2][5] = {{"0", "no", "off", "false", "disable"},
                                            {"1", "yes", "on", "true", "enable"}};

    for (u32 i = 0; i < 10; i++) {
        if (str_is(s, words[i / 5][i % 5])) {
            *v = i >= 5;
            return true;
        }
    }
    return false;
}

/* Insertions, deletions, replacements and swaps of neighbours that make b of a. */
static u32 edit_distance(struct str a, struct str b)
{
    u8 row[3][WORD_MAX + 1]; /* rows i - 2, i - 1 and i, in rotation */

    for (u32 j = 0; j <= b.len; j++) {
        row[0][j] = (u8)j;
    }
    for (u32 i = 1; i <= a.len; i++) {
        u8 *now = row[i % 3];
        const u8 *prev = row[(i + 2) % 3], *before = row[(i + 1) % 3];

        now[0] = (u8)i;
        for (u32 j = 1; j <= b.len; j++) {
            u32 d = prev[j - 1] + (a.p[i - 1] != b.p[j - 1]);

            d = MIN(d, MIN(prev[j], now[j - 1]) + 1u);
            if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1]) {
                d = MIN(d, before[j - 2] + 1u);
            }
            now[j] = (u8)d;
        }
    }
    return row[a.len % 3][b.len];
}

static bool is_short_form(struct str brief, struct str word)
{
    return brief.len > SHORT_FORM && brief.len < word.len &&
           memcmp(brief.p, word.p, brief.len - 1) == 0;
}

void suggest_add(struct suggest *s, const char *candidate)
{
    struct str c = str_of(candidate);
    u32 d, i;

    if (s->word.len == 0 || s->word.len > WORD_MAX || c.len > WORD_MAX) {
        return;
    }
    d = edit_distance(s->word, c);
    if (is_short_form(c, s->word) || is_short_form(s->word, c)) {
        d = MIN(d, (u32)SHORT_FORM);
    }
    if (d > MAX(1u, s->word.len / 2)) {
        return;
    }
    for (i = 0; i < s->count && s->distance[i] <= d; i++) {
        if (str_is(c, s->best[i])) {
            return;
        }
    }
    if (i == SUGGESTIONS) {
        return;
    }
    for (u32 j = MIN(s->count, SUGGESTIONS - 1u); j > i; j--) {
        s->best[j] = s->best[j - 1];
        s->distance[j] = s->distance[j - 1];
    }
    s->best[i] = candidate;
    s->distance[i] = d;
    s->count = MIN(s->count + 1, (u32)SUGGESTIONS);
}

const char *suggest_text(const struct suggest *s, char *buf, size_t size)
{
    size_t n = 0;

    buf[0] = '\0';
    for (u32 i = 0; i < s->count && n < size; i++) {
        const char *sep = i == 0 ? "; did you mean " : i + 1 < s->count ? ", " : " or ";

        n += (size_t)fmt_print(buf + n, size - n, "%s'%s'", sep, s->best[i]);
    }
    if (s->count > 0 && n < size) {
        fmt_print(buf + n, size - n, "?");
    }
    return buf;
}
