/* SPDX-License-Identifier: MIT */
/*
 * The virtio-mmio transport (VIRTIO 1.2 §4.2): registers, the status machine, the interrupt line;
 * what only version 1 has is in mmio_legacy.c. It knows no device type; devices know no register.
 * Locks: v->lock for everything that configures, v->irq_lock for status, interrupt status and the
 * line; a notification takes neither.
 */
#include "vdev/virtio/mmio_regs.h"

#include "core/log.h"
#include "core/panic.h"
#include "core/vm.h"

#include <string.h>

#define MAGIC       0x74726976u /* "virt" */
#define VENDOR      0x4e544e4du /* "MNTN" */
#define DRIVER_BITS (VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FAILED)
#define ISR_USED    1u
#define ISR_CONFIG  2u
#define NO_SHM      UINT32_MAX
#define RINGS       (BIT64(VIRTIO_F_INDIRECT_DESC) | BIT64(VIRTIO_F_EVENT_IDX))
#define MODERN      (BIT64(VIRTIO_F_VERSION_1) | BIT64(VIRTIO_F_NOTIFICATION_DATA))

static u64 offered(struct virtio *v)
{
    u64 features = v->ops->features(v) | RINGS;

    if (v->legacy) {
        return (u32)(features | BIT(VIRTIO_F_ANY_LAYOUT));
    }
    return features | MODERN | (v->packed ? BIT64(VIRTIO_F_RING_PACKED) : 0);
}

/* --- interrupts ------------------------------------------------------------------------------ */

/* The line follows InterruptStatus. irq_lock is held. */
static void update_line(struct virtio *v)
{
    bool level = v->isr != 0;

    if (level != v->line) {
        v->line = level;
        vdev_irq(&v->dev, level);
    }
}

void virtio_interrupt(struct virtio *v)
{
    spin_lock(&v->irq_lock);
    if (virtio_running(v)) { /* rule 34 */
        atomic_store(&v->events, v->events + 1);
        atomic_store(&v->isr, v->isr | ISR_USED);
        update_line(v);
    }
    spin_unlock(&v->irq_lock);
}

void virtio_config_changed(struct virtio *v)
{
    spin_lock(&v->irq_lock);
    atomic_store(&v->generation, v->generation + 1);
    if (v->status & VIRTIO_DRIVER_OK) { /* rule 34 */
        atomic_store(&v->isr, v->isr | ISR_CONFIG);
        update_line(v);
    }
    spin_unlock(&v->irq_lock);
}

void virtio_broken(struct virtio *v, const char *why)
{
    bool first = false;

    spin_lock(&v->irq_lock);
    if (virtio_running(v)) {
        first = true;
        atomic_store(&v->status, v->status | VIRTIO_NEEDS_RESET);
        atomic_store(&v->isr, v->isr | ISR_CONFIG);
        update_line(v);
    }
    spin_unlock(&v->irq_lock);
    counter_inc(&v->breakage);
    if (first) { /* rule 41: vm_log limits it further */
        vm_log(v->dev.vm, LOG_WARN, "%s at 0x%llx: its driver broke a rule: %s",
               v->dev.conf->type->name, (unsigned long long)v->dev.conf->loc, why);
    }
}

static u32 read_isr(struct virtio *v)
{
    /* Events first: one that comes between the two loads counts as not seen. */
    atomic_store(&v->events_seen, atomic_load_acquire(&v->events));
    return atomic_load(&v->isr);
}

/*
 * Drivers should acknowledge before they look at the queues. For those that do it afterwards, an
 * event that arrived since InterruptStatus was last read raises the interrupt once more.
 */
static void write_ack(struct virtio *v, u32 value)
{
    spin_lock(&v->irq_lock);
    value &= v->isr;
    atomic_store(&v->isr, v->isr & ~value);
    if ((value & ISR_USED) && atomic_load(&v->events_seen) != v->events) {
        atomic_store(&v->events_seen, v->events);
        atomic_store(&v->isr, v->isr | ISR_USED);
    }
    update_line(v);
    spin_unlock(&v->irq_lock);
}

/* --- status machine -------------------------------------------------------------------------- */

/*
 * To power-on state. Once it returns nobody touches the driver's memory and the line is low: the
 * status says so to whoever comes, and passing through each queue's lock waits for whoever is in.
 * v->lock is held.
 */
