/* SPDX-License-Identifier: MIT */
/*
 * virtio-rng: fills the driver's buffers from the generator of its VM. It doesn't know where that
 * has its entropy from, only that there is none, and then no VM may have this device. A request is
 * answered within its notification; what more is in the queue, an answer a millisecond, so that a
 * driver can't make others' CPUs work for it. Lock: the queue's.
 */
#include "vdev/virtio/rng.h"

#include "core/arch.h"
#include "core/check.h"
#include "core/page.h"
#include "core/random.h"
#include "core/sched.h"
#include "core/timer.h"
#include "core/vm.h"
#include "vdev/virtio/options.h"
#include "vdev/virtio/virtio.h"

#define RNG_ID     4
#define QUEUE_SIZE 16
#define PAUSE_NS   1000000u

struct rng_opts {
    bool legacy;
    struct str unused_text;
};

struct rng {
    struct virtio virtio;
    /* Under the queue's lock */
    struct timer pause;
    struct work work;
    bool pausing;
    u64 requests, bytes; /* answered so far */
    struct chain chain;  /* the request at hand */
};

static struct rng *rng_of(struct virtio *v)
{
    return container_of(v, struct rng, virtio);
}

static struct virtq *queue(struct rng *g)
{
    return &g->virtio.queue[0];
}

/* Fills what the driver left to be written; at most RANDOM_MAX bytes, fewer are no error (§5.4.6).
 */
static void answer(struct rng *g)
{
    u32 len = MIN(g->chain.writable, RANDOM_MAX);
    u8 buf[RANDOM_MAX];

    if (!random_bytes(&g->virtio.dev.vm->random, buf, len)) {
        len = 0;
    }
    len = chain_write(&g->chain, 0, buf, len);
    random_wipe(buf, sizeof(buf));
    g->requests++;
    g->bytes += len;
    virtq_push(queue(g), &g->chain, len);
    if (virtq_publish(queue(g))) {
        virtio_interrupt(&g->virtio);
    }
}

/* The next request, if there is one. True: there's more to come. */
static bool serve(struct rng *g)
{
    struct virtq *q = queue(g);

    switch (virtq_pop(q, &g->chain)) {
    case VIRTQ_OK:
        answer(g);
        break;
    case VIRTQ_BROKEN:
        virtio_broken(&g->virtio, q->why);
        return false;
    default:
        break;
    }
    return virtq_look(q) || virtq_enable_notify(q);
}

/* With the queue's lock. */
static void serve_and_pause(struct rng *g)
{
    g->pausing = serve(g);
    if (g->pausing) {
        timer_set(&g->pause, arch_now_ns() + PAUSE_NS);
    }
}

static void rng_notify(struct virtio *v, u32 index)
{
    struct rng *g = rng_of(v);

    (void)index;
    spin_lock(&queue(g)->lock);
    if (virtio_running(v) && !g->pausing) {
        serve_and_pause(g);
    }
    spin_unlock(&queue(g)->lock);
}

static bool rng_work(struct work *w)
{
    struct rng *g = container_of(w, struct rng, work);

    spin_lock(&queue(g)->lock);
    if (virtio_running(&g->virtio) && g->pausing) {
        serve_and_pause(g);
    }
    spin_unlock(&queue(g)->lock);
    return false;
}

static void pause_over(struct timer *t)
{
    work_queue(t->pcpu, &container_of(t, struct rng, pause)->work);
}

static void rng_reset(struct virtio *v)
{
    struct rng *g = rng_of(v);

    spin_lock(&queue(g)->lock);
    if (g->pausing) {
        g->pausing = false;
        timer_cancel(&g->pause);
    }
    spin_unlock(&queue(g)->lock);
}

static u64 rng_features(struct virtio *v)
{
    (void)v;
    return 0;
}

static void rng_show(struct virtio *v, void (*print)(const char *fmt, ...))
{
    struct rng *g = rng_of(v);
    u64 requests, bytes;

    spin_lock(&queue(g)->lock);
    requests = g->requests;
    bytes = g->bytes;
    spin_unlock(&queue(g)->lock);
    print("  virtio-rng at 0x%llx: %llu bytes in %llu requests\n",
          (unsigned long long)v->dev.conf->loc, (unsigned long long)bytes,
          (unsigned long long)requests);
}

static const struct virtio_ops rng_ops = {
    .device_id = RNG_ID,
    .features = rng_features,
    .config_size = 0,
    .notify = rng_notify,
    .reset = rng_reset,
    .show = rng_show,
};

static struct vdev *rng_create(struct vm *vm, const struct vdev_conf *conf)
{
    const struct rng_opts *o = conf->opts;
    struct rng *g = page_alloc(sizeof(*g));

    if (g == NULL) {
        return NULL;
    }
    g->virtio.nqueues = 1;
    g->virtio.queue_max = QUEUE_SIZE;
    g->virtio.legacy = o->legacy;
    g->work.fn = rng_work;
    timer_init(&g->pause, vm->vcpu[0]->pcpu, pause_over);
    return virtio_mmio_init(&g->virtio, vm, conf, &rng_ops) ? &g->virtio.dev : NULL;
}

/* --- the type ----------------------------------------------------------------------------------
 */

/* The host's tool doesn't know whether the board will have any. */
static bool rng_check(const struct vm_config *vm, struct vdev_conf *conf, struct diag *diag)
{
    (void)vm;
    if (random_source() != RANDOM_NONE) {
        return true;
    }
    diag_error(
        diag, conf->place,
        "virtio-rng needs real entropy, and this board has none: no TRNG in its firmware, no "
        "RNDR in its CPUs, no rng-seed in its device tree");
    return false;
}

#define FIELD(f) offsetof(struct rng_opts, f)

static const struct opt rng_options[] = {
    VIRTIO_OPT_LEGACY(struct rng_opts),
    {
        .name = "hostdev",
        .type = OPT_STR,
        .offset = FIELD(unused_text),
        .arg = "PATH",
        .dflt = MANUAL("the board"),
        .help = MANUAL("A device of QNX's host. Here it is always the board's entropy."),
        .example = MANUAL("hostdev /dev/random"),
        .ignored = true,
    },
    {.name = NULL},
};

static const char *const aliases[] = {"virtio-entropy", NULL};

const struct vdev_type virtio_rng_type = {
    .name = "virtio-rng",
    .aliases = aliases,
    .help = MANUAL("Random bytes: virtio-rng over virtio-mmio. Refused where the board has no "
                   "real entropy."),
    .opts = rng_options,
    .opts_size = sizeof(struct rng_opts),
    .check = rng_check,
    VIRTIO_MMIO_TYPE,
    .create = rng_create,
};
