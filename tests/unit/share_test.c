/* SPDX-License-Identifier: MIT */
/* Fair shares of a receive queue's buffers: the rule itself, and through NICs and a switch. */
#include "arch/host/arch.h"
#include "tests/host/nic.h"
#include "tests/host/port.h"
#include "vdev/net/share.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define SW     "/dev/vdevpeer/sw"
#define SIZE   64u
#define SECOND 1000000000ull

static struct share s;
static u32 ready; /* buffers that the driver offers */
static u16 most;
static bool group;

static int setup(void **state)
{
    (void)state;
    host_init();
    host_now_ns = SECOND;
    share_reset(&s);
    ready = SIZE;
    most = SIZE;
    group = false;
    return 0;
}

/* As the receiving device does it. */
static bool takes(u32 from, u32 count)
{
    if (ready < count) {
        return false;
    }
    if (share_alone(&s, from)) {
        ready -= count;
        return true;
    }
    if (!share_wants(&s, (struct share_want){from, group, ready}, &most)) {
        return false;
    }
    ready -= count;
    share_took(&s, from, count);
    return true;
}

/* How many it gets, if it wants them one by one. */
static u32 fills(u32 from)
{
    u32 n = 0;

    while (n < 2 * SIZE && takes(from, 1)) {
        n++;
    }
    return n;
}

static void alone_it_may_have_all(void **state)
{
    (void)state;
    for (u32 i = 0; i < 10; i++) {
        assert_int_equal(fills(1), SIZE);
        ready = SIZE;
    }
}

static void in_company_some_are_left(void **state)
{
    (void)state;
    assert_true(takes(1, 1));
    assert_true(takes(2, 1));
    assert_in_range(fills(1), SIZE / 2 - 1, SIZE / 2 + 1); /* as many as it leaves */
    assert_in_range(ready, SIZE / 2 - 1, SIZE / 2 + 1);
    assert_in_range(fills(2), SIZE / 3 - 2, SIZE / 3 + 4);
    assert_in_range(fills(3), SIZE / 16, SIZE / 8);
    assert_true(takes(4, 1));
}

/* What goes to many is nobody's in particular: so many receivers take it, each takes less. */
static void groups_get_less(void **state)
{
    (void)state;
    assert_true(takes(2, 1));
    group = true;
    assert_in_range(fills(1), SIZE / 5 - 1, SIZE / 5 + 1);
    group = false;
    assert_true(takes(1, 1));
}

/* What it took while alone counts. */
static void what_was_taken_alone_is_held(void **state)
{
    (void)state;
    assert_true(takes(1, 40));
    assert_true(takes(2, 1));
    assert_false(takes(1, 1));
    ready += 4; /* the oldest are 1's */
    assert_false(takes(1, 1));
    ready += 20;
    assert_true(takes(1, 1));
    assert_int_equal(s.held[1], 17);
    ready = SIZE;
    assert_true(takes(1, 1));
    assert_int_equal(s.held[1], 1);
    assert_int_equal(s.held[2], 0);
    assert_int_equal(s.holders, 1);
}

/* 1 wants all it can get; 2 and 3 want a few, which they get. Each time the driver gives back 4. */
static void a_flood_gets_no_more_than_others(void **state)
{
    u32 flood = 0, others = 0;

    (void)state;
    for (u32 i = 0; i < 1000; i++) {
        u32 got = 0;

        for (u32 k = 0; k < 10; k++) {
            got += takes(1, 1);
        }
        for (u32 k = 0; k < 2; k++) {
            assert_true(takes(2, 1));
            assert_true(takes(3, 1));
            others += 2;
        }
        flood += i > 100 ? got : 0;
        ready = MIN(ready + 6, SIZE);
    }
    assert_in_range(flood, others / 20, others / 2);
}

/* It loses one in ten: as TCP does that has found its rate, if not in such number. */
static void who_loses_little_keeps_its_share(void **state)
{
    (void)state;
    assert_true(takes(2, 1));
    for (u32 i = 0; i < 1000; i++) {
        u32 room = SIZE / 2 - s.held[1];

        for (u32 k = 0; k < room; k++) {
            (void)takes(1, 1);
        }
        (void)takes(1, 1);
        assert_in_range(s.held[1], SIZE / 2 - 1, SIZE / 2 + 1);
        ready = MIN(ready + 12, SIZE);
        assert_true(takes(2, 1));
    }
}

static void who_was_deaf_is_heard_again(void **state)
{
    (void)state;
    assert_true(takes(2, 1));
    for (u32 i = 0; i < 500; i++) {
        (void)takes(1, 1);
    }
    ready = SIZE;
    assert_true(takes(2, 1));
    assert_int_equal(fills(1), 1); /* deaf: half of the mean */
    for (u32 i = 0; i < 300; i++) {
        ready = SIZE;
        assert_true(takes(1, 1));
    }
    ready = SIZE;
    assert_true(takes(2, 1));
    assert_in_range(fills(1), SIZE / 2 - 1, SIZE / 2 + 1);
}

