/* SPDX-License-Identifier: MIT */
/*
 * Checks of what configs pass to their VMs: that the board has it to give, that it isn't Muntin's,
 * and that nobody else has it. Knows no device tree. Boot and host tool: no lock.
 */
#include "core/check_pass.h"

#include "core/check_switch.h"
#include "core/irq.h"
#include "core/log.h"
#include "core/page.h"
#include "core/pci.h"
#include "core/pci_bus.h"

#define LL(x) ((unsigned long long)(x))

#define IDENTITY_FROM  0x0c000000ull /* above the places of devices (core/place.c) */
#define IDENTITY_ALIGN (2 * (u64)MIB)
#define FW_CFG_SIZE    (4 * (u64)KIB)

/* --- one VM by itself ------------------------------------------------------------------------- */

static void check_window(const struct cfg_window *w, struct diag *d)
{
    if (w->base % PAGE_SIZE != w->host % PAGE_SIZE) {
        diag_error(d, w->place,
                   "0x%llx of the guest and 0x%llx of the board are not at the same place in their "
                   "pages of 4 KiB",
                   LL(w->base), LL(w->host));
    } else if (w->host + w->size < w->host) {
        diag_error(d, w->place, "0x%llx, 0x%llx bytes: beyond the end of memory", LL(w->host),
                   LL(w->size));
    } else if ((w->flags & PASS_C) != 0 && (w->base | w->size) % PAGE_SIZE != 0) {
        diag_error(d, w->place, "memory (c) is passed in whole pages of 4 KiB");
    } else if (w->size < PAGE_SIZE && (w->base | w->size) % 4 != 0) {
        diag_error(d, w->place, "a window in a part of a page: a multiple of 4 bytes at one");
    }
}

static void check_guest_intid(const struct vm_config *vm, const struct cfg_pass_irq *irq,
                              struct diag *d)
{
    if (irq->intid < SPI_FIRST || irq->intid > SPI_LAST) {
        diag_error(d, irq->place,
                   "gic:%u of the guest: devices have gic:%u..gic:%u there; give "
                   "gic:N=%u with such an N",
                   irq->intid, SPI_FIRST, SPI_LAST, irq->host);
    }
    if (irq->host < SPI_FIRST || irq->host >= IRQ_MAX) {
        diag_error(d, irq->place,
                   "INTID %u of the board is no SPI: only gic:%u..gic:%u can be passed", irq->host,
                   SPI_FIRST, IRQ_MAX - 1);
    }
    if (vm->pass.npci > 0 && irq->intid - PCI_INTID < PCI_INTIDS) {
        diag_error(d, irq->place, "gic:%u: messages of PCIe devices have gic:%u..gic:%u",
                   irq->intid, PCI_INTID, PCI_INTID + PCI_INTIDS - 1);
    }
    for (u32 i = 0; i < vm->nvdevs; i++) {
        if (vm->vdev[i].intid == irq->intid && vm->vdev[i].has_intr) {
            diag_error(d, irq->place, "gic:%u is the interrupt of the %s of line %u, too",
                       irq->intid, vm->vdev[i].type->name, vm->vdev[i].place.line);
        }
    }
    for (u32 i = 0; i < vm->nreserves; i++) {
        if (vm->reserve[i].size == 0 && vm->reserve[i].intid == irq->intid) {
            diag_error(d, irq->place, "gic:%u is reserved by line %u", irq->intid,
                       vm->reserve[i].place.line);
        }
    }
}

static void check_irq_pair(const struct cfg_pass_irq *a, const struct cfg_pass_irq *b,
                           struct diag *d)
{
    if (a->intid == b->intid) {
        diag_error(d, b->place, "gic:%u is passed by line %u, too", b->intid, a->place.line);
    } else if (a->host == b->host) {
        diag_error(d, b->place, "INTID %u of the board is passed by line %u, too", b->host,
                   a->place.line);
    }
}

