/* SPDX-License-Identifier: MIT */
/*
 * A PCIe host bridge for a VM: configuration space by trap, BARs straight through, DMA by the SMMU,
 * messages by the ITS. Configuration registers are denied by default: what is let through is listed
 * below. The BARs have their places on the board (core/pci_bus.h), and where the guest has them is
 * fixed, too: it may read how large they are, but not move them. DMA is possible while the guest
 * has bus mastering on; it must not be cut off (core/dma.h). Lock: LOCK_DEVICE of the VM's bridge.
 * References are to PCIe 4.0, PCI 3.0.
 */
#include "core/pci.h"

#include "core/arch.h"
#include "core/board.h"
#include "core/config.h"
#include "core/dma.h"
#include "core/irq.h"
#include "core/log.h"
#include "core/page.h"
#include "core/pass.h"
#include "core/pci_bus.h"
#include "core/pci_reset.h"
#include "core/vdev.h"
#include "core/vm.h"

#include <string.h>

#define LL(x) ((unsigned long long)(x))

#define COMMAND_FIXED                                                                              \
    (COMMAND_MEM | COMMAND_NO_INT) /* decoding; INTx off: its line isn't the VM's */
#define MSI_CONTROL  0x00710000u   /* enable, how many messages */
#define MSIX_CONTROL 0xc0000000u   /* enable, mask all */

/* The message frame (GICv2m, SBSA appendix E) */
#define FRAME_TYPER 0x008

#define FUNCTIONS 8 /* of a device */

enum { REGION_ECAM, REGION_FRAME };

struct function {
    const struct pci_function *hw;
    u32 stream;
    u32 bar[BARS], bar_mask[BARS]; /* as the guest sees them; bits that it can change */
    u32 bar_start[BARS];           /* … when its VM starts */
    bool mem;                      /* the guest's idea of memory space */
};

struct bridge {
    struct vdev dev;
    struct spinlock lock;
    struct function function[CFG_PCI];
    const struct pci_function *hw[CFG_PCI]; /* theirs, in a row */
    u32 count;
    u64 next; /* guest-physical: BARs end here */
    struct pci_progress reset;
};

const struct board *pci_board;

/* Status is above the command, and cleared by ones. */
static void hw_command(const struct pci_function *hw, u32 command)
{
    pci_write(hw->cfg, REG_COMMAND, command);
}

/* --- the guest's side ------------------------------------------------------------------------- */

/* On its bus function n is device n + 1: the root bus of a host bridge needs no device 0. */
static struct function *function_at(struct bridge *br, u64 offset)
{
    u32 slot = (u32)(offset >> 12);

    if (slot % FUNCTIONS != 0 || slot == 0 || slot / FUNCTIONS > br->count) {
        return NULL;
    }
    return &br->function[index_nospec(slot / FUNCTIONS - 1, CFG_PCI)];
}

static u32 guest_word(const struct function *f, u32 reg)
{
    u32 value;

    if (reg >= LEGACY_END || reg == REG_ROM) {
        return 0;
    }
    if (reg >= REG_BAR && reg < REG_BAR + 4 * BARS) {
        return f->bar[index_nospec((reg - REG_BAR) / 4, BARS)];
    }
    value = pci_read(f->hw->cfg, reg);
    if (reg == REG_COMMAND) {
        value = (value & ~(COMMAND_MEM | COMMAND_IO)) | (f->mem ? COMMAND_MEM : 0);
    } else if (reg == REG_HEADER) {
        value &= ~HEADER_MULTI;
    } else if (reg == REG_INTERRUPT) {
        value &= 0xff; /* no pin: messages only */
    }
    return value;
}

/*
 * DMA stops before the bit is off, and is possible before it's on. What makes a function tell the
 * board of errors (parity, SERR) stays off: a guest could bring firmware up that stops the board.
 */
static void set_command(struct function *f, u32 value)
{
    bool master = (value & COMMAND_MASTER) != 0 && !dma_is_cut(f->stream);

    f->mem = (value & COMMAND_MEM) != 0;
    if (master != ((pci_read(f->hw->cfg, REG_COMMAND) & COMMAND_MASTER) != 0)) {
        dma_open(f->stream, master);
    }
    hw_command(f->hw, COMMAND_FIXED | (master ? COMMAND_MASTER : 0));
}

