/* SPDX-License-Identifier: MIT */
/* The PL031 real-time clock as a device of a VM: its type for vdev/table.c. */
#ifndef VDEV_PL031_H
#define VDEV_PL031_H

#include "core/vdev.h"

extern const struct vdev_type pl031_type;

#endif
