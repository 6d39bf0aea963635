/* SPDX-License-Identifier: MIT */
/*
 * The shmem device: a factory page, through which a guest attaches to regions by name, and for each
 * region a control page with the doorbells and, behind it, the data. Registers are QNX's
 * (guest_shm.h). Data pages are memory in the guest's stage 2 while it is attached; whatever else
 * is touched of the window traps and ends here: the control pages, and what isn't there.
 *
 * A region, once made, stays as it is until the board is reset: VMs come and go as its clients.
 *
 * Locks: the device's (LOCK_SHMEM) for its registers and slots; then the region's (LOCK_REGION) for
 * its clients; then the line's (LOCK_DEVICE), which a neighbour that notifies takes, too.
 */
#include "vdev/shmem.h"

#include "core/arch.h"
#include "core/gmem.h"
#include "core/log.h"
#include "core/mmio.h"
#include "core/page.h"
#include "core/spinlock.h"
#include "core/str.h"
#include "core/vm.h"

#include <string.h>

#define SIGNATURE 0x4d534732474d5651ull
#define NOWHERE   UINT64_MAX /* `shmem` while no region was got */
#define ABSENT    UINT64_MAX /* what is read where nothing is */

enum { WINDOW_FACTORY, WINDOW_REGIONS };

/* Offsets in the factory page; it ends at FACTORY_SIZE. */
enum {
    FACTORY_SIGNATURE = 0,
    FACTORY_SHMEM = 8,
    FACTORY_VECTOR = 16,
    FACTORY_STATUS = 20,
    FACTORY_REGION_SIZE = 24,
    FACTORY_NAME = 28,
    FACTORY_FIND = 60,
    FACTORY_SIZE = 64,
};

/* Offsets in a control page. */
enum {
    CONTROL_STATUS = 0,
    CONTROL_INDEX = 4,
    CONTROL_NOTIFY = 8,
    CONTROL_DETACH = 12,
    CONTROL_SIZE = 16,
};

enum status {
    STATUS_OK,
    STATUS_UNKNOWN_FAILURE,
    STATUS_NO_MEMORY,
    STATUS_CLIENT_MAX,
    STATUS_ILLEGAL_NAME,
    STATUS_NO_PERMISSION,
    STATUS_DOES_NOT_EXIST,
};

struct client {
    struct shmem *dev; /* NULL: this index is free */
    u16 pending;       /* who notified it since it last read its status */
    bool changed;      /* others came or went since then */
};

/* One for each region of the plan, by the same index. */
struct region {
    hpa_t host; /* fixed from here … */
    u64 size;
    const struct vdev_conf *owner; /* of a spare one: whose guest may name it */
    char name[SHMEM_NAME];         /* … to here; a spare one's is fixed once it's set */
    struct spinlock lock;          /* LOCK_REGION; covers the fields below */
    u16 live;                      /* a bit for each client */
    struct client client[SHMEM_CLIENTS];
};

/* What a device has of a region. */
struct slot {
    u64 control; /* guest-physical: the control page; 0: the VM may never have this region */
    u32 index;   /* of its client, if attached */
    bool attached;
    char name[SHMEM_NAME]; /* by which the guest attached */
};

struct shmem {
    struct vdev dev;
    const struct shmem_opts *opts;
    struct spinlock lock; /* LOCK_SHMEM; covers the fields from here … */
    u64 shmem;            /* registers of the factory page */
    u32 status, size;
    char name[SHMEM_NAME];
    struct slot slot[SHMEM_REGIONS];
    u64 attaches, refusals, doorbells; /* … to here */
    struct spinlock line_lock;         /* LOCK_DEVICE; covers the fields below */
    u32 raised;                        /* a bit for each region that has something to say */
    bool line;
};

static struct region *regions; /* shmem_plan.count of them, once there's a device */
static struct spinlock names_lock = SPINLOCK_INIT(LOCK_REGION); /* names of spare regions */

static struct shmem *shmem_of(struct vdev *d)
{
    return container_of(d, struct shmem, dev);
}

/* --- interrupt -------------------------------------------------------------------------------- */

