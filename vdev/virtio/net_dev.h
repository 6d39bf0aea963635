/* SPDX-License-Identifier: MIT */
/*
 * The inside of virtio-net, shared by its parts alone: net.c (the device), net_tx.c, net_rx.c,
 * net_coal.c (coalescing), net_ctrl.c (control queue). Queues: 2k receives, 2k + 1 sends, one pair
 * for each vCPU if the driver wants them; the control queue comes behind the last pair, or behind
 * the first where multiqueue wasn't negotiated (VIRTIO 1.2 §5.1.2).
 */
#ifndef VDEV_VIRTIO_NET_DEV_H
#define VDEV_VIRTIO_NET_DEV_H

#include "core/sched.h"
#include "vdev/net/port.h"
#include "vdev/net/share.h"
#include "vdev/virtio/net.h"
#include "vdev/virtio/net_coal.h"
#include "vdev/virtio/net_ctrl.h"
#include "vdev/virtio/net_filter.h"
#include "vdev/virtio/virtio.h"

#define NET_PAIRS NET_QUEUES_MAX
#define NET_FLOWS 256 /* that are told apart for steering */

/* Feature bits, VIRTIO 1.2 §5.1.3 */
enum {
    NET_F_CSUM = 0,
    NET_F_GUEST_CSUM = 1,
    NET_F_CTRL_GUEST_OFFLOADS = 2,
    NET_F_MTU = 3,
    NET_F_MAC = 5,
    NET_F_GUEST_TSO4 = 7,
    NET_F_GUEST_TSO6 = 8,
    NET_F_GUEST_ECN = 9,
    NET_F_HOST_TSO4 = 11,
    NET_F_HOST_TSO6 = 12,
    NET_F_HOST_ECN = 13,
    NET_F_MRG_RXBUF = 15,
    NET_F_STATUS = 16,
    NET_F_CTRL_VQ = 17,
    NET_F_CTRL_RX = 18,
    NET_F_CTRL_VLAN = 19,
    NET_F_CTRL_RX_EXTRA = 20,
    NET_F_GUEST_ANNOUNCE = 21,
    NET_F_MQ = 22,
    NET_F_CTRL_MAC_ADDR = 23,
    NET_F_NOTF_COAL = 53,
    NET_F_GUEST_USO4 = 54,
    NET_F_GUEST_USO6 = 55,
    NET_F_HOST_USO = 56,
    NET_F_SPEED_DUPLEX = 63,
};

/* struct virtio_net_hdr, §5.1.6. Without VERSION_1 and MRG_RXBUF num_buffers isn't there. */
struct net_hdr {
    u8 flags, gso_type;
    u16 hdr_len, gso_size, csum_start, csum_offset;
    u16 num_buffers;
};
enum { HDR_LEN = sizeof(struct net_hdr), HDR_LEN_SHORT = HDR_LEN - 2 };
enum { HDR_NEEDS_CSUM = 1, HDR_GSO_ECN = 0x80 };
_Static_assert(HDR_LEN == 12 && NET_ROOM == HDR_LEN, "header layout");
_Static_assert(offsetof(struct net_frame, head) == offsetof(struct net_frame, room) + HDR_LEN,
               "the header is put right in front of the frame");

#define RX_COST 64 /* descriptors walked for one received frame before it's given up */

/* A receive buffer taken for the frame that is being put together: what to give back. */
struct net_piece {
    u16 head, slots;
    u32 written;
};

struct net_pair {
    struct net *net;
    u32 index;

    /* Under the transmit queue's lock: */
    struct chain tx;
    struct net_frame frame; /* what tx holds */
    bool sending;           /* frame is not yet sent to everybody */
    bool deferred;          /* work, or pause, will go on: notifications need not */
    struct work work;
    struct timer pause; /* until the network takes the frame */
    struct net_coal tx_coal;