/* Bits of a word that the guest may change in the hardware. */
static u32 writable(const struct function *f, u32 reg)
{
    if (f->hw->msix != 0 && reg == f->hw->msix) {
        return MSIX_CONTROL;
    }
    if (f->hw->msi != 0 && reg == f->hw->msi) {
        return MSI_CONTROL;
    }
    if (f->hw->msi != 0 && reg > f->hw->msi && reg < f->hw->msi + 4u * f->hw->msi_words) {
        return UINT32_MAX;
    }
    return 0;
}

static void set_word(struct function *f, u32 reg, u32 value)
{
    u32 n = (reg - REG_BAR) / 4, mask = writable(f, reg);

    if (reg == REG_COMMAND) {
        set_command(f, value);
    } else if (reg >= LEGACY_END) {
        return;
    } else if (reg >= REG_BAR && n < BARS) {
        n = (u32)index_nospec(n, BARS);
        f->bar[n] = (value & f->bar_mask[n]) | (f->bar[n] & ~f->bar_mask[n]);
    } else if (mask != 0) {
        pci_write(f->hw->cfg, reg, (value & mask) | (pci_read(f->hw->cfg, reg) & ~mask));
    }
}

static u64 frame_read(u64 offset)
{
    return offset == FRAME_TYPER ? PCI_INTID << 16 | PCI_INTIDS : 0;
}

static u64 bridge_read(struct vdev *d, struct vcpu *v, u32 region, u64 offset, u32 size)
{
    struct bridge *br = container_of(d, struct bridge, dev);
    struct function *f;
    u32 word;

    (void)v;
    if (region == REGION_FRAME) {
        return frame_read(offset);
    }
    f = function_at(br, offset);
    if (f == NULL || size > 4 || offset % size != 0) {
        return UINT64_MAX;
    }
    spin_lock(&br->lock);
    word = guest_word(f, offset & 0xffc);
    spin_unlock(&br->lock);
    return word >> (8 * (offset & 3));
}

static void bridge_write(struct vdev *d, struct vcpu *v, u32 region, u64 offset, u32 size,
                         u64 value)
{
    struct bridge *br = container_of(d, struct bridge, dev);
    u32 shift = 8 * (offset & 3), mask;
    struct function *f;

    (void)v;
    if (region == REGION_FRAME) {
        if (offset == PCI_FRAME_SET && size == 4 && value - PCI_INTID < PCI_INTIDS) {
            dma_message(d->vm, (u32)value);
        }
        return;
    }
    f = function_at(br, offset);
    if (f == NULL || size > 4 || offset % size != 0) {
        return;
    }
    mask = (u32)((1ull << (8 * size)) - 1) << shift;
    spin_lock(&br->lock);
    set_word(f, offset & 0xffc,
             ((u32)value << shift & mask) | (guest_word(f, offset & 0xffc) & ~mask));
    spin_unlock(&br->lock);
}

/* Off, and nothing of it under way; what else it remembers goes in pci_start. */
static void quiet(struct function *f)
{
    dma_open(f->stream, false);
    dma_forgive(f->stream);
    hw_command(f->hw, COMMAND_NO_INT);
    if (f->hw->msi != 0) {
        pci_write(f->hw->cfg, f->hw->msi, pci_read(f->hw->cfg, f->hw->msi) & ~MSI_CONTROL);
    }
    if (f->hw->msix != 0) {
        pci_write(f->hw->cfg, f->hw->msix, pci_read(f->hw->cfg, f->hw->msix) & ~MSIX_CONTROL);
    }
    memcpy(f->bar, f->bar_start, sizeof(f->bar));
    f->mem = false;
}

static void bridge_reset(struct vdev *d)
{
    struct bridge *br = container_of(d, struct bridge, dev);

    spin_lock(&br->lock);
    for (u32 i = 0; i < br->count; i++) {
        quiet(&br->function[i]);
    }
    br->reset = (struct pci_progress){0};
    spin_unlock(&br->lock);
}

static const struct vdev_ops ops = {
    .read = bridge_read, .write = bridge_write, .reset = bridge_reset};

/* No vCPU runs, and the bridge's reset came first: nobody else is at the functions. */
u64 pci_start(struct vm *vm)
{
    struct vdev *d = vm->devs;
    struct bridge *br;
    u64 wait;

    while (d != NULL && d->ops != &ops) {
        d = d->next;
    }
    if (d == NULL) {
        return 0;
    }
    br = container_of(d, struct bridge, dev);
    wait = pci_reset_step(&br->reset, br->hw, br->count);
    if (wait == PCI_RESET_FAILED) {
        vm_log(vm, LOG_ERR, "a PCIe function of it doesn't come back after its reset");
    }
    for (u32 i = 0; wait == 0 && i < br->count; i++) {
        hw_command(br->hw[i], COMMAND_FIXED);
    }
    return wait;
}

