/* SPDX-License-Identifier: MIT */
/*
 * The freestanding memcpy and memmove, which host builds otherwise leave to the C library: every
 * length, alignment and overlap up to a few blocks, against a byte-wise model.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void *our_memcpy(void *restrict dst, const void *restrict src, size_t n);
void *our_memmove(void *dst, const void *src, size_t n);
void *our_memset(void *dst, int c, size_t n);
int our_memcmp(const void *a, const void *b, size_t n);
void *our_memchr(const void *s, int c, size_t n);
size_t our_strlen(const char *s);
size_t our_strnlen(const char *s, size_t max);
int our_strcmp(const char *a, const char *b);
int our_strncmp(const char *a, const char *b, size_t n);
char *our_strchr(const char *s, int c);
char *our_strrchr(const char *s, int c);
unsigned long our_strtoul(const char *s, char **end, int base);

#define memcpy  our_memcpy
#define memmove our_memmove
#define memset  our_memset
#define memcmp  our_memcmp
#define memchr  our_memchr
#define strlen  our_strlen
#define strnlen our_strnlen
#define strcmp  our_strcmp
#define strncmp our_strncmp
#define strchr  our_strchr
#define strrchr our_strrchr
#define strtoul our_strtoul
#include "core/lib/string.c"

#define SIZE 400

static uint8_t buf[SIZE], want[SIZE];

static void fill(void)
{
    for (size_t i = 0; i < SIZE; i++) {
        buf[i] = (uint8_t)(i * 151 + (i >> 8) * 7);
        want[i] = buf[i];
    }
}

static void check(size_t to, size_t from, size_t n)
{
    uint8_t copy[SIZE];

    for (size_t i = 0; i < n; i++) {
        copy[i] = want[from + i];
    }
    for (size_t i = 0; i < n; i++) {
        want[to + i] = copy[i];
    }
    assert_memory_equal(buf, want, SIZE);
}

static void copies(void **state)
{
    (void)state;
    for (size_t n = 0; n <= 180; n++) {
        for (size_t align = 0; align < 9; align++) {
            fill();
            assert_ptr_equal(our_memcpy(buf + align, buf + 200 + align * 2, n), buf + align);
            check(align, 200 + align * 2, n);
        }
    }
}

static void moves(void **state)
{
    (void)state;
    for (size_t n = 0; n <= 180; n++) {
        for (size_t from = 0; from <= 200; from += from < 90 ? 1 : 13) {
            fill();
            assert_ptr_equal(our_memmove(buf + 80, buf + from, n), buf + 80);
            check(80, from, n);
        }
    }
}

static void sets(void **state)
{
    (void)state;
    for (size_t n = 0; n <= 180; n++) {
        fill();
        our_memset(buf + 3, 0x1a5, n);
        for (size_t i = 3; i < 3 + n; i++) {
            want[i] = 0xa5;
        }
        assert_memory_equal(buf, want, SIZE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies),
        cmocka_unit_test(moves),
        cmocka_unit_test(sets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
