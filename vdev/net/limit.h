/* SPDX-License-Identifier: MIT */
/*
 * How much a port may send: bytes and frames per second, and frames per second to everybody. Each
 * limit is a bucket that holds a tenth of a second's worth, and always one frame more, however
 * large. What the rates don't allow waits in the sender's ring; a storm is dropped.
 */
#ifndef VDEV_NET_LIMIT_H
#define VDEV_NET_LIMIT_H

#include "core/spinlock.h"
#include "core/types.h"

struct net_frame;

/* A bucket, as the time at which what went through it would have been sent at exactly its rate. */
struct limit {
    u64 until; /* ns; so much was sent too early as it is ahead of now */
    u32 rest;  /* and a fraction of a ns, in units of 2^-shift */
    u32 cost;  /* of one byte (frame), in the same units; 0: there's no limit */
    u32 shift;
};

struct port_limits {
    struct spinlock lock; /* LOCK_SWITCH; a port may send from several CPUs */
    struct limit bytes, frames, storm;
};

/* Per second; 0: no limit. Boot only: it divides. */
void limits_init(struct port_limits *l, u64 bytes, u64 frames, u64 storm);

/*
 * Whether f may be sent now; then it's charged. False: it has to be sent again; f->not_before says
 * when. A super-frame counts as the frames that it is on a wire. Any CPU.
 */
bool limits_rate(struct port_limits *l, struct net_frame *f) MUST_CHECK;

/* Whether f may be sent to everybody; then it's charged. Any CPU. */
bool limits_storm(struct port_limits *l, const struct net_frame *f) MUST_CHECK;

#endif
