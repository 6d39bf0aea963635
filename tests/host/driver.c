/* SPDX-License-Identifier: MIT */
/*
 * The guest's side, for tests of devices: see driver.h. Ring fields are accessed as a driver does,
 * with atomics, so that ThreadSanitizer sees what is ordered and what isn't.
 */
#include "tests/host/driver.h"

#include "core/atomic.h"
#include "core/page.h"
#include "core/panic.h"
#include "core/sched.h"
#include "tests/host/run.h"

#include <stdlib.h>
#include <string.h>

#define HOST_MEMORY  (64u * MIB)
#define LEGACY_PAGE  4096u
#define LEGACY_ALIGN 256u

/*
 * A device copies buffers that a hostile driver may be writing: that race is by design and ends in
 * the driver's own garbage. Everything else that ThreadSanitizer finds is a defect.
 */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return "race:^gmem_read$\nrace:^gmem_write$\nrace:^gmem_copy$\n";
}

void host_init(void)
{
    static bool done;
    void *p = NULL;

    if (done) {
        return;
    }
    done = true;
    assert(posix_memalign(&p, PAGE_SIZE, HOST_MEMORY) == 0);
    memset(p, 0xa5, HOST_MEMORY); /* as after a reset: nothing is zero by itself */
    page_add((hpa_t)(uintptr_t)p, HOST_MEMORY);
    sched_init(1);
}

u32 host_run_work(u32 budget)
{
    u32 ran = 0;

    while (ran < budget && run_work()) {
        ran++;
    }
    return ran;
}

/* --- the VM ---------------------------------------------------------------------------------- */

static void fake_set_line(struct vm *vm, struct vcpu *v, u32 intid, bool level)
{
    struct guest *g = container_of(vm, struct guest, vm);

    (void)v;
    if (atomic_xchg(&g->level[intid], (u32)level) == 0 && level) {
        (void)atomic_add(&g->raises[intid], 1u);
    }
}

void guest_init(struct guest *g, const char *name)
{
    void *ram = NULL, *rom = NULL;

    host_init();
    memset(g, 0, sizeof(*g));
    assert(posix_memalign(&ram, PAGE_SIZE, GUEST_RAM_SIZE) == 0);
    assert(posix_memalign(&rom, PAGE_SIZE, GUEST_ROM_SIZE) == 0);
    memset(ram, 0, GUEST_RAM_SIZE);
    memset(rom, 0, GUEST_ROM_SIZE);
    g->ram = ram;
    g->rom = rom;
    g->brk = GUEST_RAM_BASE;
    g->cfg.name = (struct str){name, (u32)strlen(name)};
    g->cfg.log_set = UINT32_MAX;
    g->irqchip.set_line = fake_set_line;
    g->vm.cfg = &g->cfg;
    g->cfg.ncpus = 1;
    g->vm.irqchip = &g->irqchip;
    g->vm.vcpu[0] = &g->vcpu;
    g->vm.nvcpus = 1;
    g->vcpu.vm = &g->vm;
    g->vcpu.pcpu = &pcpus[0];
    strncpy(g->vm.name, name, sizeof(g->vm.name) - 1);
    g->vm.mem.region[0] = (struct gmem_region){
        .base = GUEST_RAM_BASE, .size = GUEST_RAM_SIZE, .ptr = ram, .writable = true};
    g->vm.mem.region[1] =
        (struct gmem_region){.base = GUEST_ROM_BASE, .size = GUEST_ROM_SIZE, .ptr = rom};
    g->vm.mem.count = 2;
}

void guest_free(struct guest *g)
{
    for (u32 i = 0; i < g->cfg.nvdevs; i++) {
        free(g->cfg.vdev[i].opts);
    }
    free(g->ram);
    free(g->rom);
}

u64 guest_alloc(struct guest *g, u64 size, u64 align)
{
    u64 at = ALIGN_UP(g->brk, align);

    assert(at + size <= GUEST_RAM_BASE + GUEST_RAM_SIZE);
    g->brk = at + size;
    memset(guest_ptr(g, at), 0, (size_t)size);
    return at;
}

void *guest_ptr(struct guest *g, u64 addr)
{
    assert(addr >= GUEST_RAM_BASE && addr <= GUEST_RAM_BASE + GUEST_RAM_SIZE);
    return g->ram + (addr - GUEST_RAM_BASE);
}