static void do_reset(struct virtio *v)
{
    spin_lock(&v->irq_lock);
    atomic_store(&v->status, 0u);
    atomic_store(&v->isr, 0u);
    atomic_store(&v->events, 0u);
    atomic_store(&v->events_seen, 0u);
    update_line(v); /* rule 39 */
    spin_unlock(&v->irq_lock);
    for (u32 i = 0; i < v->nqueues; i++) {
        struct virtq *q = &v->queue[i];

        spin_lock(&q->lock); /* rule 33 */
        virtq_reset(q);
        spin_unlock(&q->lock);
    }
    v->ops->reset(v);
    atomic_store(&v->driver_features, 0ull);
    atomic_store(&v->notify_mask, UINT32_MAX);
    v->features_excess = false;
    v->features_sel = 0;
    v->driver_features_sel = 0;
    v->queue_sel = 0;
}

static bool features_fit(struct virtio *v)
{
    u64 f = v->driver_features;
    bool version_1 = (f & BIT64(VIRTIO_F_VERSION_1)) != 0;

    if (v->features_excess || (f & ~offered(v)) != 0 || version_1 == v->legacy) {
        return false;
    }
    return v->ops->negotiated == NULL || v->ops->negotiated(v, f);
}

static void start_queues(struct virtio *v)
{
    if (virtio_has(v, VIRTIO_F_NOTIFICATION_DATA)) { /* the index has the lower half (§2.9) */
        atomic_store(&v->notify_mask, 0xffffu);
    }
    for (u32 i = 0; i < v->nqueues; i++) {
        struct virtq *q = &v->queue[i];

        spin_lock(&q->lock);
        virtq_start(q, virtio_has(v, VIRTIO_F_INDIRECT_DESC), virtio_has(v, VIRTIO_F_EVENT_IDX));
        spin_unlock(&q->lock);
    }
}

static void add_status(struct virtio *v, u32 bits)
{
    spin_lock(&v->irq_lock);
    __atomic_store_n(&v->status, v->status | bits, __ATOMIC_RELEASE);
    spin_unlock(&v->irq_lock);
}

/*
 * From now on features are frozen, and queues can be made ready. Legacy drivers don't know that
 * bit: theirs are settled when they are done.
 */
static bool features_settled(const struct virtio *v)
{
    u32 bit = v->legacy ? VIRTIO_DRIVER_OK : VIRTIO_FEATURES_OK;

    return (atomic_load(&v->status) & bit) != 0;
}

/* What DRIVER_OK needs (rule 34). */
static bool may_drive(struct virtio *v)
{
    if (!v->legacy) {
        return features_settled(v);
    }
    return (atomic_load(&v->status) & VIRTIO_DRIVER) && features_fit(v);
}

/* Bits are only ever added, each when its turn has come; 0 resets (VIRTIO 1.2 §3.1.1). */
static void write_status(struct virtio *v, u32 value)
{
    u32 added = value & ~atomic_load(&v->status);

    if (value == 0) {
        do_reset(v);
        return;
    }
    add_status(v, added & DRIVER_BITS);
    if ((added & VIRTIO_FEATURES_OK) && !v->legacy && (atomic_load(&v->status) & VIRTIO_DRIVER) &&
        features_fit(v)) {
        add_status(v, VIRTIO_FEATURES_OK);
    }
    if ((added & VIRTIO_DRIVER_OK) && may_drive(v)) { /* rule 34 */
        start_queues(v);
        add_status(v, VIRTIO_DRIVER_OK);
        if (v->ops->start != NULL) {
            v->ops->start(v);
        }
    }
}

static void write_features(struct virtio *v, u32 value)
{
    u32 sel = v->driver_features_sel;

    if (features_settled(v)) { /* rule 36 */
        return;
    }
    if (v->legacy) { /* it can't refuse: features that aren't there are not accepted */
        value &= sel == 0 ? (u32)offered(v) : 0;
    }
    if (sel == 0) {
        atomic_store(&v->driver_features, (v->driver_features & ~0xffffffffull) | value);
    } else if (sel == 1) {
        atomic_store(&v->driver_features, (v->driver_features & 0xffffffffull) | (u64)value << 32);
    } else {
        v->features_excess |= value != 0;
    }
}

static u32 read_features(struct virtio *v)
{
    u32 sel = v->features_sel;

    return sel < 2 ? (u32)(offered(v) >> (32 * sel)) : 0;
}

/* --- queues ---------------------------------------------------------------------------------- */

static struct virtq *selected(struct virtio *v)
{
    u32 n = v->nqueues;

    if (v->queue_sel >= n) { /* rule 1 */
        return NULL;
    }
    return &v->queue[index_nospec(v->queue_sel, n)];
}