/* Whether region number n has something to say to s. */
static void line_set(struct shmem *s, u32 n, bool raised)
{
    bool level;

    spin_lock(&s->line_lock);
    s->raised = raised ? s->raised | BIT(n) : s->raised & ~BIT(n);
    level = s->raised != 0;
    if (level != s->line) {
        s->line = level;
        vdev_irq(&s->dev, level);
    }
    spin_unlock(&s->line_lock);
}

/* With r->lock: a client came or went, which all others are told. */
static void tell_others(struct region *r, u32 self)
{
    for (u32 i = 0; i < SHMEM_CLIENTS; i++) {
        if (i != self && r->client[i].dev != NULL) {
            r->client[i].changed = true;
            line_set(r->client[i].dev, (u32)(r - regions), true);
        }
    }
}

/* --- clients of a region ---------------------------------------------------------------------- */

/* A free index, taken for s; SHMEM_CLIENTS: there's none. Nobody sees the new client yet. */
static u32 client_take(struct region *r, struct shmem *s)
{
    u32 i = 0;

    spin_lock(&r->lock);
    while (i < SHMEM_CLIENTS && r->client[i].dev != NULL) {
        i++;
    }
    if (i < SHMEM_CLIENTS) {
        r->client[i] = (struct client){.dev = s};
    }
    spin_unlock(&r->lock);
    return i;
}

static void client_announce(struct region *r, u32 i)
{
    spin_lock(&r->lock);
    r->live |= (u16)BIT(i);
    tell_others(r, i);
    spin_unlock(&r->lock);
}

static void client_leave(struct region *r, u32 i)
{
    spin_lock(&r->lock);
    line_set(r->client[i].dev, (u32)(r - regions), false);
    r->client[i].dev = NULL;
    if ((r->live & BIT(i)) != 0) {
        r->live &= (u16)~BIT(i);
        tell_others(r, i);
    }
    spin_unlock(&r->lock);
}

/* --- attaching: s->lock is held --------------------------------------------------------------- */

/* The region `name`; makes one of s's spare ones if there's none and `create`; or its count. */
static u32 region_find(const struct shmem *s, const char name[SHMEM_NAME], u64 create)
{
    u32 n = 0, spare = shmem_plan.count;

    spin_lock(&names_lock);
    while (n < shmem_plan.count && memcmp(regions[n].name, name, SHMEM_NAME) != 0) {
        if (regions[n].name[0] == '\0' && regions[n].owner == s->dev.conf &&
            regions[n].size >= create) {
            spare = n;
        }
        n++;
    }
    if (n == shmem_plan.count && create != 0 && spare < n) {
        memcpy(regions[spare].name, name, SHMEM_NAME);
        n = spare;
    }
    spin_unlock(&names_lock);
    return n;
}

static enum status attach(struct shmem *s, struct region *r, struct slot *slot)
{
    u32 i;

    if (slot->control == 0) {
        return STATUS_NO_PERMISSION;
    }
    if (slot->attached) {
        return STATUS_OK; /* again, as a driver that starts anew does: the same connection */
    }
    i = client_take(r, s);
    if (i == SHMEM_CLIENTS) {
        return STATUS_CLIENT_MAX;
    }
    if (!arch_s2_map(s->dev.vm, gpa(slot->control + PAGE_SIZE), r->host, r->size, S2_RW)) {
        client_leave(r, i);
        return STATUS_UNKNOWN_FAILURE;
    }
    slot->attached = true;
    slot->index = i;
    s->attaches++;
    client_announce(r, i);
    return STATUS_OK;
}

/* The guest's access ends before anybody else can have its index. */
static void detach(struct shmem *s, u32 n)
{
    struct slot *slot = &s->slot[n];
    struct region *r = &regions[n];

    if (slot->attached) {
        slot->attached = false;
        (void)!arch_s2_map(s->dev.vm, gpa(slot->control + PAGE_SIZE), r->host, r->size, S2_NONE);
        client_leave(r, slot->index);
    }
}

static void got(struct shmem *s, u32 n)
{
    s->shmem = s->slot[n].control;
    s->size = (u32)(regions[n].size >> PAGE_SHIFT);
}

