/* SPDX-License-Identifier: MIT */
/*
 * virtio-net, the device: what it offers, its config space, its life. It knows neither what network
 * is behind it nor any register. Locks: each transmit queue's covers sending through it, each
 * receive queue's, which other VMs' senders take, receiving.
 */
#include "vdev/virtio/net.h"

#include "core/config.h"
#include "core/log.h"
#include "core/page.h"
#include "core/vm.h"
#include "vdev/net/capture.h"
#include "vdev/virtio/net_dev.h"

#include <string.h>

enum { NET_S_LINK_UP = 1, NET_S_ANNOUNCE = 2 };
enum { DUPLEX_FULL = 1, UNKNOWN = 0xff };

/* struct virtio_net_config, §5.1.4, as far as the features offered need it. */
struct net_config {
    u8 mac[6];
    u16 status;
    u16 max_virtqueue_pairs;
    u16 mtu;
    u32 speed;
    u8 duplex;
} __attribute__((packed));

#define NET_ID 1

/* A feature and what it is nothing without (VIRTIO 1.2 §5.1.3.1). */
static const struct {
    u8 feature, needs, or_needs;
} dependencies[] = {
    {NET_F_GUEST_TSO4, NET_F_GUEST_CSUM, NET_F_GUEST_CSUM},
    {NET_F_GUEST_TSO6, NET_F_GUEST_CSUM, NET_F_GUEST_CSUM},
    {NET_F_GUEST_USO4, NET_F_GUEST_CSUM, NET_F_GUEST_CSUM},
    {NET_F_GUEST_USO6, NET_F_GUEST_CSUM, NET_F_GUEST_CSUM},
    {NET_F_GUEST_ECN, NET_F_GUEST_TSO4, NET_F_GUEST_TSO6},
    {NET_F_HOST_TSO4, NET_F_CSUM, NET_F_CSUM},
    {NET_F_HOST_TSO6, NET_F_CSUM, NET_F_CSUM},
    {NET_F_HOST_USO, NET_F_CSUM, NET_F_CSUM},
    {NET_F_HOST_ECN, NET_F_HOST_TSO4, NET_F_HOST_TSO6},
    {NET_F_CTRL_RX, NET_F_CTRL_VQ, NET_F_CTRL_VQ},
    {NET_F_CTRL_RX_EXTRA, NET_F_CTRL_VQ, NET_F_CTRL_VQ},
    {NET_F_CTRL_VLAN, NET_F_CTRL_VQ, NET_F_CTRL_VQ},
    {NET_F_CTRL_MAC_ADDR, NET_F_CTRL_VQ, NET_F_CTRL_VQ},
    {NET_F_CTRL_GUEST_OFFLOADS, NET_F_CTRL_VQ, NET_F_CTRL_VQ},
    {NET_F_GUEST_ANNOUNCE, NET_F_CTRL_VQ, NET_F_CTRL_VQ},
    {NET_F_MQ, NET_F_CTRL_VQ, NET_F_CTRL_VQ},
    {NET_F_NOTF_COAL, NET_F_CTRL_VQ, NET_F_CTRL_VQ},
};

/* The features of f that stand on their own feet. */
static u64 consistent(u64 f)
{
    for (u32 i = 0; i < ARRAY_SIZE(dependencies); i++) {
        u64 needs = BIT64(dependencies[i].needs) | BIT64(dependencies[i].or_needs);

        if ((f & needs) == 0) {
            f &= ~BIT64(dependencies[i].feature);
        }
    }
    return f;
}

/* What `peerfeats` may take away. */
#define OFFLOADS                                                                                   \
    (BIT64(NET_F_CSUM) | BIT64(NET_F_GUEST_CSUM) | BIT64(NET_F_GUEST_TSO4) |                       \
     BIT64(NET_F_GUEST_TSO6) | BIT64(NET_F_GUEST_ECN) | BIT64(NET_F_HOST_TSO4) |                   \
     BIT64(NET_F_HOST_TSO6) | BIT64(NET_F_HOST_ECN) | BIT64(NET_F_GUEST_USO4) |                    \
     BIT64(NET_F_GUEST_USO6) | BIT64(NET_F_HOST_USO))

static u64 net_features(struct virtio *v)
{
    const struct net *n = net_of(v);
    u64 f = BIT64(NET_F_MTU) | BIT64(NET_F_MAC) | BIT64(NET_F_MRG_RXBUF) | BIT64(NET_F_STATUS) |
            BIT64(NET_F_CTRL_VQ) | BIT64(NET_F_CTRL_RX) | BIT64(NET_F_CTRL_VLAN) |
            BIT64(NET_F_CTRL_RX_EXTRA) | BIT64(NET_F_GUEST_ANNOUNCE) |
            BIT64(NET_F_CTRL_GUEST_OFFLOADS) | BIT64(NET_F_NOTF_COAL) | BIT64(NET_F_SPEED_DUPLEX);

    f |= OFFLOADS & n->opts->peerfeats;
    f |= n->max_pairs > 1 ? BIT64(NET_F_MQ) : 0;
    f |= n->port.mac_spoof_allow ? BIT64(NET_F_CTRL_MAC_ADDR) : 0;
    f &= v->legacy ? ~BIT64(NET_F_CTRL_VQ) : UINT64_MAX; /* old drivers don't need it */
    return consistent(f);
}

