/* SPDX-License-Identifier: MIT */
/* See virtio.h. */
#include "tests/guests/lib/virtio.h"

#include "tests/guests/lib/atomic.h"
#include "tests/guests/lib/io.h"
#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/string.h"

enum { MAGIC = 0x74726976, VERSION = 2 };

uint64_t virtio_find(uint32_t device_id, uint32_t nth)
{
    for (uint32_t i = 0; i < platform.virtio_count; i++) {
        uint64_t base = platform.virtio[i].base;

        if (io_read32(base + VIRTIO_MAGIC_VALUE) == MAGIC &&
            io_read32(base + VIRTIO_VERSION) == VERSION &&
            io_read32(base + VIRTIO_DEVICE_ID) == device_id && nth-- == 0) {
            return base;
        }
    }
    return 0;
}

uint64_t virtio_features(uint64_t base)
{
    uint64_t low;

    io_write32(base + VIRTIO_DEVICE_FEATURES_SEL, 0);
    low = io_read32(base + VIRTIO_DEVICE_FEATURES);
    io_write32(base + VIRTIO_DEVICE_FEATURES_SEL, 1);
    return (uint64_t)io_read32(base + VIRTIO_DEVICE_FEATURES) << 32 | low;
}

bool virtio_negotiate(uint64_t base, uint64_t features)
{
    io_write32(base + VIRTIO_STATUS, 0);
    io_write32(base + VIRTIO_STATUS, STATUS_ACKNOWLEDGE);
    io_write32(base + VIRTIO_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
    io_write32(base + VIRTIO_DRIVER_FEATURES_SEL, 0);
    io_write32(base + VIRTIO_DRIVER_FEATURES, (uint32_t)features);
    io_write32(base + VIRTIO_DRIVER_FEATURES_SEL, 1);
    io_write32(base + VIRTIO_DRIVER_FEATURES, (uint32_t)(features >> 32));
    io_write32(base + VIRTIO_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK);
    return io_read32(base + VIRTIO_STATUS) & STATUS_FEATURES_OK;
}

void virtio_queue_addresses(uint64_t base, uint64_t desc, uint64_t driver, uint64_t device)
{
    io_write32(base + VIRTIO_QUEUE_DESC, (uint32_t)desc);
    io_write32(base + VIRTIO_QUEUE_DESC + 4, (uint32_t)(desc >> 32));
    io_write32(base + VIRTIO_QUEUE_DRIVER, (uint32_t)driver);
    io_write32(base + VIRTIO_QUEUE_DRIVER + 4, (uint32_t)(driver >> 32));
    io_write32(base + VIRTIO_QUEUE_DEVICE, (uint32_t)device);
    io_write32(base + VIRTIO_QUEUE_DEVICE + 4, (uint32_t)(device >> 32));
}

bool virtio_queue_start(uint64_t base, uint32_t index, struct virtq *q)
{
    io_write32(base + VIRTIO_QUEUE_SEL, index);
    if (io_read32(base + VIRTIO_QUEUE_SIZE_MAX) < VIRTQ_SIZE) {
        return false;
    }
    memset(q, 0, sizeof(*q));
    io_write32(base + VIRTIO_QUEUE_SIZE, VIRTQ_SIZE);
    virtio_queue_addresses(base, (uint64_t)q->desc, (uint64_t)&q->avail, (uint64_t)&q->used);
    io_write32(base + VIRTIO_QUEUE_READY, 1);
    return io_read32(base + VIRTIO_QUEUE_READY) == 1;
}

void virtio_drive(uint64_t base)
{
    io_write32(base + VIRTIO_STATUS, io_read32(base + VIRTIO_STATUS) | STATUS_DRIVER_OK);
}

void virtq_offer(struct virtq *q, uint16_t head)
{
    q->avail.ring[q->avail.idx % VIRTQ_SIZE] = head;
    atomic_store(&q->avail.idx, (uint16_t)(q->avail.idx + 1));
    __asm__ volatile("dmb ish" : : : "memory");
}
