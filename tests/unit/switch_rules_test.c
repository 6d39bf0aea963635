/* SPDX-License-Identifier: MIT */
/* What the config lets the ports of a switch do: isolation, monitors, static addresses, options. */
#include "arch/host/arch.h"
#include "core/str.h"
#include "tests/host/driver.h"
#include "tests/host/port.h"
#include "vdev/net/switch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define BROADCAST 0xffffffffffffull
#define MULTICAST 0x01005e000001ull
#define STRANGER  0x020000001000ull
#define LEN       64u
#define SECOND    1000000000ull

static struct stub a, b, c, m;
static struct stub *const ports[] = {&a, &b, &c, &m};
static struct vlan_list tags;
static struct switch_conf conf;

static int setup(void **state)
{
    static const char *const names[] = {"a", "b", "c", "m"};

    (void)state;
    host_init();
    net_forget_all();
    memset(&tags, 0, sizeof(tags));
    host_now_ns = SECOND;
    for (u32 i = 0; i < 4; i++) {
        stub_init(ports[i], names[i], "eth", (u8)(i + 1));
        stub_switch(ports[i], "lan");
    }
    conf = (struct switch_conf){.name = str_of("lan"), .age_s = CFG_AGE, .poll_cpu = UINT32_MAX};
    return 0;
}

static void up(void)
{
    for (u32 i = 0; i < 4; i++) {
        stub_up(ports[i]);
    }
}

static bool got(u32 na, u32 nb, u32 nc, u32 nm)
{
    bool same = a.delivered == na && b.delivered == nb && c.delivered == nc && m.delivered == nm;

    a.delivered = b.delivered = c.delivered = m.delivered = 0;
    return same;
}

static bool send(struct stub *from, u64 to)
{
    return stub_send(from, to, stub_mac(from), LEN);
}

static void add_static(struct stub *s, u64 mac)
{
    u8 *b6 = s->port.rules.statics.mac[s->port.rules.statics.n++];

    for (u32 i = 0; i < 6; i++) {
        b6[i] = (u8)(mac >> (40 - 8 * i));
    }
}

/* --- isolation -------------------------------------------------------------------------------- */

static void isolated_ports_never_talk(void **state)
{
    (void)state;
    a.port.rules.isolate = b.port.rules.isolate = true;
    up();
    assert_true(send(&a, stub_mac(&b)));
    assert_true(got(0, 0, 0, 0));
    assert_int_equal(a.port.drops[DROP_ISOLATE], 1);
    assert_true(send(&a, BROADCAST));
    assert_true(got(0, 0, 1, 1));
    assert_true(send(&a, STRANGER));
    assert_true(got(0, 0, 1, 1));
    assert_true(send(&a, stub_mac(&c)));
    assert_true(send(&c, stub_mac(&a)));
    assert_true(got(1, 0, 1, 0));
    assert_true(send(&c, BROADCAST));
    assert_true(got(1, 1, 0, 1));
}

static void isolated_ports_do_not_talk_by_learning(void **state)
{
    (void)state;
    a.port.rules.isolate = b.port.rules.isolate = true;
    b.port.mac_spoof_allow = true;
    up();
    assert_true(stub_send(&b, stub_mac(&c), STRANGER, LEN));
    (void)got(0, 0, 0, 0);
    assert_true(send(&a, STRANGER));
    assert_true(got(0, 0, 0, 0));
    assert_true(send(&c, STRANGER));
    assert_true(got(0, 1, 0, 0));
}

/* --- monitors --------------------------------------------------------------------------------- */

