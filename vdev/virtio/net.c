/* SPDX-License-Identifier: MIT */
/*
 * virtio-net: frames from the driver's transmit queue to the network, frames from the network into
 * its receive queue. It knows neither what network that is nor any register. A burst is sent within
 * the trap of the driver's notification; what is left after BURST frames is deferred work, so that
 * the sender's own interrupts are taken in between.
 * Locks: the transmit queue's covers everything about sending, the receive queue's, which other
 * VMs' senders take, everything about receiving.
 */
#include "vdev/virtio/net.h"

#include "core/arch.h"
#include "core/check.h"
#include "core/config.h"
#include "core/log.h"
#include "core/page.h"
#include "core/sched.h"
#include "core/vm.h"
#include "vdev/net/port.h"
#include "vdev/virtio/virtio.h"

#include <string.h>

enum { QUEUE_RX, QUEUE_TX, QUEUES };

/* Feature bits, VIRTIO 1.2 §5.1.3 */
enum {
    NET_F_MTU = 3,
    NET_F_MAC = 5,
    NET_F_MRG_RXBUF = 15,
    NET_F_STATUS = 16,
};

enum { NET_S_LINK_UP = 1 };

/* struct virtio_net_hdr, §5.1.6; all fields but the last are about offloads. */
struct net_hdr {
    u8 flags, gso_type;
    u16 hdr_len, gso_size, csum_start, csum_offset;
    u16 num_buffers;
};
#define HDR_LEN 12u
_Static_assert(sizeof(struct net_hdr) == HDR_LEN && NET_ROOM == HDR_LEN, "header layout");
_Static_assert(offsetof(struct net_frame, head) == offsetof(struct net_frame, room) + HDR_LEN,
               "the header is put right in front of the frame");

/* struct virtio_net_config, §5.1.4, as far as the features offered need it. */
struct net_config {
    u8 mac[6];
    u16 status;
    u16 max_virtqueue_pairs;
    u16 mtu;
};

#define NET_ID     1
#define QUEUE_SIZE 256
#define BURST      64 /* frames sent, and deliveries made, before others get their turn */
#define HEAD       20 /* bytes read ahead of a long frame: Ethernet header, a tag, the type */
#define RX_COST    64 /* descriptors walked for one received frame before it's given up */

struct net {
    struct virtio virtio;
    struct net_port port;
    u32 carrier; /* atomic */

    /* Under the transmit queue's lock: */
    struct chain tx;
    struct net_frame frame; /* what tx holds */
    bool sending;           /* frame is not yet sent to everybody */
    bool deferred;          /* work will go on: notifications need not */
    struct work work;

    /* Under the receive queue's lock: a frame's first buffer, and the one being filled. */
    struct chain rx_first, rx_next;
};

static struct net *net_of(struct virtio *v)
{
    return container_of(v, struct net, virtio);
}

/* A statistic that only the holder of a lock writes. */
static void stat_add(u64 *p, u64 n)
{
    atomic_store(p, *p + n);
}

/* --- transmit -------------------------------------------------------------------------------- */

/* Takes the next chain as n->frame. */
static enum virtq_result tx_next(struct net *n)
{
    struct net_frame *f = &n->frame;
    enum virtq_result r = virtq_pop(&n->virtio.queue[QUEUE_TX], &n->tx);

    if (r != VIRTQ_OK) {
        return r;
    }
    f->len = n->tx.readable - MIN(n->tx.readable, HDR_LEN);
    f->head_len = f->len <= NET_HEAD ? f->len : HEAD;        /* a short frame is copied whole */
    (void)chain_read(&n->tx, HDR_LEN, f->head, f->head_len); /* rule 24 */
    f->cursor = 0;
    return VIRTQ_OK;
}

/* Sends the frame in n->frame, or what is left of it. False: not yet to everybody. */
static bool tx_send(struct net *n)
{
    struct net_port *p = &n->port;

    n->sending = !p->net->send(p, &n->frame);
    if (n->sending) {
        return false;
    }
    stat_add(&p->tx_frames, 1);
    stat_add(&p->tx_bytes, n->frame.len);
    virtq_push(&n->virtio.queue[QUEUE_TX], &n->tx, 0);
    return true;
}

/* Sends up to a burst (rule 40). True: there may be more. Lock held, running. */
static bool tx_frames(struct net *n)
{
    struct virtq *q = &n->virtio.queue[QUEUE_TX];

    n->sending &= q->ready;
    n->frame.budget = BURST;
    for (u32 i = 0; i < BURST && n->frame.budget > 0; i++) {
        enum virtq_result r = n->sending ? VIRTQ_OK : tx_next(n);

        if (r == VIRTQ_BROKEN) {
            virtio_broken(&n->virtio, q->why);
            return false;
        }
        if (r == VIRTQ_OK && !tx_send(n)) {
            return true;
        }
        if (virtq_known(q)) {
            virtq_disable_notify(q);
        } else if (!virtq_enable_notify(q)) {
            return false;
        }
    }
    return true;
}

