/* SPDX-License-Identifier: MIT */
/*
 * Devices of the board in a VM. Whole pages of a window are mapped; where a window has only a part
 * of a page, whose rest is somebody else's, Muntin carries the guest's accesses out, as wide as
 * they are and within the window only. Interrupts are linked: the guest ends the board's with its
 * own. Before each start of a VM, and when it stops, its devices are made quiet. Tables are filled
 * at boot: no lock.
 */
#include "core/pass.h"

#include "core/arch.h"
#include "core/config.h"
#include "core/dma.h"
#include "core/irq.h"
#include "core/log.h"
#include "core/mmio.h"
#include "core/page.h"
#include "core/pci.h"
#include "core/vm.h"

#include <string.h>

#define LL(x) ((unsigned long long)(x))

#define OWNERS 64u /* interrupts of all VMs */

/* A part of a page, which is accessed by trap; its number is the region of its mmio window. */
struct part {
    hpa_t host;
    bool write;
};

struct pass {
    struct vdev dev;
    struct part part[2 * CFG_WINDOWS];
    u32 nparts;
};

const struct pass_hw *pass_hw;

static struct {
    struct vm *vm;
    u32 intid;
} owner[OWNERS];
static u32 nowners;
static u8 owner_of[IRQ_MAX]; /* by INTID of the board: index in owner[], plus 1 */

/* Which writes make a device quiet: reset it, or mask what it interrupts for. */
static const struct pass_quiet quiets[] = {
    {"virtio,mmio", true, 1, {{0x070, 0}}}, /* Status */
    {"arm,pl011",
     false,
     4,
     {{0x038, 0}, {0x048, 0}, {0x030, 0}, {0x044, 0x7ff}}}, /* IMSC, DMACR, CR, ICR */
    {"arm,sbsa-uart", false, 2, {{0x038, 0}, {0x044, 0x7ff}}},
    {"arm,pl031", false, 2, {{0x010, 0}, {0x01c, 1}}},                         /* IMSC, ICR */
    {"arm,pl061", false, 2, {{0x410, 0}, {0x41c, 0xff}}},                      /* IE, IC */
    {"arm,sp804", false, 4, {{0x008, 0}, {0x028, 0}, {0x00c, 1}, {0x02c, 1}}}, /* Control, IntClr */
    {"cdns,gem",
     true,
     4,
     {{0x02c, ~0u}, {0x620, ~0u}, {0x000, 0}, {0x024, ~0u}}}, /* IDR, queue 1's, NCR, ISR */
    {"arm,sp805", false, 3, {{0xc00, 0x1acce551}, {0x008, 0}, {0xc00, 0}}}, /* Lock, Control */
};

const struct pass_quiet *pass_quiet_find(const char *compatible)
{
    for (u32 i = 0; i < ARRAY_SIZE(quiets); i++) {
        if (strcmp(quiets[i].compatible, compatible) == 0) {
            return &quiets[i];
        }
    }
    return NULL;
}

/* --- accesses to parts of pages ----------------------------------------------------------------
 */

static u64 part_read(struct vdev *d, struct vcpu *v, u32 region, u64 offset, u32 size)
{
    const struct pass *p = container_of(d, struct pass, dev);
    u64 value;

    (void)v;
    return pass_hw->read(p->part[region].host + offset, size, &value) ? value : UINT64_MAX;
}

static void part_write(struct vdev *d, struct vcpu *v, u32 region, u64 offset, u32 size, u64 value)
{
    const struct pass *p = container_of(d, struct pass, dev);

    (void)v;
    if (p->part[region].write) {
        (void)!pass_hw->write(p->part[region].host + offset, size, value);
    }
}

/*
 * No vCPU runs. Masked first: what a device raises while it's made quiet is not to be seen. A
 * window that another VM has, too, may be in use.
 */
static void quiet(struct vdev *d)
{
    const struct cfg_pass *c = &d->vm->cfg->pass;

    for (u32 i = 0; i < c->nirqs; i++) {
        pass_hw->irq_enable(c->irq[i].host, false);
    }
    for (u32 i = 0; i < c->ndevs; i++) {
        const struct pass_quiet *q = c->dev[i].quiet;

        for (u32 n = 0; n < q->count; n++) {
            (void)!pass_hw->write(c->dev[i].host + q->step[n].offset, 4, q->step[n].value);
        }
    }
    for (u32 i = 0; i < c->nirqs; i++) {
        pass_hw->irq_quiet(c->irq[i].host);
    }
    for (u32 i = 0; i < c->nstreams; i++) {
        dma_open(c->stream[i], false); /* until the next start has its memory: pass_start */
        dma_forgive(c->stream[i]);
    }
}

void pass_start(struct vm *vm)
{
    const struct cfg_pass *c = &vm->cfg->pass;

    for (u32 i = 0; i < c->nstreams; i++) {
        dma_open(c->stream[i], true); /* its own memory is all that it reaches */
    }
}

