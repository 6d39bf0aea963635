/* SPDX-License-Identifier: MIT */
/*
 * virtio-net seen from its drivers, with a switch between them. A test rule_N_… is about rule N of
 * docs/virtqueue-rules.md.
 */
#include "core/page.h"
#include "core/str.h"
#include "tests/host/nic.h"
#include "tests/host/port.h"
#include "tests/host/said.h"
#include "vdev/virtio/virtio.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SW   "/dev/vdevpeer/sw"
#define SIZE 128

static struct nic a, b;
static u8 frame[70000], got[70000];

static void make(struct net_opts *oa, struct net_opts *ob)
{
    net_forget_all();
    nic_init(&a, "alpha", "eth", oa);
    nic_init(&b, "beta", "eth", ob);
}

static int setup(void **state)
{
    struct net_opts oa = nic_options(SW, 1), ob = nic_options(SW, 2);

    (void)state;
    make(&oa, &ob);
    nic_start(&a, NIC_USUAL, SIZE);
    nic_start(&b, NIC_USUAL, SIZE);
    memset(got, 0, sizeof(got));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    assert_int_equal(host_run_work(1000) < 1000, true);
    nic_free(&a);
    nic_free(&b);
    return 0;
}

static void remake(u32 mtu)
{
    struct net_opts oa = nic_options(SW, 1), ob = nic_options(SW, 2);

    (void)teardown(NULL);
    oa.mtu = mtu;
    ob.mtu = mtu;
    make(&oa, &ob);
    nic_start(&a, NIC_USUAL, SIZE);
    nic_start(&b, NIC_USUAL, SIZE);
}

static void expect(u32 len)
{
    assert_int_equal(nic_recv(&b, got, sizeof(got), true), len);
    assert_memory_equal(got, frame, len);
}

static void expect_nothing(void)
{
    assert_int_equal(nic_recv(&b, got, sizeof(got), false), -1);
}

static u8 *rx_buffer(u32 i)
{
    return guest_ptr(&b.g, b.rx_buf + (u64)i * NIC_BUFFER);
}

/* --- frames --------------------------------------------------------------------------------------
 */

static void frames_of_all_lengths(void **state)
{
    (void)state;
    nic_fill(&b, 0, SIZE, NIC_BUFFER);
    for (u32 len = 14; len <= 1514; len += len < 128 ? 1 : 97) {
        nic_frame(frame, b.mac, a.mac, len, (u8)len);
        nic_send(&a, frame, len);
        expect(len);
    }
    assert_int_equal(b.port->stats->rx_frames, a.port->stats->tx_frames);
    assert_int_equal(b.port->stats->rx_bytes, a.port->stats->tx_bytes);
}

static void rule_27_header_is_ours(void **state)
{
    static const u8 header[NIC_HDR] = {[10] = 1};
    u8 *tx = guest_ptr(&a.g, a.tx_buf);

    (void)state;
    memset(rx_buffer(0), 0xee, NIC_BUFFER);
    nic_fill(&b, 0, 1, NIC_BUFFER);
    nic_frame(frame, b.mac, a.mac, 60, 1);
    nic_queue(&a, 0, frame, 60);
    memset(tx, 0xff, NIC_HDR); /* the sender's is not carried over */
    ring_kick(&a.tx);
    expect(60);
    assert_memory_equal(rx_buffer(0), header, NIC_HDR);
    assert_int_equal(rx_buffer(0)[NIC_HDR + 60], 0xee); /* nothing behind the frame */
}

static void frame_in_many_pieces(void **state)
{
    u64 at = a.tx_buf;

    (void)state;
    nic_fill(&b, 0, 4, NIC_BUFFER);
    nic_frame(frame, b.mac, a.mac, 40, 9);
    memcpy((u8 *)guest_ptr(&a.g, at) + NIC_HDR, frame, 40);
    for (u32 i = 0; i < 52; i++) { /* a descriptor per byte */
        ring_desc(&a.tx, i, at + i, 1, i < 51 ? D_NEXT : 0, i + 1);
    }
    ring_offer(&a.tx, 0);
    ring_kick(&a.tx);
    expect(40);
}