u32 net_accepts(u64 features)
{
    static const struct {
        u8 feature, need;
    } map[] = {
        {NET_F_GUEST_CSUM, NEED_CSUM}, {NET_F_GUEST_TSO4, NEED_TSO4}, {NET_F_GUEST_TSO6, NEED_TSO6},
        {NET_F_GUEST_ECN, NEED_ECN},   {NET_F_GUEST_USO4, NEED_USO4}, {NET_F_GUEST_USO6, NEED_USO6},
    };
    u32 accepts = 0;

    for (u32 i = 0; i < ARRAY_SIZE(map); i++) {
        accepts |= (features >> map[i].feature & 1) != 0 ? map[i].need : 0;
    }
    return accepts;
}

/* What is received before the driver says anything else. */
static u32 first_filter(u64 f)
{
    u32 on = (f & BIT64(NET_F_CTRL_VLAN)) != 0 ? FILTER_VLAN : 0;

    if ((f & BIT64(NET_F_CTRL_RX)) != 0) {
        return on | FILTER_ON;
    }
    /* Without a list of addresses all are wanted until this driver says they aren't. */
    return (f & BIT64(NET_F_CTRL_RX_EXTRA)) != 0 ? on | FILTER_ON | FILTER_ALLUNI | FILTER_ALLMULTI
                                                 : on;
}

/* All that depends on features is set here, before anything can run. */
static bool net_negotiated(struct virtio *v, u64 features)
{
    const u64 long_header = BIT64(VIRTIO_F_VERSION_1) | BIT64(NET_F_MRG_RXBUF);
    struct net *n = net_of(v);

    if (consistent(features) != features && !v->legacy) { /* to old drivers nobody can say no */
        return false;
    }
    n->hdr_len = (features & long_header) != 0 ? HDR_LEN : HDR_LEN_SHORT;
    atomic_store(&n->port.accepts, net_accepts(features));
    filter_start(&n->filter, first_filter(features), n->port.address);
    return true;
}

static u16 net_status(const struct net *n)
{
    bool announce = atomic_load(&n->announce) != 0 && virtio_has(&n->virtio, NET_F_GUEST_ANNOUNCE);

    return (atomic_load(&n->carrier) != 0 ? NET_S_LINK_UP : 0) | (announce ? NET_S_ANNOUNCE : 0);
}

static void net_config_read(struct virtio *v, u32 offset, void *buf, u32 len)
{
    const struct net *n = net_of(v);
    u32 speed = n->opts->speed;
    struct net_config c = {
        .status = net_status(n),
        .max_virtqueue_pairs = (u16)n->max_pairs,
        .mtu = (u16)n->port.mtu,
        .speed = speed != 0 ? speed : UINT32_MAX,
        .duplex = speed != 0 ? DUPLEX_FULL : UNKNOWN,
    };
    u64 own = atomic_load(&n->filter.own);

    store_be16(c.mac, (u32)(own >> 32));
    store_be32(c.mac + 2, (u32)own);
    memcpy(buf, (const u8 *)&c + offset, len);
}

static void net_notify(struct virtio *v, u32 queue)
{
    struct net *n = net_of(v);

    if (likely((queue & 1) != 0)) {
        net_tx_notify(n, &n->pair[queue / 2]);
    } else if (queue == ctrl_queue(n) && virtio_has(v, NET_F_CTRL_VQ)) {
        ctrl_notify(n);
    } /* receive buffers are looked for when a frame comes */
}

/* Old drivers set their address this way, byte after byte; the last one makes it theirs. */
static void net_config_write(struct virtio *v, u32 offset, const void *buf, u32 len)
{
    const u32 end = offsetof(struct net_config, mac) + sizeof((struct net_config){0}.mac);

    if (!v->legacy || offset >= end ||
        !ctrl_write_mac(net_of(v), offset, buf, MIN(len, end - offset))) {
        counter_inc(&v->ignored);
    }
}

/* A way that comes back may be another one: the driver says anew where it is. */
static void net_carrier(struct net_port *p, bool up)
{
    struct net *n = container_of(p, struct net, port);

    if (up && virtio_running(&n->virtio)) { /* only drivers that know of it see it */
        atomic_store(&n->announce, 1u);
    }
    atomic_store(&n->carrier, (u32)up);
    virtio_config_changed(&n->virtio);
}

