/* SPDX-License-Identifier: MIT */
/*
 * The learning switch. A frame is carried from the sender's memory to each receiver's within the
 * sender's trap, one receiver at a time; nothing is queued here. It is decided once who gets it
 * (struct net_frame.todo), and then delivered as far as the burst's budget goes. Where addresses
 * are is the table's affair, what ports may do to each other switch_rules.c's. No lock is held
 * while a frame is delivered.
 */
#include "vdev/net/switch.h"

#include "core/log.h"
#include "core/page.h"
#include "core/str.h"
#include "vdev/net/poller.h"
#include "vdev/net/switch_rules.h"
#include "vdev/net/switch_table.h"

#define NAME_MAX 32

struct net_switch {
    struct net_switch *next;
    char name[NAME_MAX];
    bool drop_unknown;
    u32 special; /* of all its ports */
    u32 ports;
    u64 monitors; /* bit n: port n is one */
    struct net_port *port[NET_PORTS_MAX];
    struct poller *poller; /* NULL: senders notify */
    struct switch_table table;
};

static struct net_switch *switches;

/* --- who gets a frame ------------------------------------------------------------------------ */

/* All that are up and may hear p in the frame's VLAN. */
static u64 everybody(const struct net_switch *s, const struct net_port *p,
                     const struct net_frame *f)
{
    u64 set = 0;

    for (u32 i = 0; i < s->ports; i++) {
        const struct net_port *to = s->port[i];

        if (to == p || !atomic_load(&to->up)) {
            continue;
        }
        if (rules_member(to, f->vlan) && !rules_apart(p, to)) {
            set |= BIT64(i);
        }
    }
    return set;
}

/* The monitors that are up. */
static u64 monitors(const struct net_switch *s)
{
    u64 set = s->monitors;

    for (u64 left = set; left != 0; left &= left - 1) {
        u32 i = (u32)__builtin_ctzll(left);

        set &= atomic_load(&s->port[i]->up) ? UINT64_MAX : ~BIT64(i);
    }
    return set;
}

/* A frame from p to port `to`, of which the table says that the address is there. */
static u64 one(const struct net_switch *s, struct net_port *p, const struct net_frame *f, u32 to)
{
    if (to == p->number || !rules_member(s->port[to], f->vlan)) { /* no way back to the sender */
        port_drop(p, DROP_NODST);
        return 0;
    }
    if (rules_apart(p, s->port[to])) {
        port_drop(p, DROP_ISOLATE);
        return 0;
    }
    return BIT64(to);
}

/*
 * The receivers of a frame where it's not simply one: what p is free to invent is learned on the
 * way. `port`: what the static table says about its destination.
 */
static NOINLINE u64 route(struct net_switch *s, struct net_port *p, struct net_frame *f, u32 port)
{
    u64 to = frame_to(f), from = frame_from(f);
    bool group = (to & MAC_MULTICAST) != 0;
    bool learns = p->mac_spoof_allow && table_find_static(&s->table, from) == NO_PORT;

    if (learns || (port == NO_PORT && !group)) {
        u32 learned = table_learn_and_find(&s->table, f->vlan, learns ? from : 0, p->number, to);

        port = port == NO_PORT ? learned : port;
    }
    if (port != NO_PORT) {
        return one(s, p, f, port) | monitors(s);
    }
    if (!limits_storm(&p->limits, f)) {
        port_drop(p, DROP_STORM);
        return 0;
    }
    if (s->drop_unknown && !group) {
        port_drop(p, DROP_NODST);
        return monitors(s);
    }
    return everybody(s, p, f) | monitors(s);
}

static inline u64 receivers(struct net_switch *s, struct net_port *p, struct net_frame *f)
{
    u32 port = table_find_static(&s->table, frame_to(f));

    if (likely(port != NO_PORT && p->special == 0 && port != p->number)) {
        return BIT64(port);
    }
    return route(s, p, f, port);
}

/* --- frames ---------------------------------------------------------------------------------- */

/* Whether p may send f, as far as not every sender has to be asked. False: dropped and counted. */
static NOINLINE bool sender_ok(struct net_switch *s, struct net_port *p, struct net_frame *f)
{
    if ((p->special & SPECIAL_MONITOR) != 0) {
        port_drop(p, DROP_ISOLATE);
        return false;
    }
    if (p->mac_spoof_allow) {
        u32 owner = table_find_static(&s->table, frame_from(f));

        if (owner != NO_PORT && owner != p->number) { /* another port's configured address */
            port_drop(p, DROP_SPOOF);
            return false;
        }
    }
    return rules_classify(p, f);
}

/* To one after the other of f->todo; false: f is not yet through, the budget is. */
static inline bool deliver(struct net_switch *s, struct net_frame *f)
{
    while (f->todo != 0) {
        u32 n = (u32)__builtin_ctzll(f->todo);
        struct net_port *to = s->port[n];
        enum net_result r;

        if (f->budget <= 0) {
            return false;
        }
        if (likely(f->vlan == 0) || to->rules.monitor) {
            r = port_deliver(to, f);
        } else {
            r = rules_deliver(to, f);
        }
        if (r != NET_DROPPED) {
            f->pending |= BIT64(n);
        }
        if (unlikely(r == NET_AGAIN)) {
            return false;
        }
        f->todo &= f->todo - 1;
        f->segment = 0;
    }
    return true;
}

static bool switch_send(struct net_port *p, struct net_frame *f)
{
    struct net_switch *s = p->network;

    if (likely(!f->begun)) {
        f->vlan = 0;
        if (!port_admit(p, f)) {
            return true;
        }
        if (unlikely(p->special != 0)) {
            if (!sender_ok(s, p, f)) {
                return true;
            }
            if (!port_rate_ok(p, f)) {
                return false;
            }
        }
        f->begun = true;
        f->from = p;
        f->segment = 0;
        f->todo = receivers(s, p, f);
    }
    return deliver(s, f);
}

