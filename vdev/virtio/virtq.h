/* SPDX-License-Identifier: MIT */
/*
 * The device's side of a virtqueue, split or packed (VIRTIO 1.2 §2.7, §2.8), against a driver that
 * may lie. Who may write what:
 *
 *   split    descriptor table  driver writes; we copy each 16-byte descriptor once into private
 * memory available ring    driver writes; we load avail.idx once per look, acquire used ring we
 * write, and never read back: the used index is a private shadow packed   descriptor ring   both
 * write; we copy each descriptor once, and overwrite those taken event suppression one each: the
 * driver's is loaded once per batch, ours is written only
 *
 * Every chain is fully validated before its first byte is touched: "rule N" in the code is a rule
 * of docs/virtqueue-rules.md, and each has a test of that name. Lock: the queue's own; every
 * function here but virtq_init wants it held.
 */
#ifndef VDEV_VIRTIO_VIRTQ_H
#define VDEV_VIRTIO_VIRTQ_H

#include "core/gmem.h"
#include "core/spinlock.h"
#include "core/types.h"
#include "vdev/virtio/chain.h"

#define VIRTQ_SIZE_MAX 1024

struct virtq {
    struct spinlock lock; /* LOCK_QUEUE_TX or LOCK_QUEUE_RX; covers every field below */
    const struct gmem *mem;
    u16 max;
    u16 size;                             /* as written, 0 for nonsense; max after reset */
    u64 desc_addr, avail_addr, used_addr; /* as written; looked at when ready becomes 1 */
    bool ready;
    bool broken;                  /* the driver broke a rule: dead until reset */
    bool packed;                  /* the ring's format; set at activation */
    bool indirect, event_idx;     /* negotiated; set at DRIVER_OK */
    bool notify_on;               /* the driver was asked to notify us */
    guest_t *desc, *avail, *used; /* translated at activation; packed: ring, driver's, our events */
    u16 avail_next;               /* next entry to take: an index, packed: a position */
    u16 avail_seen;               /* split: avail.idx as last loaded; packed: slots known ready */
    u16 most;                     /* entries that were ready at once so far; packed: may be */
    u16 used_next;                /* next entry to give back, staged ones included */
    u16 used_published;           /* … and the first one that the driver can't see yet */
    u64 held;                     /* packed: the entry there; it is written last */
    const char *why;              /* the rule that was broken; static text */
};

enum virtq_result {
    VIRTQ_OK,
    VIRTQ_EMPTY,
    VIRTQ_BROKEN, /* the driver broke a rule; the queue is dead and q->why says which one */
};

/* The two formats; the functions below choose. */
bool virtq_split_look(struct virtq *q);
bool virtq_packed_look(const struct virtq *q);
enum virtq_result virtq_split_pop(struct virtq *q, struct chain *c);
enum virtq_result virtq_packed_pop(struct virtq *q, struct chain *c);
void virtq_split_push(struct virtq *q, u16 head, u32 written);
void virtq_packed_push(struct virtq *q, u16 id, u16 slots, u32 written);
bool virtq_split_publish(struct virtq *q);
bool virtq_packed_publish(struct virtq *q);
bool virtq_split_unseen(struct virtq *q);
bool virtq_split_publish_quiet(struct virtq *q, u32 most);
void virtq_split_disable_notify(struct virtq *q);
void virtq_packed_disable_notify(struct virtq *q);
void virtq_split_mute(struct virtq *q);
bool virtq_split_enable_notify(struct virtq *q);
bool virtq_packed_enable_notify(struct virtq *q);
u32 virtq_split_ready(struct virtq *q);
u32 virtq_packed_ready(struct virtq *q);

/* Looks into the ring: true if virtq_pop has something to say: a chain, or a rule is broken. */
static inline MUST_CHECK bool virtq_look(struct virtq *q)
{
    return unlikely(q->packed) ? virtq_packed_look(q) : virtq_split_look(q);
}

/* Takes the next chain. */
static inline MUST_CHECK enum virtq_result virtq_pop(struct virtq *q, struct chain *c)
{
    return unlikely(q->packed) ? virtq_packed_pop(q, c) : virtq_split_pop(q, c);
}

/*
 * How many entries (packed: slots) the driver has ready; looks into the ring. In a packed one there
 * may be more.
 */
static inline u32 virtq_ready(struct virtq *q)
{
    return unlikely(q->packed) ? virtq_packed_ready(q) : virtq_split_ready(q);
}

