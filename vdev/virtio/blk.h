/* SPDX-License-Identifier: MIT */
/* virtio-blk (VIRTIO 1.2 §5.2): a disk on a file of the boot bundle, or in RAM. */
#ifndef VDEV_VIRTIO_BLK_H
#define VDEV_VIRTIO_BLK_H

#include "core/types.h"
#include "core/vdev.h"

#define BLK_QUEUES_MAX 8
#define BLK_QSIZE_MIN  4 /* a request takes three descriptors */
#define BLK_QSIZE_MAX  1024
#define BLK_SERIAL_LEN 20
#define BLK_SECTOR     512u

/* What a `vdev virtio-blk` line says. */
struct blk_opts {
    struct opt_file hostdev; /* `<`: only read; else what is written lands in RAM */
    u64 ramdisk;             /* bytes of a disk without a file, or 0 */
    u64 cow;                 /* bytes of RAM for what is written over the file; 0: all of it */
    struct str serial;       /* at most BLK_SERIAL_LEN bytes */
    bool readonly;
    u32 queues; /* 1..BLK_QUEUES_MAX; 0: one per vCPU of the VM */
    u32 qsize;  /* of each, BLK_QSIZE_MIN..BLK_QSIZE_MAX; a power of two unless packed */
    bool packed;
    bool legacy;
};

extern const struct vdev_type virtio_blk_type;

/* For the type's table: an instance with its disk. NULL: no memory or no window. */
struct vdev *blk_create(struct vm *vm, const struct vdev_conf *conf);

#endif
