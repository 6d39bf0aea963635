/* SPDX-License-Identifier: MIT */
/*
 * virtio-net for drivers of version 0.9.5: what they are offered, their header, which is shorter
 * without merged buffers, and the address that they write into config space.
 */
#include "tests/host/nic.h"
#include "vdev/virtio/net_dev.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define SW    "/dev/vdevpeer/sw"
#define SIZE  64
#define USUAL (NIC_MAC_BIT | NIC_STATUS)
#define SHORT 10u /* bytes of the header */

static struct nic a, b; /* alpha is the old one */
static u8 frame[300], got[2048];

static void make(u32 spoof)
{
    struct net_opts oa = nic_options(SW, 1), ob = nic_options(SW, 2);

    net_forget_all();
    oa.legacy = true;
    oa.mac_spoof = spoof;
    oa.storm = 0;
    ob.mac_spoof = SPOOF_ALLOW;
    ob.storm = 0;
    nic_init(&a, "alpha", "eth", &oa);
    nic_init(&b, "beta", "eth", &ob);
    nic_start(&b, NIC_USUAL, SIZE);
    nic_fill(&b, 0, SIZE, NIC_BUFFER);
}

static int setup(void **state)
{
    (void)state;
    make(SPOOF_ALLOW);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    nic_free(&a);
    nic_free(&b);
    return 0;
}

static void start(u64 features)
{
    nic_start(&a, features, SIZE);
    nic_fill(&a, 0, SIZE, NIC_BUFFER);
}

static void offered(void **state)
{
    u64 has = driver_offered(&a.g, NIC_BASE);

    (void)state;
    assert_int_equal(reg_read(&a.g, NIC_BASE, VMMIO_VERSION), 1);
    assert_int_equal(has & (USUAL | NIC_MRG), USUAL | NIC_MRG);
    assert_int_equal(has & BIT64(NET_F_HOST_TSO4), BIT64(NET_F_HOST_TSO4));
    for (u32 bit = NET_F_CTRL_VQ; bit <= NET_F_CTRL_MAC_ADDR; bit++) {
        assert_int_equal(has >> bit & 1, 0);
    }
    assert_int_equal(has >> NET_F_CTRL_GUEST_OFFLOADS & 1, 0);
    assert_int_equal(has >> 32, 0);
}

/* From alpha with a header of `hdr` bytes in a descriptor of its own; it has to arrive. */
static void sends(u32 hdr, u32 len)
{
    u8 *p = guest_ptr(&a.g, a.tx_buf);

    nic_frame(frame, b.mac, a.mac, len, (u8)len);
    memset(p, 0, hdr);
    memcpy(p + hdr, frame, len);
    ring_desc(&a.tx, 0, a.tx_buf, hdr, D_NEXT, 1);
    ring_desc(&a.tx, 1, a.tx_buf + hdr, len, 0, 0);
    ring_offer(&a.tx, 0);
    ring_kick(&a.tx);
    assert_int_equal(ring_used(&a.tx, NULL), 0);
    assert_int_equal(nic_recv(&b, got, sizeof(got), true), len);
    assert_memory_equal(got, frame, len);
}

/* To alpha, whose driver expects `hdr` bytes in front; false: it didn't come. */
static bool receives(u32 hdr, const u8 *to, u32 len)
{
    u8 *p;
    u32 written;
    int head;

    nic_frame(frame, to, b.mac, len, (u8)len);
    nic_send(&b, frame, len);
    head = ring_used(&a.rx, &written);
    if (head < 0) {
        return false;
    }
    p = guest_ptr(&a.g, a.rx_buf + (u64)head * NIC_BUFFER);
    assert_int_equal(written, hdr + len);
    assert_int_equal(p[0] | p[1], 0);
    assert_memory_equal(p + hdr, frame, len);
    ring_offer(&a.rx, (u32)head);
    return true;
}

