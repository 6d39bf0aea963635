/* SPDX-License-Identifier: MIT */
/*
 * What a `peer` path means: /dev/qvm/SYSTEM/NAME is the private link to that NIC, if it names us
 * back; any other path is the switch of that name. Private links live here too. Knows no device.
 * Lock: links_lock (LOCK_SWITCH) for the state of all links; it changes a few times in a VM's life.
 */
#include "vdev/net/port.h"

#include "core/log.h"
#include "core/spinlock.h"
#include "core/str.h"
#include "vdev/net/switch.h"

static struct net_port *ports; /* all of them, newest first */
static struct spinlock links_lock = SPINLOCK_INIT(LOCK_SWITCH);

/* --- private links --------------------------------------------------------------------------- */

/* p->network is the port at the other end. */
static bool link_send(struct net_port *p, struct net_frame *f)
{
    struct net_port *to = p->network;
    enum net_result r;

    if (likely(!f->begun)) {
        if (!port_admit(p, f)) {
            return true;
        }
        if (!port_rate_ok(p, f)) {
            return false;
        }
        f->begun = true;
        f->from = p;
        f->segment = 0;
    }
    if (!atomic_load(&to->up)) {
        port_drop(p, DROP_DOWN);
        return true;
    }
    r = port_deliver(to, f);
    f->pending |= r != NET_DROPPED;
    return r != NET_AGAIN;
}

static void link_flush(struct net_port *p, struct net_frame *f)
{
    struct net_port *to = p->network;

    if (f->pending != 0) {
        f->pending = 0;
        to->ops->flush(to);
    }
}

/* Both ends have a carrier while both devices are usable. */
static void link_link(struct net_port *p, bool up)
{
    struct net_port *other = p->network;
    bool before, now;

    spin_lock(&links_lock);
    before = p->up && other->up;
    atomic_store(&p->up, (u32)up);
    now = p->up && other->up;
    if (now != before) {
        p->ops->carrier(p, now);
        other->ops->carrier(other, now);
    }
    spin_unlock(&links_lock);
}

static const struct net_ops link_ops = {
    .send = link_send,
    .flush = link_flush,
    .link = link_link,
};

/* --- ports that lead nowhere ----------------------------------------------------------------- */

static bool loose_send(struct net_port *p, struct net_frame *f)
{
    (void)f;
    port_drop(p, DROP_DOWN);
    return true;
}

static void loose_flush(struct net_port *p, struct net_frame *f)
{
    (void)p;
    (void)f;
}

static void loose_link(struct net_port *p, bool up)
{
    (void)p;
    (void)up;
}

static const struct net_ops loose_ops = {
    .send = loose_send,
    .flush = loose_flush,
    .link = loose_link,
};

/* --- boot ------------------------------------------------------------------------------------ */

static bool names(const struct nic_peer *peer, const struct net_port *p)
{
    return peer->kind == NIC_LINK && p->node.len != 0 && str_same(peer->system, p->system) &&
           str_same(peer->name, p->node);
}

/* The port that p names and that names p, if it's there already. */
static void link_connect(struct net_port *p)
{
    for (struct net_port *other = ports; other != NULL; other = other->next) {
        if (other == p || !names(&p->peer, other)) {
            continue;
        }
        if (!names(&other->peer, p)) {
            log_warn("%s: no link: its peer %s does not name it back", p->name, other->name);
            continue;
        }
        p->network = other;
        p->net = &link_ops;
        other->network = p;
        other->net = &link_ops;
    }
}

bool net_connect(struct net_port *p)
{
    const struct port_rules *r = &p->rules;

    p->address = mac_number(p->mac);
    p->special = r->rate_bytes != 0 || r->rate_packets != 0 ? SPECIAL_LIMITED : 0;
    limits_init(&p->limits, r->rate_bytes, r->rate_packets, r->storm);
    p->net = &loose_ops;
    p->next = ports;
    ports = p;
    switch (p->peer.kind) {
    case NIC_LINK:
        link_connect(p);
        return true;
    case NIC_SWITCH:
        return switch_attach(p, p->peer.name);
    case NIC_ALONE:
        break;
    }
    return true;
}

struct net_port *net_ports(void)
{
    return ports;
}

void net_forget_all(void)
{
    ports = NULL;
    switch_forget_all();
    switch_forget_descriptions();
}

void net_show(void (*print)(const char *fmt, ...))
{
    switch_show(print);
    for (const struct net_port *p = ports; p != NULL; p = p->next) {
        if (p->net == &link_ops && p < (const struct net_port *)p->network) { /* each link once */
            print("link:\n");
            port_show(p, print);
            port_show(p->network, print);
        } else if (p->net == &loose_ops) {
            print("without network:\n");
            port_show(p, print);
        }
    }
}
