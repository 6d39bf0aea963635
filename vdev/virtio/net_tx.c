/* SPDX-License-Identifier: MIT */
/*
 * virtio-net, sending: frames from the driver's transmit queues to the network. A burst is sent
 * within the trap of the driver's notification; what is left after BURST frames is deferred work,
 * so that the sender's own interrupts are taken in between. Lock: the transmit queue's.
 */
#include "core/arch.h"
#include "core/check.h"
#include "core/vm.h"
#include "vdev/net/capture.h"
#include "vdev/virtio/net_dev.h"

#define BURST        NET_BUDGET /* frames sent, and deliveries made, before others get their turn */
#define LINGER_NS    1000000u   /* how long what was sent is held back: once to twice that */
#define HOLD         4          /* chains held at most … */
#define HOLD_WATCHED 64         /* likewise, of a stream that is watched */
#define HOLD_SIZE    128        /* … of a ring of at least so many, so that the driver has room */
#define EAGER        64
#define INTRUDE_NS   1000000u /* from burst to burst in another VM's time */

#define SHORT 128 /* a frame up to here is copied whole … */
#define HEAD  84  /* … of a longer one so much: headers up to TCP's behind a tag and IPv6 */
_Static_assert(SHORT <= NET_HEAD && HEAD <= SHORT, "the head has room");

/* Whether the driver may send this kind of super-frame. */
static bool gso_negotiated(const struct virtio *v, const struct net_offload *o)
{
    switch (o->gso) {
    case GSO_NONE:
        return !o->ecn;
    case GSO_TCPV4:
        return virtio_has(v, NET_F_HOST_TSO4) && (!o->ecn || virtio_has(v, NET_F_HOST_ECN));
    case GSO_TCPV6:
        return virtio_has(v, NET_F_HOST_TSO6) && (!o->ecn || virtio_has(v, NET_F_HOST_ECN));
    case GSO_UDP:
        return virtio_has(v, NET_F_HOST_USO) && !o->ecn;
    default:
        return false;
    }
}

static NOINLINE bool tx_offload(const struct virtio *v, struct net_frame *f,
                                const struct net_hdr *hdr)
{
    if (!virtio_has(v, NET_F_CSUM)) { /* then none of it means anything */
        return true;
    }
    f->offload = (struct net_offload){
        .gso = hdr->gso_type & (u8)~HDR_GSO_ECN,
        .ecn = (hdr->gso_type & HDR_GSO_ECN) != 0,
        .csum = (hdr->flags & HDR_NEEDS_CSUM) != 0,
        .gso_size = hdr->gso_size,
        .csum_start = hdr->csum_start,
        .csum_offset = hdr->csum_offset,
    };
    return gso_negotiated(v, &f->offload) && offload_check(f);
}

/*
 * The chain in pair->tx as its frame. False: what its header asks for makes no sense. All of it is
 * decided on the private copy (rule 24).
 */
static bool tx_frame(struct net *n, struct net_pair *pair)
{
    struct net_frame *f = &pair->frame;
    u32 hdr_len = n->hdr_len, len = pair->tx.readable;
    struct net_hdr hdr;

    f->len = len - MIN(len, hdr_len);
    f->head_len = f->len <= SHORT ? f->len : HEAD;
    f->off = hdr_len;
    f->begun = false;
    f->flow = 0;
    f->needs = 0;
    f->wire = f->len;
    if (unlikely(f->len == 0)) {
        return true; /* a runt, for the network to count */
    }
    (void)chain_read(&pair->tx, 0, f->room + NET_ROOM - hdr_len,
                     hdr_len + f->head_len); /* rule 24 */
    __builtin_memcpy(&hdr, f->room + NET_ROOM - hdr_len, HDR_LEN_SHORT);
    if (likely((hdr.flags & HDR_NEEDS_CSUM) == 0 && hdr.gso_type == GSO_NONE)) {
        return true;
    }
    return tx_offload(&n->virtio, f, &hdr);
}

/* Sends the pair's frame, or what is left of it. False: not yet to everybody. */
static bool tx_send(struct net *n, struct net_pair *pair)
{
    struct net_stats *stats = &n->stats[pair->index];
    struct net_frame *f = &pair->frame;

    pair->sending = !n->port.net->send(&n->port, f);
    if (pair->sending) {
        return false;
    }
    if (atomic_load(&n->pairs) > 1) { /* what comes back of this flow comes through this pair */
        atomic_store(&n->steer[frame_flow(f) % NET_FLOWS], (u8)pair->index);
    }
    stat_add(&stats->tx_frames, 1);
    stat_add(&stats->tx_bytes, f->len);
    return true;
}

