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

#include "core/types.h"
#include "vdev/virtio/virtq.h"

#define NET_HEAD 128 /* bytes of a frame copied for classification */

struct net_frame {
    u8 head[NET_HEAD]; /* first min(len, NET_HEAD) bytes, private */
    u32 head_len;
    u32 len;                   /* whole frame, without virtio header */
    const struct chain *chain; /* where the rest is: readable part, from offset `off` on */
    u32 off;
};

struct net_port;

/* Device side, implemented by the device: a frame for its driver. */
struct net_port_ops {
    /*
     * Takes a frame for the driver: true if it was delivered (staged), false if it was dropped; the
     * device counts why. Takes and keeps no lock but the receive queue's, during the call.
     */
    bool (*deliver)(struct net_port *p, const struct net_frame *f);
    /* A burst ended: publish, interrupt. */
    void (*flush)(struct net_port *p);
    /* The other end of a private link came or went. */
    void (*carrier)(struct net_port *p, bool up);
};

/* Network side. */
struct net_ops {
    void (*send)(struct net_port *p, const struct net_frame *f);
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
};

/* One connection point; embedded in the device. Statistics are counted from any CPU. */
struct net_port {
    const struct net_port_ops *ops; /* the device's */
    const struct net_ops *net;      /* the network's */
    void *network;                  /* the network's own */
    u32 number;                     /* port number in its switch, 0-based */
    u8 mac[6];
    bool mac_spoof_allow;
    u32 mtu;
    char name[64]; /* "system/name" */
    u64 tx_frames, tx_bytes, rx_frames, rx_bytes;
    u64 drops[DROP_KINDS];
    u64 notifies, interrupts;
    u32 flush_pending; /* network's own: this port got frames in the running burst */
};

/* Joins a port to the network that its `peer` names (vdev/net/peer.c). Boot only. */
bool net_connect(struct net_port *p, struct str system, struct str name,
                 struct str peer) MUST_CHECK;

/* Prints all switches and ports: for the prompt. */
void net_show(void (*print)(const char *fmt, ...) PRINTF(1, 2));

#endif
