/* SPDX-License-Identifier: MIT */
/* The learning switch, with ports that have no device behind them. */
#include "arch/host/arch.h"
#include "core/page.h"
#include "core/str.h"
#include "tests/host/driver.h"
#include "tests/host/port.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define BROADCAST 0xffffffffffffull
#define MULTICAST 0x01005e000001ull
#define STRANGER  0x020000001000ull /* + n: addresses that nobody is configured with */
#define AGE_NS    301000000000ull
#define LEN       64u

static struct stub a, b, c, d;
static struct stub many[NET_PORTS_MAX + 1];

static int setup(void **state)
{
    struct stub *all[] = {&a, &b, &c, &d};

    (void)state;
    host_init();
    net_forget_all();
    host_now_ns = 1000000000;
    for (u32 i = 0; i < 4; i++) {
        static const char *const names[] = {"a", "b", "c", "d"};

        stub_init(all[i], names[i], "eth", (u8)(i + 1));
        stub_switch(all[i], "lan");
    }
    return 0;
}

static void up(void)
{
    stub_up(&a);
    stub_up(&b);
    stub_up(&c);
}

static void allow(struct stub *s)
{
    s->port.mac_spoof_allow = true;
}

static bool got(u32 na, u32 nb, u32 nc)
{
    bool same = a.delivered == na && b.delivered == nb && c.delivered == nc;

    a.delivered = b.delivered = c.delivered = 0;
    return same;
}

/* --- where frames go -------------------------------------------------------------------------- */

static void unicast(void **state)
{
    (void)state;
    up();
    assert_true(a.carrier);
    assert_true(stub_send(&a, stub_mac(&b), stub_mac(&a), LEN));
    assert_true(got(0, 1, 0));
    assert_int_equal(b.flushed, 1);
    assert_int_equal(c.flushed, 0);
    assert_true(stub_send(&b, stub_mac(&a), stub_mac(&b), LEN));
    assert_true(got(1, 0, 0));
    assert_int_equal(mac_number(a.last.head), stub_mac(&a));
    assert_int_equal(mac_number(a.last.head + 6), stub_mac(&b));
}

static void flood(void **state)
{
    static const u64 to[] = {BROADCAST, MULTICAST, STRANGER, 0};

    (void)state;
    up();
    for (u32 i = 0; i < ARRAY_SIZE(to); i++) {
        assert_true(stub_send(&a, to[i], stub_mac(&a), LEN));
        assert_true(got(0, 1, 1));
    }
    b.port.net->link(&b.port, false);
    assert_true(stub_send(&a, BROADCAST, stub_mac(&a), LEN));
    assert_true(got(0, 0, 1));
    assert_int_equal(b.port.drops[DROP_DOWN], 0); /* not even tried */
}

static void no_way_back(void **state)
{
    (void)state;
    allow(&a);
    up();
    assert_true(stub_send(&a, stub_mac(&a), stub_mac(&a), LEN));
    assert_true(got(0, 0, 0));
    assert_int_equal(a.port.drops[DROP_NODST], 1);
    assert_true(stub_send(&a, stub_mac(&b), STRANGER, LEN)); /* teaches */
    assert_true(stub_send(&a, STRANGER, stub_mac(&a), LEN));
    assert_true(got(0, 1, 0));
    assert_int_equal(a.port.drops[DROP_NODST], 2);
}

static void separate_switches(void **state)
{
    (void)state;
    stub_switch(&c, "wan");
    up();
    assert_true(stub_send(&a, BROADCAST, stub_mac(&a), LEN));
    assert_true(got(0, 1, 0));
    assert_true(stub_send(&a, stub_mac(&c), stub_mac(&a), LEN));
    assert_true(got(0, 1, 0)); /* unknown here */
}

