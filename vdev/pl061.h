/* SPDX-License-Identifier: MIT */
/* The PL061 GPIO, with the power button on one of its lines: its type for vdev/table.c. */
#ifndef VDEV_PL061_H
#define VDEV_PL061_H

#include "core/vdev.h"

extern const struct vdev_type pl061_type;

#define PL061_LINES 8u

struct pl061_opts {
    u32 button; /* the line of the power button; PL061_LINES: there's none */
};

#endif
