/* SPDX-License-Identifier: MIT */
/*
 * The vGIC against a reference (tests/host/gicref.h), and against nonsense, by random actions. The
 * seeds are fixed: a failure names the one to look at.
 */
#include "tests/host/gicplay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define LENGTH 1500

static u8 tape[LENGTH];

static void record(u32 seed, u8 machine)
{
    u32 x = seed * 2654435761u + 12345;

    for (u32 i = 0; i < LENGTH; i++) {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        tape[i] = (u8)(x >> 11);
    }
    tape[0] = machine;
}

/* all versions, numbers of CPUs and of list registers, 8 seeds each */
static void agrees_with_the_reference(void **state)
{
    (void)state;
    for (u32 i = 0; i < 32 * 8; i++) {
        const char *fault;

        record(i, (u8)(i & 31));
        fault = gicplay_compare(tape, LENGTH);
        if (fault != NULL) {
            fail_msg("seed %u: %s", i, fault);
        }
    }
}

static void survives_nonsense(void **state)
{
    (void)state;
    for (u32 i = 0; i < 32 * 8; i++) {
        record(1000 + i, (u8)(i & 31));
        gicplay_chaos(tape, LENGTH);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_reference),
        cmocka_unit_test(survives_nonsense),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
