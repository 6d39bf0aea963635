/* SPDX-License-Identifier: MIT */
/*
 * The seam between a network device and a network. A device does not know that a switch exists: a
 * private link, an uplink, a capture or a test is one more network behind the same two half-ports.
 *
 * A frame is a private copy of its first bytes (what classification needs, read once) plus the
 * sender's chain for the payload. It lives for one call; nobody keeps it.
 */
#ifndef VDEV_NET_PORT_H
#define VDEV_NET_PORT_H

#include "core/atomic.h"
#include "core/check.h"
#include "core/types.h"
#include "vdev/virtio/virtq.h"

#define NET_HEAD      128 /* bytes of a frame that may be copied */
#define NET_ROOM      12  /* in front of them, for a header */
#define NET_ETHERNET  14  /* bytes of an Ethernet header */
#define NET_VLAN_TAG  4
#define NET_VLAN      0x8100 /* Ethernet types of tags */
#define NET_QINQ      0x88a8
#define NET_PORTS_MAX 64 /* of one network: bits of a u64 */

struct net_frame {
    u32 cursor; /* the network's own: how far it got; 0 when the frame is first sent */
    /* Scratch of whose turn it is: a receiver may put the header that its driver expects here. */
    u8 room[NET_ROOM];
    u8 head[NET_HEAD]; /* private copy of the first head_len bytes: an Ethernet header at least */
    u32 head_len;      /* < NET_ETHERNET: the frame is that short */
    u32 len;           /* whole frame, without virtio header */
    const struct chain *chain; /* the sender's */
    u32 off;                   /* where the frame starts in the chain's readable part */
    s32 budget;                /* deliveries left in this burst; the network counts them off */
};

struct net_port;

/* Device side, implemented by the device: a frame for its driver. */
struct net_port_ops {
    /*
     * Takes a frame for the driver: true if it was delivered (staged), false if it was dropped; the
     * device counts why. Takes and keeps no lock but the receive queue's, during the call.
     */
    bool (*deliver)(struct net_port *p, struct net_frame *f);
    /* A burst ended: publish, interrupt. Lock as above. */
    void (*flush)(struct net_port *p);
    /* The way to the other side came or went. The network's lock may be held. */
    void (*carrier)(struct net_port *p, bool up);
};

/*
 * Network side. send and flush are called with the sender's transmit lock held, which covers the
 * port's `pending`.
 */
struct net_ops {
    /* False: the budget ran out amid a flood. Call again, same frame, in the next burst. */
    bool (*send)(struct net_port *p, struct net_frame *f) MUST_CHECK;
    /* End of the sender's burst: every receiver that got something is flushed once. */
    void (*flush)(struct net_port *p);
    /* The port's device became usable (DRIVER_OK), or was reset. */
    void (*link)(struct net_port *p, bool up);
};

enum net_drop {
    DROP_NOBUF,  /* receiver has no buffers */
    DROP_SIZE,   /* runt, larger than the MTU, or than the receiver's buffers */
    DROP_SPOOF,  /* source address is not the port's */
    DROP_DOWN,   /* no carrier, or the driver isn't ready */
    DROP_NODST,  /* nobody to send it to */
    DROP_BROKEN, /* the receiver's ring is broken */
    DROP_KINDS,
    DROP_NONE = DROP_KINDS,
};

/* One connection point; embedded in the device. */
struct net_port {
    /* Set by the device before net_connect, for good: */
    const struct net_port_ops *ops;
    u8 mac[6];
    bool mac_spoof_allow;
    u32 mtu;
    u32 bind_mode;           /* who may share a switch with this port: 0600, 0660, 0666 */
    struct str group;        /* of its VM; empty: the bundle's common one */
    struct str system, node; /* the names by which `peer` paths call it */
    struct nic_peer peer;    /* what its own `peer` means */
    char name[64];           /* "system/node", for people */

    /* Set by net_connect, for good (a private link: when the far end comes): */
    u64 address; /* mac_number(mac) */
    const struct net_ops *net;
    void *network;
    u32 number; /* port number in its switch, 0-based */
    struct net_port *next;