/* 2 goes on, so no buffer seems lost; 1 only pauses. It's deaf after 100 ms, not after 300. */
static void who_pauses_is_heard_again(void **state)
{
    (void)state;
    assert_true(takes(2, 1));
    for (u32 i = 0; i < 500; i++) {
        (void)takes(1, 1);
    }
    for (u32 i = 0; i <= 300; i++) {
        ready = SIZE;
        assert_true(takes(2, 1));
        if (i == 100) {
            assert_int_equal(fills(1), 1);
        }
        host_now_ns += SECOND / 1000;
    }
    assert_in_range(fills(1), SIZE / 2 - 1, SIZE / 2 + 1);
}

/* TCP that lost a burst waits before it sends one frame again; the driver offers none meanwhile. */
static void a_pause_is_forgiven(void **state)
{
    (void)state;
    assert_true(takes(2, 1));
    for (u32 i = 0; i < 500; i++) {
        (void)takes(1, 1);
    }
    ready = SIZE / 2;
    assert_false(takes(1, 1));
    host_now_ns += SECOND / 5;
    assert_true(takes(1, 1));
}

static void company_is_forgotten(void **state)
{
    (void)state;
    assert_true(takes(1, 1));
    assert_true(takes(2, 1));
    assert_true(fills(1) <= SIZE / 2 + 1);
    host_now_ns += 9 * SECOND;
    ready = SIZE;
    assert_true(takes(2, 1));
    for (u32 i = 0; i < 200; i++) {
        ready = SIZE;
        assert_true(takes(1, 1));
    }
    host_now_ns += 9 * SECOND;
    ready = SIZE;
    assert_true(fills(1) <= SIZE / 2 + 1);
    host_now_ns += 2 * SECOND;
    for (u32 i = 0; i < 70; i++) {
        ready = SIZE;
        (void)takes(1, 1);
    }
    ready = SIZE;
    assert_int_equal(fills(1), SIZE);
}

/* Two go on, but the driver offers an eighth of what it did: they would wait for ever. */
static void a_driver_that_offers_less(void **state)
{
    u32 got = 0;

    (void)state;
    assert_true(takes(1, 20));
    assert_true(takes(2, 20));
    for (u32 i = 0; i < 4000; i++) {
        ready = 6;
        got += takes(1 + i % 2, 1);
        host_now_ns += SECOND / 1000;
    }
    assert_in_range(got, 1000, 4000);
    assert_in_range(most, 6, 8);
}

/* The books stay right, whatever comes, and every sender that holds nothing gets a buffer. */
static void books(void **state)
{
    u32 seed = 1;

    (void)state;
    most = 0;
    for (u32 i = 0; i < 200000; i++) {
        u32 from, count, sum = 0, holders = 0;

        seed = seed * 1664525u + 1013904223u;
        from = seed >> 16 & 7;
        count = 1 + (seed >> 20 & 3) * (seed >> 22 & 7);
        if ((seed >> 28) < 3) {
            ready = MIN(ready + (seed >> 10 & 31), 1024u);
        }
        if (ready >= count && !takes(from, count)) {
            assert_true(s.held[from] > 0);
        }
        for (u32 k = 0; k < SHARE_SENDERS; k++) {
            sum += s.held[k];
            holders += s.held[k] != 0;
        }
        assert_int_equal(sum, s.filled - s.back);
        assert_int_equal(holders, s.holders);
        assert_true(sum <= SHARE_BUFFERS);
    }
}

/* A driver that offers buffers while its frames are put in them may come to have given more. */
static void more_than_there_are(void **state)
{
    (void)state;
    most = SHARE_BUFFERS;
    for (u32 i = 0; i < 3000; i++) {
        bool may = share_wants(&s, (struct share_want){i % 2, false, 1}, &most);

        (void)may;
        share_took(&s, i % 2, 64);
        assert_int_equal(s.held[0] + s.held[1], s.filled - s.back);
        assert_true(s.filled - s.back <= SHARE_BUFFERS);
    }
}

/* --- through NICs ----------------------------------------------------------------------------- */

static struct nic a, b, c;
static u8 frame[3000], got[3000];

static void make(bool packed)
{
    struct net_opts o[3] = {nic_options(SW, 1), nic_options(SW, 2), nic_options(SW, 3)};

    net_forget_all();
    for (u32 i = 0; i < 3; i++) {
        o[i].packed = packed;
        o[i].storm = 0;
    }
    nic_init(&a, "alpha", "eth", &o[0]);
    nic_init(&b, "beta", "eth", &o[1]);
    nic_init(&c, "gamma", "eth", &o[2]);
    nic_start(&a, NIC_USUAL | (packed ? F_PACKED : 0), SIZE);
    nic_start(&b, NIC_USUAL | (packed ? F_PACKED : 0), SIZE);
    nic_start(&c, NIC_USUAL | (packed ? F_PACKED : 0), SIZE);
}

static int setup_split(void **state)
{
    (void)setup(state);
    make(false);
    return 0;
}

