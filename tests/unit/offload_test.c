/* SPDX-License-Identifier: MIT */
/*
 * Checksums completed and super-frames cut up, piece by piece against tests/host/offref.c, and what
 * senders may ask for. A test rule_N_… is about rule N of docs/virtqueue-rules.md.
 */
#include "tests/host/offref.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ALL_NEEDS 63u

static struct offref ref;
static struct offref_source source;
static struct offref_sink sink;
static u32 seed;

static u32 rnd(u32 below)
{
    seed = seed * 1664525 + 1013904223;
    return (u32)((u64)seed * below >> 32);
}

static int setup(void **state)
{
    (void)state;
    seed = 12345;
    return 0;
}

/* --- frames to send ------------------------------------------------------------------------------
 */

struct shape {
    u32 gso;
    u32 tags, options; /* options: of IPv4 or TCP, or bytes of IPv6 extension headers */
    bool ip6;
};

static const struct shape shapes[] = {
    {GSO_TCPV4, 0, 0, false}, {GSO_TCPV4, 0, 12, false}, {GSO_TCPV4, 1, 40, false},
    {GSO_TCPV4, 2, 4, false}, {GSO_TCPV6, 0, 0, true},   {GSO_TCPV6, 1, 8, true},
    {GSO_TCPV6, 2, 32, true}, {GSO_UDP, 0, 0, false},    {GSO_UDP, 1, 20, false},
    {GSO_UDP, 0, 0, true},    {GSO_UDP, 2, 24, true},
};

static void put16(u32 at, u32 v)
{
    ref.b[at] = (u8)(v >> 8);
    ref.b[at + 1] = (u8)v;
}

static u32 put_ip(const struct shape *s, u32 at, u32 protocol)
{
    u32 len = ref.len - at;

    if (!s->ip6) {
        u32 options = s->gso == GSO_UDP ? s->options : 0;

        ref.b[at] = (u8)(0x45 + options / 4);
        put16(at + 2, len);
        put16(at + 6, 0x4000);
        ref.b[at + 9] = (u8)protocol;
        return at + 20 + options;
    }
    ref.b[at] = 0x60 | (ref.b[at] & 15);
    put16(at + 4, len - 40);
    ref.b[at + 6] = (u8)protocol;
    at += 40;
    for (u32 i = 0; i < s->options; i += 8, at += 8) { /* each names the next; the last, ours */
        static const u8 extension[3] = {0, 60, 43};

        ref.b[i == 0 ? at - 34 : at - 8] = extension[i / 8 % 3];
        ref.b[at] = (u8)protocol;
        ref.b[at + 1] = 0;
    }
    return at;
}

/* A super-frame with `payload` random bytes; what it says is true. */
static void make(const struct shape *s, u32 payload, u32 gso_size)
{
    u32 at = 12, tcp = s->gso != GSO_UDP, options = s->ip6 || !tcp ? 0 : s->options;

    memset(&ref.o, 0, sizeof(ref.o));
    ref.len = 14 + 4 * s->tags + (s->ip6 ? 40 : 20) + s->options + (tcp ? 20 : 8) + payload;
    for (u32 i = 0; i < ref.len; i++) {
        ref.b[i] = (u8)rnd(256);
    }
    for (u32 i = 0; i < s->tags; i++, at += 4) {
        put16(at, i + 1 < s->tags ? NET_QINQ : NET_VLAN);
    }
    put16(at, s->ip6 ? NET_IPV6 : NET_IPV4);
    at = put_ip(s, at + 2, tcp ? 6 : 17);
    if (tcp) {
        ref.b[at + 12] = (u8)((20 + options) * 4);
    } else {
        put16(at + 4, ref.len - at);
    }
    ref.o.gso = (u8)s->gso;
    ref.o.csum = true;
    ref.o.gso_size = (u16)gso_size;
    ref.o.csum_start = (u16)at;
    ref.o.csum_offset = tcp ? 16 : 6;
}

/* Checks it, also with the reference. */
static bool check(u32 head_len)
{
    bool ok;

    offref_source(&source, &ref, head_len, rnd(1u << 31));
    ok = offload_check(&source.f);
    assert_int_equal(offref_check(&ref), ok);
    if (ok) {
        assert_int_equal(source.f.needs, ref.needs);
        assert_int_equal(source.f.wire, ref.wire);
        assert_int_equal(source.f.offload.headers, ref.o.headers);
        assert_int_equal(source.f.offload.gso, ref.o.gso);
        assert_int_equal(source.f.offload.ecn, ref.o.ecn);
    }
    return ok;
}

