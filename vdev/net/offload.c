/* SPDX-License-Identifier: MIT */
/*
 * What hardware would do for a sender: see offload.h. All that is decided here is decided on the
 * private head; of the payload, bytes are only added up. No lock of its own.
 */
#include "vdev/net/offload.h"

#include "vdev/net/port.h"

#define TAGS       2 /* VLAN tags in front of what is looked at */
#define EXTENSIONS 8 /* IPv6 extension headers walked */
/* What headers may take: a network may put one more tag in. */
#define HEADERS_MAX (NET_HEAD - NET_VLAN_TAG)

/* RFC 791 §3.1 */
enum {
    IPV4_LEN = 20,
    IPV4_TOTAL = 2,
    IPV4_ID = 4,
    IPV4_FRAGMENT = 6,
    IPV4_PROTOCOL = 9,
    IPV4_CSUM = 10,
};

/* RFC 8200 §3, §4 */
enum {
    IPV6_LEN = 40,
    IPV6_PAYLOAD = 4,
    IPV6_NEXT = 6,
    NEXT_HOP_BY_HOP = 0,
    NEXT_ROUTING = 43,
    NEXT_FRAGMENT = 44,
    NEXT_DESTINATION = 60,
};

/* RFC 9293 §3.1, RFC 3168 §6.1, RFC 768 */
enum {
    TCP_LEN = 20,
    TCP_SEQUENCE = 4,
    TCP_OFFSET = 12,
    TCP_FLAGS = 13,
    TCP_CSUM = 16,
    FLAG_FIN = 0x01,
    FLAG_PSH = 0x08,
    FLAG_CWR = 0x80,
    UDP_LEN = 8,
    UDP_LENGTH = 4,
    UDP_CSUM = 6,
    PROTOCOL_TCP = 6,
    PROTOCOL_UDP = 17,
};

/* --- what a frame says of itself -----------------------------------------------------------------
 */

/* Where the layers of a frame begin; everything in front of `transport` is in the private head. */
struct layers {
    u32 network;
    u32 type;      /* NET_IPV4, NET_IPV6, or something else, whose headers aren't known: */
    u32 transport; /* is `network` then */
    u32 protocol;
};

/* Behind up to `tags` tags. False: the frame ends there. */
static bool find_network(struct net_frame *f, u32 tags, struct layers *l)
{
    l->network = NET_ETHERNET;
    if (!frame_extend(f, l->network)) {
        return false;
    }
    l->type = frame_type(f);
    for (u32 i = 0; i < tags && (l->type == NET_VLAN || l->type == NET_QINQ); i++) {
        l->network += NET_VLAN_TAG;
        if (!frame_extend(f, l->network)) {
            return false;
        }
        l->type = load_be16(f->head + l->network - 2);
    }
    return true;
}

static bool parse_ipv4(struct net_frame *f, struct layers *l)
{
    const u8 *ip = f->head + l->network;
    u32 len;

    if (!frame_extend(f, l->network + IPV4_LEN) || ip[0] >> 4 != 4) {
        return false;
    }
    len = (ip[0] & 15u) * 4;
    if (len < IPV4_LEN || !frame_extend(f, l->network + len)) {
        return false;
    }
    /* More fragments, or an offset: a piece has no checksum of its own to complete. */
    if ((load_be16(ip + IPV4_FRAGMENT) & 0x3fff) != 0) {
        return false;
    }
    l->protocol = ip[IPV4_PROTOCOL];
    l->transport = l->network + len;
    return true;
}

static bool is_extension(u32 next)
{
    return next == NEXT_HOP_BY_HOP || next == NEXT_ROUTING || next == NEXT_DESTINATION;
}

static bool parse_ipv6(struct net_frame *f, struct layers *l)
{
    u32 at = l->network + IPV6_LEN;

    if (!frame_extend(f, at) || f->head[l->network] >> 4 != 6) {
        return false;
    }
    l->protocol = f->head[l->network + IPV6_NEXT];
    for (u32 i = 0; i < EXTENSIONS && is_extension(l->protocol); i++) {
        if (!frame_extend(f, at + 2)) {
            return false;
        }
        l->protocol = f->head[at];
        at += (f->head[at + 1] + 1u) * 8;
        if (!frame_extend(f, at)) {
            return false;
        }
    }
    l->transport = at;
    return l->protocol != NEXT_FRAGMENT;
}

static bool parse(struct net_frame *f, struct layers *l)
{
    if (!find_network(f, TAGS, l)) {
        return false;
    }
    switch (l->type) {
    case NET_IPV4:
        return parse_ipv4(f, l);
    case NET_IPV6:
        return parse_ipv6(f, l);
    default:
        l->protocol = 0;
        l->transport = l->network;
        return true;
    }
}

/* --- checking ------------------------------------------------------------------------------------
 */

/* A checksum may be asked for in any protocol, also in one that is wrapped in others. */
static bool check_csum(struct net_frame *f, const struct layers *l)
{
    u32 start = f->offload.csum_start, end = start + f->offload.csum_offset + 2;

    return start >= l->transport && end <= HEADERS_MAX && frame_extend(f, end);
}

