/* SPDX-License-Identifier: MIT */
/* How virtio-net gives back what it sent: seen from a driver that sends frame after frame. */
#include "tests/host/nic.h"
#include "tests/host/run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define SW    "/dev/vdevpeer/sw"
#define SIZE  128
#define EAGER 64      /* frames of which each is given back at once */
#define LONG  4000000 /* ns after which nothing is held any more, looks for a stream included */

static struct nic a, b;
static u8 frame[60];

static int setup(void **state)
{
    struct net_opts oa = nic_options(SW, 1), ob = nic_options(SW, 2);

    (void)state;
    net_forget_all();
    nic_init(&a, "alpha", "eth", &oa);
    nic_init(&b, "beta", "eth", &ob);
    nic_start(&a, NIC_USUAL | F_EVENT_IDX, SIZE);
    nic_start(&b, NIC_USUAL, SIZE);
    nic_frame(frame, b.mac, a.mac, sizeof(frame), 1);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    assert_true(run_all());
    nic_free(&a);
    nic_free(&b);
    return 0;
}

/*
 * Sends as Linux does: it takes what was given back, and asks for an interrupt when three quarters
 * of what it still waits for are.
 */
static void send(u32 count)
{
    static u16 taken, sent;

    if (count == 0) {
        taken = sent = 0;
    }
    for (u32 i = 0; i < count; i++) {
        taken = ring_used_idx(&a.tx);
        ring_set_used_event(&a.tx, (u16)(taken + (u16)(sent - taken) * 3 / 4));
        nic_queue(&a, sent % (SIZE / 2), frame, sizeof(frame));
        sent++;
        ring_kick(&a.tx);
    }
}

static u32 interrupts(void)
{
    return (u32)a.port->stats->interrupts;
}

static void a_stream_is_not_interrupted(void **state)
{
    u32 before;

    (void)state;
    send(0);
    send(EAGER);
    assert_int_equal(interrupts(), EAGER);
    assert_int_equal(ring_used_idx(&a.tx), EAGER);
    send(300);
    assert_int_equal(interrupts(), EAGER);
    assert_in_range(EAGER + 300 - ring_used_idx(&a.tx), 1, 4);
    assert_int_equal(a.port->stats->tx_frames, EAGER + 300);
    before = ring_used_idx(&a.tx);
    run_for(LONG); /* it has stopped */
    assert_int_equal(ring_used_idx(&a.tx), EAGER + 300);
    assert_int_not_equal(before, EAGER + 300);
    assert_int_equal(interrupts(), EAGER + 1);
    send(EAGER); /* perhaps it waited for them */
    assert_int_equal(interrupts(), 2 * EAGER + 1);
}

static void who_goes_on_in_time_is_not_interrupted(void **state)
{
    (void)state;
    send(0);
    send(EAGER);
    for (u32 i = 0; i < 40; i++) {
        send(1);
        run_for(LONG / 4);
    }
    assert_int_equal(interrupts(), EAGER);
    run_for(LONG);
    assert_int_equal(interrupts(), EAGER + 1);
}

static void reset_while_some_are_held(void **state)
{
    (void)state;
    send(0);
    send(EAGER + 10);
    assert_int_not_equal(ring_used_idx(&a.tx), EAGER + 10);
    nic_start(&a, NIC_USUAL | F_EVENT_IDX, SIZE);
    run_for(LONG);
    assert_int_equal(ring_used_idx(&a.tx), 0);
    assert_int_equal(interrupts(), EAGER);
    send(0);
    send(1); /* and all begins anew */
    assert_int_equal(interrupts(), EAGER + 1);
}

static void nothing_is_held_of_a_short_ring(void **state)
{
    (void)state;
    nic_start(&a, NIC_USUAL | F_EVENT_IDX, SIZE / 2);
    send(0);
    for (u32 i = 1; i <= 2 * EAGER; i++) {
        send(1);
        assert_int_equal(ring_used_idx(&a.tx), i);
    }
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_stream_is_not_interrupted),
        T(who_goes_on_in_time_is_not_interrupted),
        T(reset_while_some_are_held),
        T(nothing_is_held_of_a_short_ring),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
