/* SPDX-License-Identifier: MIT */
/* fmt_print against the C library's snprintf: same text, same length, same cut. */
#include "core/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void check(const char *fmt, ...) PRINTF(1, 2);
static void check(const char *fmt, ...)
{
    static const size_t sizes[] = {100, 12, 5, 1};
    char ours[104], theirs[104];

    for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
        va_list a, b;
        int n, m;

        memset(ours, '#', sizeof(ours));
        memset(theirs, '#', sizeof(theirs));
        va_start(a, fmt);
        va_copy(b, a);
        n = fmt_vprint(ours, sizes[i], fmt, a);
        m = vsnprintf(theirs, sizes[i], fmt, b);
        va_end(b);
        va_end(a);
        assert_int_equal(n, m);
        assert_string_equal(ours, theirs);
        assert_int_equal(ours[sizes[i]], '#'); /* nothing beyond */
    }
}

static void test_numbers(void **state)
{
    static const long long values[] = {0,         1,         -1,        9,         10,
                                       -10,       255,       INT32_MAX, INT32_MIN, UINT32_MAX,
                                       INT64_MAX, INT64_MIN, 1ll << 40};

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(values); i++) {
        long long v = values[i];

        check("%d|%i|%5d|%-5d|%05d", (int)v, (int)v, (int)v, (int)v, (int)v);
        check("%u %10u %-10u| %010u", (u32)v, (u32)v, (u32)v, (u32)v);
        check("%x %X %08x %o %2x", (u32)v, (u32)v, (u32)v, (u32)v, (u32)v);
        check("%lld %020lld %-22lld|", v, v, v);
        check("%llu %llx %016llx %llX", v, v, v, v);
        check("%ld %lu %lx %zu %zx", (long)v, (long)v, (long)v, (size_t)v, (size_t)v);
        check("%.3d %.8x %*d", (int)v, (u32)v, 7, (int)v);
    }
}

static void test_text(void **state)
{
    char unended[3] = {'a', 'b', 'c'};

    (void)state;
    check("plain");
    check("%%|%c|%3c|%-3c|", 'x', 'y', 'z');
    check("%s|%8s|%-8s|%.2s|%.9s|%8.1s", "abcd", "abcd", "abcd", "abcd", "abcd", "abcd");
    check("%.*s|%.*s", 3, unended, 0, unended); /* never looks further */
    check("%*s", 12, "abc");
    check("%s", "");
    check("%p", (void *)&unended[0]);
}

static void test_odd(void **state)
{
    const char *volatile none = NULL;
    const char *cut = "ab%", *unknown = "%k";
    char buf[16] = "########";

    (void)state;
    assert_int_equal(fmt_print(buf, sizeof(buf), "%s", none), 6);
    assert_string_equal(buf, "(null)");
    assert_int_equal(fmt_print(buf, 0, "%s", "abc"), 3); /* counts, writes nothing */
    assert_string_equal(buf, "(null)");
    /* not for the compiler's eyes: what a wrong format does is harmless */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-security"
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    assert_int_equal(fmt_print(buf, sizeof(buf), cut), 2);
    assert_int_equal(fmt_print(buf, sizeof(buf), unknown), 1);
#pragma GCC diagnostic pop
    assert_string_equal(buf, "k");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_odd),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