/* --- creation --------------------------------------------------------------------------------- */

/* A BAR's place in the guest's window, as large as in the board's. */
static bool add_bar(struct bridge *br, struct function *f, const struct pci_bar *bar, u32 n)
{
    u64 whole = MAX(bar->size, (u64)PAGE_SIZE), mask = ~(bar->size - 1);
    u64 ipa = ALIGN_UP(br->next, whole);

    if (!range_within(ipa, whole, PCI_MEM, PCI_MEM_SIZE)) {
        return false;
    }
    br->next = ipa + whole;
    f->bar_start[n] = (u32)ipa | bar->type;
    f->bar_mask[n] = (u32)mask & ~BAR_TYPE;
    if ((bar->type & BAR_64) != 0 && n + 1 < BARS) {
        f->bar_mask[n + 1] = (u32)(mask >> 32);
    }
    return arch_s2_map(br->dev.vm, gpa(ipa), bar->host, whole, S2_DEVICE);
}

static bool add_bars(struct bridge *br, struct function *f)
{
    for (u32 n = 0; n < BARS; n++) {
        if (f->hw->bar[n].size != 0 && !add_bar(br, f, &f->hw->bar[n], n)) {
            log_err("%s: no room for the 0x%llx bytes of BAR %u", br->dev.vm->name,
                    LL(f->hw->bar[n].size), n);
            return false;
        }
    }
    return true;
}

static bool add_function(struct bridge *br, const struct cfg_pci *c)
{
    const struct pci_function *hw = pci_find(c->function);
    struct function *f = &br->function[br->count];
    struct vm *vm = br->dev.vm;

    if (hw == NULL) {
        return false; /* its config was told */
    }
    f->hw = hw;
    f->stream = c->stream;
    if (!add_bars(br, f) || !dma_add(vm, c->stream, vm->cfg->gicd + PCI_FRAME) ||
        !pass_hw->message_attach(vm, c->stream, c->message, PCI_INTID, PCI_INTIDS)) {
        return false;
    }
    quiet(f);
    br->hw[br->count++] = hw;
    return true;
}

/*
 * A request to an address that's the bus's own doesn't get as far as the SMMU, wherever a switch or
 * the host bridge takes it for another function's.
 */
static void check_memory(const struct vm *vm, const struct range *bus)
{
    for (u32 i = 0; i < vm->mem.count; i++) {
        const struct gmem_region *r = &vm->mem.region[i];

        if (range_overlap(r->base, r->size, bus->base, bus->size)) {
            log_warn("%s: PCIe functions may not reach its memory at 0x%llx to 0x%llx, where the "
                     "board's bus has their registers",
                     vm->name, LL(MAX(r->base, bus->base)),
                     LL(MIN(r->base + r->size, bus->base + bus->size) - 1));
        }
    }
}

bool pci_create(struct vm *vm)
{
    const struct cfg_pass *p = &vm->cfg->pass;
    struct bridge *br;

    if (p->npci == 0) {
        return true;
    }
    br = page_alloc(sizeof(*br));
    if (br == NULL) {
        log_err("%s: no memory for its PCIe bridge", vm->name);
        return false;
    }
    br->dev.ops = &ops;
    br->dev.vm = vm;
    br->next = PCI_MEM;
    spin_init(&br->lock, LOCK_DEVICE);
    for (u32 i = 0; i < p->npci; i++) {
        if (!add_function(br, &p->pci[i])) {
            return false;
        }
    }
    if (!mmio_add(&vm->mmio, PCI_ECAM, PCI_ECAM_SIZE, &br->dev, REGION_ECAM) ||
        !mmio_add(&vm->mmio, vm->cfg->gicd + PCI_FRAME, PAGE_SIZE, &br->dev, REGION_FRAME)) {
        log_err("%s: no room for its PCIe bridge", vm->name);
        return false;
    }
    vm_add_device(vm, &br->dev);
    check_memory(vm, &(struct range){pci_board->pci.mem_bus, pci_board->pci.mem.size});
    check_memory(vm, &(struct range){pci_board->pci.mem64_bus, pci_board->pci.mem64.size});
    return true;
}
