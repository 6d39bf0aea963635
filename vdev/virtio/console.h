/* SPDX-License-Identifier: MIT */
/* virtio-console (VIRTIO 1.2 §5.3): a VM's console and further ports, on the console mux. */
#ifndef VDEV_VIRTIO_CONSOLE_H
#define VDEV_VIRTIO_CONSOLE_H

#include "core/types.h"
#include "core/vdev.h"

#define CONSOLE_PORTS     7  /* as many as there are queues for (VIRTIO_QUEUES) */
#define CONSOLE_PORT_NAME 31 /* bytes of a port's name */

/* A `hostdev`. */
struct console_port_opts {
    struct str name; /* empty: the console */
    bool in, out;    /* bytes go to the guest, come from it */
};

/* What a `vdev virtio-console` line says. */
struct console_opts {
    struct console_port_opts port[CONSOLE_PORTS]; /* the console, if there is one, first */
    u32 nports;                                   /* 0: none was given, which means the console */
    bool legacy;
};

extern const struct vdev_type virtio_console_type;

/* For the type's table: an instance with its channels. NULL: no memory, channel or window. */
struct vdev *console_create(struct vm *vm, const struct vdev_conf *conf);

#endif
