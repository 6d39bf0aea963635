/* SPDX-License-Identifier: MIT */
/* The inside of virtio-blk: for blk.c alone, and for tests that look at its disk. */
#ifndef VDEV_VIRTIO_BLK_DEV_H
#define VDEV_VIRTIO_BLK_DEV_H

#include "core/sched.h"
#include "vdev/disk.h"
#include "vdev/virtio/blk.h"
#include "vdev/virtio/blk_request.h"
#include "vdev/virtio/virtio.h"

struct blk_queue {
    struct blk *blk;
    u32 index;

    /* Under the queue's lock: */
    struct blk_request request;
    bool busy;     /* with the request */
    bool deferred; /* work will go on: notifications need not */
    struct work work;
};

struct blk {
    struct virtio virtio;
    struct disk disk;
    struct blk_rules rules;   /* features: set when they are settled, constant while running */
    u32 writeback;            /* what the driver believes about caching; atomic */
    struct blk_queue queue[]; /* virtio.nqueues */
};

#endif