/* What a receiver must know to take the super-frame whole; 0: it isn't what it says. */
static u32 kind_needs(const struct net_offload *o, const struct layers *l)
{
    if (o->gso == GSO_TCPV4 && l->type == NET_IPV4 && l->protocol == PROTOCOL_TCP) {
        return NEED_TSO4;
    }
    if (o->gso == GSO_TCPV6 && l->type == NET_IPV6 && l->protocol == PROTOCOL_TCP) {
        return NEED_TSO6;
    }
    if (o->gso == GSO_UDP && l->protocol == PROTOCOL_UDP) {
        return l->type == NET_IPV4 ? NEED_USO4 : NEED_USO6;
    }
    return 0;
}

/* Bytes in front of the payload; 0: nonsense. */
static u32 headers_len(struct net_frame *f, const struct layers *l)
{
    bool tcp = l->protocol == PROTOCOL_TCP;
    u32 least = tcp ? TCP_LEN : UDP_LEN, len = least;

    if (f->offload.csum_start != l->transport ||
        f->offload.csum_offset != (tcp ? TCP_CSUM : UDP_CSUM) ||
        !frame_extend(f, l->transport + least)) {
        return 0;
    }
    if (tcp) {
        len = f->head[l->transport + TCP_OFFSET] / 16u * 4;
    }
    if (len < least || l->transport + len > HEADERS_MAX || !frame_extend(f, l->transport + len)) {
        return 0;
    }
    return l->transport + len;
}

static bool check_super(struct net_frame *f, const struct layers *l)
{
    struct net_offload *o = &f->offload;
    u32 needs = kind_needs(o, l), headers, payload;

    if (needs == 0 || o->gso_size == 0 || f->len > NET_SUPER_MAX) {
        return false;
    }
    headers = headers_len(f, l);
    if (headers == 0) {
        return false;
    }
    payload = f->len - headers;
    if (payload <= o->gso_size) { /* just one segment: that's a frame like others */
        o->gso = GSO_NONE;
        o->ecn = false;
        return true;
    }
    if (payload > o->gso_size * (u32)OFFLOAD_SEGMENTS) {
        return false;
    }
    f->needs |= needs | (o->ecn ? NEED_ECN : 0u);
    f->wire = headers + o->gso_size;
    o->headers = (u16)headers;
    return true;
}

bool offload_check(struct net_frame *f)
{
    struct layers l;

    f->needs = 0;
    f->wire = f->len;
    f->offload.headers = 0;
    if (!f->offload.csum) { /* nobody can cut a frame up whose checksum isn't his to make */
        return f->offload.gso == GSO_NONE;
    }
    if (!parse(f, &l) || !check_csum(f, &l)) {
        return false;
    }
    f->needs = NEED_CSUM;
    return f->offload.gso == GSO_NONE || check_super(f, &l);
}

/* --- sums, RFC 1071 ------------------------------------------------------------------------------
 */

static u32 fold(u64 sum)
{
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16); /* < 2^33; then < 2^18, 2^17, 2^16 */
    sum = (sum & 0xffff) + (sum >> 16);
    return (u32)((sum & 0xffff) + (sum >> 16));
}

/* Of bytes of a private head, not folded. */
static u64 sum_head(const u8 *b, u32 len)
{
    u64 sum = 0;

    for (; len >= 4; len -= 4, b += 4) {
        sum += load_be32(b);
    }
    if (len >= 2) {
        sum += load_be16(b);
        b += 2;
    }
    return sum + (len % 2 != 0 ? (u32)b[0] << 8 : 0);
}

/* Completes the checksum of f, which is a frame that nobody else knows. */
static void complete(struct net_frame *f)
{
    const struct net_offload *o = &f->offload;
    u8 *field = f->head + o->csum_start + o->csum_offset;
    u32 in_head = f->head_len - o->csum_start, rest = f->len - f->head_len;
    u64 sum = sum_head(f->head + o->csum_start, in_head);

    if (rest > 0) {
        u16 part = chain_sum(f->chain, f->off + f->head_len, rest);

        sum += in_head % 2 == 0 ? part : __builtin_bswap16(part);
    }
    sum = fold(sum) ^ 0xffff;
    store_be16(field,
               sum != 0 ? (u32)sum : 0xffff); /* 0 says "none" in UDP; elsewhere it's equal */
    f->needs &= ~(u32)NEED_CSUM;
}

/* --- segments ------------------------------------------------------------------------------------
 */

/* A super-frame being cut up: `seg` is the segment that is being made, `f` stays as it is. */
struct cut {
    const struct net_frame *f;
    struct net_frame seg;
    struct layers l;
    u64 ip_sum;    /* of an IPv4 header but for total length, identification and checksum */
    u32 id;        /* IPv4: of the first segment */
    bool complete; /* the receiver wants checksums completed */
};

