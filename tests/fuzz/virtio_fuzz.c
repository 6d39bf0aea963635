/* SPDX-License-Identifier: MIT */
/*
 * Five hostile drivers, three on one switch, two on a private link: a program of register accesses,
 * descriptors, frames and notifications, in any order and with any values, but shaped so that most
 * of it means something. After each step what must always hold is checked; the sanitizers and the
 * lock checks do the rest.
 */
#include "arch/host/arch.h"
#include "core/log.h"
#include "core/panic.h"
#include "tests/fuzz/input.h"
#include "tests/host/nic.h"
#include "vdev/virtio/virtio.h"

#include <string.h>

#define NICS   5 /* three on a switch, two on a private link */
#define STEPS  400
#define QSIZE  16u
#define BASE   GUEST_RAM_BASE
#define TABLES (BASE + 0x8000) /* indirect tables */
#define DATA   (BASE + 0x10000)
#define USED   0x20000u /* bytes of RAM that an input may reach with well-formed addresses */
#define WORK   64u      /* frames and deliveries of one notification */

static struct nic nic[NICS];

/* --- what must always hold ---------------------------------------------------------------------
 */

static void check_queue(const struct virtq *q)
{
    if (!q->ready) {
        assert(q->desc == NULL && q->used_next == 0 && !q->broken);
        return;
    }
    assert(q->size != 0 && q->size <= q->max);
    if (q->packed) {
        u32 laps = 2u * q->size;

        assert(q->avail_next < laps && q->used_next < laps && q->used_published < laps);
        assert((q->avail_next + laps - q->used_published) % laps <= q->size);
        assert(q->avail_seen <= q->size);
    } else {
        assert(is_pow2(q->size));
        assert((u16)(q->avail_seen - q->used_published) <= q->size);
    }
    assert(q->used_next == q->used_published || q->broken); /* nothing stays staged */
    assert(q->broken == (q->why != NULL));
}

static void check(struct nic *n)
{
    struct virtio *v = (struct virtio *)n->g.vm.devs;

    assert((v->isr != 0) == (n->g.level[NIC_INTID] != 0));
    assert(v->line == (v->isr != 0));
    if ((v->status & VIRTIO_DRIVER_OK) == 0) {
        assert(v->isr == 0 && !virtio_running(v));
    } else {
        assert(v->legacy || (v->status & VIRTIO_FEATURES_OK));
        assert(v->legacy != virtio_has(v, VIRTIO_F_VERSION_1));
        assert(!v->legacy || v->driver_features >> 32 == 0);
    }
    check_queue(&v->queue[0]);
    check_queue(&v->queue[1]);
    for (u32 i = 0; i < GUEST_ROM_SIZE; i += 512) {
        assert(n->g.rom[i] == 0x5a);
    }
}

/* --- steps --------------------------------------------------------------------------------------
 */

/* An address: mostly a good one, else at an edge, else anything. */
static u64 take_address(struct input *in)
{
    u32 how = take(in, 1);

    switch (how % 8) {
    case 0:
        return GUEST_RAM_BASE + GUEST_RAM_SIZE - take(in, 1);
    case 1:
        return GUEST_ROM_BASE + take(in, 1);
    case 2:
        return (u64)take(in, 4) << 32 | take(in, 4);
    default:
        return DATA + (how / 8 % 16) * 2048 + take(in, 1) % 4;
    }
}

static u32 take_length(struct input *in)
{
    u32 how = take(in, 1);

    if (how < 250) {
        return how < 200 ? how : 1500 + how;
    }
    return take(in, 4);
}

static void alloc_ring(struct nic *n, struct ring *r, u32 index, u32 how, u32 format)
{
    u16 size = (u16)(1u << how % 5);

    if (((struct virtio *)n->g.vm.devs)->legacy) {
        ring_alloc_legacy(r, &n->g, NIC_BASE, index, size);
    } else if (format == 0) {
        ring_alloc(r, &n->g, NIC_BASE, index, size);
    } else {
        ring_alloc_packed(r, &n->g, NIC_BASE, index, (u16)(size + format - 1)); /* any size */
    }
}

