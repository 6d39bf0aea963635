/* SPDX-License-Identifier: MIT */
/*
 * The learning switch: any number of them by name, made on demand, up to NET_PORTS_MAX ports each.
 */
#ifndef VDEV_NET_SWITCH_H
#define VDEV_NET_SWITCH_H

#include "core/types.h"
#include "vdev/net/port.h"

/*
 * Joins p to the switch `name`, which is made if it doesn't exist. A port that one of the others
 * may not share a switch with (bind_mode), that has another's MAC or finds no free place is refused
 * with a warning and stays without network. False: no memory. Boot only.
 */
bool switch_attach(struct net_port *p, struct str name) MUST_CHECK;

void switch_show(void (*print)(const char *fmt, ...) PRINTF(1, 2));

/* For tests, through net_forget_all. */
void switch_forget_all(void);

#endif
