/* SPDX-License-Identifier: MIT */
/*
 * Coalescing of virtio-net's interrupts (VIRTIO 1.2 §5.1.6.5.9). Time is the test's. alpha sends,
 * beta receives; both have a control queue.
 */
#include "arch/host/arch.h"
#include "core/sched.h"
#include "tests/host/nic.h"
#include "vdev/virtio/net_dev.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define SW   "/dev/vdevpeer/sw"
#define SIZE 64
#define COAL (NIC_USUAL | NIC_CTRL | BIT64(NET_F_NOTF_COAL))
#define US   1000ull

enum { CLASS = 6, TX = 0, RX = 1 };

static struct nic a, b;
static u8 frame[100], got[2048];

static void start(struct nic *n, u64 more)
{
    nic_start(n, COAL | more, SIZE);
    nic_fill(n, 0, SIZE, NIC_BUFFER);
}

static int setup(void **state)
{
    struct net_opts oa = nic_options(SW, 1), ob = nic_options(SW, 2);

    (void)state;
    net_forget_all();
    nic_init(&a, "alpha", "eth", &oa);
    nic_init(&b, "beta", "eth", &ob);
    start(&a, 0);
    start(&b, 0);
    nic_frame(frame, b.mac, a.mac, sizeof(frame), 1);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    nic_stop(&a);
    nic_stop(&b);
    nic_free(&a);
    nic_free(&b);
    return 0;
}

static void set(struct nic *n, u8 which, u32 packets, u32 usecs)
{
    u32 data[2] = {packets, usecs};

    assert_int_equal(nic_command(n, CLASS, which, data, sizeof(data)), 0);
    (void)driver_irq(&n->g, NIC_BASE); /* the control queue's */
}

static void send(u32 n)
{
    for (u32 i = 0; i < n; i++) {
        nic_send(&a, frame, sizeof(frame));
    }
}

static void pass(u64 ns)
{
    host_now_ns += ns;
    timer_expire(&pcpus[0]);
}

/* Whether n's line is up; it's down afterwards. */
static bool interrupted(struct nic *n)
{
    bool up = atomic_load(&n->g.level[NIC_INTID]) != 0;

    (void)driver_irq(&n->g, NIC_BASE);
    return up;
}

static void off_until_it_is_asked_for(void **state)
{
    (void)state;
    for (u32 i = 0; i < 3; i++) {
        send(1);
        assert_true(interrupted(&b));
        assert_true(interrupted(&a));
    }
    set(&b, RX, 4, 0); /* 0 in either: each frame */
    send(1);
    assert_true(interrupted(&b));
    set(&b, RX, 0, 100);
    send(1);
    assert_true(interrupted(&b));
    set(&b, RX, 1, 100);
    send(1);
    assert_true(interrupted(&b));
    assert_null(pcpus[0].remote.timers);
}

static void receiving_by_count(void **state)
{
    (void)state;
    set(&b, RX, 4, 100);
    for (u32 round = 0; round < 3; round++) {
        for (u32 i = 0; i < 3; i++) {
            send(1);
            assert_int_equal(nic_recv(&b, got, sizeof(got), true), sizeof(frame)); /* at once */
            assert_false(interrupted(&b));
        }
        send(1);
        assert_true(interrupted(&b));
        assert_true(interrupted(&a)); /* sending is another matter */
    }
    assert_int_equal(b.port->stats->interrupts, 3);
}

static void receiving_by_time(void **state)
{
    (void)state;
    set(&b, RX, 1000, 100);
    send(1);
    pass(60 * US);
    send(2);
    pass(40 * US - 1);
    assert_false(interrupted(&b));
    pass(1);
    assert_true(interrupted(&b)); /* since the first frame */
    pass(1000 * US);
    assert_false(interrupted(&b)); /* nothing new */
    send(1);
    assert_false(interrupted(&b));
    pass(100 * US);
    assert_true(interrupted(&b));
    assert_int_equal(b.port->stats->interrupts, 2);
}

/* What the count let go early begins anew, with all of its time. */
static void time_begins_with_the_first_frame(void **state)
{
    (void)state;
    set(&b, RX, 3, 100);
    send(3);
    assert_true(interrupted(&b));
    pass(60 * US);
    send(1);
    pass(99 * US);
    assert_false(interrupted(&b));
    pass(1 * US);
    assert_true(interrupted(&b));
}

