/* SPDX-License-Identifier: MIT */
/*
 * <string.h> for freestanding builds; host builds use the C library's. Copies move 64 bytes a turn
 * in general registers, which the compiler turns into LDP/STP: as fast as SIMD, whose registers
 * belong to the guest. Unaligned accesses to Normal memory are fine once the MMU is on.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t __attribute__((aligned(1), may_alias)) word;

void *memcpy(void *restrict dst, const void *restrict src, size_t n)
{
    char *d = dst;
    const char *s = src;

    for (; n >= 64; n -= 64, d += 64, s += 64) {
        const word *f = (const word *)s;
        word *t = (word *)d;
        uint64_t a = f[0], b = f[1], c = f[2], e = f[3], g = f[4], h = f[5], i = f[6], j = f[7];

        t[0] = a, t[1] = b, t[2] = c, t[3] = e, t[4] = g, t[5] = h, t[6] = i, t[7] = j;
    }
    for (; n >= 8; n -= 8, d += 8, s += 8) {
        *(word *)d = *(const word *)s;
    }
    for (; n > 0; n--) {
        *d++ = *s++;
    }
    return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
    char *d = dst;
    const char *s = src;

    if ((uintptr_t)d - (uintptr_t)s >= n) {
        return memcpy(dst, src, n);
    }
    while (n > 0) {
        n--;
        d[n] = s[n];
    }
    return dst;
}

void *memset(void *dst, int c, size_t n)
{
    char *d = dst;
    uint64_t v = (unsigned char)c * 0x0101010101010101ull;

    for (; n >= 64; n -= 64, d += 64) {
        word *t = (word *)d;

        t[0] = v, t[1] = v, t[2] = v, t[3] = v, t[4] = v, t[5] = v, t[6] = v, t[7] = v;
    }
    for (; n > 0; n--) {
        *d++ = (char)c;
    }
    return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const unsigned char *x = a, *y = b;

    for (; n > 0; n--, x++, y++) {
        if (*x != *y) {
            return *x - *y;
        }
    }
    return 0;
}

void *memchr(const void *s, int c, size_t n)
{
    const unsigned char *p = s;

    for (; n > 0; n--, p++) {
        if (*p == (unsigned char)c) {
            return (void *)(uintptr_t)p;
        }
    }
    return NULL;
}

size_t strlen(const char *s)
{
    size_t n = 0;

    while (s[n] != '\0') {
        n++;
    }
    return n;
}

size_t strnlen(const char *s, size_t max)
{
    size_t n = 0;

    while (n < max && s[n] != '\0') {
        n++;
    }
    return n;
}

int strcmp(const char *a, const char *b)
{
    return strncmp(a, b, SIZE_MAX);
}

int strncmp(const char *a, const char *b, size_t n)
{
    for (; n > 0; n--, a++, b++) {
        if (*a != *b || *a == '\0') {
            return (unsigned char)*a - (unsigned char)*b;
        }
    }
    return 0;
}

char *strchr(const char *s, int c)
{
    for (;; s++) {
        if (*s == (char)c) {
            return (char *)(uintptr_t)s;
        }
        if (*s == '\0') {
            return NULL;
        }
    }
}

char *strrchr(const char *s, int c)
{
    const char *found = NULL;

    for (;; s++) {
        if (*s == (char)c) {
            found = s;
        }
        if (*s == '\0') {
            return (char *)(uintptr_t)found;
        }
    }
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'z' ? c - 'a' + 10 : 99;
}

unsigned long strtoul(const char *s, char **end, int base)
{
    unsigned long v = 0;

    if ((base == 0 || base == 16) && s[0] == '0' && (s[1] | 0x20) == 'x') {
        s += 2;
        base = 16;
    } else if (base == 0) {
        base = s[0] == '0' ? 8 : 10;
    }
    for (; digit_value(*s) < base; s++) {
        v = v * (unsigned long)base + (unsigned long)digit_value(*s);
    }
    if (end != NULL) {
        *end = (char *)(uintptr_t)s;
    }
    return v;
}
