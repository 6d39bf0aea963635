/* SPDX-License-Identifier: MIT */
/*
 * A PCIe host bridge for a VM: configuration space by trap, BARs straight through, DMA by the SMMU,
 * messages by the ITS. Configuration registers are denied by default: what is let through is listed
 * below. Muntin places the BARs in the board's window, once, and where the guest has them is fixed,
 * too: it may read how large they are, but not move them. DMA is possible while the guest has bus
 * mastering on; it must not be cut off (core/dma.h).
 *
 * Only the root bus, so that no bridge of the board has to be set up. Lock: LOCK_DEVICE of the VM's
 * bridge. References are to PCIe 4.0, PCI 3.0.
 */
#include "core/pci.h"

#include "core/arch.h"
#include "core/board.h"
#include "core/check.h"
#include "core/config.h"
#include "core/dma.h"
#include "core/irq.h"
#include "core/log.h"
#include "core/page.h"
#include "core/pass.h"
#include "core/vdev.h"
#include "core/vm.h"

#include <string.h>

#define LL(x) ((unsigned long long)(x))

/* Configuration registers (PCI 3.0 §6.1), by word */
#define REG_ID         0x00
#define REG_COMMAND    0x04
#define COMMAND_IO     BIT(0)
#define COMMAND_MEM    BIT(1)
#define COMMAND_MASTER BIT(2)
#define COMMAND_FIXED  (COMMAND_MEM | BIT(10)) /* decoding; INTx off: its line is not the VM's */
#define STATUS_CAPS    BIT(20)
#define REG_HEADER     0x0c
#define HEADER_MULTI   BIT(23)
#define HEADER_TYPE    0x7f0000u
#define REG_BAR        0x10
#define BARS           6
#define REG_ROM        0x30
#define REG_CAPS       0x34
#define REG_INTERRUPT  0x3c
#define LEGACY_END     0x100 /* extended capabilities follow: hidden, ATS and SR-IOV with them */

#define BAR_IO       BIT(0)
#define BAR_TYPE     0xfu
#define BAR_64       0x4u
#define CAP_MSI      0x05
#define CAP_MSIX     0x11
#define CAPS_MAX     48
#define MSI_64       BIT(23)
#define MSI_MASKS    BIT(24)
#define MSI_CONTROL  0x00710000u /* enable, how many messages */
#define MSIX_CONTROL 0xc0000000u /* enable, mask all */

/* The message frame (GICv2m, SBSA appendix E) */
#define FRAME_TYPER 0x008

#define FUNCTIONS 8 /* of a device */
#define DEVICES   32

enum { REGION_ECAM, REGION_FRAME };

struct function {
    const struct cfg_pci *conf;
    hpa_t cfg;                     /* its configuration space */
    u32 bar[BARS], bar_mask[BARS]; /* as the guest sees them; bits that it can change */
    u32 bar_start[BARS];           /* … when its VM starts */
    u32 hw_bar[BARS];              /* as the board has them */
    u8 msi, msi_words, msix;       /* its capabilities for messages; 0: none */
    bool mem;                      /* the guest's idea of memory space */
};

struct bridge {
    struct vdev dev;
    struct spinlock lock;
    struct function function[CFG_PCI];
    u32 count;
    u64 next; /* guest-physical: BARs end here */
};

const struct board *pci_board;

static bool scanned;
static u64 next_host; /* offset in the board's window */

/* --- the hardware's side ---------------------------------------------------------------------- */

static u32 hw_read(hpa_t cfg, u32 offset)
{
    u64 value;

    return pass_hw->read(cfg + offset, 4, &value) ? (u32)value : UINT32_MAX;
}

static void hw_write(hpa_t cfg, u32 offset, u32 value)
{
    (void)!pass_hw->write(cfg + offset, 4, value);
}

/* Status is above the command, and cleared by ones. */
static void hw_command(hpa_t cfg, u32 command)
{
    hw_write(cfg, REG_COMMAND, command);
}

/*
 * Nothing on the root bus decodes addresses or masters the bus, bridges neither, until a guest
 * wants it: so the whole window is free.
 */
static bool scan(const struct board *b)
{
    if (scanned) {
        return true;
    }
    scanned = true;
    if (!pass_hw->map_device(b->pci.ecam.base, MIN(b->pci.ecam.size, PCI_ECAM_SIZE))) {
        return false;
    }
    for (u32 d = 0; d < DEVICES; d++) {
        for (u32 f = 0; f < FUNCTIONS; f++) {
            hpa_t cfg = b->pci.ecam.base + ((hpa_t)(d * FUNCTIONS + f) << 12);

            if (hw_read(cfg, REG_ID) != UINT32_MAX) {
                hw_command(cfg, 0);
            }
            if (f == 0 && (hw_read(cfg, REG_HEADER) & HEADER_MULTI) == 0) {
                break;
            }
        }
    }
    return true;
}

