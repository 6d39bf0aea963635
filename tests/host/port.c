/* SPDX-License-Identifier: MIT */
/* A network port without a device: see port.h. */
#include "tests/host/port.h"

#include "core/panic.h"
#include "core/str.h"
#include "tests/host/said.h"

#include <string.h>

static bool stub_deliver(struct net_port *p, struct net_frame *f)
{
    struct stub *s = container_of(p, struct stub, port);

    if (s->refuse) {
        port_drop(p, DROP_NOBUF);
        return false;
    }
    s->delivered++;
    s->last = *f;
    return true;
}

static void stub_flush(struct net_port *p)
{
    container_of(p, struct stub, port)->flushed++;
}

static void stub_carrier(struct net_port *p, bool up)
{
    struct stub *s = container_of(p, struct stub, port);

    s->carrier = up;
    s->carriers++;
}

static const struct net_port_ops stub_ops = {
    .deliver = stub_deliver,
    .flush = stub_flush,
    .carrier = stub_carrier,
};

void stub_init(struct stub *s, const char *system, const char *node, u8 mac)
{
    struct net_port *p = &s->port;

    memset(s, 0, sizeof(*s));
    p->ops = &stub_ops;
    p->mac[0] = 0x02;
    p->mac[5] = mac;
    p->mtu = 1500;
    p->bind_mode = 0660;
    p->system = str_of(system);
    p->node = str_of(node);
    strncpy(p->name, node, sizeof(p->name) - 1);
    s->frame.chain = &s->chain;
}

void stub_switch(struct stub *s, const char *network)
{
    s->port.peer = (struct nic_peer){.kind = NIC_SWITCH, .name = str_of(network)};
}

void stub_link(struct stub *s, const char *far_system, const char *far_node)
{
    s->port.peer = (struct nic_peer){NIC_LINK, str_of(far_system), str_of(far_node)};
}

void stub_up(struct stub *s)
{
    assert(net_connect(&s->port));
    s->port.net->link(&s->port, true);
}

static void put_mac(u8 *b, u64 mac)
{
    for (u32 i = 0; i < 6; i++) {
        b[i] = (u8)(mac >> (40 - 8 * i));
    }
}

bool stub_send_again(struct stub *s)
{
    struct net_frame *f = &s->frame;
    bool done;

    f->begun = false;
    f->budget = 64;
    done = s->port.net->send(&s->port, f);
    s->port.net->flush(&s->port, f);
    return done;
}

bool stub_send(struct stub *s, u64 to, u64 from, u32 len)
{
    struct net_frame *f = &s->frame;

    put_mac(f->head, to);
    put_mac(f->head + 6, from);
    f->head[12] = 0x08;
    f->head[13] = 0;
    f->len = len;
    f->head_len = MIN(len, (u32)NET_ETHERNET);
    f->wire = len;
    return stub_send_again(s);
}

/* 64 bytes, all of them in the private head, the last of them counting. */
bool stub_send_tagged(struct stub *s, const struct stub *to, u32 type, u32 control)
{
    struct net_frame *f = &s->frame;

    put_mac(f->head, stub_mac(to));
    put_mac(f->head + 6, stub_mac(s));
    store_be16(f->head + 12, type);
    store_be16(f->head + 14, control);
    store_be16(f->head + 16, NET_IPV4);
    f->len = f->head_len = f->wire = 64;
    for (u32 i = 18; i < f->len; i++) {
        f->head[i] = (u8)i;
    }
    return stub_send_again(s);
}

struct opt_vlan vlan_access(u16 vid)
{
    return (struct opt_vlan){.mode = VLAN_ACCESS, .vid = vid};
}

struct opt_vlan vlan_trunk(struct vlan_list *list, u16 vid, u16 native)
{
    list->word[vid / 64] |= BIT64(vid % 64);
    return (struct opt_vlan){.mode = VLAN_TRUNK, .vid = native, .tagged = list->word};
}

u64 stub_mac(const struct stub *s)
{
    return mac_number(s->port.mac);
}

const char *net_shown(void)
{
    said_clear();
    net_show(said_print);
    return said;
}
