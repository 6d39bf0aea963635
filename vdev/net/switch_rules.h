/* SPDX-License-Identifier: MIT */
/*
 * What the ports of a switch may do to each other: VLANs (IEEE 802.1Q) and isolation. Ports without
 * `vlan` are among themselves: to them a tag is payload, and they don't meet the others. Knows no
 * table. No lock: rules are constant once the ports are there.
 */
#ifndef VDEV_NET_SWITCH_RULES_H
#define VDEV_NET_SWITCH_RULES_H

#include "vdev/net/port.h"

/* True if p is in that VLAN; 0: among those that are in none. A monitor is nowhere. */
bool rules_member(const struct net_port *p, u32 vlan) MUST_CHECK;

/* Both are isolated. */
static inline bool rules_apart(const struct net_port *a, const struct net_port *b)
{
    return a->rules.isolate && b->rules.isolate;
}

/*
 * Which VLAN a frame that p sends is in, by its tag or else by the port: f->vlan. False: it's
 * dropped and counted. On a port with VLANs no tag may hide behind another one: taken off, it would
 * carry the frame into a VLAN that the sender isn't in.
 */
bool rules_classify(struct net_port *p, struct net_frame *f) MUST_CHECK;

/*
 * Hands f, which is in a VLAN, to one of its members as that one wants it: with the VLAN's tag, or
 * without. Afterwards f is as it was.
 */
enum net_result rules_deliver(struct net_port *to, struct net_frame *f) MUST_CHECK;

#endif