struct vdev *guest_add(struct guest *g, const struct vdev_type *type, u64 loc, u32 intid,
                       const char *name, void *opts)
{
    struct vdev_conf *c = &g->cfg.vdev[g->cfg.nvdevs++];
    struct vdev *d;

    *c = (struct vdev_conf){.type = type, .loc = loc, .intid = intid};
    c->name = (struct str){name, name != NULL ? (u32)strlen(name) : 0};
    c->opts = calloc(1, MAX(type->opts_size, (size_t)1));
    assert(c->opts != NULL);
    if (opts != NULL) {
        memcpy(c->opts, opts, type->opts_size);
    } else if (type->defaults != NULL) {
        type->defaults(c->opts);
    }
    d = type->create(&g->vm, c);
    if (d != NULL) {
        d->next = g->vm.devs;
        g->vm.devs = d;
    }
    return d;
}

u64 guest_read(struct guest *g, u64 addr, u32 size)
{
    struct mmio m = {.addr = addr, .size = (u8)size};

    assert(mmio_find(&g->vm.mmio, addr, size) != NULL);
    assert(mmio_access(&g->vcpu, &m) == MMIO_DONE);
    return m.value;
}

void guest_write(struct guest *g, u64 addr, u32 size, u64 value)
{
    struct mmio m = {.addr = addr, .size = (u8)size, .value = value, .write = true};

    assert(mmio_find(&g->vm.mmio, addr, size) != NULL);
    assert(mmio_access(&g->vcpu, &m) == MMIO_DONE);
}

/* --- virtio ---------------------------------------------------------------------------------- */

u32 reg_read(struct guest *g, u64 base, u32 offset)
{
    return (u32)guest_read(g, base + offset, 4);
}

void reg_write(struct guest *g, u64 base, u32 offset, u32 value)
{
    guest_write(g, base + offset, 4, value);
}

u64 driver_offered(struct guest *g, u64 base)
{
    u64 low;

    reg_write(g, base, VMMIO_DEVICE_FEATURES_SEL, 0);
    low = reg_read(g, base, VMMIO_DEVICE_FEATURES);
    reg_write(g, base, VMMIO_DEVICE_FEATURES_SEL, 1);
    return low | (u64)reg_read(g, base, VMMIO_DEVICE_FEATURES) << 32;
}

static u32 begin_legacy(struct guest *g, u64 base, u64 features)
{
    reg_write(g, base, VMMIO_PAGE_SIZE, LEGACY_PAGE);
    reg_write(g, base, VMMIO_STATUS, 0);
    reg_write(g, base, VMMIO_STATUS, S_ACK);
    reg_write(g, base, VMMIO_STATUS, S_ACK | S_DRIVER);
    reg_write(g, base, VMMIO_DRIVER_FEATURES_SEL, 0);
    reg_write(g, base, VMMIO_DRIVER_FEATURES, (u32)features);
    return reg_read(g, base, VMMIO_STATUS);
}

u32 driver_begin(struct guest *g, u64 base, u64 features)
{
    if (reg_read(g, base, VMMIO_VERSION) == 1) {
        return begin_legacy(g, base, features);
    }
    reg_write(g, base, VMMIO_STATUS, 0);
    reg_write(g, base, VMMIO_STATUS, S_ACK);
    reg_write(g, base, VMMIO_STATUS, S_ACK | S_DRIVER);
    reg_write(g, base, VMMIO_DRIVER_FEATURES_SEL, 0);
    reg_write(g, base, VMMIO_DRIVER_FEATURES, (u32)features);
    reg_write(g, base, VMMIO_DRIVER_FEATURES_SEL, 1);
    reg_write(g, base, VMMIO_DRIVER_FEATURES, (u32)(features >> 32));
    reg_write(g, base, VMMIO_STATUS, S_ACK | S_DRIVER | S_FEATURES_OK);
    return reg_read(g, base, VMMIO_STATUS);
}

void driver_ok(struct guest *g, u64 base)
{
    reg_write(g, base, VMMIO_STATUS, reg_read(g, base, VMMIO_STATUS) | S_DRIVER_OK);
}

u32 driver_irq(struct guest *g, u64 base)
{
    u32 isr = reg_read(g, base, VMMIO_ISR);

    reg_write(g, base, VMMIO_ACK, isr);
    return isr;
}