/* Bytes of the BAR, which has no address yet; 0: there's none. */
static u64 bar_size(hpa_t cfg, u32 n, bool wide)
{
    u32 reg = REG_BAR + 4 * n;
    u64 mask;

    hw_write(cfg, reg, UINT32_MAX);
    mask = hw_read(cfg, reg) & ~BAR_TYPE;
    if (wide) {
        hw_write(cfg, reg + 4, UINT32_MAX);
        mask |= (u64)hw_read(cfg, reg + 4) << 32;
    } else if (mask != 0) {
        mask |= 0xffffffff00000000ull;
    }
    return mask == 0 ? 0 : ~mask + 1;
}

/*
 * A place for a BAR in both windows; each has its pages for itself. It's the bus address that has
 * to be aligned: its lower bits are no part of a BAR, and the CPU's may differ in them.
 */
static bool take(struct bridge *br, const struct board *b, u64 size, u64 *host, u64 *ipa)
{
    u64 whole = MAX(size, (u64)PAGE_SIZE);
    u64 at = ALIGN_UP(b->pci.mem_bus + next_host, whole) - b->pci.mem_bus + b->pci.mem.base;

    *host = at;
    *ipa = ALIGN_UP(br->next, whole);
    if (whole > PCI_MEM_SIZE || *ipa + whole > PCI_MEM + PCI_MEM_SIZE ||
        at + whole > b->pci.mem.base + b->pci.mem.size) {
        return false;
    }
    next_host = at + whole - b->pci.mem.base;
    br->next = *ipa + whole;
    return arch_s2_map(br->dev.vm, gpa(*ipa), at, whole, S2_DEVICE);
}

/* One BAR; *wide: it takes the next register as well. */
static bool add_bar(struct bridge *br, struct function *f, const struct board *b, u32 n, bool *wide)
{
    u32 type = hw_read(f->cfg, REG_BAR + 4 * n) & BAR_TYPE;
    u64 size, host, ipa, mask;

    *wide = (type & BAR_IO) == 0 && (type & BAR_64) != 0 && n + 1 < BARS;
    if ((type & BAR_IO) != 0) {
        return true; /* there are no ports */
    }
    size = bar_size(f->cfg, n, *wide);
    if (size == 0) {
        return true;
    }
    if (!take(br, b, size, &host, &ipa)) {
        log_err("%s: no room for the 0x%llx bytes of BAR %u", br->dev.vm->name, LL(size), n);
        return false;
    }
    mask = ~(size - 1);
    host = host - b->pci.mem.base + b->pci.mem_bus;
    f->bar_start[n] = (u32)ipa | type;
    f->bar_mask[n] = (u32)mask & ~BAR_TYPE;
    f->hw_bar[n] = (u32)host;
    if (*wide) {
        f->bar_mask[n + 1] = (u32)(mask >> 32);
        f->hw_bar[n + 1] = (u32)(host >> 32);
    }
    return true;
}

static void write_bars(const struct function *f)
{
    for (u32 n = 0; n < BARS; n++) {
        hw_write(f->cfg, REG_BAR + 4 * n, f->hw_bar[n]);
    }
}

/* One that stays elsewhere (PCIe §7.8.5: allocated for good) could be in another VM's window. */
static bool place_bars(const struct bridge *br, const struct function *f)
{
    write_bars(f);
    for (u32 n = 0; n < BARS; n++) {
        if (f->hw_bar[n] != 0 &&
            ((hw_read(f->cfg, REG_BAR + 4 * n) ^ f->hw_bar[n]) & ~BAR_TYPE) != 0) {
            log_err("%s: BAR %u of a PCIe function can't be moved", br->dev.vm->name, n);
            return false;
        }
    }
    return true;
}

static bool add_bars(struct bridge *br, struct function *f, const struct board *b)
{
    bool wide;

    for (u32 n = 0; n < BARS; n += wide ? 2 : 1) {
        if (!add_bar(br, f, b, n, &wide)) {
            return false;
        }
    }
    return place_bars(br, f);
}

