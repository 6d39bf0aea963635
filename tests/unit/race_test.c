/* SPDX-License-Identifier: MIT */
/*
 * virtio-net under threads, each a CPU: drivers that change their rings while the device reads
 * them, resets under load, two senders to one receiver. For ThreadSanitizer, and for the checks of
 * lock order that every host build makes.
 */
#include "arch/host/arch.h"
#include "core/atomic.h"
#include "core/log.h"
#include "tests/host/nic.h"
#include "vdev/virtio/virtio.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SIZE   64
#define ROUNDS 3000u

static struct nic a, b, c;
static u32 stop; /* atomic */

static void make(const char *peer)
{
    struct net_opts oa = nic_options(peer, 1), ob = nic_options(peer, 2), oc = nic_options(peer, 3);

    net_forget_all();
    log_threshold = LOG_ERR;
    atomic_store(&stop, 0u);
    nic_init(&a, "alpha", "eth", &oa);
    nic_init(&b, "beta", "eth", &ob);
    nic_init(&c, "gamma", "eth", &oc);
    nic_start(&a, NIC_USUAL, SIZE);
    nic_start(&b, NIC_USUAL | F_EVENT_IDX, SIZE);
    nic_start(&c, NIC_USUAL, SIZE);
}

static int teardown(void **state)
{
    (void)state;
    nic_free(&a);
    nic_free(&b);
    nic_free(&c);
    return 0;
}

