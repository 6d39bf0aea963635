/* SPDX-License-Identifier: MIT */
/*
 * virtio-net's streams: a driver that notifies only if asked to sends many frames, or waits for
 * answers, or stops; and what is done for it in another VM's time.
 */
#include "arch/host/arch.h"
#include "core/sched.h"
#include "tests/host/nic.h"
#include "tests/host/run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define SW      "/dev/vdevpeer/sw"
#define SIZE    128u
#define STREAM  32u     /* frames of which each is notified, at least */
#define LONGEST 300000u /* ns from look to look */
#define US      1000u

static struct nic a, b;
static u8 frame[60], got[2048];
static u32 sent, notified;

static int setup_with(u64 features)
{
    struct net_opts oa = nic_options(SW, 1), ob = nic_options(SW, 2);

    host_init();
    net_forget_all();
    nic_init(&a, "alpha", "eth", &oa);
    nic_init(&b, "beta", "eth", &ob);
    nic_start(&a, NIC_USUAL | features, SIZE);
    nic_start(&b, NIC_USUAL, SIZE);
    nic_fill(&b, 0, SIZE, NIC_BUFFER);
    nic_fill(&a, 0, SIZE, NIC_BUFFER);
    sent = notified = 0;
    return 0;
}

static int setup_event(void **state)
{
    (void)state;
    return setup_with(F_EVENT_IDX);
}

static int setup_flags(void **state)
{
    (void)state;
    return setup_with(0);
}

static int teardown(void **state)
{
    (void)state;
    pcpus[0].current = NULL;
    nic_stop(&a);
    nic_stop(&b);
    run_for(10000 * US);
    assert_true(run_all());
    nic_free(&a);
    nic_free(&b);
    return 0;
}

/* What came to b; it has an eye on its buffers. */
static u32 arrived(void)
{
    while (nic_recv(&b, got, sizeof(got), true) >= 0) {
    }
    return (u32)b.port->stats->rx_frames;
}

static bool asked(void)
{
    if ((a.features & F_EVENT_IDX) != 0) {
        return ring_avail_event(&a.tx) == (u16)(a.tx.avail_idx - 1);
    }
    return (ring_used_flags(&a.tx) & 1) == 0;
}

static void offer(u32 count)
{
    nic_frame(frame, b.mac, a.mac, sizeof(frame), 1);
    for (u32 i = 0; i < count; i++) {
        while (ring_used(&a.tx, NULL) >= 0) {
        }
        nic_queue(&a, sent++ % SIZE, frame, sizeof(frame));
    }
}

static void send(void)
{
    offer(1);
    if (asked()) {
        notified++;
        ring_kick(&a.tx);
    }
}

/* One each 10 us. */
static void stream(u32 count)
{
    for (u32 i = 0; i < count; i++) {
        send();
        run_for(10 * US);
        (void)arrived();
    }
}

static void a_stream_is_not_notified(void **state)
{
    (void)state;
    stream(2000);
    assert_in_range(notified, STREAM, STREAM + 2);
    run_for(LONGEST);
    assert_int_equal(arrived(), 2000);
}

/* When it ends nobody looks any more, and the next frame is sent at once. */
static void the_end_of_a_stream(void **state)
{
    (void)state;
    stream(1000);
    run_for(10 * LONGEST);
    notified = 0;
    send();
    assert_int_equal(notified, 1);
    assert_int_equal(arrived(), 1001);
    stream(1000); /* it was one, so it may be again */
    assert_in_range(notified, STREAM - 2, STREAM + 2);
}

static void who_gets_answers_is_not_watched(void **state)
{
    u8 answer[60];

    (void)state;
    nic_frame(answer, a.mac, b.mac, sizeof(answer), 1);
    for (u32 i = 1; i <= 1000; i++) {
        send();
        assert_int_equal(arrived(), i);
        if (i % 8 == 0) {
            nic_send(&b, answer, sizeof(answer));
            assert_int_equal(nic_recv(&a, got, sizeof(got), true), sizeof(answer));
        }
        run_for(10 * US);
    }
    assert_int_equal(notified, 1000);
}

