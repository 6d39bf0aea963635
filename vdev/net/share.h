/* SPDX-License-Identifier: MIT */
/*
 * Who may have how many of a receive queue's buffers. A sender that is alone may have all. In
 * company, each may hold as many as it leaves (so that some are always left, for who comes next),
 * where to hold means: filled, and not yet offered anew by the driver. Who loses much and goes on
 * all the same is held to half of what the senders hold in the mean: then what a flood takes of a
 * receiver's time is bounded by what others take. Knows no device and no ring. Lock: the queue's.
 */
#ifndef VDEV_NET_SHARE_H
#define VDEV_NET_SHARE_H

#include "core/types.h"

#define SHARE_SENDERS 64   /* ports of a network */
#define SHARE_BUFFERS 1024 /* VIRTQ_SIZE_MAX */

struct share {
    u32 last;     /* the sender that was the last to want a buffer … */
    bool company; /* … and not the only one, lately: all below is kept */
    bool others;  /* since the last look at the clock, too */
    u32 wants;    /* since company came */
    u64 seen;     /* ns: the last look at the clock that found others */
    u64 moved;    /* ns: … that found buffers filled since the one before */
    u64 faded;    /* ns: when deafness was brought up to date */

    /* Buffers are numbered in the order in which they were filled and come back. */
    u32 filled, back; /* the first that isn't yet; filled - back are held */
    u32 filled_before;
    u32 holders; /* senders that hold some */
    u16 held[SHARE_SENDERS];
    u8 deaf[SHARE_SENDERS]; /* how much a sender loses, and goes on */
    u8 owner[SHARE_BUFFERS];
};

/* As before the first frame. */
void share_reset(struct share *s);

/* Nobody but `from` sends here: it may, and share_took needn't be called. */
static inline bool share_alone(const struct share *s, u32 from)
{
    return likely(s->last == from && !s->company);
}

struct share_want {
    u32 from;   /* who wants a buffer … */
    bool group; /* … for a frame that goes to many */
    u32 ready;  /* how many the driver offers */
};

/*
 * Whether it may have one, where it isn't alone. *most is how many were ready at once so far: the
 * others of these are held. Raises it, and lowers it if it must be wrong.
 */
bool share_wants(struct share *s, struct share_want w, u16 *most) MUST_CHECK;

/* It was given so many. */
void share_took(struct share *s, u32 from, u32 count);

#endif
