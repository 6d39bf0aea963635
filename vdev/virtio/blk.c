/* SPDX-License-Identifier: MIT */
/*
 * virtio-blk, the device: what it offers, its config space, its queues. Requests are done within
 * the trap of the driver's notification, as far as the burst's budget goes; the rest is deferred
 * work, in pieces, between which guests get their time. It knows no register. Locks: each queue's
 * covers what is under way in it.
 */
#include "vdev/virtio/blk.h"

#include "core/arch.h"
#include "core/config.h"
#include "core/log.h"
#include "core/page.h"
#include "core/vm.h"
#include "vdev/virtio/blk_dev.h"

#include <string.h>

#define BLK_ID    2
#define BURST     (192 * (s32)KIB) /* of a burst: at most 37,000 instructions (rule 40) */
#define PAGE_EXP  3                /* a page of the disk has 2^3 sectors */
#define PAGE_BLKS BIT(PAGE_EXP)

/* Feature bits, VIRTIO 1.2 §5.2.3 */
enum {
    BLK_F_SEG_MAX = 2,
    BLK_F_RO = 5,
    BLK_F_BLK_SIZE = 6,
    BLK_F_FLUSH = 9,
    BLK_F_TOPOLOGY = 10,
    BLK_F_CONFIG_WCE = 11,
    BLK_F_MQ = 12,
    BLK_F_DISCARD = 13,
    BLK_F_WRITE_ZEROES = 14,
};

/* struct virtio_blk_config, §5.2.4, as far as the features offered need it. */
struct blk_config {
    u64 capacity;
    u32 size_max, seg_max;
    u8 geometry[4];
    u32 blk_size;
    u8 physical_block_exp, alignment_offset;
    u16 min_io_size;
    u32 opt_io_size;
    u8 writeback, unused;
    u16 num_queues;
    u32 max_discard_sectors, max_discard_seg, discard_sector_alignment;
    u32 max_write_zeroes_sectors, max_write_zeroes_seg;
    u8 write_zeroes_may_unmap, unused1[3];
};
_Static_assert(sizeof(struct blk_config) == 64, "config layout");
_Static_assert(offsetof(struct blk_config, writeback) == 32, "config layout");

static struct blk *blk_of(struct virtio *v)
{
    return container_of(v, struct blk, virtio);
}

/* --- what it is ------------------------------------------------------------------------------ */

static u64 blk_features(struct virtio *v)
{
    const struct blk *b = blk_of(v);
    u64 f = BIT64(BLK_F_SEG_MAX) | BIT64(BLK_F_BLK_SIZE) | BIT64(BLK_F_TOPOLOGY) |
            BIT64(BLK_F_FLUSH) | BIT64(BLK_F_CONFIG_WCE);

    f |= v->nqueues > 1 ? BIT64(BLK_F_MQ) : 0;
    return f |
           (b->rules.readonly ? BIT64(BLK_F_RO) : BIT64(BLK_F_DISCARD) | BIT64(BLK_F_WRITE_ZEROES));
}

static bool blk_negotiated(struct virtio *v, u64 features)
{
    struct blk_rules *r = &blk_of(v)->rules;

    r->flush = (features & BIT64(BLK_F_FLUSH)) != 0;
    r->discard = (features & BIT64(BLK_F_DISCARD)) != 0;
    r->write_zeroes = (features & BIT64(BLK_F_WRITE_ZEROES)) != 0;
    return true;
}

static void blk_config_read(struct virtio *v, u32 offset, void *buf, u32 len)
{
    const struct blk *b = blk_of(v);
    bool writable = !b->rules.readonly;
    struct blk_config c = {
        .capacity = b->disk.size / BLK_SECTOR,
        .seg_max = MIN((u32)v->queue_max, (u32)VIRTQ_SEGMENTS) - 2, /* header and status */
        .blk_size = BLK_SECTOR,
        .physical_block_exp = PAGE_EXP,
        .min_io_size = PAGE_BLKS,
        .writeback = (u8)atomic_load(&b->writeback),
        .num_queues = (u16)v->nqueues,
        .max_discard_sectors = writable ? UINT32_MAX : 0,
        .max_discard_seg = writable ? BLK_RANGES_MAX : 0,
        .discard_sector_alignment = writable ? PAGE_BLKS : 0,
        .max_write_zeroes_sectors = writable ? UINT32_MAX : 0,
        .max_write_zeroes_seg = writable ? BLK_RANGES_MAX : 0,
        .write_zeroes_may_unmap = writable,
    };

    memcpy(buf, (const u8 *)&c + offset, len);
}

/*
 * The driver says whether it wants to flush. Nothing depends on it: what was written is in RAM,
 * which is all that there is.
 */
static void blk_config_write(struct virtio *v, u32 offset, const void *buf, u32 len)
{
    const u32 at = offsetof(struct blk_config, writeback);

    if (!virtio_has(v, BLK_F_CONFIG_WCE) || offset > at || len <= at - offset) {
        counter_inc(&v->ignored);
        return;
    }
    atomic_store(&blk_of(v)->writeback, ((const u8 *)buf)[at - offset] & 1u);
}

/* --- what it does ---------------------------------------------------------------------------- */

/* The next request, or what is left of the one before; EMPTY: there's none. */
static enum virtq_result take(struct blk_queue *bq, struct virtq *q, s32 *budget)
{
    struct blk *b = bq->blk;
    enum virtq_result r;

