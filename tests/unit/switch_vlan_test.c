/* SPDX-License-Identifier: MIT */
/* VLANs of a switch: who gets which frame, with which tag, and that the frame survives it. */
#include "arch/host/arch.h"
#include "tests/host/driver.h"
#include "tests/host/port.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define BROADCAST 0xffffffffffffull
#define STRANGER  0x020000001000ull
#define LEN       64u
#define PRIORITY  0xb000u /* priority 5, drop eligible */

/*
 * Two ports in VLAN 10, one in 20, a trunk of 10 and 20 with native 30, one of 10 without native,
 * one in 30, two without VLANs.
 */
enum { A10, B10, C20, TRUNK, STRICT, D30, PLAIN, OTHER, PORTS };
static struct stub port[PORTS];
static struct vlan_list tags[2];

static int setup(void **state)
{
    static const char *const names[PORTS] = {"a",      "b",   "c",     "trunk",
                                             "strict", "d30", "plain", "other"};

    (void)state;
    host_init();
    net_forget_all();
    memset(tags, 0, sizeof(tags));
    for (u32 i = 0; i < PORTS; i++) {
        stub_init(&port[i], names[i], "eth", (u8)(i + 1));
        stub_switch(&port[i], "lan");
    }
    port[A10].port.rules.vlan = vlan_access(10);
    port[B10].port.rules.vlan = vlan_access(10);
    port[C20].port.rules.vlan = vlan_access(20);
    port[D30].port.rules.vlan = vlan_access(30);
    (void)vlan_trunk(&tags[0], 10, 0);
    port[TRUNK].port.rules.vlan = vlan_trunk(&tags[0], 20, 30);
    port[STRICT].port.rules.vlan = vlan_trunk(&tags[1], 10, 0);
    for (u32 i = 0; i < PORTS; i++) {
        stub_up(&port[i]);
    }
    return 0;
}

/* Exactly these got one frame each since the last question. */
static void expect(u32 mask)
{
    for (u32 i = 0; i < PORTS; i++) {
        assert_int_equal(port[i].delivered, mask >> i & 1);
        port[i].delivered = 0;
    }
}

static bool all(u32 from)
{
    return stub_send(&port[from], BROADCAST, stub_mac(&port[from]), LEN);
}

static bool to(u32 from, u32 i)
{
    return stub_send(&port[from], stub_mac(&port[i]), stub_mac(&port[from]), LEN);
}

static u64 vlan_drops(u32 i)
{
    return port[i].port.drops[DROP_VLAN];
}

static void floods_stay_within(void **state)
{
    (void)state;
    assert_true(all(A10));
    expect(BIT(B10) | BIT(TRUNK) | BIT(STRICT));
    assert_true(all(C20));
    expect(BIT(TRUNK));
    assert_true(all(D30));
    expect(BIT(TRUNK));
    assert_true(all(TRUNK)); /* native */
    expect(BIT(D30));
    assert_true(all(PLAIN));
    expect(BIT(OTHER));
    assert_true(all(STRICT)); /* has no native VLAN */
    expect(0);
    assert_int_equal(vlan_drops(STRICT), 1);
}

static void unicast_stays_within(void **state)
{
    (void)state;
    assert_true(to(A10, B10));
    expect(BIT(B10));
    assert_true(to(A10, C20));
    assert_true(to(A10, PLAIN));
    assert_true(to(PLAIN, A10));
    assert_true(to(C20, STRICT));
    expect(0);
    assert_int_equal(port[A10].port.drops[DROP_NODST], 2);
    assert_int_equal(port[PLAIN].port.drops[DROP_NODST], 1);
    assert_int_equal(port[C20].port.drops[DROP_NODST], 1);
}

/* What comes after the addresses, as port i got it. */
static void expect_tag(u32 i, u32 vlan, u32 priority)
{
    const struct net_frame *f = &port[i].last;

    assert_int_equal(frame_type(f), NET_VLAN);
    assert_int_equal(frame_control(f), priority | vlan);
}

static void each_gets_its_own_form(void **state)
{
    (void)state;
    assert_true(stub_send(&port[A10], BROADCAST, stub_mac(&port[A10]), LEN));
    assert_int_equal(port[B10].last.len, LEN);
    assert_int_equal(frame_type(&port[B10].last), NET_IPV4);
    assert_int_equal(port[TRUNK].last.len, LEN + 4);
    expect_tag(TRUNK, 10, 0);
    expect_tag(STRICT, 10, 0);
    assert_int_equal(load_be16(port[TRUNK].last.head + 16), NET_IPV4);
    expect(BIT(B10) | BIT(TRUNK) | BIT(STRICT));
    assert_true(to(D30, TRUNK));
    assert_int_equal(frame_type(&port[TRUNK].last), NET_IPV4); /* native */
    assert_int_equal(port[TRUNK].last.len, LEN);
}

