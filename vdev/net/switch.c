/* SPDX-License-Identifier: MIT */
/*
 * The learning switch. A frame is carried from the sender's memory to each receiver's within the
 * sender's trap, one receiver at a time; nothing is queued here.
 *
 * Two tables say where an address is. The static one holds the configured MAC of every port; it is
 * filled at boot and read without a lock, and with anti-spoofing on (the default) it is all that is
 * ever needed. What ports with `mac-spoof allow` teach goes into the learned one: fixed in size,
 * hashed with a secret of this boot, aged; no port can push out what another one taught. Lock:
 * LOCK_SWITCH for the learned table, never held while a frame is delivered.
 */
#include "vdev/net/switch.h"

#include "core/arch.h"
#include "core/log.h"
#include "core/page.h"
#include "core/spinlock.h"
#include "core/str.h"

#define STATICS       (2 * NET_PORTS_MAX) /* a power of two; never more than half full */
#define STATICS_SHIFT 57                  /* 64 - log2(STATICS) */
#define WAYS          4
#define BUCKETS       256
#define BUCKETS_SHIFT 56 /* 64 - log2(BUCKETS) */
#define PORT_CAP      64 /* addresses that one port can teach */
#define AGE_TICKS     280u
#define TICK_SHIFT    30 /* 2^30 ns are about a second, without a division: 280 ticks, 300 s */
#define NO_PORT       UINT32_MAX
#define NAME_MAX      32

struct static_entry {
    u64 mac; /* 0: free */
    u32 port;
};

struct learned_entry {
    u64 mac; /* 0: free */
    u32 port;
    u32 seen; /* tick */
};

struct net_switch {
    struct net_switch *next;
    char name[NAME_MAX];
    u64 factor, offset; /* the secret of the hash */
    struct net_port *port[NET_PORTS_MAX];
    u32 ports;
    struct static_entry statics[STATICS];

    struct spinlock lock; /* LOCK_SWITCH; covers the fields below */
    u32 taught[NET_PORTS_MAX];
    struct learned_entry learned[BUCKETS][WAYS];
};

static struct net_switch *switches;

static u64 hash(const struct net_switch *s, u64 mac)
{
    u64 h = (mac ^ s->offset) * s->factor;

    return (h ^ h >> 32) * s->factor; /* twice: addresses in a row spread too */
}

static u32 tick(void)
{
    return (u32)(arch_now_ns() >> TICK_SHIFT);
}

/* --- addresses ------------------------------------------------------------------------------- */

static struct static_entry *static_slot(struct net_switch *s, u64 mac)
{
    u32 i = (u32)(hash(s, mac) >> STATICS_SHIFT);

    while (s->statics[i].mac != 0 && s->statics[i].mac != mac) { /* half of them are free */
        i = (i + 1) % STATICS;
    }
    return &s->statics[i];
}

static bool expired(const struct learned_entry *e, u32 now)
{
    return now - e->seen > AGE_TICKS;
}

/*
 * Where to put a new address of `port`: a free or aged place, else one of its own, the oldest; NULL
 * if all belong to others: then the address stays unknown, and frames to it are flooded.
 */
static struct learned_entry *learn_slot(struct net_switch *s, struct learned_entry *bucket,
                                        u32 port, u32 now)
{
    bool full = s->taught[port] >= PORT_CAP;
    struct learned_entry *own = NULL;

    for (u32 i = 0; i < WAYS; i++) {
        struct learned_entry *e = &bucket[i];

        if (e->mac != 0 && expired(e, now)) {
            s->taught[e->port]--;
            e->mac = 0;
            full = s->taught[port] >= PORT_CAP;
        }
        if (e->mac == 0 && !full) {
            return e;
        }
        if (e->mac != 0 && e->port == port && (own == NULL || now - e->seen > now - own->seen)) {
            own = e;
        }
    }
    return own;
}

static void learn(struct net_switch *s, u64 mac, u32 port, u32 now)
{
    struct learned_entry *bucket = s->learned[hash(s, mac) >> BUCKETS_SHIFT];
    struct learned_entry *e = NULL;

    for (u32 i = 0; i < WAYS; i++) {
        if (bucket[i].mac == mac) {
            e = &bucket[i];
        }
    }
    if (e != NULL &&
        e->port != port) { /* it moved: forgotten there, learned here if there's room */
        s->taught[e->port]--;
        e->mac = 0;
        e = NULL;
    }
    if (e == NULL) {
        e = learn_slot(s, bucket, port, now);
        if (e == NULL) {
            return;
        }
        s->taught[port] += e->mac == 0;
    }
    *e = (struct learned_entry){.mac = mac, .port = port, .seen = now};
}

static u32 find_learned(const struct net_switch *s, u64 mac, u32 now)
{
    const struct learned_entry *bucket = s->learned[hash(s, mac) >> BUCKETS_SHIFT];

    for (u32 i = 0; i < WAYS && mac != 0; i++) {
        if (bucket[i].mac == mac && !expired(&bucket[i], now)) {
            return bucket[i].port;
        }
    }
    return NO_PORT;
}

/*
 * The port behind `to`, or NO_PORT. `from`, which port `number` may have invented, is learned on
 * the way, unless it is 0.
 */