static void one_flush_per_burst(void **state)
{
    const struct net_ops *net;

    (void)state;
    up();
    net = a.port.net;
    a.frame.budget = 64;
    for (u32 i = 0; i < 5; i++) {
        assert_true(stub_send(&b, stub_mac(&a), stub_mac(&b), LEN)); /* fills b.frame */
    }
    assert_int_equal(a.flushed, 5);
    for (u32 i = 0; i < 5; i++) {
        b.frame.begun = false;
        assert_true(net->send(&b.port, &b.frame));
    }
    net->flush(&b.port, &b.frame);
    assert_int_equal(a.flushed, 6);
    net->flush(&b.port, &b.frame);
    assert_int_equal(a.flushed, 6);
}

static void refused_is_not_flushed(void **state)
{
    (void)state;
    up();
    b.refuse = true;
    assert_true(stub_send(&a, BROADCAST, stub_mac(&a), LEN));
    assert_true(got(0, 0, 1));
    assert_int_equal(b.flushed, 0);
    assert_int_equal(c.flushed, 1);
}

/* --- what is dropped ---------------------------------------------------------------------------
 */

static void runts_and_giants(void **state)
{
    u64 b_size = 0;

    (void)state;
    up();
    assert_true(stub_send(&a, stub_mac(&b), stub_mac(&a), 0));
    assert_true(stub_send(&a, stub_mac(&b), stub_mac(&a), 13));
    assert_int_equal(a.port.drops[DROP_SIZE], 2);
    assert_true(stub_send(&a, stub_mac(&b), stub_mac(&a), 14));
    assert_true(stub_send(&a, stub_mac(&b), stub_mac(&a), 1514));
    assert_true(got(0, 2, 0));
    assert_true(stub_send(&a, stub_mac(&b), stub_mac(&a), 1515));
    assert_int_equal(a.port.drops[DROP_SIZE], 3);
    b.port.mtu = 1000; /* the receiver's is smaller */
    b_size = b.port.drops[DROP_SIZE];
    assert_true(stub_send(&a, stub_mac(&b), stub_mac(&a), 1015));
    assert_int_equal(b.port.drops[DROP_SIZE], b_size + 1);
    assert_true(got(0, 0, 0));
}

/* The frame that s sent last, as it is by now. */
static bool send_again(struct stub *s)
{
    s->frame.begun = false;
    return s->port.net->send(&s->port, &s->frame);
}

static void vlan_tag_is_not_payload(void **state)
{
    (void)state;
    up();
    assert_true(stub_send(&a, stub_mac(&b), stub_mac(&a), LEN));
    a.frame.head[12] = 0x81;
    a.frame.wire = 1518;
    assert_true(send_again(&a));
    assert_true(got(0, 2, 0));
    a.frame.wire = 1519;
    assert_true(send_again(&a));
    assert_true(got(0, 0, 0));
    a.frame.head[12] = 0x88;
    a.frame.head[13] = 0xa8;
    a.frame.wire = 1518;
    assert_true(send_again(&a));
    assert_true(got(0, 1, 0));
}

static void spoofing(void **state)
{
    static const u64 bad[] = {0x020000000002, STRANGER, BROADCAST, MULTICAST, 0};

    (void)state;
    up();
    for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
        assert_true(stub_send(&a, stub_mac(&c), bad[i], LEN));
        assert_int_equal(a.port.drops[DROP_SPOOF], i + 1);
    }
    assert_true(got(0, 0, 0));
}

static void spoofing_allowed(void **state)
{
    (void)state;
    allow(&a);
    up();
    assert_true(stub_send(&a, stub_mac(&c), STRANGER, LEN));
    assert_true(got(0, 0, 1));
    assert_true(stub_send(&a, stub_mac(&c), BROADCAST, LEN)); /* never */
    assert_true(stub_send(&a, stub_mac(&c), MULTICAST, LEN));
    assert_true(stub_send(&a, stub_mac(&c), 0, LEN));
    assert_true(stub_send(&a, stub_mac(&c), stub_mac(&b), LEN)); /* another's configured one */
    assert_int_equal(a.port.drops[DROP_SPOOF], 4);
    assert_true(got(0, 0, 0));
    assert_true(stub_send(&c, stub_mac(&b), stub_mac(&c), LEN)); /* b is still where it was */
    assert_true(got(0, 1, 0));
}

