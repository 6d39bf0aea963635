/* SPDX-License-Identifier: MIT */
/*
 * The guest's physical timer, on the real timer list of the boot CPU: its counter runs at 62.5 MHz
 * here, 16 ns a tick, and the VM's is OFFSET behind it.
 */
#include "arch/arm-common/vtimer.h"

#include "arch/arm-common/clock.h"
#include "arch/host/arch.h"
#include "core/sched.h"
#include "core/vm.h"
#include "tests/host/run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define TICK_NS 16u
#define OFFSET  1000000u
#define START   2000000u /* ticks of the board's counter when a test begins */

enum { ENABLE = 1, IMASK = 2, ISTATUS = 4 };

static struct vm vm;
static struct vcpu vcpu;
static struct vtimer timer;
static u32 line_changes;
static bool line;

/* clock.c belongs to hardware: this is its place. */
u64 clock_ticks(void)
{
    return host_now_ns / TICK_NS;
}

u64 clock_ns(u64 ticks)
{
    return ticks * TICK_NS;
}

static void set_line(struct vm *m, struct vcpu *v, u32 intid, bool level)
{
    assert_ptr_equal(m, &vm);
    assert_ptr_equal(v, &vcpu);
    assert_int_equal(intid, 30);
    assert_int_not_equal(level, line);
    line = level;
    line_changes++;
}

static const struct irqchip irqchip = {.set_line = set_line};

static int setup(void **state)
{
    (void)state;
    memset(&vm, 0, sizeof(vm));
    memset(pcpus, 0, sizeof(pcpus));
    sched_init(1);
    host_now_ns = (u64)START * TICK_NS;
    vm.irqchip = &irqchip;
    vm.counter_offset = OFFSET;
    vcpu = (struct vcpu){.vm = &vm, .pcpu = &pcpus[0]};
    line = false;
    line_changes = 0;
    vtimer_init(&timer, &vcpu);
    vtimer_reset(&timer);
    return 0;
}

static u64 ctl(void)
{
    return vtimer_read(&timer, VTIMER_CTL);
}

static void test_reset_state(void **state)
{
    (void)state;
    assert_int_equal(ctl(), 0);
    assert_int_equal(vtimer_read(&timer, VTIMER_CVAL), 0);
    assert_int_equal(vtimer_count(&vm), START - OFFSET);
    assert_int_equal(timer.timer.deadline_ns, TIMER_OFF);
    assert_int_equal(line_changes, 0);
}

static void test_fires(void **state)
{
    u64 due = vtimer_count(&vm) + 1000;

    (void)state;
    vtimer_write(&timer, VTIMER_CVAL, due);
    assert_int_equal(timer.timer.deadline_ns, TIMER_OFF);
    vtimer_write(&timer, VTIMER_CTL, ENABLE);
    assert_int_equal(ctl(), ENABLE);
    run_for(999 * TICK_NS);
    assert_int_equal(vtimer_count(&vm), due - 1);
    assert_false(line);
    assert_int_equal(ctl(), ENABLE);
    run_for(TICK_NS + 1);
    assert_true(line);
    assert_int_equal(ctl(), ENABLE | ISTATUS);
    assert_int_equal(line_changes, 1);
    /* a guest's handler masks it, or moves it on */
    vtimer_write(&timer, VTIMER_CTL, ENABLE | IMASK);
    assert_false(line);
    assert_int_equal(ctl(), ENABLE | IMASK | ISTATUS);
    vtimer_write(&timer, VTIMER_CTL, ENABLE);
    assert_true(line);
    vtimer_write(&timer, VTIMER_CVAL, due + 2000);
    assert_false(line);
    assert_int_equal(ctl(), ENABLE);
    run_for(2001 * TICK_NS);
    assert_true(line);
}

static void test_in_the_past(void **state)
{
    (void)state;
    vtimer_write(&timer, VTIMER_CVAL, vtimer_count(&vm));
    vtimer_write(&timer, VTIMER_CTL, ENABLE);
    assert_true(line);
    assert_int_equal(timer.timer.deadline_ns, TIMER_OFF);
    vtimer_write(&timer, VTIMER_CTL, 0);
    assert_false(line);
    assert_int_equal(ctl(), 0); /* no ISTATUS of a disabled timer */
}

static void test_masked_never_interrupts(void **state)
{
    (void)state;
    vtimer_write(&timer, VTIMER_CVAL, vtimer_count(&vm) + 10);
    vtimer_write(&timer, VTIMER_CTL, ENABLE | IMASK);
    assert_int_equal(timer.timer.deadline_ns, TIMER_OFF);
    run_for(1000 * TICK_NS);
    assert_int_equal(line_changes, 0);
    assert_int_equal(ctl(), ENABLE | IMASK | ISTATUS);
}