static u32 next_random(u32 *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

/* Sends ROUNDS frames to b, one kick for each few. */
static void *sender(void *arg)
{
    struct nic *n = arg;
    u8 frame[200];
    u32 sent = 0;

    nic_frame(frame, b.mac, n->mac, sizeof(frame), n->mac[5]);
    while (sent < ROUNDS) {
        for (u32 i = 0; i < 4; i++, sent++) {
            nic_queue(n, sent % SIZE, frame, sizeof(frame));
        }
        ring_kick(&n->tx);
        while (ring_used(&n->tx, NULL) >= 0) {
        }
    }
    return NULL;
}

/* Receives at b until told to stop; every frame must be whole and from one of the senders. */
static void *receiver(void *arg)
{
    u8 got[256], want[200];
    u32 *count = arg;

    for (;;) {
        bool last = atomic_load_acquire(&stop) != 0;
        int len = nic_recv(&b, got, sizeof(got), true);

        if (len < 0) {
            if (last) {
                return NULL;
            }
            (void)driver_irq(&b.g, NIC_BASE);
            sched_yield();
            continue;
        }
        nic_frame(want, b.mac, got + 6, sizeof(want), got[11]);
        assert_int_equal(len, sizeof(want));
        assert_memory_equal(got, want, sizeof(want));
        ++*count;
    }
}

static void two_senders_one_receiver(void **state)
{
    pthread_t t[3];
    u32 count = 0;

    (void)state;
    make("/dev/sw");
    nic_fill(&b, 0, SIZE, NIC_BUFFER);
    pthread_create(&t[0], NULL, sender, &a);
    pthread_create(&t[1], NULL, sender, &c);
    pthread_create(&t[2], NULL, receiver, &count);
    pthread_join(t[0], NULL);
    pthread_join(t[1], NULL);
    atomic_store_release(&stop, 1u);
    pthread_join(t[2], NULL);
    assert_int_equal(count, b.port->stats->rx_frames);
    assert_int_equal(b.port->stats->rx_frames + b.port->drops[DROP_NOBUF] +
                         a.port->drops[DROP_SHARE] + c.port->drops[DROP_SHARE],
                     2 * ROUNDS);
    assert_int_equal(a.port->stats->tx_frames, ROUNDS);
    assert_int_not_equal(count, 0);
}

/* b is reset and started over and over; its old memory must stay as it is after each reset. */
static void *resetter(void *arg)
{
    u8 *ram = guest_ptr(&b.g, GUEST_RAM_BASE);
    u8 *copy = malloc(1u << 20);

    (void)arg;
    for (u32 i = 0; i < 100; i++) {
        sched_yield();
        nic_stop(&b);
        memcpy(copy, ram, 1u << 20);
        sched_yield();
        assert_memory_equal(copy, ram, 1u << 20);
        assert_int_equal(atomic_load(&b.g.level[NIC_INTID]), 0);
        nic_restart(&b, NIC_USUAL);
        nic_fill(&b, 0, SIZE, NIC_BUFFER);
    }
    free(copy);
    return NULL;
}

static void rule_33_reset_under_load(void **state)
{
    pthread_t t[3];

    (void)state;
    make("/dev/sw");
    pthread_create(&t[0], NULL, sender, &a);
    pthread_create(&t[1], NULL, sender, &c);
    pthread_create(&t[2], NULL, resetter, NULL);
    for (u32 i = 0; i < 3; i++) {
        pthread_join(t[i], NULL);
    }
    assert_int_equal(a.port->stats->tx_frames, ROUNDS); /* the senders didn't notice */
    assert_int_equal(c.port->stats->tx_frames, ROUNDS);
}

/* Where a NIC's rings are: a copy, as the kicker goes on writing its own indices. */
struct target {
    struct ring ring[2];
    u32 seed;
};

static struct target target_of(const struct nic *n)
{
    return (struct target){.ring = {n->rx, n->tx}, .seed = n->mac[5]};
}

/* Scribbles over rings that are in use. */
static void *scribbler(void *arg)
{
    const struct target *t = arg;
    u32 seed = t->seed;

    while (atomic_load(&stop) == 0) {
        const struct ring *r = &t->ring[next_random(&seed) % 2];
        const u64 areas[] = {r->desc, r->avail, r->used};
        const u32 sizes[] = {16 * SIZE, 6 + 2 * SIZE, 6 + 8 * SIZE};
        u32 which = next_random(&seed) % 3;
        u64 at = areas[which] + next_random(&seed) % (sizes[which] / 2) * 2;

        atomic_store((u16 *)guest_ptr(r->g, at), (u16)next_random(&seed));
        if (next_random(&seed) % 64 == 0) {
            sched_yield();
        }
    }
    return NULL;
}

/* Kicks, heals what is broken. */
static void *kicker(void *arg)
{
    struct nic *n = arg;

    for (u32 i = 0; i < ROUNDS; i++) {
        ring_kick(&n->tx);
        if (i % 16 == 0) {
            nic_restart(n, NIC_USUAL | F_INDIRECT);
            nic_fill(n, 0, SIZE, NIC_BUFFER);
            for (u32 d = 0; d < SIZE; d++) {
                ring_desc(&n->tx, d, n->tx_buf + d * 64, 64, 0, 0);
                ring_offer(&n->tx, d);
            }
        }
    }
    return NULL;
}

static void rule_12_rings_change_while_they_are_read(void **state)
{
    struct target ta, tb;
    u8 frame[64], got[64];
    pthread_t t[4];

    (void)state;
    make("/dev/sw");
    ta = target_of(&a);
    tb = target_of(&b);
    nic_fill(&c, 0, SIZE, NIC_BUFFER);
    pthread_create(&t[0], NULL, scribbler, &ta);
    pthread_create(&t[1], NULL, scribbler, &tb);
    pthread_create(&t[2], NULL, kicker, &a);
    pthread_create(&t[3], NULL, kicker, &b);
    pthread_join(t[2], NULL);
    pthread_join(t[3], NULL);
    atomic_store(&stop, 1u);
    pthread_join(t[0], NULL);
    pthread_join(t[1], NULL);
    /* c was in the middle of it and works as before. */
    assert_true(virtio_running((struct virtio *)c.g.vm.devs));
    nic_start(&a, NIC_USUAL, SIZE);
    nic_start(&c, NIC_USUAL, SIZE);
    nic_fill(&c, 0, 1, NIC_BUFFER);
    nic_frame(frame, c.mac, a.mac, sizeof(frame), 1);
    nic_send(&a, frame, sizeof(frame));
    assert_int_equal(nic_recv(&c, got, sizeof(got), false), sizeof(frame));
    assert_memory_equal(frame, got, sizeof(frame));
}

/* Both ends of a private link come and go at the same time. */
static void *flapper(void *arg)
{
    struct nic *n = arg;

    for (u32 i = 0; i < 200; i++) {
        nic_start(n, NIC_USUAL, SIZE);
        (void)driver_irq(&n->g, NIC_BASE);
        nic_stop(n);
    }
    nic_start(n, NIC_USUAL, SIZE);
    return NULL;
}

static void carrier_settles(void **state)
{
    struct net_opts oa = nic_options("/dev/qvm/beta/eth", 1);
    struct net_opts ob = nic_options("/dev/qvm/alpha/eth", 2);
    struct net_opts oc = nic_options("/dev/sw", 3);
    pthread_t t[2];

    (void)state;
    net_forget_all();
    nic_init(&a, "alpha", "eth", &oa);
    nic_init(&b, "beta", "eth", &ob);
    nic_init(&c, "gamma", "eth", &oc);
    pthread_create(&t[0], NULL, flapper, &a);
    pthread_create(&t[1], NULL, flapper, &b);
    pthread_join(t[0], NULL);
    pthread_join(t[1], NULL);
    assert_int_equal(nic_link_status(&a), 1);
    assert_int_equal(nic_link_status(&b), 1);
}

/* Looks at a's rings until told to stop, as the CPU of a polled switch does. */
static void *poller(void *arg)
{
    struct net_port *p = arg;

    while (atomic_load(&stop) == 0) {
        if (!p->ops->poll(p)) {
            sched_yield();
        }
    }
    return NULL;
}

/* The poller is in a's rings while a is reset, started, and offers frames; it lets go in time. */
static void polled_and_reset(void **state)
{
    u8 *ram, *copy = malloc(1u << 20), frame[200];
    pthread_t t;

    (void)state;
    make("/dev/sw");
    nic_fill(&b, 0, SIZE, NIC_BUFFER);
    nic_frame(frame, b.mac, a.mac, sizeof(frame), 1);
    ram = guest_ptr(&a.g, GUEST_RAM_BASE);
    atomic_store(&a.port->polled, 1u);
    pthread_create(&t, NULL, poller, a.port);
    for (u32 i = 0; i < 200; i++) {
        for (u32 k = 0; k < 16; k++) {
            nic_queue(&a, k, frame, sizeof(frame));
        }
        sched_yield();
        ring_kick(&a.tx);
        nic_stop(&a);
        memcpy(copy, ram, 1u << 20);
        sched_yield();
        assert_memory_equal(copy, ram, 1u << 20);
        nic_restart(&a, i % 2 == 0 ? NIC_USUAL | F_EVENT_IDX : NIC_USUAL);
    }
    nic_queue(&a, 0, frame, sizeof(frame));
    while (ring_used_idx(&a.tx) == 0) {
        sched_yield();
    }
    atomic_store(&stop, 1u);
    pthread_join(t, NULL);
    free(copy);
}

static struct port_limits limits;

static void *spender(void *arg)
{
    struct net_frame f = {.len = 100};
    u32 *count = arg;

    for (u32 i = 0; i < ROUNDS; i++) {
        *count += limits_storm(&limits, &f);
        *count += limits_rate(&limits, &f);
    }
    return NULL;
}

/* A port that sends from two CPUs has no more than one that sends from one. */
static void limits_are_shared(void **state)
{
    u32 count[2] = {0, 0};
    pthread_t t[2];

    (void)state;
    make("/dev/sw");
    limits_init(&limits, 1000000, 3000, 2000); /* 300 and 200 at once, and one more each */
    host_now_ns = 1000000000;
    pthread_create(&t[0], NULL, spender, &count[0]);
    pthread_create(&t[1], NULL, spender, &count[1]);
    pthread_join(t[0], NULL);
    pthread_join(t[1], NULL);
    assert_int_equal(count[0] + count[1], 301 + 201);
}

#define T(f) cmocka_unit_test_teardown(f, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(two_senders_one_receiver),
        T(rule_33_reset_under_load),
        T(rule_12_rings_change_while_they_are_read),
        T(carrier_settles),
        T(polled_and_reset),
        T(limits_are_shared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
