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
typedef uint32_t __attribute__((aligned(1), may_alias)) half;
typedef struct {
    uint64_t a, b;
} __attribute__((packed, may_alias)) pair;

static inline void copy_64(char *d, const char *s)
{
    const pair *f = (const pair *)s;
    pair *t = (pair *)d;

    t[0] = f[0];
    t[1] = f[1];
    t[2] = f[2];
    t[3] = f[3];
}

/*
 * Multiples of 8 bytes from the front; returns how many. Right also where dst is below src and they
 * overlap: each piece is loaded before it's stored.
 */
static inline size_t copy_words(char *d, const char *s, size_t n)
{
    size_t left = n;

    for (; left >= 64; left -= 64, d += 64, s += 64) {
        copy_64(d, s);
    }
    for (; left >= 16; left -= 16, d += 16, s += 16) {
        *(pair *)d = *(const pair *)s;
    }
    if (left >= 8) {
        *(word *)d = *(const word *)s;
        left -= 8;
    }
    return n - left;
}

/* The last 16 bytes go as one piece that ends at the end: some are copied twice. */
static inline void copy_long(char *d, const char *s, size_t n)
{
    const char *last = s + n - 16;
    char *end = d + n - 16;

    for (; n > 64; n -= 64, d += 64, s += 64) {
        copy_64(d, s);
    }
    for (; n > 16; n -= 16, d += 16, s += 16) {
        *(pair *)d = *(const pair *)s;
    }
    *(pair *)end = *(const pair *)last;
}

void *memcpy(void *restrict dst, const void *restrict src, size_t n)
{
    char *d = dst;
    const char *s = src;

    if (n >= 16) {
        copy_long(d, s, n);
    } else if (n >= 8) {
        word last = *(const word *)(s + n - 8);

        *(word *)d = *(const word *)s;
        *(word *)(d + n - 8) = last;
    } else if (n >= 4) {
        half last = *(const half *)(s + n - 4);

        *(half *)d = *(const half *)s;
        *(half *)(d + n - 4) = last;
    } else {
        for (; n > 0; n--) {
            *d++ = *s++;
        }
    }
    return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
    char *d = dst;
    const char *s = src;

    if ((uintptr_t)d - (uintptr_t)s >= n && (uintptr_t)s - (uintptr_t)d >= n) {
        return memcpy(dst, src, n);
    }
    if (d < s) {
        for (size_t i = copy_words(d, s, n); i < n; i++) {
            d[i] = s[i];
        }
        return dst;
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
