/* SPDX-License-Identifier: MIT */
/* Poll mode: a CPU that sends for its switch's ports, whose drivers never have to notify. */
#include "arch/host/arch.h"
#include "core/sched.h"
#include "core/str.h"
#include "tests/host/nic.h"
#include "tests/host/port.h"
#include "tests/host/run.h"
#include "vdev/net/switch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define CPU  1
#define SIZE 64u

static struct nic a, b;
static struct switch_conf conf;
static u8 frame[64], got[2048];

static int setup_on(u32 count, u64 rate)
{
    struct net_opts oa = nic_options("/dev/vdevpeer/lan", 1);
    struct net_opts ob = nic_options("/dev/vdevpeer/lan", 2);

    host_init();
    net_forget_all();
    host_now_ns = 1000000000;
    memset(pcpus, 0, sizeof(pcpus));
    sched_init(count);
    pcpus[CPU].online = count > CPU;
    conf = (struct switch_conf){.name = str_of("lan"), .age_s = CFG_AGE, .poll_cpu = CPU};
    switch_configure(&conf);
    oa.packed = ob.packed = true;
    oa.rate_packets = rate;
    nic_init(&a, "alpha", "eth", &oa);
    nic_init(&b, "beta", "eth", &ob);
    return 0;
}

static int setup(void **state)
{
    (void)state;
    return setup_on(2, 0);
}

static int teardown(void **state)
{
    (void)state;
    nic_free(&a);
    nic_free(&b);
    pcpus[CPU].online = false;
    return 0;
}

/* One piece of the polling CPU's work. False: there's none. */
static bool poll_once(void)
{
    struct pcpu *p = &pcpus[CPU];
    struct work *w = p->remote.work;

    if (w == NULL) {
        return false;
    }
    p->remote.work = NULL;
    p->remote.work_tail = &p->remote.work;
    w->queued = 0;
    if (w->fn(w)) {
        work_queue(p, w);
    }
    return true;
}

static void start_rings(struct nic *n, u64 features, bool packed)
{
    if (!packed) {
        nic_start(n, features, SIZE);
        return;
    }
    n->g.brk = GUEST_RAM_BASE;
    assert_true(driver_begin(&n->g, NIC_BASE, features | F_PACKED) & S_FEATURES_OK);
    ring_alloc_packed(&n->rx, &n->g, NIC_BASE, 0, SIZE);
    ring_alloc_packed(&n->tx, &n->g, NIC_BASE, 1, SIZE);
    n->rx_buf = guest_alloc(&n->g, SIZE * NIC_BUFFER, 64);
    n->tx_buf = guest_alloc(&n->g, SIZE * NIC_BUFFER, 64);
    assert_true(ring_enable(&n->rx) && ring_enable(&n->tx));
    driver_ok(&n->g, NIC_BASE);
}

static void start(u64 features, bool packed)
{
    start_rings(&a, features, packed);
    start_rings(&b, features, packed);
    nic_fill(&b, 0, SIZE, NIC_BUFFER);
    nic_frame(frame, b.mac, a.mac, sizeof(frame), 3);
}

/* Whether the driver of a, which published entries [from, to), would notify (VIRTIO 1.2 §2.7.10).
 */
static bool would_notify(u16 from, u16 to, bool event, bool packed)
{
    if (packed) {
        return ring_used_flags(&a.tx) != EVENT_DISABLE;
    }
    if (!event) {
        return ring_used_flags(&a.tx) == 0;
    }
    return (u16)(to - ring_avail_event(&a.tx) - 1) < (u16)(to - from);
}

/* The driver sends 80,000 frames, more than indices go round, and never has a reason to notify. */
static void never_notifies(bool event, bool packed)
{
    u16 sent = 0;

    start(NIC_USUAL | (event ? F_EVENT_IDX : 0), packed);
    assert_true(poll_once());
    for (u32 i = 0; i < 20000; i++) {
        u32 n = i % 7 + 1;

        for (u32 k = 0; k < n; k++) {
            nic_queue(&a, (sent + k) % SIZE, frame, sizeof(frame));
        }
        assert_false(would_notify(sent, (u16)(sent + n), event, packed));
        assert_true(poll_once());
        assert_true(poll_once());
        assert_false(would_notify(sent, (u16)(sent + n), event, packed)); /* late */
        sent = (u16)(sent + n);
        for (u32 k = 0; k < n; k++) {
            assert_true(ring_used(&a.tx, NULL) >= 0);
            assert_int_equal(nic_recv(&b, got, sizeof(got), true), sizeof(frame));
        }
    }
    assert_int_equal(a.port->stats->notifies, 0);
}

