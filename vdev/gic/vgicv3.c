/* SPDX-License-Identifier: MIT */
/*
 * Registers of a GICv3 distributor and its redistributors (IHI 0069 §12): one security state
 * (DS = 1), affinity routing always on (ARE = 1), no LPIs, no message-based SPIs. Region 0 is the
 * distributor; region 1 the redistributors, 0x20000 each: the RD frame, then the SGI frame.
 * Lock: vgic.lock.
 */
#include "vdev/gic/vgic_regs.h"

#include "core/atomic.h"

#include <string.h>

enum {
    GICD_CTLR = 0x0000,
    GICD_TYPER = 0x0004,
    GICD_IIDR = 0x0008,
    GICD_IROUTER = 0x6000,
    GICD_IROUTER_SPIS = GICD_IROUTER + 8 * IRQ_PRIVATE,
    GICR_CTLR = 0x0000,
    GICR_IIDR = 0x0004,
    GICR_TYPER = 0x0008,
    GICR_WAKER = 0x0014,
    PIDR4 = 0xffd0, /* in the distributor and in RD frames */
    GICR_STRIDE = 0x20000,
    GICR_SGI_FRAME = 0x10000,
};

#define CTLR_ARE       BIT(4)
#define CTLR_DS        BIT(6)
#define CTLR_RWP       BIT(31)
#define RCTLR_RWP      BIT(3)
#define TYPER_IDS      (9u << 19) /* 10 bits of INTID */
#define TYPER_A3V      BIT(24)
#define WAKER_SLEEP    BIT(1)
#define WAKER_CHILDREN BIT(2)
#define ROUTER_ANY     BIT(31) /* Interrupt_Routing_Mode */
#define ROUTER_MASK    0xff80ffffffull

/* ICC_SGI1R_EL1 */
#define SGI1R_IRM BIT64(40) /* to everybody else */

/* PIDR4-7, PIDR0-3, CIDR0-3; PIDR2 says GICv3 */
static const u8 v3_ids[12] = {0x44, 0, 0, 0, 0x92, 0xb4, 0x3b, 0, 0x0d, 0xf0, 0x05, 0xb1};

static u32 read_ids(u32 offset)
{
    return v3_ids[(offset - PIDR4) / 4 % 12];
}

static u32 affinity(const struct vgic_cpu *cpu)
{
    return (u32)(cpu->vcpu->mpidr & 0xffffff) | (u32)(cpu->vcpu->mpidr >> 8 & 0xff000000);
}

/* --- distributor ----------------------------------------------------------------------------- */

/* Guests poll it for RWP. */
static inline u32 read_control(const struct vgic *g)
{
    u32 value = atomic_load(&g->control) | CTLR_ARE | CTLR_DS;

    if (unlikely(atomic_load(&g->unsettled) != 0) && vgic_settling(g, NULL)) {
        value |= CTLR_RWP;
    }
    return value;
}

static u32 read_dist_head(const struct vgic_access *a)
{

    switch (a->offset) {
    case GICD_TYPER:
        return TYPER_A3V | TYPER_IDS | (VGIC_WORDS - 1);
    case GICD_IIDR:
        return VGIC_IIDR;
    default:
        return 0; /* TYPER2, STATUSR, SETSPI_*, … */
    }
}

static void write_dist_head(const struct vgic_access *a, u32 value)
{
    if (a->offset == GICD_CTLR) {
        vgic_enable_groups(a->g, value);
    }
}

static const struct vgic_row dist_rows[VGIC_ROWS] = {
    [0] = {read_dist_head, write_dist_head, 0, 4, true, 0},
    VGIC_BITMAP_ROWS,
};

/* Where the affinity in `router` leads. */
static u32 router_target(const struct vgic *g, u32 spi, u64 router)
{
    if ((router & ROUTER_ANY) != 0) {
        return vgic_pick(g, spi, BIT(g->ncpus) - 1);
    }
    for (u32 i = 0; i < g->ncpus; i++) {
        if (g->cpu[i].vcpu->mpidr == router) {
            return i;
        }
    }
    return VGIC_NOBODY;
}