static void check_function(const struct vm_config *vm, const struct cfg_pci *c, struct diag *d)
{
    for (const struct cfg_pci *o = vm->pass.pci; o < c; o++) {
        if (o->function == c->function) {
            diag_error(d, c->place, "this PCIe function is passed by line %u, too", o->place.line);
        }
    }
    for (u32 i = 0; i < vm->nvdevs && c == vm->pass.pci; i++) {
        const struct vdev_conf *v = &vm->vdev[i];

        if (v->has_intr && v->intid - PCI_INTID < PCI_INTIDS) {
            diag_error(d, v->intr_place, "gic:%u: messages of PCIe devices have gic:%u..gic:%u",
                       v->intid, PCI_INTID, PCI_INTID + PCI_INTIDS - 1);
        }
    }
}

void check_pass(struct vm_config *vm, struct diag *d)
{
    const struct cfg_pass *p = &vm->pass;

    for (u32 i = 0; i < p->nwindows; i++) {
        check_window(&p->window[i], d);
    }
    for (u32 i = 0; i < p->npci; i++) {
        check_function(vm, &p->pci[i], d);
    }
    for (u32 i = 0; i < p->nirqs; i++) {
        check_guest_intid(vm, &p->irq[i], d);
        for (u32 j = 0; j < i; j++) {
            check_irq_pair(&p->irq[j], &p->irq[i], d);
        }
    }
}

/* --- with the board --------------------------------------------------------------------------- */

struct taken {
    struct range r;
    const char *what;
};

static const struct taken *find_taken(const struct taken *t, u32 count, const struct cfg_window *w)
{
    for (u32 i = 0; i < count; i++) {
        u64 start = ALIGN_DOWN(t[i].r.base, (u64)PAGE_SIZE);
        u64 end = ALIGN_UP(t[i].r.base + t[i].r.size, (u64)PAGE_SIZE);

        if (t[i].r.size != 0 && range_overlap(w->host, w->size, start, end - start)) {
            return &t[i];
        }
    }
    return NULL;
}

/* Registers and memory that only Muntin may touch. */
static const char *muntins_own(const struct board *b, const struct cfg_window *w)
{
    const struct taken list[] = {
        {b->gicd, "the interrupt controller"},
        {b->gicc, "the interrupt controller"},
        {b->gich, "the interrupt controller"},
        {b->gicv, "the interrupt controller"},
        {b->gicr[0], "the interrupt controller"},
        {b->gicr[1], "the interrupt controller"},
        {b->gicr[2], "the interrupt controller"},
        {b->gicr[3], "the interrupt controller"},
        {b->its, "the interrupt controller"},
        {b->smmu.reg, "the SMMU"},
        {b->pci.ecam,
         "the PCIe host bridge: its functions can be passed (pci:BUS:DEVICE.FUNCTION)"},
        {{b->pci.mem.base, b->its.size != 0 && b->smmu.reg.size != 0 ? b->pci.mem.size : 0},
         "the PCIe host bridge, where Muntin places what functions have"},
        {{b->pci.mem64.base, b->its.size != 0 && b->smmu.reg.size != 0 ? b->pci.mem64.size : 0},
         "the PCIe host bridge, where Muntin places what functions have"},
        {b->uart_reg, "Muntin's UART"},
        {{b->fw_cfg.base, b->fw_cfg.size != 0 ? FW_CFG_SIZE : 0},
         "fw_cfg, which could overwrite it"},
        {b->image, "Muntin"},
    };
    const struct taken *t = find_taken(list, ARRAY_SIZE(list), w);

    return t != NULL ? t->what : NULL;
}

/* The end of the reserved range that holds `at`; `at` itself if there's none. */
static u64 reserved_until(const struct board *b, u64 at)
{
    for (u32 i = 0; i < b->nreserved; i++) {
        const struct range *r = &b->reserved[i];

        if (at - r->base < r->size) {
            return r->base + r->size;
        }
    }
    return at;
}