static const struct vdev_ops ops = {.read = part_read, .write = part_write, .reset = quiet};

/* --- interrupts ---------------------------------------------------------------------------------
 */

bool pass_irq(u32 intid)
{
    u32 n = intid < IRQ_MAX ? owner_of[index_nospec(intid, IRQ_MAX)] : 0;

    if (n == 0) {
        return false;
    }
    owner[n - 1].vm->irqchip->inject_hw(owner[n - 1].vm, NULL, owner[n - 1].intid, intid);
    return true;
}

static bool add_irq(struct vm *vm, const struct cfg_pass_irq *irq)
{
    if (nowners == OWNERS || owner_of[irq->host] != 0 ||
        !pass_hw->irq_setup(irq->host, irq->edge)) {
        log_err("%s: the board's interrupt controller has no INTID %u to pass", vm->name,
                irq->host);
        return false;
    }
    vm->irqchip->link(vm, irq->intid, irq->host, !irq->edge);
    owner[nowners].vm = vm;
    owner[nowners].intid = irq->intid;
    nowners++;
    owner_of[irq->host] = (u8)nowners;
    return true;
}

/* --- windows ------------------------------------------------------------------------------------
 */

static bool add_part(struct pass *p, const struct cfg_window *w, u64 base, u64 size)
{
    struct part *part = &p->part[p->nparts];

    if (size == 0) {
        return true;
    }
    part->host = base - w->base + w->host;
    part->write = (w->flags & PASS_W) != 0;
    return pass_hw->map_device(part->host, size) &&
           mmio_add(&p->dev.vm->mmio, base, size, &p->dev, p->nparts++);
}

static enum s2_perm perm_of(u8 flags)
{
    bool write = (flags & PASS_W) != 0;

    if ((flags & PASS_C) == 0) {
        return write ? S2_DEVICE : S2_DEVICE_RO;
    }
    if ((flags & PASS_X) != 0) {
        return write ? S2_RWX : S2_RX;
    }
    return write ? S2_RW : S2_RO;
}

static bool add_ram(struct vm *vm, const struct cfg_window *w)
{
    if (vm->mem.count == GMEM_REGIONS || !pass_hw->map_memory(w->host, w->size)) {
        return false;
    }
    vm->mem.region[vm->mem.count++] = (struct gmem_region){
        .base = w->base,
        .size = w->size,
        .host = w->host,
        .ptr = (guest_t *)(uintptr_t)w->host,
        .writable = true,
    };
    return true;
}

static bool add_window(struct pass *p, const struct cfg_window *w)
{
    u64 end = w->base + w->size, first, last;
    struct vm *vm = p->dev.vm;

    first = MIN(ALIGN_UP(w->base, (u64)PAGE_SIZE), end);
    last = MAX(ALIGN_DOWN(end, (u64)PAGE_SIZE), first);
    return add_part(p, w, w->base, first - w->base) && add_part(p, w, last, end - last) &&
           (first == last || arch_s2_map(vm, gpa(first), first - w->base + w->host, last - first,
                                         perm_of(w->flags))) &&
           ((w->flags & PASS_RAM) == 0 || add_ram(vm, w));
}

static bool add_streams(struct vm *vm)
{
    const struct cfg_pass *c = &vm->cfg->pass;

    for (u32 i = 0; i < c->nstreams; i++) {
        if (!dma_add(vm, c->stream[i], 0)) {
            return false;
        }
    }
    return true;
}

bool pass_create(struct vm *vm)
{
    const struct cfg_pass *c = &vm->cfg->pass;
    struct pass *p;

    if (c->nwindows + c->nirqs == 0) {
        return pci_create(vm);
    }
    p = page_alloc(sizeof(*p));
    if (p == NULL) {
        log_err("%s: no memory for what it is passed", vm->name);
        return false;
    }
    p->dev.ops = &ops;
    p->dev.vm = vm;
    for (u32 i = 0; i < c->nwindows; i++) {
        if (!add_window(p, &c->window[i])) {
            log_err("%s: the window at 0x%llx can't be passed: no memory for tables, or Muntin has "
                    "RAM there",
                    vm->name, LL(c->window[i].base));
            return false;
        }
    }
    for (u32 i = 0; i < c->nirqs; i++) {
        if (!add_irq(vm, &c->irq[i])) {
            return false;
        }
    }
    for (u32 i = 0; i < c->ndevs; i++) {
        (void)!pass_hw->map_device(c->dev[i].host, PAGE_SIZE);
    }
    /* The SMMU's tables are made of what memory the VM has by now, messages by the first. */
    if (!pci_create(vm) || !add_streams(vm)) {
        return false;
    }
    vm_add_device(vm, &p->dev);
    quiet(&p->dev);
    return true;
}
