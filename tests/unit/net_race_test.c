/* SPDX-License-Identifier: MIT */
/*
 * virtio-net's pairs and control queue under threads, each a CPU: senders to a receiver that
 * changes its mind all the time, timers that fire meanwhile, and a queue that goes amid commands.
 * For ThreadSanitizer, and for the checks of lock order that every host build makes.
 */
#include "core/atomic.h"
#include "core/log.h"
#include "tests/host/nic.h"
#include "vdev/virtio/net_dev.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define SIZE   64
#define ROUNDS 2000u
#define ALL                                                                                        \
    (NIC_USUAL | NIC_CTRL | NIC_MQ | BIT64(NET_F_CTRL_RX) | BIT64(NET_F_CTRL_RX_EXTRA) |           \
     BIT64(NET_F_CTRL_VLAN) | BIT64(NET_F_CTRL_MAC_ADDR) | BIT64(NET_F_CTRL_GUEST_OFFLOADS) |      \
     BIT64(NET_F_GUEST_CSUM) | BIT64(NET_F_NOTF_COAL))

static struct nic a, b, c;
static u32 stop; /* atomic */

static void make(void)
{
    struct net_opts o[3] = {nic_options("/dev/sw", 1), nic_options("/dev/sw", 2),
                            nic_options("/dev/sw", 3)};

    net_forget_all();
    log_threshold = LOG_ERR;
    atomic_store(&stop, 0u);
    o[1].queues = 2;
    o[1].mac_spoof = SPOOF_ALLOW;
    nic_init(&a, "alpha", "eth", &o[0]);
    nic_init(&b, "beta", "eth", &o[1]);
    nic_init(&c, "gamma", "eth", &o[2]);
    nic_start(&a, NIC_USUAL, SIZE);
    nic_start(&b, ALL, SIZE);
    nic_start(&c, NIC_USUAL, SIZE);
    nic_fill(&b, 0, SIZE, NIC_BUFFER);
    nic_fill2(&b, 0, SIZE);
}

static int teardown(void **state)
{
    (void)state;
    nic_free(&a);
    nic_free(&b);
    nic_free(&c);
    return 0;
}

static struct net *device(struct nic *n)
{
    return net_of((struct virtio *)n->g.vm.devs);
}

static void *sender(void *arg)
{
    struct nic *n = arg;
    u8 frame[200];

    nic_frame(frame, b.mac, n->mac, sizeof(frame), n->mac[5]);
    for (u32 i = 0; atomic_load(&stop) == 0; i++) {
        nic_queue(n, i % SIZE, frame, sizeof(frame));
        ring_kick(&n->tx);
        while (ring_used(&n->tx, NULL) >= 0) {
        }
        sched_yield();
    }
    return NULL;
}

/* beta sends to alpha on its second pair, so that alpha's frames are to come on that one. */
static void *steerer(void *arg)
{
    u64 at = b.tx_buf;
    u8 *p = guest_ptr(&b.g, at);

    (void)arg;
    memset(p, 0, NIC_HDR);
    nic_frame(p + NIC_HDR, a.mac, b.mac, 100, 1);
    while (atomic_load(&stop) == 0) {
        ring_desc(&b.tx2, 0, at, NIC_HDR + 100, 0, 0);
        ring_offer(&b.tx2, 0);
        ring_kick(&b.tx2);
        (void)ring_used(&b.tx2, NULL);
        sched_yield();
    }
    return NULL;
}

/* Gives buffers back as fast as they come. */
static void *receiver(void *arg)
{
    struct ring *r = arg;
    bool last = false;

    while (!last) {
        int head;

        last = atomic_load_acquire(&stop) > 1;
        while ((head = ring_used(r, NULL)) >= 0) {
            ring_offer(r, (u32)head);
        }
        sched_yield();
    }
    return NULL;
}

static void *timers(void *arg)
{
    struct net *n = device(&b);

    (void)arg;
    while (atomic_load(&stop) == 0) {
        for (u32 i = 0; i < 2; i++) {
            n->pair[i].rx_coal.timer.fn(&n->pair[i].rx_coal.timer);
            n->pair[i].tx_coal.timer.fn(&n->pair[i].tx_coal.timer);
        }
        sched_yield();
    }
    return NULL;
}

/* One command after the other, until enough came on both pairs; what beta receives all the time is
 * never filtered out. */
