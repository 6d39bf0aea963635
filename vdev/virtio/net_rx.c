/* SPDX-License-Identifier: MIT */
/*
 * virtio-net, receiving: frames from the network into the driver's receive queues. It runs on
 * behalf of other VMs' senders. Lock: the receive queue's.
 */
#include "core/check.h"
#include "vdev/net/capture.h"
#include "vdev/virtio/net_dev.h"

/*
 * The header for this driver, right in front of the frame's head. Nothing of the sender's gets
 * through but what offload_check has checked. VIRTIO 1.2 §5.1.6.4.1.
 */
static void rx_header(u32 hdr_len, struct net_frame *f)
{
    struct net_hdr hdr = {.num_buffers = 1};

    if (unlikely(f->needs != 0)) {
        const struct net_offload *o = &f->offload;

        hdr.flags = o->csum ? HDR_NEEDS_CSUM : 0;
        hdr.gso_type = o->gso | (o->ecn ? HDR_GSO_ECN : 0);
        hdr.hdr_len = o->headers;
        hdr.gso_size = o->gso != GSO_NONE ? o->gso_size : 0;
        hdr.csum_start = o->csum ? o->csum_start : 0;
        hdr.csum_offset = o->csum ? o->csum_offset : 0;
    }
    __builtin_memcpy(f->room + NET_ROOM - hdr_len, &hdr, hdr_len);
}

/* The first `len` bytes of header and frame. */
static void rx_write_first(const struct net *n, const struct chain *c, struct net_frame *f, u32 len)
{
    u32 hdr_len = n->hdr_len, have = hdr_len + f->head_len;

    rx_header(hdr_len, f);
    (void)chain_write(c, 0, f->room + NET_ROOM - hdr_len, MIN(len, have));
    if (len > have) {
        (void)chain_copy(c, have, f->chain, f->off + f->head_len, len - have);
    }
}

/*
 * Takes a buffer with room for at least `least` bytes; if that fails, the caller puts all back. In
 * any case f has paid for it.
 */
static inline enum net_drop rx_take(struct net *n, struct virtq *q, struct chain *c, u32 least,
                                    struct net_frame *f)
{
    switch (virtq_pop(q, c)) {
    case VIRTQ_EMPTY:
        return DROP_NOBUF;
    case VIRTQ_BROKEN:
        virtio_broken(&n->virtio, q->why);
        return DROP_BROKEN;
    case VIRTQ_OK:
        f->budget -= c->count / NET_BUDGET_DESCRIPTORS;
        break;
    }
    return c->writable < least ? DROP_SIZE : DROP_NONE;
}

/* Of the next `len` bytes of f, from byte `from` on, what lies in the head; `c` is empty yet. */
static u32 rx_write_head(const struct chain *c, const struct net_frame *f, u32 from, u32 len)
{
    if (likely(from >= f->head_len)) {
        return 0;
    }
    return chain_write(c, 0, f->head + from, MIN(len, f->head_len - from));
}

/*
 * Fills further buffers from byte `done` on; nothing is given back before all is there, as a frame
 * that doesn't fit takes no buffer (rule 32).
 */
static NOINLINE enum net_drop rx_merge(struct net *n, struct net_pair *pair, struct virtq *q,
                                       struct net_frame *f, u32 done)
{
    u32 total = n->hdr_len + f->len, cost = pair->rx_first.count;
    struct cursor rest = chain_reader(f->chain, f->off + MAX(done - n->hdr_len, f->head_len));
    struct net_piece *piece = pair->piece;
    const struct chain *c = &pair->rx_next;
    u16 count = 1;

    piece[0] = (struct net_piece){pair->rx_first.head, pair->rx_first.slots, done};
    while (done < total) {
        enum net_drop why =
            cost < RX_COST && count < RX_COST ? rx_take(n, q, &pair->rx_next, 0, f) : DROP_SIZE;
        u32 part, had;

        if (why != DROP_NONE) {
            return why;
        }
        part = MIN(c->writable, total - done);
        had = rx_write_head(c, f, done - n->hdr_len, part);
        if (had < part) {
            (void)chain_copy_on(c, had, &rest, part - had);
        }
        piece[count++] = (struct net_piece){c->head, c->slots, part};
        cost += c->count;
        done += part;
    }
    (void)chain_write(&pair->rx_first, offsetof(struct net_hdr, num_buffers), &count,
                      sizeof(count));
    for (u32 i = 0; i < count; i++) {
        virtq_push_id(q, piece[i].head, piece[i].slots, piece[i].written);
    }
    return DROP_NONE;
}

