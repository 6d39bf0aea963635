/* SPDX-License-Identifier: MIT */
/* The PL011 UART as a device of a VM: its type for vdev/table.c. */
#ifndef VDEV_PL011_H
#define VDEV_PL011_H

#include "core/vdev.h"

extern const struct vdev_type pl011_type;

#endif