/* Delivers what was checked, in as many bursts as it takes; how many those were. */
static u32 deliver(u32 accepts)
{
    enum net_result r;
    u32 bursts = 0;

    offref_sink(&sink, &ref, accepts);
    do {
        source.f.budget = NET_BUDGET;
        r = port_deliver(&sink.port, &source.f);
        bursts++;
        assert_true(bursts < 2000);
    } while (r == NET_AGAIN);
    assert_int_equal(r, NET_DELIVERED);
    assert_int_equal(sink.got, offref_pieces(&ref, accepts));
    assert_int_equal(source.f.segment, 0);
    return bursts;
}

/* --- every receiver gets what it can take --------------------------------------------------------
 */

static void every_mask(void **state)
{
    static struct net_frame before;

    (void)state;
    for (u32 accepts = 0; accepts <= ALL_NEEDS; accepts++) {
        const struct shape *s = &shapes[accepts % ARRAY_SIZE(shapes)];

        make(s, 100 + rnd(20000), 21 + rnd(2000));
        ref.o.ecn = s->gso != GSO_UDP && rnd(2) != 0;
        assert_true(check(14 + rnd(150)));
        for (u32 mask = 0; mask <= ALL_NEEDS; mask++) {
            source.f.budget = NET_BUDGET;
            before = source.f;
            (void)deliver(mask);
            before.budget = source.f.budget;
            assert_memory_equal(&source.f, &before, sizeof(before));
        }
    }
}

static void every_shape_and_length(void **state)
{
    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(shapes); i++) {
        for (u32 payload = 0; payload < 70; payload++) {
            make(&shapes[i], payload, 16);
            assert_true(check(14 + rnd(178)));
            assert_int_equal(source.f.offload.gso, payload > 16 ? shapes[i].gso : GSO_NONE);
            (void)deliver(0);
            (void)deliver(NEED_CSUM);
            (void)deliver(ALL_NEEDS);
        }
    }
}

static void largest_frames(void **state)
{
    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(shapes); i++) {
        make(&shapes[i], 65000, 1448);
        assert_true(check(84));
        assert_in_range(deliver(0), 4, 5);         /* 45 segments, each 4 frames' work … */
        assert_in_range(deliver(NEED_CSUM), 2, 3); /* … and 2 or 3 where nothing is summed up */
        assert_int_equal(deliver(ALL_NEEDS), 1);
    }
    make(&shapes[0], 1023 * 64, 64);
    assert_true(check(84));
    assert_int_equal(deliver(NEED_CSUM), 22); /* 48 in a burst */
}

/* Sequence numbers and identifications wrap. */
static void numbers_wrap(void **state)
{
    (void)state;
    make(&shapes[0], 5000, 1000);
    put16(14 + 4, 0xfffe);
    put16(34 + 4, 0xffff);
    put16(34 + 6, 0xfc00);
    assert_true(check(84));
    (void)deliver(0);
}

static u32 checksum_of_piece(u32 at, u32 end)
{
    static u8 b[OFFREF_FRAME];
    u64 sum = 0;

    offref_bytes(&source.f, b);
    for (; at < end; at += 2) {
        sum += (u32)b[at] << 8 | (at + 1 < end ? b[at + 1] : 0);
    }
    return (u32)(sum % 65535);
}

static bool verify(struct net_port *p, struct net_frame *f)
{
    static u8 b[OFFREF_FRAME];
    u32 l4 = f->offload.csum_start;
    u64 sum = f->len - l4 + 17;

    (void)p;
    offref_bytes(f, b);
    for (u32 i = 14 + 12; i < f->len; i++) {
        sum += i % 2 == 0 ? (u32)b[i] << 8 : b[i];
    }
    assert_int_equal(sum % 65535, 0); /* as RFC 768 says, from the addresses on */
    assert_int_not_equal(b[l4 + 6] << 8 | b[l4 + 7], 0);
    return true;
}

/* Not by the reference: from the protocol's own words, with a true pseudo-header. */
static void checksums_verify(void **state)
{
    static const struct net_port_ops ops = {.deliver = verify};
    struct net_port p = {.ops = &ops, .mtu = 1500};

    (void)state;
    for (u32 i = 0; i < 300; i++) {
        u64 pseudo;

        make(&shapes[7], 1 + rnd(9000), 1 + rnd(1472));
        offref_source(&source, &ref, 34, i);
        pseudo = checksum_of_piece(14 + 12, 34) + 17 + ref.len - 34;
        put16(34 + 6, (u32)(pseudo % 65535));
        if (!check(34 + rnd(20))) {
            continue; /* too many segments */
        }
        do {
            source.f.budget = NET_BUDGET;
        } while (offload_deliver(&p, &source.f) == NET_AGAIN);
    }
}