/* --- learning -----------------------------------------------------------------------------------
 */

static void learns_and_forgets(void **state)
{
    (void)state;
    allow(&b);
    up();
    assert_true(stub_send(&b, stub_mac(&c), STRANGER, LEN));
    assert_true(got(0, 0, 1));
    assert_true(stub_send(&a, STRANGER, stub_mac(&a), LEN));
    assert_true(got(0, 1, 0));
    host_now_ns += AGE_NS - 10000000000ull;
    assert_true(stub_send(&a, STRANGER, stub_mac(&a), LEN));
    assert_true(got(0, 1, 0));
    host_now_ns += 20000000000ull;
    assert_true(stub_send(&a, STRANGER, stub_mac(&a), LEN));
    assert_true(got(0, 1, 1));
}

static void hearing_again_keeps_it(void **state)
{
    (void)state;
    allow(&b);
    up();
    for (u32 i = 0; i < 4; i++) {
        assert_true(stub_send(&b, stub_mac(&c), STRANGER, LEN));
        host_now_ns += AGE_NS / 2;
    }
    (void)got(0, 0, 4);
    assert_true(stub_send(&a, STRANGER, stub_mac(&a), LEN));
    assert_true(got(0, 1, 0));
}

static void an_address_moves(void **state)
{
    (void)state;
    allow(&a);
    allow(&b);
    up();
    assert_true(stub_send(&a, stub_mac(&c), STRANGER, LEN));
    assert_true(stub_send(&b, stub_mac(&c), STRANGER, LEN));
    (void)got(0, 0, 2);
    assert_true(stub_send(&c, STRANGER, stub_mac(&c), LEN));
    assert_true(got(0, 1, 0));
}

static void reset_forgets(void **state)
{
    (void)state;
    allow(&b);
    up();
    assert_true(stub_send(&b, stub_mac(&c), STRANGER, LEN));
    b.port.net->link(&b.port, false);
    b.port.net->link(&b.port, true);
    (void)got(0, 0, 1);
    assert_true(stub_send(&a, STRANGER, stub_mac(&a), LEN));
    assert_true(got(0, 1, 1)); /* flooded again */
}

/* Of n strangers from `first` on, how many does the switch know to be at b? */
static u32 known(u64 first, u32 n)
{
    u32 count = 0;

    for (u32 i = 0; i < n; i++) {
        assert_true(stub_send(&c, first + i, stub_mac(&c), LEN));
        count += b.delivered == 1 && a.delivered == 0;
        (void)got(0, 0, 0);
    }
    return count;
}

static void one_port_teaches_only_so_much(void **state)
{
    (void)state;
    allow(&b);
    up();
    for (u32 i = 0; i < 5000; i++) {
        assert_true(stub_send(&b, stub_mac(&c), STRANGER + i, LEN));
    }
    assert_in_range(known(STRANGER, 5000), 32, 64);
}

static void nobody_pushes_out_what_others_taught(void **state)
{
    u32 before;

    (void)state;
    allow(&a);
    allow(&b);
    up();
    for (u32 i = 0; i < 40; i++) {
        assert_true(stub_send(&b, stub_mac(&c), STRANGER + i, LEN));
    }
    before = known(STRANGER, 40);
    assert_in_range(before, 30, 40);
    for (u32 i = 0; i < 5000; i++) {
        assert_true(stub_send(&a, stub_mac(&c), STRANGER + 1000 + i, LEN));
    }
    (void)got(0, 0, 0);
    assert_int_equal(known(STRANGER, 40), before);
}

static void aged_addresses_make_room(void **state)
{
    (void)state;
    allow(&b);
    up();
    for (u32 i = 0; i < 5000; i++) {
        assert_true(stub_send(&b, stub_mac(&c), STRANGER + i, LEN));
    }
    host_now_ns += AGE_NS + 2000000000ull;
    for (u32 i = 0; i < 20000; i++) { /* enough to pass by every bucket */
        assert_true(stub_send(&b, stub_mac(&c), STRANGER + 10000 + i, LEN));
    }
    (void)got(0, 0, 0);
    assert_in_range(known(STRANGER + 10000, 20000), 32, 64);
}

