/* SPDX-License-Identifier: MIT */
/* The list of device types: one line each in vdev/table.c. */
#ifndef VDEV_TABLE_H
#define VDEV_TABLE_H

#include "core/vdev.h"

extern const struct vdev_type *const vdev_types[]; /* NULL-terminated */

#endif
