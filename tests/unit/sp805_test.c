/* SPDX-License-Identifier: MIT */
/* The SP805 watchdog, through mmio_access, in fake time; its VM is one that can be ended. */
#include "vdev/sp805.h"

#include "arch/host/arch.h"
#include "core/log.h"
#include "tests/host/driver.h"
#include "tests/host/run.h"
#include "tests/host/said.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define BASE  0x1c0f0000
#define INTID 32
#define HZ    1000u
#define MS    1000000ull

enum {
    LOAD = 0x000,
    VALUE = 0x004,
    CONTROL = 0x008,
    INTCLR = 0x00c,
    RIS = 0x010,
    MIS = 0x014,
    LOCK = 0xc00,
};
enum { INTEN = 1, RESEN = 2 };

static struct guest g;
static struct vdev *dog;

static u32 get(u32 offset)
{
    return (u32)guest_read(&g, BASE + offset, 4);
}

static void set(u32 offset, u32 value)
{
    guest_write(&g, BASE + offset, 4, value);
}

/* A watchdog that counts milliseconds, in a VM that runs. */
static void make(u32 action)
{
    struct sp805_opts opts = {.frequency = HZ, .action = action};

    guest_init(&g, "a");
    sched_init(1);
    pcpus[0].remote.timers = NULL;
    host_now_ns = 1000 * MS;
    spin_init(&g.vm.lock, LOCK_VM);
    g.vm.state = VM_RUNNING;
    dog = guest_add(&g, &sp805_type, BASE, INTID, NULL, &opts);
    assert_non_null(dog);
    mmio_freeze(&g.vm.mmio);
}

static int setup(void **state)
{
    (void)state;
    make(SP805_TERMINATE);
    return 0;
}

static int setup_fiq(void **state)
{
    (void)state;
    make(SP805_FIQ);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    guest_free(&g);
    return 0;
}

/* A period of `ms`: the counter takes one tick more than its value. */
static void start(u32 ms, u32 control)
{
    set(LOAD, ms - 1);
    set(CONTROL, control);
}

