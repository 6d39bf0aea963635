/* SPDX-License-Identifier: MIT */
/*
 * The device's side of a split virtqueue (VIRTIO 1.2 §2.7), against a driver that may lie. The ring
 * picture, and who may write what:
 *
 *   descriptor table  driver writes; we copy each 16-byte descriptor once into private memory
 *   available ring    driver writes; we load avail.idx once per look, acquire
 *   used ring         we write, and never read back: the used index is a private shadow
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
    bool indirect, event_idx;     /* negotiated; set at DRIVER_OK */
    bool notify_on;               /* the driver was asked to notify us */
    guest_t *desc, *avail, *used; /* translated at activation */
    u16 avail_next;               /* next entry of the available ring to take */
    u16 avail_seen;               /* avail.idx as last loaded */
    u16 used_next;                /* private shadow of used.idx, staged entries included */
    u16 used_published;
    const char *why; /* the rule that was broken; static text */
};

enum virtq_result {
    VIRTQ_OK,
    VIRTQ_EMPTY,
    VIRTQ_BROKEN, /* the driver broke a rule; the queue is dead and q->why says which one */
};

/*
 * Loads avail.idx anew: true if virtq_pop has something to say: it promises more than was taken, or
 * a rule is broken.
 */
bool virtq_look(struct virtq *q) MUST_CHECK;

/* Takes the next chain. */
enum virtq_result virtq_pop(struct virtq *q, struct chain *c) MUST_CHECK;

/* Where the next pop will be; for virtq_undo. */
struct virtq_mark {
    u16 avail_next;
};

static inline struct virtq_mark virtq_mark(const struct virtq *q)
{
    return (struct virtq_mark){q->avail_next};
}

/* Undoes all pops since the mark was taken; nothing was pushed since. Pushes can't be undone. */
static inline void virtq_undo(struct virtq *q, struct virtq_mark m)
{
    q->avail_next = m.avail_next;
}

/* To go: undoes the last `pushed` pushes and then the last `popped` pops. Split rings only. */
void virtq_rewind(struct virtq *q, u16 popped, u16 pushed);

/*
 * Stages the return of a chain, known by its `head` and `slots`; `written` bytes of its writable
 * part were filled. Not yet visible. Chains may be returned in any order.
 */
void virtq_push_id(struct virtq *q, u16 head, u16 slots, u32 written);

static inline void virtq_push(struct virtq *q, const struct chain *c, u32 written)
{
    virtq_push_id(q, c->head, c->slots, written);
}

/* Publishes what is staged with one release of used.idx; true if the driver wants an interrupt. */
bool virtq_publish(struct virtq *q) MUST_CHECK;

/* True if virtq_pop will find something without looking at the index in memory again. */
static inline bool virtq_known(const struct virtq *q)
{
    return q->avail_next != q->avail_seen;
}

/*
 * Notifications off while polling; on, once nothing more is known, before sleeping: true if
 * something came in the meantime.
 */
void virtq_disable_notify(struct virtq *q);
bool virtq_enable_notify(struct virtq *q) MUST_CHECK;

/* For the transport. */
void virtq_init(struct virtq *q, const struct gmem *mem, u16 max, enum lock_rank rank);
/* Everything back to power-on; whoever used the queue's memory is done with it by then. */
void virtq_reset(struct virtq *q);
/* QueueReady = 1: checks size, alignment and that every area lies in RAM. */
bool virtq_activate(struct virtq *q) MUST_CHECK;
/* QueueReady = 0. */
void virtq_deactivate(struct virtq *q);
/* DRIVER_OK: what was negotiated, notifications on. */
void virtq_start(struct virtq *q, bool indirect, bool event_idx);

#endif