static void switch_flush(struct net_port *p, struct net_frame *f)
{
    struct net_switch *s = p->network;

    while (f->pending != 0) {
        struct net_port *to = s->port[__builtin_ctzll(f->pending)];

        f->pending &= f->pending - 1;
        to->ops->flush(to);
    }
}

/* What the port taught is forgotten when its device goes. */
static void switch_link(struct net_port *p, bool up)
{
    struct net_switch *s = p->network;

    atomic_store(&p->up, (u32)up);
    if (s->poller != NULL) {
        poller_link(s->poller, p, up);
    }
    if (!up && p->mac_spoof_allow) {
        table_forget(&s->table, p->number);
    }
}

static const struct net_ops switch_ops = {
    .send = switch_send,
    .flush = switch_flush,
    .link = switch_link,
};

/* --- boot ------------------------------------------------------------------------------------ */

static struct net_switch *make_switch(struct str name)
{
    const struct switch_conf *conf = switch_description(name);
    struct net_switch *s = page_alloc(sizeof(*s));

    if (s == NULL) {
        return NULL;
    }
    if (conf->poll_cpu != UINT32_MAX) {
        s->poller = poller_create(conf->poll_cpu);
        if (s->poller == NULL) {
            return NULL;
        }
    }
    memcpy(s->name, name.p, name.len);
    s->drop_unknown = conf->drop_unknown;
    table_init(&s->table, conf->age_s);
    s->next = switches;
    switches = s;
    return s;
}

static struct net_switch *find_switch(struct str name)
{
    struct net_switch *s = switches;

    while (s != NULL && (strlen(s->name) != name.len || memcmp(s->name, name.p, name.len) != 0)) {
        s = s->next;
    }
    return s;
}

/*
 * bind-mode reads as file permissions do: for others anybody, for the group the VMs of one group;
 * the owner alone is the VM itself.
 */
static bool admits(const struct net_port *p, const struct net_port *other)
{
    if (str_same(p->system, other->system)) {
        return true;
    }
    if ((p->bind_mode & 006) != 0) {
        return true;
    }
    return (p->bind_mode & 060) != 0 && str_same(p->group, other->group);
}

/* Address n of those behind p: its own, then its `static` ones. */
static u64 address(const struct net_port *p, u32 n)
{
    return n == 0 ? p->address : mac_number(p->rules.statics.mac[n - 1]);
}

static bool address_taken(const struct net_switch *s, const struct net_port *p)
{
    for (u32 i = 0; i <= p->rules.statics.n; i++) {
        if (table_find_static(&s->table, address(p, i)) != NO_PORT) {
            return true;
        }
    }
    return false;
}

/* Why p can't join s; NULL: it can. */
static const char *refusal(struct net_switch *s, const struct net_port *p)
{
    if (s->ports == NET_PORTS_MAX) {
        return "all its ports are taken";
    }
    if (address_taken(s, p)) {
        return "another port of it has the same MAC";
    }
    for (u32 i = 0; i < s->ports; i++) {
        if (!admits(p, s->port[i]) || !admits(s->port[i], p)) {
            return "the bind-mode of one of them does not allow it to be with the other";
        }
    }
    return NULL;
}

/* What p brings: its addresses, and what makes its own frames and everybody's something special. */
static void apply_rules(struct net_switch *s, struct net_port *p)
{
    const struct port_rules *r = &p->rules;

    for (u32 i = 0; i <= r->statics.n && !r->monitor; i++) { /* a monitor hears all anyway */
        table_add_static(&s->table, address(p, i), p->number);
    }
    p->special |= p->mac_spoof_allow ? SPECIAL_TEACHES : 0;
    p->special |= r->isolate ? SPECIAL_ISOLATED : 0;
    p->special |= r->monitor ? SPECIAL_MONITOR : 0;
    s->special |= r->vlan.mode != VLAN_NONE ? SPECIAL_VLANS : 0;
    s->special |= r->monitor ? SPECIAL_WATCHED : 0;
    s->monitors |= r->monitor ? BIT64(p->number) : 0;
    for (u32 i = 0; i < s->ports; i++) {
        s->port[i]->special |= s->special;
    }
}

bool switch_attach(struct net_port *p, struct str name)
{
    struct net_switch *s;
    const char *why;

    name.len = MIN(name.len, (u32)NAME_MAX - 1);
    s = find_switch(name);
    if (s == NULL) {
        s = make_switch(name);
    }
    if (s == NULL) {
        return false;
    }
    why = refusal(s, p);
    if (why != NULL) {
        log_warn("%s: not joined to switch %s: %s", p->name, s->name, why);
        return true;
    }
    p->number = s->ports;
    p->network = s;
    p->net = &switch_ops;
    s->port[s->ports++] = p;
    apply_rules(s, p);
    p->ops->carrier(p, true);
    return true;
}

void switch_forget_all(void)
{
    switches = NULL;
}

void switch_show(void (*print)(const char *fmt, ...))
{
    for (const struct net_switch *s = switches; s != NULL; s = s->next) {
        print("switch %s: %u ports%s", s->name, s->ports,
              s->drop_unknown ? ", frames to unknown addresses are dropped" : "");
        if (s->poller != NULL) {
            poller_show(s->poller, print);
        }
        print("\n");
        for (u32 i = 0; i < s->ports; i++) {
            port_show(s->port[i], print);
        }
    }
}
