/* SPDX-License-Identifier: MIT */
/*
 * virtio-net's control queue. A command is copied whole while its queue is locked, carried out
 * without (what it changes has locks that rank above), and answered with the queue locked again if
 * the device still runs: a reset in between finds nobody in the driver's memory. What a driver gets
 * wrong is answered with an error, never more than that.
 */
#include "vdev/virtio/net_ctrl.h"

#include "core/arch.h"
#include "core/check.h"
#include "vdev/virtio/net_dev.h"

/* Classes and commands, VIRTIO 1.2 §5.1.6.5 */
enum {
    CLASS_RX = 0,
    CLASS_MAC = 1,
    CLASS_VLAN = 2,
    CLASS_ANNOUNCE = 3,
    CLASS_MQ = 4,
    CLASS_GUEST_OFFLOADS = 5,
    CLASS_COAL = 6,
    MAC_TABLE_SET = 0,
    MAC_ADDR_SET = 1,
    VLAN_ADD = 0,
    VLAN_DEL = 1,
    ANNOUNCE_ACK = 0,
    MQ_PAIRS_SET = 0,
    OFFLOADS_SET = 0,
    COAL_TX_SET = 0,
    COAL_RX_SET = 1,
    NO_CLASS = 0xff,
};
enum { ACK_OK = 0, ACK_ERR = 1 };

#define BURST    4 /* commands carried out at a time; none takes more than 10,000 instructions */
#define DATA_MAX 8 /* bytes of any command's data but the MAC table's */
#define GUEST_BITS                                                                                 \
    (BIT64(NET_F_GUEST_CSUM) | BIT64(NET_F_GUEST_TSO4) | BIT64(NET_F_GUEST_TSO6) |                 \
     BIT64(NET_F_GUEST_ECN) | BIT64(NET_F_GUEST_USO4) | BIT64(NET_F_GUEST_USO6))

/* A private copy of a command. */
struct command {
    u8 class, code;
    u32 len;           /* of its data, as far as the chain goes */
    u8 data[DATA_MAX]; /* its first bytes, 0 behind the end */
    bool table;        /* it sets the MAC table, and what follows is filled in */
    bool table_ok, many_uni, many_multi;
    struct filter_list uni, multi;
};

/* --- reading a command; the queue's lock is held --------------------------------------------- */

#define MAC_LEN 6u

/* One list of a MAC table, from byte `at` of the chain on; where it ends, 0 if it's cut off. */
static u32 read_list(const struct chain *c, u32 at, struct filter_list *list, bool *many)
{
    u8 macs[FILTER_MACS * MAC_LEN];
    u32 n;

    if (chain_read(c, at, &n, sizeof(n)) != sizeof(n)) {
        return 0;
    }
    at += (u32)sizeof(n);
    if (n > (c->readable - at) / MAC_LEN) {
        return 0;
    }
    *many = n > FILTER_MACS;
    list->n = *many ? 0 : n;
    (void)chain_read(c, at, macs, list->n * MAC_LEN);
    for (u32 i = 0; i < list->n; i++) {
        list->mac[i] = mac_number(macs + i * MAC_LEN);
    }
    return at + n * MAC_LEN;
}

static void read_command(const struct chain *c, struct command *cmd)
{
    u8 head[2];
    u32 at;

    if (chain_read(c, 0, head, sizeof(head)) != sizeof(head)) {
        return; /* NO_CLASS: refused */
    }
    cmd->class = head[0];
    cmd->code = head[1];
    cmd->len = c->readable - (u32)sizeof(head);
    (void)chain_read(c, sizeof(head), cmd->data, MIN(cmd->len, (u32)DATA_MAX));
    cmd->table = cmd->class == CLASS_MAC && cmd->code == MAC_TABLE_SET;
    if (cmd->table) {
        at = read_list(c, sizeof(head), &cmd->uni, &cmd->many_uni);
        cmd->table_ok = at != 0 && read_list(c, at, &cmd->multi, &cmd->many_multi) != 0;
    }
}

static u16 data_le16(const struct command *cmd)
{
    return (u16)(cmd->data[0] | cmd->data[1] << 8);
}

/* --- carrying it out; n->ctrl.lock is held --------------------------------------------------- */