    if (bq->busy) {
        return VIRTQ_OK;
    }
    r = virtq_pop(q, &bq->request.chain);
    if (r == VIRTQ_OK && !blk_request_begin(&bq->request, &b->disk, &b->rules, budget)) {
        q->why = "a request without header or status"; /* rule 28 */
        return VIRTQ_BROKEN;
    }
    return r;
}

/* True: there may be more. Lock held, running. */
static bool do_requests(struct blk_queue *bq, struct virtq *q)
{
    struct blk *b = bq->blk;
    s32 budget = BURST;

    bq->busy &= q->ready;
    while (budget > 0) {
        enum virtq_result r = take(bq, q, &budget);

        if (r == VIRTQ_BROKEN) {
            virtio_broken(&b->virtio, q->why);
            return false;
        }
        if (r == VIRTQ_OK) {
            bq->busy = !blk_request_run(&bq->request, &b->disk, &budget);
            if (bq->busy) {
                return true;
            }
            virtq_push(q, &bq->request.chain, bq->request.written);
        }
        if (virtq_known(q)) {
            virtq_disable_notify(q);
        } else if (!virtq_enable_notify(q)) {
            return false;
        }
    }
    return true;
}

/* Lock held, running. */
static void burst(struct blk_queue *bq, struct virtq *q)
{
    bq->deferred = do_requests(bq, q);
    if (bq->deferred) {
        virtq_disable_notify(q); /* nobody listens until the work has done the rest */
    }
    if (virtq_publish(q)) {
        virtio_interrupt(&bq->blk->virtio);
    }
}

static bool blk_work(struct work *w)
{
    struct blk_queue *bq = container_of(w, struct blk_queue, work);
    struct virtq *q = &bq->blk->virtio.queue[bq->index];
    bool more;

    spin_lock(&q->lock);
    if (virtio_running(&bq->blk->virtio)) {
        burst(bq, q);
    }
    more = bq->deferred;
    spin_unlock(&q->lock);
    return more;
}

static void blk_notify(struct virtio *v, u32 queue)
{
    struct blk_queue *bq = &blk_of(v)->queue[queue];
    struct virtq *q = &v->queue[queue];
    bool defer = false;

    spin_lock(&q->lock);
    if (!bq->deferred && virtio_running(v) && virtq_look(q)) {
        burst(bq, q);
        defer = bq->deferred;
    }
    spin_unlock(&q->lock);
    if (defer) {
        work_queue(arch_pcpu(), &bq->work);
    }
}

static void blk_reset(struct virtio *v)
{
    struct blk *b = blk_of(v);

    for (u32 i = 0; i < v->nqueues; i++) {
        spin_lock(&v->queue[i].lock);
        b->queue[i].busy = false;
        b->queue[i].deferred = false;
        spin_unlock(&v->queue[i].lock);
    }
    atomic_store(&b->writeback, 0u);
}

static const struct virtio_ops blk_ops = {
    .device_id = BLK_ID,
    .features = blk_features,
    .negotiated = blk_negotiated,
    .config_read = blk_config_read,
    .config_write = blk_config_write,
    .config_size = sizeof(struct blk_config),
    .notify = blk_notify,
    .reset = blk_reset,
};

/* --- creation -------------------------------------------------------------------------------- */

static bool make_disk(struct blk *b, const struct vm *vm, const struct vdev_conf *conf)
{
    const struct blk_opts *o = conf->opts;
    const struct bundle_file *file = &o->hostdev.file;
    u64 size = o->ramdisk != 0 ? o->ramdisk : file->size;
    u64 ram = b->rules.readonly ? 0 : o->cow != 0 ? MIN(o->cow, size) : size;

    if (disk_init(&b->disk, size, o->ramdisk != 0 ? NULL : file->data, ram)) {
        return true;
    }
    log_err("%s: the disk at 0x%llx needs %llu KiB of RAM: %llu KiB are free, the largest piece "
            "has %llu KiB",
            vm->name, (unsigned long long)conf->loc, (unsigned long long)(ram / KIB),
            (unsigned long long)(page_free() / KIB),
            (unsigned long long)(page_largest(PAGE_SIZE) / KIB));
    return false;
}

static void make_rules(struct blk_rules *r, const struct vdev_conf *conf)
{
    const struct blk_opts *o = conf->opts;
    struct str id = o->serial.len > 0 ? o->serial : conf->name;

    r->readonly = o->readonly || o->hostdev.mark == '<';
    memcpy(r->id, id.p, MIN(id.len, (u32)BLK_SERIAL_LEN));
}

struct vdev *blk_create(struct vm *vm, const struct vdev_conf *conf)
{
    const struct blk_opts *o = conf->opts;
    u32 queues = o->queues != 0 ? o->queues : MIN(vm->cfg->ncpus, (u32)BLK_QUEUES_MAX);
    struct blk *b = page_alloc(sizeof(*b) + queues * sizeof(b->queue[0]));

    if (b == NULL) {
        return NULL;
    }
    b->virtio.nqueues = queues;
    b->virtio.queue_max = (u16)o->qsize;
    b->virtio.packed = o->packed;
    b->virtio.legacy = o->legacy;
    for (u32 i = 0; i < queues; i++) {
        b->queue[i].blk = b;
        b->queue[i].index = i;
        b->queue[i].work.fn = blk_work;
    }
    make_rules(&b->rules, conf);
    if (!make_disk(b, vm, conf) || !virtio_mmio_init(&b->virtio, vm, conf, &blk_ops)) {
        return NULL;
    }
    return &b->virtio.dev;
}
