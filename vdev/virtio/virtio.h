/* SPDX-License-Identifier: MIT */
/*
 * The seam between the virtio transport (vdev/virtio/mmio.c) and the devices behind it. The
 * transport owns the status machine, feature masking, ring addresses, interrupt status and the
 * line; a device never sees a descriptor, an index or a guest address: virtq_pop hands it validated
 * spans.
 */
#ifndef VDEV_VIRTIO_VIRTIO_H
#define VDEV_VIRTIO_VIRTIO_H

#include "core/gmem.h"
#include "core/spinlock.h"
#include "core/types.h"
#include "core/vdev.h"
#include "vdev/virtio/virtq.h"

#define VIRTIO_QUEUES 8

struct virtio;

/* What a device is to its transport. */
struct virtio_ops {
    u32 device_id;
    u32 nqueues;
    u16 queue_max; /* largest queue size, a power of two <= 1024 */
    /* Features offered, all words; VERSION_1, INDIRECT_DESC and EVENT_IDX are the transport's. */
    u64 (*features)(struct virtio *v);
    /* Features are settled (FEATURES_OK); false refuses them. */
    bool (*negotiated)(struct virtio *v, u64 features);
    /* Config space, little-endian bytes; len 1, 2, 4 or 8, bounded by config_size. */
    void (*config_read)(struct virtio *v, u32 offset, void *buf, u32 len);
    void (*config_write)(struct virtio *v, u32 offset, const void *buf, u32 len);
    u32 config_size;
    /* QueueNotify on a ready queue, DRIVER_OK set. No lock held: the device takes the queue's. */
    void (*notify)(struct virtio *v, u32 queue);
    /* DRIVER_OK was just set. May be NULL. */
    void (*start)(struct virtio *v);
    /* Back to power-on: queues are already dead, all queue locks are held by the transport. */
    void (*reset)(struct virtio *v);
};

/* The transport's state; the first member of a virtio device. */
struct virtio {
    struct vdev dev;
    const struct virtio_ops *ops;
    struct spinlock lock; /* LOCK_TRANSPORT; covers the fields below but the queues' own */
    u32 status;
    u64 driver_features; /* frozen at FEATURES_OK */
    u32 features_sel, driver_features_sel, queue_sel;
    u32 isr;                           /* InterruptStatus; atomic */
    u32 generation;                    /* ConfigGeneration */
    struct virtq queue[VIRTIO_QUEUES]; /* each with a lock of its own */
};

/* Fills in dev and queues; to be called by the type's create(). Registers the MMIO window. */
bool virtio_mmio_init(struct virtio *v, struct vm *vm, const struct vdev_conf *conf,
                      const struct virtio_ops *ops) MUST_CHECK;

/* The device put used buffers into a queue whose driver wants to know: ISR bit 0 and the line. */
void virtio_interrupt(struct virtio *v);

/* Config space changed: generation, ISR bit 1 and the line. */
void virtio_config_changed(struct virtio *v);

/* The driver broke the protocol: DEVICE_NEEDS_RESET, all queues of this device stop. */
void virtio_broken(struct virtio *v);

static inline bool virtio_has(const struct virtio *v, u32 bit)
{
    return (v->driver_features >> bit & 1) != 0;
}

#endif
