/* SPDX-License-Identifier: MIT */
/* What `peer` paths mean, and private links: with ports that have no device, and with NICs. */
#include "core/str.h"
#include "tests/host/nic.h"
#include "tests/host/port.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define LEN 64u

static struct stub a, b, c;

static int setup(void **state)
{
    (void)state;
    host_init();
    net_forget_all();
    stub_init(&a, "left", "eth", 1);
    stub_init(&b, "right", "eth", 2);
    stub_init(&c, "other", "eth", 3);
    return 0;
}

static void exchange(void)
{
    assert_true(a.carrier);
    assert_true(b.carrier);
    assert_true(stub_send(&a, 0xffffffffffff, stub_mac(&a), LEN));
    assert_int_equal(b.delivered, 1);
    assert_int_equal(b.flushed, 1);
    assert_true(stub_send(&b, stub_mac(&a), stub_mac(&b), LEN));
    assert_int_equal(a.delivered, 1);
    assert_int_equal(a.flushed, 1);
    assert_int_equal(c.delivered, 0);
}

static void link_in_this_order(void **state)
{
    (void)state;
    stub_link(&a, "right", "eth");
    stub_link(&b, "left", "eth");
    stub_switch(&c, "eth");
    stub_up(&c);
    stub_up(&a);
    assert_false(a.carrier);
    assert_true(net_connect(&b.port));
    a.port.net->link(&a.port, true);
    assert_false(a.carrier); /* b's device isn't up yet */
    b.port.net->link(&b.port, true);
    exchange();
}

static void link_in_the_other_order(void **state)
{
    (void)state;
    stub_link(&a, "right", "eth");
    stub_link(&b, "left", "eth");
    assert_true(net_connect(&b.port));
    assert_true(net_connect(&a.port));
    b.port.net->link(&b.port, true);
    a.port.net->link(&a.port, true);
    exchange();
}

static void connect_both(void)
{
    stub_link(&a, "right", "eth");
    stub_link(&b, "left", "eth");
    assert_true(net_connect(&a.port));
    assert_true(net_connect(&b.port));
    a.port.net->link(&a.port, true);
    b.port.net->link(&b.port, true);
}

static void carrier_follows_both_ends(void **state)
{
    (void)state;
    connect_both();
    assert_int_equal(a.carriers, 1);
    b.port.net->link(&b.port, false);
    assert_false(a.carrier);
    assert_false(b.carrier);
    assert_true(stub_send(&a, stub_mac(&b), stub_mac(&a), LEN));
    assert_int_equal(a.port.drops[DROP_DOWN], 1);
    assert_int_equal(b.delivered, 0);
    b.port.net->link(&b.port, false); /* again: no change */
    assert_int_equal(a.carriers, 2);
    b.port.net->link(&b.port, true);
    exchange();
    assert_int_equal(a.carriers, 3);
}

static void nobody_flushes_for_nothing(void **state)
{
    (void)state;
    connect_both();
    a.port.net->flush(&a.port, &a.frame);
    assert_int_equal(b.flushed, 0);
    b.refuse = true;
    assert_true(stub_send(&a, stub_mac(&b), stub_mac(&a), LEN));
    assert_int_equal(b.flushed, 0);
}

static void a_link_checks_frames_too(void **state)
{
    (void)state;
    connect_both();
    assert_true(stub_send(&a, stub_mac(&b), stub_mac(&c), LEN));
    assert_true(stub_send(&a, stub_mac(&b), stub_mac(&a), 13));
    assert_true(stub_send(&a, stub_mac(&b), stub_mac(&a), 1515));
    assert_int_equal(a.port.drops[DROP_SPOOF], 1);
    assert_int_equal(a.port.drops[DROP_SIZE], 2);
    assert_int_equal(b.delivered, 0);
}

static void loose(struct stub *s)
{
    s->port.net->link(&s->port, true);
    assert_false(s->carrier);
    assert_true(stub_send(s, 0xffffffffffff, stub_mac(s), LEN));
    assert_int_equal(s->port.drops[DROP_DOWN], 1);
}