/* The guest wrote the size: it wants the region of that name, or a new one of so many pages. */
static enum status factory_create(struct shmem *s, u32 pages)
{
    struct str asked = {s->name, (u32)strnlen(s->name, SHMEM_NAME)};
    char name[SHMEM_NAME];
    enum status status;
    u32 n;

    if (!shmem_name_ok(asked) || !shmem_translate(s->opts, asked, name)) {
        return STATUS_ILLEGAL_NAME;
    }
    if (!shmem_allowed(s->opts, str_of(name))) {
        return STATUS_NO_PERMISSION;
    }
    n = region_find(s, name, (u64)pages << PAGE_SHIFT);
    if (n == shmem_plan.count) {
        return pages == 0 ? STATUS_UNKNOWN_FAILURE : STATUS_NO_MEMORY;
    }
    status = attach(s, &regions[n], &s->slot[n]);
    if (status == STATUS_OK) {
        memcpy(s->slot[n].name, s->name, SHMEM_NAME);
        got(s, n);
    }
    return status;
}

/* The guest wants to know of its connection number `find`, counted from 0. */
static enum status factory_find(struct shmem *s, u32 find)
{
    for (u32 n = 0; n < shmem_plan.count; n++) {
        if (s->slot[n].attached && find-- == 0) {
            memcpy(s->name, s->slot[n].name, SHMEM_NAME);
            got(s, n);
            return STATUS_OK;
        }
    }
    return STATUS_DOES_NOT_EXIST;
}

/* --- registers -------------------------------------------------------------------------------- */

/* `size` bytes of a page of registers, of which `image` has the first. */
static u64 image_read(const u8 *image, u64 image_size, u64 offset, u32 size)
{
    u64 value = 0;

    if (offset < image_size) {
        memcpy(&value, image + offset, (size_t)MIN((u64)size, image_size - offset));
    }
    return value;
}

static u64 factory_read(struct shmem *s, u64 offset, u32 size)
{
    u8 image[FACTORY_SIZE] = {0};
    u64 signature = SIGNATURE;

    memcpy(image + FACTORY_SIGNATURE, &signature, sizeof(signature));
    memcpy(image + FACTORY_SHMEM, &s->shmem, sizeof(s->shmem));
    memcpy(image + FACTORY_VECTOR, &s->dev.intid, sizeof(s->dev.intid));
    memcpy(image + FACTORY_STATUS, &s->status, sizeof(s->status));
    memcpy(image + FACTORY_REGION_SIZE, &s->size, sizeof(s->size));
    memcpy(image + FACTORY_NAME, s->name, SHMEM_NAME);
    return image_read(image, sizeof(image), offset, size);
}

/* The name is memory: drivers copy it in whatever pieces they like. */
static void name_write(struct shmem *s, u64 offset, u32 size, u64 value)
{
    for (u32 i = 0; i < size; i++) {
        u64 at = offset + i - FACTORY_NAME; /* wraps, and so is too large, below it */

        if (at < SHMEM_NAME) {
            s->name[at] = (char)(value >> (8 * i));
        }
    }
}

static void factory_write(struct shmem *s, u64 offset, u32 size, u64 value)
{
    bool create = offset == FACTORY_REGION_SIZE && size >= 4;

    name_write(s, offset, size, value);
    if (!create && (offset != FACTORY_FIND || size < 4)) {
        return;
    }
    s->status = create ? factory_create(s, (u32)value) : factory_find(s, (u32)value);
    if (s->status != STATUS_OK) {
        s->shmem = NOWHERE;
        s->refusals++;
    }
}

/* The region whose control page this is, if it's attached; else their count. */
static u32 control_of(const struct shmem *s, u64 addr)
{
    u32 n = 0;

    while (n < shmem_plan.count &&
           (!s->slot[n].attached || addr - s->slot[n].control >= PAGE_SIZE)) {
        n++;
    }
    return n;
}

/* Reading the status is the acknowledgement. */
static u32 status_take(struct shmem *s, u32 n, bool acknowledge)
{
    struct region *r = &regions[n];
    struct client *c = &r->client[s->slot[n].index];
    u32 status;

    spin_lock(&r->lock);
    status = (u32)r->live << 16 | c->pending;
    if (acknowledge) {
        c->pending = 0;
        c->changed = false;
        line_set(s, n, false);
    }
    spin_unlock(&r->lock);
    return status;
}