    /* How what was sent is given back, net_tx.c: */
    struct timer linger;
    bool lingering; /* the timer runs */
    bool moved;     /* something was sent since it was set */
    u32 eager;      /* so many bursts give back at once */

    /* How a stream is sent, net_tx_watch.c: */
    struct timer watch;
    bool watching;   /* the driver needn't notify: the timer runs */
    u32 alone;       /* notifications since something was received … */
    u32 alone_least; /* … and how many of them make a stream */
    u64 got;         /* frames that were received by the last one */
    u32 looks;       /* since it is watched … */
    u32 lean;        /* … and those in a row that found little */
    u32 watch_ns;    /* from one look to the next */

    /* Under the receive queue's lock: */
    struct net_coal rx_coal;
    struct share share;
    struct chain rx_first, rx_next; /* a frame's first buffer, and the one being filled */
    struct net_piece piece[RX_COST];
};

struct net {
    struct virtio virtio;
    struct net_port port;
    const struct net_opts *opts;
    u32 carrier;  /* atomic */
    u32 announce; /* the driver is asked to say where it is; atomic */
    u32 hdr_len;  /* set when features are settled, constant while running */

    u32 max_pairs;
    u32 pairs;           /* in use; the driver's choice, atomic */
    u8 steer[NET_FLOWS]; /* which pair sent the flow last; atomic */

    struct net_filter filter;
    struct net_ctrl ctrl;
    struct net_stats stats[NET_PAIRS];
    struct net_pair pair[]; /* max_pairs */
};

static inline struct net *net_of(struct virtio *v)
{
    return container_of(v, struct net, virtio);
}

static inline struct virtq *rx_queue(struct net *n, u32 pair)
{
    return &n->virtio.queue[2 * pair];
}

static inline struct virtq *tx_queue(struct net *n, u32 pair)
{
    return &n->virtio.queue[2 * pair + 1];
}

/* A statistic that only the holder of a lock writes. */
static inline void stat_add(u64 *p, u64 n)
{
    atomic_store(p, *p + n);
}

/* An interrupt for a queue of this pair, counted. Any CPU. */
static inline void net_interrupt(struct net *n, u32 pair)
{
    counter_inc(&n->stats[pair].interrupts);
    virtio_interrupt(&n->virtio);
}

/* net.c: enum net_need bits of what a driver with these features can take. */
u32 net_accepts(u64 features);

/* net_tx.c: boot only; vCPU `index` of the VM, if it has so many, is expected to send here. */
void net_tx_init(struct net_pair *pair, const struct vm *vm);
/* The driver says that the pair's transmit queue has something. No lock held. */
void net_tx_notify(struct net *n, struct net_pair *pair);
/* Of the port: a burst of each pair that has something; true if one had. */
bool net_poll(struct net_port *p);
/* Part of a reset: nothing is under way any more. */
void net_tx_reset(struct net *n, struct net_pair *pair);

/* This CPU's time is another VM's. */
bool net_tx_intrudes(const struct net *n) MUST_CHECK;
/* A burst, as if the driver had notified. True: work is to be queued. Lock held, running. */
bool net_tx_burst(struct net *n, struct net_pair *pair) MUST_CHECK;

/*
 * net_tx_watch.c: streams, of which the driver needn't notify each frame. The transmit queue's lock
 * is held, but by watch_init.
 */
void watch_init(struct net_pair *pair, struct pcpu *p);
/* The driver notified: it may have begun a stream. */
void watch_notified(struct net *n, struct net_pair *pair);
void watch_reset(struct net_pair *pair);

/* net_rx.c: the device side of the port. */
bool net_deliver(struct net_port *p, struct net_frame *f);
/* Part of a reset: nobody holds a buffer. */
void net_rx_reset(struct net *n, struct net_pair *pair);
void net_flush(struct net_port *p);
/* Publishes what is staged in the pairs [first, end), when nobody else is amid it any more. */
void net_flush_pairs(struct net *n, u32 first, u32 end);

#endif