static NOINLINE u32 learn_and_find(struct net_switch *s, u64 from, u32 number, u64 to)
{
    u32 now = tick(), port;

    spin_lock(&s->lock);
    if (from != 0) {
        learn(s, from, number, now);
    }
    port = find_learned(s, to, now);
    spin_unlock(&s->lock);
    return port;
}

/* --- frames ---------------------------------------------------------------------------------- */

/* False: f is not yet through, the budget is. */
static inline bool deliver(struct net_port *to, struct net_frame *f)
{
    enum net_result r = port_deliver(to, f);

    if (r != NET_DROPPED) {
        f->pending |= BIT64(to->number);
    }
    return r != NET_AGAIN;
}

/* To every other port that is up, as far as the budget goes. */
static NOINLINE bool flood(struct net_switch *s, struct net_port *p, struct net_frame *f)
{
    f->flood = true;
    for (; f->cursor < s->ports; f->cursor++) {
        struct net_port *to = s->port[f->cursor];

        if (to == p || !atomic_load(&to->up)) {
            continue;
        }
        if (f->budget <= 0 || !deliver(to, f)) {
            return false;
        }
    }
    return true;
}

/*
 * Where a frame from `from` to `to` goes: NO_PORT is everywhere. What p is free to invent is
 * learned on the way. False: dropped.
 */
static bool route(struct net_switch *s, struct net_port *p, u64 from, u64 to, u32 *port)
{
    const struct static_entry *sender = NULL;
    const struct static_entry *e = static_slot(s, to);
    bool known = e->mac != 0, learns = false;

    if (p->mac_spoof_allow) {
        sender = static_slot(s, from);
        learns = sender->mac == 0;
        if (!learns && sender->port != p->number) { /* another port's configured address */
            port_drop(p, DROP_SPOOF);
            return false;
        }
    }
    *port = known ? e->port : NO_PORT;
    if (learns || (!known && (to & MAC_MULTICAST) == 0)) {
        u32 learned = learn_and_find(s, learns ? from : 0, p->number, to);

        *port = known ? *port : learned;
    }
    return true;
}

static bool switch_send(struct net_port *p, struct net_frame *f)
{
    struct net_switch *s = p->network;
    u32 port;

    if (unlikely(f->begun)) { /* it was admitted and goes on */
        return f->flood ? flood(s, p, f) : deliver(s->port[f->cursor], f);
    }
    f->begun = true;
    f->flood = false;
    f->cursor = 0;
    f->segment = 0;
    if (!port_admit(p, f) || !route(s, p, frame_from(f), frame_to(f), &port)) {
        return true;
    }
    if (port == NO_PORT) {
        return flood(s, p, f);
    }
    if (port == p->number) { /* no way back to the sender */
        port_drop(p, DROP_NODST);
        return true;
    }
    f->cursor = port;
    return deliver(s->port[port], f);
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
    if (up || !p->mac_spoof_allow) {
        return;
    }
    spin_lock(&s->lock);
    for (u32 i = 0; i < BUCKETS * WAYS && s->taught[p->number] != 0; i++) {
        struct learned_entry *e = &s->learned[i / WAYS][i % WAYS];

        if (e->mac != 0 && e->port == p->number) {
            e->mac = 0;
            s->taught[p->number]--;
        }
    }
    spin_unlock(&s->lock);
}

static const struct net_ops switch_ops = {
    .send = switch_send,
    .flush = switch_flush,
    .link = switch_link,
};

/* --- boot ------------------------------------------------------------------------------------ */

/* A factor and an offset nobody can guess; where there's no entropy at least not twice the same. */
static void make_secret(struct net_switch *s)
{
    u64 r[2];

    if (!arch_entropy(r, sizeof(r))) {
        r[0] = arch_now_ns() * 0x9e3779b97f4a7c15ull;
        r[1] = (r[0] ^ (uintptr_t)s) * 0xbf58476d1ce4e5b9ull;
    }
    s->factor = r[0] | 1; /* odd: no bit of the address is lost */
    s->offset = r[1];
}

static struct net_switch *make_switch(struct str name)
{
    struct net_switch *s = page_alloc(sizeof(*s));

    if (s == NULL) {
        return NULL;
    }
    memcpy(s->name, name.p, name.len);
    spin_init(&s->lock, LOCK_SWITCH);
    make_secret(s);
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

/* Why p can't join s; NULL: it can. */
static const char *refusal(struct net_switch *s, const struct net_port *p)
{
    if (s->ports == NET_PORTS_MAX) {
        return "all its ports are taken";
    }
    if (static_slot(s, p->address)->mac != 0) {
        return "another port of it has the same MAC";
    }
    for (u32 i = 0; i < s->ports; i++) {
        if (!admits(p, s->port[i]) || !admits(s->port[i], p)) {
            return "the bind-mode of one of them does not allow it to be with the other";
        }
    }
    return NULL;
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
    *static_slot(s, p->address) = (struct static_entry){p->address, p->number};
    p->network = s;
    p->net = &switch_ops;
    s->port[s->ports++] = p;
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
        print("switch %s: %u ports\n", s->name, s->ports);
        for (u32 i = 0; i < s->ports; i++) {
            port_show(s->port[i], print);
        }
    }
}