/* 0 would say that there's no checksum. */
static void udp_sum_of_zero(void **state)
{
    (void)state;
    make(&shapes[7], 2, 100);
    ref.o.gso = GSO_NONE;
    put16(34 + 8, 0); /* makes the sum 0xffff, its complement 0 */
    offref_source(&source, &ref, 44, 1);
    put16(34 + 8, 65535 - checksum_of_piece(34, 44));
    assert_true(check(44));
    (void)deliver(0);
    offref_source(&source, &ref, 44, 1);
    assert_int_equal(checksum_of_piece(34, 44), 0);
}

static void checksum_anywhere(void **state)
{
    (void)state;
    for (u32 i = 0; i < 3000; i++) {
        make(&shapes[rnd(2) * 4], rnd(3000), 1);
        ref.o.gso = GSO_NONE;
        ref.o.csum_start =
            (u16)(ref.o.csum_start + rnd(60)); /* a tunnel's inner one, at any byte */
        ref.o.csum_offset = (u16)rnd(40);
        if (check(14 + rnd(100))) {
            (void)deliver(0);
            (void)deliver(NEED_CSUM);
        }
    }
    make(&shapes[0], 100, 1);
    put16(12, 0x1234); /* no protocol that's known */
    ref.o.gso = GSO_NONE;
    ref.o.csum_start = 14;
    assert_true(check(14));
    (void)deliver(0);
}

/* --- budget, refusals ----------------------------------------------------------------------------
 */

static void large_sums_wait_for_a_burst(void **state)
{
    (void)state;
    make(&shapes[0], 65000, 1);
    ref.o.gso = GSO_NONE;
    assert_true(check(84));
    offref_sink(&sink, &ref, 0);
    source.f.budget = NET_BUDGET - 1;
    assert_int_equal(port_deliver(&sink.port, &source.f), NET_AGAIN);
    assert_int_equal(sink.got, 0);
    assert_int_equal(source.f.budget, NET_BUDGET - 1);
    assert_int_equal(deliver(0), 1);
    assert_int_equal(source.f.budget, 0);
}

static void budget_is_counted_off(void **state)
{
    (void)state;
    make(&shapes[0], 10000, 1000);
    assert_true(check(84));
    offref_sink(&sink, &ref, NEED_CSUM);
    source.f.budget = 8;
    assert_int_equal(port_deliver(&sink.port, &source.f), NET_AGAIN);
    assert_int_equal(sink.got, 4);
    assert_int_equal(source.f.segment, 4);
    source.f.budget = 0;
    assert_int_equal(port_deliver(&sink.port, &source.f), NET_AGAIN);
    assert_int_equal(sink.got, 4); /* and the sink sees that none comes twice */
    source.f.budget = 12;
    assert_int_equal(port_deliver(&sink.port, &source.f), NET_DELIVERED);
    assert_int_equal(sink.got, 10);
    assert_int_equal(source.f.budget, 0);
}

static void refused_segments(void **state)
{
    (void)state;
    make(&shapes[0], 10000, 1000);
    assert_true(check(84));
    for (u32 at = 0; at < 10; at++) {
        offref_sink(&sink, &ref, NEED_CSUM);
        sink.refuse_at = at;
        source.f.budget = NET_BUDGET;
        assert_int_equal(port_deliver(&sink.port, &source.f),
                         at == 0 ? NET_DROPPED : NET_DELIVERED);
        assert_int_equal(sink.got, at);
        assert_int_equal(sink.port.drops[DROP_NOBUF], 1);
        assert_int_equal(source.f.segment, 0);
    }
    make(&shapes[0], 100, 1000);
    assert_true(check(84));
    offref_sink(&sink, &ref, 0);
    sink.refuse_at = 0;
    assert_int_equal(port_deliver(&sink.port, &source.f), NET_DROPPED);
}

static void segments_and_mtu(void **state)
{
    (void)state;
    make(&shapes[0], 10000, 1460);
    assert_true(check(84));
    offref_sink(&sink, &ref, ALL_NEEDS);
    sink.port.mtu = 1499;
    assert_int_equal(port_deliver(&sink.port, &source.f), NET_DROPPED);
    assert_int_equal(sink.port.drops[DROP_SIZE], 1);
    sink.port.mtu = 1500;
    assert_int_equal(port_deliver(&sink.port, &source.f), NET_DELIVERED);
}