void virtio_mmio_ready(struct virtio *v, struct virtq *q, bool ready)
{
    bool ok = true;

    spin_lock(&q->lock);
    if (!ready) {
        virtq_deactivate(q);
    } else if (!q->ready) { /* rule 6: no second activation */
        u32 status = atomic_load(&v->status);
        u32 needs = v->legacy ? VIRTIO_DRIVER : VIRTIO_FEATURES_OK;

        ok = (status & needs) != 0 && (status & VIRTIO_DRIVER_OK) == 0 &&
             virtq_activate(q, virtio_has(v, VIRTIO_F_RING_PACKED)); /* rule 6 */
    }
    spin_unlock(&q->lock);
    if (!ok) {
        counter_inc(&v->ignored);
    }
}

static void set_half(u64 *address, bool high, u32 value)
{
    u32 shift = high ? 32 : 0;

    *address = (*address & ~(0xffffffffull << shift)) | (u64)value << shift;
}

static void write_queue(struct virtio *v, u32 offset, u32 value)
{
    struct virtq *q = selected(v);

    if (q == NULL) {
        counter_inc(&v->ignored);
        return;
    }
    if (offset == QUEUE_READY) {
        virtio_mmio_ready(v, q, (value & 1) != 0);
        return;
    }
    if (q->ready) { /* rule 8 */
        counter_inc(&v->ignored);
        return;
    }
    switch (offset) {
    case QUEUE_SIZE:
        virtio_mmio_size(q, value);
        break;
    case QUEUE_DESC_LOW:
    case QUEUE_DESC_HIGH:
        set_half(&q->desc_addr, offset == QUEUE_DESC_HIGH, value);
        break;
    case QUEUE_DRIVER_LOW:
    case QUEUE_DRIVER_HIGH:
        set_half(&q->avail_addr, offset == QUEUE_DRIVER_HIGH, value);
        break;
    default:
        set_half(&q->used_addr, offset == QUEUE_DEVICE_HIGH, value);
        break;
    }
}

static void write_notify(struct virtio *v, u32 value)
{
    u32 n = v->nqueues;

    /* What else NOTIFICATION_DATA says we know better: from the ring. */
    value &= atomic_load(&v->notify_mask);
    if (unlikely(value >= n || !virtio_running(v))) { /* rule 35 */
        counter_inc(&v->ignored);
        return;
    }
    v->ops->notify(v, index_nospec(value, n));
}

/* --- registers ---------------------------------------------------------------------------------
 */

/* Split rings have powers of two only (§2.7). */
static u32 size_max(struct virtio *v, const struct virtq *q)
{
    return virtio_has(v, VIRTIO_F_RING_PACKED) ? q->max : 1u << (31 - __builtin_clz(q->max));
}

static u32 read_locked(struct virtio *v, u32 offset)
{
    struct virtq *q = selected(v);

    switch (offset) {
    case DEVICE_FEATURES:
        return read_features(v);
    case QUEUE_SIZE_MAX:
        return q != NULL ? size_max(v, q) : 0;
    case QUEUE_READY:
        return !v->legacy && q != NULL && q->ready;
    default:
        return v->legacy ? mmio_legacy_read(v, q, offset) : 0;
    }
}

static u32 read_register(struct virtio *v, u32 offset)
{
    u32 value;

    switch (offset) {
    case MAGIC_VALUE:
        return MAGIC;
    case VERSION:
        return v->legacy ? 1 : 2;
    case DEVICE_ID:
        return v->ops->device_id;
    case VENDOR_ID:
        return VENDOR;
    case INTERRUPT_STATUS:
        return read_isr(v);
    case STATUS:
        return atomic_load_acquire(&v->status);
    case CONFIG_GENERATION:
        return v->legacy ? 0 : atomic_load_acquire(&v->generation);
    case SHM_LEN_LOW:
    case SHM_LEN_HIGH:
    case SHM_BASE_LOW:
    case SHM_BASE_HIGH:
        return v->legacy ? 0 : NO_SHM;
    case DEVICE_FEATURES:
    case QUEUE_SIZE_MAX:
    case QUEUE_READY:
    case QUEUE_PFN:
        spin_lock(&v->lock);
        value = read_locked(v, offset);
        spin_unlock(&v->lock);
        return value;
    default:
        return 0;
    }
}

/* Registers of version 2. */
static void write_modern(struct virtio *v, u32 offset, u32 value)
{
    switch (offset) {
    case QUEUE_SIZE:
    case QUEUE_READY:
    case QUEUE_DESC_LOW:
    case QUEUE_DESC_HIGH:
    case QUEUE_DRIVER_LOW:
    case QUEUE_DRIVER_HIGH:
    case QUEUE_DEVICE_LOW:
    case QUEUE_DEVICE_HIGH:
        write_queue(v, offset, value);
        break;
    default:
        counter_inc(&v->ignored);
        break;
    }
}

