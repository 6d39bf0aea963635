/* SPDX-License-Identifier: MIT */
/*
 * virtio-mmio version 2 with split rings (VIRTIO 1.2 sections 2.7 and 4.2), from the driver's side.
 * The rings lie open here: the benchmark times them and the attacker breaks them.
 */
#ifndef TESTS_GUESTS_LIB_VIRTIO_H
#define TESTS_GUESTS_LIB_VIRTIO_H

#include <stdbool.h>
#include <stdint.h>

enum {
    VIRTIO_MAGIC_VALUE = 0x000,
    VIRTIO_VERSION = 0x004,
    VIRTIO_DEVICE_ID = 0x008,
    VIRTIO_DEVICE_FEATURES = 0x010,
    VIRTIO_DEVICE_FEATURES_SEL = 0x014,
    VIRTIO_DRIVER_FEATURES = 0x020,
    VIRTIO_DRIVER_FEATURES_SEL = 0x024,
    VIRTIO_QUEUE_SEL = 0x030,
    VIRTIO_QUEUE_SIZE_MAX = 0x034,
    VIRTIO_QUEUE_SIZE = 0x038,
    VIRTIO_QUEUE_READY = 0x044,
    VIRTIO_QUEUE_NOTIFY = 0x050,
    VIRTIO_INTERRUPT_STATUS = 0x060,
    VIRTIO_INTERRUPT_ACK = 0x064,
    VIRTIO_STATUS = 0x070,
    VIRTIO_QUEUE_DESC = 0x080,
    VIRTIO_QUEUE_DRIVER = 0x090,
    VIRTIO_QUEUE_DEVICE = 0x0a0,
    VIRTIO_CONFIG_GENERATION = 0x0fc,
    VIRTIO_CONFIG = 0x100,
};

enum {
    STATUS_ACKNOWLEDGE = 1,
    STATUS_DRIVER = 2,
    STATUS_DRIVER_OK = 4,
    STATUS_FEATURES_OK = 8,
    STATUS_NEEDS_RESET = 64,
};

enum { DESC_NEXT = 1, DESC_WRITE = 2, DESC_INDIRECT = 4 };
enum { AVAIL_NO_INTERRUPT = 1, USED_NO_NOTIFY = 1 };
enum { VIRTQ_SIZE = 64 };

#define VIRTIO_F_INDIRECT_DESC (1ull << 28)
#define VIRTIO_F_EVENT_IDX     (1ull << 29)
#define VIRTIO_F_VERSION_1     (1ull << 32)

struct virtq_desc {
    uint64_t addr;
    uint32_t len;
    uint16_t flags;
    uint16_t next;
};

/*
 * A queue's three areas, as members of a page-aligned struct; the device reads and writes them.
 * VIRTIO 1.2 §2.7.
 */
#define VIRTQ_AREAS(size)                                                                          \
    struct virtq_desc desc[size];                                                                  \
    struct {                                                                                       \
        uint16_t flags;                                                                            \
        uint16_t idx;                                                                              \
        uint16_t ring[size];                                                                       \
        uint16_t used_event;                                                                       \
    } avail;                                                                                       \
    struct {                                                                                       \
        uint16_t flags;                                                                            \
        uint16_t idx;                                                                              \
        struct {                                                                                   \
            uint32_t id;                                                                           \
            uint32_t len;                                                                          \
        } ring[size];                                                                              \
        uint16_t avail_event;                                                                      \
    } used __attribute__((aligned(4)))

struct virtq {
    VIRTQ_AREAS(VIRTQ_SIZE);
} __attribute__((aligned(4096)));

/* The nth slot of the device tree with a device of this kind; 0 if there is none. */
uint64_t virtio_find(uint32_t device_id, uint32_t nth);

uint64_t virtio_features(uint64_t base);

/* Reset, then up to FEATURES_OK with the wanted features, VERSION_1 among them. */
bool virtio_negotiate(uint64_t base, uint64_t features);

/* Clears and activates a queue; false if it does not exist or is too short. */
bool virtio_queue_start(uint64_t base, uint32_t index, struct virtq *q);

/* The addresses alone; whatever they are. */
void virtio_queue_addresses(uint64_t base, uint64_t desc, uint64_t driver, uint64_t device);

void virtio_drive(uint64_t base); /* DRIVER_OK */

/* Makes the chain that starts at descriptor head available, without a notification. */
void virtq_offer(struct virtq *q, uint16_t head);

#endif