static void indirect_and_event_idx(void **state)
{
    u64 table;

    (void)state;
    nic_start(&a, NIC_USUAL | F_INDIRECT | F_EVENT_IDX, SIZE);
    nic_start(&b, NIC_USUAL | F_INDIRECT | F_EVENT_IDX, SIZE);
    table = guest_alloc(&a.g, 32, 16);
    nic_fill(&b, 0, 8, NIC_BUFFER);
    for (u32 i = 0; i < 6; i++) {
        nic_frame(frame, b.mac, a.mac, 200, (u8)i);
        memcpy((u8 *)guest_ptr(&a.g, a.tx_buf) + NIC_HDR, frame, 200);
        desc_put(&a.g, table, 0, a.tx_buf, NIC_HDR, D_NEXT, 1);
        desc_put(&a.g, table, 1, a.tx_buf + NIC_HDR, 200, 0, 0);
        ring_desc(&a.tx, 3, table, 32, D_INDIRECT, 0);
        ring_offer(&a.tx, 3);
        assert_int_equal(ring_avail_event(&a.tx), i); /* wants a kick for the next */
        ring_kick(&a.tx);
        assert_int_equal(ring_used(&a.tx, NULL), 3);
        expect(200);
    }
    assert_int_equal(b.g.raises[NIC_INTID], 1); /* used_event stayed at 0 */
    assert_int_equal(a.g.raises[NIC_INTID], 1);
}

static void broadcast_comes_not_back(void **state)
{
    static const u8 all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

    (void)state;
    nic_fill(&a, 0, 4, NIC_BUFFER);
    nic_fill(&b, 0, 4, NIC_BUFFER);
    nic_frame(frame, all, a.mac, 60, 5);
    nic_send(&a, frame, 60);
    expect(60);
    assert_int_equal(nic_recv(&a, got, sizeof(got), false), -1);
}

static void runts(void **state)
{
    (void)state;
    nic_fill(&b, 0, 4, NIC_BUFFER);
    nic_frame(frame, b.mac, a.mac, 64, 1);
    for (u32 len = 0; len < 14; len++) {
        nic_send(&a, frame, len);
    }
    for (u32 len = 1; len < NIC_HDR; len++) { /* not even a whole header */
        ring_desc(&a.tx, 0, a.tx_buf, len, 0, 0);
        ring_offer(&a.tx, 0);
        ring_kick(&a.tx);
        assert_int_equal(ring_used(&a.tx, NULL), 0);
    }
    ring_desc(&a.tx, 0, a.tx_buf, 100, D_WRITE, 0); /* nothing to read */
    ring_offer(&a.tx, 0);
    ring_kick(&a.tx);
    assert_int_equal(ring_used(&a.tx, NULL), 0);
    assert_int_equal(a.port->drops[DROP_SIZE], 26);
    expect_nothing();
    assert_true(virtio_running((struct virtio *)a.g.vm.devs)); /* a runt is no crime */
}

static void too_long(void **state)
{
    (void)state;
    nic_fill(&b, 0, 4, NIC_BUFFER);
    nic_frame(frame, b.mac, a.mac, 1515, 1);
    nic_send(&a, frame, 1515);
    assert_int_equal(a.port->drops[DROP_SIZE], 1);
    expect_nothing();
}

/* --- merged buffers
 * -------------------------------------------------------------------------------- */

static void rule_32_merged_buffers(void **state)
{
    u16 buffers;
    u32 len;

    (void)state;
    nic_fill(&b, 0, 16, 100);
    nic_frame(frame, b.mac, a.mac, 250, 1); /* 262 bytes with header: 100 + 100 + 62 */
    nic_send(&a, frame, 250);
    assert_int_equal(ring_used_idx(&b.rx), 3);
    memcpy(&buffers, rx_buffer(0) + 10, 2);
    assert_int_equal(buffers, 3);
    for (u32 i = 0; i < 3; i++) {
        assert_int_equal(ring_used(&b.rx, &len), i);
        assert_int_equal(len, i < 2 ? 100 : 62);
    }
    assert_memory_equal(rx_buffer(0) + NIC_HDR, frame, 88);
    assert_memory_equal(rx_buffer(1), frame + 88, 100);
    assert_memory_equal(rx_buffer(2), frame + 188, 62);
}

