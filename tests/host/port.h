/* SPDX-License-Identifier: MIT */
/* A network port without a device: remembers what it was given. For tests of networks. */
#ifndef TESTS_HOST_PORT_H
#define TESTS_HOST_PORT_H

#include "vdev/net/port.h"

struct stub {
    struct net_port port;
    struct chain chain;     /* what its frames refer to; empty */
    struct net_frame frame; /* the one being sent, and what is left of its budget */
    u32 delivered, flushed, carriers;
    bool carrier;
    bool refuse;           /* deliver says no */
    struct net_frame last; /* what it got last, as it was then */
};

/* VLANs for struct port_rules: a bit each. */
struct vlan_list {
    u64 word[64];
};

/* A port of system/node with MAC 02:00:00:00:00:mac on the switch `network`. */
void stub_init(struct stub *s, const char *system, const char *node, u8 mac);
void stub_switch(struct stub *s, const char *network);
void stub_link(struct stub *s, const char *far_system, const char *far_node);
/* Connects it and brings its link up. */
void stub_up(struct stub *s);
struct opt_vlan vlan_access(u16 vid);
/* native 0: none. Adds `vid`; call again for more. */
struct opt_vlan vlan_trunk(struct vlan_list *list, u16 vid, u16 native);
/* Sends a frame of len bytes, then ends the burst; true if it got everywhere. */
bool stub_send(struct stub *s, u64 to, u64 from, u32 len);
/* The same with a tag of type `type` and control field `control`. */
bool stub_send_tagged(struct stub *s, const struct stub *to, u32 type, u32 control);
/* Sends what is in s->frame as if it were new: head, head_len, len and what was left to be done. */
bool stub_send_again(struct stub *s);
u64 stub_mac(const struct stub *s);
/* What net_show prints now; lasts until the next call. */
const char *net_shown(void);

#endif