/* --- floods and budgets -------------------------------------------------------------------------
 */

static void connect_many(u32 count)
{
    for (u32 i = 0; i < count; i++) {
        char *name = many[i].port.name;

        stub_init(&many[i], "vm", "n", (u8)(i + 1));
        sprintf(name, "port %u", i);
        many[i].port.node = str_of(name);
        stub_switch(&many[i], "lan");
        stub_up(&many[i]);
    }
}

static void rule_40_flood_goes_on_in_the_next_burst(void **state)
{
    struct net_frame *f = &many[20].frame;
    u32 bursts = 1;

    (void)state;
    connect_many(NET_PORTS_MAX);
    many[20].port.mtu = 9000;
    for (u32 i = 0; i < NET_PORTS_MAX; i++) {
        many[i].port.mtu = 9000;
    }
    assert_false(stub_send(&many[20], BROADCAST, stub_mac(&many[20]), 9000)); /* costs 5 each */
    while (bursts < 100) {
        u32 sum = 0;

        for (u32 i = 0; i < NET_PORTS_MAX; i++) {
            sum += many[i].delivered;
        }
        assert_in_range(sum, 13 * bursts, 14 * bursts);
        f->budget = 64;
        bursts++;
        if (many[20].port.net->send(&many[20].port, f)) {
            break;
        }
    }
    many[20].port.net->flush(&many[20].port, &many[20].frame);
    assert_int_equal(bursts, 5);
    for (u32 i = 0; i < NET_PORTS_MAX; i++) { /* each exactly once */
        assert_int_equal(many[i].delivered, i != 20);
        assert_int_equal(many[i].flushed, i != 20);
    }
}

static void as_many_ports_as_there_are(void **state)
{
    (void)state;
    connect_many(NET_PORTS_MAX + 1);
    assert_true(stub_send(&many[0], BROADCAST, stub_mac(&many[0]), LEN));
    for (u32 i = 1; i < NET_PORTS_MAX; i++) {
        assert_int_equal(many[i].delivered, 1);
        assert_true(stub_send(&many[0], stub_mac(&many[i]), stub_mac(&many[0]), LEN));
        assert_int_equal(many[i].delivered, 2); /* every static address is found */
    }
    assert_int_equal(many[NET_PORTS_MAX].delivered, 0);
    assert_false(many[NET_PORTS_MAX].carrier);
    assert_true(stub_send(&many[NET_PORTS_MAX], BROADCAST, 0x020000000041, LEN));
    assert_int_equal(many[NET_PORTS_MAX].port.drops[DROP_DOWN], 1);
}

/* --- who may join
 * --------------------------------------------------------------------------------- */

static bool joins(struct stub *s)
{
    stub_up(s);
    return s->carrier;
}

static void same_mac_is_refused(void **state)
{
    (void)state;
    stub_init(&b, "b", "eth", 1);
    stub_switch(&b, "lan");
    assert_true(joins(&a));
    assert_false(joins(&b));
    assert_true(stub_send(&a, BROADCAST, stub_mac(&a), LEN));
    assert_int_equal(b.delivered, 0);
}

static void bind_modes(void **state)
{
    (void)state;
    a.port.group = str_of("red");
    b.port.group = str_of("red");
    c.port.group = str_of("blue");
    assert_true(joins(&a));
    assert_true(joins(&b));
    assert_false(joins(&c)); /* another group */
    d.port.bind_mode = 0600;
    d.port.group = str_of("red");
    assert_false(joins(&d)); /* d admits only its own VM */
}

static void bind_mode_for_all(void **state)
{
    (void)state;
    a.port.bind_mode = 0666;
    b.port.bind_mode = 0666;
    b.port.group = str_of("blue");
    c.port.group = str_of("blue"); /* 0660: does not admit a */
    assert_true(joins(&a));
    assert_true(joins(&b));
    assert_false(joins(&c));
}