/* A network put a tag in: everything moved by 4. */
static void tagged_on_the_way(void **state)
{
    struct net_frame *f = &source.f;

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(shapes); i++) {
        make(&shapes[i], 5000, 1000);
        assert_true(check(84));
        memmove(f->head + 16, f->head + 12, f->head_len - 12);
        store_be32(f->head + 12, 0x8100007b);
        f->head_len += 4, f->len += 4, f->wire += 4, f->off -= 4;
        f->offload.headers += 4, f->offload.csum_start += 4;
        memmove(ref.b + 16, ref.b + 12, ref.len - 12);
        memcpy(ref.b + 12, f->head + 12, 4);
        ref.len += 4, ref.wire += 4, ref.network += 4;
        ref.o.headers += 4, ref.o.csum_start += 4;
        (void)deliver(0);
        (void)deliver(NEED_CSUM);
    }
}

/* --- what senders may not ask for ----------------------------------------------------------------
 */

static void refuse(u32 i, u32 at, u32 value)
{
    make(&shapes[i], 5000, 1000);
    assert_true(check(84));
    make(&shapes[i], 5000, 1000);
    ref.b[at] = (u8)value;
    assert_false(check(84));
}

static void rule_25_headers_must_fit(void **state)
{
    (void)state;
    refuse(0, 12, 0x86);      /* not IPv4 */
    refuse(0, 14, 0x65);      /* version */
    refuse(0, 14, 0x44);      /* IPv4 header too short */
    refuse(0, 14, 0x4f);      /* longer than it is */
    refuse(0, 14 + 6, 0x20);  /* more fragments */
    refuse(0, 14 + 7, 1);     /* a fragment */
    refuse(0, 14 + 9, 17);    /* UDP */
    refuse(0, 34 + 12, 0x4f); /* TCP header too short */
    refuse(4, 12, 0x08);      /* not IPv6 */
    refuse(4, 14, 0x50);      /* version */
    refuse(4, 14 + 6, 17);    /* UDP */
    refuse(4, 14 + 6, 44);    /* a fragment */
    refuse(4, 14 + 6, 59);    /* nothing follows */
    refuse(5, 18 + 40, 44);   /* a fragment behind options */
    refuse(5, 18 + 41, 255);  /* extension headers longer than Muntin looks */
    refuse(7, 14 + 9, 6);     /* TCP */
    refuse(9, 14 + 6, 6);
}

static void refuse_plain(u32 i, u32 at, u32 value)
{
    make(&shapes[i], 5000, 1000);
    ref.o.gso = GSO_NONE;
    ref.o.csum_start = 80; /* behind all headers, whatever they say */
    assert_true(check(84));
    ref.b[at] = (u8)value;
    assert_false(check(84));
}

/* Also for a checksum alone. */
static void rule_25_of_plain_frames(void **state)
{
    (void)state;
    refuse_plain(0, 14, 0x65);
    refuse_plain(0, 14, 0x44);
    refuse_plain(0, 14 + 6, 0x20);
    refuse_plain(0, 14 + 7, 1);
    refuse_plain(4, 14, 0x40);
    refuse_plain(4, 14 + 6, 44);
}

static void rule_25_asked_for(void **state)
{
    static const struct {
        struct net_offload o; /* of a frame of shape 0, 5000 bytes of payload */
        bool ok;
    } wishes[] = {
        {{.gso = 1, .csum = true, .gso_size = 1000, .csum_start = 34, .csum_offset = 16}, true},
        {{.gso = 1, .csum = false, .gso_size = 1000, .csum_start = 34, .csum_offset = 16}, false},
        {{.gso = 1, .csum = true, .gso_size = 0, .csum_start = 34, .csum_offset = 16}, false},
        {{.gso = 1, .csum = true, .gso_size = 4, .csum_start = 34, .csum_offset = 16}, false},
        {{.gso = 1, .csum = true, .gso_size = 5, .csum_start = 34, .csum_offset = 16}, true},
        {{.gso = 1, .csum = true, .gso_size = 65535, .csum_start = 34, .csum_offset = 16}, true},
        {{.gso = 1, .csum = true, .gso_size = 1000, .csum_start = 33, .csum_offset = 17}, false},
        {{.gso = 1, .csum = true, .gso_size = 1000, .csum_start = 38, .csum_offset = 16}, false},
        {{.gso = 1, .csum = true, .gso_size = 1000, .csum_start = 34, .csum_offset = 6}, false},
        {{.gso = 2, .csum = true, .gso_size = 1000, .csum_start = 34, .csum_offset = 16}, false},
        {{.gso = 3, .csum = true, .gso_size = 1000, .csum_start = 34, .csum_offset = 16}, false},
        {{.gso = 4, .csum = true, .gso_size = 1000, .csum_start = 34, .csum_offset = 16}, false},
        {{.gso = 5, .csum = true, .gso_size = 1000, .csum_start = 34, .csum_offset = 6}, false},
        {{.gso = 0, .csum = true, .csum_start = 34, .csum_offset = 16}, true},
        {{.gso = 0, .csum = true, .csum_start = 33, .csum_offset = 17}, false},
        {{.gso = 0, .csum = true, .csum_start = 170, .csum_offset = 16}, true},
        {{.gso = 0, .csum = true, .csum_start = 171, .csum_offset = 16}, false},
        {{.gso = 0, .csum = true, .csum_start = 65535, .csum_offset = 65535}, false},
        {{.gso = 0, .csum = false, .csum_start = 65535, .csum_offset = 65535}, true},
    };

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(wishes); i++) {
        make(&shapes[0], 5000, 1);
        ref.o = wishes[i].o;
        assert_int_equal(check(84), wishes[i].ok);
    }
}

