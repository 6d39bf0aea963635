/* SPDX-License-Identifier: MIT */
/*
 * Offloads from driver to driver: what is offered, super-frames that pass whole, and what reaches a
 * driver that negotiated less. What each frame has to look like says tests/host/offref.c. A test
 * rule_N_… is about rule N of docs/virtqueue-rules.md.
 */
#include "tests/host/nic.h"
#include "tests/host/offref.h"
#include "vdev/virtio/net_dev.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SW   "/dev/vdevpeer/sw"
#define SIZE 256
#define BUF  1536u /* of a receiver: as Linux has them */

#define HOST                                                                                       \
    (BIT64(NET_F_CSUM) | BIT64(NET_F_HOST_TSO4) | BIT64(NET_F_HOST_TSO6) | BIT64(NET_F_HOST_ECN) | \
     BIT64(NET_F_HOST_USO))
#define GUEST                                                                                      \
    (BIT64(NET_F_GUEST_CSUM) | BIT64(NET_F_GUEST_TSO4) | BIT64(NET_F_GUEST_TSO6) |                 \
     BIT64(NET_F_GUEST_ECN) | BIT64(NET_F_GUEST_USO4) | BIT64(NET_F_GUEST_USO6))

static struct nic a, b;
static struct offref ref;
static u8 got[70000];

static void make(u64 peerfeats, u64 a_features, u64 b_features)
{
    struct net_opts oa = nic_options(SW, 1), ob = nic_options(SW, 2);

    net_forget_all();
    oa.peerfeats = peerfeats;
    nic_init(&a, "alpha", "eth", &oa);
    nic_init(&b, "beta", "eth", &ob);
    nic_start(&a, NIC_USUAL | a_features, SIZE);
    nic_start(&b, NIC_USUAL | b_features, SIZE);
}

static int setup(void **state)
{
    (void)state;
    make(UINT64_MAX, HOST, GUEST);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    assert_true(host_run_work(1000) < 1000);
    nic_free(&a);
    nic_free(&b);
    return 0;
}

static void remake(u64 a_features, u64 b_features)
{
    (void)teardown(NULL);
    make(UINT64_MAX, a_features, b_features);
}

static void put16(u32 at, u32 v)
{
    ref.b[at] = (u8)(v >> 8);
    ref.b[at + 1] = (u8)v;
}

/* From a to b: TCP over IPv4, `payload` bytes in segments of gso_size (0: it's none). */
static void tcp4(u32 payload, u32 gso_size)
{
    memset(&ref, 0, sizeof(ref));
    ref.len = 54 + payload;
    nic_frame(ref.b, b.mac, a.mac, ref.len, 1);
    ref.b[14] = 0x45;
    put16(16, ref.len - 14);
    put16(20, 0);
    ref.b[23] = 6;
    ref.b[46] = 0x50;
    ref.o = (struct net_offload){
        .gso = gso_size != 0 ? GSO_TCPV4 : GSO_NONE,
        .csum = true,
        .gso_size = (u16)gso_size,
        .csum_start = 34,
        .csum_offset = 16,
    };
}

/* Queues ref's frame and kicks. The fields that a receiver is not to see are full of junk. */
static void send(void)
{
    struct net_hdr hdr = {
        .flags = (ref.o.csum ? HDR_NEEDS_CSUM : 0) | 0xfe,
        .gso_type = (u8)(ref.o.gso | (ref.o.ecn ? HDR_GSO_ECN : 0)),
        .hdr_len = 0xaaaa,
        .gso_size = ref.o.gso_size,
        .csum_start = ref.o.csum_start,
        .csum_offset = ref.o.csum_offset,
        .num_buffers = 0xbbbb,
    };
    u8 *p = guest_ptr(&a.g, a.tx_buf);

    memcpy(p, &hdr, sizeof(hdr));
    memcpy(p + NIC_HDR, ref.b, ref.len);
    ring_desc(&a.tx, 0, a.tx_buf, NIC_HDR + ref.len, 0, 0);
    ring_offer(&a.tx, 0);
    ring_kick(&a.tx);
}

