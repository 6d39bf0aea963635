/* SPDX-License-Identifier: MIT */
/* Which SErrors are there when a vCPU is unloaded. What follows from it is in sched_test.c. */
#include "arch/arm64/serror.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Register values are written out, as the Arm ARM has them. */
static void test_find(void **state)
{
    (void)state;
    assert_int_equal(serror_find(0, 0), SERROR_NONE);
    assert_int_equal(serror_find(0, 0x100), SERROR_PENDING);
    assert_int_equal(serror_find(0, 0x0c0), SERROR_NONE);      /* IRQ and FIQ wait */
    assert_int_equal(serror_find(0x7fffffff, 0), SERROR_NONE); /* the rest without A is UNKNOWN */
    assert_int_equal(serror_find(0x7fffffff, 0x100), SERROR_PENDING);
    assert_int_equal(serror_find(0x80000000, 0), SERROR_DEFERRED);
    assert_int_equal(serror_find(0x80000000, 0x1c0), SERROR_DEFERRED);
}

static void test_syndrome(void **state)
{
    (void)state;
    assert_int_equal(serror_esr(0x80000000), 0xbe000000);
    assert_int_equal(serror_esr(0x80000c11), 0xbe000c11); /* AET 3, DFSC 0x11 */
    assert_int_equal(serror_esr(0x81234567), 0xbf234567); /* IDS: implementation defined */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_syndrome),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
