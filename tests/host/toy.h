/* SPDX-License-Identifier: MIT */
/* A device that does nothing but count what the virtio-mmio transport tells it. */
#ifndef TESTS_HOST_TOY_H
#define TESTS_HOST_TOY_H

#include "vdev/virtio/virtio.h"

#define TOY_ID     4u
#define TOY_QUEUES 2
#define TOY_CONFIG 10 /* bytes of its config space */

struct toy {
    struct virtio v;
    u32 notified[TOY_QUEUES];
    u32 starts, resets;
    u32 alive;      /* queues that were still ready when it was reset: rule 33 */
    u64 negotiated; /* the features that it was asked about last */
    bool refuse;    /* them */
    u8 config[TOY_CONFIG];
};

/* What the next one will be. */
extern struct toy_setup {
    u64 offered; /* its own features */
    u16 queue_max;
    bool packed, legacy;
} toy_setup;

extern const struct vdev_type toy_type;

#endif