static struct net_hdr next_header(void)
{
    u32 slot = b.rx.used_idx % SIZE, head;
    struct net_hdr hdr;

    memcpy(&head, guest_ptr(&b.g, b.rx.used + 4 + 8 * slot), sizeof(head));
    memcpy(&hdr, guest_ptr(&b.g, b.rx_buf + (u64)head * NIC_BUFFER), sizeof(hdr));
    return hdr;
}

/* b gets exactly the pieces that a driver with its features has to get. */
static void expect_pieces(u32 accepts)
{
    static struct chain chain;
    u32 pieces;

    assert_true(offref_check(&ref));
    pieces = offref_pieces(&ref, accepts);
    for (u32 k = 0; k < pieces; k++) {
        struct net_hdr hdr = next_header();
        struct net_frame f = {.chain = &chain, .head_len = NET_ETHERNET};

        f.len = (u32)nic_recv(&b, got, sizeof(got), true);
        assert_true(f.len <= sizeof(got));
        memcpy(f.head, got, NET_ETHERNET);
        chain = (struct chain){.nreadable = 1, .readable = f.len};
        chain.span[0] = (struct span){(guest_t *)(void *)got, f.len};
        f.offload.gso = hdr.gso_type & 0x7f;
        f.offload.ecn = hdr.gso_type >> 7;
        f.offload.csum = hdr.flags & HDR_NEEDS_CSUM;
        f.offload.csum_start = hdr.csum_start;
        f.offload.csum_offset = hdr.csum_offset;
        f.needs = f.offload.gso != GSO_NONE ? ref.needs : hdr.flags != 0 ? NEED_CSUM : 0;
        assert_int_equal(hdr.flags & ~HDR_NEEDS_CSUM, 0);
        assert_int_equal(hdr.hdr_len, f.offload.gso != GSO_NONE ? ref.o.headers : 0);
        assert_int_equal(hdr.gso_size, f.offload.gso != GSO_NONE ? ref.o.gso_size : 0);
        offref_expect(&ref, accepts, k, &f);
    }
    assert_int_equal(nic_recv(&b, got, sizeof(got), false), -1);
}

/* --- what is offered -----------------------------------------------------------------------------
 */

static u64 offered(u64 peerfeats)
{
    u64 all;

    (void)teardown(NULL);
    make(peerfeats, 0, 0);
    all = driver_offered(&a.g, NIC_BASE);
    return all & (HOST | GUEST);
}

static void peerfeats(void **state)
{
    (void)state;
    assert_int_equal(offered(UINT64_MAX), HOST | GUEST);
    assert_int_equal(offered(0), 0);
    assert_int_equal(offered(HOST), HOST);
    assert_int_equal(offered(HOST & ~BIT64(NET_F_CSUM)), 0); /* they need it */
    assert_int_equal(offered((HOST | GUEST) & ~BIT64(NET_F_GUEST_CSUM)), HOST);
    assert_int_equal(offered(BIT64(NET_F_CSUM) | BIT64(NET_F_HOST_ECN)), BIT64(NET_F_CSUM));
}

static bool accepted(u64 features)
{
    return (driver_begin(&a.g, NIC_BASE, NIC_USUAL | features) & S_FEATURES_OK) != 0;
}

static void features_that_need_others(void **state)
{
    (void)state;
    assert_true(accepted(HOST | GUEST));
    assert_true(accepted(0));
    assert_false(accepted(HOST & ~BIT64(NET_F_CSUM)));
    assert_false(accepted(BIT64(NET_F_GUEST_TSO4)));
    assert_false(accepted(BIT64(NET_F_GUEST_CSUM) | BIT64(NET_F_GUEST_ECN)));
    assert_true(
        accepted(BIT64(NET_F_GUEST_CSUM) | BIT64(NET_F_GUEST_ECN) | BIT64(NET_F_GUEST_TSO6)));
}

/* --- from driver to driver -----------------------------------------------------------------------
 */