static void a_monitor_gets_all_and_sends_nothing(void **state)
{
    (void)state;
    m.port.rules.monitor = true;
    up();
    assert_true(send(&a, stub_mac(&b)));
    assert_true(got(0, 1, 0, 1));
    assert_int_equal(m.flushed, 1);
    assert_true(send(&a, BROADCAST));
    assert_true(got(0, 1, 1, 1)); /* once */
    assert_true(send(&a, STRANGER));
    assert_true(got(0, 1, 1, 1));
    assert_true(send(&a, stub_mac(&a))); /* goes nowhere, but was sent */
    assert_true(got(0, 0, 0, 1));
    assert_true(stub_send(&a, stub_mac(&b), stub_mac(&b), LEN)); /* not admitted */
    assert_true(got(0, 0, 0, 0));
    assert_true(send(&m, stub_mac(&a)));
    assert_true(send(&m, BROADCAST));
    assert_true(got(0, 0, 0, 0));
    assert_int_equal(m.port.drops[DROP_ISOLATE], 2);
}

/* Its address is nobody's: a frame there goes everywhere, as to any other unknown one. */
static void a_monitor_is_no_destination(void **state)
{
    (void)state;
    m.port.rules.monitor = true;
    up();
    assert_true(send(&a, stub_mac(&m)));
    assert_true(got(0, 1, 1, 1));
}

static void a_monitor_that_is_down_costs_nothing(void **state)
{
    (void)state;
    m.port.rules.monitor = true;
    up();
    m.port.net->link(&m.port, false);
    assert_true(send(&a, stub_mac(&b)));
    assert_true(got(0, 1, 0, 0));
    assert_int_equal(m.port.drops[DROP_DOWN], 0);
}

static void a_monitor_sees_frames_as_they_came(void **state)
{
    (void)state;
    m.port.rules.monitor = true;
    a.port.rules.vlan = vlan_access(10);
    b.port.rules.vlan = vlan_trunk(&tags, 10, 0);
    c.port.rules.vlan = vlan_access(20);
    up();
    assert_true(send(&a, BROADCAST));
    assert_true(got(0, 1, 0, 1));
    assert_int_equal(frame_type(&b.last), NET_VLAN);
    assert_int_equal(frame_type(&m.last), NET_IPV4);
    assert_true(stub_send_tagged(&b, &a, NET_VLAN, 10));
    assert_true(got(1, 0, 0, 1));
    assert_int_equal(frame_type(&a.last), NET_IPV4);
    assert_int_equal(frame_type(&m.last), NET_VLAN);
    assert_true(send(&c, BROADCAST));
    assert_true(got(0, 0, 0, 1));
    assert_true(stub_send_tagged(&c, &a, NET_VLAN, 10)); /* not admitted */
    assert_true(got(0, 0, 0, 0));
}

/* Its copies are work, too: what the budget doesn't allow comes in the next burst, once each. */
static void a_monitor_counts(void **state)
{
    struct net_frame *f = &a.frame;

    (void)state;
    m.port.rules.monitor = true;
    up();
    (void)send(&a, stub_mac(&b));
    (void)got(0, 0, 0, 0);
    f->begun = false;
    f->budget = 1;
    assert_false(a.port.net->send(&a.port, f));
    assert_int_equal(b.delivered + m.delivered, 1);
    f->budget = 1;
    assert_true(a.port.net->send(&a.port, f));
    assert_true(got(0, 1, 0, 1));
}

/* --- addresses -------------------------------------------------------------------------------- */

static void static_addresses(void **state)
{
    (void)state;
    for (u32 i = 0; i < OPT_MACS_MAX; i++) {
        add_static(&b, STRANGER + i);
    }
    up();
    for (u32 i = 0; i < OPT_MACS_MAX; i++) {
        assert_true(send(&a, STRANGER + i));
        assert_true(got(0, 1, 0, 0));
        assert_true(stub_send(&b, stub_mac(&a), STRANGER + i, LEN)); /* without mac-spoof */
        assert_true(got(1, 0, 0, 0));
    }
    assert_true(stub_send(&b, stub_mac(&a), STRANGER + OPT_MACS_MAX, LEN));
    assert_true(stub_send(&a, stub_mac(&c), STRANGER, LEN));
    assert_true(got(0, 0, 0, 0));
    assert_int_equal(a.port.drops[DROP_SPOOF], 1);
    assert_int_equal(b.port.drops[DROP_SPOOF], 1);
}

