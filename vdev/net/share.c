/* SPDX-License-Identifier: MIT */
/* A fair share of a receive queue's buffers; see share.h. Lock: the queue's. */
#include "vdev/net/share.h"

#include "core/arch.h"

#include <string.h>

#define NOBODY     UINT32_MAX
#define COMPANY_NS 10000000000ull /* so long somebody else is remembered */
#define STALL_NS   100000000ull   /* less than TCP waits before it sends again */
#define FADE_SHIFT 20             /* deafness fades by 1 in 2^20 ns, about a millisecond */
#define CLOCK      64             /* wants from one look at the clock to the next */
#define GROUP      4              /* of a frame to many, each receiver takes less */
#define RESERVE    8              /* one part in so many stays for who holds less than the mean */

/* A frame lost makes a sender so much deafer; one that got through, less by 1. */
#define DEAFER 4
#define DEAF   64 /* so deaf, it is one that doesn't care */

void share_reset(struct share *s)
{
    *s = (struct share){.last = NOBODY};
}

/* All but the `held` youngest ones came back. */
static void release(struct share *s, u32 held)
{
    while (s->filled - s->back > held) {
        u32 from = s->owner[s->back++ % SHARE_BUFFERS];

        s->held[from]--;
        s->holders -= s->held[from] == 0;
    }
}

/* At most SHARE_BUFFERS. A driver that offers some meanwhile may have given back fewer than held.
 */
static void hold(struct share *s, u32 from, u32 count)
{
    release(s, SHARE_BUFFERS - count);
    s->holders += s->held[from] == 0;
    s->held[from] = (u16)(s->held[from] + count);
    for (u32 i = 0; i < count; i++) {
        s->owner[s->filled++ % SHARE_BUFFERS] = (u8)from;
    }
}

/* Somebody else came: what is held is all of who was alone. */
static void begin(struct share *s, u32 held)
{
    u32 alone = s->last;

    share_reset(s);
    s->company = true;
    s->others = true;
    s->moved = arch_now_ns();
    if (held > 0) {
        hold(s, alone, MIN(held, (u32)SHARE_BUFFERS));
    }
}

/* Who sends seldom loses seldom, whatever was before: as TCP does that waits to send again. */
static void fade(struct share *s, u64 now)
{
    u64 by = (now - s->faded) >> FADE_SHIFT;

    if (by == 0) {
        return;
    }
    s->faded = now;
    for (u32 i = 0; i < SHARE_SENDERS; i++) {
        s->deaf[i] = (u8)(s->deaf[i] - MIN((u64)s->deaf[i], by));
    }
}

/*
 * Nobody else for a while: company is over. Nothing was filled for a while, though there are
 * buffers: those that seem to be held never come back, as the driver offers fewer than before.
 */
static void look_at_clock(struct share *s, u32 ready, u16 *most)
{
    u64 now = arch_now_ns();

    fade(s, now);
    if (s->others) {
        s->others = false;
        s->seen = now;
    }
    s->company = now - s->seen < COMPANY_NS;
    if (s->filled != s->filled_before || ready == 0) {
        s->filled_before = s->filled;
        s->moved = now;
    } else if (now - s->moved >= STALL_NS) {
        *most = (u16)ready;
        release(s, 0);
    }
}

static bool allowed(const struct share *s, struct share_want w, u32 most)
{
    u32 held = s->held[w.from], all = s->filled - s->back, among = MAX(s->holders, 2u);

    if (s->deaf[w.from] >= DEAF) {
        return 2 * held * among <= all;
    }
    if (w.group) {
        return GROUP * held <= w.ready;
    }
    return held <= w.ready || (held * among <= all && w.ready > most / RESERVE);
}

bool share_wants(struct share *s, struct share_want w, u16 *most)
{
    u32 from = w.from, ready = w.ready;

    *most = (u16)MAX(ready, (u32)*most);
    if (s->last != from) {
        if (s->last == NOBODY) {
            s->last = from;
            return true;
        }
        if (!s->company) {
            begin(s, *most - ready);
        }
        s->last = from;
        s->others = true;
    }
    release(s, *most - ready);
    if (s->wants++ % CLOCK == 0) {
        look_at_clock(s, ready, most);
    }
    if (allowed(s, w, *most)) {
        return true;
    }
    /* Not by what was long ago: this may be the only frame for a while. */
    look_at_clock(s, ready, most);
    if (allowed(s, w, *most)) {
        return true;
    }
    s->deaf[from] = (u8)MIN(s->deaf[from] + DEAFER, UINT8_MAX);
    return false;
}

void share_took(struct share *s, u32 from, u32 count)
{
    if (!s->company) {
        return;
    }
    hold(s, from, count);
    s->deaf[from] = (u8)(s->deaf[from] - (s->deaf[from] > 0));
}