void ring_alloc(struct ring *r, struct guest *g, u64 base, u32 index, u16 size)
{
    *r = (struct ring){.g = g, .base = base, .index = index, .size = size};
    r->desc = guest_alloc(g, 16ull * size, 16);
    r->table = r->desc;
    r->avail = guest_alloc(g, 6 + 2ull * size, 2);
    r->used = guest_alloc(g, 6 + 8ull * size, 4);
}

void ring_alloc_packed(struct ring *r, struct guest *g, u64 base, u32 index, u16 size)
{
    *r = (struct ring){.g = g, .base = base, .index = index, .size = size, .packed = true};
    r->desc = guest_alloc(g, 16ull * size, 16);
    r->table = guest_alloc(g, 16ull * size, 16);
    r->avail = guest_alloc(g, 4, 4);
    r->used = guest_alloc(g, 4, 4);
}

void ring_alloc_legacy(struct ring *r, struct guest *g, u64 base, u32 index, u16 size)
{
    u64 used = ALIGN_UP(16ull * size + 6 + 2ull * size, (u64)LEGACY_ALIGN);

    *r = (struct ring){.g = g, .base = base, .index = index, .size = size, .align = LEGACY_ALIGN};
    r->desc = guest_alloc(g, used + 6 + 8ull * size, LEGACY_PAGE);
    r->table = r->desc;
    r->avail = r->desc + 16ull * size;
    r->used = r->desc + used;
}

static bool enable_legacy(struct ring *r)
{
    u32 pfn = (u32)(r->desc / LEGACY_PAGE);

    reg_write(r->g, r->base, VMMIO_QUEUE_SEL, r->index);
    reg_write(r->g, r->base, VMMIO_QUEUE_SIZE, r->size);
    reg_write(r->g, r->base, VMMIO_QUEUE_ALIGN, r->align);
    reg_write(r->g, r->base, VMMIO_QUEUE_PFN, pfn);
    return reg_read(r->g, r->base, VMMIO_QUEUE_PFN) == pfn;
}

static void write_address(struct ring *r, u32 offset, u64 addr)
{
    reg_write(r->g, r->base, offset, (u32)addr);
    reg_write(r->g, r->base, offset + 4, (u32)(addr >> 32));
}

bool ring_enable(struct ring *r)
{
    if (r->align != 0) {
        return enable_legacy(r);
    }
    reg_write(r->g, r->base, VMMIO_QUEUE_SEL, r->index);
    reg_write(r->g, r->base, VMMIO_QUEUE_SIZE, r->size);
    write_address(r, VMMIO_DESC, r->desc);
    write_address(r, VMMIO_AVAIL, r->avail);
    write_address(r, VMMIO_USED, r->used);
    reg_write(r->g, r->base, VMMIO_QUEUE_READY, 1);
    return reg_read(r->g, r->base, VMMIO_QUEUE_READY) == 1;
}

void desc_put(struct guest *g, u64 table, u32 i, u64 addr, u32 len, u32 flags, u32 next)
{
    u64 *d = guest_ptr(g, table + 16ull * i);

    atomic_store(&d[0], addr);
    atomic_store(&d[1], (u64)len | (u64)(flags & 0xffff) << 32 | (u64)(next & 0xffff) << 48);
}

void packed_put(struct guest *g, u64 table, u32 i, u64 addr, u32 len, u32 flags, u32 id)
{
    u64 *d = guest_ptr(g, table + 16ull * i);

    atomic_store(&d[0], addr);
    atomic_store_release(&d[1], (u64)len | (u64)(id & 0xffff) << 32 | (u64)(flags & 0xffff) << 48);
}

void ring_desc(struct ring *r, u32 i, u64 addr, u32 len, u32 flags, u32 next)
{
    desc_put(r->g, r->table, i, addr, len, flags, next);
}

static u16 *word(struct ring *r, u64 addr)
{
    return guest_ptr(r->g, addr);
}

void ring_set_avail_idx(struct ring *r, u32 idx)
{
    r->avail_idx = (u16)idx;
    atomic_store_release(word(r, r->avail + 2), r->avail_idx);
}

u32 ring_lap_flags(const struct ring *r, u32 position)
{
    return position / r->size % 2 == 0 ? D_AVAIL : D_USED;
}

static u16 further(const struct ring *r, u32 position, u32 slots)
{
    return (u16)((position + slots) % (2u * r->size));
}

