/* SPDX-License-Identifier: MIT */
/* See string.h.  Compiled with -fno-tree-loop-distribute-patterns, or memset would call itself. */
#include "tests/guests/lib/string.h"

#include <stdint.h>

typedef uint32_t word __attribute__((may_alias));

void *memset(void *dest, int byte, size_t len)
{
    uint8_t *d = dest;

    while (len--) {
        *d++ = (uint8_t)byte;
    }
    return dest;
}

void *memcpy(void *dest, const void *src, size_t len)
{
    uint8_t *d = dest;
    const uint8_t *s = src;

    if ((((uintptr_t)d | (uintptr_t)s) & 3) == 0) {
        for (; len >= 4; len -= 4, d += 4, s += 4) {
            *(word *)d = *(const word *)s;
        }
    }
    while (len--) {
        *d++ = *s++;
    }
    return dest;
}

int memcmp(const void *a, const void *b, size_t len)
{
    const uint8_t *x = a;
    const uint8_t *y = b;

    for (; len && *x == *y; len--) {
        x++;
        y++;
    }
    return len ? *x - *y : 0;
}

size_t strlen(const char *s)
{
    size_t len = 0;

    while (s[len]) {
        len++;
    }
    return len;
}

bool str_starts(const char *s, const char *prefix)
{
    while (*prefix && *s == *prefix) {
        s++;
        prefix++;
    }
    return !*prefix;
}

bool str_equal(const char *a, const char *b)
{
    return str_starts(a, b) && strlen(a) == strlen(b);
}
