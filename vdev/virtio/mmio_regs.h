/* SPDX-License-Identifier: MIT */
/*
 * Between the files of the virtio-mmio transport: where the registers are, and what mmio.c, which
 * has most of them, and mmio_legacy.c, which has those of version 1, do for each other. Devices
 * include virtio.h. Lock: the transport's, held by the callers of everything here.
 */
#ifndef VDEV_VIRTIO_MMIO_REGS_H
#define VDEV_VIRTIO_MMIO_REGS_H

#include "vdev/virtio/virtio.h"

/* VIRTIO 1.2 §4.2.2; v1: only in legacy devices (§4.2.4), v2: only in others */
enum mmio_register {
    MAGIC_VALUE = 0x000,
    VERSION = 0x004,
    DEVICE_ID = 0x008,
    VENDOR_ID = 0x00c,
    DEVICE_FEATURES = 0x010,
    DEVICE_FEATURES_SEL = 0x014,
    DRIVER_FEATURES = 0x020,
    DRIVER_FEATURES_SEL = 0x024,
    GUEST_PAGE_SIZE = 0x028, /* v1 */
    QUEUE_SEL = 0x030,
    QUEUE_SIZE_MAX = 0x034,
    QUEUE_SIZE = 0x038,
    QUEUE_ALIGN = 0x03c, /* v1 */
    QUEUE_PFN = 0x040,   /* v1 */
    QUEUE_READY = 0x044, /* v2 from here … */
    QUEUE_NOTIFY = 0x050,
    INTERRUPT_STATUS = 0x060,
    INTERRUPT_ACK = 0x064,
    STATUS = 0x070,
    QUEUE_DESC_LOW = 0x080, /* … and from here */
    QUEUE_DESC_HIGH = 0x084,
    QUEUE_DRIVER_LOW = 0x090,
    QUEUE_DRIVER_HIGH = 0x094,
    QUEUE_DEVICE_LOW = 0x0a0,
    QUEUE_DEVICE_HIGH = 0x0a4,
    SHM_LEN_LOW = 0x0b0,
    SHM_LEN_HIGH = 0x0b4,
    SHM_BASE_LOW = 0x0b8,
    SHM_BASE_HIGH = 0x0bc,
    CONFIG_GENERATION = 0x0fc,
    CONFIG = 0x100,
};

/* Makes the queue ready with what was set up, or ends that; whatever can't be is ignored. */
void virtio_mmio_ready(struct virtio *v, struct virtq *q, bool ready);

/* QueueSize (QueueNum). */
static inline void virtio_mmio_size(struct virtq *q, u32 value)
{
    q->size = value <= UINT16_MAX ? (u16)value : 0; /* rule 2 */
}

/* The registers that only legacy devices have. */
void mmio_legacy_reset(struct virtio *v);
u32 mmio_legacy_read(struct virtio *v, const struct virtq *q, u32 offset);
void mmio_legacy_write(struct virtio *v, struct virtq *q, u32 offset, u32 value);

#endif