static int setup_packed(void **state)
{
    (void)setup(state);
    make(true);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    nic_free(&a);
    nic_free(&b);
    nic_free(&c);
    return 0;
}

/* n frames from `from` to b; how many of them came to have a buffer. */
static u32 sends(struct nic *from, u32 n, u32 len)
{
    u64 before = from->port->drops[DROP_SHARE] + b.port->drops[DROP_NOBUF];

    nic_frame(frame, b.mac, from->mac, len, 1);
    for (u32 i = 0; i < n; i++) {
        nic_send(from, frame, len);
    }
    return n - (u32)(from->port->drops[DROP_SHARE] + b.port->drops[DROP_NOBUF] - before);
}

static u32 receives(u32 n)
{
    u32 i = 0;

    while (i < n && nic_recv(&b, got, sizeof(got), true) >= 0) {
        i++;
    }
    return i;
}

static void a_flood_leaves_room(void **state)
{
    u32 flood = 0, other = 0;

    (void)state;
    nic_fill(&b, 0, SIZE, NIC_BUFFER);
    assert_int_equal(sends(&a, SIZE, 60), SIZE); /* alone */
    assert_int_equal(sends(&c, 1, 60), 0);       /* too late … */
    assert_int_equal(receives(SIZE), SIZE);
    assert_in_range(sends(&a, SIZE, 60), SIZE / 2 - 1, SIZE / 2 + 1); /* … but it's known now */
    assert_int_equal(sends(&c, 8, 60), 8);
    assert_true(a.port->drops[DROP_SHARE] >= SIZE / 2 - 2);
    assert_int_equal(c.port->drops[DROP_SHARE], 0);
    assert_int_equal(b.port->drops[DROP_SHARE], 0); /* whoever sent it is to blame */
    for (u32 i = 0; i < 100; i++) {                 /* and it doesn't stop */
        assert_true(receives(6) >= 4);
        flood += sends(&a, 8, 60);
        other += sends(&c, 4, 60);
    }
    assert_in_range(other, 380, 400);
    assert_in_range(flood, 50, 220);
}

/* A frame in many buffers counts as many. */
static void merged_buffers_count(void **state)
{
    (void)state;
    nic_fill(&b, 0, SIZE, 128);
    assert_int_equal(sends(&c, 1, 60), 1);
    assert_int_equal(sends(&a, 8, 1014), 4); /* of 9 buffers each */
    assert_int_equal(sends(&c, 4, 60), 4);
}

static void a_reset_forgets(void **state)
{
    (void)state;
    nic_fill(&b, 0, SIZE, NIC_BUFFER);
    assert_int_equal(sends(&c, 1, 60), 1);
    assert_true(sends(&a, SIZE, 60) <= SIZE / 2 + 1);
    nic_restart(&b, b.features);
    nic_fill(&b, 0, SIZE, NIC_BUFFER);
    assert_int_equal(sends(&a, SIZE, 60), SIZE);
}

/* The ring breaks when it is looked at for a sender that has its share: it's noticed. */
static void a_broken_ring_is_noticed(void **state)
{
    (void)state;
    nic_fill(&b, 0, SIZE, NIC_BUFFER);
    assert_int_equal(sends(&c, 1, 60), 1);
    assert_true(sends(&a, SIZE, 60) <= SIZE / 2 + 1);
    ring_set_avail_idx(&b.rx, b.rx.avail_idx + SIZE + 1);
    nic_frame(frame, b.mac, a.mac, 60, 1);
    nic_send(&a, frame, 60);
    assert_int_equal(b.port->drops[DROP_BROKEN], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(alone_it_may_have_all, setup),
        cmocka_unit_test_setup(in_company_some_are_left, setup),
        cmocka_unit_test_setup(groups_get_less, setup),
        cmocka_unit_test_setup(what_was_taken_alone_is_held, setup),
        cmocka_unit_test_setup(a_flood_gets_no_more_than_others, setup),
        cmocka_unit_test_setup(who_loses_little_keeps_its_share, setup),
        cmocka_unit_test_setup(who_was_deaf_is_heard_again, setup),
        cmocka_unit_test_setup(who_pauses_is_heard_again, setup),
        cmocka_unit_test_setup(a_pause_is_forgiven, setup),
        cmocka_unit_test_setup(company_is_forgotten, setup),
        cmocka_unit_test_setup(a_driver_that_offers_less, setup),
        cmocka_unit_test_setup(books, setup),
        cmocka_unit_test_setup(more_than_there_are, setup),
        cmocka_unit_test_setup_teardown(a_flood_leaves_room, setup_split, teardown),
        cmocka_unit_test_setup_teardown(merged_buffers_count, setup_split, teardown),
        cmocka_unit_test_setup_teardown(a_reset_forgets, setup_split, teardown),
        cmocka_unit_test_setup_teardown(a_broken_ring_is_noticed, setup_split, teardown),
        cmocka_unit_test_setup_teardown(a_flood_leaves_room, setup_packed, teardown),
        cmocka_unit_test_setup_teardown(merged_buffers_count, setup_packed, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