static void bind_mode_within_one_vm(void **state)
{
    (void)state;
    a.port.bind_mode = 0600;
    b.port.bind_mode = 0600;
    b.port.system = a.port.system;
    assert_true(joins(&a));
    assert_true(joins(&b));
    assert_false(joins(&c));
}

static void rule_42_no_allocation_at_run_time(void **state)
{
    u64 taken;

    (void)state;
    allow(&a);
    up();
    taken = page_taken();
    for (u32 i = 0; i < 3000; i++) {
        assert_true(stub_send(&a, STRANGER + i * 7, STRANGER + i, LEN));
    }
    assert_int_equal(page_taken(), taken);
}

static void shows(void **state)
{
    static const struct net_stats stats = {.tx_frames = 1234567890123,
                                           .tx_bytes = 5,
                                           .tx_bursts = 493827156049,
                                           .notifies = 6,
                                           .rx_frames = 7,
                                           .rx_bytes = 8,
                                           .interrupts = 9};

    (void)state;
    a.port.stats = &stats;
    a.port.nstats = 1;
    up();
    assert_true(stub_send(&a, stub_mac(&b), STRANGER, LEN));
    a.port.drops[DROP_STORM] = 12;
    a.port.waits = 3;
    assert_non_null(
        strstr(net_shown(),
               "switch lan: 3 ports\n"
               "  eth                      02:00:00:00:00:01  up\n"
               "    sent 1234567890123 frames               5 bytes           6 notifications, "
               "2.5 frames a burst\n"
               "    got             7 frames               8 bytes           9 interrupts\n"
               "    dropped 1 spoofed, 12 storm\n"
               "    held back 3 times by its rate\n"
               "  eth                      02:00:00:00:00:02  up\n"
               "    sent            0 frames               0 bytes           0 notifications, "
               "0.0 frames a burst\n"
               "    got             0 frames               0 bytes           0 interrupts\n"
               "  eth"));
}

static void shows_rules(void **state)
{
    static struct vlan_list tags;

    (void)state;
    a.port.rules.vlan = vlan_access(10);
    a.port.rules.isolate = true;
    (void)vlan_trunk(&tags, 1, 0);
    (void)vlan_trunk(&tags, 7, 0);
    (void)vlan_trunk(&tags, 8, 0);
    b.port.rules.vlan = vlan_trunk(&tags, 4094, 30);
    c.port.rules.monitor = true;
    up();
    assert_non_null(strstr(net_shown(), "01  up  vlan 10  isolated\n"));
    assert_non_null(strstr(net_shown(), "02  up  trunk 1,7-8,4094 native 30\n"));
    assert_non_null(strstr(net_shown(), "03  up  monitor\n"));
    for (u16 i = 100; i < 140; i = (u16)(i + 2)) {
        (void)vlan_trunk(&tags, i, 0);
    }
    assert_non_null(strstr(net_shown(), "trunk 1,7-8,100,102,104,106,108,110,... native 30\n"));
}

#define T(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(unicast),
        T(flood),
        T(no_way_back),
        T(separate_switches),
        T(one_flush_per_burst),
        T(refused_is_not_flushed),
        T(runts_and_giants),
        T(vlan_tag_is_not_payload),
        T(spoofing),
        T(spoofing_allowed),
        T(learns_and_forgets),
        T(hearing_again_keeps_it),
        T(an_address_moves),
        T(reset_forgets),
        T(one_port_teaches_only_so_much),
        T(nobody_pushes_out_what_others_taught),
        T(aged_addresses_make_room),
        T(rule_40_flood_goes_on_in_the_next_burst),
        T(as_many_ports_as_there_are),
        T(same_mac_is_refused),
        T(bind_modes),
        T(bind_mode_for_all),
        T(bind_mode_within_one_vm),
        T(rule_42_no_allocation_at_run_time),
        T(shows),
        T(shows_rules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