/*
 * Stages f in as many buffers as it needs, each but the last filled to the brim (§5.1.6.4); where
 * merging wasn't negotiated, in one.
 */
static enum net_drop rx_stage(struct net *n, struct net_pair *pair, struct virtq *q,
                              struct net_frame *f)
{
    u32 total = n->hdr_len + f->len, part;
    struct virtq_mark mark = virtq_mark(q);
    enum net_drop why;

    why = rx_take(n, q, &pair->rx_first, virtio_has(&n->virtio, NET_F_MRG_RXBUF) ? HDR_LEN : total,
                  f);
    if (why == DROP_NONE) {
        part = MIN(pair->rx_first.writable, total);
        rx_write_first(n, &pair->rx_first, f, part);
        if (likely(part == total)) {
            virtq_push(q, &pair->rx_first, part);
            return DROP_NONE;
        }
        why = rx_merge(n, pair, q, f, part);
    }
    if (why != DROP_NONE) {
        virtq_undo(q, mark);
    }
    return why;
}

/*
 * Stages f if its sender may have a buffer. The sender's network is this one: its ports have
 * numbers, and a private link's only sender is alone.
 */
static NOINLINE enum net_drop rx_stage_shared(struct net *n, struct net_pair *pair, struct virtq *q,
                                              struct net_frame *f)
{
    struct share_want want = {f->from->number, (f->head[0] & 1) != 0, virtq_ready(q)};
    struct virtq_mark mark = virtq_mark(q);
    enum net_drop why;

    if (!share_wants(&pair->share, want, &q->most) && !q->broken) {
        return DROP_SHARE;
    }
    why = rx_stage(n, pair, q, f);
    if (why == DROP_NONE) {
        share_took(&pair->share, want.from, virtq_taken(q, mark));
    }
    return why;
}

/* The pair that the driver last sent this flow on; before it sends, any, the same for all of it. */
static u32 rx_pair(struct net *n, struct net_frame *f)
{
    u32 pairs = atomic_load(&n->pairs);
    u32 pair;

    if (likely(pairs == 1)) {
        return 0;
    }
    pair = atomic_load(&n->steer[frame_flow(f) % NET_FLOWS]);
    return pair < pairs ? index_nospec(pair, NET_PAIRS) : 0;
}

/*
 * The driver may have changed its mind since rx_pair, or even be another one, to which the queue is
 * something else. The queue's lock is held: the pair stays what it is.
 */
static inline bool pair_used(const struct net *n, u32 index)
{
    return likely(index == 0) || index < atomic_load(&n->pairs);
}

bool net_deliver(struct net_port *p, struct net_frame *f)
{
    struct net *n = container_of(p, struct net, port);
    u32 index = rx_pair(n, f);
    struct virtq *q = rx_queue(n, index);
    enum net_drop why = DROP_DOWN;

    if (unlikely(!filter_wants(&n->filter, f))) {
        port_drop(p, DROP_FILTER);
        return false;
    }
    spin_lock(&q->lock);
    if (virtio_running(&n->virtio) && pair_used(n, index) && /* rule 34 */
        (f->needs & ~atomic_load(&p->accepts)) == 0) {
        struct net_pair *pair = &n->pair[index];

        why = share_alone(&pair->share, f->from->number) ? rx_stage(n, pair, q, f)
                                                         : rx_stage_shared(n, pair, q, f);
    }
    if (why == DROP_NONE) {
        stat_add(&n->stats[index].rx_frames, 1);
        stat_add(&n->stats[index].rx_bytes, f->len);
        port_capture(p, f, false);
    }
    spin_unlock(&q->lock);
    if (why != DROP_NONE) {
        port_drop(why == DROP_SHARE ? f->from : p, why);
    }
    return why == DROP_NONE;
}

void net_flush_pairs(struct net *n, u32 first, u32 end)
{
    for (u32 i = first; i < end; i++) {
        struct virtq *q = rx_queue(n, i);

        spin_lock(&q->lock);
        if (virtio_running(&n->virtio) && net_publish(&n->pair[i].rx_coal, q)) {
            net_interrupt(n, i);
        }
        spin_unlock(&q->lock);
    }
}

void net_flush(struct net_port *p)
{
    struct net *n = container_of(p, struct net, port);

    net_flush_pairs(n, 0, atomic_load(&n->pairs));
}

void net_rx_reset(struct net *n, struct net_pair *pair)
{
    struct spinlock *lock = &rx_queue(n, pair->index)->lock;

    spin_lock(lock);
    share_reset(&pair->share);
    spin_unlock(lock);
}
