/* SPDX-License-Identifier: MIT */
/*
 * What a virtqueue is whatever the format of its ring: its set-up and its end, and what happens
 * when the driver breaks a rule. It knows no ring's layout.
 * Lock: the queue's own, held by the caller of all but virtq_init.
 */
#include "vdev/virtio/virtq.h"

#include "core/panic.h"
#include "vdev/virtio/virtq_ring.h"

void virtq_init(struct virtq *q, const struct gmem *mem, u16 max, enum lock_rank rank)
{
    assert(max > 0 && max <= VIRTQ_SIZE_MAX);
    *q = (struct virtq){.mem = mem, .max = max, .size = max};
    spin_init(&q->lock, rank);
}

void virtq_deactivate(struct virtq *q)
{
    q->ready = false;
    q->broken = false;
    q->why = NULL;
    q->desc = NULL; /* rule 7 */
    q->avail = NULL;
    q->used = NULL;
    q->avail_next = 0;
    q->avail_seen = 0;
    q->most = 0;
    q->used_next = 0;
    q->used_published = 0;
    q->held = 0;
    q->notify_on = false;
}

void virtq_reset(struct virtq *q)
{
    virtq_deactivate(q);
    q->size = q->max;
    q->desc_addr = 0;
    q->avail_addr = 0;
    q->used_addr = 0;
    q->packed = false;
    q->indirect = false;
    q->event_idx = false;
}

bool virtq_activate(struct virtq *q, bool packed)
{
    if (q->size == 0 || q->size > q->max) { /* rule 2 */
        return false;
    }
    q->packed = packed;
    q->ready = packed ? virtq_packed_activate(q) : virtq_split_activate(q);
    return q->ready;
}

void virtq_start(struct virtq *q, bool indirect, bool event_idx)
{
    if (!q->ready) {
        return;
    }
    q->indirect = indirect;
    q->event_idx = event_idx;
    if (q->packed) {
        (void)virtq_packed_enable_notify(q); /* for what is there already the driver notifies */
    } else {
        virtq_split_start(q);
    }
}

bool virtq_break(struct virtq *q, const char *why)
{
    q->broken = true;
    q->why = why;
    q->avail_seen = q->packed ? 0 : q->avail_next; /* nothing more is known */
    return true;
}

const char *virtq_table(const struct virtq *q, struct table *t, const struct desc *d)
{
    if (!q->indirect) { /* rule 15 */
        return "an indirect descriptor was not negotiated";
    }
    if (d->flags & DESC_NEXT) { /* rule 15 */
        return "an indirect descriptor with a next one";
    }
    if (d->len == 0 || d->len % DESC_SIZE != 0) { /* rule 15 */
        return "an indirect table that isn't whole descriptors";
    }
    if (d->len / DESC_SIZE > q->size) { /* rule 15 */
        return "an indirect table longer than the queue";
    }
    t->p = gmem_span(q->mem, gpa(d->addr), d->len, false);
    if (t->p == NULL) { /* rule 15 */
        return "an indirect table outside of RAM";
    }
    t->entries = d->len / DESC_SIZE;
    return NULL;
}

enum virtq_result virtq_pop_or_ask(struct virtq *q, struct chain *c)
{
    enum virtq_result r = virtq_pop(q, c);

    return r == VIRTQ_EMPTY && virtq_enable_notify(q) ? virtq_pop(q, c) : r;
}
