/* SPDX-License-Identifier: MIT */
/* virtio-rng (VIRTIO 1.2 §5.4): random bytes for a guest, from its VM's generator. */
#ifndef VDEV_VIRTIO_RNG_H
#define VDEV_VIRTIO_RNG_H

#include "core/vdev.h"

extern const struct vdev_type virtio_rng_type;

#endif
