/* SPDX-License-Identifier: MIT */
/*
 * virtio-net, streams: a driver that sends frame after frame, and gets nothing meanwhile, would
 * leave its guest for each of them. From a certain number on it is asked not to notify, and its
 * queue is looked at from a timer instead, as long as enough frames wait there each time. Who waits
 * for answers gets some, so it is never watched; a stream's frames come later by a look's distance.
 * Lock: the transmit queue's.
 */
#include "core/arch.h"
#include "core/check.h"
#include "vdev/virtio/net_dev.h"

#define STREAM       32    /* notifications with nothing received in between … */
#define STREAM_AGAIN 1024  /* … and where the last one was soon over */
#define SOON         8     /* looks */
#define LEAST        4     /* frames that wait at a look, of a stream … */
#define LEAN         4     /* … or else, after so many looks in a row, it's over */
#define SHORTEST_NS  25000 /* between two looks: the shorter, the more frames wait */
#define LONGEST_NS   300000

static void set(struct net_pair *pair)
{
    timer_set(&pair->watch, arch_now_ns() + pair->watch_ns);
}

static void stop(struct net_pair *pair)
{
    pair->watching = false;
    pair->alone = 0;
}

/* Something came since it was last asked. */
static bool received(struct net *n, struct net_pair *pair)
{
    u64 got = atomic_load(&n->stats[pair->index].rx_frames);
    bool any = got != pair->got;

    pair->got = got;
    return any;
}

/* Goes on, if the stream does: so that a quarter of the ring waits at most. */
static void look(struct net *n, struct net_pair *pair, struct virtq *q)
{
    u32 waiting = virtq_ready(q);

    pair->lean = waiting < LEAST ? pair->lean + 1 : 0;
    if (pair->lean == LEAN || received(n, pair) || net_tx_intrudes(n) ||
        atomic_load(&n->port.polled)) {
        pair->alone_least = pair->looks < SOON ? STREAM_AGAIN : STREAM;
        stop(pair);
        return;
    }
    pair->looks++;
    if (waiting > q->size / 4u) {
        pair->watch_ns = MAX(pair->watch_ns / 2, (u32)SHORTEST_NS);
    } else if (waiting < q->size / 8u) {
        pair->watch_ns = MIN(pair->watch_ns * 2, (u32)LONGEST_NS);
    }
}

/* What waits is sent in any case; when nobody watches any more, the driver notifies again. */
static void look_again(struct timer *t)
{
    struct net_pair *pair = container_of(t, struct net_pair, watch);
    struct net *n = pair->net;
    struct virtq *q = tx_queue(n, pair->index);
    bool more = false;

    spin_lock(&q->lock);
    if (pair->watching && !pair->deferred && virtio_running(&n->virtio)) {
        look(n, pair, q);
        more = net_tx_burst(n, pair);
    }
    if (pair->watching) {
        set(pair);
    }
    spin_unlock(&q->lock);
    if (more) {
        work_queue(t->pcpu, &pair->work);
    }
}

void watch_init(struct net_pair *pair, struct pcpu *p)
{
    timer_init(&pair->watch, p, look_again);
    pair->alone_least = STREAM;
    pair->watch_ns = LONGEST_NS;
}

void watch_notified(struct net *n, struct net_pair *pair)
{
    if (received(n, pair)) {
        pair->alone = 0;
        return;
    }
    if (++pair->alone >= pair->alone_least && !pair->watching) {
        pair->watching = true;
        pair->lean = 0;
        pair->looks = 0;
        set(pair);
    }
}

void watch_reset(struct net_pair *pair)
{
    if (pair->watching) {
        timer_cancel(&pair->watch);
    }
    stop(pair);
    pair->alone_least = STREAM;
    pair->watch_ns = LONGEST_NS;
}