static void trunk_to_access(void **state)
{
    (void)state;
    assert_true(stub_send_tagged(&port[TRUNK], &port[B10], NET_VLAN, PRIORITY | 10));
    expect(BIT(B10));
    assert_int_equal(frame_type(&port[B10].last), NET_IPV4);
    assert_int_equal(port[B10].last.len, 60);
    assert_int_equal(port[B10].last.head_len, 60);
    assert_int_equal(port[B10].last.wire, 60);
    assert_int_equal(port[B10].last.off, 4);
    for (u32 i = 14; i < 60; i++) {
        assert_int_equal(port[B10].last.head[i], i + 4);
    }
    assert_true(stub_send_tagged(&port[TRUNK], &port[STRICT], NET_VLAN, PRIORITY | 10));
    expect_tag(STRICT, 10, PRIORITY);
    assert_int_equal(port[STRICT].last.len, 64);
    expect(BIT(STRICT));
    assert_true(stub_send_tagged(&port[TRUNK], &port[B10], NET_VLAN, 20)); /* not in there */
    assert_true(stub_send_tagged(&port[TRUNK], &port[C20], NET_VLAN, 10));
    expect(0);
    assert_int_equal(port[TRUNK].port.drops[DROP_NODST], 2);
}

static void trunk_sends_only_what_is_listed(void **state)
{
    static const u32 bad[] = {1, 11, 30, 0xfff, 64 + 10, 4094};

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(bad); i++) { /* 30: native, which has no tag */
        assert_true(stub_send_tagged(&port[TRUNK], &port[D30], NET_VLAN, bad[i]));
        assert_int_equal(vlan_drops(TRUNK), i + 1);
    }
    assert_true(stub_send_tagged(&port[TRUNK], &port[B10], NET_QINQ, 10));
    assert_int_equal(vlan_drops(TRUNK), ARRAY_SIZE(bad) + 1);
    expect(0);
}

static void access_sends_no_tags(void **state)
{
    static const u32 bad[] = {10, 20, 1, 0xfff};

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
        assert_true(stub_send_tagged(&port[A10], &port[B10], NET_VLAN, bad[i]));
        assert_int_equal(vlan_drops(A10), i + 1);
    }
    assert_true(stub_send_tagged(&port[A10], &port[B10], NET_QINQ, 0));
    assert_int_equal(vlan_drops(A10), ARRAY_SIZE(bad) + 1);
    expect(0);
}

/* A tag that says nothing but a priority is no VLAN's. */
static void priority_tags(void **state)
{
    (void)state;
    assert_true(stub_send_tagged(&port[A10], &port[B10], NET_VLAN, PRIORITY));
    assert_int_equal(frame_type(&port[B10].last), NET_IPV4);
    assert_int_equal(port[B10].last.len, 60);
    assert_true(stub_send_tagged(&port[A10], &port[TRUNK], NET_VLAN, PRIORITY));
    expect_tag(TRUNK, 10, PRIORITY);
    assert_int_equal(port[TRUNK].last.len, 64);
    assert_true(stub_send_tagged(&port[TRUNK], &port[D30], NET_VLAN, PRIORITY));
    expect(BIT(B10) | BIT(TRUNK) | BIT(D30));
    assert_true(stub_send_tagged(&port[STRICT], &port[B10], NET_VLAN, PRIORITY));
    expect(0);
    assert_int_equal(vlan_drops(STRICT), 1);
}

/* The inner tag would take the frame to another VLAN when the outer one comes off. */
static void double_tags(void **state)
{
    static const struct {
        u32 from, control;
    } tries[] = {{A10, 0}, {TRUNK, 10}, {STRICT, 10}};

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(tries); i++) {
        struct stub *s = &port[tries[i].from];

        assert_true(stub_send_tagged(s, &port[B10], NET_VLAN, tries[i].control));
        expect(BIT(B10));
        store_be16(s->frame.head + 16, NET_VLAN);
        assert_true(stub_send_again(s));
        store_be16(s->frame.head + 16, NET_QINQ);
        assert_true(stub_send_again(s));
        assert_int_equal(s->port.drops[DROP_VLAN], 2);
        expect(0);
    }
}

static void half_a_tag(void **state)
{
    (void)state;
    (void)stub_send_tagged(&port[TRUNK], &port[B10], NET_VLAN, 10);
    expect(BIT(B10));
    port[TRUNK].frame.len = port[TRUNK].frame.head_len = 17;
    assert_true(stub_send_again(&port[TRUNK]));
    expect(0);
    assert_int_equal(port[TRUNK].port.drops[DROP_SIZE], 1);
    port[TRUNK].frame.len = port[TRUNK].frame.head_len = 18;
    assert_true(stub_send_again(&port[TRUNK]));
    expect(BIT(B10));
    assert_int_equal(port[B10].last.len, 14);
}

static void tags_are_payload_without_vlans(void **state)
{
    (void)state;
    assert_true(stub_send_tagged(&port[PLAIN], &port[OTHER], NET_VLAN, 10));
    expect(BIT(OTHER));
    expect_tag(OTHER, 10, 0);
    assert_true(stub_send_tagged(&port[PLAIN], &port[B10], NET_VLAN, 10));
    expect(0);
}