/* An answer ends it, with all that waits sent. */
static void an_answer_amid_a_stream(void **state)
{
    u8 answer[60];

    (void)state;
    nic_frame(answer, a.mac, b.mac, sizeof(answer), 1);
    stream(100);
    nic_send(&b, answer, sizeof(answer));
    run_for(LONGEST);
    notified = 0;
    send();
    assert_int_equal(notified, 1);
    assert_int_equal(arrived(), 101);
}

/* A frame a millisecond: it's tried, for a thousand more it isn't. */
static void slow_senders_are_not_watched(void **state)
{
    (void)state;
    for (u32 i = 0; i < 1000; i++) {
        send();
        run_for(1000 * US);
        assert_int_equal(arrived(), i + 1);
    }
    assert_in_range(notified, 990, 1000);
}

/* Who notifies all the same needn't wait. */
static void a_notification_is_heard(void **state)
{
    (void)state;
    stream(100);
    assert_false(asked());
    offer(1);
    ring_kick(&a.tx);
    assert_int_equal(arrived(), 101);
}

static void reset_amid_a_stream(void **state)
{
    u32 before;

    (void)state;
    stream(100);
    offer(3);
    before = arrived();
    nic_stop(&a);
    run_for(10 * LONGEST);
    assert_int_equal(arrived(), before);
    nic_restart(&a, a.features);
    notified = 0;
    for (u32 i = 1; i < STREAM; i++) {
        send();
        assert_int_equal(notified, i);
        assert_int_equal(arrived(), before + i);
    }
}

/* What is left of a burst, while another VM's vCPU runs: a burst a millisecond. */
static void work_in_anothers_time(void **state)
{
    u32 first;

    (void)state;
    offer(SIZE - 1);
    ring_kick(&a.tx);
    first = arrived();
    assert_in_range(first, 10, 60);
    b.g.vcpu.vm = &b.g.vm;
    atomic_store(&b.g.vcpu.state, VCPU_READY);
    pcpus[0].current = &b.g.vcpu;
    run_for(100 * US);
    assert_in_range(arrived(), first + 10, first + 60); /* one was queued already */
    first = arrived();
    offer(30);
    run_for(500 * US);
    assert_int_equal(arrived(), first);
    pcpus[0].current = NULL;
    run_for(1000 * US);
    assert_int_equal(arrived(), SIZE - 1 + 30);
}

/* Nor is its queue looked at. */
static void a_stream_in_anothers_time(void **state)
{
    (void)state;
    stream(100);
    b.g.vcpu.vm = &b.g.vm;
    atomic_store(&b.g.vcpu.state, VCPU_READY);
    pcpus[0].current = &b.g.vcpu;
    run_for(LONGEST);
    assert_int_equal(arrived(), 100);
    notified = 0;
    send();
    assert_int_equal(notified, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_stream_is_not_notified, setup_event, teardown),
        cmocka_unit_test_setup_teardown(a_stream_is_not_notified, setup_flags, teardown),
        cmocka_unit_test_setup_teardown(the_end_of_a_stream, setup_event, teardown),
        cmocka_unit_test_setup_teardown(the_end_of_a_stream, setup_flags, teardown),
        cmocka_unit_test_setup_teardown(who_gets_answers_is_not_watched, setup_event, teardown),
        cmocka_unit_test_setup_teardown(an_answer_amid_a_stream, setup_event, teardown),
        cmocka_unit_test_setup_teardown(slow_senders_are_not_watched, setup_event, teardown),
        cmocka_unit_test_setup_teardown(a_notification_is_heard, setup_event, teardown),
        cmocka_unit_test_setup_teardown(reset_amid_a_stream, setup_event, teardown),
        cmocka_unit_test_setup_teardown(work_in_anothers_time, setup_event, teardown),
        cmocka_unit_test_setup_teardown(a_stream_in_anothers_time, setup_event, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