static void merged_at_the_header(void **state)
{
    (void)state;
    ring_desc(&b.rx, 0, b.rx_buf, NIC_HDR, D_WRITE, 0); /* just the header */
    ring_offer(&b.rx, 0);
    ring_desc(&b.rx, 1, b.rx_buf + NIC_BUFFER, 10, D_WRITE, 0); /* part of the Ethernet header */
    ring_offer(&b.rx, 1);
    nic_fill(&b, 2, 1, NIC_BUFFER);
    nic_frame(frame, b.mac, a.mac, 64, 1);
    nic_send(&a, frame, 64);
    expect(64);
}

static void merged_around_an_empty_buffer(void **state)
{
    u32 len = 1;

    (void)state;
    nic_fill(&b, 0, 1, 100);
    nic_fill(&b, 1, 1, 0);
    nic_fill(&b, 2, 1, 100);
    nic_frame(frame, b.mac, a.mac, 150, 1);
    nic_send(&a, frame, 150);
    assert_int_equal(ring_used_idx(&b.rx), 3);
    assert_int_equal(ring_used(&b.rx, &len), 0);
    assert_int_equal(ring_used(&b.rx, &len), 1);
    assert_int_equal(len, 0);
    assert_int_equal(ring_used(&b.rx, &len), 2);
    assert_int_equal(len, 62);
}

static void first_buffer_without_room_for_the_header(void **state)
{
    (void)state;
    nic_fill(&b, 0, 16, NIC_HDR - 1);
    nic_frame(frame, b.mac, a.mac, 64, 1);
    nic_send(&a, frame, 64);
    expect_nothing();
    assert_int_equal(b.port->drops[DROP_SIZE], 1);
}

static void rule_32_too_few_buffers(void **state)
{
    (void)state;
    nic_fill(&b, 0, 2, 100);
    nic_frame(frame, b.mac, a.mac, 250, 1);
    nic_send(&a, frame, 250);
    assert_int_equal(ring_used_idx(&b.rx), 0);
    assert_int_equal(b.port->drops[DROP_NOBUF], 1);
    nic_fill(&b, 2, 1, 100);
    nic_send(&a, frame, 250);
    assert_int_equal(ring_used_idx(&b.rx), 3); /* all three, from the first on */
    expect(250);
}

static void without_merging(void **state)
{
    u16 buffers;

    (void)state;
    nic_start(&b, NIC_USUAL & ~NIC_MRG, SIZE);
    nic_fill(&b, 0, 1, 100);
    nic_fill(&b, 1, 1, NIC_BUFFER);
    nic_frame(frame, b.mac, a.mac, 89, 1);
    nic_send(&a, frame, 89); /* a byte too long for the first buffer */
    expect_nothing();
    assert_int_equal(b.port->drops[DROP_SIZE], 1);
    nic_frame(frame, b.mac, a.mac, 88, 1);
    nic_send(&a, frame, 88);
    memcpy(&buffers, rx_buffer(0) + 10, 2);
    assert_int_equal(buffers, 1);
    expect(88);
}