/* Notes the capabilities whose registers the guest may write. */
static void find_caps(struct function *f)
{
    u32 at = hw_read(f->cfg, REG_CAPS) & 0xfc;

    if ((hw_read(f->cfg, REG_COMMAND) & STATUS_CAPS) == 0) {
        return;
    }
    for (u32 i = 0; i < CAPS_MAX && at >= 0x40; i++) {
        u32 cap = hw_read(f->cfg, at);

        if ((cap & 0xff) == CAP_MSI) {
            f->msi = (u8)at;
            f->msi_words = (u8)(3 + ((cap & MSI_64) != 0) + 2 * ((cap & MSI_MASKS) != 0));
        } else if ((cap & 0xff) == CAP_MSIX) {
            f->msix = (u8)at;
        }
        at = cap >> 8 & 0xfc;
    }
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
    value = hw_read(f->cfg, reg);
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
    bool master = (value & COMMAND_MASTER) != 0 && !dma_is_cut(f->conf->stream);

    f->mem = (value & COMMAND_MEM) != 0;
    if (master != ((hw_read(f->cfg, REG_COMMAND) & COMMAND_MASTER) != 0)) {
        dma_open(f->conf->stream, master);
    }
    hw_command(f->cfg, COMMAND_FIXED | (master ? COMMAND_MASTER : 0));
}

/* Bits of a word that the guest may change in the hardware. */
static u32 writable(const struct function *f, u32 reg)
{
    if (f->msix != 0 && reg == f->msix) {
        return MSIX_CONTROL;
    }
    if (f->msi != 0 && reg == f->msi) {
        return MSI_CONTROL;
    }
    if (f->msi != 0 && reg > f->msi && reg < f->msi + 4u * f->msi_words) {
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
        hw_write(f->cfg, reg, (value & mask) | (hw_read(f->cfg, reg) & ~mask));
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

static void reset_function(struct function *f)
{
    dma_open(f->conf->stream, false);
    dma_forgive(f->conf->stream);
    hw_command(f->cfg, 0);
    write_bars(f); /* a function that the guest has reset by its own registers has lost them */
    hw_command(f->cfg, COMMAND_FIXED);
    if (f->msi != 0) {
        hw_write(f->cfg, f->msi, hw_read(f->cfg, f->msi) & ~MSI_CONTROL);
    }
    if (f->msix != 0) {
        hw_write(f->cfg, f->msix, hw_read(f->cfg, f->msix) & ~MSIX_CONTROL);
    }
    memcpy(f->bar, f->bar_start, sizeof(f->bar));
    f->mem = false;
}

static void bridge_reset(struct vdev *d)
{
    struct bridge *br = container_of(d, struct bridge, dev);

    spin_lock(&br->lock);
    for (u32 i = 0; i < br->count; i++) {
        reset_function(&br->function[i]);
    }
    spin_unlock(&br->lock);
}

static const struct vdev_ops ops = {
    .read = bridge_read, .write = bridge_write, .reset = bridge_reset};

/* --- creation --------------------------------------------------------------------------------- */

static bool add_function(struct bridge *br, const struct board *b, const struct cfg_pci *c)
{
    struct function *f = &br->function[br->count];
    struct vm *vm = br->dev.vm;

    f->conf = c;
    f->cfg = b->pci.ecam.base + ((hpa_t)(c->function & 0xff) << 12);
    if (hw_read(f->cfg, REG_ID) == UINT32_MAX || (hw_read(f->cfg, REG_HEADER) & HEADER_TYPE) != 0) {
        log_err("%s: there's no device at pci:%x:%x.%x", vm->name, c->function >> 8,
                c->function >> 3 & 0x1f, c->function & 7);
        return false;
    }
    find_caps(f);
    if (!add_bars(br, f, b) || !dma_add(vm, c->stream, vm->cfg->gicd + PCI_FRAME) ||
        !pass_hw->message_attach(vm, c->stream, c->message, PCI_INTID, PCI_INTIDS)) {
        return false;
    }
    reset_function(f);
    br->count++;
    return true;
}

bool pci_create(struct vm *vm)
{
    const struct board *board = pci_board;
    const struct cfg_pass *p = &vm->cfg->pass;
    struct bridge *br;

    if (p->npci == 0) {
        return true;
    }
    br = page_alloc(sizeof(*br));
    if (br == NULL || !scan(board)) {
        log_err("%s: no memory for its PCIe bridge", vm->name);
        return false;
    }
    br->dev.ops = &ops;
    br->dev.vm = vm;
    br->next = PCI_MEM;
    spin_init(&br->lock, LOCK_DEVICE);
    for (u32 i = 0; i < p->npci; i++) {
        if (!add_function(br, board, &p->pci[i])) {
            return false;
        }
    }
    if (!mmio_add(&vm->mmio, PCI_ECAM, PCI_ECAM_SIZE, &br->dev, REGION_ECAM) ||
        !mmio_add(&vm->mmio, vm->cfg->gicd + PCI_FRAME, PAGE_SIZE, &br->dev, REGION_FRAME)) {
        log_err("%s: no room for its PCIe bridge", vm->name);
        return false;
    }
    vm_add_device(vm, &br->dev);
    return true;
}