static void test_tval(void **state)
{
    u64 now = vtimer_count(&vm);

    (void)state;
    vtimer_write(&timer, VTIMER_TVAL, 500);
    assert_int_equal(vtimer_read(&timer, VTIMER_CVAL), now + 500);
    vtimer_write(&timer, VTIMER_CTL, ENABLE);
    run_for(100 * TICK_NS);
    assert_int_equal(vtimer_read(&timer, VTIMER_TVAL), 400);
    run_for(500 * TICK_NS);
    assert_true(line);
    assert_int_equal(vtimer_read(&timer, VTIMER_TVAL), (u32)-100);
    /* signed, and only 32 bits of it */
    vtimer_write(&timer, VTIMER_TVAL, 0xabcdef01fffffff6);
    assert_int_equal(vtimer_read(&timer, VTIMER_CVAL), now + 600 - 10);
    vtimer_write(&timer, VTIMER_TVAL, 0x7fffffff);
    assert_false(line);
    assert_int_equal(vtimer_read(&timer, VTIMER_TVAL), 0x7fffffff);
}

/* Deadlines beyond what the clock can say in ns are never, not soon. */
static void test_far_future(void **state)
{
    static const u64 far[] = {UINT64_MAX, UINT64_MAX - OFFSET, 1ull << 63, 1ull << 60};

    (void)state;
    vtimer_write(&timer, VTIMER_CTL, ENABLE);
    assert_true(line); /* CVAL 0 */
    for (u32 i = 0; i < ARRAY_SIZE(far); i++) {
        vtimer_write(&timer, VTIMER_CVAL, far[i]);
        assert_false(line);
        assert_int_equal(timer.timer.deadline_ns, TIMER_OFF);
    }
    vtimer_write(&timer, VTIMER_CVAL, vtimer_count(&vm) + (1ull << 40));
    assert_int_equal(timer.timer.deadline_ns, host_now_ns + ((u64)TICK_NS << 40) + 1);
}

/* Where the counter runs ahead of what it is told (offset larger than the counter). */
static void test_counter_wraps(void **state)
{
    (void)state;
    vm.counter_offset = START + 100;
    vtimer_write(&timer, VTIMER_CTL, ENABLE);
    assert_true(line); /* the counter is just below 2^64 */
    assert_int_equal(vtimer_count(&vm), -(u64)100);
}

static void test_reserved_bits(void **state)
{
    (void)state;
    vtimer_write(&timer, VTIMER_CVAL, UINT64_MAX);
    vtimer_write(&timer, VTIMER_CTL, ~0ull);
    assert_int_equal(ctl(), ENABLE | IMASK);
}

static void test_reset_cancels(void **state)
{
    (void)state;
    vtimer_write(&timer, VTIMER_TVAL, 100);
    vtimer_write(&timer, VTIMER_CTL, ENABLE);
    assert_int_not_equal(timer.timer.deadline_ns, TIMER_OFF);
    vtimer_reset(&timer);
    assert_int_equal(timer.timer.deadline_ns, TIMER_OFF);
    run_for(1000 * TICK_NS);
    assert_int_equal(line_changes, 0);
    assert_int_equal(ctl(), 0);
}

/* A vCPU that starts anew must not find its line high for ever: nobody else takes it back. */
static void test_reset_lowers_the_line(void **state)
{
    (void)state;
    vtimer_write(&timer, VTIMER_CTL, ENABLE);
    assert_true(line);
    vtimer_reset(&timer);
    assert_false(line);
    vtimer_reset(&timer);
    assert_int_equal(line_changes, 2);
    vtimer_write(&timer, VTIMER_CTL, ENABLE);
    assert_true(line);
}

/* Also of counters that are ahead of the board's: count and cval alone decide. */
static void test_deadline(void **state)
{
    u64 now = host_now_ns;

    (void)state;
    assert_int_equal(vtimer_deadline(100, 100), now);
    assert_int_equal(vtimer_deadline(100, 0), now);
    assert_int_equal(vtimer_deadline(100, 101), now + TICK_NS + 1);
    assert_int_equal(vtimer_deadline(UINT64_MAX - 9, UINT64_MAX), now + 9 * TICK_NS + 1);
    assert_int_equal(vtimer_deadline(0, UINT64_MAX), TIMER_OFF);
    assert_int_equal(vtimer_deadline(0, 1ull << 60), TIMER_OFF);
}

/* Its VM stands still: so does its counter, and it fires when that has come to the time. */
static void test_frozen(void **state)
{
    (void)state;
    vtimer_write(&timer, VTIMER_CVAL, START - OFFSET + 1000);
    vtimer_write(&timer, VTIMER_CTL, ENABLE);
    vm.frozen = true;
    run_for(100000000);
    assert_false(line);
    vm.frozen = false;
    vm.counter_offset += 100000000 / TICK_NS;
    run_for(999 * TICK_NS);
    assert_false(line);
    run_for(5000000 + 2 * TICK_NS);
    assert_true(line);
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_reset_state),   TEST(test_fires),
        TEST(test_in_the_past),   TEST(test_masked_never_interrupts),
        TEST(test_tval),          TEST(test_far_future),
        TEST(test_counter_wraps), TEST(test_reserved_bits),
        TEST(test_reset_cancels), TEST(test_reset_lowers_the_line),
        TEST(test_deadline),      TEST(test_frozen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
