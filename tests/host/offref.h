/* SPDX-License-Identifier: MIT */
/*
 * What offloads must do, written a second time the plain way: a whole frame as an array of bytes,
 * sums modulo 65535. For vdev/net/offload.c's tests and fuzzer; shares nothing with it but the
 * structures.
 */
#ifndef TESTS_HOST_OFFREF_H
#define TESTS_HOST_OFFREF_H

#include "vdev/net/offload.h"
#include "vdev/net/port.h"

#define OFFREF_FRAME 66000u

/* A frame's bytes and what its sender asks for. */
struct offref {
    u8 b[OFFREF_FRAME];
    u32 len;
    struct net_offload o; /* `headers` is an answer: */
    u32 needs, wire;
    u32 network; /* where its IP header begins */
    bool ip4;
};

/* What offload_check must say; the answers are in r, also a super-frame of one segment made plain.
 */
bool offref_check(struct offref *r);

/* How many pieces a receiver with these capabilities gets. */
u32 offref_pieces(const struct offref *r, u32 accepts);

/* Asserts that `got` is piece k of r for a receiver with these capabilities. */
void offref_expect(const struct offref *r, u32 accepts, u32 k, const struct net_frame *got);

/* The frame's bytes: head and chain. */
void offref_bytes(const struct net_frame *f, u8 *to);

/* r's frame as a device would hand it over: in spans cut by `seed`, head_len bytes read. */
struct offref_source {
    struct chain chain;
    u8 memory[2 * OFFREF_FRAME];
    struct net_frame f;
};
void offref_source(struct offref_source *s, const struct offref *r, u32 head_len, u32 seed);

/* A receiver that compares what it gets with a reference's pieces. */
struct offref_sink {
    struct net_port port;
    const struct offref *expected;
    u32 got;       /* pieces */
    u32 refuse_at; /* the piece it has no buffers for; UINT32_MAX: none */
};
void offref_sink(struct offref_sink *s, const struct offref *expected, u32 accepts);

#endif