static void sending(void **state)
{
    (void)state;
    set(&a, TX, 3, 50);
    send(2);
    assert_false(interrupted(&a));
    assert_true(interrupted(&b));
    send(1);
    assert_true(interrupted(&a));
    send(1);
    pass(50 * US);
    assert_true(interrupted(&a));
}

static void a_burst_counts_by_its_frames(void **state)
{
    (void)state;
    set(&b, RX, 5, 100);
    for (u32 i = 0; i < 7; i++) {
        nic_queue(&a, i, frame, sizeof(frame));
    }
    ring_kick(&a.tx);
    assert_true(interrupted(&b));
    assert_int_equal(ring_used_idx(&b.rx), 7);
}

/* The driver wants no interrupt for a while: that counts for nothing. */
static void suppressed(void **state)
{
    (void)state;
    set(&b, RX, 2, 100);
    ring_set_avail_flags(&b.rx, 1);
    send(5);
    pass(1000 * US);
    assert_false(interrupted(&b));
    ring_set_avail_flags(&b.rx, 0);
    send(1);
    assert_false(interrupted(&b));
    send(1);
    assert_true(interrupted(&b));
}

/* The event is passed once; the frames that follow count all the same. */
static void event_idx(void **state)
{
    (void)state;
    start(&b, F_EVENT_IDX);
    set(&b, RX, 3, 100);
    ring_set_used_event(&b.rx, 0);
    send(2);
    assert_false(interrupted(&b));
    send(1);
    assert_true(interrupted(&b));
    send(10); /* the event wasn't moved on */
    pass(1000 * US);
    assert_false(interrupted(&b));
    ring_set_used_event(&b.rx, ring_used_idx(&b.rx));
    send(1);
    assert_false(interrupted(&b));
    pass(100 * US);
    assert_true(interrupted(&b));
}

static void a_change_lets_go_what_waits(void **state)
{
    (void)state;
    set(&b, RX, 10, 1000);
    send(5);
    assert_int_equal(nic_command(&b, CLASS, RX, (u32[]){4, 1000}, 8), 0);
    assert_int_equal(b.port->stats->interrupts, 1);
    (void)driver_irq(&b.g, NIC_BASE);
    set(&b, TX, 10, 1000); /* the other direction's is not touched */
    send(1);
    assert_false(interrupted(&b));
    set(&b, RX, 0, 0);
    assert_int_equal(b.port->stats->interrupts, 2);
    send(1);
    assert_true(interrupted(&b));
}

static void reset(void **state)
{
    (void)state;
    set(&b, RX, 10, 100);
    send(1);
    nic_stop(&b);
    assert_null(pcpus[0].remote.timers);
    pass(1000 * US);
    assert_int_equal(atomic_load(&b.g.level[NIC_INTID]), 0);
    start(&b, 0);
    send(1);
    assert_true(interrupted(&b)); /* nothing is coalesced */
}

static void stopped_while_it_waits(void **state)
{
    (void)state;
    set(&b, RX, 10, 100);
    send(1);
    reg_write(&b.g, NIC_BASE, VMMIO_QUEUE_SEL, 0);
    reg_write(&b.g, NIC_BASE, VMMIO_QUEUE_READY, 0);
    pass(100 * US);
    (void)interrupted(&b);
    start(&b, 0);
    set(&b, RX, 10, 100);
    send(1);
    ring_desc(&b.rx, 20, 0x123, 100, D_WRITE, 0); /* breaks it */
    ring_offer(&b.rx, 20);
    for (u32 i = 0; i < SIZE; i++) {
        send(1);
    }
    assert_true(reg_read(&b.g, NIC_BASE, VMMIO_STATUS) & S_NEEDS_RESET);
    pass(100 * US);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(off_until_it_is_asked_for),
        T(receiving_by_count),
        T(receiving_by_time),
        T(time_begins_with_the_first_frame),
        T(sending),
        T(a_burst_counts_by_its_frames),
        T(suppressed),
        T(event_idx),
        T(a_change_lets_go_what_waits),
        T(reset),
        T(stopped_while_it_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