/* Copies the chain that starts at `head` in the table; the first descriptor comes last. */
static void offer_packed(struct ring *r, u32 head)
{
    u32 n = 0, at = r->avail_idx, from = head;
    struct {
        u64 addr;
        u32 len;
        u16 flags, next;
    } first, d;

    do {
        memcpy(&d, guest_ptr(r->g, r->table + 16ull * from), 16);
        if (n++ == 0) {
            first = d;
        } else {
            packed_put(r->g, r->desc, at % r->size, d.addr, d.len, d.flags | ring_lap_flags(r, at),
                       head);
        }
        at = further(r, at, 1);
        from = d.next % r->size;
    } while ((d.flags & D_NEXT) != 0 && n < r->size);
    packed_put(r->g, r->desc, r->avail_idx % r->size, first.addr, first.len,
               first.flags | ring_lap_flags(r, r->avail_idx), head);
    r->slots[head % ARRAY_SIZE(r->slots)] = (u16)n;
    r->avail_idx = (u16)at;
}

void ring_offer(struct ring *r, u32 head)
{
    if (r->packed) {
        offer_packed(r, head);
        return;
    }
    atomic_store(word(r, r->avail + 4 + 2ull * (r->avail_idx % r->size)), (u16)head);
    ring_set_avail_idx(r, r->avail_idx + 1u);
}

void ring_kick(struct ring *r)
{
    reg_write(r->g, r->base, VMMIO_NOTIFY, r->index);
}

/* The used entry at that position, if there is one: its id, else -1. */
static int used_packed(struct ring *r, u32 position, u32 *len)
{
    u64 *e = guest_ptr(r->g, r->desc + 16ull * (position % r->size));
    u64 meta = atomic_load_acquire(&e[1]);
    u32 flags = (u32)(meta >> 48) & (D_AVAIL | D_USED);

    if (flags != (position / r->size % 2 == 0 ? (u32)(D_AVAIL | D_USED) : 0)) {
        return -1;
    }
    *len = meta >> 48 & D_WRITE ? (u32)meta : 0;
    return (int)(meta >> 32 & 0xffff);
}

u16 ring_used_idx(struct ring *r)
{
    u16 at = r->used_idx;
    u32 len;

    if (r->packed) {
        for (u32 n = 0; n < r->size; n++) {
            int id = used_packed(r, at, &len);

            if (id < 0) {
                break;
            }
            at = further(r, at, r->slots[id % (int)ARRAY_SIZE(r->slots)]);
        }
        return at;
    }
    return atomic_load_acquire(word(r, r->used + 2));
}

static int take_packed(struct ring *r, u32 *len)
{
    u32 unused;
    int id = used_packed(r, r->used_idx, len != NULL ? len : &unused);

    if (id >= 0) {
        r->used_idx = further(r, r->used_idx, r->slots[id % (int)ARRAY_SIZE(r->slots)]);
    }
    return id;
}

int ring_used(struct ring *r, u32 *len)
{
    u32 *e;

    if (r->packed) {
        return take_packed(r, len);
    }
    e = guest_ptr(r->g, r->used + 4 + 8ull * (r->used_idx % r->size));
    if (ring_used_idx(r) == r->used_idx) {
        return -1;
    }
    r->used_idx++;
    if (len != NULL) {
        *len = atomic_load(&e[1]);
    }
    return (int)atomic_load(&e[0]);
}

void ring_set_avail_flags(struct ring *r, u16 flags)
{
    atomic_store(word(r, r->avail + (r->packed ? 2 : 0)), flags);
}

void ring_set_used_event(struct ring *r, u16 event)
{
    if (r->packed) {
        u16 wrap = event / r->size % 2 == 0 ? 0x8000 : 0;

        atomic_store(word(r, r->avail), (u16)(event % r->size | wrap));
        atomic_store(word(r, r->avail + 2), (u16)EVENT_DESC);
        return;
    }
    atomic_store(word(r, r->avail + 4 + 2ull * r->size), event);
}

u16 ring_used_flags(struct ring *r)
{
    return atomic_load(word(r, r->used + (r->packed ? 2 : 0)));
}

u16 ring_avail_event(struct ring *r)
{
    return atomic_load(word(r, r->packed ? r->used : r->used + 4 + 8ull * r->size));
}
