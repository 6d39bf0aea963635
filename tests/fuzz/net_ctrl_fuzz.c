/* SPDX-License-Identifier: MIT */
/*
 * virtio-net's control queue against a model of it: commands with any bytes in any layout, frames
 * that the receive filter must let through or not, resets with other features, coalescing and time.
 * The model knows commands and addresses, no rings: what is answered, what is received, and that no
 * interrupt gets lost.
 */
#include "arch/host/arch.h"
#include "core/panic.h"
#include "core/sched.h"
#include "tests/fuzz/input.h"
#include "tests/host/nic.h"
#include "vdev/virtio/net_dev.h"

#include <string.h>

#define STEPS   300
#define SIZE    64u
#define BYTES   700u /* of a command at most */
#define ACK_AT  4096u
#define LONGEST ((u64)UINT32_MAX * 1000) /* ns that coalescing can take */
#define LOOKS   8                        /* in vain, of a stream that is over: at most */
#define FRAME   100u

/* What can be negotiated, by the bits of one input byte. */
static const u8 choices[] = {NET_F_CTRL_RX,       NET_F_CTRL_RX_EXTRA,       NET_F_CTRL_VLAN,
                             NET_F_CTRL_MAC_ADDR, NET_F_CTRL_GUEST_OFFLOADS, NET_F_MQ,
                             NET_F_NOTF_COAL,     NET_F_GUEST_ANNOUNCE};

struct list {
    u32 n; /* > FILTER_MACS: everything of its kind */
    u64 mac[FILTER_MACS];
};

static struct {
    u64 features;
    bool promisc, all[2], no[2], nobcast; /* all and no: of groups, of others */
    struct list list[2];
    bool vlan[4096];
    u64 own;
    u32 pairs;
    bool dirty; /* something was used since the line was last lowered */
} model;

static struct nic a, b;

static bool has(u32 bit)
{
    return (model.features >> bit & 1) != 0;
}

static void start(u32 bits)
{
    u64 features = NIC_USUAL | NIC_CTRL | BIT64(NET_F_GUEST_CSUM);

    for (u32 i = 0; i < ARRAY_SIZE(choices); i++) {
        features |= (bits >> i & 1) != 0 ? BIT64(choices[i]) : 0;
    }
    nic_start(&b, features, SIZE);
    nic_fill(&b, 0, SIZE, NIC_BUFFER);
    if (features & NIC_MQ) {
        nic_fill2(&b, 0, SIZE);
    }
    memset(&model, 0, sizeof(model));
    model.features = features;
    model.own = mac_number(b.mac);
    model.pairs = 1;
    model.all[0] = model.all[1] = !has(NET_F_CTRL_RX);
}

/* --- commands ----------------------------------------------------------------------------------
 */

static u32 le(const u8 *p, u32 n)
{
    u32 v = 0;

    memcpy(&v, p, n);
    return v;
}

/* A MAC table that is whole replaces the one before. */
static bool model_table(const u8 *p, u32 len)
{
    static struct list next[2];
    u32 at = 0;

    for (u32 k = 0; k < 2; k++) {
        u32 n = len - at >= 4 ? le(p + at, 4) : UINT32_MAX;

        at += 4;
        if (n == UINT32_MAX || (u64)n * 6 > len - at) {
            return false;
        }
        next[k].n = n;
        for (u32 i = 0; i < n && i < FILTER_MACS; i++) {
            next[k].mac[i] = mac_number(p + at + 6 * i);
        }
        at += 6 * n;
    }
    model.list[0] = next[1]; /* the second one is of groups */
    model.list[1] = next[0];
    return true;
}

static bool model_rx(u32 code, bool on)
{
    bool *const modes[] = {&model.promisc, &model.all[0], &model.all[1],
                           &model.no[0],   &model.no[1],  &model.nobcast};

    if (code >= ARRAY_SIZE(modes) || !has(code < 2 ? NET_F_CTRL_RX : NET_F_CTRL_RX_EXTRA)) {
        return false;
    }
    *modes[code] = on;
    return true;
}

static bool model_mac(u32 code, const u8 *p, u32 len)
{
    u64 mac = len >= 6 ? mac_number(p) : 0;

    if (code == 0) {
        return has(NET_F_CTRL_RX) && model_table(p, len);
    }
    if (code != 1 || !has(NET_F_CTRL_MAC_ADDR) || mac == 0 || (mac & MAC_MULTICAST) != 0) {
        return false;
    }
    model.own = mac;
    return true;
}