static void whole_super_frame(void **state)
{
    (void)state;
    nic_fill(&b, 0, 64, BUF);
    tcp4(65481, 1448); /* the largest that IPv4 can say, and a byte */
    ref.o.ecn = true;
    send();
    assert_int_equal(ring_used_idx(&a.tx), 1);
    assert_int_equal(ring_used_idx(&b.rx), (NIC_HDR + ref.len + BUF - 1) / BUF);
    assert_int_equal(next_header().num_buffers, (NIC_HDR + ref.len + BUF - 1) / BUF);
    expect_pieces(63);
    assert_int_equal(b.port->stats->rx_frames, 1);
    assert_int_equal(b.port->stats->interrupts, 1);
}

static void one_large_buffer(void **state)
{
    (void)state;
    remake(HOST, GUEST);
    nic_start(&b, (NIC_USUAL & ~NIC_MRG) | GUEST, SIZE);
    for (u32 i = 0; i < 19; i++) { /* as Linux does without merging: pages */
        ring_desc(&b.rx, i, b.rx_buf + 4096 * i, 4096, D_WRITE | (i < 18 ? D_NEXT : 0), i + 1);
    }
    ring_offer(&b.rx, 0);
    tcp4(65000, 1448);
    send();
    assert_int_equal(ring_used_idx(&b.rx), 1);
    assert_int_equal(next_header().num_buffers, 1);
    expect_pieces(63);
}

static void whatever_was_not_negotiated(void **state)
{
    static const struct {
        u64 b_features;
        u32 accepts;
    } receivers[] = {
        {0, 0},
        {BIT64(NET_F_GUEST_CSUM), NEED_CSUM},
        {BIT64(NET_F_GUEST_CSUM) | BIT64(NET_F_GUEST_TSO6), NEED_CSUM | NEED_TSO6},
        {BIT64(NET_F_GUEST_CSUM) | BIT64(NET_F_GUEST_TSO4), NEED_CSUM | NEED_TSO4},
        {GUEST, 63},
    };

    for (u32 i = 0; i < ARRAY_SIZE(receivers); i++) {
        remake(HOST, receivers[i].b_features);
        nic_fill(&b, 0, 128, BUF);
        for (u32 kind = 0; kind < 4; kind++) {
            tcp4(kind == 0 ? 700 : 60000, kind == 0 ? 0 : 1448);
            ref.o.ecn = kind == 2;
            ref.o.csum = kind != 3;
            ref.o.gso = kind == 3 ? GSO_NONE : ref.o.gso;
            ref.len = kind == 3 ? 1514 : ref.len;
            send();
            (void)host_run_work(100);
            assert_int_equal(ring_used(&a.tx, NULL), 0);
            expect_pieces(receivers[i].accepts);
        }
    }
    (void)state;
}

static void segments_take_several_bursts(void **state)
{
    u32 work = 0;

    (void)state;
    remake(HOST, 0);
    nic_fill(&b, 0, 256, BUF);
    tcp4(20000, 100);
    send();
    assert_int_equal(ring_used_idx(&a.tx), 0); /* the frame is still the device's */
    assert_int_equal(ring_used_idx(&b.rx), NET_BUDGET / 2);
    while (host_run_work(1) != 0) {
        work++;
    }
    assert_int_equal(work, 8); /* 200 segments, 24 of them in a burst */
    assert_int_equal(ring_used_idx(&a.tx), 1);
    assert_int_equal(b.port->stats->interrupts, 9);
    expect_pieces(0);
}

static void reset_amid_segments(void **state)
{
    (void)state;
    remake(HOST, 0);
    nic_fill(&b, 0, 256, BUF);
    tcp4(20000, 100);
    send();
    nic_stop(&a);
    assert_int_equal(host_run_work(10), 1);
    assert_int_equal(ring_used_idx(&b.rx), NET_BUDGET / 2);
    nic_start(&a, NIC_USUAL | HOST, SIZE);
    tcp4(300, 100); /* begins at its own first segment */
    b.rx.used_idx = NET_BUDGET / 2;
    send();
    expect_pieces(0);
}

