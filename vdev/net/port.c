/* SPDX-License-Identifier: MIT */
/*
 * What all networks check of a frame, on its way in and on its way out. Knows neither devices nor
 * networks. No lock: what it looks at is private or fixed.
 */
#include "vdev/net/port.h"

enum ethernet {
    ETH_SOURCE = 6,
    ETH_TYPE = 12,
    TYPE_VLAN = 0x8100,
    TYPE_QINQ = 0x88a8,
};

/* A tag is not counted into the MTU. The head has an Ethernet header. */
static bool fits(const struct net_frame *f, u32 mtu)
{
    u32 type = (u32)f->head[ETH_TYPE] << 8 | f->head[ETH_TYPE + 1];
    u32 tag = type == TYPE_VLAN || type == TYPE_QINQ ? NET_VLAN_TAG : 0;

    return f->len <= mtu + NET_ETHERNET + tag;
}

/* Nobody may send from a group address or from none; only who is allowed to, from another's. */
static bool source_ok(const struct net_port *p, const struct net_frame *f)
{
    u64 source = mac_number(f->head + ETH_SOURCE);

    if (!p->mac_spoof_allow) {
        return source == mac_number(p->mac);
    }
    return source != 0 && (source & MAC_MULTICAST) == 0;
}

bool port_admit(struct net_port *p, const struct net_frame *f)
{
    if (f->len < NET_ETHERNET || f->head_len < NET_ETHERNET || !fits(f, p->mtu)) {
        port_drop(p, DROP_SIZE);
        return false;
    }
    if (!source_ok(p, f)) {
        port_drop(p, DROP_SPOOF);
        return false;
    }
    return true;
}

bool port_deliver(struct net_port *to, struct net_frame *f)
{
    f->budget -= 1 + (s32)(f->len >> 11); /* a large frame counts by its copying */
    if (!fits(f, to->mtu)) {
        port_drop(to, DROP_SIZE);
        return false;
    }
    return to->ops->deliver(to, f);
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