/* Those whose effect is a number. */
static bool model_numbers(u32 class, u32 code, const u8 *p, u32 len)
{
    switch (class) {
    case 2:
        if (!has(NET_F_CTRL_VLAN) || code > 1 || len < 2 || le(p, 2) > 4095) {
            return false;
        }
        model.vlan[le(p, 2)] = code == 0;
        return true;
    case 4:
        if (!has(NET_F_MQ) || code != 0 || len < 2 || le(p, 2) == 0 || le(p, 2) > 2) {
            return false;
        }
        model.pairs = le(p, 2);
        return true;
    case 5:
        return has(NET_F_CTRL_GUEST_OFFLOADS) && code == 0 && len >= 8 && (le(p, 4) & ~2u) == 0 &&
               le(p + 4, 4) == 0;
    default:
        return class == 6 && has(NET_F_NOTF_COAL) && code <= 1 && len >= 8;
    }
}

static bool model_command(const u8 *p, u32 len)
{
    if (len < 2) {
        return false;
    }
    switch (p[0]) {
    case 0:
        return len >= 3 && model_rx(p[1], p[2] != 0);
    case 1:
        return model_mac(p[1], p + 2, len - 2);
    case 3:
        return has(NET_F_GUEST_ANNOUNCE) && p[1] == 0;
    default:
        return model_numbers(p[0], p[1], p + 2, len - 2);
    }
}

/* Bytes of a command: mostly one that means something. */
static u32 make_command(u8 *p, struct input *in)
{
    u32 len = 2, cut;

    p[0] = (u8)(take(in, 1) % 8);
    p[1] = (u8)(take(in, 1) % 7);
    if (p[0] == 1 && p[1] == 0) {
        for (u32 k = 0; k < 2; k++) {
            u32 claim = take(in, 1), n = MIN(claim, 40u), first = take(in, 1);

            claim = claim == 255 ? take(in, 4) : n;
            memcpy(p + len, &claim, 4);
            len += 4;
            for (u32 i = 0; i < n; i++, len += 6) {
                memcpy(p + len, (u8[]){k == 0 ? 2 : 3, 0, 0, 0, 0, (u8)(first + i)}, 6);
            }
        }
        cut = take(in, 1);
        return len - MIN(cut, len - 2);
    }
    for (u32 n = take(in, 1) % 12; n > 0; n--) {
        p[len++] = (u8)take(in, 1);
    }
    return len;
}

static void command(struct input *in)
{
    static u8 bytes[BYTES];
    u32 len = make_command(bytes, in), pieces = take(in, 1) % 30, rest = len, d = 0, written;
    u32 answers = take(in, 1) % 3;
    u8 *p = guest_ptr(&b.g, b.ctrl_buf);
    u64 at = b.ctrl_buf;

    memcpy(p, bytes, len);
    memset(p + ACK_AT, 0xee, 4);
    for (; d < pieces && rest > 0; d++) {
        u32 wanted = take(in, 1) % 8, part = MIN(wanted, rest);

        ring_desc(&b.ctrl, d, at, part, D_NEXT, d + 1);
        at += part;
        rest -= part;
    }
    ring_desc(&b.ctrl, d, at, rest, answers > 0 ? D_NEXT : 0, d + 1);
    for (u32 i = 0; i < answers; i++) {
        d++;
        ring_desc(&b.ctrl, d, b.ctrl_buf + ACK_AT + i, 1, D_WRITE | (i + 1 < answers ? D_NEXT : 0),
                  d + 1);
    }
    ring_offer(&b.ctrl, 0);
    ring_kick(&b.ctrl);
    assert(ring_used(&b.ctrl, &written) == 0);
    assert(written == (answers > 0));
    assert(p[ACK_AT] == (answers == 0 ? 0xee : model_command(bytes, len) ? 0 : 1));
    assert(p[ACK_AT + 1] == 0xee);
    if (answers == 0) {
        (void)model_command(bytes, len);
    }
    model.dirty = true;
}

/* --- frames -------------------------------------------------------------------------------------
 */

static bool listed(const struct list *l, u64 mac)
{
    for (u32 i = 0; i < l->n && i < FILTER_MACS; i++) {
        if (l->mac[i] == mac) {
            return true;
        }
    }
    return l->n > FILTER_MACS;
}