static void rule_40_receiver_with_crumbs(void **state)
{
    (void)state;
    nic_fill(&b, 0, SIZE, NIC_HDR); /* a frame of 1500 would take 126 */
    nic_frame(frame, b.mac, a.mac, 1500, 1);
    nic_send(&a, frame, 1500);
    expect_nothing();
    assert_int_equal(b.port->drops[DROP_SIZE], 1);
    nic_frame(frame, b.mac, a.mac, 700, 1); /* 60 */
    nic_send(&a, frame, 700);
    expect(700);
    nic_start(&b, NIC_USUAL, SIZE);
    for (u32 i = 0; i < SIZE; i++) { /* buffers as large, in two descriptors each: 120 */
        ring_desc(&b.rx, i, b.rx_buf + (u64)i * NIC_BUFFER, NIC_HDR / 2,
                  D_WRITE | (i % 2 == 0 ? D_NEXT : 0), i + 1);
        if (i % 2 == 0) {
            ring_offer(&b.rx, i);
        }
    }
    nic_send(&a, frame, 700);
    expect_nothing();
    assert_int_equal(b.port->drops[DROP_SIZE], 2);
}

static void no_buffers(void **state)
{
    (void)state;
    nic_frame(frame, b.mac, a.mac, 64, 1);
    for (u32 i = 0; i < 5; i++) {
        nic_send(&a, frame, 64); /* the sender isn't held up */
    }
    assert_int_equal(b.port->drops[DROP_NOBUF], 5);
    assert_int_equal(b.g.raises[NIC_INTID], 0);
    nic_fill(&b, 0, 1, NIC_BUFFER);
    nic_send(&a, frame, 64);
    expect(64);
}

/* --- bursts
 * ------------------------------------------------------------------------------------------ */

static void queue_many(u32 count, u32 len)
{
    nic_frame(frame, b.mac, a.mac, len, 1);
    for (u32 i = 0; i < count; i++) {
        nic_queue(&a, i, frame, len);
    }
}

static void one_interrupt_per_burst(void **state)
{
    (void)state;
    nic_fill(&b, 0, SIZE, NIC_BUFFER);
    queue_many(20, 64);
    ring_kick(&a.tx);
    assert_int_equal(ring_used_idx(&a.tx), 20);
    assert_int_equal(ring_used_idx(&b.rx), 20);
    assert_int_equal(b.port->stats->interrupts, 1);
    assert_int_equal(a.port->stats->interrupts, 1);
    assert_int_equal(a.port->stats->notifies, 1);
}

static void rule_40_burst(void **state)
{
    (void)state;
    nic_fill(&b, 0, SIZE, NIC_BUFFER);
    queue_many(100, 64);
    ring_kick(&a.tx);
    assert_int_equal(ring_used_idx(&a.tx), NET_BUDGET);
    assert_int_equal(ring_used_flags(&a.tx), 1); /* no need to kick */
    ring_kick(&a.tx);                            /* does nothing: the work is queued */
    assert_int_equal(ring_used_idx(&a.tx), NET_BUDGET);
    assert_int_equal(host_run_work(1), 1);
    assert_int_equal(ring_used_idx(&a.tx), 2 * NET_BUDGET);
    assert_int_equal(host_run_work(1), 1);
    assert_int_equal(ring_used_idx(&a.tx), 100);
    assert_int_equal(ring_used_flags(&a.tx), 0);
    assert_int_equal(host_run_work(1), 0);
    assert_int_equal(ring_used_idx(&b.rx), 100);
    queue_many(1, 64);
    ring_kick(&a.tx); /* and from now on at once again */
    assert_int_equal(ring_used_idx(&a.tx), 101);
}

static void rule_40_dropped_frames_count(void **state)
{
    (void)state;
    nic_frame(frame, b.mac, b.mac, 64, 1); /* spoofed */
    for (u32 i = 0; i < 100; i++) {
        nic_queue(&a, i, frame, 64);
    }
    ring_kick(&a.tx);
    assert_int_equal(ring_used_idx(&a.tx), NET_BUDGET);
    assert_int_equal(host_run_work(10), 2);
    assert_int_equal(a.port->drops[DROP_SPOOF], 100);
}

