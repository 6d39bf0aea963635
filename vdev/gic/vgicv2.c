/* SPDX-License-Identifier: MIT */
/*
 * Registers of a GICv2 distributor without Security Extensions (IHI 0048B §4.3). The CPU interface
 * is not here: guests have the hardware's virtual one. Lock: vgic.lock.
 */
#include "vdev/gic/vgic_regs.h"

#include <string.h>

enum {
    GICD_CTLR = 0x000,
    GICD_TYPER = 0x004,
    GICD_IIDR = 0x008,
    GICD_SGIR = 0xf00,
    GICD_CPENDSGIR = 0xf10,
    GICD_SPENDSGIR = 0xf20,
    GICD_PIDR4 = 0xfd0,
};

/* PIDR4-7, PIDR0-3, CIDR0-3: a GIC-400 */
static const u8 v2_ids[12] = {0x04, 0, 0, 0, 0x90, 0xb4, 0x2b, 0, 0x0d, 0xf0, 0x05, 0xb1};

static u32 read_head(const struct vgic_access *a)
{
    const struct vgic *g = a->g;

    switch (a->offset) {
    case GICD_TYPER:
        return (g->ncpus - 1) << 5 | (VGIC_WORDS - 1);
    case GICD_IIDR:
        return VGIC_IIDR;
    default:
        return 0;
    }
}

static void write_head(const struct vgic_access *a, u32 value)
{
    if (a->offset == GICD_CTLR) {
        vgic_enable_groups(a->g, value);
    }
}

/* --- targets --------------------------------------------------------------------------------- */

static u32 read_targets(const struct vgic_access *a)
{
    u32 value = 0;

    for (u32 i = 0; i < a->size; i++) {
        u32 id = a->offset + i;
        u32 mask;

        if (id < IRQ_PRIVATE) {
            mask = BIT(a->self->index); /* private: how a vCPU learns its own number */
        } else if (id < VGIC_IDS) {
            mask = a->g->mask[index_nospec(id - IRQ_PRIVATE, VGIC_SPIS)];
        } else {
            mask = 0;
        }
        value |= mask << (8 * i);
    }
    return value;
}

static void write_targets(const struct vgic_access *a, u32 value)
{
    struct vgic *g = a->g;

    for (u32 i = 0; i < a->size; i++) {
        u32 id = a->offset + i;
        u32 mask = value >> (8 * i) & (BIT(g->ncpus) - 1), spi, bit;

        if (id < IRQ_PRIVATE || id >= VGIC_IDS || g->ncpus == 1) {
            continue; /* with one CPU there's no choice */
        }
        spi = index_nospec(id - IRQ_PRIVATE, VGIC_SPIS);
        bit = BIT(spi % 32);
        g->mask[spi] = (u8)mask;
        if ((mask & (mask - 1)) != 0) {
            g->multi[spi / 32] |= bit;
        } else {
            g->multi[spi / 32] &= ~bit;
        }
        vgic_route(g, spi, vgic_pick(g, spi, mask));
    }
}

/* --- SGIs ------------------------------------------------------------------------------------ */

/* The list register that SGI id of the accessor is in, or NULL. */
static const struct irq_lr *sgi_listed(const struct vgic_access *a, u32 id)
{
    for (u32 lrs = a->self->lrs; lrs != 0; lrs &= lrs - 1) {
        const struct irq_lr *lr = &a->self->vcpu->irq.lr[__builtin_ctz(lrs)];

        if (lr->virq == id) {
            return lr;
        }
    }
    return NULL;
}

static u32 read_sgi_pending(const struct vgic_access *a)
{
    const struct vgic_cpu *cpu = a->self;
    u32 base = a->offset % 16, value = 0;

    if (a->offset < GICD_CPENDSGIR || a->offset >= GICD_SPENDSGIR + 16) {
        return 0; /* SGIR is write-only */
    }
    vgic_look(a, 0);
    for (u32 i = 0; i < a->size; i++) {
        u32 id = index_nospec(base + i, IRQ_SGIS);
        u32 sources = cpu->sources[id];

        if ((cpu->word.handed & BIT(id)) != 0) {
            const struct irq_lr *lr = sgi_listed(a, id);

            sources |= lr != NULL ? BIT(lr->source) : 0;
        }
        value |= sources << (8 * i);
    }
    return value;
}

static void set_sgi(const struct vgic_access *a, u32 id, u32 sources)
{
    struct vgic_cpu *cpu = a->self;

    cpu->sources[id] |= (u8)(sources & (BIT(a->g->ncpus) - 1));
    if (cpu->sources[id] != 0) {
        cpu->word.latch |= BIT(id);
    }
}

