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

void port_show(const struct net_port *p, void (*print)(const char *fmt, ...))
{
    static const char *const reason[DROP_KINDS] = {
        "no buffer", "size",     "spoofed", "down",  "nobody",   "broken",
        "offload",   "filtered", "vlan",    "storm", "isolated",
    };
    struct net_stats s = sum(p);

    print("  %-24s %02x:%02x:%02x:%02x:%02x:%02x %-4s sent %llu (%llu bytes) got %llu (%llu bytes)",
          p->name, p->mac[0], p->mac[1], p->mac[2], p->mac[3], p->mac[4], p->mac[5],
          atomic_load(&p->up) ? "up" : "down", LONG(s.tx_frames), LONG(s.tx_bytes),
          LONG(s.rx_frames), LONG(s.rx_bytes));
    print(" kicks %llu bursts %llu irqs %llu", LONG(s.notifies), LONG(s.tx_bursts),
          LONG(s.interrupts));
    for (u32 i = 0; i < DROP_KINDS; i++) {
        if (atomic_load(&p->drops[i]) != 0) {
            print(" dropped(%s) %llu", reason[i], LONG(atomic_load(&p->drops[i])));
        }
    }
    print("\n");
}
