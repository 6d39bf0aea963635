/* SPDX-License-Identifier: MIT */
/* The device's side of a ring: see queue.h. */
#include "tests/host/queue.h"

void queue_place(struct virtq *q, struct ring *r, u16 max)
{
    virtq_init(q, &r->g->vm.mem, max, LOCK_QUEUE_TX);
    q->size = r->size;
    q->desc_addr = r->desc;
    q->avail_addr = r->avail;
    q->used_addr = r->used;
}

bool queue_start(struct virtq *q, const struct ring *r, bool indirect, bool event_idx)
{
    if (!virtq_activate(q, r->packed)) {
        return false;
    }
    virtq_start(q, indirect, event_idx);
    return true;
}
