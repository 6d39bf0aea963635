/* SPDX-License-Identifier: MIT */
/* A VM with one virtio-net and a minimal driver for it: see nic.h. */
#include "tests/host/nic.h"

#include "core/panic.h"

#include <string.h>

#define NIC_BUFFERS 256u
#define CTRL_SIZE   64u
#define CTRL_BYTES  4096u /* for commands; the answer lies behind it */

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
    nic_stop(n); /* no timer of it is left */
    guest_free(&n->g);
}

static bool is_legacy(struct nic *n)
{
    return reg_read(&n->g, NIC_BASE, VMMIO_VERSION) == 1;
}

static void begin(struct nic *n, u64 features)
{
    u32 status = driver_begin(&n->g, NIC_BASE, features);

    assert(is_legacy(n) || (status & S_FEATURES_OK));
    n->features = features;
}

static void make_ring(struct nic *n, struct ring *r, u32 index, u16 size)
{
    if (is_legacy(n)) {
        ring_alloc_legacy(r, &n->g, NIC_BASE, index, size);
    } else if ((n->features & F_PACKED) != 0) {
        ring_alloc_packed(r, &n->g, NIC_BASE, index, size);
    } else {
        ring_alloc(r, &n->g, NIC_BASE, index, size);
    }
    assert(ring_enable(r));
}

void nic_start(struct nic *n, u64 features, u16 size)
{
    u32 pairs = (u32)guest_read(&n->g, NIC_BASE + VMMIO_CONFIG + 8, 2);

    n->g.brk = GUEST_RAM_BASE;
    begin(n, features);
    make_ring(n, &n->rx, 0, size);
    make_ring(n, &n->tx, 1, size);
    n->rx_buf = guest_alloc(&n->g, NIC_BUFFERS * NIC_BUFFER, 64);
    n->tx_buf = guest_alloc(&n->g, NIC_BUFFERS * NIC_BUFFER, 64);
    if (features & NIC_MQ) {
        make_ring(n, &n->rx2, 2, size);
        make_ring(n, &n->tx2, 3, size);
        n->rx2_buf = guest_alloc(&n->g, NIC_BUFFERS * NIC_BUFFER, 64);
    }
    if (features & NIC_CTRL) {
        make_ring(n, &n->ctrl, features & NIC_MQ ? 2 * pairs : 2, CTRL_SIZE);
        n->ctrl_buf = guest_alloc(&n->g, 2 * CTRL_BYTES, 64);
    }
    driver_ok(&n->g, NIC_BASE);
}

u8 nic_command(struct nic *n, u8 class, u8 code, const void *data, u32 len)
{
    u8 *p = guest_ptr(&n->g, n->ctrl_buf);
    u32 written;

    assert(len + 2 <= CTRL_BYTES);
    p[0] = class;
    p[1] = code;
    memcpy(p + 2, data, len);
    p[CTRL_BYTES] = 0xee;
    ring_desc(&n->ctrl, 0, n->ctrl_buf, 2 + len, D_NEXT, 1);
    ring_desc(&n->ctrl, 1, n->ctrl_buf + CTRL_BYTES, 1, D_WRITE, 0);
    ring_offer(&n->ctrl, 0);
    ring_kick(&n->ctrl);
    assert(ring_used(&n->ctrl, &written) == 0 && written == 1);
    return p[CTRL_BYTES];
}

static void ring_restart(struct ring *r)
{
    r->used_idx = 0;
    ring_set_avail_idx(r, 0);
    assert(ring_enable(r));
}

void nic_restart(struct nic *n, u64 features)
{
    begin(n, features);
    ring_restart(&n->rx);
    ring_restart(&n->tx);
    if (features & NIC_MQ) {
        ring_restart(&n->rx2);
        ring_restart(&n->tx2);
    }
    if (features & NIC_CTRL) {
        ring_restart(&n->ctrl);
    }
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

void nic_fill2(struct nic *n, u32 first, u32 count)
{
    for (u32 i = first; i < first + count; i++) {
        ring_desc(&n->rx2, i, n->rx2_buf + (u64)i * NIC_BUFFER, NIC_BUFFER, D_WRITE, 0);
        ring_offer(&n->rx2, i);
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