/* The sender's frame is afterwards what it was, whoever got what of it. */
static void the_frame_survives(void **state)
{
    struct net_frame *f = &port[A10].frame, before;

    (void)state;
    assert_true(all(A10));
    before = *f;
    assert_true(stub_send_again(&port[A10]));
    assert_memory_equal(f->head, before.head, f->head_len);
    assert_int_equal(f->off, before.off);
    assert_int_equal(f->len, before.len);
    assert_int_equal(f->wire, before.wire);
    (void)stub_send_tagged(&port[TRUNK], &port[B10], NET_VLAN, PRIORITY | 10);
    f = &port[TRUNK].frame;
    before = *f;
    assert_true(stub_send_again(&port[TRUNK]));
    assert_memory_equal(f->head, before.head, f->head_len);
    assert_int_equal(f->head_len, before.head_len);
    assert_int_equal(f->off, before.off);
}

/* A tag is not counted towards the MTU, put in or there from the start. */
static void a_tag_is_not_counted(void **state)
{
    (void)state;
    assert_true(stub_send(&port[A10], stub_mac(&port[TRUNK]), stub_mac(&port[A10]), 1514));
    expect(BIT(TRUNK));
    assert_int_equal(port[TRUNK].last.wire, 1518);
    assert_int_equal(port[TRUNK].port.drops[DROP_SIZE], 0);
}

static void super_frames_keep_what_is_to_be_done(void **state)
{
    struct net_frame *f = &port[A10].frame;
    const struct net_offload *o = &port[TRUNK].last.offload;

    (void)state;
    (void)to(A10, TRUNK);
    for (u32 i = 0; i < PORTS; i++) {
        port[i].port.accepts = NEED_CSUM | NEED_TSO4;
    }
    f->len = 40000;
    f->wire = 1514;
    f->needs = NEED_CSUM | NEED_TSO4;
    f->offload = (struct net_offload){.gso = GSO_TCPV4,
                                      .csum = true,
                                      .headers = 54,
                                      .gso_size = 1460,
                                      .csum_start = 34,
                                      .csum_offset = 16};
    assert_true(stub_send_again(&port[A10]));
    assert_int_equal(port[TRUNK].last.len, 40004);
    assert_int_equal(port[TRUNK].last.wire, 1518);
    assert_int_equal(o->headers, 58);
    assert_int_equal(o->csum_start, 38);
    assert_int_equal(o->csum_offset, 16);
    assert_int_equal(o->gso_size, 1460);
    assert_int_equal(f->offload.headers, 54);
    assert_int_equal(f->offload.csum_start, 34);
    f->needs = NEED_CSUM;
    f->offload.headers = 0;
    assert_true(stub_send_again(&port[A10]));
    assert_int_equal(o->headers, 0);
}

/* The longest head there is takes a tag, too. */
static void a_full_head(void **state)
{
    struct net_frame *f = &port[A10].frame;

    (void)state;
    (void)to(A10, TRUNK);
    f->len = f->wire = 1000;
    f->head_len = NET_HEAD;
    f->head[NET_HEAD - 1] = 0x5a;
    assert_true(stub_send_again(&port[A10]));
    assert_int_equal(port[TRUNK].last.head[NET_HEAD + 3], 0x5a);
    assert_int_equal(port[TRUNK].last.head_len, NET_HEAD + 4);
    assert_int_equal(f->head[NET_HEAD - 1], 0x5a);
}

/* The same address may be in two VLANs at two places. */
static void learns_by_vlan(void **state)
{
    (void)state;
    net_forget_all();
    for (u32 i = 0; i < PORTS; i++) {
        port[i].port.mac_spoof_allow = i == A10 || i == C20;
        stub_up(&port[i]);
    }
    assert_true(stub_send(&port[A10], stub_mac(&port[B10]), STRANGER, LEN));
    assert_true(stub_send(&port[C20], stub_mac(&port[TRUNK]), STRANGER, LEN));
    expect(BIT(B10) | BIT(TRUNK));
    assert_true(stub_send(&port[B10], STRANGER, stub_mac(&port[B10]), LEN));
    expect(BIT(A10));
    assert_true(stub_send(&port[D30], STRANGER, stub_mac(&port[D30]), LEN));
    expect(BIT(TRUNK)); /* unknown in VLAN 30 */
    assert_true(stub_send(&port[PLAIN], STRANGER, stub_mac(&port[PLAIN]), LEN));
    expect(BIT(OTHER));
}

#define T(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(floods_stay_within),
        T(unicast_stays_within),
        T(each_gets_its_own_form),
        T(trunk_to_access),
        T(trunk_sends_only_what_is_listed),
        T(access_sends_no_tags),
        T(priority_tags),
        T(double_tags),
        T(half_a_tag),
        T(tags_are_payload_without_vlans),
        T(the_frame_survives),
        T(a_tag_is_not_counted),
        T(super_frames_keep_what_is_to_be_done),
        T(a_full_head),
        T(learns_by_vlan),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
