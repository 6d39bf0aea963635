/* SPDX-License-Identifier: MIT */
/* List registers in both layouts, bit by bit from IHI 0069 §12.4.6 and IHI 0048 §5.3.9. */
#include "arch/arm-common/gic_lr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_v3_software(void **state)
{
    const struct irq_lr lr = {.virq = 1019, .prio = 0xa0, .state = LR_PENDING, .group1 = true};
    const struct irq_lr resampled = {.virq = 33, .prio = 0xf8, .state = LR_ACTIVE, .eoi = true};

    (void)state;
    assert_int_equal(gic_lr3_make(&lr), 1ull << 62 | 1ull << 60 | 0xa0ull << 48 | 1019);
    assert_int_equal(gic_lr3_make(&resampled), 2ull << 62 | 0xf8ull << 48 | 1ull << 41 | 33);
}

static void test_v3_hardware(void **state)
{
    /* with HW set bit 41 belongs to the physical INTID: eoi must not leak into it */
    const struct irq_lr lr = {.virq = 27,
                              .pirq = 1000,
                              .prio = 0x80,
                              .state = LR_PENDING,
                              .hw = true,
                              .eoi = true,
                              .group1 = true};

    (void)state;
    assert_int_equal(gic_lr3_make(&lr),
                     1ull << 62 | 1ull << 61 | 1ull << 60 | 0x80ull << 48 | 1000ull << 32 | 27);
}

static void test_v3_state(void **state)
{
    (void)state;
    for (u64 s = 0; s < 4; s++) {
        assert_int_equal(gic_lr3_state(s << 62 | 0x3fffffffffffffff), s);
    }
    assert_int_equal(gic_lr3_state(3ull << 62), LR_PENDING | LR_ACTIVE);
}

static void test_v2_software(void **state)
{
    const struct irq_lr sgi = {.virq = 5, .prio = 0xf8, .state = LR_PENDING, .source = 7};
    const struct irq_lr spi = {
        .virq = 1019, .prio = 0x08, .state = LR_PENDING | LR_ACTIVE, .eoi = true, .group1 = true};

    (void)state;
    assert_int_equal(gic_lr2_make(&sgi), 1u << 28 | 31u << 23 | 7u << 10 | 5);
    assert_int_equal(gic_lr2_make(&spi), 1u << 30 | 3u << 28 | 1u << 23 | 1u << 19 | 1019);
}

static void test_v2_hardware(void **state)
{
    const struct irq_lr lr = {.virq = 27,
                              .pirq = 1000,
                              .prio = 0xa0,
                              .state = LR_PENDING,
                              .source = 3,
                              .hw = true,
                              .eoi = true};

    (void)state;
    assert_int_equal(gic_lr2_make(&lr), 1u << 31 | 1u << 28 | 20u << 23 | 1000u << 10 | 27);
    /* the physical INTID's place holds EOI and the source, which has to be 0 */
    assert_int_equal(gic_lr2_unlink(gic_lr2_make(&lr)), 1u << 28 | 20u << 23 | 1u << 19 | 27);
}

static void test_v2_state(void **state)
{
    (void)state;
    for (u32 s = 0; s < 4; s++) {
        assert_int_equal(gic_lr2_state(s << 28 | 0xcfffffff), s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_v3_software), cmocka_unit_test(test_v3_hardware),
        cmocka_unit_test(test_v3_state),    cmocka_unit_test(test_v2_software),
        cmocka_unit_test(test_v2_hardware), cmocka_unit_test(test_v2_state),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
