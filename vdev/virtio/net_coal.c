/* SPDX-License-Identifier: MIT */
/*
 * Coalescing of virtio-net's interrupts; see net_coal.h. Whether the driver wants one is decided
 * when it's due without coalescing, and remembered while the timer runs: a driver that has gone on
 * without it in the meantime gets one too many, none gets one too few. The timer is on the CPU of a
 * vCPU that takes the interrupt, so that nobody else pays for it.
 */
#include "vdev/virtio/net_coal.h"

#include "core/arch.h"
#include "core/check.h"
#include "core/vm.h"
#include "vdev/virtio/net_dev.h"

static struct virtq *queue_of(struct net_coal *c)
{
    return &c->net->virtio.queue[c->queue];
}

static struct net_stats *stats_of(struct net_coal *c)
{
    return &c->net->stats[c->queue / 2];
}

/* Frames that went through the queue. */
static u64 frames(struct net_coal *c)
{
    return (c->queue & 1) != 0 ? stats_of(c)->tx_frames : stats_of(c)->rx_frames;
}

/* The interrupt that waits, if one does. The queue's lock is held. */
static void fire(struct net_coal *c)
{
    if (c->wanted && virtio_running(&c->net->virtio)) {
        net_interrupt(c->net, c->queue / 2);
    }
    c->wanted = false;
}

static void expired(struct timer *t)
{
    struct net_coal *c = container_of(t, struct net_coal, timer);
    struct virtq *q = queue_of(c);

    spin_lock(&q->lock);
    fire(c);
    spin_unlock(&q->lock);
}

void coal_init(struct net_coal *c, struct net *n, u32 queue, const struct vm *vm)
{
    c->net = n;
    c->queue = queue;
    timer_init(&c->timer, vm->vcpu[queue / 2 % vm->nvcpus]->pcpu, expired);
}

static void configure(struct net_coal *c, u32 packets, u32 usecs)
{
    c->usecs = packets > 1 ? usecs : 0; /* each frame is its own interrupt anyway */
    c->packets = packets;
    c->seen = frames(c);
}

void coal_set(struct net_coal *c, u32 packets, u32 usecs)
{
    struct virtq *q = queue_of(c);

    spin_lock(&q->lock);
    fire(c); /* it waited for what is no longer so */
    configure(c, packets, usecs);
    spin_unlock(&q->lock);
}

void coal_reset(struct net_coal *c)
{
    struct virtq *q = queue_of(c);

    spin_lock(&q->lock);
    c->wanted = false;
    configure(c, 0, 0);
    timer_cancel(&c->timer);
    spin_unlock(&q->lock);
}

bool coal_publish(struct net_coal *c, struct virtq *q)
{
    bool wants = virtq_publish(q), first = !c->wanted;
    u64 now = frames(c);
    u32 batch = (u32)(now - c->seen);

    c->seen = now;
    if (!wants && first) {
        return false;
    }
    c->count = first ? batch : c->count + batch;
    c->wanted = c->count < c->packets;
    if (first && c->wanted) { /* a timer that still runs has nothing to wait for any more */
        timer_set(&c->timer, arch_now_ns() + c->usecs * 1000ull);
    }
    return !c->wanted;
}
