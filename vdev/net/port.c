/* SPDX-License-Identifier: MIT */
/* A port's counters, and what people are told of them. They are read while they change: no lock. */
#include "vdev/net/port.h"

void port_drop(struct net_port *p, enum net_drop why)
{
    counter_inc(&p->drops[why]);
}

void port_show(const struct net_port *p, void (*print)(const char *fmt, ...))
{
    static const char *const reason[DROP_KINDS] = {"no buffer", "size",   "spoofed",
                                                   "down",      "nobody", "broken"};

    print("  %-24s %02x:%02x:%02x:%02x:%02x:%02x %-4s sent %llu (%llu bytes) got %llu (%llu bytes)",
          p->name, p->mac[0], p->mac[1], p->mac[2], p->mac[3], p->mac[4], p->mac[5],
          atomic_load(&p->up) ? "up" : "down", (unsigned long long)atomic_load(&p->tx_frames),
          (unsigned long long)atomic_load(&p->tx_bytes),
          (unsigned long long)atomic_load(&p->rx_frames),
          (unsigned long long)atomic_load(&p->rx_bytes));
    print(" kicks %llu irqs %llu", (unsigned long long)atomic_load(&p->notifies),
          (unsigned long long)atomic_load(&p->interrupts));
    for (u32 i = 0; i < DROP_KINDS; i++) {
        if (atomic_load(&p->drops[i]) != 0) {
            print(" dropped(%s) %llu", reason[i], (unsigned long long)atomic_load(&p->drops[i]));
        }
    }
    print("\n");
}
