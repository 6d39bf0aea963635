/* SPDX-License-Identifier: MIT */
/* A VM with one virtio-net and a minimal driver for it: see nic.h. */
#include "tests/host/nic.h"

#include "core/panic.h"

#include <string.h>

#define NIC_BUFFERS 256u

struct net_opts nic_options(const char *peer, u8 last_mac_byte)
{
    struct net_opts o = {0};

    virtio_net_type.defaults(&o);
    o.peer = (struct str){peer, (u32)strlen(peer)};
    o.mac = (struct opt_mac){{0x02, 0, 0, 0, 0, last_mac_byte}, true};
    return o;
}

static struct net_port *port_named(const char *name)
{
    struct net_port *p = net_ports();

    while (p != NULL && strcmp(p->name, name) != 0) {
        p = p->next;
    }
    return p;
}

void nic_init(struct nic *n, const char *system, const char *node, struct net_opts *opts)
{
    char name[80];

    memset(n, 0, sizeof(*n));
    guest_init(&n->g, system);
    assert(guest_add(&n->g, &virtio_net_type, NIC_BASE, NIC_INTID, node, opts) != NULL);
    strcpy(name, system);
    strcat(name, "/");
    strcat(name, node);
    n->port = port_named(name);
    assert(n->port != NULL);
    memcpy(n->mac, n->port->mac, sizeof(n->mac));
}

void nic_free(struct nic *n)
{
    guest_free(&n->g);
}

void nic_start(struct nic *n, u64 features, u16 size)
{
    n->g.brk = GUEST_RAM_BASE;
    assert(driver_begin(&n->g, NIC_BASE, features) & S_FEATURES_OK);
    ring_alloc(&n->rx, &n->g, NIC_BASE, 0, size);
    ring_alloc(&n->tx, &n->g, NIC_BASE, 1, size);
    n->rx_buf = guest_alloc(&n->g, NIC_BUFFERS * NIC_BUFFER, 64);
    n->tx_buf = guest_alloc(&n->g, NIC_BUFFERS * NIC_BUFFER, 64);
    assert(ring_enable(&n->rx));
    assert(ring_enable(&n->tx));
    driver_ok(&n->g, NIC_BASE);
}

static void ring_restart(struct ring *r)
{
    r->used_idx = 0;
    ring_set_avail_idx(r, 0);
    assert(ring_enable(r));
}

void nic_restart(struct nic *n, u64 features)
{
    assert(driver_begin(&n->g, NIC_BASE, features) & S_FEATURES_OK);
    ring_restart(&n->rx);
    ring_restart(&n->tx);
    driver_ok(&n->g, NIC_BASE);
}

void nic_stop(struct nic *n)
{
    reg_write(&n->g, NIC_BASE, VMMIO_STATUS, 0);
}

void nic_fill(struct nic *n, u32 first, u32 count, u32 len)
{
    for (u32 i = first; i < first + count; i++) {
        ring_desc(&n->rx, i, n->rx_buf + (u64)i * NIC_BUFFER, len, D_WRITE, 0);
        ring_offer(&n->rx, i);
    }
}

void nic_frame(u8 *frame, const u8 *to, const u8 *from, u32 len, u8 seed)
{
    memcpy(frame, to, 6);
    memcpy(frame + 6, from, 6);
    frame[12] = 0x08;
    frame[13] = 0x00;
    for (u32 i = 14; i < len; i++) {
        frame[i] = (u8)(seed + i * 7);
    }
}

void nic_queue(struct nic *n, u32 slot, const u8 *frame, u32 len)
{
    u64 buf = n->tx_buf + (u64)slot * NIC_BUFFER;
    u8 *p = guest_ptr(&n->g, buf);

    memset(p, 0, NIC_HDR);
    memcpy(p + NIC_HDR, frame, len);
    ring_desc(&n->tx, slot, buf, NIC_HDR + len, 0, 0);
    ring_offer(&n->tx, slot);
}

void nic_send(struct nic *n, const u8 *frame, u32 len)
{
    nic_queue(n, 0, frame, len);
    ring_kick(&n->tx);
    assert(ring_used(&n->tx, NULL) == 0);
}

int nic_recv(struct nic *n, u8 *frame, u32 max, bool repost)
{
    u32 len = 0, got = 0, left;
    u16 buffers;
    int head = ring_used(&n->rx, &len);
    u8 *p;

    if (head < 0) {
        return -1;
    }
    p = guest_ptr(&n->g, n->rx_buf + (u64)head * NIC_BUFFER);
    memcpy(&buffers, p + 10, 2);
    assert(len >= NIC_HDR && len - NIC_HDR <= max);
    memcpy(frame, p + NIC_HDR, len - NIC_HDR);
    got = len - NIC_HDR;
    if (repost) {
        ring_offer(&n->rx, (u32)head);
    }
    for (left = buffers; left > 1; left--) {
        head = ring_used(&n->rx, &len);
        assert(head >= 0 && len <= max - got);
        memcpy(frame + got, guest_ptr(&n->g, n->rx_buf + (u64)head * NIC_BUFFER), len);
        got += len;
        if (repost) {
            ring_offer(&n->rx, (u32)head);
        }
    }
    return (int)got;
}

u16 nic_link_status(struct nic *n)
{
    return (u16)guest_read(&n->g, NIC_BASE + VMMIO_CONFIG + 6, 2);
}
