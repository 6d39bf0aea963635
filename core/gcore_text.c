/* SPDX-License-Identifier: MIT */
/* Pages of a core, packed: words that came before are named, not repeated. Pure functions. */
#include "core/gcore_text.h"

#include <string.h>

#define LITERALS  128u /* at most in a row */
#define REPEATS   32u  /* words at most in one */
#define HASH_BITS 8

/* How many words at `at` are the same as those at `from`, which is before it. */
static u32 same(const u32 *page, u32 from, u32 at)
{
    u32 most = MIN(REPEATS, GCORE_WORDS - at), n = 0;

    while (n < most && page[from + n] == page[at + n]) {
        n++;
    }
    return n;
}

u32 gcore_pack(const u32 page[GCORE_WORDS], u8 *out)
{
    u16 last[1 << HASH_BITS] = {0}; /* where a word with this hash was */
    u32 len = 0, run = LITERALS, head = 0;

    for (u32 at = 0; at < GCORE_WORDS;) {
        u16 *slot = &last[page[at] * 0x9e3779b1u >> (32 - HASH_BITS)];
        u32 from = *slot, n = from < at ? same(page, from, at) : 0;

        *slot = (u16)at;
        if (n > 0) {
            out[len++] = (u8)(0x80 | (n - 1) << 2 | (at - from) >> 8);
            out[len++] = (u8)(at - from);
            at += n;
            run = LITERALS;
            continue;
        }
        if (run == LITERALS) {
            head = len++;
            run = 0;
        }
        memcpy(out + len, &page[at++], 4);
        len += 4;
        out[head] = (u8)run++;
    }
    return len;
}

bool gcore_unpack(const u8 *p, u32 len, u32 page[GCORE_WORDS])
{
    u32 at = 0;

    for (u32 i = 0; i < len;) {
        u32 c = p[i++], n = (c >> 2 & 31) + 1, back;

        if (c < 128) {
            if (c + 1 > GCORE_WORDS - at || (c + 1) * 4 > len - i) {
                return false;
            }
            memcpy(page + at, p + i, (c + 1) * 4);
            at += c + 1;
            i += (c + 1) * 4;
            continue;
        }
        if (i == len) {
            return false;
        }
        back = (c & 3) << 8 | p[i++];
        if (back == 0 || back > at || n > GCORE_WORDS - at) {
            return false;
        }
        for (; n > 0; n--, at++) {
            page[at] = page[at - back];
        }
    }
    return at == GCORE_WORDS;
}