static void *commander(void *arg)
{
    static const struct {
        u8 class, code, len;
        u8 data[16];
    } commands[] = {
        {4, 0, 2, {2}},                   /* two pairs … */
        {6, 1, 8, {4, 0, 0, 0, 50}},      /* coalescing */
        {0, 1, 1, {1}},                   /* all groups */
        {5, 0, 8, {2}},                   /* a checksum to complete */
        {4, 0, 2, {1}},                   /* … one */
        {1, 0, 8, {0}},                   /* an empty table */
        {6, 1, 8, {0}},                   /* no coalescing */
        {2, 0, 2, {7}},                   /* a VLAN */
        {1, 1, 6, {0x02, 0, 0, 0, 0, 2}}, /* the address that it has */
        {5, 0, 8, {0}},                   /* no offloads */
    };

    (void)arg;
    for (u32 i = 0; i < ROUNDS || atomic_load(&b.port->stats[1].rx_frames) < 100; i++) {
        u32 k = i % ARRAY_SIZE(commands);

        assert_int_equal(
            nic_command(&b, commands[k].class, commands[k].code, commands[k].data, commands[k].len),
            0);
        sched_yield();
    }
    atomic_store_release(&stop, 1u);
    return NULL;
}

static u32 used(struct ring *r)
{
    return ring_used_idx(r);
}

static void a_receiver_that_changes_its_mind(void **state)
{
    pthread_t t[7];

    (void)state;
    make();
    pthread_create(&t[0], NULL, sender, &a);
    pthread_create(&t[1], NULL, sender, &c);
    pthread_create(&t[2], NULL, commander, NULL);
    pthread_create(&t[3], NULL, steerer, NULL);
    pthread_create(&t[4], NULL, timers, NULL);
    pthread_create(&t[5], NULL, receiver, &b.rx);
    pthread_create(&t[6], NULL, receiver, &b.rx2);
    for (u32 i = 0; i < 5; i++) {
        pthread_join(t[i], NULL);
    }
    atomic_store_release(&stop, 2u);
    pthread_join(t[5], NULL);
    pthread_join(t[6], NULL);
    for (u32 i = 0; i < 2; i++) { /* whatever was delivered can be seen */
        assert_int_equal((u16)b.port->stats[i].rx_frames, used(i == 0 ? &b.rx : &b.rx2));
    }
    assert_int_equal(b.port->drops[DROP_FILTER], 0);
}

/* --- the queue goes amid commands ---------------------------------------------------------------
 */

/* Kicks a control queue that always has a command, however the queue stands. */
static void *kicker(void *arg)
{
    struct ring mine = *(const struct ring *)arg;
    u64 at = b.ctrl_buf;
    u8 *p = guest_ptr(&b.g, at);

    memcpy(p, (u8[]){1, 1, 2, 0, 0, 0, 0, 0}, 8);
    for (u32 i = 0; atomic_load(&stop) == 0; i++) {
        atomic_store(&p[7], (u8)(4 + i % 64)); /* a new address each time: there's more to do */
        ring_desc(&mine, 0, at, 8, D_NEXT, 1);
        ring_desc(&mine, 1, at + 64, 1, D_WRITE, 0);
        ring_offer(&mine, 0);
        ring_kick(&mine);
    }
    return NULL;
}

static void *taker(void *arg)
{
    struct ring mine = *(const struct ring *)arg;

    for (u32 i = 0; i < ROUNDS / 4; i++) {
        sched_yield();
        if (i % 2 == 0) {
            reg_write(&b.g, NIC_BASE, VMMIO_QUEUE_SEL, mine.index);
            reg_write(&b.g, NIC_BASE, VMMIO_QUEUE_READY, 0);
        }
        assert_true(driver_begin(&b.g, NIC_BASE, ALL) & S_FEATURES_OK);
        assert_true(ring_enable(&mine));
        driver_ok(&b.g, NIC_BASE);
    }
    atomic_store(&stop, 1u);
    return NULL;
}

static void rule_7_queue_goes_amid_commands(void **state)
{
    pthread_t t[2];

    (void)state;
    make();
    pthread_create(&t[0], NULL, kicker, &b.ctrl);
    pthread_create(&t[1], NULL, taker, &b.ctrl);
    pthread_join(t[0], NULL);
    pthread_join(t[1], NULL);
    (void)host_run_work(100);
    nic_start(&b, ALL, SIZE);
    assert_int_equal(nic_command(&b, 0, 0, "\1", 1), 0);
}

#define T(f) cmocka_unit_test_teardown(f, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_receiver_that_changes_its_mind),
        T(rule_7_queue_goes_amid_commands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
