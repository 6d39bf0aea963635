/* SPDX-License-Identifier: MIT */
/*
 * Coalescing of virtio-net's interrupts (VIRTIO 1.2 §5.1.6.5.9): what was used is visible at once,
 * only the interrupt waits, until so many frames went through the queue or so much time passed.
 * Lock: the queue's.
 */
#ifndef VDEV_VIRTIO_NET_COAL_H
#define VDEV_VIRTIO_NET_COAL_H

#include "core/timer.h"
#include "vdev/virtio/virtq.h"

struct net;
struct vm;

/* Of one queue; under its lock but for what is set by coal_init. */
struct net_coal {
    struct net *net;
    u32 queue;
    u32 usecs; /* 0: each batch has its interrupt */
    u32 packets;
    u32 count;   /* frames since the driver wanted an interrupt */
    bool wanted; /* that interrupt waits */
    u64 seen;    /* the queue's frames, ever, when something was last published */
    struct timer timer;
};

void coal_init(struct net_coal *c, struct net *n, u32 queue, const struct vm *vm);

/* What the driver wants, from now on; 0 in either is no coalescing. No lock held. */
void coal_set(struct net_coal *c, u32 packets, u32 usecs);

/* Part of a reset. No lock held. */
void coal_reset(struct net_coal *c);

/* virtq_publish for a queue with coalescing. */
bool coal_publish(struct net_coal *c, struct virtq *q) MUST_CHECK;

/* Makes what is staged visible; true if the driver is to get an interrupt now. */
static inline MUST_CHECK bool net_publish(struct net_coal *c, struct virtq *q)
{
    return likely(c->usecs == 0) ? virtq_publish(q) : coal_publish(c, q);
}

#endif
