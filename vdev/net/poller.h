/* SPDX-License-Identifier: MIT */
/*
 * A physical CPU that looks at the transmit rings of a switch's ports, over and over, so that no
 * guest has to leave its code to send. It takes interrupts in between, but never sleeps while a
 * port is up.
 */
#ifndef VDEV_NET_POLLER_H
#define VDEV_NET_POLLER_H

#include "vdev/net/port.h"

struct poller;

/* No vCPU may be on that CPU. NULL: no memory. Boot only. */
struct poller *poller_create(u32 cpu) MUST_CHECK;

/*
 * The port, which is up, is polled from now on, unless the CPU didn't come up; or isn't any more: a
 * poll may still be under way. Any CPU; takes LOCK_SWITCH.
 */
void poller_link(struct poller *l, struct net_port *p, bool up);

/* A few words about it. */
void poller_show(const struct poller *l, void (*print)(const char *fmt, ...) PRINTF(1, 2));

#endif
