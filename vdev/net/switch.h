/* SPDX-License-Identifier: MIT */
/*
 * The learning switch: any number of them by name, made on demand, up to NET_PORTS_MAX ports each.
 */
#ifndef VDEV_NET_SWITCH_H
#define VDEV_NET_SWITCH_H

#include "core/config.h"
#include "core/types.h"
#include "vdev/net/port.h"

/*
 * Joins p to the switch `name`, which is made if it doesn't exist. A port that one of the others
 * may not share a switch with (bind_mode), that has another's MAC or finds no free place is refused
 * with a warning and stays without network. False: no memory. Boot only.
 */
bool switch_attach(struct net_port *p, struct str name) MUST_CHECK;

/*
 * How the switch conf->name works, when it comes to be. conf has to stay, and is sound:
 * core/check.h says so. A second description of the same switch is ignored; one too many, with a
 * warning. Boot only, before the first switch_attach.
 */
void switch_configure(const struct switch_conf *conf);

/* The description of the switch `name`; one with the defaults if it has none. */
const struct switch_conf *switch_description(struct str name);

void switch_show(void (*print)(const char *fmt, ...) PRINTF(1, 2));

/* For tests, through net_forget_all. */
void switch_forget_all(void);
void switch_forget_descriptions(void);

#endif
