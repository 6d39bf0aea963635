/* SPDX-License-Identifier: MIT */
/* The SP805 watchdog as a device of a VM: its type for vdev/table.c. */
#ifndef VDEV_SP805_H
#define VDEV_SP805_H

#include "core/vdev.h"

extern const struct vdev_type sp805_type;

enum sp805_action {
    SP805_TERMINATE,
    SP805_DUMP_TERMINATE,
    SP805_FIQ,
    SP805_DUMP_FIQ, /* as SP805_FIQ: a VM that runs on isn't dumped */
};

struct sp805_opts {
    u32 frequency; /* Hz */
    u32 action;    /* enum sp805_action */
};

#endif