static void set_router(struct vgic *g, u32 spi, u64 router)
{
    u32 bit = BIT(spi % 32);

    g->router[spi] = router & ROUTER_MASK;
    if ((router & ROUTER_ANY) != 0) {
        g->multi[spi / 32] |= bit;
        g->mask[spi] = (u8)(BIT(g->ncpus) - 1);
    } else {
        g->multi[spi / 32] &= ~bit;
    }
    vgic_route(g, spi, router_target(g, spi, g->router[spi]));
}

/* The SPI whose GICD_IROUTER this access is to; VGIC_SPIS: none. */
static u32 router_at(u64 offset, u32 size)
{
    u64 spi = (offset - GICD_IROUTER_SPIS) / 8;

    if (offset < GICD_IROUTER_SPIS || spi >= VGIC_SPIS || (size != 4 && size != 8) ||
        (offset & (size - 1)) != 0) {
        return VGIC_SPIS;
    }
    return index_nospec((u32)spi, VGIC_SPIS);
}

static u64 read_router(struct vgic *g, u64 offset, u32 size)
{
    u32 spi = router_at(offset, size);
    u64 router;

    if (spi == VGIC_SPIS) {
        return 0;
    }
    spin_lock(&g->lock);
    router = g->router[spi];
    vgic_unlock(g);
    return (offset & 4) != 0 ? router >> 32 : router;
}

static void write_router(struct vgic *g, u64 offset, u32 size, u64 value)
{
    u32 spi = router_at(offset, size);

    if (spi == VGIC_SPIS) {
        return;
    }
    spin_lock(&g->lock);
    if (size == 4 && (offset & 4) != 0) {
        value = (g->router[spi] & 0xffffffff) | value << 32;
    } else if (size == 4) {
        value |= g->router[spi] & ~0xffffffffull;
    }
    set_router(g, spi, value);
    vgic_unlock(g);
}

static u64 dist_read(struct vgic_access *a, u64 offset)
{
    if (offset < VGIC_FRAME) {
        return vgic_regs_read(dist_rows, a, (u32)offset);
    }
    if (offset >= PIDR4) {
        return a->size == 4 && offset % 4 == 0 ? read_ids((u32)offset) : 0;
    }
    return read_router(a->g, offset, a->size);
}

static void dist_write(struct vgic_access *a, u64 offset, u64 value)
{
    if (offset < VGIC_FRAME) {
        vgic_regs_write(dist_rows, a, (u32)offset, (u32)value);
    } else {
        write_router(a->g, offset, a->size, value);
    }
}

/* --- redistributors -------------------------------------------------------------------------- */

static const struct vgic_row sgi_rows[VGIC_ROWS] = {VGIC_BITMAP_ROWS};

static u64 read_redist_typer(const struct vgic_access *a)
{
    const struct vgic_cpu *cpu = a->bank;

    return (u64)affinity(cpu) << 32 | cpu->index << 8 |
           (cpu->index + 1 == a->g->ncpus ? BIT(4) : 0); /* Last */
}

static u64 read_redist(const struct vgic_access *a, u32 offset)
{
    const struct vgic_cpu *cpu = a->bank;

    if (a->size == 8) {
        return offset == GICR_TYPER ? read_redist_typer(a) : 0;
    }
    if (a->size != 4) {
        return 0;
    }
    switch (offset) {
    case GICR_CTLR:
        return vgic_settling(a->g, cpu) ? RCTLR_RWP : 0;
    case GICR_IIDR:
        return VGIC_IIDR;
    case GICR_TYPER:
        return (u32)read_redist_typer(a);
    case GICR_TYPER + 4:
        return read_redist_typer(a) >> 32;
    case GICR_WAKER:
        return cpu->asleep ? WAKER_SLEEP | WAKER_CHILDREN : 0;
    default:
        return offset >= PIDR4 && offset % 4 == 0 ? read_ids(offset) : 0;
    }
}

/* The vCPU whose redistributor region 1's offset lies in. */
static u32 redist_of(const struct vgic *g, u64 offset)
{
    return index_nospec((u32)(offset / GICR_STRIDE), g->ncpus);
}

static u64 redist_read(struct vgic_access *a, u32 at)
{
    u64 value;

    if (at >= GICR_SGI_FRAME) {
        at -= GICR_SGI_FRAME;
        return at < VGIC_FRAME ? vgic_regs_read(sgi_rows, a, at) : 0;
    }
    spin_lock(&a->g->lock);
    value = read_redist(a, at);
    vgic_unlock(a->g);
    return value;
}

