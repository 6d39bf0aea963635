/* SPDX-License-Identifier: MIT */
/* Offloads the plain way: see offref.h. */
#include "tests/host/offref.h"

#include "core/panic.h"

#include <string.h>

#define ROOM 188u /* bytes that headers may take */

static u32 be16(const u8 *b)
{
    return b[0] * 256u + b[1];
}

/* --- what a frame is
 * ------------------------------------------------------------------------------
 */

struct parsed {
    u32 network, transport, protocol, type;
};

static bool within(const struct offref *r, u32 end)
{
    return end <= r->len && end <= NET_HEAD;
}

static bool parse_ip4(const struct offref *r, struct parsed *p)
{
    const u8 *ip = r->b + p->network;
    u32 words;

    if (!within(r, p->network + 20)) {
        return false;
    }
    words = ip[0] & 15;
    p->protocol = ip[9];
    p->transport = p->network + 4 * words;
    return ip[0] / 16 == 4 && words >= 5 && within(r, p->transport) && (ip[6] & 0x20) == 0 &&
           (ip[6] & 0x1f) == 0 && ip[7] == 0;
}

static bool parse_ip6(const struct offref *r, struct parsed *p)
{
    u32 at = p->network + 40;

    if (!within(r, at) || r->b[p->network] / 16 != 6) {
        return false;
    }
    p->protocol = r->b[p->network + 6];
    for (u32 n = 0; n < 8; n++) {
        if (p->protocol != 0 && p->protocol != 43 && p->protocol != 60) {
            break;
        }
        if (!within(r, at + 8)) {
            return false;
        }
        p->protocol = r->b[at];
        at += 8 + 8u * r->b[at + 1];
        if (!within(r, at)) {
            return false;
        }
    }
    p->transport = at;
    return p->protocol != 44;
}

static bool parse(const struct offref *r, struct parsed *p)
{
    u32 at = 12;

    for (u32 tags = 0; tags < 2; tags++) {
        if (within(r, at + 2) && (be16(r->b + at) == 0x8100 || be16(r->b + at) == 0x88a8)) {
            at += 4;
        }
    }
    if (!within(r, at + 2)) {
        return false;
    }
    p->type = be16(r->b + at);
    p->network = at + 2;
    p->transport = p->network;
    p->protocol = 255;
    if (p->type == 0x0800) {
        return parse_ip4(r, p);
    }
    return p->type == 0x86dd ? parse_ip6(r, p) : true;
}

static u32 need_of(u32 gso, const struct parsed *p)
{
    u32 kind = gso << 16 | p->protocol;

    if (p->type == 0x0800) {
        return kind == (1u << 16 | 6) ? NEED_TSO4 : kind == (5u << 16 | 17) ? NEED_USO4 : 0;
    }
    if (p->type == 0x86dd) {
        return kind == (4u << 16 | 6) ? NEED_TSO6 : kind == (5u << 16 | 17) ? NEED_USO6 : 0;
    }
    return 0;
}

static bool check_super(struct offref *r, const struct parsed *p)
{
    bool tcp = r->o.gso != GSO_UDP;
    u32 need = need_of(r->o.gso, p), headers;

    if (need == 0 || r->len > NET_SUPER_MAX || r->o.gso_size == 0 ||
        r->o.csum_start != p->transport || r->o.csum_offset != (tcp ? 16 : 6) ||
        !within(r, p->transport + (tcp ? 20 : 8))) {
        return false;
    }
    headers = p->transport + (tcp ? 4u * (r->b[p->transport + 12] >> 4) : 8);
    if (headers < p->transport + (tcp ? 20 : 8) || headers > ROOM || !within(r, headers)) {
        return false;
    }
    if (headers + r->o.gso_size >= r->len) {
        r->o.gso = GSO_NONE;
        r->o.ecn = false;
        return true;
    }
    r->o.headers = (u16)headers;
    r->needs |= need | (r->o.ecn ? NEED_ECN : 0);
    r->wire = headers + r->o.gso_size;
    return (r->len - headers + r->o.gso_size - 1) / r->o.gso_size <= OFFLOAD_SEGMENTS;
}

bool offref_check(struct offref *r)
{
    struct parsed p;

    r->needs = 0;
    r->wire = r->len;
    r->o.headers = 0;
    if (!r->o.csum) {
        return r->o.gso == GSO_NONE;
    }
    if (!parse(r, &p)) {
        return false;
    }
    r->network = p.network;
    r->ip4 = p.type == 0x0800;
    if (r->o.csum_start < p.transport || r->o.csum_start + r->o.csum_offset + 2u > ROOM ||
        r->o.csum_start + r->o.csum_offset + 2u > r->len) {
        return false;
    }
    r->needs = NEED_CSUM;
    return r->o.gso == GSO_NONE ? true : check_super(r, &p);
}

/* --- what a receiver gets ------------------------------------------------------------------------
 */

static bool whole(const struct offref *r, u32 accepts)
{
    return (r->needs & ~accepts) == 0 || r->o.gso == GSO_NONE;
}

u32 offref_pieces(const struct offref *r, u32 accepts)
{
    return whole(r, accepts) ? 1 : (r->len - r->o.headers + r->o.gso_size - 1) / r->o.gso_size;
}

/* Modulo 65535, as if a byte 0 followed an odd number of them. */
static u32 sum(const u8 *b, u32 len)
{
    u32 s = 0;

    for (u32 i = 0; i < len; i++) {
        s = (s + (i % 2 == 0 ? 256u : 1u) * b[i]) % 65535;
    }
    return s;
}