static void receiver_without_buffers_for_all(void **state)
{
    (void)state;
    remake(HOST, 0);
    nic_fill(&b, 0, 3, BUF);
    tcp4(10000, 1000);
    send();
    assert_int_equal(ring_used_idx(&b.rx), 3);
    assert_int_equal(b.port->drops[DROP_NOBUF], 1);
    assert_int_equal(ring_used_idx(&a.tx), 1);
}

/* --- what a sender may not ask for ---------------------------------------------------------------
 */

static void expect_dropped(u64 count)
{
    send();
    assert_int_equal(ring_used_idx(&b.rx), 0);
    assert_int_equal(ring_used_idx(&a.tx), count);
    assert_int_equal(a.port->drops[DROP_OFFLOAD], count);
}

static void rule_25_not_negotiated(void **state)
{
    (void)state;
    remake(HOST & ~(BIT64(NET_F_HOST_TSO4) | BIT64(NET_F_HOST_ECN)), GUEST);
    nic_fill(&b, 0, 64, BUF);
    tcp4(5000, 1000);
    expect_dropped(1);
    tcp4(100, 0);
    ref.o.ecn = true;
    expect_dropped(2);
    remake(HOST & ~BIT64(NET_F_HOST_ECN), GUEST);
    nic_fill(&b, 0, 64, BUF);
    tcp4(5000, 1000);
    ref.o.ecn = true;
    expect_dropped(1);
    remake(HOST & ~(BIT64(NET_F_HOST_TSO6) | BIT64(NET_F_HOST_USO)), GUEST);
    nic_fill(&b, 0, 64, BUF);
    tcp4(5000, 1000);
    ref.o.gso = GSO_TCPV6;
    expect_dropped(1);
    ref.o.gso = GSO_UDP;
    expect_dropped(2);
    ref.o.gso = 3;
    expect_dropped(3);
}

static void rule_25_nonsense(void **state)
{
    (void)state;
    nic_fill(&b, 0, 64, BUF);
    tcp4(5000, 1000);
    ref.o.csum_start = 35;
    expect_dropped(1);
    tcp4(5000, 1000);
    ref.o.csum = false;
    expect_dropped(2);
    tcp4(5000, 1000);
    ref.b[23] = 17;
    expect_dropped(3);
    tcp4(60000, 10);
    expect_dropped(4);
    tcp4(5000, 1460); /* its segments are as large as the MTU; a byte more is too much */
    send();
    assert_int_equal(ring_used_idx(&b.rx), 4);
    tcp4(5000, 1461);
    send();
    assert_int_equal(ring_used_idx(&b.rx), 4);
    assert_int_equal(a.port->drops[DROP_SIZE], 1);
}

/* Over a private link, which counts nothing itself. */
static void rule_29_super_frames_end_the_burst(void **state)
{
    struct net_opts oa = nic_options("/dev/qvm/beta/eth", 1);
    struct net_opts ob = nic_options("/dev/qvm/alpha/eth", 2);

    (void)teardown(state);
    net_forget_all();
    nic_init(&a, "alpha", "eth", &oa);
    nic_init(&b, "beta", "eth", &ob);
    nic_start(&a, NIC_USUAL | HOST, SIZE);
    nic_start(&b, NIC_USUAL | GUEST, SIZE);
    nic_fill(&b, 0, 256, NIC_BUFFER);
    tcp4(60000, 1448);
    for (u32 i = 0; i < 3; i++) {
        ring_offer(&a.tx, 0);
    }
    send();
    assert_in_range(ring_used_idx(&a.tx), 2, 3); /* of four: 60,000 bytes count as 30 frames */
    assert_int_equal(host_run_work(10), 1);
    assert_int_equal(ring_used_idx(&a.tx), 4);
    assert_int_equal(b.port->stats->rx_frames, 4);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(rule_25_not_negotiated),
        T(rule_25_nonsense),
        T(rule_29_super_frames_end_the_burst),
        T(peerfeats),
        T(features_that_need_others),
        T(whole_super_frame),
        T(one_large_buffer),
        T(whatever_was_not_negotiated),
        T(segments_take_several_bursts),
        T(reset_amid_segments),
        T(receiver_without_buffers_for_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