static void redist_write(struct vgic_access *a, u32 at, u64 value)
{
    if (at >= GICR_SGI_FRAME) {
        at -= GICR_SGI_FRAME;
        if (at < VGIC_FRAME) {
            vgic_regs_write(sgi_rows, a, at, (u32)value);
        }
    } else if (at == GICR_WAKER && a->size == 4) {
        /* A sleeping redistributor delivers all the same: its vCPU is woken by irq_attention. */
        spin_lock(&a->g->lock);
        a->bank->asleep = (value & WAKER_SLEEP) != 0;
        vgic_unlock(a->g);
    }
}

/* --- the rest -------------------------------------------------------------------------------- */

static u64 v3_read(struct vdev *d, struct vcpu *v, u32 region, u64 offset, u32 size)
{
    struct vgic *g = container_of(d, struct vgic, dev);
    struct vgic_access a;
    struct vgic_cpu *bank;
    u32 at;

    if (region == 0) {
        if (offset == GICD_CTLR && size == 4) {
            return read_control(g);
        }
        if (vgic_regs_has_field(dist_rows, offset, size)) {
            return vgic_regs_field(dist_rows, g, NULL, VGIC_WORDS, (u32)offset);
        }
        a = (struct vgic_access){g, &g->cpu[v->id], NULL, VGIC_WORDS, 0, size};
        return dist_read(&a, offset);
    }
    at = (u32)(offset % GICR_STRIDE);
    bank = &g->cpu[redist_of(g, offset)];
    if (at >= GICR_SGI_FRAME && vgic_regs_has_field(sgi_rows, at - GICR_SGI_FRAME, size)) {
        return vgic_regs_field(sgi_rows, g, bank, 1, at - GICR_SGI_FRAME);
    }
    a = (struct vgic_access){g, &g->cpu[v->id], bank, 1, 0, size};
    return redist_read(&a, at);
}

static void v3_write(struct vdev *d, struct vcpu *v, u32 region, u64 offset, u32 size, u64 value)
{
    struct vgic *g = container_of(d, struct vgic, dev);
    struct vgic_access a = {g, &g->cpu[v->id], NULL, VGIC_WORDS, 0, size};

    if (region == 0) {
        dist_write(&a, offset, value);
    } else {
        a.bank = &g->cpu[redist_of(g, offset)];
        a.words = 1;
        redist_write(&a, (u32)(offset % GICR_STRIDE), value);
    }
}

static void v3_reset(struct vdev *d)
{
    d->vm->irqchip->reset(d->vm);
}

const struct vdev_ops vgicv3_ops = {.read = v3_read, .write = v3_write, .reset = v3_reset};

/*
 * Interrupts start in group 1, as firmware leaves them: many an OS never writes GICD_IGROUPR, and
 * group 0 would reach it as FIQs.
 */
void vgicv3_reset(struct vgic *g)
{
    for (u32 i = 0; i < g->ncpus; i++) {
        g->cpu[i].word.group1 = ~0u;
        g->cpu[i].asleep = true;
    }
    for (u32 i = 0; i < ARRAY_SIZE(g->spi); i++) {
        g->spi[i].group1 = ~0u;
    }
    for (u32 spi = 0; spi < VGIC_SPIS; spi++) {
        set_router(g, spi, 0);
    }
}

u32 vgicv3_sgi_targets(const struct vgic *g, const struct vgic_cpu *cpu, u64 value)
{
    u32 list = (u32)value & 0xffff, all = BIT(g->ncpus) - 1, targets = 0;
    u32 first = (u32)(value >> 44 & 15) * 16; /* RS: range of Aff0 that the list is for */
    u64 cluster =
        (value >> 48 & 0xff) << 32 | (value >> 32 & 0xff) << 16 | (value >> 16 & 0xff) << 8;

    if ((value & SGI1R_IRM) != 0) {
        return all & ~BIT(cpu->index);
    }
    for (u32 i = 0; i < g->ncpus; i++) {
        u64 mpidr = g->cpu[i].vcpu->mpidr;
        u32 aff0 = (u32)mpidr & 0xff;

        if ((mpidr & ~0xffull) == cluster && aff0 - first < 16 && (list >> (aff0 - first) & 1)) {
            targets |= BIT(i);
        }
    }
    return targets;
}