/* The next frame, or the one that is not yet sent to everybody. */
static enum virtq_result tx_one(struct net *n, struct net_pair *pair, struct virtq *q, bool *again)
{
    *again = false;
    if (!pair->sending) {
        enum virtq_result r = virtq_pop(q, &pair->tx);

        if (r != VIRTQ_OK) {
            return r;
        }
        pair->frame.budget -= pair->tx.count / NET_BUDGET_DESCRIPTORS;
        if (unlikely(!tx_frame(n, pair))) {
            port_drop(&n->port, DROP_OFFLOAD);
            virtq_push(q, &pair->tx, 0);
            return VIRTQ_OK;
        }
        port_capture(&n->port, &pair->frame, true);
    }
    *again = !tx_send(n, pair);
    if (!*again) {
        virtq_push(q, &pair->tx, 0);
    }
    return VIRTQ_OK;
}

/* All that's known is sent: true if there's more. Who isn't polled will be notified of the next. */
static inline bool tx_more(struct net *n, const struct net_pair *pair, struct virtq *q)
{
    bool quiet = unlikely(atomic_load(&n->port.polled)) || pair->watching;

    return quiet ? virtq_look(q) : virtq_enable_notify(q);
}

/* Sends up to a burst (rule 40). True: there may be more. Lock held, running. */
static bool tx_frames(struct net *n, struct net_pair *pair, struct virtq *q)
{
    pair->sending &= q->ready;
    pair->frame.budget = BURST;
    for (u32 i = 0; i < BURST && pair->frame.budget > 0; i++) {
        bool again;

        if (tx_one(n, pair, q, &again) == VIRTQ_BROKEN) {
            virtio_broken(&n->virtio, q->why);
            return false;
        }
        if (again) {
            return true;
        }
        if (virtq_known(q)) {
            virtq_disable_notify(q);
        } else if (!tx_more(n, pair, q)) {
            return false;
        }
    }
    return true;
}

/*
 * Gives back what was sent. A driver that sends frame after frame looks for those given back each
 * time, and yet asks for an interrupt when the last one is: it need not hear of that while it goes
 * on. So a few are held back, until it stops for a while. If it stops soon, it may have waited for
 * just them: then nothing is held for some time.
 */
static void tx_give_back(struct net *n, struct net_pair *pair, struct virtq *q, bool more)
{
    bool hold = pair->eager == 0 && !more && q->size >= HOLD_SIZE && pair->tx_coal.usecs == 0;

    pair->eager -= pair->eager > 0 ? 1 : 0;
    pair->moved = true;
    if (hold ? virtq_publish_quiet(q, pair->watching ? HOLD_WATCHED : HOLD)
             : net_publish(&pair->tx_coal, q)) {
        net_interrupt(n, pair->index);
    }
    if (virtq_holds(q) && !pair->lingering) {
        pair->lingering = true;
        pair->moved = false;
        timer_set(&pair->linger, arch_now_ns() + LINGER_NS);
    }
}

static void tx_linger_over(struct timer *t)
{
    struct net_pair *pair = container_of(t, struct net_pair, linger);
    struct net *n = pair->net;
    struct virtq *q = tx_queue(n, pair->index);

    spin_lock(&q->lock);
    if (pair->lingering && pair->moved) {
        pair->moved = false;
        timer_set(t, arch_now_ns() + LINGER_NS);
    } else if (pair->lingering) {
        pair->lingering = false;
        pair->eager = EAGER;
        if (virtq_publish(q)) {
            net_interrupt(n, pair->index);
        }
    }
    spin_unlock(&q->lock);
}

static bool tx_burst(struct net *n, struct net_pair *pair)
{
    struct virtq *q = tx_queue(n, pair->index);
    bool more = tx_frames(n, pair, q);

    if (unlikely(atomic_load(&n->port.polled))) {
        virtq_mute(q);
    } else if (more || pair->watching) {
        virtq_disable_notify(q); /* nobody listens: the work, or the watch, does the rest */
    }
    stat_add(&n->stats[pair->index].tx_bursts, 1);
    n->port.net->flush(&n->port, &pair->frame);
    tx_give_back(n, pair, q, more);
    return more;
}

