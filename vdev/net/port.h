/* SPDX-License-Identifier: MIT */
/*
 * The seam between a network device and a network. A device does not know that a switch exists: a
 * private link, an uplink, a capture or a test is one more network behind the same two half-ports.
 */
#ifndef VDEV_NET_PORT_H
#define VDEV_NET_PORT_H

#include "core/atomic.h"
#include "core/check.h"
#include "core/types.h"
#include "core/vdev.h"
#include "vdev/net/frame.h"
#include "vdev/net/limit.h"
#include "vdev/net/offload.h"

#define NET_PORTS_MAX 64 /* of one network: bits of a u64 */

struct net_port;

/* Device side, implemented by the device: a frame for its driver. */
struct net_port_ops {
    /*
     * Takes a frame for the driver: true if it was delivered (staged), false if it was dropped; the
     * device counts why. What f needs must be looked at again under the receive queue's lock: the
     * driver may have changed. Takes and keeps no lock but the receive queue's, during the call.
     */
    bool (*deliver)(struct net_port *p, struct net_frame *f);
    /* A burst ended: publish, interrupt. Lock as above. */
    void (*flush)(struct net_port *p);
    /* The way to the other side came or went. The network's lock may be held. */
    void (*carrier)(struct net_port *p, bool up);
    /*
     * The port is polled: sends a burst of what its driver has, if it has something: true. On the
     * polling CPU, with no lock held.
     */
    bool (*poll)(struct net_port *p);
};

/*
 * Network side. send and flush are called with the lock of the sender's transmit queue held, which
 * f belongs to; a port may have several.
 */
struct net_ops {
    /*
     * False: call again, same frame: in the next burst, as the budget ran out amid a flood, or, if
     * f->not_before isn't 0, at that time, as the port may not send so much.
     */
    bool (*send)(struct net_port *p, struct net_frame *f) MUST_CHECK;
    /* End of the sender's burst: every receiver that got something is flushed once. */
    void (*flush)(struct net_port *p, struct net_frame *f);
    /* The port's device became usable (DRIVER_OK), or was reset. */
    void (*link)(struct net_port *p, bool up);
};

enum net_drop {
    DROP_NOBUF,   /* receiver has no buffers */
    DROP_SIZE,    /* runt, larger than the MTU, or than the receiver's buffers */
    DROP_SPOOF,   /* source address is not the port's */
    DROP_DOWN,    /* no carrier, or the driver isn't ready */
    DROP_NODST,   /* nobody to send it to */
    DROP_BROKEN,  /* the receiver's ring is broken */
    DROP_OFFLOAD, /* what its header asks for makes no sense, or can't be done */
    DROP_FILTER,  /* the receiver's driver doesn't want it */
    DROP_VLAN,    /* a tag that this port may not send, or none where it must */
    DROP_STORM,   /* more to everybody than the port may send */
    DROP_ISOLATE, /* sender and receiver may not talk, or the sender is a monitor */
    DROP_SHARE,   /* it has its share of the receiver's buffers, others want some, too */
    DROP_KINDS,
    DROP_NONE = DROP_KINDS,
};

/* What went through one pair of queues. */
struct net_stats {
    u64 tx_frames, tx_bytes, tx_bursts, notifies; /* under the transmit queue's lock */
    u64 rx_frames, rx_bytes;                      /* under the receive queue's lock */
    u64 interrupts;                               /* from any CPU */
};

/* What its config says about a port; of a private link only the rates mean something. */
struct port_rules {
    struct opt_vlan vlan;
    bool isolate;                 /* it reaches no other isolated port */
    bool monitor;                 /* it gets a copy of every frame, and sends none */
    u64 rate_bytes, rate_packets; /* per second, 0: no limit */
    u32 storm;                    /* frames per second to groups and to the unknown, 0: no limit */
    struct opt_macs statics;      /* addresses behind it, beside its own */
};

/* What makes a sender more than a lookup and a delivery: net_port.special. */
enum net_special {
    SPECIAL_TEACHES = 1, /* it may send from addresses that nobody has configured */
    SPECIAL_LIMITED = 2, /* it has a rate */
    SPECIAL_ISOLATED = 4,
    SPECIAL_MONITOR = 8,
    SPECIAL_VLANS = 16,   /* its switch has ports with VLANs */
    SPECIAL_WATCHED = 32, /* its switch has a monitor */
};

/* One connection point; embedded in the device. */
struct net_port {
    /* Set by the device before net_connect, for good: */
    const struct net_port_ops *ops;
    u8 mac[6];
    bool mac_spoof_allow;
    struct port_rules rules;
    u32 mtu;
    u32 bind_mode;                 /* who may share a switch with this port: 0600, 0660, 0666 */
    struct str group;              /* of its VM; empty: the bundle's common one */
    struct str system, node;       /* the names by which `peer` paths call it */
    struct nic_peer peer;          /* what its own `peer` means */
    struct capture *capture;       /* vdev/net/capture.h; NULL: none */
    char name[64];                 /* "system/node", for people */
    const struct net_stats *stats; /* of each pair of queues */
    u32 nstats;

    u32 accepts; /* enum net_need bits: what its driver can take; the device's, atomic */

    /* Set by net_connect, for good (a private link: when the far end comes): */
    u64 address; /* mac_number(mac) */
    const struct net_ops *net;
    void *network;
    u32 number;  /* port number in its switch, 0-based */
    u32 special; /* enum net_special bits; all ports are connected before anybody sends */
    struct net_port *next;

    /* The network's own: */
    u32 up;     /* the device is usable; atomic */
    u32 polled; /* its network calls poll; its driver needn't notify; atomic */
    struct port_limits limits;

    u64 waits;             /* frames that had to wait as the port sent too much; from any CPU */
    u64 drops[DROP_KINDS]; /* from any CPU */
};

/* A few lines about p, for net_show. */
void port_show(const struct net_port *p, void (*print)(const char *fmt, ...) PRINTF(1, 2));

/* Counts a frame that p sent, or should have got. Any CPU. */
void port_drop(struct net_port *p, enum net_drop why);

/* Whether p may send from an address that is not its own. */
bool port_may_be(const struct net_port *p, u64 source) MUST_CHECK;

static inline bool port_source_ok(const struct net_port *p, const struct net_frame *f)
{
    u64 source = frame_from(f);

    return likely(source == p->address) || port_may_be(p, source);
}

/* False: p sends too much: f waits, see net_ops.send. */
static inline bool port_rate_ok(struct net_port *p, struct net_frame *f)
{
    if (likely((p->special & SPECIAL_LIMITED) == 0) || limits_rate(&p->limits, f)) {
        return true;
    }
    counter_inc(&p->waits);
    return false;
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

/* Hands f to `to`, converted where it can't take it as it is; counts the work off f's budget. */
static inline enum net_result port_deliver(struct net_port *to, struct net_frame *f)
{
    if (unlikely(!frame_fits(f, to->mtu))) {
        port_drop(to, DROP_SIZE);
        return NET_DROPPED;
    }
    if (unlikely((f->needs & ~atomic_load(&to->accepts)) != 0)) {
        return offload_deliver(to, f);
    }
    f->budget -= 1 + (s32)((f->len + 1023) >> 11); /* a large frame counts by its copying */
    return to->ops->deliver(to, f) ? NET_DELIVERED : NET_DROPPED;
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