    /* The network's own: */
    u64 pending; /* bit n: port n got frames in the running burst of this sender */
    u32 up;      /* the device is usable; atomic */

    /* Statistics: tx_* are written under the transmit lock, rx_* under the receive lock. */
    u64 tx_frames, tx_bytes, rx_frames, rx_bytes;
    u64 drops[DROP_KINDS]; /* from any CPU */
    u64 notifies, interrupts;
};

/* One line about p, for net_show. */
void port_show(const struct net_port *p, void (*print)(const char *fmt, ...) PRINTF(1, 2));

/* Counts a frame that p sent, or should have got. Any CPU. */
void port_drop(struct net_port *p, enum net_drop why);

static inline u64 load_be64(const u8 *b)
{
    return (u64)b[0] << 56 | (u64)b[1] << 48 | (u64)b[2] << 40 | (u64)b[3] << 32 | (u64)b[4] << 24 |
           (u64)b[5] << 16 | (u64)b[6] << 8 | b[7];
}

/* A MAC address as a number, first byte on the wire highest. */
static inline u64 mac_number(const u8 *b)
{
    return (u64)b[0] << 40 | (u64)b[1] << 32 | (u64)b[2] << 24 | (u64)b[3] << 16 | (u64)b[4] << 8 |
           b[5];
}

/* What classification looks at, all of it in the private head. */
static inline u64 frame_to(const struct net_frame *f)
{
    return load_be64(f->head) >> 16;
}

static inline u64 frame_from(const struct net_frame *f)
{
    return load_be64(f->head + 6) >> 16;
}

static inline u32 frame_type(const struct net_frame *f)
{
    return (u32)load_be64(f->head + 6) & 0xffff;
}

#define MAC_MULTICAST (1ull << 40) /* group bit of a mac_number; broadcast has it too */

/* The largest frame with this MTU: a tag is not counted into it. The head has an Ethernet header.
 */
static inline bool frame_fits(const struct net_frame *f, u32 mtu)
{
    u32 type = frame_type(f);

    if (likely(f->len <= mtu + NET_ETHERNET)) {
        return true;
    }
    return (type == NET_VLAN || type == NET_QINQ) && f->len <= mtu + NET_ETHERNET + NET_VLAN_TAG;
}

/* Nobody may send from a group address or from none; only who is allowed to, from another's. */
static inline bool port_source_ok(const struct net_port *p, const struct net_frame *f)
{
    u64 source = frame_from(f);

    if (likely(!p->mac_spoof_allow)) {
        return source == p->address;
    }
    return source != 0 && (source & MAC_MULTICAST) == 0;
}

/*
 * What every network does with a frame before it looks where to send it: runt, size, source
 * address. False: dropped and counted.
 */
static inline bool port_admit(struct net_port *p, const struct net_frame *f)
{
    if (unlikely(f->len < NET_ETHERNET || f->head_len < NET_ETHERNET || !frame_fits(f, p->mtu))) {
        port_drop(p, DROP_SIZE);
        return false;
    }
    if (unlikely(!port_source_ok(p, f))) {
        port_drop(p, DROP_SPOOF);
        return false;
    }
    return true;
}

/* Hands f to `to` if it is not too large for it; counts it off f's budget. False: dropped. */
static inline bool port_deliver(struct net_port *to, struct net_frame *f)
{
    f->budget -= 1 + (s32)(f->len >> 11); /* a large frame counts by its copying */
    if (unlikely(!frame_fits(f, to->mtu))) {
        port_drop(to, DROP_SIZE);
        return false;
    }
    return to->ops->deliver(to, f);
}

/*
 * Joins a port to the network that its `peer` names (vdev/net/peer.c), in whatever order the VMs
 * are created. A port that is refused, or has no peer, stays without carrier. False: no memory.
 * Boot only.
 */
bool net_connect(struct net_port *p) MUST_CHECK;

/* All ports, linked by `next`, newest first. */
struct net_port *net_ports(void);

/* For tests: as before the first net_connect. */
void net_forget_all(void);

/* Prints all switches, links and ports: for the prompt. */
void net_show(void (*print)(const char *fmt, ...) PRINTF(1, 2));

#endif
