/* SPDX-License-Identifier: MIT */
/*
 * What the two ring formats (virtq_split.c, virtq_packed.c) share: descriptors, and the rules about
 * a chain's pieces, which don't depend on how the ring leads to them. For these files only; devices
 * include virtq.h. Lock: the queue's own.
 */
#ifndef VDEV_VIRTIO_VIRTQ_RING_H
#define VDEV_VIRTIO_VIRTQ_RING_H

#include "vdev/virtio/virtq.h"

/* VIRTIO 1.2 §2.7.5, §2.8.13: the same in both formats, as are the size and the first 12 bytes. */
enum desc_flag {
    DESC_NEXT = 1,
    DESC_WRITE = 2,
    DESC_INDIRECT = 4,
};

#define DESC_SIZE 16u

/* A private copy of a descriptor: the one that every decision is made on. */
struct desc {
    u64 addr;
    u32 len;
    u16 flags;
    u16 name; /* split: the next descriptor; packed: the buffer's id */
};

/* A table of indirect descriptors. */
struct table {
    guest_t *p;
    u32 entries;
};

/* The driver broke a rule. Returns true: virtq_look's answer. */
bool virtq_break(struct virtq *q, const char *why);

/* The table that d leads to. NULL, or the rule that it breaks. */
const char *virtq_table(const struct virtq *q, struct table *t, const struct desc *d);

/* An empty chain, to be filled by chain_add. */
static inline void chain_clear(struct chain *c)
{
    c->count = 0;
    c->nreadable = 0;
    c->nwritable = 0;
    c->readable = 0;
    c->writable = 0;
}

/* Adds one piece; c has room for it. NULL, or the rule that it breaks. */
static inline const char *chain_add(const struct virtq *q, struct chain *c, const struct desc *d)
{
    bool write = (d->flags & DESC_WRITE) != 0;
    guest_t *p;

    c->count++;
    if (d->len == 0) { /* rule 19 */
        return NULL;
    }
    p = gmem_span_soon(q->mem, gpa(d->addr), d->len, write);
    if (p == NULL) { /* rule 18 */
        return "a buffer outside of RAM";
    }
    if (d->len > UINT32_MAX - (c->readable + c->writable)) { /* rule 20 */
        return "a chain of more than 4 GiB";
    }
    c->span[c->nreadable + c->nwritable] = (struct span){p, d->len};
    if (write) {
        c->nwritable++;
        c->writable += d->len;
    } else {
        c->nreadable++;
        c->readable += d->len;
    }
    return NULL;
}

/* The common chain: one descriptor, not empty. Rules 13 to 17 and 19 to 21 say nothing about it. */
static inline const char *chain_single(const struct virtq *q, struct chain *c, const struct desc *d)
{
    bool write = (d->flags & DESC_WRITE) != 0;
    guest_t *p = gmem_span_soon(q->mem, gpa(d->addr), d->len, write);

    if (p == NULL) { /* rule 18 */
        return "the buffer is outside of RAM";
    }
    c->count = 1;
    c->nreadable = !write;
    c->nwritable = write;
    c->readable = write ? 0 : d->len;
    c->writable = write ? d->len : 0;
    c->span[0] = (struct span){p, d->len};
    return NULL;
}

/* Areas and first fields of a ring of q->size entries. */
bool virtq_split_activate(struct virtq *q) MUST_CHECK;
bool virtq_packed_activate(struct virtq *q) MUST_CHECK;
/* DRIVER_OK: notifications go on. */
void virtq_split_start(struct virtq *q);

static inline bool virtq_aligned(u64 addr, u64 to)
{
    return (addr & (to - 1)) == 0;
}

#endif
