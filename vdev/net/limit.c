/* SPDX-License-Identifier: MIT */
/*
 * What a port may send. Knows no port and no network. Nothing here divides 64 bits but the
 * preparation at boot. Lock: struct port_limits'.
 */
#include "vdev/net/limit.h"

#include "core/arch.h"
#include "vdev/net/frame.h"

#define SECOND_NS 1000000000ull
#define BURST_NS  (SECOND_NS / 10)
#define NAP_NS    1000000u /* who has to wait waits for this much of its rate, not for each frame */

/* The cost of one is as exact as 32 bits can say it. */
static void limit_init(struct limit *l, u64 rate)
{
    *l = (struct limit){.shift = 32};
    if (rate == 0) {
        return;
    }
    while ((SECOND_NS << l->shift) / rate > UINT32_MAX) {
        l->shift--;
    }
    l->cost = MAX((u32)((SECOND_NS << l->shift) / rate), 1u);
}

void limits_init(struct port_limits *l, u64 bytes, u64 frames, u64 storm)
{
    spin_init(&l->lock, LOCK_SWITCH);
    limit_init(&l->bytes, bytes);
    limit_init(&l->frames, frames);
    limit_init(&l->storm, storm);
}

/* How many frames it is on a wire. */
static u32 frames_of(const struct net_frame *f)
{
    const struct net_offload *o = &f->offload;

    if ((f->needs & ~NEED_CSUM) == 0 || o->gso_size == 0 || f->len <= o->headers) {
        return 1;
    }
    return (f->len - o->headers + o->gso_size - 1) / o->gso_size;
}

/* When the next one may go: in the past, or now, if now. */
static u64 limit_when(const struct limit *l)
{
    return l->until < BURST_NS ? 0 : l->until - BURST_NS;
}

/* n < 2^20, so that the sum has 64 bits. */
static void limit_charge(struct limit *l, u32 n, u64 now)
{
    u64 sum = (u64)l->cost * n + l->rest;

    l->until = MAX(l->until, now) + (sum >> l->shift);
    l->rest = (u32)(sum & (BIT64(l->shift) - 1));
}

bool limits_rate(struct port_limits *l, struct net_frame *f)
{
    u64 now = arch_now_ns(), when;

    spin_lock(&l->lock);
    when = MAX(limit_when(&l->bytes), limit_when(&l->frames));
    if (when <= now) {
        limit_charge(&l->bytes, f->len, now);
        limit_charge(&l->frames, frames_of(f), now);
    }
    spin_unlock(&l->lock);
    f->not_before = when <= now ? 0 : when + NAP_NS;
    return when <= now;
}

bool limits_storm(struct port_limits *l, const struct net_frame *f)
{
    u64 now;
    bool ok;

    if (l->storm.cost == 0) {
        return true;
    }
    now = arch_now_ns();
    spin_lock(&l->lock);
    ok = limit_when(&l->storm) <= now;
    if (ok) {
        limit_charge(&l->storm, frames_of(f), now);
    }
    spin_unlock(&l->lock);
    return ok;
}
