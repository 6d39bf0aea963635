/* SPDX-License-Identifier: MIT */
/* A port's counters, and what people are told of them. They are read while they change: no lock. */
#include "vdev/net/port.h"

void port_drop(struct net_port *p, enum net_drop why)
{
    counter_inc(&p->drops[why]);
}

/* Nobody may send from a group's address or from none; only who is allowed to, from another's. */
bool port_may_be(const struct net_port *p, u64 source)
{
    const struct opt_macs *own = &p->rules.statics;

    if (p->mac_spoof_allow) {
        return source != 0 && (source & MAC_MULTICAST) == 0;
    }
    for (u32 i = 0; i < own->n; i++) {
        if (mac_number(own->mac[i]) == source) {
            return true;
        }
    }
    return false;
}

/* Sums; no two of the numbers need to be of the same moment. */
static struct net_stats sum(const struct net_port *p)
{
    struct net_stats all = {.tx_frames = 0};

    for (u32 i = 0; i < p->nstats; i++) {
        const struct net_stats *s = &p->stats[i];

        all.tx_frames += atomic_load(&s->tx_frames);
        all.tx_bytes += atomic_load(&s->tx_bytes);
        all.tx_bursts += atomic_load(&s->tx_bursts);
        all.notifies += atomic_load(&s->notifies);
        all.rx_frames += atomic_load(&s->rx_frames);
        all.rx_bytes += atomic_load(&s->rx_bytes);
        all.interrupts += atomic_load(&s->interrupts);
    }
    return all;
}

#define LONG(x) ((unsigned long long)(x))

/* Ten times n / of, as good as 28 bits have it; 64 bits aren't divided on every CPU. */
static u32 tenths(u64 n, u64 of)
{
    while ((n | of) >> 28 != 0) {
        n >>= 1;
        of >>= 1;
    }
    return of == 0 ? 0 : (u32)n * 10 / (u32)of;
}

#define RANGES_SHOWN 8

static bool listed(const struct opt_vlan *v, u32 vlan)
{
    return (v->tagged[vlan / 64] >> vlan % 64 & 1) != 0;
}

static void show_list(const struct opt_vlan *v, void (*print)(const char *fmt, ...))
{
    u32 shown = 0;

    for (u32 first = 1; first <= VID_MAX; first++) {
        u32 last = first;

        if (!listed(v, first)) {
            continue;
        }
        while (last < VID_MAX && listed(v, last + 1)) {
            last++;
        }
        if (shown == RANGES_SHOWN) {
            print(",...");
            return;
        }
        print("%s%u", shown++ == 0 ? " " : ",", first);
        if (last != first) {
            print("-%u", last);
            first = last;
        }
    }
}

static void show_rules(const struct net_port *p, void (*print)(const char *fmt, ...))
{
    const struct port_rules *r = &p->rules;

    if (r->vlan.mode == VLAN_ACCESS) {
        print("  vlan %u", r->vlan.vid);
    } else if (r->vlan.mode == VLAN_TRUNK) {
        print("  trunk");
        show_list(&r->vlan, print);
        if (r->vlan.vid != 0) {
            print(" native %u", r->vlan.vid);
        }
    }
    print("%s%s\n", r->isolate ? "  isolated" : "", r->monitor ? "  monitor" : "");
}

static void show_drops(const struct net_port *p, void (*print)(const char *fmt, ...))
{
    static const char *const reason[DROP_KINDS] = {
        "no buffer", "size",     "spoofed", "down",  "nobody there", "broken ring",
        "offload",   "filtered", "vlan",    "storm", "isolated",     "over its share",
    };
    const char *before = "    dropped ";

    for (u32 i = 0; i < DROP_KINDS; i++) {
        if (atomic_load(&p->drops[i]) != 0) {
            print("%s%llu %s", before, LONG(atomic_load(&p->drops[i])), reason[i]);
            before = ", ";
        }
    }
    if (before[0] == ',') {
        print("\n");
    }
}

void port_show(const struct net_port *p, void (*print)(const char *fmt, ...))
{
    struct net_stats s = sum(p);
    u32 burst = tenths(s.tx_frames, s.tx_bursts);

    print("  %-24s %02x:%02x:%02x:%02x:%02x:%02x  %s", p->name, p->mac[0], p->mac[1], p->mac[2],
          p->mac[3], p->mac[4], p->mac[5], atomic_load(&p->up) ? "up" : "down");
    show_rules(p, print);
    print("    sent %12llu frames %15llu bytes  %10llu notifications, %u.%u frames a burst\n",
          LONG(s.tx_frames), LONG(s.tx_bytes), LONG(s.notifies), burst / 10, burst % 10);
    print("    got  %12llu frames %15llu bytes  %10llu interrupts\n", LONG(s.rx_frames),
          LONG(s.rx_bytes), LONG(s.interrupts));
    show_drops(p, print);
    if (atomic_load(&p->waits) != 0) {
        print("    held back %llu times by its rate\n", LONG(atomic_load(&p->waits)));
    }
}