/* Where the next pop will be; for virtq_undo. */
struct virtq_mark {
    u16 avail_next;
};

static inline struct virtq_mark virtq_mark(const struct virtq *q)
{
    return (struct virtq_mark){q->avail_next};
}

/* Entries (packed: slots) taken since. */
static inline u32 virtq_taken(const struct virtq *q, struct virtq_mark m)
{
    u32 n = (u16)(q->avail_next - m.avail_next);

    return q->packed && q->avail_next < m.avail_next ? (u16)(n + 2u * q->size) : n;
}

/* Undoes all pops since the mark was taken; nothing was pushed since. Pushes can't be undone. */
static inline void virtq_undo(struct virtq *q, struct virtq_mark m)
{
    q->avail_next = m.avail_next;
}

/*
 * Stages the return of a chain, known by its `head` and `slots`; `written` bytes of its writable
 * part were filled. Not yet visible. Chains may be returned in any order.
 */
static inline void virtq_push_id(struct virtq *q, u16 head, u16 slots, u32 written)
{
    if (unlikely(q->packed)) {
        virtq_packed_push(q, head, slots, written);
    } else {
        virtq_split_push(q, head, written);
    }
}

static inline void virtq_push(struct virtq *q, const struct chain *c, u32 written)
{
    virtq_push_id(q, c->head, c->slots, written);
}

/* Makes what is staged visible, all of it at once; true if the driver wants an interrupt. */
static inline MUST_CHECK bool virtq_publish(struct virtq *q)
{
    return unlikely(q->packed) ? virtq_packed_publish(q) : virtq_split_publish(q);
}

/*
 * Likewise, but up to `most` chains are held back from the first one on that the driver wants an
 * interrupt for: they go with a later call. Without events, and in packed rings, none are.
 */
static inline MUST_CHECK bool virtq_publish_quiet(struct virtq *q, u32 most)
{
    return unlikely(q->packed) ? virtq_packed_publish(q) : virtq_split_publish_quiet(q, most);
}

/*
 * False: the driver has looked at all that is published, as the event shows that it asks for next;
 * an interrupt that was held back for it is of no use any more. Without events nobody knows.
 */
static inline MUST_CHECK bool virtq_unseen(struct virtq *q)
{
    return unlikely(q->packed) || virtq_split_unseen(q);
}

/* Whether something is staged that isn't published. */
static inline bool virtq_holds(const struct virtq *q)
{
    return q->used_next != q->used_published;
}

/* True if virtq_pop will find something; in a split ring, without looking at memory again. */
static inline bool virtq_known(const struct virtq *q)
{
    return unlikely(q->packed) ? virtq_packed_look(q) : q->avail_next != q->avail_seen;
}

/*
 * Notifications off while polling; on, once nothing more is known, before sleeping: true if
 * something came in the meantime.
 */
static inline void virtq_disable_notify(struct virtq *q)
{
    if (unlikely(q->packed)) {
        virtq_packed_disable_notify(q);
    } else {
        virtq_split_disable_notify(q);
    }
}

static inline MUST_CHECK bool virtq_enable_notify(struct virtq *q)
{
    return unlikely(q->packed) ? virtq_packed_enable_notify(q) : virtq_split_enable_notify(q);
}

/*
 * virtq_pop, and if there's nothing, the driver is asked to tell of the next chain; one that came
 * in between is taken.
 */
enum virtq_result virtq_pop_or_ask(struct virtq *q, struct chain *c) MUST_CHECK;

/*
 * Notifications off for good, from a driver that is looked after without: it makes none as long as
 * this is called again at least every 30,000 entries. Where there are events, "off" is not one of
 * them; so the event asked for is one that the driver never gets to, as it keeps running away.
 */
static inline void virtq_mute(struct virtq *q)
{
    if (unlikely(q->packed)) {
        virtq_packed_disable_notify(q);
    } else {
        virtq_split_mute(q);
    }
}

/* For the transport. */
void virtq_init(struct virtq *q, const struct gmem *mem, u16 max, enum lock_rank rank);
/* Everything back to power-on; whoever used the queue's memory is done with it by then. */
void virtq_reset(struct virtq *q);
/* QueueReady = 1: checks size, alignment and that every area lies in RAM. */
bool virtq_activate(struct virtq *q, bool packed) MUST_CHECK;
/* QueueReady = 0. */
void virtq_deactivate(struct virtq *q);
/* DRIVER_OK: what was negotiated, notifications on. */
void virtq_start(struct virtq *q, bool indirect, bool event_idx);

#endif