static bool rx_mode(struct net *n, const struct command *cmd)
{
    static const u16 bits[] = {FILTER_PROMISC, FILTER_ALLMULTI, FILTER_ALLUNI,
                               FILTER_NOMULTI, FILTER_NOUNI,    FILTER_NOBCAST};
    u32 needs = cmd->code < 2 ? NET_F_CTRL_RX : NET_F_CTRL_RX_EXTRA;

    if (cmd->code >= ARRAY_SIZE(bits) || !virtio_has(&n->virtio, needs) || cmd->len < 1) {
        return false;
    }
    filter_mode(&n->filter, bits[index_nospec(cmd->code, ARRAY_SIZE(bits))], cmd->data[0] != 0);
    return true;
}

/* An address that the driver gives its NIC. What it may send from is the network's business. */
static bool own_address(struct net *n, u64 address)
{
    if (!n->port.mac_spoof_allow || address == 0 || (address & MAC_MULTICAST) != 0) {
        return false;
    }
    atomic_store(&n->filter.own, address);
    return true;
}

static bool mac(struct net *n, const struct command *cmd)
{
    if (cmd->table) {
        if (!virtio_has(&n->virtio, NET_F_CTRL_RX) || !cmd->table_ok) {
            return false;
        }
        filter_lists(&n->filter, &cmd->uni, &cmd->multi, cmd->many_uni, cmd->many_multi);
        return true;
    }
    if (cmd->code != MAC_ADDR_SET || !virtio_has(&n->virtio, NET_F_CTRL_MAC_ADDR) ||
        cmd->len < MAC_LEN || !own_address(n, mac_number(cmd->data))) {
        return false;
    }
    virtio_config_changed(&n->virtio); /* config.mac takes several reads */
    return true;
}

static bool vlan(struct net *n, const struct command *cmd)
{
    u16 vid = data_le16(cmd);

    if (!virtio_has(&n->virtio, NET_F_CTRL_VLAN) || cmd->code > VLAN_DEL || cmd->len < 2 ||
        vid >= 4096) {
        return false;
    }
    filter_vlan(&n->filter, vid, cmd->code == VLAN_ADD);
    return true;
}

static bool announce(struct net *n, const struct command *cmd)
{
    if (!virtio_has(&n->virtio, NET_F_GUEST_ANNOUNCE) || cmd->code != ANNOUNCE_ACK) {
        return false;
    }
    atomic_store(&n->announce, 0u);
    return true;
}

static bool queue_pairs(struct net *n, const struct command *cmd)
{
    u32 pairs = data_le16(cmd), had = atomic_load(&n->pairs);

    if (!virtio_has(&n->virtio, NET_F_MQ) || cmd->code != MQ_PAIRS_SET || cmd->len < 2 ||
        pairs == 0 || pairs > n->max_pairs) {
        return false;
    }
    atomic_store(&n->pairs, pairs);
    net_flush_pairs(n, pairs, had); /* what is staged in pairs that go; nobody adds to it now */
    return true;
}

static bool guest_offloads(struct net *n, const struct command *cmd)
{
    u64 had = atomic_load(&n->virtio.driver_features) & GUEST_BITS, wanted;

    __builtin_memcpy(&wanted, cmd->data, sizeof(wanted));
    if (!virtio_has(&n->virtio, NET_F_CTRL_GUEST_OFFLOADS) || cmd->code != OFFLOADS_SET ||
        cmd->len < 8 || (wanted & ~had) != 0) {
        return false;
    }
    atomic_store(&n->port.accepts, net_accepts(wanted));
    net_flush(&n->port); /* and whoever was delivering by the old ones is done */
    return true;
}

static bool coalescing(struct net *n, const struct command *cmd)
{
    u32 packets, usecs;

    if (!virtio_has(&n->virtio, NET_F_NOTF_COAL) || cmd->code > COAL_RX_SET || cmd->len < 8) {
        return false;
    }
    __builtin_memcpy(&packets, cmd->data, sizeof(packets));
    __builtin_memcpy(&usecs, cmd->data + sizeof(packets), sizeof(usecs));
    for (u32 i = 0; i < n->max_pairs; i++) {
        struct net_pair *pair = &n->pair[i];

        coal_set(cmd->code == COAL_TX_SET ? &pair->tx_coal : &pair->rx_coal, packets, usecs);
    }
    return true;
}