static u64 control_read(struct shmem *s, u32 n, u64 offset, u32 size)
{
    u32 image[CONTROL_SIZE / 4] = {0};

    if (offset < CONTROL_NOTIFY) {
        image[0] = status_take(s, n, offset == CONTROL_STATUS && size >= 4);
        image[1] = s->slot[n].index;
    }
    return image_read((const u8 *)image, sizeof(image), offset, size);
}

/* All ones mean everybody else; else it may be among those that are notified. */
static void notify(struct shmem *s, u32 n, u32 who)
{
    struct region *r = &regions[n];
    u32 self = s->slot[n].index;

    if (who == UINT32_MAX) {
        who &= ~BIT(self);
    }
    s->doorbells++;
    spin_lock(&r->lock);
    for (u32 i = 0; i < SHMEM_CLIENTS; i++) {
        if ((who & r->live & BIT(i)) != 0) {
            r->client[i].pending |= (u16)BIT(self);
            line_set(r->client[i].dev, n, true);
        }
    }
    spin_unlock(&r->lock);
}

static void control_write(struct shmem *s, u32 n, u64 offset, u32 size, u64 value)
{
    if (offset == CONTROL_NOTIFY && size >= 4) {
        notify(s, n, (u32)value);
    }
    if ((offset == CONTROL_DETACH && size >= 4) || (offset == CONTROL_NOTIFY && size == 8)) {
        detach(s, n);
    }
}

static u64 shmem_read(struct vdev *d, struct vcpu *v, u32 window, u64 offset, u32 size)
{
    struct shmem *s = shmem_of(d);
    u64 value = ABSENT, addr = d->conf->window + offset;
    u32 n;

    (void)v;
    spin_lock(&s->lock);
    if (window == WINDOW_FACTORY) {
        value = factory_read(s, offset, size);
    } else {
        n = control_of(s, addr);
        if (n < shmem_plan.count) {
            value = control_read(s, n, addr - s->slot[n].control, size);
        }
    }
    spin_unlock(&s->lock);
    return value;
}

static void shmem_write(struct vdev *d, struct vcpu *v, u32 window, u64 offset, u32 size, u64 value)
{
    struct shmem *s = shmem_of(d);
    u64 addr = d->conf->window + offset;
    u32 n;

    (void)v;
    spin_lock(&s->lock);
    if (window == WINDOW_FACTORY) {
        factory_write(s, offset, size, value);
    } else {
        n = control_of(s, addr);
        if (n < shmem_plan.count) {
            control_write(s, n, addr - s->slot[n].control, size, value);
        }
    }
    spin_unlock(&s->lock);
}

/* Its VM stopped, or is about to start: the others see it leave, what the regions hold stays. */
static void shmem_reset(struct vdev *d)
{
    struct shmem *s = shmem_of(d);

    spin_lock(&s->lock);
    for (u32 n = 0; n < shmem_plan.count; n++) {
        detach(s, n);
    }
    s->shmem = NOWHERE;
    s->status = STATUS_OK;
    s->size = 0;
    memset(s->name, 0, sizeof(s->name));
    spin_unlock(&s->lock);
}

static void show_region(const struct slot *slot, struct region *r, void (*print)(const char *, ...))
{
    struct client c = {0};
    u16 live;

    spin_lock(&r->lock);
    live = r->live;
    if (slot->attached) {
        c = r->client[slot->index];
    }
    spin_unlock(&r->lock);
    print("    region %s, %llu KiB at 0x%llx: clients 0x%x", r->name,
          (unsigned long long)(r->size / KIB), (unsigned long long)(slot->control + PAGE_SIZE),
          live);
    if (slot->attached) {
        print(", of which this is %u; notified by 0x%x%s", slot->index, c.pending,
              c.changed ? ", others came or went" : "");
    }
    print("\n");
}