/* A frame of 65,000 bytes out of one small buffer used over and over. */
static void queue_large(u32 head)
{
    const u32 piece = 1000;
    u64 pattern = a.tx_buf + NIC_BUFFER, first = a.tx_buf;
    u32 at = head, left = 65;

    memcpy((u8 *)guest_ptr(&a.g, first) + NIC_HDR, frame, 14);
    ring_desc(&a.tx, at, first, NIC_HDR + 14, D_NEXT, at + 1);
    for (left = 62; left > 0; left--) {
        at++;
        ring_desc(&a.tx, at, pattern, piece, left > 1 ? D_NEXT : 0, at + 1);
    }
    ring_offer(&a.tx, head);
}

/*
 * A large broadcast uses the budget up amid its flood. What is queued and kicked for until the work
 * goes on is sent then, though the kick itself did nothing.
 */
static void a_kick_while_work_is_queued_is_not_lost(void **state)
{
    static const u8 all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    static struct stub others[4];

    (void)state;
    remake(65535);
    for (u32 i = 0; i < 4; i++) {
        stub_init(&others[i], "other", "eth", (u8)(i + 10));
        stub_switch(&others[i], "sw");
        others[i].port.mtu = 65535;
        stub_up(&others[i]);
    }
    for (u32 events = 0; events < 2; events++) {
        nic_start(&a, NIC_USUAL | (events != 0 ? F_EVENT_IDX : 0), 256);
        nic_frame(frame, all, a.mac, 14, 1);
        queue_large(0);
        ring_kick(&a.tx);
        assert_int_equal(ring_used_idx(&a.tx), 0);
        queue_large(64);
        ring_kick(&a.tx);
        assert_int_equal(ring_used_idx(&a.tx), 0);
        assert_in_range(host_run_work(10), 2, 4);
        assert_int_equal(ring_used_idx(&a.tx), 2);
        assert_int_equal(others[3].delivered, 2 * events + 2);
    }
}

static void reset_amid_a_burst(void **state)
{
    (void)state;
    nic_fill(&b, 0, SIZE, NIC_BUFFER);
    queue_many(100, 64);
    ring_kick(&a.tx);
    nic_stop(&a);
    assert_int_equal(host_run_work(10), 1); /* finds nothing to do */
    nic_start(&a, NIC_USUAL, SIZE);
    queue_many(3, 64);
    ring_kick(&a.tx);
    assert_int_equal(ring_used_idx(&a.tx), 3);
}

static void rule_29_large_frames_end_the_burst(void **state)
{
    (void)state;
    remake(65535);
    nic_start(&a, NIC_USUAL, 256);
    nic_start(&b, NIC_USUAL, 256);
    nic_fill(&b, 0, 256, NIC_BUFFER);
    nic_frame(frame, b.mac, a.mac, 14, 1);
    for (u32 i = 0; i < 4; i++) {
        queue_large(i * 64);
    }
    ring_kick(&a.tx);
    assert_int_equal(ring_used_idx(&a.tx), 1); /* 60 KiB count as 31 frames, 64 pieces as 16 */
    assert_int_equal(nic_recv(&b, got, sizeof(got), true), 62014);
    assert_in_range(host_run_work(100), 2, 3);
    assert_int_equal(ring_used_idx(&a.tx), 4);
}

static void rule_20_frame_is_capped(void **state)
{
    (void)state;
    nic_fill(&b, 0, SIZE, NIC_BUFFER);
    nic_frame(frame, b.mac, a.mac, 14, 1);
    queue_large(0); /* 62,014 bytes with an MTU of 1500 */
    ring_kick(&a.tx);
    assert_int_equal(ring_used(&a.tx, NULL), 0);
    assert_int_equal(a.port->drops[DROP_SIZE], 1);
    expect_nothing();
}

/* --- drivers that lie
 * ----------------------------------------------------------------------------------- */

static u32 status(struct nic *n)
{
    return reg_read(&n->g, NIC_BASE, VMMIO_STATUS);
}

