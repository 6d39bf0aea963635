/* SPDX-License-Identifier: MIT */
/* What a port may send: rates, which hold frames back in the ring, and storms, which are dropped.
 */
#include "arch/host/arch.h"
#include "core/sched.h"
#include "tests/host/nic.h"
#include "tests/host/port.h"
#include "tests/host/run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define BROADCAST 0xffffffffffffull
#define MULTICAST 0x01005e000001ull
#define STRANGER  0x020000001000ull
#define SECOND    1000000000ull
#define MS        1000000ull
#define LEN       1000u

static struct stub a, b;

static int setup(void **state)
{
    (void)state;
    host_init();
    net_forget_all();
    host_now_ns = SECOND;
    stub_init(&a, "a", "eth", 1);
    stub_init(&b, "b", "eth", 2);
    stub_switch(&a, "lan");
    stub_switch(&b, "lan");
    return 0;
}

static void up(void)
{
    stub_up(&a);
    stub_up(&b);
}

static bool send_to(u64 to, u32 len)
{
    return stub_send(&a, to, stub_mac(&a), len);
}

/* How many frames to `to` get through at b within `ns`, if a tries all the time. */
static u32 through(u64 to, u32 len, u64 ns)
{
    u64 end = host_now_ns + ns;

    b.delivered = 0;
    while (host_now_ns < end) {
        while (send_to(to, len) && a.port.drops[DROP_STORM] == 0) {
            assert_true(b.delivered < 10000000);
        }
        a.port.drops[DROP_STORM] = 0;
        host_now_ns += 100000;
    }
    return b.delivered;
}

/* --- rates ------------------------------------------------------------------------------------ */

static void bytes_per_second(void **state)
{
    (void)state;
    a.port.rules.rate_bytes = 1000000;
    up();
    assert_in_range(through(stub_mac(&b), LEN, 100000), 100, 102); /* the bucket, full */
    assert_in_range(through(stub_mac(&b), LEN, 10 * SECOND), 9990, 10010);
    assert_in_range(through(stub_mac(&b), 100, 10 * SECOND), 99900, 100100);
    host_now_ns += 1000 * SECOND; /* it doesn't get fuller */
    assert_in_range(through(stub_mac(&b), LEN, 100000), 100, 102);
}

static void frames_per_second(void **state)
{
    (void)state;
    a.port.rules.rate_packets = 3000;
    up();
    assert_in_range(through(stub_mac(&b), LEN, 100000), 300, 302);
    assert_in_range(through(stub_mac(&b), 60, 10 * SECOND), 29990, 30010);
}

static void the_narrower_one_counts(void **state)
{
    (void)state;
    a.port.rules.rate_packets = 3000;
    a.port.rules.rate_bytes = 1000000;
    up();
    (void)through(stub_mac(&b), LEN, SECOND);
    assert_in_range(through(stub_mac(&b), LEN, 10 * SECOND), 9990, 10010);
    (void)through(stub_mac(&b), 100, SECOND);
    assert_in_range(through(stub_mac(&b), 100, 10 * SECOND), 29990, 30010);
}

/* From one byte in a second to more than there can be. */
static void extreme_rates(void **state)
{
    (void)state;
    a.port.rules.rate_bytes = 1;
    up();
    assert_int_equal(through(stub_mac(&b), LEN, SECOND), 1); /* always one more, however large */
    host_now_ns += 998 * SECOND;
    assert_int_equal(through(stub_mac(&b), LEN, SECOND / 2), 0);
    host_now_ns += SECOND;
    assert_int_equal(through(stub_mac(&b), LEN, SECOND / 2), 1);
    limits_init(&a.port.limits, 1ull << 40, 1000000000, 0);
    a.port.mtu = b.port.mtu = 65535;
    (void)through(stub_mac(&b), 65000, 1);
    assert_in_range(through(stub_mac(&b), 65000, 10 * MS), 167000, 171000);
}

static void who_has_to_wait_is_told_how_long(void **state)
{
    struct net_frame *f = &a.frame;
    u64 before = host_now_ns;

    (void)state;
    a.port.rules.rate_packets = 1000;
    up();
    for (u32 i = 0; i < 101; i++) {
        assert_true(send_to(stub_mac(&b), LEN));
        assert_int_equal(f->not_before, 0);
    }
    assert_false(send_to(stub_mac(&b), LEN));
    assert_false(f->begun);
    assert_in_range(f->not_before, before + MS, before + 3 * MS);
    assert_int_equal(a.port.waits, 1);
    host_now_ns = f->not_before;
    assert_true(stub_send_again(&a));
    assert_int_equal(f->not_before, 0);
    assert_int_equal(b.delivered, 102);
}

static void only_what_is_admitted_is_charged(void **state)
{
    (void)state;
    a.port.rules.rate_packets = 10;
    up();
    for (u32 i = 0; i < 100; i++) {
        assert_true(stub_send(&a, stub_mac(&b), STRANGER, LEN));
    }
    assert_true(send_to(stub_mac(&b), LEN));
    assert_int_equal(b.delivered, 1);
}

