/* SPDX-License-Identifier: MIT */
/*
 * A frame on its way: a private copy of its first bytes (what classification needs, read once)
 * plus the sender's chain for the rest, plus what the sender left for others to do: a checksum to
 * complete, a super-frame to segment. It lives for one call; nobody keeps it. Who changes a frame
 * (a tag put in, a segment cut out) edits the private head and moves `off`, so that byte i of the
 * frame is head[i] below head_len, and byte off + i of the chain from there on.
 */
#ifndef VDEV_NET_FRAME_H
#define VDEV_NET_FRAME_H

#include "core/check.h"
#include "core/types.h"
#include "vdev/virtio/virtq.h"

#define NET_HEAD      192 /* bytes of a frame that may be copied: all headers that offloads know */
#define NET_ROOM      12  /* in front of them, for a header */
#define NET_ETHERNET  14  /* bytes of an Ethernet header */
#define NET_VLAN_TAG  4
#define NET_VLAN      0x8100 /* Ethernet types of tags … */
#define NET_QINQ      0x88a8
#define NET_IPV4      0x0800 /* … and of what offloads know */
#define NET_IPV6      0x86dd
#define NET_SUPER_MAX (65535 + NET_ETHERNET + 2 * NET_VLAN_TAG) /* bytes of a super-frame */

/*
 * What a burst begins with, in frames: a short one to one receiver is 1, some 700 instructions. A
 * burst runs with interrupts masked.
 */
#define NET_BUDGET 48

/* So many descriptors (their translation, the pieces of a copy) are the work of a frame. */
#define NET_BUDGET_DESCRIPTORS 4

struct net_port;

/* Kinds of super-frames; the numbers are virtio's (VIRTIO 1.2 §5.1.6, GSO_*). */
enum net_gso { GSO_NONE = 0, GSO_TCPV4 = 1, GSO_TCPV6 = 4, GSO_UDP = 5 };

/* What a receiver must be able to take to get the frame as it is: net_frame.needs, port.accepts. */
enum net_need {
    NEED_CSUM = 1, /* a checksum that's not complete */
    NEED_TSO4 = 2,
    NEED_TSO6 = 4,
    NEED_ECN = 8, /* a TCP super-frame with CWR set */
    NEED_USO4 = 16,
    NEED_USO6 = 32,
};

/* What became of a frame at one receiver. */
enum net_result {
    NET_DROPPED,
    NET_DELIVERED,
    NET_AGAIN, /* the burst's budget ran out amid a super-frame: same frame, next burst */
};

/* What the sender left to be done. Offsets count from the frame's first byte. */
struct net_offload {
    u8 gso;    /* enum net_gso */
    bool ecn;  /* with TCP: the first segment alone carries CWR */
    bool csum; /* the checksum at start + offset covers [start, end), pseudo-header's sum put in */
    u16 headers;  /* bytes in front of a super-frame's payload; 0 without gso */
    u16 gso_size; /* payload bytes of each segment but the last */
    u16 csum_start, csum_offset;
};

struct net_frame {
    struct net_port *from; /* whose network has admitted it */

    /* The network's own: how far it got. All 0 when the frame is first sent. */
    u64 todo;       /* bit n: port n of the network has yet to get it; the lowest has its turn */
    u32 segment;    /* of a super-frame being segmented for that receiver: the next one */
    bool begun;     /* it was admitted and routed */
    u16 vlan;       /* it is in this one; 0: in none */
    u64 not_before; /* 0; else send said no because it's too early: ask again at this time (ns) */

    struct net_offload offload;
    u32 needs; /* enum net_need bits */
    u32 flow;  /* frame_flow's answer; 0: not yet asked */
    /* Scratch of whose turn it is: a receiver may put the header that its driver expects here. */
    u8 room[NET_ROOM];
    u8 head[NET_HEAD + NET_VLAN_TAG]; /* private copy of the first head_len bytes … */
    u32 head_len; /* … an Ethernet header at least; < NET_ETHERNET: the frame is that short */
    u32 len;      /* whole frame, without virtio header */
    u32 wire;     /* its longest piece on a wire: len, or a super-frame's segment */
    const struct chain *chain; /* the sender's */
    u32 off;                   /* where byte 0 of the frame would be in the chain's readable part */

    /* Of the sender's burst, not of the frame: */
    u64 pending; /* bit n: port n of the network got frames */
    s32 budget;  /* of NET_BUDGET, what is left; the network counts it off */
};

static inline u32 load_be16(const u8 *b)
{
    return (u32)b[0] << 8 | b[1];
}

static inline u32 load_be32(const u8 *b)
{
    return (u32)b[0] << 24 | (u32)b[1] << 16 | (u32)b[2] << 8 | b[3];
}

static inline u64 load_be64(const u8 *b)
{
    return (u64)load_be32(b) << 32 | load_be32(b + 4);
}

static inline void store_be16(u8 *b, u32 v)
{
    b[0] = (u8)(v >> 8);
    b[1] = (u8)v;
}

static inline void store_be32(u8 *b, u32 v)
{
    store_be16(b, v >> 16);
    store_be16(b + 2, v & 0xffff);
}

/* A MAC address as a number, first byte on the wire highest. */
static inline u64 mac_number(const u8 *b)
{
    return (u64)load_be32(b) << 16 | load_be16(b + 4);
}

#define MAC_MULTICAST (1ull << 40) /* group bit of a mac_number; broadcast has it too */
#define MAC_BROADCAST 0xffffffffffffull

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

static inline bool frame_tagged(const struct net_frame *f)
{
    u32 type = frame_type(f);

    return type == NET_VLAN || type == NET_QINQ;
}

/* The tag's control field. The frame is tagged and NET_ETHERNET + NET_VLAN_TAG bytes are there. */
static inline u32 frame_control(const struct net_frame *f)
{
    return load_be16(f->head + NET_ETHERNET);
}

/* No piece of it is larger than this MTU allows: a tag isn't counted. Has an Ethernet header. */
static inline bool frame_fits(const struct net_frame *f, u32 mtu)
{
    if (likely(f->wire <= mtu + NET_ETHERNET)) {
        return true;
    }
    return frame_tagged(f) && f->wire <= mtu + NET_ETHERNET + NET_VLAN_TAG;
}

bool frame_extend_far(struct net_frame *f, u32 least) MUST_CHECK; /* for frame_extend */

/*
 * Makes the private head at least `least` bytes long, as far as the frame goes; what it has already
 * is not read again. False: the frame is shorter, or least > NET_HEAD.
 */
MUST_CHECK static inline bool frame_extend(struct net_frame *f, u32 least)
{
    return likely(least <= f->head_len) || frame_extend_far(f, least);
}

/*
 * Puts an IEEE 802.1Q tag (priority and VLAN: `control`) behind the addresses, or takes the one
 * that is there away. One undoes the other. What was left to be done moves with its bytes. The
 * private head has an Ethernet header and, with a tag, that.
 */
void frame_tag(struct net_frame *f, u32 control);
void frame_untag(struct net_frame *f);

/*
 * A number for the flow (addresses, protocol, ports) that the frame belongs to, never 0, the same
 * for both directions. Frames that aren't TCP or UDP over IP: by their MAC addresses.
 */
u32 frame_flow(struct net_frame *f);

#endif