static void rule_37_bad_transmit_queue(void **state)
{
    (void)state;
    nic_fill(&b, 0, 8, NIC_BUFFER);
    queue_many(2, 64);
    ring_desc(&a.tx, 2, 0x123, 64, 0, 0); /* where no memory is */
    ring_offer(&a.tx, 2);
    queue_many(1, 64);
    ring_kick(&a.tx);
    assert_int_equal(ring_used_idx(&b.rx), 2); /* what came before it was sent */
    assert_true(status(&a) & S_NEEDS_RESET);
    assert_int_equal(driver_irq(&a.g, NIC_BASE) & 2, 2);
    assert_false(status(&b) & S_NEEDS_RESET);
    nic_fill(&a, 0, 4, NIC_BUFFER); /* its other queue is dead, too */
    nic_frame(frame, a.mac, b.mac, 64, 1);
    nic_send(&b, frame, 64);
    assert_int_equal(ring_used_idx(&a.rx), 0);
    assert_int_equal(a.port->drops[DROP_DOWN], 1);
    nic_start(&a, NIC_USUAL, SIZE);
    nic_fill(&a, 0, 4, NIC_BUFFER);
    nic_send(&b, frame, 64);
    assert_int_equal(ring_used_idx(&a.rx), 1);
}

static void rule_37_bad_transmit_index(void **state)
{
    (void)state;
    ring_set_avail_idx(&a.tx, SIZE + 1);
    ring_kick(&a.tx);
    assert_true(status(&a) & S_NEEDS_RESET);
}

static void rule_37_bad_receive_queue(void **state)
{
    (void)state;
    ring_desc(&b.rx, 0, GUEST_ROM_BASE, 2048, D_WRITE, 0);
    ring_offer(&b.rx, 0);
    nic_frame(frame, b.mac, a.mac, 64, 1);
    nic_send(&a, frame, 64);
    assert_true(status(&b) & S_NEEDS_RESET);
    assert_false(status(&a) & S_NEEDS_RESET);
    assert_int_equal(b.port->drops[DROP_BROKEN], 1);
    nic_send(&a, frame, 64);
    assert_int_equal(b.port->drops[DROP_DOWN], 1);
}

static void broken_amid_merging(void **state)
{
    (void)state;
    nic_fill(&b, 0, 1, 100);
    ring_desc(&b.rx, 1, 0, 100, D_WRITE, 0);
    ring_offer(&b.rx, 1);
    nic_frame(frame, b.mac, a.mac, 150, 1);
    nic_send(&a, frame, 150);
    assert_int_equal(ring_used_idx(&b.rx), 0);
    assert_true(status(&b) & S_NEEDS_RESET);
}

static void rule_34_no_frames_before_driver_ok(void **state)
{
    (void)state;
    b.g.brk = GUEST_RAM_BASE;
    assert_true(driver_begin(&b.g, NIC_BASE, NIC_USUAL) & S_FEATURES_OK);
    ring_alloc(&b.rx, &b.g, NIC_BASE, 0, SIZE);
    assert_true(ring_enable(&b.rx));
    nic_fill(&b, 0, 8, NIC_BUFFER);
    nic_frame(frame, b.mac, a.mac, 64, 1);
    nic_send(&a, frame, 64);
    assert_int_equal(ring_used_idx(&b.rx), 0);
    assert_int_equal(b.g.raises[NIC_INTID], 0);
    driver_ok(&b.g, NIC_BASE);
    nic_send(&a, frame, 64);
    assert_int_equal(ring_used_idx(&b.rx), 1);
}

static void rule_33_nothing_after_reset(void **state)
{
    u8 *p = rx_buffer(0);

    (void)state;
    nic_fill(&b, 0, 8, NIC_BUFFER);
    nic_stop(&b);
    nic_frame(frame, b.mac, a.mac, 64, 1);
    memset(p, 0xee, NIC_BUFFER);
    nic_send(&a, frame, 64);
    assert_int_equal(p[NIC_HDR], 0xee);
    assert_int_equal(ring_used_idx(&b.rx), 0);
    assert_int_equal(b.g.level[NIC_INTID], 0);
}

