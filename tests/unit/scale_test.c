/* SPDX-License-Identifier: MIT */
/*
 * Ratios of frequencies: compared with exact arithmetic, done as by hand since not every compiler
 * has 128 bits, over the whole range of counters.
 */
#include "arch/arm-common/scale.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define NS_PER_S 1000000000u

static const u32 frequencies[] = {1,        1000000,  8000000,    13000000,   19200000,  24000000,
                                  54000000, 62500000, 1000000000, 1125000000, 4294967291};

/* v * num / den, digit by digit of 32 bits: the lower 64 bits, and in *over those above. */
static u64 ratio(u64 v, u32 num, u32 den, u32 *over)
{
    u64 low = (u64)(u32)v * num;
    u64 high = (v >> 32) * num + (low >> 32);
    u32 digits[] = {(u32)(high >> 32), (u32)high, (u32)low};
    u64 rest = 0;

    for (u32 i = 0; i < ARRAY_SIZE(digits); i++) {
        rest = rest << 32 | digits[i];
        digits[i] = (u32)(rest / den);
        rest %= den;
    }
    *over = digits[0];
    return (u64)digits[1] << 32 | digits[2];
}

/* The upper half of a * b, bit by bit. */
static u64 product_high(u64 a, u64 b)
{
    u64 low = 0, high = 0;

    for (u32 bit = 64; bit-- > 0;) {
        high = high << 1 | low >> 63;
        low <<= 1;
        if (b >> bit & 1) {
            low += a;
            high += low < a;
        }
    }
    return high;
}

static void check(u32 num, u32 den, u64 v)
{
    struct scale s = scale_make(num, den);
    u32 over;
    u64 exact = ratio(v, num, den, &over);
    u64 got = scale_apply(&s, v);

    assert_true(got == exact || got + 1 == exact);
}

static void test_against_exact(void **state)
{
    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(frequencies); i++) {
        for (u32 bit = 0; bit < 63; bit++) {
            u64 v = 1ull << bit;
            u32 over;

            ratio(2 * v, NS_PER_S, frequencies[i], &over);
            if (!over) {
                check(NS_PER_S, frequencies[i], v - 1);
                check(NS_PER_S, frequencies[i], v + v / 3);
            }
            check(frequencies[i], NS_PER_S, v / 8);
            check(frequencies[i], NS_PER_S, (v + v / 7) / 8);
        }
    }
}

/* A ratio that is a whole number stays exact, and a nanosecond is a nanosecond at 1 GHz. */
static void test_whole(void **state)
{
    struct scale s = scale_make(NS_PER_S, 62500000);

    (void)state;
    assert_int_equal(scale_apply(&s, 62500000), NS_PER_S);
    assert_int_equal(scale_apply(&s, 12345678901), 12345678901 * 16);
    s = scale_make(3, 2);
    assert_int_equal(scale_apply(&s, 2), 3);
    s = scale_make(NS_PER_S, NS_PER_S);
    assert_int_equal(scale_apply(&s, UINT64_MAX), UINT64_MAX);
}

/* Time never goes backwards. */
static void test_monotonic(void **state)
{
    (void)state;
    for (u32 i = 1; i < ARRAY_SIZE(frequencies); i++) {
        struct scale s = scale_make(NS_PER_S, frequencies[i]);
        u64 last = 0;

        for (u64 v = 0x123456789abcull; v < 0x123456789abcull + 1000; v++) {
            assert_true(scale_apply(&s, v) >= last);
            last = scale_apply(&s, v);
        }
    }
}

static void test_mulh(void **state)
{
    static const u64 v[] = {0, 1, 0xffffffff, 0x100000000, 0x8000000000000001, UINT64_MAX};

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(v); i++) {
        for (u32 j = 0; j < ARRAY_SIZE(v); j++) {
            assert_int_equal(scale_mulh(v[i], v[j]), product_high(v[i], v[j]));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_exact),
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_monotonic),
        cmocka_unit_test(test_mulh),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