static bool model_wants(u64 to, bool tagged, u32 vid)
{
    bool filters = has(NET_F_CTRL_RX) || has(NET_F_CTRL_RX_EXTRA);
    u32 kind = (to & MAC_MULTICAST) == 0;

    if (tagged && vid != 0 && has(NET_F_CTRL_VLAN) && !model.vlan[vid]) {
        return false;
    }
    if (!filters || model.promisc) {
        return true;
    }
    if (to == MAC_BROADCAST) {
        return !model.nobcast;
    }
    return !model.no[kind] && (model.all[kind] || to == model.own || listed(&model.list[kind], to));
}

/* Takes one frame out of a ring and puts its buffer back. */
static bool received(struct ring *r)
{
    u32 written;
    int head = ring_used(r, &written);

    if (head < 0) {
        return false;
    }
    assert(written == NIC_HDR + FRAME);
    ring_offer(r, (u32)head);
    return true;
}

static void frame(struct input *in)
{
    static u8 out[FRAME];
    u32 kind = take(in, 1), last = take(in, 1), vid = take(in, 2) & 0xfff;
    u8 to[6] = {kind & 1 ? 3 : 2, 0, 0, 0, 0, (u8)last};
    bool tagged = (kind & 2) != 0, first, second;

    if (kind & 4) {
        memset(to, 0xff, 6);
    } else if (kind & 8) {
        store_be16(to, (u32)(model.own >> 32));
        store_be32(to + 2, (u32)model.own);
    }
    if (mac_number(to) == mac_number(a.mac)) {
        return; /* it wouldn't leave alpha's port */
    }
    nic_frame(out, to, a.mac, sizeof(out), (u8)kind);
    if (tagged) {
        store_be16(out + 12, NET_VLAN);
        store_be16(out + 14, vid);
    }
    nic_send(&a, out, sizeof(out));
    first = received(&b.rx);
    second = has(NET_F_MQ) && received(&b.rx2);
    assert((first || second) == model_wants(mac_number(to), tagged, vid));
    assert(!(first && second) && (!second || model.pairs == 2));
    model.dirty |= first || second;
}

/* beta sends a frame of a flow on one of its pairs. */
static void send(struct input *in)
{
    u32 what = take(in, 1);
    struct ring *r = what & 1 && has(NET_F_MQ) ? &b.tx2 : &b.tx;
    u8 *p = guest_ptr(&b.g, b.tx_buf);

    memset(p, 0, NIC_HDR);
    nic_frame(p + NIC_HDR, a.mac, b.mac, FRAME, (u8)what);
    ring_desc(r, 0, b.tx_buf, NIC_HDR + FRAME, 0, 0);
    ring_offer(r, 0);
    ring_kick(r);
    assert(ring_used(r, NULL) == 0);
    model.dirty = true;
}

/* --- time ---------------------------------------------------------------------------------------
 */

static void pass(u64 ns)
{
    host_now_ns += ns;
    timer_expire(&pcpus[0]);
}

/* However interrupts are coalesced: in the end the driver has heard of everything. */
static void wait_long(void)
{
    pass(LONGEST);
    assert(atomic_load(&b.g.level[NIC_INTID]) != 0 || !model.dirty);
}

static void listen(void)
{
    (void)driver_irq(&b.g, NIC_BASE);
    model.dirty = false;
}

static void make(void)
{
    struct net_opts oa = nic_options("/dev/vdevpeer/sw", 1);
    struct net_opts ob = nic_options("/dev/vdevpeer/sw", 2);

    oa.storm = 0;
    ob.queues = 2;
    ob.mac_spoof = SPOOF_ALLOW;
    nic_init(&a, "alpha", "eth", &oa);
    nic_init(&b, "beta", "eth", &ob);
    nic_start(&a, NIC_USUAL, SIZE);
    nic_fill(&a, 0, SIZE, NIC_BUFFER);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct input in = {data, data + size};
    static bool made;

    if (!made) {
        made = true;
        make();
    }
    start(take(&in, 1));
    for (u32 i = 0; i < STEPS && in.p < in.end; i++) {
        u32 op = take(&in, 1) % 16;

        if (op < 6) {
            command(&in);
        } else if (op < 11) {
            frame(&in);
        } else if (op == 11) {
            send(&in);
        } else if (op == 12) {
            pass(take(&in, 2) * 1000ull);
        } else if (op == 13) {
            wait_long();
            listen();
        } else if (op == 14) {
            (void)received(&a.rx);
        } else {
            start(take(&in, 1));
        }
    }
    wait_long();
    nic_stop(&b);
    for (u32 i = 0; i < LOOKS; i++) {
        pass(1000000); /* the sender's stream is over, and so is looking for it */
    }
    assert(host_run_work(1) == 0);
    assert(pcpus[0].remote.timers == NULL);
    return 0;
}