static void a_stopped_queue(void **state)
{
    (void)state;
    nic_fill(&b, 0, 8, NIC_BUFFER);
    reg_write(&b.g, NIC_BASE, VMMIO_QUEUE_SEL, 0);
    reg_write(&b.g, NIC_BASE, VMMIO_QUEUE_READY, 0);
    reg_write(&a.g, NIC_BASE, VMMIO_QUEUE_SEL, 1);
    nic_frame(frame, b.mac, a.mac, 64, 1);
    nic_send(&a, frame, 64);
    assert_int_equal(b.port->drops[DROP_NOBUF], 1);
    reg_write(&a.g, NIC_BASE, VMMIO_QUEUE_READY, 0);
    queue_many(1, 64);
    ring_kick(&a.tx);
    assert_int_equal(ring_used_idx(&a.tx), 1);
}

/*
 * Two NICs of one VM: what the second receives overwrites what the first is sending, amid the
 * flood. The third, in another VM, must get the addresses that were checked.
 */
static void rule_24_checked_is_delivered(void **state)
{
    static const u8 all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    struct net_opts oa = nic_options(SW, 1), ob = nic_options(SW, 2), oc = nic_options(SW, 9);
    u64 loc = 0x0c000000;
    struct ring rx;

    (void)teardown(state);
    net_forget_all();
    nic_init(&a, "alpha", "eth", &oa);
    assert_non_null(guest_add(&a.g, &virtio_net_type, loc, 60, "second", &oc));
    nic_init(&b, "beta", "eth", &ob);
    nic_start(&a, NIC_USUAL, SIZE);
    nic_start(&b, NIC_USUAL, SIZE);
    assert_true(driver_begin(&a.g, loc, NIC_USUAL) & S_FEATURES_OK);
    ring_alloc(&rx, &a.g, loc, 0, 8);
    assert_true(ring_enable(&rx));
    driver_ok(&a.g, loc);
    nic_fill(&b, 0, 8, NIC_BUFFER);
    ring_desc(&rx, 0, a.tx_buf + NIC_HDR, NIC_BUFFER - NIC_HDR, D_WRITE, 0);
    ring_offer(&rx, 0);
    nic_frame(frame, all, a.mac, 14, 1);
    nic_send(&a, frame, 14);
    assert_int_equal(ring_used_idx(&rx), 1);
    assert_memory_not_equal(guest_ptr(&a.g, a.tx_buf + NIC_HDR), frame, 14);
    expect(14);
}

static void rule_42_no_allocation(void **state)
{
    u64 before = page_taken();

    (void)state;
    nic_fill(&b, 0, SIZE, NIC_BUFFER);
    for (u32 i = 0; i < 300; i++) {
        queue_many(1, 64);
        ring_kick(&a.tx);
        if (i % 50 == 0) {
            nic_start(&a, NIC_USUAL, SIZE);
        }
    }
    assert_int_equal(page_taken(), before);
}

/* --- configuration
 * ----------------------------------------------------------------------------------------- */