/* Split rings, or packed ones of two kinds of sizes. */
static void step_start(struct nic *n, struct input *in, u32 format)
{
    u32 bits = take(in, 1);
    u64 features = F_VERSION_1 | NIC_STATUS | NIC_MAC_BIT;

    features |= bits & 1 ? NIC_MRG : 0;
    features |= bits & 2 ? F_INDIRECT : 0;
    features |= bits & 4 ? F_EVENT_IDX : 0;
    features |= format != 0 ? F_PACKED | F_DATA : 0;
    n->g.brk = BASE;
    (void)driver_begin(&n->g, NIC_BASE, features);
    alloc_ring(n, &n->rx, 0, bits >> 3, format);
    alloc_ring(n, &n->tx, 1, bits >> 5, format);
    (void)ring_enable(&n->rx);
    (void)ring_enable(&n->tx);
    if (bits != 0xff) {
        driver_ok(&n->g, NIC_BASE);
    }
}

static void step_register(struct nic *n, struct input *in)
{
    static const u8 sizes[] = {4, 4, 4, 4, 1, 2, 8, 4};
    u32 how = take(in, 1), offset = take(in, 1) * 4;
    u32 size = sizes[how % 8];

    offset += how & 8 ? 1 : 0;
    offset = MIN(offset, 0x1000 - size);
    if (how & 16) {
        guest_write(&n->g, NIC_BASE + offset, size, take(in, 1 + (how >> 5 & 3)));
    } else {
        (void)guest_read(&n->g, NIC_BASE + offset, size);
    }
}

static void put_desc(struct nic *n, struct ring *r, struct input *in)
{
    u32 where = take(in, 1), flags = take(in, 1), next = take(in, 1);
    u64 table = where & 0x80 ? TABLES + (where >> 4 & 3) * 512 : r->table;
    u64 addr = take_address(in);
    u32 len = take_length(in);

    if ((flags & D_INDIRECT) && (flags & 0x80) == 0) { /* mostly a good table */
        addr = TABLES + (next & 3) * 512;
        len = 16 * (1 + len % 20);
    }
    flags = (flags & 7) | (flags & 0x40 ? 0x1000 : 0);
    if (r->packed && (where & 0x70) != 0) { /* into the ring itself, or a table of that format */
        flags |= where & 0x10 ? ring_lap_flags(r, r->avail_idx + where % 4) : 0;
        table = where & 0x80 ? table : r->desc;
        packed_put(&n->g, table, where % r->size, addr, len, flags, next);
        return;
    }
    desc_put(&n->g, table, where % QSIZE, addr, len, flags, next < 0xf0 ? next % QSIZE : next << 8);
}

static void step_chain(struct nic *n, struct input *in)
{
    struct ring *r = take(in, 1) & 1 ? &n->tx : &n->rx;
    u32 count = take(in, 1) % 4 + 1;

    if (r->size == 0) {
        return;
    }
    while (count-- > 0) {
        put_desc(n, r, in);
    }
}

/* A frame in a buffer, with addresses that somebody has. */
static void step_frame(struct nic *n, struct input *in)
{
    u32 slot = take(in, 1), to = take(in, 1), from = take(in, 1);
    u64 addr = DATA + slot % 16 * 2048;
    u8 *p = guest_ptr(&n->g, addr);
    u32 len = NIC_HDR + 14 + take_length(in) % 1600;

    memcpy(p + NIC_HDR, nic[to % NICS].mac, 6);
    p[NIC_HDR] |= to & 0x80 ? 1 : 0;
    p[NIC_HDR + 5] = (u8)(p[NIC_HDR + 5] + (to & 0x40 ? to : 0));
    memcpy(p + NIC_HDR + 6, from & 0x80 ? nic[from % NICS].mac : n->mac, 6);
    p[NIC_HDR + 11] = (u8)(p[NIC_HDR + 11] + (from & 0x40 ? from : 0));
    p[NIC_HDR + 12] = slot & 0x80 ? 0x81 : 0x08;
    p[NIC_HDR + 13] = 0;
    if (n->tx.size != 0) {
        ring_desc(&n->tx, slot % n->tx.size, addr, len, 0, 0);
        ring_offer(&n->tx, slot % n->tx.size);
    }
}

static void step_offer(struct nic *n, struct input *in)
{
    u32 how = take(in, 1), head = take(in, 1);
    struct ring *r = how & 1 ? &n->tx : &n->rx;

    if (r->size == 0) {
        return;
    }
    if (how & 0x80) {
        ring_set_avail_idx(r, r->avail_idx + head);
    } else {
        ring_offer(r, how & 0x40 ? head : head % r->size);
    }
}