static void clear_sgi(const struct vgic_access *a, u32 id, u32 sources)
{
    struct vgic_cpu *cpu = a->self;
    const struct irq_lr *lr = sgi_listed(a, id);

    cpu->sources[id] &= (u8)~sources;
    if (cpu->sources[id] == 0) {
        cpu->word.latch &= ~BIT(id);
    }
    if (lr != NULL && (sources & BIT(lr->source)) != 0) {
        cpu->word.handed &= ~BIT(id);
    }
}

static void send(struct vgic *g, struct vgic_cpu *cpu, u32 value)
{
    u32 all = BIT(g->ncpus) - 1, self = BIT(cpu->index), targets;

    switch (value >> 24 & 3) {
    case 0:
        targets = value >> 16 & all;
        break;
    case 1:
        targets = all & ~self;
        break;
    case 2:
        targets = self;
        break;
    default:
        return; /* reserved: nothing is sent */
    }
    vgic_send_sgi(g, cpu, targets, value & 15);
}

static void write_sgi(const struct vgic_access *a, u32 value)
{
    u32 base = a->offset % 16;

    if (a->offset < GICD_CPENDSGIR || a->offset >= GICD_SPENDSGIR + 16) {
        return;
    }
    vgic_look(a, 0);
    for (u32 i = 0; i < a->size; i++) {
        u32 id = index_nospec(base + i, IRQ_SGIS), sources = value >> (8 * i) & 0xff;

        if (a->offset >= GICD_SPENDSGIR) {
            set_sgi(a, id, sources);
        } else {
            clear_sgi(a, id, sources);
        }
    }
    vgic_changed(a->g, a->self, 0, (BIT(a->size) - 1) << base);
}

static u32 read_ids(const struct vgic_access *a)
{
    return a->offset >= GICD_PIDR4 ? v2_ids[(a->offset - GICD_PIDR4) / 4 % 12] : 0;
}

static const struct vgic_row dist_rows[VGIC_ROWS] = {
    [0] = {read_head, write_head, 0, 4, true, 0},
    VGIC_BITMAP_ROWS,
    [VGIC_ROW(0x800)... VGIC_ROW(0xb80)] = {read_targets, write_targets, 0x800, 1 | 4, false, 0},
    [VGIC_ROW(0xf00)] = {read_sgi_pending, write_sgi, 0, 1 | 4, false, 0},
    [VGIC_ROW(0xf80)] = {read_ids, NULL, 0, 4, true, 0},
};

static struct vgic_access make_access(struct vdev *d, const struct vcpu *v, u32 size)
{
    struct vgic *g = container_of(d, struct vgic, dev);
    struct vgic_cpu *self = &g->cpu[v->id];

    return (struct vgic_access){g, self, self, VGIC_WORDS, 0, size};
}

static u64 v2_read(struct vdev *d, struct vcpu *v, u32 region, u64 offset, u32 size)
{
    struct vgic *g = container_of(d, struct vgic, dev);
    struct vgic_access a;

    (void)region;
    if (offset == GICD_CTLR && size == 4) {
        return atomic_load(&g->control);
    }
    if (vgic_regs_has_field(dist_rows, offset, size)) {
        return vgic_regs_field(dist_rows, g, &g->cpu[v->id], VGIC_WORDS, (u32)offset);
    }
    a = make_access(d, v, size);
    return offset < VGIC_FRAME ? vgic_regs_read(dist_rows, &a, (u32)offset) : 0;
}

static void v2_write(struct vdev *d, struct vcpu *v, u32 region, u64 offset, u32 size, u64 value)
{
    struct vgic *g = container_of(d, struct vgic, dev);
    struct vgic_access a;

    (void)region;
    if (offset == GICD_SGIR && size == 4) {
        send(g, &g->cpu[v->id], (u32)value);
        return;
    }
    a = make_access(d, v, size);
    if (offset < VGIC_FRAME) {
        vgic_regs_write(dist_rows, &a, (u32)offset, (u32)value);
    }
}

static void v2_reset(struct vdev *d)
{
    d->vm->irqchip->reset(d->vm);
}

const struct vdev_ops vgicv2_ops = {.read = v2_read, .write = v2_write, .reset = v2_reset};

void vgicv2_reset(struct vgic *g)
{
    for (u32 i = 0; i < g->ncpus; i++) {
        g->cpu[i].word.enabled = VGIC_SGI_MASK;
    }
    if (g->ncpus == 1) {
        memset(g->mask, 1, sizeof(g->mask));
        for (u32 spi = 0; spi < VGIC_SPIS; spi++) {
            vgic_route(g, spi, 0);
        }
    }
}