static void static_addresses_cannot_be_taken(void **state)
{
    (void)state;
    add_static(&b, STRANGER);
    add_static(&c, STRANGER + 1);
    c.port.mac_spoof_allow = true;
    up();
    assert_true(stub_send(&c, stub_mac(&a), STRANGER, LEN));
    assert_true(got(0, 0, 0, 0));
    assert_int_equal(c.port.drops[DROP_SPOOF], 1);
    assert_true(stub_send(&c, stub_mac(&a), STRANGER + 1, LEN));
    assert_true(got(1, 0, 0, 0));
    assert_true(send(&a, STRANGER));
    assert_true(got(0, 1, 0, 0));
}

static void the_same_static_address_twice_is_refused(void **state)
{
    (void)state;
    add_static(&a, STRANGER);
    add_static(&b, STRANGER);
    add_static(&c, stub_mac(&a));
    stub_up(&a);
    assert_true(net_connect(&b.port));
    assert_true(net_connect(&c.port));
    assert_true(net_connect(&m.port));
    assert_false(b.carrier);
    assert_false(c.carrier);
    assert_true(m.carrier);
}

/* As many addresses as there can be are all found. */
static void a_full_table(void **state)
{
    static struct stub many[NET_PORTS_MAX];

    (void)state;
    for (u32 i = 0; i < NET_PORTS_MAX; i++) {
        stub_init(&many[i], "vm", "n", (u8)(i + 1));
        stub_switch(&many[i], "lan");
        for (u32 k = 0; k < OPT_MACS_MAX; k++) {
            add_static(&many[i], STRANGER + i * OPT_MACS_MAX + k);
        }
        stub_up(&many[i]);
    }
    for (u32 i = 1; i < NET_PORTS_MAX; i++) {
        for (u32 k = 0; k < OPT_MACS_MAX; k++) {
            assert_true(send(&many[0], STRANGER + i * OPT_MACS_MAX + k));
            assert_int_equal(many[i].delivered, k + 1);
        }
    }
}

/* --- options of the switch -------------------------------------------------------------------- */

static void drop_unknown(void **state)
{
    (void)state;
    conf.drop_unknown = true;
    switch_configure(&conf);
    b.port.mac_spoof_allow = true;
    up();
    assert_true(send(&a, STRANGER));
    assert_true(got(0, 0, 0, 0));
    assert_int_equal(a.port.drops[DROP_NODST], 1);
    assert_true(send(&a, BROADCAST));
    assert_true(got(0, 1, 1, 1));
    assert_true(send(&a, MULTICAST));
    assert_true(got(0, 1, 1, 1));
    assert_true(stub_send(&b, stub_mac(&c), STRANGER, LEN)); /* now it's known */
    (void)got(0, 0, 0, 0);
    assert_true(send(&a, STRANGER));
    assert_true(got(0, 1, 0, 0));
}

static void ages_as_configured(void **state)
{
    (void)state;
    conf.age_s = 20;
    switch_configure(&conf);
    b.port.mac_spoof_allow = true;
    up();
    assert_true(stub_send(&b, stub_mac(&c), STRANGER, LEN));
    (void)got(0, 0, 0, 0);
    host_now_ns += 20 * SECOND;
    assert_true(send(&a, STRANGER));
    assert_true(got(0, 1, 0, 0));
    host_now_ns += 3 * SECOND;
    assert_true(send(&a, STRANGER));
    assert_true(got(0, 1, 1, 1));
}

#define T(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(isolated_ports_never_talk),
        T(isolated_ports_do_not_talk_by_learning),
        T(a_monitor_gets_all_and_sends_nothing),
        T(a_monitor_is_no_destination),
        T(a_monitor_that_is_down_costs_nothing),
        T(a_monitor_sees_frames_as_they_came),
        T(a_monitor_counts),
        T(static_addresses),
        T(static_addresses_cannot_be_taken),
        T(the_same_static_address_twice_is_refused),
        T(a_full_table),
        T(drop_unknown),
        T(ages_as_configured),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