static void cut_begin(struct cut *c, struct net_frame *f, u32 accepts)
{
    const u8 *ip;

    c->f = f;
    c->complete = (accepts & NEED_CSUM) == 0;
    /* As offload_check found them; networks may have put tags in front since. */
    (void)find_network(f, NET_HEAD / NET_VLAN_TAG, &c->l);
    c->l.transport = f->offload.csum_start;
    c->l.protocol = f->offload.gso == GSO_UDP ? PROTOCOL_UDP : PROTOCOL_TCP;
    ip = f->head + c->l.network;
    if (c->l.type == NET_IPV4) {
        c->id = load_be16(ip + IPV4_ID);
        c->ip_sum = sum_head(ip, c->l.transport - c->l.network) - load_be16(ip + IPV4_TOTAL) -
                    c->id - load_be16(ip + IPV4_CSUM);
    }
    c->seg = *f;
    c->seg.offload.gso = GSO_NONE;
    c->seg.offload.ecn = false;
    c->seg.offload.headers = 0;
    c->seg.head_len = f->offload.headers;
}

static void patch_network(struct cut *c)
{
    u8 *ip = c->seg.head + c->l.network;
    u32 len = c->seg.len - c->l.network;

    if (c->l.type == NET_IPV4) {
        u32 id = (c->id + c->f->segment) & 0xffff;

        store_be16(ip + IPV4_TOTAL, len);
        store_be16(ip + IPV4_ID, id);
        store_be16(ip + IPV4_CSUM, fold(c->ip_sum + len + id) ^ 0xffff);
    } else {
        store_be16(ip + IPV6_PAYLOAD, len - IPV6_LEN);
    }
}

/* `at`: where its payload begins in the super-frame's. */
static void patch_transport(struct cut *c, u32 at)
{
    const u8 *super = c->f->head + c->l.transport;
    u8 *own = c->seg.head + c->l.transport;
    u32 old_len = c->f->len - c->l.transport, len = c->seg.len - c->l.transport;
    u32 csum = c->f->offload.csum_offset;

    if (c->l.protocol == PROTOCOL_UDP) {
        store_be16(own + UDP_LENGTH, len);
    } else {
        u32 flags = super[TCP_FLAGS];

        flags &= at > 0 ? ~(u32)FLAG_CWR : UINT32_MAX;
        flags &= at + c->f->offload.gso_size < c->f->len - c->f->offload.headers
                     ? ~(u32)(FLAG_FIN | FLAG_PSH)
                     : UINT32_MAX;
        own[TCP_FLAGS] = (u8)flags;
        store_be32(own + TCP_SEQUENCE, load_be32(super + TCP_SEQUENCE) + at);
    }
    /* The pseudo-header's sum has the length in it; what else is in it stays. */
    store_be16(own + csum, fold((u64)load_be16(super + csum) + (old_len ^ 0xffff) + len));
}

/* Makes the segment whose turn it is. */
static void cut_segment(struct cut *c)
{
    const struct net_offload *o = &c->f->offload;
    u32 at = c->f->segment * o->gso_size;

    c->seg.len = o->headers + MIN((u32)o->gso_size, c->f->len - o->headers - at);
    c->seg.wire = c->seg.len;
    c->seg.off = c->f->off + at;
    c->seg.needs = NEED_CSUM;
    patch_network(c);
    patch_transport(c, at);
    if (c->complete) {
        complete(&c->seg);
    }
}

/*
 * Work in frames: what is added up costs about as much again as what is copied. What a burst begins
 * with is always enough.
 */
static s32 work_for(u32 len, bool sum)
{
    return MIN((sum ? 2 : 1) + (s32)(len >> (sum ? 9 : 10)), NET_BUDGET);
}

/* Counts it off. False: not enough is left. */
static bool afford(struct net_frame *f, s32 work)
{
    if (f->budget < work) {
        return false;
    }
    f->budget -= work;
    return true;
}

static enum net_result deliver_segments(struct net_port *to, struct net_frame *f, u32 accepts)
{
    enum net_result result = NET_DROPPED;
    struct cut c;
    bool delivered;
    s32 work;

    cut_begin(&c, f, accepts);
    work = work_for(f->wire, c.complete);
    while (f->segment * (u32)f->offload.gso_size < f->len - f->offload.headers) {
        if (!afford(f, work)) {
            return NET_AGAIN;
        }
        cut_segment(&c);
        c.seg.budget = f->budget;
        delivered = to->ops->deliver(to, &c.seg);
        f->budget = c.seg.budget;
        if (!delivered) {
            break;
        }
        result = NET_DELIVERED;
        f->segment++;
    }
    f->segment = 0;
    return result;
}

static enum net_result deliver_completed(struct net_port *to, struct net_frame *f)
{
    struct net_frame own;
    bool delivered;

    if (!afford(f, work_for(f->len, true))) {
        return NET_AGAIN;
    }
    own = *f;
    complete(&own);
    delivered = to->ops->deliver(to, &own);
    f->budget = own.budget;
    return delivered ? NET_DELIVERED : NET_DROPPED;
}

enum net_result offload_deliver(struct net_port *to, struct net_frame *f)
{
    u32 accepts = atomic_load(&to->accepts);

    if (f->offload.gso != GSO_NONE) {
        return deliver_segments(to, f, accepts);
    }
    return deliver_completed(to, f);
}