static void put16(u8 *b, u32 v)
{
    b[0] = (u8)(v / 256);
    b[1] = (u8)(v % 256);
}

static u32 segment(const struct offref *r, u32 k, u8 *to)
{
    u32 h = r->o.headers, from = h + k * r->o.gso_size, n = MIN(r->o.gso_size, r->len - from);
    u32 start = r->o.csum_start, old = r->len - start;
    u8 *ip = to + r->network, *l4 = to + start;

    memcpy(to, r->b, h);
    memcpy(to + h, r->b + from, n);
    if (r->ip4) {
        put16(ip + 2, h + n - r->network);
        put16(ip + 4, (be16(ip + 4) + k) % 65536);
        put16(ip + 10, 0);
        put16(ip + 10, (65535 - sum(ip, start - r->network)) % 65535);
    } else {
        put16(ip + 4, h + n - r->network - 40);
    }
    put16(l4 + r->o.csum_offset,
          (be16(l4 + r->o.csum_offset) + 65535 * 2 - old + h + n - start) % 65535);
    if (r->o.gso == GSO_UDP) {
        put16(l4 + 4, h + n - start);
    } else {
        u64 seq = ((u64)be16(l4 + 4) << 16 | be16(l4 + 6)) + k * r->o.gso_size;

        put16(l4 + 4, (u32)(seq >> 16) % 65536);
        put16(l4 + 6, (u32)seq % 65536);
        l4[13] &= k != 0 ? 0x7f : 0xff;
        l4[13] &= from + n < r->len ? 0xf6 : 0xff;
    }
    return h + n;
}

void offref_bytes(const struct net_frame *f, u8 *to)
{
    u32 rest = f->len - f->head_len;

    memcpy(to, f->head, f->head_len);
    assert(rest == 0 || chain_read(f->chain, f->off + f->head_len, to + f->head_len, rest) == rest);
}

/* A sum that isn't complete is equal if it's equal modulo 65535. */
static void same_partial(u8 *a, u8 *b)
{
    assert(be16(a) % 65535 == be16(b) % 65535);
    put16(a, 0);
    put16(b, 0);
}

void offref_expect(const struct offref *r, u32 accepts, u32 k, const struct net_frame *got)
{
    static u8 want[OFFREF_FRAME], have[OFFREF_FRAME];
    u32 field = r->o.csum_start + r->o.csum_offset, len = r->len;
    bool complete = (r->needs & ~accepts & NEED_CSUM) != 0;

    assert(k < offref_pieces(r, accepts));
    if (whole(r, accepts)) {
        memcpy(want, r->b, len);
    } else {
        len = segment(r, k, want);
    }
    assert(got->len == len && got->head_len >= NET_ETHERNET && got->head_len <= len);
    offref_bytes(got, have);
    if (complete) {
        put16(want + field, 65535 - sum(want + r->o.csum_start, len - r->o.csum_start));
        assert(got->needs == 0);
    } else if (r->needs != 0) {
        assert(got->needs == (whole(r, accepts) ? r->needs : NEED_CSUM));
        assert(got->offload.csum && got->offload.csum_start == r->o.csum_start);
        assert(got->offload.csum_offset == r->o.csum_offset);
        assert(got->offload.gso == (whole(r, accepts) ? r->o.gso : GSO_NONE));
        assert(got->offload.gso != GSO_NONE || (!got->offload.ecn && got->offload.headers == 0));
        same_partial(want + field, have + field);
    }
    assert(memcmp(want, have, len) == 0);
}

/* --- senders and receivers -----------------------------------------------------------------------
 */

void offref_source(struct offref_source *s, const struct offref *r, u32 head_len, u32 seed)
{
    u32 skip = 12 + seed % 5, done = 0, at = seed % 7, left = skip + r->len;
    struct chain *c = &s->chain;

    memset(&s->f, 0, sizeof(s->f));
    memset(c, 0, sizeof(*c));
    while (left > 0) {
        u32 n = left;

        seed = seed * 1664525 + 1013904223;
        if (c->nreadable < VIRTQ_SEGMENTS - 1) {
            n = MIN(left, seed >> 8 & 1 ? seed >> 20 : seed >> 25);
            n = MAX(n, 1u);
        }
        for (u32 i = 0; i < n; i++, done++) {
            s->memory[at + i] = done < skip ? 0xee : r->b[done - skip];
        }
        c->span[c->nreadable++] = (struct span){(guest_t *)(void *)(s->memory + at), n};
        at += n + (seed >> 16) % 9;
        left -= n;
    }
    c->readable = skip + r->len;
    s->f.chain = c;
    s->f.off = skip;
    s->f.len = r->len;
    s->f.wire = r->len;
    s->f.head_len = MIN(head_len, r->len);
    s->f.offload = r->o;
    s->f.budget = NET_BUDGET;
    memcpy(s->f.head, r->b, s->f.head_len);
}

static bool sink_deliver(struct net_port *p, struct net_frame *f)
{
    struct offref_sink *s = container_of(p, struct offref_sink, port);

    if (s->got == s->refuse_at) {
        port_drop(p, DROP_NOBUF);
        return false;
    }
    offref_expect(s->expected, p->accepts, s->got, f);
    s->got++;
    return true;
}

void offref_sink(struct offref_sink *s, const struct offref *expected, u32 accepts)
{
    static const struct net_port_ops ops = {.deliver = sink_deliver};

    memset(s, 0, sizeof(*s));
    s->port.ops = &ops;
    s->port.accepts = accepts;
    s->port.mtu = 65535;
    s->expected = expected;
    s->refuse_at = UINT32_MAX;
}
