/* SPDX-License-Identifier: MIT */
/*
 * What the virtio-mmio transport of version 1, "legacy", has of its own (VIRTIO 1.2 §4.2.4): a
 * queue is one block of pages, given by its page number, laid out as §2.7.2 says. Everything else
 * is in mmio.c. Legacy fields are in the guest's byte order: only little-endian guests are served.
 * Lock: the transport's.
 */
#include "vdev/virtio/mmio_regs.h"

#include "core/atomic.h"

/* What drivers that don't say mean, and what is more than any of them has. */
#define PAGE_DEFAULT 4096u
#define PAGE_MOST    65536u

/* Of a split ring of n entries: descriptors; then flags, index, entries and used_event. */
#define DESC_BYTES(n)  (16ull * (n))
#define AVAIL_BYTES(n) (2ull * (3 + (n)))

/* At power-on; GuestPageSize outlives a reset by the driver, which writes it before that. */
void mmio_legacy_reset(struct virtio *v)
{
    v->page_size = PAGE_DEFAULT;
    for (u32 i = 0; i < v->nqueues; i++) {
        v->legacy_queue[i].align = PAGE_DEFAULT;
    }
}

static void set_power(struct virtio *v, u32 *field, u32 value)
{
    if (!is_pow2(value) || value > PAGE_MOST) { /* rule 3 */
        counter_inc(&v->ignored);
        return;
    }
    *field = value;
}

static void write_pfn(struct virtio *v, struct virtq *q, u32 pfn)
{
    u32 i = (u32)(q - v->queue);

    if (pfn != 0 && !q->ready) {
        q->desc_addr = (u64)pfn * v->page_size;
        q->avail_addr = q->desc_addr + DESC_BYTES(q->size);
        q->used_addr =
            ALIGN_UP(q->avail_addr + AVAIL_BYTES(q->size), (u64)v->legacy_queue[i].align);
        v->legacy_queue[i].pfn = pfn;
    }
    virtio_mmio_ready(v, q, pfn != 0);
}

u32 mmio_legacy_read(struct virtio *v, const struct virtq *q, u32 offset)
{
    if (offset != QUEUE_PFN || q == NULL || !q->ready) {
        return 0;
    }
    return v->legacy_queue[q - v->queue].pfn;
}

void mmio_legacy_write(struct virtio *v, struct virtq *q, u32 offset, u32 value)
{
    if (offset == GUEST_PAGE_SIZE) {
        set_power(v, &v->page_size, value);
        return;
    }
    if (q == NULL || (q->ready && offset != QUEUE_PFN)) { /* rules 1, 8 */
        counter_inc(&v->ignored);
        return;
    }
    switch (offset) {
    case QUEUE_SIZE:
        virtio_mmio_size(q, value);
        break;
    case QUEUE_ALIGN:
        set_power(v, &v->legacy_queue[q - v->queue].align, value);
        break;
    case QUEUE_PFN:
        write_pfn(v, q, value);
        break;
    default:
        counter_inc(&v->ignored);
        break;
    }
}
