/* SPDX-License-Identifier: MIT */
/*
 * virtio-net's receive filter, as the commands of a control queue set it: modes, tables of
 * addresses, its own address, VLANs. alpha sends, beta filters.
 */
#include "tests/host/ctrl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static u8 frame[200], got[2048];
static const u8 everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static const u8 group[6] = {0x33, 0x33, 0, 0, 0, 9};
static const u8 stranger[6] = {0x02, 0, 0, 0, 0, 0x77}; /* nobody's, so that all get it */
static const u8 one = 1, zero = 0;

/* Whether a frame from alpha with a tag of that type reaches beta. */
static bool tag_reaches(u32 type, u32 control)
{
    nic_frame(frame, beta.mac, alpha.mac, 100, 1);
    store_be16(frame + 12, type);
    store_be16(frame + 14, control);
    nic_send(&alpha, frame, 100);
    return nic_recv(&beta, got, sizeof(got), true) == 100;
}

static void everything_without_a_filter(void **state)
{
    (void)state;
    ctrl_start(NIC_USUAL);
    assert_true(ctrl_reaches(group));
    assert_true(ctrl_reaches(stranger));
    assert_true(tag_reaches(NET_VLAN, 5));
}

/* VIRTIO 1.2 §5.1.6.5.2.1: what matches neither the address nor the (empty) table goes. */
static void filter_before_any_command(void **state)
{
    (void)state;
    assert_true(ctrl_reaches(beta.mac));
    assert_true(ctrl_reaches(everybody));
    assert_false(ctrl_reaches(group));
    assert_false(ctrl_reaches(stranger));
    assert_int_equal(beta.port->drops[DROP_FILTER], 2);
}

static void filter_modes(void **state)
{
    static const struct {
        u8 code;
        bool own, all, group, other; /* what comes with this mode alone */
    } modes[] = {
        {PROMISC, true, true, true, true},  {ALLMULTI, true, true, true, false},
        {ALLUNI, true, true, false, true},  {NOMULTI, true, true, false, false},
        {NOUNI, false, true, false, false}, {NOBCAST, true, false, false, false},
    };

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(modes); i++) {
        assert_int_equal(ctrl_command(RX, modes[i].code, &one, 1), OK);
        assert_int_equal(ctrl_reaches(beta.mac), modes[i].own);
        assert_int_equal(ctrl_reaches(everybody), modes[i].all);
        assert_int_equal(ctrl_reaches(group), modes[i].group);
        assert_int_equal(ctrl_reaches(stranger), modes[i].other);
        assert_int_equal(ctrl_command(RX, modes[i].code, &zero, 1), OK);
        assert_true(ctrl_reaches(beta.mac) && ctrl_reaches(everybody) && !ctrl_reaches(group) &&
                    !ctrl_reaches(stranger));
    }
}

/* "no" wins over "all", and being promiscuous over everything. */
static void filter_modes_together(void **state)
{
    (void)state;
    for (u8 code = ALLMULTI; code <= NOBCAST; code++) {
        assert_int_equal(ctrl_command(RX, code, &one, 1), OK);
    }
    assert_false(ctrl_reaches(beta.mac) || ctrl_reaches(everybody) || ctrl_reaches(group) ||
                 ctrl_reaches(stranger));
    assert_int_equal(ctrl_command(RX, PROMISC, &one, 1), OK);
    assert_true(ctrl_reaches(beta.mac) && ctrl_reaches(everybody) && ctrl_reaches(group) &&
                ctrl_reaches(stranger));
}

/* A driver that has no list of addresses can't say which groups it wants: it gets them. */
static void filter_with_extra_modes_alone(void **state)
{
    (void)state;
    ctrl_start(NIC_USUAL | NIC_CTRL | BIT64(NET_F_CTRL_RX_EXTRA));
    assert_true(ctrl_reaches(beta.mac) && ctrl_reaches(everybody) && ctrl_reaches(group) &&
                ctrl_reaches(stranger));
    assert_int_equal(ctrl_command(RX, NOMULTI, &one, 1), OK);
    assert_true(ctrl_reaches(beta.mac) && ctrl_reaches(everybody) && !ctrl_reaches(group) &&
                ctrl_reaches(stranger));
}

static u32 put_list(u8 *p, u32 claimed, u32 n, const u8 *first)
{
    memcpy(p, &claimed, 4);
    for (u32 i = 0; i < n; i++) {
        memcpy(p + 4 + 6 * i, first, 6);
        p[4 + 6 * i + 5] = (u8)(first[5] + i);
    }
    return 4 + 6 * n;
}

/* Sets a table of that many addresses each, from `stranger` and `group` on. */
static u8 table(u32 uni, u32 multi)
{
    u8 data[1024];
    u32 len = put_list(data, uni, uni, stranger);

    len += put_list(data + len, multi, multi, group);
    return ctrl_command(MAC, TABLE, data, len);
}

static bool reaches_next(const u8 *to, u32 n)
{
    u8 mac[6];

    memcpy(mac, to, 6);
    mac[5] = (u8)(mac[5] + n);
    return ctrl_reaches(mac);
}

