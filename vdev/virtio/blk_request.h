/* SPDX-License-Identifier: MIT */
/*
 * One request of a virtio-blk driver (VIRTIO 1.2 §5.2.6), from its chain of buffers to its status
 * byte, in pieces as large as the caller's budget. It knows the disk, neither queue nor transport.
 * No lock: a request belongs to its queue.
 */
#ifndef VDEV_VIRTIO_BLK_REQUEST_H
#define VDEV_VIRTIO_BLK_REQUEST_H

#include "vdev/disk.h"
#include "vdev/virtio/chain.h"

/*
 * A budget is in bytes copied, or what takes as long. Each part of a request takes of it until it's
 * used up; the last part may overdraw it by a page or so.
 */
#define BLK_COST_REQUEST 4096u /* taking a chain, looking at it, giving it back */
#define BLK_COST_BUFFER  512u  /* each descriptor of it */
#define BLK_COST_PIECE   1024u /* a piece of one buffer in one page of the disk, beside its bytes */

#define BLK_RANGES_MAX 16u /* of one DISCARD or WRITE_ZEROES */

struct blk_request {
    struct chain chain;
    u32 type;
    u8 status;
    u64 pos;  /* on the disk, in bytes: where it goes on … */
    u64 left; /* … and for how long */
    struct cursor at;
    u32 written; /* bytes of the driver's buffers */
    u32 range;   /* offset of the next range in the chain */
    bool release;
};

/* What a device lets its driver do. */
struct blk_rules {
    bool readonly;
    bool flush, discard, write_zeroes; /* negotiated */
    char id[20];
};

/*
 * Begins with the chain in r->chain: looks at its header. False: there's no header, or no room for
 * the status, which only a broken driver leaves out.
 */
bool blk_request_begin(struct blk_request *r, const struct disk *d, const struct blk_rules *rules,
                       s32 *budget) MUST_CHECK;

/* Goes on; true when it's done, its status written; r->written is for the used ring then. */
bool blk_request_run(struct blk_request *r, struct disk *d, s32 *budget) MUST_CHECK;

#endif