static void a_super_frame_counts_as_its_segments(void **state)
{
    struct net_frame *f = &a.frame;
    u32 sent = 0;

    (void)state;
    a.port.rules.rate_packets = 1000; /* 100 in the bucket */
    up();
    b.port.accepts = NEED_CSUM | NEED_TSO4;
    (void)send_to(stub_mac(&b), LEN);
    f->needs = NEED_CSUM | NEED_TSO4;
    f->len = 54 + 10 * 1460;
    f->wire = 1514;
    f->offload = (struct net_offload){
        .gso = GSO_TCPV4, .csum = true, .headers = 54, .gso_size = 1460, .csum_start = 34};
    while (stub_send_again(&a)) {
        sent++;
    }
    assert_int_equal(sent, 10); /* 99 left: 9 frames, and one more */
}

static void private_links_have_rates_too(void **state)
{
    (void)state;
    stub_link(&a, "b", "eth");
    stub_link(&b, "a", "eth");
    a.port.rules.rate_packets = 1000;
    up();
    assert_in_range(through(stub_mac(&b), LEN, 10 * SECOND), 10090, 10110);
}

/* --- storms ----------------------------------------------------------------------------------- */

static void storms(void **state)
{
    static const u64 to[] = {BROADCAST, MULTICAST, STRANGER};

    (void)state;
    a.port.rules.storm = 500;
    up();
    for (u32 i = 0; i < ARRAY_SIZE(to); i++) {
        host_now_ns += SECOND;
        assert_in_range(through(to[i], LEN, SECOND), 540, 560);
    }
    assert_true(send_to(BROADCAST, LEN));
    assert_true(send_to(BROADCAST, LEN));
    assert_in_range(a.port.drops[DROP_STORM], 1, 2);
    b.delivered = 0;
    for (u32 i = 0; i < 10000; i++) { /* to whom it may concern they go */
        assert_true(send_to(stub_mac(&b), LEN));
    }
    assert_int_equal(b.delivered, 10000);
}

static void a_storm_reaches_no_monitor(void **state)
{
    (void)state;
    a.port.rules.storm = 500;
    b.port.rules.monitor = true;
    up();
    for (u32 i = 0; i < 100; i++) {
        assert_true(send_to(BROADCAST, LEN));
    }
    assert_int_equal(b.delivered, 51);
}

/* --- the device: what may not yet be sent stays in the ring ----------------------------------- */

static struct nic vm_a, vm_b;

static int setup_nics(void **state)
{
    struct net_opts oa = nic_options("/dev/vdevpeer/lan", 1);
    struct net_opts ob = nic_options("/dev/vdevpeer/lan", 2);

    (void)setup(state);
    oa.rate_packets = 100; /* 10 and one more at once */
    nic_init(&vm_a, "alpha", "eth", &oa);
    nic_init(&vm_b, "beta", "eth", &ob);
    host_now_ns = SECOND;
    nic_start(&vm_a, NIC_USUAL, 64);
    nic_start(&vm_b, NIC_USUAL, 64);
    nic_fill(&vm_b, 0, 64, NIC_BUFFER);
    return 0;
}

static int teardown_nics(void **state)
{
    (void)state;
    nic_free(&vm_a);
    nic_free(&vm_b);
    return 0;
}

static void queue_frames(u32 n)
{
    u8 frame[100];

    nic_frame(frame, vm_b.mac, vm_a.mac, sizeof(frame), 0);
    for (u32 i = 0; i < n; i++) {
        nic_queue(&vm_a, i, frame, sizeof(frame));
    }
    ring_kick(&vm_a.tx);
}

static u32 arrived(void)
{
    return ring_used_idx(&vm_b.rx);
}

static void frames_wait_in_the_ring(void **state)
{
    (void)state;
    queue_frames(31);
    assert_int_equal(arrived(), 11);
    assert_int_equal(ring_used_idx(&vm_a.tx), 11);
    assert_true(run_all()); /* nobody runs in circles */
    assert_int_equal(arrived(), 11);
    run_for(100 * MS);
    assert_in_range(arrived(), 19, 22);
    run_for(SECOND);
    assert_int_equal(arrived(), 31);
    assert_int_equal(ring_used_idx(&vm_a.tx), 31);
}

/* Meanwhile the driver is told not to notify; a notification all the same changes nothing. */
static void notifications_while_waiting(void **state)
{
    (void)state;
    queue_frames(20);
    assert_int_equal(ring_used_flags(&vm_a.tx), 1);
    for (u32 i = 0; i < 50; i++) {
        ring_kick(&vm_a.tx);
    }
    assert_int_equal(arrived(), 11);
    run_for(SECOND);
    assert_int_equal(arrived(), 20);
    assert_int_equal(ring_used_flags(&vm_a.tx), 0);
}

static void reset_while_waiting(void **state)
{
    (void)state;
    queue_frames(20);
    nic_restart(&vm_a, NIC_USUAL);
    assert_null(pcpus[0].remote.timers);
    run_for(SECOND);
    assert_int_equal(arrived(), 11);
    queue_frames(5);
    assert_int_equal(arrived(), 16);
}

#define T(f) cmocka_unit_test_setup(f, setup)
#define N(f) cmocka_unit_test_setup_teardown(f, setup_nics, teardown_nics)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(bytes_per_second),
        T(frames_per_second),
        T(the_narrower_one_counts),
        T(extreme_rates),
        T(who_has_to_wait_is_told_how_long),
        T(only_what_is_admitted_is_charged),
        T(a_super_frame_counts_as_its_segments),
        T(private_links_have_rates_too),
        T(storms),
        T(a_storm_reaches_no_monitor),
        N(frames_wait_in_the_ring),
        N(notifications_while_waiting),
        N(reset_while_waiting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
