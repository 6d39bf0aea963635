/* SPDX-License-Identifier: MIT */
/*
 * The seam between the virtio transport (vdev/virtio/mmio.c) and the devices behind it. The
 * transport owns the status machine, feature masking, ring addresses, interrupt status and the
 * line; a device never sees a descriptor, an index or a guest address: virtq_pop hands it validated
 * spans.
 */
#ifndef VDEV_VIRTIO_VIRTIO_H
#define VDEV_VIRTIO_VIRTIO_H

#include "core/atomic.h"
#include "core/gmem.h"
#include "core/spinlock.h"
#include "core/types.h"
#include "core/vdev.h"
#include "vdev/virtio/virtq.h"

#define VIRTIO_QUEUES 17 /* eight pairs and a control queue */

struct virtio;

/* What a device is to its transport. */
struct virtio_ops {
    u32 device_id;
    /* Features offered, all words; those of enum virtio_feature are the transport's. */
    u64 (*features)(struct virtio *v);
    /* Features are settled (FEATURES_OK); false refuses them. May be NULL. */
    bool (*negotiated)(struct virtio *v, u64 features);
    /* Config space, little-endian bytes; offset + len <= config_size, len <= 8. No lock held. */
    void (*config_read)(struct virtio *v, u32 offset, void *buf, u32 len);
    /* May be NULL: config space is read-only. */
    void (*config_write)(struct virtio *v, u32 offset, const void *buf, u32 len);
    u32 config_size;
    /* QueueNotify. No lock held: the device takes the queue's, then asks virtio_running. */
    void (*notify)(struct virtio *v, u32 queue);
    /* DRIVER_OK was just set. The transport's lock is held. May be NULL. */
    void (*start)(struct virtio *v);
    /* Back to power-on. The transport's lock is held; queues are dead, nobody is in them. */
    void (*reset)(struct virtio *v);
    /* For `vm status`: a line or a few, as vdev_ops.show. May be NULL. */
    void (*show)(struct virtio *v, void (*print)(const char *fmt, ...));
};

enum virtio_status {
    VIRTIO_ACKNOWLEDGE = 1,
    VIRTIO_DRIVER = 2,
    VIRTIO_DRIVER_OK = 4,
    VIRTIO_FEATURES_OK = 8,
    VIRTIO_NEEDS_RESET = 64,
    VIRTIO_FAILED = 128,
};

/* Feature bits of the transport and the rings. */
enum virtio_feature {
    VIRTIO_F_ANY_LAYOUT = 27, /* legacy only: what all others have to do */
    VIRTIO_F_INDIRECT_DESC = 28,
    VIRTIO_F_EVENT_IDX = 29,
    VIRTIO_F_VERSION_1 = 32, /* without it: the formats of legacy devices */
    VIRTIO_F_RING_PACKED = 34,
    VIRTIO_F_NOTIFICATION_DATA = 38,
};

/* The transport's state; the first member of a virtio device. */
struct virtio {
    struct vdev dev;
    const struct virtio_ops *ops;

    /* What this instance has: set by the device before virtio_mmio_init, fixed from then on. */
    u32 nqueues;   /* <= VIRTIO_QUEUES */
    u32 rx_queues; /* bit n: peers fill queue n in their own time: its lock is LOCK_QUEUE_RX */
    u16 queue_max; /* largest queue size, 1 to 1024 */
    bool packed;   /* RING_PACKED is offered */
    bool legacy;   /* it is a device of version 1; nothing but split rings then */

    struct spinlock lock; /* LOCK_TRANSPORT; covers these, and the queues' set-up while not ready */
    u64 driver_features;  /* frozen at FEATURES_OK; read by anyone, atomic */
    bool features_excess; /* the driver set a bit in a feature word that doesn't exist */
    u32 features_sel, driver_features_sel, queue_sel;
    u32 notify_mask; /* what of QueueNotify is the queue's index; atomic */
    u32 page_size;   /* legacy: GuestPageSize */
    struct {
        u32 align; /* QueueAlign */
        u32 pfn;   /* QueuePFN, once it was taken */
    } legacy_queue[VIRTIO_QUEUES];

    /*
     * LOCK_DEVICE; status, interrupt status and line change together under it. Taken with queue
     * locks held. Status, isr, generation and events are also read without it, atomic.
     */
    struct spinlock irq_lock;
    u32 status;
    u32 isr;         /* InterruptStatus */
    u32 events;      /* used-buffer interrupts raised so far … */
    u32 events_seen; /* … and when the driver last read InterruptStatus */
    u32 generation;  /* ConfigGeneration */
    bool line;       /* what vdev_irq was last told */

    u64 ignored;  /* statistics: accesses and notifications that mean nothing */
    u64 breakage; /* rules broken by the driver */

    struct virtq queue[VIRTIO_QUEUES]; /* each with a lock of its own */
};

/*
 * Fills in dev and queues; to be called by the type's create() on zeroed memory, once the
 * instance's numbers are in it. Registers the MMIO window.
 */
bool virtio_mmio_init(struct virtio *v, struct vm *vm, const struct vdev_conf *conf,
                      const struct virtio_ops *ops) MUST_CHECK;

/* The device put used buffers into a queue whose driver wants to know: ISR bit 0 and the line. */
void virtio_interrupt(struct virtio *v);

/* Config space changed: generation, ISR bit 1 and the line. */
void virtio_config_changed(struct virtio *v);

/* The driver broke the protocol: DEVICE_NEEDS_RESET, all queues of this device stop. */
void virtio_broken(struct virtio *v, const char *why);

/*
 * Queues may be used. Asked with the queue's lock held: a reset clears the status first and then
 * passes through every queue's lock, so that what was true stays true until the lock is released.
 */
static inline bool virtio_running(const struct virtio *v)
{
    u32 status = atomic_load_acquire(&v->status);

    return (status & (VIRTIO_DRIVER_OK | VIRTIO_NEEDS_RESET)) == VIRTIO_DRIVER_OK;
}

static inline bool virtio_has(const struct virtio *v, u32 bit)
{
    return (atomic_load(&v->driver_features) >> bit & 1) != 0;
}

#endif
