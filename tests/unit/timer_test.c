/* SPDX-License-Identifier: MIT */
/* Timers of two CPUs: order, the hardware's deadline, kicks, and functions that set timers. */
#include "core/timer.h"

#include "arch/host/arch.h"
#include "core/atomic.h"
#include "core/sched.h"
#include "tests/host/cpus.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct timer t[4];
static char fired[64];
static u64 again_ns; /* a timer's function sets it anew, so much later; 0: it doesn't */

static void fire(struct timer *timer)
{
    size_t n = strlen(fired);

    if (n + 1 < sizeof(fired)) {
        fired[n] = (char)('a' + (timer - t));
        fired[n + 1] = '\0';
    }
    if (again_ns != 0) {
        timer_set(timer, host_now_ns + again_ns);
    }
}

static int setup(void **state)
{
    (void)state;
    cpus_init(2);
    for (u32 i = 0; i < 4; i++) {
        timer_init(&t[i], &pcpus[0], fire);
    }
    fired[0] = '\0';
    again_ns = 0;
    return 0;
}

static void pass(u64 ns)
{
    host_now_ns += ns;
    timer_expire(&pcpus[0]);
}

static void test_order(void **state)
{
    u64 now = host_now_ns;

    (void)state;
    timer_set(&t[0], now + 300);
    assert_int_equal(host_deadline_ns, now + 300);
    timer_set(&t[1], now + 100);
    assert_int_equal(host_deadline_ns, now + 100);
    timer_set(&t[2], now + 200);
    timer_set(&t[3], now + 100); /* behind its equal */
    pass(99);
    assert_string_equal(fired, "");
    pass(1);
    assert_string_equal(fired, "bd");
    assert_int_equal(t[1].deadline_ns, TIMER_OFF);
    assert_int_equal(host_deadline_ns, now + 200);
    pass(500);
    assert_string_equal(fired, "bdca");
    assert_int_equal(host_deadline_ns, TIMER_OFF);
    pass(1000);
    assert_string_equal(fired, "bdca");
}

static void test_set_anew(void **state)
{
    u64 now = host_now_ns;

    (void)state;
    timer_set(&t[0], now + 100);
    timer_set(&t[1], now + 150);
    timer_set(&t[0], now + 200);
    pass(150);
    assert_string_equal(fired, "b");
    timer_cancel(&t[0]);
    timer_cancel(&t[0]);
    assert_int_equal(t[0].deadline_ns, TIMER_OFF);
    pass(1000);
    assert_string_equal(fired, "b");
    timer_set(&t[0], now); /* in the past: at once */
    pass(0);
    assert_string_equal(fired, "ba");
}

/* A function that sets its timer again doesn't keep the CPU: the next time is the next interrupt.
 */
static void test_periodic(void **state)
{
    (void)state;
    again_ns = 1;
    timer_set(&t[0], host_now_ns);
    pass(0);
    assert_string_equal(fired, "a");
    assert_int_equal(host_deadline_ns, host_now_ns + 1);
    pass(10);
    assert_string_equal(fired, "aa");
}

/* Set from another CPU: its owner is told if its hardware must fire earlier, and not otherwise. */
static void test_remote(void **state)
{
    u64 now = host_now_ns;

    (void)state;
    cpu_become(1);
    host_deadline_ns = 4711;
    timer_set(&t[0], now + 100);
    assert_true(cpu_kicked(0));
    assert_int_equal(pcpus[0].remote.attention, PCPU_TIMER);
    timer_set(&t[1], now + 200);
    assert_false(cpu_kicked(0));
    timer_set(&t[2], now + 50);
    assert_true(cpu_kicked(0));
    timer_cancel(&t[0]);
    assert_false(cpu_kicked(0));
    assert_int_equal(host_deadline_ns, 4711); /* not ours */
    cpu_become(0);
    pass(0);
    assert_int_equal(host_deadline_ns, now + 50);
    pass(500);
    assert_string_equal(fired, "cb");
}

static u32 stop; /* atomic */

static void *setter(void *arg)
{
    (void)arg;
    cpu_become(1);
    for (u64 i = 0; i < 5000; i++) {
        timer_set(&t[i % 3], i % 7 == 0 ? TIMER_OFF : i);
    }
    atomic_store_release(&stop, 1u);
    return NULL;
}

static void test_threads(void **state)
{
    pthread_t other;

    (void)state;
    stop = 0;
    pthread_create(&other, NULL, setter, NULL);
    while (atomic_load_acquire(&stop) == 0) {
        timer_expire(&pcpus[0]);
    }
    pthread_join(other, NULL);
    timer_expire(&pcpus[0]);
    assert_null(pcpus[0].remote.timers);
    assert_int_equal(host_deadline_ns, TIMER_OFF);
    assert_string_not_equal(fired, "");
}

#define T(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_order), T(test_set_anew), T(test_periodic), T(test_remote), T(test_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