static void rule_25_short_frames(void **state)
{
    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(shapes); i++) {
        for (u32 cut = 0; cut < 30; cut++) {
            make(&shapes[i], 0, 1000);
            ref.len -= cut;
            assert_int_equal(check(14), cut == 0);
        }
        make(&shapes[i], 0, 1000);
        for (u32 len = 0; len < 60; len++) {
            ref.len = len;
            ref.o.gso = GSO_NONE;
            ref.o.csum_start = 14;
            ref.o.csum_offset = 0;
            (void)check(0);
        }
    }
}

static void rule_25_large_frames(void **state)
{
    (void)state;
    make(&shapes[0], NET_SUPER_MAX - 54, 1448);
    assert_int_equal(ref.len, NET_SUPER_MAX);
    assert_true(check(84));
    make(&shapes[0], NET_SUPER_MAX - 53, 1448);
    assert_false(check(84));
    make(&shapes[0], 0, 0); /* no payload in no segments */
    assert_false(check(84));
    make(&shapes[0], 1024 * 60, 60);
    assert_true(check(84));
    make(&shapes[0], 1024 * 60 + 1, 60);
    assert_false(check(84));
}

/* Any byte of the headers set to anything: no verdict but the reference's, none that hurts. */
static void any_byte(void **state)
{
    (void)state;
    for (u32 i = 0; i < 40000; i++) {
        make(&shapes[rnd(ARRAY_SIZE(shapes))], rnd(200), 1 + rnd(60));
        ref.b[12 + rnd(90)] = (u8)rnd(256);
        if (rnd(2) != 0) {
            ref.o.csum_start = (u16)(14 + rnd(200));
        }
        if (check(14 + rnd(178))) {
            (void)deliver(0);
            (void)deliver(rnd(ALL_NEEDS + 1));
        }
    }
}

/* --- sums ----------------------------------------------------------------------------------------
 */

static void sums(void **state)
{
    (void)state;
    make(&shapes[0], 3000, 1);
    for (u32 i = 0; i < 20000; i++) {
        u32 off = rnd(200), len = rnd(i % 2 != 0 ? 300 : 3000), want = 0;
        const struct chain *c = &source.chain;

        len = MIN(len, ref.len - off);
        memset(ref.b + off, i % 7 == 0 ? 0xff : (int)rnd(256), rnd(64)); /* carries everywhere */
        offref_source(&source, &ref, 0, i);
        for (u32 k = 0; k < len; k++) {
            want = (want + (k % 2 == 0 ? ref.b[off + k] * 256u : ref.b[off + k])) % 65535;
        }
        assert_int_equal(chain_sum(c, source.f.off + off, len) % 65535, want);
    }
    offref_source(&source, &ref, 0, 1);
    assert_int_equal(chain_sum(&source.chain, source.chain.readable, 10), 0);
    assert_int_equal(chain_sum(&source.chain, 0, 0), 0);
}

#define T(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(rule_25_headers_must_fit),
        T(rule_25_asked_for),
        T(rule_25_short_frames),
        T(rule_25_large_frames),
        T(rule_25_of_plain_frames),
        T(every_mask),
        T(every_shape_and_length),
        T(largest_frames),
        T(numbers_wrap),
        T(checksums_verify),
        T(udp_sum_of_zero),
        T(checksum_anywhere),
        T(large_sums_wait_for_a_burst),
        T(budget_is_counted_off),
        T(refused_segments),
        T(segments_and_mtu),
        T(tagged_on_the_way),
        T(any_byte),
        T(sums),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
