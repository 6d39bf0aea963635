/* SPDX-License-Identifier: MIT */
/* Options that virtio devices have in common: what is wrong with them. */
#ifndef VDEV_VIRTIO_OPTIONS_H
#define VDEV_VIRTIO_OPTIONS_H

#include "core/types.h"
#include "core/vdev.h"

/* `qsize`, `packed` and `legacy` go together; complains through diag. */
bool virtio_check_rings(const struct vdev_conf *conf, u32 qsize, bool packed, bool legacy,
                        struct diag *diag) MUST_CHECK;

#endif
