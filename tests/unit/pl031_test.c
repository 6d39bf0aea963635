/* SPDX-License-Identifier: MIT */
/* The PL031 real-time clock, through mmio_access, in fake time. */
#include "vdev/pl031.h"

#include "arch/host/arch.h"
#include "core/wall.h"
#include "tests/host/driver.h"
#include "tests/host/run.h"
#include "tests/host/said.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define BASE  0x09010000
#define INTID 34
#define SEC   1000000000ull
#define START 1700000000u

enum {
    DR = 0x00,
    MR = 0x04,
    LR = 0x08,
    CR = 0x0c,
    IMSC = 0x10,
    RIS = 0x14,
    MIS = 0x18,
    ICR = 0x1c,
};

static struct guest g;
static struct vdev *rtc;

static u32 get(u32 offset)
{
    return (u32)guest_read(&g, BASE + offset, 4);
}

static void set(u32 offset, u32 value)
{
    guest_write(&g, BASE + offset, 4, value);
}

static int setup(void **state)
{
    (void)state;
    guest_init(&g, "a");
    sched_init(1); /* forgets timers of the test before */
    pcpus[0].remote.timers = NULL;
    host_now_ns = 5 * SEC;
    wall_set(START);
    rtc = guest_add(&g, &pl031_type, BASE, INTID, NULL, NULL);
    assert_non_null(rtc);
    mmio_freeze(&g.vm.mmio);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    guest_free(&g);
    return 0;
}

static void shows_the_time_of_day(void **state)
{
    (void)state;
    assert_true(wall_is_set());
    assert_int_equal(get(DR), START);
    run_for(SEC - 1);
    assert_int_equal(get(DR), START);
    run_for(1);
    assert_int_equal(get(DR), START + 1);
    set(DR, 5); /* read-only */
    assert_int_equal(get(DR), START + 1);
}

static void identifies_itself(void **state)
{
    static const u8 want[] = {0x31, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

    (void)state;
    for (u32 i = 0; i < 8; i++) {
        assert_int_equal(get(0xfe0 + 4 * i), want[i]);
    }
    assert_int_equal(guest_read(&g, BASE + 0xff8, 8), 0xb100000005);
    assert_int_equal(guest_read(&g, BASE + 0xfe1, 1), 0);
    assert_int_equal(get(0x20), 0);
    assert_int_equal(get(0xfdc), 0);
}

static void reset_values(void **state)
{
    (void)state;
    assert_int_equal(get(CR), 1);
    set(CR, 0); /* it can't be stopped */
    assert_int_equal(get(CR), 1);
    set(IMSC, 0xff);
    assert_int_equal(get(IMSC), 1);
    set(MR, START);
    assert_int_equal(get(MIS), 1);
    assert_int_equal(g.level[INTID], 1);
    rtc->ops->reset(rtc);
    assert_int_equal(g.level[INTID], 0);
    assert_int_equal(get(IMSC), 0);
    assert_int_equal(get(RIS), 0);
    assert_int_equal(get(MR), 0);
}

static void an_offset_outlives_a_reset(void **state)
{
    (void)state;
    set(LR, 1000);
    assert_int_equal(get(LR), 1000);
    assert_int_equal(get(DR), 1000);
    run_for(7 * SEC);
    assert_int_equal(get(DR), 1007);
    rtc->ops->reset(rtc);
    run_for(SEC);
    assert_int_equal(get(DR), 1008);
    set(LR, UINT32_MAX);
    run_for(2 * SEC);
    assert_int_equal(get(DR), 1); /* it wraps */
}

static void offsets_belong_to_one_vm(void **state)
{
    static struct guest other;

    (void)state;
    guest_init(&other, "b");
    assert_non_null(guest_add(&other, &pl031_type, BASE, INTID, NULL, NULL));
    mmio_freeze(&other.vm.mmio);
    set(LR, 1000);
    assert_int_equal(guest_read(&other, BASE + DR, 4), START);
    assert_int_equal(wall_ns(), START * SEC);
    guest_free(&other);
}

static void alarm_comes_at_its_second(void **state)
{
    (void)state;
    run_for(SEC / 2); /* seconds begin where Muntin's do, not where the alarm was set */
    set(IMSC, 1);
    set(MR, START + 3);
    run_for(5 * SEC / 2 - 1);
    assert_int_equal(get(RIS), 0);
    assert_int_equal(g.level[INTID], 0);
    run_for(1);
    assert_int_equal(g.level[INTID], 1);
    assert_int_equal(get(DR), START + 3);
    assert_int_equal(get(RIS), 1);
    assert_int_equal(get(MIS), 1);
    set(ICR, 0); /* clears nothing */
    assert_int_equal(get(RIS), 1);
    set(ICR, 1);
    assert_int_equal(g.level[INTID], 0);
    run_for(100 * SEC);
    assert_int_equal(get(RIS), 0); /* once */
}

static void masked_alarm_is_only_raw(void **state)
{
    (void)state;
    set(MR, START + 1);
    run_for(SEC);
    assert_int_equal(get(RIS), 1);
    assert_int_equal(get(MIS), 0);
    assert_int_equal(g.level[INTID], 0);
    set(IMSC, 1);
    assert_int_equal(g.level[INTID], 1);
    set(IMSC, 0);
    assert_int_equal(g.level[INTID], 0);
}

static void setting_the_clock_moves_the_alarm(void **state)
{
    (void)state;
    set(IMSC, 1);
    set(MR, START + 100);
    set(LR, START + 99);
    run_for(SEC);
    assert_int_equal(g.level[INTID], 1);
    set(ICR, 1);
    set(MR, START + 200);
    set(LR, 10);
    run_for(150 * SEC);
    assert_int_equal(get(RIS), 0);
    set(LR, START + 200); /* right at it */
    assert_int_equal(g.level[INTID], 1);
}

static void alarm_set_back_never_fires_early(void **state)
{
    (void)state;
    set(IMSC, 1);
    set(MR, START + 2);
    set(MR, START - 1); /* in 136 years */
    run_for(10000 * SEC);
    assert_int_equal(get(RIS), 0);
    set(MR, START + 10002);
    rtc->ops->reset(rtc);
    set(IMSC, 1);
    run_for(10 * SEC);
    assert_int_equal(get(RIS), 0);
}

/* At most one timer, whatever is written. */
static void alarms_are_not_a_load(void **state)
{
    (void)state;
    for (u32 i = 0; i < 1000; i++) {
        set(MR, START + 1 + i % 7);
        set(LR, START);
    }
    assert_null(pcpus[0].remote.timers->next);
}

static void shows_its_offset(void **state)
{
    (void)state;
    set(LR, START - 3600);
    assert_string_equal(
        said_show(rtc),
        "  pl031 at 0x9010000: 1699996400 s since 1970, set off by the guest by -3600 s\n");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        T(shows_the_time_of_day),
        T(identifies_itself),
        T(reset_values),
        T(an_offset_outlives_a_reset),
        T(offsets_belong_to_one_vm),
        T(alarm_comes_at_its_second),
        T(masked_alarm_is_only_raw),
        T(setting_the_clock_moves_the_alarm),
        T(alarm_set_back_never_fires_early),
        T(alarms_are_not_a_load),
        T(shows_its_offset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