static bool tx_burst(struct net *n)
{
    struct virtq *q = &n->virtio.queue[QUEUE_TX];
    bool more = tx_frames(n);

    if (more) {
        virtq_disable_notify(q); /* nobody listens until the work has done the rest */
    }
    n->port.net->flush(&n->port);
    if (virtq_publish(q)) {
        counter_inc(&n->port.interrupts);
        virtio_interrupt(&n->virtio);
    }
    return more;
}

static bool net_work(struct work *w)
{
    struct net *n = container_of(w, struct net, work);
    struct spinlock *lock = &n->virtio.queue[QUEUE_TX].lock;
    bool more = false;

    spin_lock(lock);
    if (virtio_running(&n->virtio)) {
        more = tx_burst(n);
        n->deferred = more;
    }
    spin_unlock(lock);
    return more;
}

static void net_notify(struct virtio *v, u32 queue)
{
    struct net *n = net_of(v);
    struct spinlock *lock = &v->queue[QUEUE_TX].lock;
    bool defer = false;

    if (queue != QUEUE_TX) { /* receive buffers are looked for when a frame comes */
        return;
    }
    spin_lock(lock);
    stat_add(&n->port.notifies, 1);
    if (!n->deferred && virtio_running(v) && virtq_look(&v->queue[QUEUE_TX])) {
        defer = tx_burst(n);
        n->deferred = defer;
    }
    spin_unlock(lock);
    if (defer) {
        work_queue(arch_pcpu(), &n->work);
    }
}

/* --- receive --------------------------------------------------------------------------------- */

/* Bytes [from, from + len) of the frame into c: what was classified is what is delivered. */
static void rx_write(const struct chain *c, const struct net_frame *f, u32 from, u32 len)
{
    u32 done = 0;

    if (from < f->head_len) {
        done = chain_write(c, 0, f->head + from, MIN(len, f->head_len - from));
    }
    if (done < len) {
        (void)chain_copy(c, done, f->chain, f->off + from + done, len - done);
    }
}

/* The first `len` bytes of header and frame. Nothing of the sender's header gets through. */
static void rx_write_first(const struct chain *c, struct net_frame *f, u32 len)
{
    const struct net_hdr hdr = {.num_buffers = 1};
    u32 have = HDR_LEN + f->head_len;

    __builtin_memcpy(f->room, &hdr, HDR_LEN); /* the head is right behind it */
    (void)chain_write(c, 0, f->room, MIN(len, have));
    if (len > have) {
        (void)chain_copy(c, have, f->chain, f->off + f->head_len, len - have);
    }
}

/* Takes a buffer with room for at least `least` bytes. */
static inline enum net_drop rx_take(struct net *n, struct chain *c, u32 least)
{
    struct virtq *q = &n->virtio.queue[QUEUE_RX];

    switch (virtq_pop(q, c)) {
    case VIRTQ_EMPTY:
        return DROP_NOBUF;
    case VIRTQ_BROKEN:
        virtio_broken(&n->virtio, q->why);
        return DROP_BROKEN;
    case VIRTQ_OK:
        break;
    }
    if (c->writable < least) {
        virtq_rewind(q, 1, 0);
        return DROP_SIZE;
    }
    return DROP_NONE;
}

/* Fills further buffers from byte `done` on, counting them in *count. */
static NOINLINE enum net_drop rx_merge(struct net *n, const struct net_frame *f, u32 done,
                                       u16 *count)
{
    u32 total = HDR_LEN + f->len, cost = n->rx_first.count;

    while (done < total) {
        enum net_drop why = cost < RX_COST ? rx_take(n, &n->rx_next, 0) : DROP_SIZE;
        u32 part;

        if (why != DROP_NONE) {
            return why;
        }
        part = MIN(n->rx_next.writable, total - done);
        rx_write(&n->rx_next, f, done - HDR_LEN, part);
        virtq_push(&n->virtio.queue[QUEUE_RX], &n->rx_next, part);
        cost += n->rx_next.count;
        done += part;
        ++*count;
    }
    return DROP_NONE;
}

/*
 * Stages f in as many buffers as it needs, each but the last filled to the brim (§5.1.6.4); where
 * merging wasn't negotiated, in one. A frame that doesn't fit takes none (rule 32).
 */
static enum net_drop rx_stage(struct net *n, struct net_frame *f)
{
    struct virtq *q = &n->virtio.queue[QUEUE_RX];
    u32 total = HDR_LEN + f->len, part;
    enum net_drop why;
    u16 count = 1;

