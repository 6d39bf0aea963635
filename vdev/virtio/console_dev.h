/* SPDX-License-Identifier: MIT */
/*
 * Private to virtio-console's files: the device's state. console.c moves bytes, console_ctrl.c
 * speaks with the driver about ports.
 */
#ifndef VDEV_VIRTIO_CONSOLE_DEV_H
#define VDEV_VIRTIO_CONSOLE_DEV_H

#include "core/sched.h"
#include "core/timer.h"
#include "vdev/chan.h"
#include "vdev/virtio/console.h"
#include "vdev/virtio/virtio.h"

/* VIRTIO 1.2 §5.3.3 */
enum { CONSOLE_F_SIZE = 0, CONSOLE_F_MULTIPORT = 1, CONSOLE_F_EMERG_WRITE = 2 };

/* Port 0 has queues 0 and 1, the control queues are 2 and 3, port n has 2 + 2n and 3 + 2n. */
enum { CTRL_RX = 2, CTRL_TX = 3 };

struct console_port {
    struct console *console;
    const struct console_port_opts *opts;
    u32 index;
    struct chan *chan;
    struct work work; /* both directions, as far as they were not done at once */
    u32 open;         /* the guest says that somebody listens; atomic */

    /* Under the transmit queue's lock */
    bool sending; /* tx was taken, and its first `sent` bytes are in the channel */
    u32 sent;
    u64 out_bytes;
    struct timer lull; /* until the driver is told of buffers that it got back */
    bool lulled;
    struct chain tx;

    /* Under the receive queue's lock */
    u64 in_bytes;
    struct chain rx;
};

/* What is still to be said of a port, in this order. */
enum console_owed { OWED_ADD = 1, OWED_CONSOLE = 2, OWED_NAME = 4, OWED_OPEN = 8 };

struct console_ctrl {
    struct spinlock lock; /* LOCK_CONTROL; covers the fields below */
    struct work work;
    bool deferred;          /* the work will do what is left */
    u8 owed[CONSOLE_PORTS]; /* enum console_owed bits */
    struct chain chain;
};

struct console {
    struct virtio virtio;
    u32 nports;
    bool multiport; /* MULTIPORT is offered */
    u64 emergency_lost;
    struct console_ctrl ctrl;
    struct console_port port[];
};

static inline struct console *console_of(struct virtio *v)
{
    return container_of(v, struct console, virtio);
}

/* The CPU that works for this device: one that its VM has. */
struct pcpu *console_pcpu(const struct console *c);

/* console_ctrl.c; no lock is held */
void console_ctrl_init(struct console *c);
void console_ctrl_notify(struct console *c);
void console_ctrl_reset(struct console *c);

#endif
