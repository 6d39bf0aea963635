/* SPDX-License-Identifier: MIT */
/* The device's side of a ring: see queue.h. */
#include "tests/host/queue.h"

#include "core/panic.h"

void queue_place(struct virtq *q, struct ring *r, u16 max)
{
    virtq_init(q, &r->g->vm.mem, max, LOCK_QUEUE_TX);
    q->size = r->size;
    q->desc_addr = r->desc;
    q->avail_addr = r->avail;
    q->used_addr = r->used;
}

void queue_start(struct virtq *q, const struct ring *r, bool indirect, bool event_idx)
{
    assert(virtq_activate(q, r->packed));
    virtq_start(q, indirect, event_idx);
}
