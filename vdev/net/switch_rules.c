/* SPDX-License-Identifier: MIT */
/* VLANs and isolation of a switch's ports, one frame at a time. No lock. */
#include "vdev/net/switch_rules.h"

#define VID_MASK      0x0fffu
#define PRIORITY_MASK 0xf000u /* with the drop-eligible bit */

static bool in_list(const struct opt_vlan *v, u32 vlan)
{
    return v->mode == VLAN_TRUNK && (v->tagged[vlan / 64] >> vlan % 64 & 1) != 0;
}

bool rules_member(const struct net_port *p, u32 vlan)
{
    const struct opt_vlan *v = &p->rules.vlan;

    if (p->rules.monitor) {
        return false;
    }
    if (v->mode == VLAN_NONE || vlan == 0) {
        return v->mode == VLAN_NONE && vlan == 0;
    }
    return v->vid == vlan || in_list(v, vlan);
}

/* The VLAN that the frame's tag names; 0: none (a tag of priority only); negative: not allowed. */
static s32 tag_vlan(const struct opt_vlan *v, const struct net_frame *f)
{
    u32 inner = load_be16(f->head + NET_ETHERNET + 2), vlan = frame_control(f) & VID_MASK;

    if (frame_type(f) != NET_VLAN || inner == NET_VLAN || inner == NET_QINQ) {
        return -1;
    }
    return vlan == 0 || in_list(v, vlan) ? (s32)vlan : -1;
}

bool rules_classify(struct net_port *p, struct net_frame *f)
{
    const struct opt_vlan *v = &p->rules.vlan;
    s32 vlan = 0;

    f->vlan = 0;
    if (v->mode == VLAN_NONE) {
        return true;
    }
    if (frame_tagged(f)) {
        if (!frame_extend(f, NET_ETHERNET + NET_VLAN_TAG)) {
            port_drop(p, DROP_SIZE);
            return false;
        }
        vlan = tag_vlan(v, f);
    }
    vlan = vlan == 0 ? v->vid : vlan;
    if (vlan <= 0) {
        port_drop(p, DROP_VLAN);
        return false;
    }
    f->vlan = (u16)vlan;
    return true;
}

enum net_result rules_deliver(struct net_port *to, struct net_frame *f)
{
    bool has = frame_tagged(f), wants = to->rules.vlan.vid != f->vlan;
    u32 had = has ? frame_control(f) : 0, control = (had & PRIORITY_MASK) | f->vlan;
    enum net_result r;

    if (!has && wants) {
        frame_tag(f, control);
        r = port_deliver(to, f);
        frame_untag(f);
        return r;
    }
    if (has && !wants) {
        frame_untag(f);
        r = port_deliver(to, f);
        frame_tag(f, had);
        return r;
    }
    if (has) {
        store_be16(f->head + NET_ETHERNET, control);
    }
    r = port_deliver(to, f);
    if (has) {
        store_be16(f->head + NET_ETHERNET, had);
    }
    return r;
}