static void identifies_itself(void **state)
{
    static const u8 want[] = {0x05, 0x18, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

    (void)state;
    for (u32 i = 0; i < 8; i++) {
        assert_int_equal(get(0xfe0 + 4 * i), want[i]);
    }
}

static void reset_values(void **state)
{
    (void)state;
    start(100, INTEN | RESEN);
    run_for(150 * MS);
    assert_int_equal(g.level[INTID], 1);
    set(LOCK, 0);
    dog->ops->reset(dog);
    assert_int_equal(g.level[INTID], 0);
    assert_int_equal(get(LOAD), UINT32_MAX);
    assert_int_equal(get(VALUE), UINT32_MAX);
    assert_int_equal(get(CONTROL), 0);
    assert_int_equal(get(RIS), 0);
    assert_int_equal(get(LOCK), 0);
    run_for(100000 * MS);
    assert_int_equal(g.vm.state, VM_RUNNING);
}

static void counts_down(void **state)
{
    (void)state;
    start(100, INTEN);
    assert_int_equal(get(VALUE), 99);
    run_for(30 * MS);
    assert_in_range(get(VALUE), 69, 70);
    run_for(70 * MS - 1);
    assert_int_equal(get(RIS), 0);
    assert_int_equal(get(VALUE), 0);
    run_for(1);
    assert_int_equal(get(RIS), 1);
    assert_int_equal(get(VALUE), 99);
}

static void interrupts_after_one_period(void **state)
{
    (void)state;
    start(100, INTEN);
    run_for(100 * MS - 1);
    assert_int_equal(g.level[INTID], 0);
    run_for(1);
    assert_int_equal(g.level[INTID], 1); /* without anybody looking at it */
    assert_int_equal(get(MIS), 1);
    set(INTCLR, 0);
    assert_int_equal(g.level[INTID], 0);
    assert_int_equal(get(VALUE), 99);
    run_for(100 * MS);
    assert_int_equal(g.level[INTID], 1);
}

static void bites_after_two_periods(void **state)
{
    (void)state;
    start(100, INTEN | RESEN);
    run_for(200 * MS - 1);
    assert_int_equal(g.vm.state, VM_RUNNING);
    run_for(1);
    assert_int_equal(g.vm.state, VM_STOPPING);
    assert_int_equal(g.vm.reason, VM_EXIT_WATCHDOG);
    assert_int_equal(VM_EXIT_WATCHDOG, 4);
    assert_string_equal(g.vm.why, "sp805 at 0x1c0f0000 not refreshed for 0.200 s");
    assert_false(g.vm.restart);
}

static void restarts_if_so_configured(void **state)
{
    (void)state;
    g.cfg.on_watchdog.restart = true;
    g.cfg.max_restarts = 1;
    start(100, INTEN | RESEN);
    run_for(200 * MS);
    assert_int_equal(g.vm.state, VM_STOPPING);
    assert_true(g.vm.restart);
}

static void refreshed_it_never_bites(void **state)
{
    (void)state;
    start(100, INTEN | RESEN);
    for (u32 i = 0; i < 50; i++) {
        run_for(199 * MS);
        set(INTCLR, 1);
    }
    for (u32 i = 0; i < 50; i++) {
        run_for(99 * MS);
        set(LOAD, 99); /* as good */
    }
    assert_int_equal(g.raises[INTID], 50);
    assert_int_equal(g.vm.state, VM_RUNNING);
}

static void without_resen_it_only_warns(void **state)
{
    (void)state;
    start(100, INTEN);
    run_for(10000 * MS);
    assert_int_equal(g.vm.state, VM_RUNNING);
    assert_int_equal(get(RIS), 1);
    assert_null(pcpus[0].remote.timers); /* nothing more to come */
    set(CONTROL, INTEN | RESEN);         /* now the end of the running period bites */
    run_for(100 * MS);
    assert_int_equal(g.vm.state, VM_STOPPING);
}

static void inten_off_stops_the_counter(void **state)
{
    (void)state;
    start(100, INTEN | RESEN);
    run_for(150 * MS);
    assert_int_equal(g.level[INTID], 1);
    set(CONTROL, RESEN);
    assert_int_equal(g.level[INTID], 0);
    assert_int_equal(get(RIS), 1);
    assert_int_equal(get(MIS), 0);
    assert_in_range(get(VALUE), 49, 50);
    run_for(10000 * MS);
    assert_in_range(get(VALUE), 49, 50);
    assert_int_equal(g.vm.state, VM_RUNNING);
    set(LOAD, 7);
    assert_int_equal(get(VALUE), 7);
    set(INTCLR, 0);
    set(CONTROL, INTEN | RESEN); /* from the start */
    run_for(15 * MS);
    assert_int_equal(g.vm.state, VM_RUNNING);
    run_for(1 * MS);
    assert_int_equal(g.vm.state, VM_STOPPING);
}

static void lock_keeps_writes_out(void **state)
{
    (void)state;
    start(100, INTEN);
    set(LOCK, 1);
    assert_int_equal(get(LOCK), 1);
    set(LOAD, 5);
    set(CONTROL, 0);
    assert_int_equal(get(LOAD), 99);
    assert_int_equal(get(CONTROL), INTEN);
    run_for(100 * MS);
    set(INTCLR, 0);
    assert_int_equal(get(RIS), 1);
    set(LOCK, 0x1acce550);
    set(INTCLR, 0);
    assert_int_equal(get(RIS), 1);
    set(LOCK, 0x1acce551);
    assert_int_equal(get(LOCK), 0);
    set(INTCLR, 0);
    assert_int_equal(get(RIS), 0);
}

static void bitten_it_is_too_late(void **state)
{
    (void)state;
    start(100, INTEN | RESEN);
    host_now_ns += 200 * MS; /* the guest is there before the timer */
    set(INTCLR, 0);
    set(CONTROL, 0);
    assert_int_equal(g.vm.state, VM_RUNNING);
    run_for(0);
    assert_int_equal(g.vm.state, VM_STOPPING);
}

/* The timer that was due when the VM was restarted finds nothing to do. */
static void a_late_timer_does_nothing(void **state)
{
    struct timer *t;

    (void)state;
    start(100, INTEN | RESEN);
    t = pcpus[0].remote.timers;
    host_now_ns += 300 * MS;
    dog->ops->reset(dog);
    t->fn(t);
    assert_int_equal(g.vm.state, VM_RUNNING);
    start(100, INTEN | RESEN);
    t->fn(t);
    assert_int_equal(g.vm.state, VM_RUNNING);
    assert_int_equal(get(RIS), 0);
}

/* The shortest period there is, left alone: one interrupt, one bite, two timers. */
static void hostile_period(void **state)
{
    (void)state;
    set(LOAD, 0);
    set(CONTROL, INTEN);
    run_for(10 * MS);
    assert_int_equal(g.raises[INTID], 1);
    assert_null(pcpus[0].remote.timers);
    set(INTCLR, 0);
    set(CONTROL, INTEN | RESEN);
    run_for(2 * MS);
    assert_int_equal(g.vm.state, VM_STOPPING);
}

static void longest_period(void **state)
{
    (void)state;
    set(LOAD, UINT32_MAX);
    set(CONTROL, INTEN | RESEN);
    assert_int_equal(get(VALUE), UINT32_MAX);
    run_for(((u64)UINT32_MAX + 1) * MS - 1);
    assert_int_equal(get(RIS), 0);
    run_for(1);
    assert_int_equal(get(RIS), 1);
    assert_int_equal(g.vm.state, VM_RUNNING);
}

static void fiq_lets_it_run_on(void **state)
{
    (void)state;
    start(100, INTEN | RESEN);
    run_for(100 * MS);
    assert_int_equal(g.raises[INTID], 1);
    run_for(100 * MS);
    assert_int_equal(g.raises[INTID], 2); /* once more */
    assert_int_equal(g.level[INTID], 1);
    run_for(100000 * MS);
    assert_int_equal(g.raises[INTID], 2); /* and that's it */
    assert_int_equal(g.vm.state, VM_RUNNING);
    set(INTCLR, 0);
    assert_int_equal(g.level[INTID], 0);
    run_for(200 * MS);
    assert_int_equal(g.raises[INTID], 4);
}

/* While its VM's core is written no time goes by for the guest. */
static void frozen_it_waits(void **state)
{
    (void)state;
    start(100, INTEN | RESEN);
    run_for(90 * MS);
    g.vm.frozen = true;
    run_for(5000 * MS);
    assert_int_equal(g.vm.state, VM_RUNNING);
    assert_int_equal(get(RIS), 0);
    g.vm.frozen = false;
    run_for(102 * MS);
    assert_int_equal(get(RIS), 1);
    assert_int_equal(g.vm.state, VM_RUNNING);
    run_for(102 * MS);
    assert_int_equal(g.vm.state, VM_STOPPING);
}

static void shows_when_it_bites(void **state)
{
    (void)state;
    assert_string_equal(said_show(dog), "  sp805 at 0x1c0f0000: off\n");
    start(1000, INTEN | RESEN);
    run_for(500 * MS);
    assert_string_equal(said_show(dog), "  sp805 at 0x1c0f0000: bites in 1.500 s\n");
    run_for(750 * MS);
    assert_string_equal(said_show(dog), "  sp805 at 0x1c0f0000: bites in 0.750 s, has warned\n");
    set(CONTROL, INTEN);
    assert_string_equal(said_show(dog), "  sp805 at 0x1c0f0000: warns, and doesn't bite\n");
}

static void default_frequency(void **state)
{
    struct sp805_opts opts = {.frequency = 0};

    (void)state;
    sp805_type.defaults(&opts);
    assert_int_equal(opts.frequency, 25000000);
    assert_int_equal(opts.action, SP805_TERMINATE);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        T(identifies_itself),
        T(reset_values),
        T(counts_down),
        T(interrupts_after_one_period),
        T(bites_after_two_periods),
        T(restarts_if_so_configured),
        T(refreshed_it_never_bites),
        T(without_resen_it_only_warns),
        T(inten_off_stops_the_counter),
        T(lock_keeps_writes_out),
        T(bitten_it_is_too_late),
        T(a_late_timer_does_nothing),
        T(hostile_period),
        T(longest_period),
        cmocka_unit_test_setup_teardown(fiq_lets_it_run_on, setup_fiq, teardown),
        T(frozen_it_waits),
        T(shows_when_it_bites),
        T(default_frequency),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
