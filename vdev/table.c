/* SPDX-License-Identifier: MIT */
/* The list of device types that configs may name; the manual lists them in this order. */
#include "vdev/table.h"

#include "vdev/pl011.h"
#include "vdev/pl031.h"
#include "vdev/pl061.h"
#include "vdev/shmem.h"
#include "vdev/sp805.h"
#include "vdev/virtio/blk.h"
#include "vdev/virtio/console.h"
#include "vdev/virtio/net.h"
#include "vdev/virtio/rng.h"

const struct vdev_type *const vdev_types[] = {
    &pl011_type,      &pl031_type,          &pl061_type,      &sp805_type,      &shmem_type,
    &virtio_net_type, &virtio_console_type, &virtio_blk_type, &virtio_rng_type, NULL,
};