static void mac_table(void **state)
{
    (void)state;
    assert_int_equal(table(2, 1), OK);
    assert_true(ctrl_reaches(stranger) && reaches_next(stranger, 1) && !reaches_next(stranger, 2));
    assert_true(ctrl_reaches(group) && !reaches_next(group, 1) && ctrl_reaches(beta.mac));
    assert_int_equal(table(0, 2), OK); /* instead, not besides */
    assert_true(!ctrl_reaches(stranger) && ctrl_reaches(group) && reaches_next(group, 1));
    ctrl_start(CTRL_ALL); /* a reset empties it */
    assert_false(ctrl_reaches(group));
}

static void mac_table_full(void **state)
{
    (void)state;
    assert_int_equal(table(FILTER_MACS, FILTER_MACS), OK);
    assert_true(reaches_next(stranger, FILTER_MACS - 1) && !reaches_next(stranger, FILTER_MACS));
    assert_true(reaches_next(group, FILTER_MACS - 1) && !reaches_next(group, FILTER_MACS));
    assert_int_equal(table(FILTER_MACS + 1, 0), OK); /* too many: all of that kind, and no other */
    assert_true(reaches_next(stranger, 100) && !ctrl_reaches(group));
    assert_int_equal(table(0, FILTER_MACS + 1), OK);
    assert_true(!ctrl_reaches(stranger) && reaches_next(group, 100));
    assert_int_equal(ctrl_command(RX, NOMULTI, &one, 1), OK);
    assert_false(ctrl_reaches(group));
}

static void mac_table_cut_off(void **state)
{
    static const u32 claims[] = {2, 3, 0x2aaaaaab, 0x80000000, 0xffffffff};
    u8 data[64];

    (void)state;
    assert_int_equal(table(1, 1), OK);
    for (u32 i = 0; i < ARRAY_SIZE(claims); i++) {
        u32 len = put_list(data, claims[i], 1, stranger);

        assert_int_equal(ctrl_command(MAC, TABLE, data, len), ERR);
        len = put_list(data, 0, 0, stranger);
        len += put_list(data + len, claims[i], 1, group);
        assert_int_equal(ctrl_command(MAC, TABLE, data, len), ERR);
    }
    assert_true(ctrl_reaches(stranger) && ctrl_reaches(group)); /* nothing has changed */
}

static void vlans(void **state)
{
    (void)state;
    assert_false(tag_reaches(NET_VLAN, 5));
    assert_true(tag_reaches(NET_VLAN, 0xe000)); /* a priority, no VLAN */
    assert_true(tag_reaches(NET_QINQ, 5));      /* not what the list is about */
    assert_int_equal(ctrl_set(VLAN, 0, 5, 2), OK);
    assert_int_equal(ctrl_set(VLAN, 0, 4095, 2), OK);
    assert_true(tag_reaches(NET_VLAN, 5) && tag_reaches(NET_VLAN, 0xf005));
    assert_true(tag_reaches(NET_VLAN, 4095));
    assert_false(tag_reaches(NET_VLAN, 69) || tag_reaches(NET_VLAN, 4));
    assert_int_equal(ctrl_set(VLAN, 1, 5, 2), OK);
    assert_false(tag_reaches(NET_VLAN, 5));
    assert_int_equal(ctrl_set(VLAN, 0, 4096, 2), ERR);
    assert_int_equal(ctrl_set(VLAN, 0, 0xffff, 2), ERR);
    assert_false(tag_reaches(NET_VLAN, 0xfff & 5));
    ctrl_start(CTRL_ALL);
    assert_false(tag_reaches(NET_VLAN, 4095));
}

static u64 address_shown(void)
{
    u8 mac[6];

    for (u32 i = 0; i < 6; i++) {
        mac[i] = (u8)guest_read(&beta.g, NIC_BASE + VMMIO_CONFIG + i, 1);
    }
    return mac_number(mac);
}

static void address(void **state)
{
    u32 generation = reg_read(&beta.g, NIC_BASE, VMMIO_GENERATION);

    (void)state;
    assert_int_equal(ctrl_command(MAC, ADDR, stranger, 6), OK);
    assert_int_equal(address_shown(), mac_number(stranger));
    assert_int_not_equal(reg_read(&beta.g, NIC_BASE, VMMIO_GENERATION), generation);
    assert_true(ctrl_reaches(stranger) && !ctrl_reaches(beta.mac));
    assert_int_equal(ctrl_command(MAC, ADDR, group, 6), ERR);
    assert_int_equal(ctrl_command(MAC, ADDR, "\0\0\0\0\0\0", 6), ERR);
    assert_int_equal(address_shown(), mac_number(stranger));
    nic_stop(&beta);
    assert_int_equal(address_shown(), mac_number(beta.mac)); /* the configured one */
}

#define T(f) cmocka_unit_test_setup_teardown(f, ctrl_setup, ctrl_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(everything_without_a_filter),
        T(filter_before_any_command),
        T(filter_modes),
        T(filter_modes_together),
        T(filter_with_extra_modes_alone),
        T(mac_table),
        T(mac_table_full),
        T(mac_table_cut_off),
        T(vlans),
        T(address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