/* RAM that Muntin gives out: whatever the tree doesn't reserve. */
static bool is_free_ram(const struct board *b, const struct cfg_window *w)
{
    for (u32 i = 0; i < b->nram; i++) {
        u64 at = MAX(w->host, b->ram[i].base);
        u64 end = MIN(w->host + w->size, b->ram[i].base + b->ram[i].size);

        while (at < end) {
            u64 next = reserved_until(b, at);

            if (next == at) {
                return true;
            }
            at = next;
        }
    }
    return false;
}

static void check_window_board(const struct cfg_window *w, const struct board *b, struct diag *d)
{
    const char *own = muntins_own(b, w);

    if (own != NULL) {
        diag_error(d, w->place, "0x%llx, 0x%llx bytes, can't be passed: there's %s", LL(w->host),
                   LL(w->size), own);
    } else if (is_free_ram(b, w)) {
        diag_error(d, w->place,
                   "0x%llx, 0x%llx bytes, can't be passed: it's RAM that Muntin gives out; only "
                   "what the board's tree reserves (/reserved-memory) can be",
                   LL(w->host), LL(w->size));
    }
}

/* DMA that nobody confines, and messages that nobody sorts, are not let in. */
static void check_functions_board(const struct vm_config *vm, const struct board *b, struct diag *d)
{
    const struct cfg_pci *c = vm->pass.pci;

    if (vm->pass.npci == 0) {
        return;
    }
    if (b->pci.ecam.size == 0 || b->pci.mem.size == 0) {
        diag_error(d, c->place, "the board's tree has no PCIe host bridge with ECAM");
    } else if (b->smmu.reg.size == 0) {
        diag_error(d, c->place,
                   "PCIe functions can't be passed: the board has no SMMUv3, so that they would "
                   "reach all of its memory");
    } else if (b->its.size == 0) {
        diag_error(d, c->place, "PCIe functions can't be passed: the board has no GICv3 ITS");
    }
    for (u32 i = 0; i < vm->pass.npci; i++) {
        if (b->pci.ecam.size != 0 && (c[i].function >> 8) - b->pci.bus >= b->pci.buses) {
            diag_error(d, c[i].place, "the board's PCIe host bridge has buses %x to %x", b->pci.bus,
                       b->pci.bus + b->pci.buses - 1);
        }
    }
}

void check_pass_board(struct vm_config *vm, const struct board *b, struct diag *d)
{
    u32 before = d->errors;

    check_functions_board(vm, b, d);
    for (u32 i = 0; i < vm->pass.nwindows; i++) {
        check_window_board(&vm->pass.window[i], b, d);
    }
    for (u32 i = 0; i < vm->pass.nirqs; i++) {
        const struct cfg_pass_irq *irq = &vm->pass.irq[i];

        if (irq->host == b->uart_intid) {
            diag_error(d, irq->place, "INTID %u can't be passed: it's that of Muntin's UART",
                       irq->host);
        } else if (irq->host == b->smmu.intid) {
            diag_error(d, irq->place, "INTID %u can't be passed: it's that of the SMMU", irq->host);
        }
    }
    vm->errors += d->errors - before;
}

/* --- two VMs ---------------------------------------------------------------------------------- */

static void claim_error(struct vm_config *vm, struct place p, u64 what, struct place other,
                        struct diag *d)
{
    char at[96];

    diag_error(d, p, "0x%llx of the board is also passed at %s; `shared` on both sides allows it",
               LL(what), place_text(d, other, at, sizeof(at)));
    vm->errors++;
}

static void check_window_pair(struct vm_config *a, const struct cfg_window *wa, struct vm_config *b,
                              const struct cfg_window *wb, struct diag *d)
{
    if (!range_overlap(wa->host, wa->size, wb->host, wb->size) || (wa->shared && wb->shared)) {
        return;
    }
    claim_error(a, wa->place, MAX(wa->host, wb->host), wb->place, d);
    claim_error(b, wb->place, MAX(wa->host, wb->host), wa->place, d);
}