static void write_locked(struct virtio *v, u32 offset, u32 value)
{
    switch (offset) {
    case DEVICE_FEATURES_SEL:
        v->features_sel = value;
        break;
    case DRIVER_FEATURES:
        write_features(v, value);
        break;
    case DRIVER_FEATURES_SEL:
        v->driver_features_sel = value;
        break;
    case QUEUE_SEL:
        v->queue_sel = value;
        break;
    case STATUS:
        write_status(v, value);
        break;
    default:
        if (v->legacy) {
            mmio_legacy_write(v, selected(v), offset, value);
        } else {
            write_modern(v, offset, value);
        }
        break;
    }
}

/* Bytes of config space; those beyond its end read as zero. */
static u64 read_config(struct virtio *v, u32 offset, u32 size)
{
    u64 value = 0;

    if (offset < v->ops->config_size) { /* rule 38 */
        v->ops->config_read(v, offset, &value, MIN(size, v->ops->config_size - offset));
    }
    return value;
}

static void write_config(struct virtio *v, u32 offset, u32 size, u64 value)
{
    if (v->ops->config_write == NULL || offset >= v->ops->config_size) { /* rule 38 */
        counter_inc(&v->ignored);
        return;
    }
    v->ops->config_write(v, offset, &value, MIN(size, v->ops->config_size - offset));
}

/* Registers are 32 bits wide and accessed whole; only config space takes other sizes. */
static bool is_register(u64 offset, u32 size)
{
    return size == 4 && (offset & 3) == 0;
}

static u64 mmio_read(struct vdev *d, struct vcpu *vcpu, u32 region, u64 offset, u32 size)
{
    struct virtio *v = container_of(d, struct virtio, dev);

    (void)vcpu;
    (void)region;
    if (offset >= CONFIG) {
        return read_config(v, (u32)offset - CONFIG, size);
    }
    if (!is_register(offset, size)) {
        counter_inc(&v->ignored);
        return 0;
    }
    return read_register(v, (u32)offset);
}

static void mmio_write(struct vdev *d, struct vcpu *vcpu, u32 region, u64 offset, u32 size,
                       u64 value)
{
    struct virtio *v = container_of(d, struct virtio, dev);

    (void)vcpu;
    (void)region;
    if (likely(offset == QUEUE_NOTIFY && size == 4)) {
        write_notify(v, (u32)value);
    } else if (offset >= CONFIG) {
        write_config(v, (u32)offset - CONFIG, size, value);
    } else if (!is_register(offset, size)) {
        counter_inc(&v->ignored);
    } else if (offset == INTERRUPT_ACK) {
        write_ack(v, (u32)value);
    } else {
        spin_lock(&v->lock);
        write_locked(v, (u32)offset, (u32)value);
        spin_unlock(&v->lock);
    }
}

static void mmio_reset(struct vdev *d)
{
    struct virtio *v = container_of(d, struct virtio, dev);

    spin_lock(&v->lock);
    do_reset(v);
    mmio_legacy_reset(v);
    spin_unlock(&v->lock);
}

static void mmio_show(struct vdev *d, void (*print)(const char *fmt, ...))
{
    struct virtio *v = container_of(d, struct virtio, dev);

    if (v->ops->show != NULL) {
        v->ops->show(v, print);
    }
}

static const struct vdev_ops mmio_ops = {
    .read = mmio_read,
    .write = mmio_write,
    .reset = mmio_reset,
    .show = mmio_show,
};

bool virtio_mmio_init(struct virtio *v, struct vm *vm, const struct vdev_conf *conf,
                      const struct virtio_ops *ops)
{
    assert(v->nqueues <= VIRTIO_QUEUES);
    v->dev.ops = &mmio_ops;
    v->dev.conf = conf;
    v->dev.vm = vm;
    v->dev.intid = conf->intid;
    v->ops = ops;
    v->notify_mask = UINT32_MAX;
    mmio_legacy_reset(v);
    spin_init(&v->lock, LOCK_TRANSPORT);
    spin_init(&v->irq_lock, LOCK_DEVICE);
    for (u32 i = 0; i < v->nqueues; i++) {
        bool rx = (v->rx_queues >> i & 1) != 0;

        virtq_init(&v->queue[i], &vm->mem, v->queue_max, rx ? LOCK_QUEUE_RX : LOCK_QUEUE_TX);
    }
    return mmio_add(&vm->mmio, conf->loc, conf->type->mmio_size, &v->dev, 0);
}