bool net_tx_intrudes(const struct net *n)
{
    const struct vcpu *v = arch_pcpu()->current;

    return v != NULL && v->vm != n->virtio.dev.vm && atomic_load(&v->state) == VCPU_READY;
}

/*
 * What goes on with what a burst left: true if it can at once. If the network takes nothing before
 * a certain time, nothing is done till then, and the driver's frames stay where they are. So it is
 * where it would be at another VM's cost: the driver may go on filling its ring from another CPU.
 */
static bool tx_goes_on(const struct net *n, struct net_pair *pair, bool more)
{
    struct net_frame *f = &pair->frame;

    pair->deferred = more;
    if (more && f->not_before == 0 && net_tx_intrudes(n)) {
        f->not_before = arch_now_ns() + INTRUDE_NS;
    }
    if (likely(!more || f->not_before == 0)) {
        return more;
    }
    timer_set(&pair->pause, f->not_before);
    return false;
}

bool net_tx_burst(struct net *n, struct net_pair *pair)
{
    return tx_goes_on(n, pair, tx_burst(n, pair));
}

static void tx_pause_over(struct timer *t)
{
    work_queue(t->pcpu, &container_of(t, struct net_pair, pause)->work);
}

/* What was left of a burst. */
static bool tx_work(struct work *w)
{
    struct net_pair *pair = container_of(w, struct net_pair, work);
    struct net *n = pair->net;
    struct spinlock *lock = &tx_queue(n, pair->index)->lock;
    bool more = false;

    spin_lock(lock);
    pair->frame.not_before = 0;
    if (virtio_running(&n->virtio)) {
        more = net_tx_burst(n, pair);
    }
    spin_unlock(lock);
    return more;
}

void net_tx_init(struct net_pair *pair, const struct vm *vm)
{
    const struct vcpu *v = vm->vcpu[MIN(pair->index, vm->nvcpus - 1)];

    pair->work.fn = tx_work;
    pair->frame.chain = &pair->tx;
    timer_init(&pair->pause, v->pcpu, tx_pause_over);
    timer_init(&pair->linger, v->pcpu, tx_linger_over);
    pair->eager = EAGER;
    watch_init(pair, v->pcpu);
}

void net_tx_notify(struct net *n, struct net_pair *pair)
{
    struct virtq *q = tx_queue(n, pair->index);
    bool defer = false;

    spin_lock(&q->lock);
    stat_add(&n->stats[pair->index].notifies, 1);
    if (!pair->deferred && !atomic_load(&n->port.polled) && virtio_running(&n->virtio) &&
        virtq_look(q)) {
        watch_notified(n, pair);
        defer = net_tx_burst(n, pair);
    }
    spin_unlock(&q->lock);
    if (defer) {
        work_queue(arch_pcpu(), &pair->work);
    }
}

/* The poller's look at a pair: a burst, as if it had notified. What is left is for the next look.
 */
static bool tx_poll(struct net *n, struct net_pair *pair)
{
    struct virtq *q = tx_queue(n, pair->index);
    bool any = false;

    spin_lock(&q->lock);
    if (!pair->deferred && virtio_running(&n->virtio)) {
        if (unlikely(q->notify_on)) {
            virtq_mute(q);
        }
        any = pair->sending || virtq_look(q);
        if (any && net_tx_burst(n, pair)) {
            pair->deferred = false;
        }
    }
    spin_unlock(&q->lock);
    return any;
}

bool net_poll(struct net_port *p)
{
    struct net *n = container_of(p, struct net, port);
    u32 pairs = atomic_load(&n->pairs);
    bool any = false;

    for (u32 i = 0; i < pairs; i++) {
        any |= tx_poll(n, &n->pair[i]);
    }
    return any;
}

void net_tx_reset(struct net *n, struct net_pair *pair)
{
    struct spinlock *lock = &tx_queue(n, pair->index)->lock;

    spin_lock(lock);
    pair->sending = false;
    pair->deferred = false;
    pair->eager = EAGER;
    watch_reset(pair);
    if (pair->lingering) {
        pair->lingering = false;
        timer_cancel(&pair->linger);
    }
    if (pair->frame.not_before != 0) {
        pair->frame.not_before = 0;
        timer_cancel(&pair->pause);
    }
    spin_unlock(lock);
}