static void far_end_absent(void **state)
{
    (void)state;
    stub_link(&a, "nobody", "eth");
    stub_up(&a);
    loose(&a);
}

static void far_end_names_another(void **state)
{
    (void)state;
    stub_link(&a, "right", "eth");
    stub_link(&b, "other", "eth");
    stub_link(&c, "right", "eth");
    stub_up(&a);
    stub_up(&b);
    loose(&a);
    assert_true(net_connect(&c.port));
    c.port.net->link(&c.port, true);
    b.port.net->link(&b.port, true);
    assert_true(c.carrier);
    assert_true(b.carrier);
    assert_true(stub_send(&b, stub_mac(&a), stub_mac(&b), LEN));
    assert_int_equal(c.delivered, 1);
    assert_int_equal(a.delivered, 0);
}

static void far_end_is_on_a_switch(void **state)
{
    (void)state;
    stub_link(&a, "right", "eth");
    stub_switch(&b, "lan");
    stub_up(&b);
    stub_up(&a);
    loose(&a);
    assert_true(b.carrier);
}

static void its_own_peer(void **state)
{
    (void)state;
    stub_link(&a, "left", "eth");
    stub_up(&a);
    loose(&a);
}

static void names_must_match_whole(void **state)
{
    (void)state;
    stub_link(&a, "right", "eth1");
    stub_link(&b, "left", "eth");
    stub_up(&a);
    stub_up(&b);
    loose(&a);
    loose(&b);
}

static void no_peer(void **state)
{
    (void)state;
    stub_up(&a);
    loose(&a);
}

static void shows(void **state)
{
    const char *text, *first;

    (void)state;
    connect_both();
    stub_up(&c);
    text = net_shown();
    first = strstr(text, "link:\n");
    assert_non_null(first);
    assert_null(strstr(first + 1, "link:\n"));
    assert_non_null(strstr(text, "02:00:00:00:00:01  up"));
    assert_non_null(strstr(text, "02:00:00:00:00:02  up"));
    assert_non_null(strstr(text, "without network:\n"));
}

/* With devices: the driver hears of the carrier. */
static void carrier_reaches_the_driver(void **state)
{
    static struct nic left, right;
    struct net_opts ol = nic_options("/dev/qvm/right/eth", 1);
    struct net_opts or = nic_options("/dev/qvm/left/eth", 2);
    u32 generation;

    (void)state;
    nic_init(&left, "left", "eth", &ol);
    nic_init(&right, "right", "eth", & or);
    nic_start(&left, NIC_USUAL, 16);
    assert_int_equal(nic_link_status(&left), 0);
    generation = reg_read(&left.g, NIC_BASE, VMMIO_GENERATION);
    nic_start(&right, NIC_USUAL, 16);
    assert_int_equal(nic_link_status(&left), 1);
    assert_int_equal(nic_link_status(&right), 1);
    assert_int_not_equal(reg_read(&left.g, NIC_BASE, VMMIO_GENERATION), generation);
    assert_int_equal(left.g.level[NIC_INTID], 1);
    assert_int_equal(driver_irq(&left.g, NIC_BASE), 2);
    (void)driver_irq(&right.g, NIC_BASE);
    nic_stop(&right);
    assert_int_equal(nic_link_status(&left), 0);
    assert_int_equal(driver_irq(&left.g, NIC_BASE), 2);
    assert_int_equal(right.g.level[NIC_INTID], 0); /* a reset device is silent */
    nic_stop(&left);
    assert_int_equal(left.g.level[NIC_INTID], 0);
    nic_free(&left);
    nic_free(&right);
}

#define T(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(link_in_this_order),
        T(link_in_the_other_order),
        T(carrier_follows_both_ends),
        T(nobody_flushes_for_nothing),
        T(a_link_checks_frames_too),
        T(far_end_absent),
        T(far_end_names_another),
        T(far_end_is_on_a_switch),
        T(its_own_peer),
        T(names_must_match_whole),
        T(no_peer),
        T(shows),
        T(carrier_reaches_the_driver),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
