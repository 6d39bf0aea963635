/* SPDX-License-Identifier: MIT */
/* A device that counts; see toy.h. */
#include "tests/host/toy.h"

#include "core/page.h"
#include "core/panic.h"
#include "tests/host/driver.h"

#include <string.h>

#define TRANSPORT (F_VERSION_1 | F_INDIRECT | F_EVENT_IDX | F_DATA | F_PACKED | F_ANY)

struct toy_setup toy_setup;

static struct toy *toy_of(struct virtio *v)
{
    return container_of(v, struct toy, v);
}

static u64 toy_features(struct virtio *v)
{
    (void)v;
    return toy_setup.offered;
}

static bool toy_negotiated(struct virtio *v, u64 features)
{
    assert((features & ~(toy_setup.offered | TRANSPORT)) == 0);
    toy_of(v)->negotiated = features;
    return !toy_of(v)->refuse;
}

static void toy_read(struct virtio *v, u32 offset, void *buf, u32 len)
{
    assert(len <= 8 && offset + len <= TOY_CONFIG);
    memcpy(buf, toy_of(v)->config + offset, len);
}

static void toy_write(struct virtio *v, u32 offset, const void *buf, u32 len)
{
    assert(len <= 8 && offset + len <= TOY_CONFIG);
    memcpy(toy_of(v)->config + offset, buf, len);
}

static void toy_notify(struct virtio *v, u32 queue)
{
    assert(queue < TOY_QUEUES);
    toy_of(v)->notified[queue]++;
}

static void toy_start(struct virtio *v)
{
    assert(virtio_running(v));
    toy_of(v)->starts++;
}

static void toy_reset(struct virtio *v)
{
    for (u32 i = 0; i < TOY_QUEUES; i++) {
        toy_of(v)->alive += v->queue[i].ready;
    }
    toy_of(v)->resets++;
}

static const struct virtio_ops toy_ops = {
    .device_id = TOY_ID,
    .features = toy_features,
    .negotiated = toy_negotiated,
    .config_read = toy_read,
    .config_write = toy_write,
    .config_size = TOY_CONFIG,
    .notify = toy_notify,
    .start = toy_start,
    .reset = toy_reset,
};

static struct vdev *toy_create(struct vm *vm, const struct vdev_conf *conf)
{
    struct toy *t = page_alloc(sizeof(*t));

    assert(t != NULL);
    t->v.nqueues = TOY_QUEUES;
    t->v.queue_max = toy_setup.queue_max;
    t->v.packed = toy_setup.packed;
    t->v.legacy = toy_setup.legacy;
    assert(virtio_mmio_init(&t->v, vm, conf, &toy_ops));
    return &t->v.dev;
}

const struct vdev_type toy_type = {
    .name = "toy",
    .mmio_size = 0x1000,
    .create = toy_create,
};