static bool carry_out(struct net *n, const struct command *cmd)
{
    switch (cmd->class) {
    case CLASS_RX:
        return rx_mode(n, cmd);
    case CLASS_MAC:
        return mac(n, cmd);
    case CLASS_VLAN:
        return vlan(n, cmd);
    case CLASS_ANNOUNCE:
        return announce(n, cmd);
    case CLASS_MQ:
        return queue_pairs(n, cmd);
    case CLASS_GUEST_OFFLOADS:
        return guest_offloads(n, cmd);
    case CLASS_COAL:
        return coalescing(n, cmd);
    default:
        return false;
    }
}

/* --- the queue ------------------------------------------------------------------------------- */

u32 ctrl_queue(const struct net *n)
{
    return virtio_has(&n->virtio, NET_F_MQ) ? 2 * n->max_pairs : 2;
}

/* Takes the next command; VIRTQ_EMPTY as well when the device doesn't run. */
static enum virtq_result take(struct net *n, struct virtq *q, struct command *cmd)
{
    enum virtq_result r = VIRTQ_EMPTY;

    spin_lock(&q->lock);
    if (virtio_running(&n->virtio)) {
        r = virtq_pop_or_ask(q, &n->ctrl.chain);
    }
    if (r == VIRTQ_OK) {
        read_command(&n->ctrl.chain, cmd);
    } else if (r == VIRTQ_BROKEN) {
        virtio_broken(&n->virtio, q->why);
    }
    spin_unlock(&q->lock);
    return r;
}

/*
 * The answer is the first byte that the driver left for the device (§5.1.6.5). The queue may be
 * gone: QueueReady is the driver's to clear at any time.
 */
static void answer(struct net *n, struct virtq *q, bool ok)
{
    u8 ack = ok ? ACK_OK : ACK_ERR;
    bool interrupt = false;

    spin_lock(&q->lock);
    if (virtio_running(&n->virtio) && q->ready) {
        virtq_push(q, &n->ctrl.chain, chain_write(&n->ctrl.chain, 0, &ack, sizeof(ack)));
        interrupt = virtq_publish(q);
    }
    spin_unlock(&q->lock);
    if (interrupt) {
        virtio_interrupt(&n->virtio);
    }
}

/* Up to a burst of commands. True: there may be more. n->ctrl.lock is held. */
static bool commands(struct net *n)
{
    struct virtq *q = &n->virtio.queue[ctrl_queue(n)];

    for (u32 i = 0; i < BURST; i++) {
        struct command cmd = {.class = NO_CLASS};

        if (take(n, q, &cmd) != VIRTQ_OK) {
            return false;
        }
        answer(n, q, carry_out(n, &cmd));
    }
    return true;
}

static bool ctrl_work(struct work *w)
{
    struct net_ctrl *ctrl = container_of(w, struct net_ctrl, work);
    bool more;

    spin_lock(&ctrl->lock);
    more = commands(container_of(ctrl, struct net, ctrl));
    ctrl->deferred = more;
    spin_unlock(&ctrl->lock);
    return more;
}

void ctrl_notify(struct net *n)
{
    struct net_ctrl *ctrl = &n->ctrl;
    bool defer = false;

    spin_lock(&ctrl->lock);
    if (!ctrl->deferred) {
        defer = commands(n);
        ctrl->deferred = defer;
    }
    spin_unlock(&ctrl->lock);
    if (defer) {
        work_queue(arch_pcpu(), &ctrl->work);
    }
}

bool ctrl_write_mac(struct net *n, u32 at, const void *bytes, u32 len)
{
    struct net_ctrl *ctrl = &n->ctrl;
    bool ok = true;

    spin_lock(&ctrl->lock);
    __builtin_memcpy(ctrl->mac + at, bytes, len);
    if (at + len == sizeof(ctrl->mac)) {
        ok = own_address(n, mac_number(ctrl->mac));
    }
    spin_unlock(&ctrl->lock);
    return ok;
}

void ctrl_reset(struct net *n)
{
    spin_lock(&n->ctrl.lock);
    n->ctrl.deferred = false;
    atomic_store(&n->pairs, 1u);
    atomic_store(&n->announce, 0u);
    atomic_store(&n->port.accepts, 0u);
    filter_start(&n->filter, 0, n->port.address);
    __builtin_memcpy(n->ctrl.mac, n->port.mac, sizeof(n->ctrl.mac));
    spin_unlock(&n->ctrl.lock);
}

void ctrl_init(struct net *n)
{
    spin_init(&n->ctrl.lock, LOCK_CONTROL);
    n->ctrl.work.fn = ctrl_work;
    filter_init(&n->filter);
}