static void shmem_show(struct vdev *d, void (*print)(const char *fmt, ...))
{
    struct shmem *s = shmem_of(d);

    spin_lock(&s->lock);
    print("  shmem at 0x%llx: interrupt %s; attached %llu times, refused %llu, notified others "
          "%llu\n",
          (unsigned long long)d->conf->loc, s->line ? "high" : "low",
          (unsigned long long)s->attaches, (unsigned long long)s->refusals,
          (unsigned long long)s->doorbells);
    for (u32 n = 0; n < shmem_plan.count; n++) {
        if (s->slot[n].control != 0 && regions[n].name[0] != '\0') {
            show_region(&s->slot[n], &regions[n], print);
        }
    }
    spin_unlock(&s->lock);
}

static const struct vdev_ops ops = {
    .read = shmem_read,
    .write = shmem_write,
    .reset = shmem_reset,
    .show = shmem_show,
};

/* --- boot ------------------------------------------------------------------------------------- */

/* Memory that no VM has written to, and no cache holds back from one with its caches off. */
static bool region_make(struct region *r, const struct shmem_plan_region *plan)
{
    u64 align = plan->size >= 2 * (u64)MIB ? 2 * (u64)MIB : PAGE_SIZE;

    if (r->host != 0) {
        return true;
    }
    if (!page_alloc_guest(plan->size, align, &r->host)) {
        log_err("shmem: no room for region '%.*s' of %llu KiB: the largest free piece has %llu KiB",
                STR_ARG(plan->name), (unsigned long long)(plan->size / KIB),
                (unsigned long long)(page_largest(align) / KIB));
        return false;
    }
    memset((void *)(uintptr_t)r->host, 0, (size_t)plan->size);
    arch_clean_dcache((void *)(uintptr_t)r->host, (size_t)plan->size);
    spin_init(&r->lock, LOCK_REGION);
    r->size = plan->size;
    r->owner = plan->name.len == 0 ? plan->conf : NULL;
    memcpy(r->name, plan->name.p, plan->name.len);
    return true;
}

static bool regions_make(void)
{
    bool made = true;

    if (regions == NULL) {
        regions = page_alloc(sizeof(*regions) * MAX(shmem_plan.count, 1u));
    }
    for (u32 n = 0; n < shmem_plan.count && regions != NULL && made; n++) {
        made = region_make(&regions[n], &shmem_plan.region[n]);
    }
    return regions != NULL && made;
}

/* Mapped and taken away again: from now on attaching needs no memory for tables. */
static bool make_slot(struct shmem *s, u32 n, u64 *end)
{
    struct slot *slot = &s->slot[n];
    struct region *r = &regions[n];
    gpa_t data;
    u64 control;

    if (!shmem_place(s->opts, &shmem_plan.region[n], end, &control)) {
        return true;
    }
    slot->control = s->dev.conf->window + control;
    data = gpa(slot->control + PAGE_SIZE);
    return arch_s2_map(s->dev.vm, data, r->host, r->size, S2_RW) &&
           arch_s2_map(s->dev.vm, data, r->host, r->size, S2_NONE);
}

struct vdev *shmem_create(struct vm *vm, const struct vdev_conf *conf)
{
    struct shmem *s;
    u64 end = 0;
    bool made = regions_make();

    s = page_alloc(sizeof(*s));
    if (s == NULL || !made || !mmio_add(&vm->mmio, conf->loc, PAGE_SIZE, &s->dev, WINDOW_FACTORY)) {
        return NULL;
    }
    s->dev = (struct vdev){.ops = &ops, .conf = conf, .vm = vm, .intid = conf->intid};
    s->opts = conf->opts;
    s->shmem = NOWHERE;
    spin_init(&s->lock, LOCK_SHMEM);
    spin_init(&s->line_lock, LOCK_DEVICE);
    if (conf->window == 0) {
        return &s->dev; /* no region is for it */
    }
    for (u32 n = 0; n < shmem_plan.count && made; n++) {
        made = make_slot(s, n, &end);
    }
    made = made && end <= conf->window_size &&
           mmio_add(&vm->mmio, conf->window, conf->window_size, &s->dev, WINDOW_REGIONS);
    return made ? &s->dev : NULL;
}

void shmem_forget_all(void)
{
    regions = NULL;
    shmem_plan.count = 0;
}

void shmem_forget_names(void)
{
    for (u32 n = 0; n < shmem_plan.count; n++) {
        if (regions[n].owner != NULL) {
            memset(regions[n].name, 0, SHMEM_NAME);
        }
    }
}