static void config_space(void **state)
{
    u8 mac[6];
    u64 usual = NIC_USUAL | 1 << 3 | F_INDIRECT | F_EVENT_IDX;

    (void)state;
    assert_int_equal(driver_offered(&a.g, NIC_BASE) & usual, usual);
    for (u32 i = 0; i < 6; i++) {
        mac[i] = (u8)guest_read(&a.g, NIC_BASE + VMMIO_CONFIG + i, 1);
    }
    assert_memory_equal(mac, a.mac, 6);
    assert_int_equal(guest_read(&a.g, NIC_BASE + VMMIO_CONFIG + 6, 2), 1); /* a switch is up */
    assert_int_equal(guest_read(&a.g, NIC_BASE + VMMIO_CONFIG + 10, 2), 1500);
    assert_int_equal(guest_read(&a.g, NIC_BASE + VMMIO_CONFIG + 12, 4), 10000); /* speed */
    assert_int_equal(guest_read(&a.g, NIC_BASE + VMMIO_CONFIG + 16, 1), 1);     /* full duplex */
    assert_int_equal(guest_read(&a.g, NIC_BASE + VMMIO_CONFIG + 17, 1), 0);     /* the end */
    guest_write(&a.g, NIC_BASE + VMMIO_CONFIG, 1, 0x55);                        /* read-only */
    assert_int_equal(guest_read(&a.g, NIC_BASE + VMMIO_CONFIG, 1), a.mac[0]);
    assert_int_equal(reg_read(&a.g, NIC_BASE, VMMIO_DEVICE_ID), 1);
    reg_write(&a.g, NIC_BASE, VMMIO_QUEUE_SEL, 1);
    assert_int_equal(reg_read(&a.g, NIC_BASE, VMMIO_QUEUE_SIZE_MAX), 256);
    reg_write(&a.g, NIC_BASE, VMMIO_QUEUE_SEL, 2); /* control */
    assert_int_equal(reg_read(&a.g, NIC_BASE, VMMIO_QUEUE_SIZE_MAX), 256);
    reg_write(&a.g, NIC_BASE, VMMIO_QUEUE_SEL, 3);
    assert_int_equal(reg_read(&a.g, NIC_BASE, VMMIO_QUEUE_SIZE_MAX), 0);
}

static bool check(struct net_opts *o)
{
    struct diag d = {.emit = said_emit};
    struct vm_config vm = {0};
    struct vdev_conf conf = {.type = &virtio_net_type, .opts = o, .place = {.line = 7, .col = 2}};

    said_clear();
    (void)diag_file(&d, str_of("x.qvmconf"));
    return virtio_net_type.check(&vm, &conf, &d);
}

static void options_checked(void **state)
{
    struct net_opts o = nic_options(SW, 1);

    (void)state;
    assert_true(check(&o));
    assert_string_equal(said, "");
    o.legacy = true;
    assert_true(check(&o));
    o.packed = true;
    assert_false(check(&o));
    assert_non_null(strstr(said, "x.qvmconf:7:2: error:"));
    o.legacy = false;
    o.mac.b[0] = 0x01;
    assert_false(check(&o));
    assert_non_null(strstr(said, "group address"));
    memset(o.mac.b, 0, 6);
    assert_false(check(&o));
    o = nic_options("", 1);
    assert_true(check(&o));
    assert_non_null(strstr(said, "warning"));
}

static void default_mac(void **state)
{
    struct net_opts o = nic_options(SW, 0);
    static struct nic c;
    u8 mac[6];

    (void)state;
    o.mac.set = false;
    nic_init(&c, "gamma", "eth", &o);
    config_mac(str_of("gamma"), str_of("eth"), 0, mac);
    assert_memory_equal(c.mac, mac, 6);
    assert_int_equal(c.mac[0], 2);
    nic_free(&c);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(frames_of_all_lengths),
        T(rule_27_header_is_ours),
        T(frame_in_many_pieces),
        T(indirect_and_event_idx),
        T(broadcast_comes_not_back),
        T(runts),
        T(too_long),
        T(rule_32_merged_buffers),
        T(merged_at_the_header),
        T(merged_around_an_empty_buffer),
        T(first_buffer_without_room_for_the_header),
        T(rule_32_too_few_buffers),
        T(without_merging),
        T(rule_40_receiver_with_crumbs),
        T(no_buffers),
        T(one_interrupt_per_burst),
        T(rule_40_burst),
        T(rule_40_dropped_frames_count),
        T(a_kick_while_work_is_queued_is_not_lost),
        T(reset_amid_a_burst),
        T(rule_29_large_frames_end_the_burst),
        T(rule_20_frame_is_capped),
        T(rule_37_bad_transmit_queue),
        T(rule_37_bad_transmit_index),
        T(rule_37_bad_receive_queue),
        T(broken_amid_merging),
        T(rule_34_no_frames_before_driver_ok),
        T(rule_33_nothing_after_reset),
        T(a_stopped_queue),
        T(rule_24_checked_is_delivered),
        T(rule_42_no_allocation),
        T(config_space),
        T(options_checked),
        T(default_mac),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