static void step_buffers(struct nic *n, struct input *in)
{
    u32 count = take(in, 1) % 16, len = take_length(in);

    for (u32 i = 0; i < count && n->rx.size != 0; i++) {
        ring_desc(&n->rx, i % n->rx.size, DATA + i * 2048, len, D_WRITE, 0);
        ring_offer(&n->rx, i % n->rx.size);
    }
}

/* One notification; what it may do at most. */
static void step_kick(struct nic *n, struct input *in)
{
    u32 queue = take(in, 1);
    u64 frames = n->port->stats->tx_frames, got = 0;

    for (u32 i = 0; i < NICS; i++) {
        got -= nic[i].port->stats->rx_frames;
    }
    reg_write(&n->g, NIC_BASE, VMMIO_NOTIFY, queue < 0x80 ? 1 : queue & 0x7f);
    for (u32 i = 0; i < NICS; i++) {
        got += nic[i].port->stats->rx_frames;
    }
    assert(n->port->stats->tx_frames - frames <= WORK);
    assert(got <= WORK + NICS);
}

static void step_scribble(struct nic *n, struct input *in)
{
    u32 at = take(in, 2) * 2 % USED, value = take(in, 2);

    *(u16 *)guest_ptr(&n->g, BASE + at) = (u16)value;
}

static void step(struct input *in)
{
    u32 op = take(in, 1);
    struct nic *n = &nic[(op >> 4) % NICS];

    switch (op & 15) {
    case 0:
        step_start(n, in, (op >> 4) / NICS % 3);
        break;
    case 1:
        step_register(n, in);
        break;
    case 2:
        step_chain(n, in);
        break;
    case 3:
    case 4:
        step_frame(n, in);
        break;
    case 5:
        step_offer(n, in);
        break;
    case 6:
        step_buffers(n, in);
        break;
    case 7:
    case 8:
        step_kick(n, in);
        break;
    case 9:
        step_scribble(n, in);
        break;
    case 10:
        (void)driver_irq(&n->g, NIC_BASE);
        break;
    case 11:
        (void)host_run_work(1 + take(in, 1) % 4);
        break;
    case 12:
        host_now_ns += (u64)take(in, 1) << 32;
        break;
    case 13:
        n->g.vm.devs->ops->reset(n->g.vm.devs);
        break;
    default:
        reg_write(&n->g, NIC_BASE, VMMIO_STATUS, take(in, 1));
        break;
    }
    for (u32 i = 0; i < NICS; i++) {
        check(&nic[i]);
    }
}

static void make_nics(void)
{
    static const char *const names[NICS] = {"alpha", "beta", "gamma", "left", "right"};
    static const char *const peers[NICS] = {"/dev/sw", "/dev/sw", "/dev/sw", "/dev/qvm/right/eth",
                                            "/dev/qvm/left/eth"};

    log_threshold = LOG_ERR;
    for (u32 i = 0; i < NICS; i++) {
        struct net_opts o = nic_options(peers[i], (u8)(i + 1));

        o.mac_spoof = i == 2 ? SPOOF_ALLOW : SPOOF_DENY;
        o.mtu = i == 1 ? 400 : 1500;
        o.legacy = i == 4;
        o.packed = !o.legacy;
        nic_init(&nic[i], names[i], "eth", &o);
        memset(nic[i].g.rom, 0x5a, GUEST_ROM_SIZE);
    }
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct input in = {data, data + size};
    static bool made;

    if (!made) {
        made = true;
        make_nics();
    }
    for (u32 i = 0; i < NICS; i++) {
        struct nic *n = &nic[i];

        n->g.vm.devs->ops->reset(n->g.vm.devs);
        memset(n->g.ram, 0, USED);
        memset(&n->rx, 0, sizeof(n->rx));
        memset(&n->tx, 0, sizeof(n->tx));
    }
    for (u32 i = 0; i < STEPS && in.p < in.end; i++) {
        step(&in);
    }
    for (u32 i = 0; i < NICS; i++) { /* deferred work comes to an end */
        nic[i].g.vm.devs->ops->reset(nic[i].g.vm.devs);
        check(&nic[i]);
    }
    assert(host_run_work(100) < 100);
    return 0;
}