    why = rx_take(n, &n->rx_first, virtio_has(&n->virtio, NET_F_MRG_RXBUF) ? HDR_LEN : total);
    if (why != DROP_NONE) {
        return why;
    }
    part = MIN(n->rx_first.writable, total);
    rx_write_first(&n->rx_first, f, part);
    virtq_push(q, &n->rx_first, part);
    if (likely(part == total)) {
        return DROP_NONE;
    }
    why = rx_merge(n, f, part, &count);
    if (why != DROP_NONE) {
        virtq_rewind(q, count, count);
        return why;
    }
    (void)chain_write(&n->rx_first, offsetof(struct net_hdr, num_buffers), &count, sizeof(count));
    return DROP_NONE;
}

static bool net_deliver(struct net_port *p, struct net_frame *f)
{
    struct net *n = container_of(p, struct net, port);
    struct spinlock *lock = &n->virtio.queue[QUEUE_RX].lock;
    enum net_drop why = DROP_DOWN;

    spin_lock(lock);
    if (virtio_running(&n->virtio)) { /* rule 34 */
        why = rx_stage(n, f);
    }
    if (why == DROP_NONE) {
        stat_add(&p->rx_frames, 1);
        stat_add(&p->rx_bytes, f->len);
    }
    spin_unlock(lock);
    if (why != DROP_NONE) {
        port_drop(p, why);
    }
    return why == DROP_NONE;
}

static void net_flush(struct net_port *p)
{
    struct net *n = container_of(p, struct net, port);
    struct virtq *q = &n->virtio.queue[QUEUE_RX];

    spin_lock(&q->lock);
    if (virtio_running(&n->virtio) && virtq_publish(q)) {
        counter_inc(&p->interrupts);
        virtio_interrupt(&n->virtio);
    }
    spin_unlock(&q->lock);
}

static void net_carrier(struct net_port *p, bool up)
{
    struct net *n = container_of(p, struct net, port);

    atomic_store(&n->carrier, (u32)up);
    virtio_config_changed(&n->virtio);
}

static const struct net_port_ops port_ops = {
    .deliver = net_deliver,
    .flush = net_flush,
    .carrier = net_carrier,
};

/* --- the device ------------------------------------------------------------------------------ */

static u64 net_features(struct virtio *v)
{
    (void)v;
    return BIT64(NET_F_MTU) | BIT64(NET_F_MAC) | BIT64(NET_F_MRG_RXBUF) | BIT64(NET_F_STATUS);
}

static void net_config_read(struct virtio *v, u32 offset, void *buf, u32 len)
{
    const struct net *n = net_of(v);
    struct net_config c = {
        .status = atomic_load(&n->carrier) != 0 ? NET_S_LINK_UP : 0,
        .mtu = (u16)n->port.mtu,
    };

    memcpy(c.mac, n->port.mac, sizeof(c.mac));
    memcpy(buf, (const u8 *)&c + offset, len);
}

static void net_start(struct virtio *v)
{
    struct net *n = net_of(v);
    struct virtq *q = &v->queue[QUEUE_RX];

    spin_lock(&q->lock);
    virtq_disable_notify(q);
    spin_unlock(&q->lock);
    n->port.net->link(&n->port, true);
}

static void net_reset(struct virtio *v)
{
    struct net *n = net_of(v);
    struct spinlock *lock = &v->queue[QUEUE_TX].lock;

    spin_lock(lock);
    n->sending = false;
    n->deferred = false;
    spin_unlock(lock);
    n->port.net->link(&n->port, false);
}

static const struct virtio_ops net_ops = {
    .device_id = NET_ID,
    .features = net_features,
    .config_read = net_config_read,
    .config_size = sizeof(struct net_config),
    .notify = net_notify,
    .start = net_start,
    .reset = net_reset,
};

static void port_init(struct net *n, const struct vm *vm, const struct vdev_conf *conf)
{
    const struct net_opts *o = conf->opts;
    struct net_port *p = &n->port;

    p->ops = &port_ops;
    p->mac_spoof_allow = o->mac_spoof == SPOOF_ALLOW;
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

struct vdev *net_create(struct vm *vm, const struct vdev_conf *conf)
{
    struct net *n = page_alloc(sizeof(*n));

    if (n == NULL) {
        return NULL;
    }
    n->virtio.nqueues = QUEUES;
    n->virtio.rx_queues = BIT(QUEUE_RX);
    n->virtio.queue_max = QUEUE_SIZE;
    if (!virtio_mmio_init(&n->virtio, vm, conf, &net_ops)) {
        return NULL;
    }
    n->work.fn = net_work;
    n->frame.chain = &n->tx;
    n->frame.off = HDR_LEN;
    port_init(n, vm, conf);
    return net_connect(&n->port) ? &n->virtio.dev : NULL;
}
