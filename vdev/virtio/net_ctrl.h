/* SPDX-License-Identifier: MIT */
/* virtio-net's control queue (VIRTIO 1.2 §5.1.6.5): commands of the driver about its own NIC. */
#ifndef VDEV_VIRTIO_NET_CTRL_H
#define VDEV_VIRTIO_NET_CTRL_H

#include "core/sched.h"
#include "vdev/virtio/virtio.h"

struct net;

/* What the control queue works on; embedded in the device. */
struct net_ctrl {
    struct spinlock lock; /* LOCK_CONTROL: one command at a time */
    struct chain chain;   /* the command being carried out */
    struct work work;     /* the rest of a long list of commands */
    bool deferred;
    u8 mac[6]; /* what a legacy driver has written of its address so far */
};

void ctrl_init(struct net *n);

/* The control queue's index among the device's queues, as negotiated. */
u32 ctrl_queue(const struct net *n);

/* The driver notified the control queue. No lock held. */
void ctrl_notify(struct net *n);

/*
 * A legacy driver wrote bytes [at, at + len) of config.mac; at + len <= 6. False: they are not
 * taken. No lock held.
 */
bool ctrl_write_mac(struct net *n, u32 at, const void *bytes, u32 len) MUST_CHECK;

/* Part of a reset: no command is under way when it returns. The transport's lock is held. */
void ctrl_reset(struct net *n);

#endif
