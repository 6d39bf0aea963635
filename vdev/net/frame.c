/* SPDX-License-Identifier: MIT */
/* What is done with frames whatever network they are in: a longer private head, flows. No lock. */
#include "vdev/net/frame.h"

#include <string.h>

bool frame_extend_far(struct net_frame *f, u32 least)
{
    if (least > f->len || least > NET_HEAD) {
        return false;
    }
    f->head_len +=
        chain_read(f->chain, f->off + f->head_len, f->head + f->head_len, least - f->head_len);
    return f->head_len >= least;
}

#define TAG_AT 12 /* behind both addresses */

/* The frame became longer (shorter) in front of everything that offloads speak of. */
static void moved(struct net_frame *f, u32 by)
{
    f->head_len += by;
    f->len += by;
    f->wire += by;
    f->off -= by;
    if (f->needs != 0) {
        struct net_offload *o = &f->offload;

        o->csum_start = (u16)(o->csum_start + by);
        o->headers = (u16)(o->headers != 0 ? o->headers + by : 0);
    }
}

void frame_tag(struct net_frame *f, u32 control)
{
    u8 *at = f->head + TAG_AT;

    memmove(at + NET_VLAN_TAG, at, f->head_len - TAG_AT); /* the head has room for one tag more */
    store_be16(at, NET_VLAN);
    store_be16(at + 2, control);
    moved(f, NET_VLAN_TAG);
}

void frame_untag(struct net_frame *f)
{
    u8 *at = f->head + TAG_AT;

    memmove(at, at + NET_VLAN_TAG, f->head_len - TAG_AT - NET_VLAN_TAG);
    moved(f, -NET_VLAN_TAG);
}

/* Offsets in IP headers, RFC 791 §3.1, RFC 8200 §3 */
enum {
    IPV4_LEN = 20,
    IPV4_FRAGMENT = 6,
    IPV4_PROTOCOL = 9,
    IPV4_SOURCE = 12,
    IPV6_LEN = 40,
    IPV6_NEXT = 6,
    IPV6_SOURCE = 8,
    PROTOCOL_TCP = 6,
    PROTOCOL_UDP = 17,
};

static u64 ports(struct net_frame *f, u32 at, u32 protocol)
{
    if ((protocol != PROTOCOL_TCP && protocol != PROTOCOL_UDP) || !frame_extend(f, at + 4)) {
        return 0;
    }
    return load_be16(f->head + at) + load_be16(f->head + at + 2) + ((u64)protocol << 32);
}

/* A sum that doesn't care which side is the sender. */
static u64 flow_key(struct net_frame *f)
{
    u32 at = NET_ETHERNET + (frame_tagged(f) ? NET_VLAN_TAG : 0);
    u32 type = frame_extend(f, at) ? load_be16(f->head + at - 2) : 0;
    const u8 *ip = f->head + at;

    if (type == NET_IPV4 && frame_extend(f, at + IPV4_LEN)) {
        u64 key = (u64)load_be32(ip + IPV4_SOURCE) + load_be32(ip + IPV4_SOURCE + 4);
        bool whole = (load_be16(ip + IPV4_FRAGMENT) & 0x3fff) == 0; /* pieces have no ports */

        return key + (whole ? ports(f, at + (ip[0] & 15u) * 4, ip[IPV4_PROTOCOL]) : 0);
    }
    if (type == NET_IPV6 && frame_extend(f, at + IPV6_LEN)) {
        u64 key = 0;

        for (u32 i = 0; i < 2 * 16; i += 8) {
            key += load_be64(ip + IPV6_SOURCE + i);
        }
        return key + ports(f, at + IPV6_LEN, ip[IPV6_NEXT]);
    }
    return f->head_len >= NET_ETHERNET ? frame_to(f) + frame_from(f) : 0;
}

u32 frame_flow(struct net_frame *f)
{
    if (f->flow == 0) {
        u64 h = flow_key(f) * 0x9e3779b97f4a7c15ull; /* golden ratio: neighbours part */

        f->flow = MAX((u32)(h >> 32), 1u);
    }
    return f->flow;
}
