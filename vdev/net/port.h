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

#define NET_HEAD      64 /* bytes of a frame that may be copied for classification */
#define NET_ETHERNET  14 /* bytes of an Ethernet header */
#define NET_VLAN_TAG  4
#define NET_PORTS_MAX 64 /* of one network: bits of a u64 */

struct net_frame {
    u8 head[NET_HEAD]; /* first head_len bytes, private; >= NET_ETHERNET unless the frame is short
                        */
    u32 head_len;
    u32 len; /* whole frame, without virtio header */
    const struct chain
        *chain; /* the sender's; the frame starts `off` bytes into the readable part */
    u32 off;
    u32 cursor; /* the network's own: how far it got; 0 when the frame is first sent */
    s32 budget; /* deliveries left in this burst; the network counts them off */
};

struct net_port;

/* Device side, implemented by the device: a frame for its driver. */
struct net_port_ops {
    /*
     * Takes a frame for the driver: true if it was delivered (staged), false if it was dropped; the
     * device counts why. Takes and keeps no lock but the receive queue's, during the call.
     */
    bool (*deliver)(struct net_port *p, const struct net_frame *f);
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

/*
 * What every network does with a frame before it looks where to send it: runt, size, source
 * address. False: dropped and counted.
 */
bool port_admit(struct net_port *p, const struct net_frame *f) MUST_CHECK;

/* Hands f to `to` if it is not too large for it; counts it off f's budget. False: dropped. */
bool port_deliver(struct net_port *to, struct net_frame *f);

/* One line about p, for net_show. */
void port_show(const struct net_port *p, void (*print)(const char *fmt, ...) PRINTF(1, 2));

static inline void port_drop(struct net_port *p, enum net_drop why)
{
    counter_inc(&p->drops[why]);
}

/* A MAC address as a number, first byte on the wire highest. */
static inline u64 mac_number(const u8 *b)
{
    return (u64)b[0] << 40 | (u64)b[1] << 32 | (u64)b[2] << 24 | (u64)b[3] << 16 | (u64)b[4] << 8 |
           b[5];
}

#define MAC_MULTICAST (1ull << 40) /* group bit of a mac_number; broadcast has it too */

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