static void never_notifies_by_flag(void **state)
{
    (void)state;
    never_notifies(false, false);
}

static void never_notifies_by_event(void **state)
{
    (void)state;
    never_notifies(true, false);
}

static void never_notifies_packed(void **state)
{
    (void)state;
    never_notifies(false, true);
}

static void never_notifies_packed_by_event(void **state)
{
    (void)state;
    never_notifies(true, true);
}

/* Who notifies all the same changes nothing: not even the sending is done there. */
static void a_notification_does_nothing(void **state)
{
    (void)state;
    start(NIC_USUAL, false);
    nic_queue(&a, 0, frame, sizeof(frame));
    ring_kick(&a.tx);
    assert_int_equal(ring_used_idx(&a.tx), 0);
    assert_int_equal(a.port->stats->notifies, 1);
    assert_true(poll_once());
    assert_true(poll_once());
    assert_int_equal(ring_used_idx(&a.tx), 1);
}

static void polls_while_a_port_is_up(void **state)
{
    (void)state;
    assert_false(poll_once());
    start(NIC_USUAL, false);
    for (u32 i = 0; i < 10; i++) {
        assert_true(poll_once());
    }
    nic_stop(&a);
    assert_true(poll_once());
    assert_true(poll_once());
    nic_stop(&b);
    assert_true(poll_once());
    assert_false(poll_once());
    nic_restart(&a, NIC_USUAL);
    nic_queue(&a, 0, frame, sizeof(frame));
    assert_true(poll_once());
    assert_int_equal(ring_used_idx(&a.tx), 1);
}

/* Both have their turn, whatever one of them has to send; and no piece of work is longer than a
 * burst. */
static void ports_take_turns(void **state)
{
    (void)state;
    start(NIC_USUAL, false);
    for (u32 i = 0; i < 20; i++) {
        nic_queue(&a, i, frame, sizeof(frame));
    }
    nic_frame(frame, a.mac, b.mac, sizeof(frame), 3);
    nic_queue(&b, 0, frame, sizeof(frame));
    assert_true(poll_once());
    assert_int_equal(ring_used_idx(&a.tx) + ring_used_idx(&b.tx), 20);
    assert_true(poll_once());
    assert_int_equal(ring_used_idx(&a.tx) + ring_used_idx(&b.tx), 21);
}

static void a_cpu_that_is_off_polls_nothing(void **state)
{
    (void)teardown(state);
    (void)setup_on(1, 0);
    start(NIC_USUAL, false);
    assert_null(pcpus[CPU].remote.work);
    nic_send(&a, frame, sizeof(frame));
    assert_int_equal(nic_recv(&b, got, sizeof(got), true), sizeof(frame));
}

static void rates_hold(void **state)
{
    (void)teardown(state);
    (void)setup_on(2, 100); /* 10 and one more at once */
    start(NIC_USUAL, false);
    for (u32 i = 0; i < 20; i++) {
        nic_queue(&a, i, frame, sizeof(frame));
    }
    for (u32 i = 0; i < 10; i++) {
        assert_true(poll_once());
    }
    assert_int_equal(ring_used_idx(&a.tx), 11);
    for (u32 i = 0; i < 200; i++) {
        run_for(1000000);
        assert_true(poll_once());
    }
    assert_int_equal(ring_used_idx(&a.tx), 20);
    assert_int_equal(ring_used_flags(&a.tx), 1);
}

static void shows(void **state)
{
    (void)state;
    assert_non_null(strstr(net_shown(), "switch lan: 2 ports, polled by CPU 1\n"));
    pcpus[CPU].online = false;
    assert_non_null(strstr(net_shown(), "polled by CPU 1 (which is off: not polled)\n"));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(never_notifies_by_flag),
        T(never_notifies_by_event),
        T(never_notifies_packed),
        T(never_notifies_packed_by_event),
        T(a_notification_does_nothing),
        T(polls_while_a_port_is_up),
        T(ports_take_turns),
        T(a_cpu_that_is_off_polls_nothing),
        T(rates_hold),
        T(shows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