static void the_short_header(void **state)
{
    (void)state;
    start(USUAL);
    for (u32 len = 14; len < sizeof(frame); len += 37) {
        sends(SHORT, len);
        assert_true(receives(SHORT, a.mac, len));
    }
}

static void the_long_header(void **state)
{
    (void)state;
    start(USUAL | NIC_MRG);
    sends(NIC_HDR, 100);
    assert_true(receives(NIC_HDR, a.mac, 100));
    start(USUAL); /* another driver, another header */
    sends(SHORT, 100);
    assert_true(receives(SHORT, a.mac, 100));
}

/* A buffer that is two bytes too short for the long one. */
static void no_room_for_more(void **state)
{
    (void)state;
    nic_start(&a, USUAL, SIZE);
    nic_fill(&a, 0, 2, SHORT + 60);
    assert_true(receives(SHORT, a.mac, 60));
    assert_false(receives(SHORT, a.mac, 61));
    assert_int_equal(a.port->drops[DROP_SIZE], 1);
}

static void modern_header_without_merging(void **state)
{
    (void)state;
    nic_start(&b, NIC_USUAL & ~NIC_MRG, SIZE); /* not an old one: 12 bytes all the same */
    nic_fill(&b, 0, SIZE, NIC_BUFFER);
    start(USUAL);
    sends(SHORT, 100);
}

/* Nobody can tell an old driver that its choice makes no sense. */
static void features_without_what_they_need(void **state)
{
    (void)state;
    start(USUAL | BIT64(NET_F_HOST_TSO4) | BIT64(NET_F_GUEST_TSO4));
    assert_true(reg_read(&a.g, NIC_BASE, VMMIO_STATUS) & S_DRIVER_OK);
    sends(SHORT, 100);
}

static void write_mac(const u8 *mac, u32 bytes)
{
    for (u32 i = 0; i < bytes; i++) {
        guest_write(&a.g, NIC_BASE + VMMIO_CONFIG + i, 1, mac[i]);
    }
}

static u64 mac_shown(struct nic *n)
{
    u8 mac[6];

    for (u32 i = 0; i < 6; i++) {
        mac[i] = (u8)guest_read(&n->g, NIC_BASE + VMMIO_CONFIG + i, 1);
    }
    return mac_number(mac);
}

static void address_written(void **state)
{
    static const u8 mac[6] = {2, 9, 8, 7, 6, 5}, bad[6] = {3, 9, 8, 7, 6, 5}, none[6];

    (void)state;
    start(USUAL);
    write_mac(mac, 5);
    assert_int_equal(mac_shown(&a), mac_number(a.mac)); /* not half of it */
    write_mac(mac, 6);
    assert_int_equal(mac_shown(&a), mac_number(mac));
    write_mac(bad, 6);
    write_mac(none, 6);
    assert_int_equal(mac_shown(&a), mac_number(mac));
    write_mac(mac, 5);
    guest_write(&a.g, NIC_BASE + VMMIO_CONFIG + 5, 4, 0xffffff07); /* and beyond its end */
    assert_int_equal(mac_shown(&a), mac_number(mac) + 2);
    assert_int_equal(nic_link_status(&a), 1);
}

static void address_not_to_be_written(void **state)
{
    static const u8 mac[6] = {2, 9, 8, 7, 6, 5};
    u64 ignored = ((struct virtio *)b.g.vm.devs)->ignored;

    (void)teardown(state);
    make(SPOOF_DENY);
    start(USUAL);
    write_mac(mac, 6);
    assert_int_equal(mac_shown(&a), mac_number(a.mac));
    guest_write(&b.g, NIC_BASE + VMMIO_CONFIG + 5, 1, 0x55); /* nor on a modern device */
    assert_int_equal(mac_shown(&b), mac_number(b.mac));
    assert_int_equal(((struct virtio *)b.g.vm.devs)->ignored, ignored + 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(offered),
        T(the_short_header),
        T(the_long_header),
        T(no_room_for_more),
        T(modern_header_without_merging),
        T(features_without_what_they_need),
        T(address_written),
        T(address_not_to_be_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