/* An interrupt ends where it's deactivated: there's no way to share one. */
static void irq_error(struct vm_config *vm, const struct cfg_pass_irq *irq, struct place other,
                      struct diag *d)
{
    char at[96];

    diag_error(d, irq->place, "INTID %u of the board is also passed at %s: one VM can have it",
               irq->host, place_text(d, other, at, sizeof(at)));
    vm->errors++;
}

static void function_error(struct vm_config *vm, const struct cfg_pci *c, const struct cfg_pci *o,
                           struct diag *d)
{
    u16 group = pci_group(c->function);
    char at[96];

    (void)place_text(d, o->place, at, sizeof(at));
    if (c->function >> 3 == o->function >> 3) {
        diag_error(d, c->place,
                   "a function of this PCIe device is also passed at %s: one VM can have them, as "
                   "they may reach each other without the SMMU",
                   at);
    } else {
        diag_error(d, c->place,
                   "pci:%x:%x.%x is also passed at %s: one VM can have both, as at pci:%x:%x.%x "
                   "there's no ACS, and they may reach each other without the SMMU",
                   o->function >> 8, o->function >> 3 & 0x1f, o->function & 7, at, group >> 8,
                   group >> 3 & 0x1f, group & 7);
    }
    vm->errors++;
}

static void check_functions_pair(struct vm_config *a, struct vm_config *b, struct diag *d)
{
    for (u32 i = 0; i < a->pass.npci; i++) {
        for (u32 j = 0; j < b->pass.npci; j++) {
            if (pci_group(a->pass.pci[i].function) == pci_group(b->pass.pci[j].function)) {
                function_error(a, &a->pass.pci[i], &b->pass.pci[j], d);
                function_error(b, &b->pass.pci[j], &a->pass.pci[i], d);
            }
        }
    }
}

void check_pass_pair(struct vm_config *a, struct vm_config *b, struct diag *d)
{
    check_functions_pair(a, b, d);
    for (u32 i = 0; i < a->pass.nwindows; i++) {
        for (u32 j = 0; j < b->pass.nwindows; j++) {
            check_window_pair(a, &a->pass.window[i], b, &b->pass.window[j], d);
        }
    }
    for (u32 i = 0; i < a->pass.nirqs; i++) {
        for (u32 j = 0; j < b->pass.nirqs; j++) {
            if (a->pass.irq[i].host == b->pass.irq[j].host) {
                irq_error(a, &a->pass.irq[i], b->pass.irq[j].place, d);
                irq_error(b, &b->pass.irq[j], a->pass.irq[i].place, d);
            }
        }
    }
}

/* --- ram identity ------------------------------------------------------------------------------
 */

static bool take_ram(struct cfg_mem *m)
{
    if (m->has_base) {
        return page_alloc_at(m->base, m->size);
    }
    m->has_base = page_alloc_above(m->size, IDENTITY_ALIGN, IDENTITY_FROM, &m->base);
    return m->has_base;
}

void check_identity(struct vm_config *vm, struct diag *d)
{
    bool told = false;

    for (u32 i = 0; i < vm->nmems; i++) {
        struct cfg_mem *m = &vm->mem[i];

        if (!m->identity || m->size == 0 || (m->base | m->size) % PAGE_SIZE != 0) {
            continue; /* or check_vm says it */
        }
        if (!told) {
            diag_warn(d, m->place,
                      "ram identity: devices passed to '%.*s' can read and write all of "
                      "the board's memory, Muntin's and other VMs' too: this VM is "
                      "trusted with everything",
                      STR_ARG(vm->name));
            told = true;
        }
        if (!take_ram(m)) {
            diag_error(d, m->place, "the board has no %llu KiB of free RAM in one piece%s",
                       LL(m->size / KIB), m->has_base ? " there" : "");
            vm->errors++;
        }
    }
}
