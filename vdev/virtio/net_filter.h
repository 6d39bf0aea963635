/* SPDX-License-Identifier: MIT */
/*
 * What a driver wants to receive (VIRTIO 1.2 §5.1.6.5.1 to §5.1.6.5.3): asked before a frame takes
 * any of its buffers. Written by the control queue, read on behalf of senders. Lock: its own
 * (LOCK_DEVICE), only where an address must be looked up.
 */
#ifndef VDEV_VIRTIO_NET_FILTER_H
#define VDEV_VIRTIO_NET_FILTER_H

#include "core/spinlock.h"
#include "vdev/net/frame.h"

#define FILTER_MACS                                                                                \
    32 /* of each kind; a longer list is as if the driver wanted all of that kind                  \
        */

enum filter_mode {
    FILTER_ON = 1, /* CTRL_RX was negotiated; without it all is wanted */
    FILTER_PROMISC = 2,
    FILTER_ALLMULTI = 4,
    FILTER_ALLUNI = 8,
    FILTER_NOMULTI = 16,
    FILTER_NOUNI = 32,
    FILTER_NOBCAST = 64,
    FILTER_MANY_UNI = 128, /* the list of addresses was too long */
    FILTER_MANY_MULTI = 256,
    FILTER_VLAN = 512, /* CTRL_VLAN was negotiated: only the tags that the driver named */
};

struct filter_list {
    u32 n; /* <= FILTER_MACS */
    u64 mac[FILTER_MACS];
};

struct net_filter {
    u32 mode; /* enum filter_mode bits; atomic */
    u64 own;  /* the NIC's address; atomic */
    struct spinlock lock;
    struct filter_list uni, multi;
    u64 vlan[4096 / 64];
};

void filter_init(struct net_filter *f);

/* As after a reset: `on` what was negotiated (FILTER_ON, FILTER_VLAN); nothing asked for yet. */
void filter_start(struct net_filter *f, u32 on, u64 own);

/* Sets or clears one bit of mode. */
void filter_mode(struct net_filter *f, u32 bit, bool on);
void filter_lists(struct net_filter *f, const struct filter_list *uni,
                  const struct filter_list *multi, bool many_uni, bool many_multi);
/* vid < 4096 */
void filter_vlan(struct net_filter *f, u32 vid, bool wanted);

bool filter_looks_up(struct net_filter *f, const struct net_frame *frame, u32 mode);

/* Whether the driver wants it. Any CPU. */
static inline bool filter_wants(struct net_filter *f, const struct net_frame *frame)
{
    u32 mode = atomic_load(&f->mode);

    return likely(mode == 0) || filter_looks_up(f, frame, mode);
}

#endif