static void net_start(struct virtio *v)
{
    struct net *n = net_of(v);
    u32 pairs = virtio_has(v, NET_F_MQ) ? n->max_pairs : 1;

    for (u32 i = 0; i < pairs; i++) {
        struct virtq *q = rx_queue(n, i);

        spin_lock(&q->lock);
        virtq_disable_notify(q);
        spin_unlock(&q->lock);
    }
    n->port.net->link(&n->port, true);
}

static void net_reset(struct virtio *v)
{
    struct net *n = net_of(v);

    for (u32 i = 0; i < n->max_pairs; i++) {
        net_tx_reset(n, &n->pair[i]);
        net_rx_reset(n, &n->pair[i]);
        coal_reset(&n->pair[i].tx_coal);
        coal_reset(&n->pair[i].rx_coal);
    }
    ctrl_reset(n);
    n->port.net->link(&n->port, false);
}

static const struct net_port_ops port_ops = {
    .deliver = net_deliver,
    .flush = net_flush,
    .carrier = net_carrier,
    .poll = net_poll,
};

static const struct virtio_ops net_ops = {
    .device_id = NET_ID,
    .features = net_features,
    .negotiated = net_negotiated,
    .config_read = net_config_read,
    .config_write = net_config_write,
    .config_size = sizeof(struct net_config),
    .notify = net_notify,
    .start = net_start,
    .reset = net_reset,
};

static struct port_rules port_rules(const struct net_opts *o)
{
    return (struct port_rules){
        .vlan = o->vlan,
        .isolate = o->isolate,
        .monitor = o->monitor,
        .rate_bytes = o->rate_bytes,
        .rate_packets = o->rate_packets,
        .storm = o->storm,
        .statics = o->statics,
    };
}

static void port_init(struct net *n, const struct vm *vm, const struct vdev_conf *conf)
{
    const struct net_opts *o = conf->opts;
    struct net_port *p = &n->port;

    p->ops = &port_ops;
    p->stats = n->stats;
    p->nstats = n->max_pairs;
    p->mac_spoof_allow = o->mac_spoof == SPOOF_ALLOW;
    p->rules = port_rules(o);
    p->mtu = o->mtu;
    p->bind_mode = o->bind_mode;
    p->group = vm->cfg->group;
    p->system = vm->cfg->name;
    p->node = conf->name;
    p->peer = config_nic_peer(conf);
    if (conf->name.len != 0) {
        fmt_print(p->name, sizeof(p->name), "%s/%.*s", vm->name, STR_ARG(conf->name));
    } else {
        fmt_print(p->name, sizeof(p->name), "%s/0x%llx", vm->name, (unsigned long long)conf->loc);
    }
    (void)config_nic_mac(vm->cfg, conf, p->mac);
}

static void pair_init(struct net *n, u32 index, const struct vm *vm)
{
    struct net_pair *pair = &n->pair[index];

    pair->net = n;
    pair->index = index;
    net_tx_init(pair, vm);
    share_reset(&pair->share);
    coal_init(&pair->rx_coal, n, 2 * index, vm);
    coal_init(&pair->tx_coal, n, 2 * index + 1, vm);
}

struct vdev *net_create(struct vm *vm, const struct vdev_conf *conf)
{
    const struct net_opts *o = conf->opts;
    u32 pairs = o->queues != 0 ? o->queues : MIN(vm->cfg->ncpus, (u32)NET_PAIRS);
    struct net *n = page_alloc(sizeof(*n) + pairs * sizeof(n->pair[0]));

    if (n == NULL) {
        return NULL;
    }
    n->opts = o;
    n->max_pairs = pairs;
    n->pairs = 1;
    n->hdr_len = HDR_LEN;
    n->virtio.nqueues = 2 * pairs + 1;
    n->virtio.queue_max = (u16)o->qsize;
    n->virtio.packed = o->packed;
    n->virtio.legacy = o->legacy;
    for (u32 i = 0; i < pairs; i++) {
        pair_init(n, i, vm);
        n->virtio.rx_queues |= BIT(2 * i);
    }
    n->virtio.rx_queues |= BIT(2) | BIT(2 * pairs); /* the control queue, whichever it is */
    ctrl_init(n);
    if (!virtio_mmio_init(&n->virtio, vm, conf, &net_ops)) {
        return NULL;
    }
    port_init(n, vm, conf);
    if (n->opts->capture != 0) {
        n->port.capture = capture_create(n->opts->capture);
        if (n->port.capture == NULL) {
            return NULL;
        }
    }
    if (!net_connect(&n->port)) {
        return NULL;
    }
    ctrl_reset(n); /* knows the address now */
    return &n->virtio.dev;
}
