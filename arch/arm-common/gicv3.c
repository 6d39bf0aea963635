/* SPDX-License-Identifier: MIT */
/*
 * GICv3 (and 4, without its additions): redistributors by memory, CPU and virtual interface by
 * system registers. References are to IHI 0069.
 */
#include "arch/arm-common/gic.h"

#include "arch/arm-common/gic_lr.h"
#include "core/arch.h"
#include "core/board.h"
#include "core/log.h"
#include "core/sched.h"

/* Distributor */
#define CTLR_GROUPS                                                                                \
    0x3 /* EnableGrp1 and 1A, or 0 and 1 with one security state: all that we see                  \
         */
#define CTLR_ARE     BIT(4)
#define CTLR_RWP     BIT(31)
#define GICD_IROUTER 0x6000

/* Redistributor (§12.11) */
#define GICR_CTLR     0x0000
#define GICR_CTLR_RWP BIT(3)
#define GICR_TYPER    0x0008
#define TYPER_VLPIS   BIT(1)
#define TYPER_LAST    BIT(4)
#define GICR_WAKER    0x0014
#define WAKER_SLEEP   BIT(1)
#define WAKER_ASLEEP  BIT(2)
#define FRAME         0x10000 /* the RD frame; the SGI frame follows */

/* CPU interface */
#define SRE_SRE       BIT(0)
#define SRE_NO_BYPASS (BIT(1) | BIT(2))
#define CTLR_EOIMODE  BIT(1)

static uintptr_t redist[PCPU_MAX]; /* by pcpu id: RD frames */

uintptr_t gicv3_redist(const struct pcpu *p)
{
    return redist[p->id];
}

static void wait_clear(uintptr_t reg, u32 bit)
{
    if (!io_wait32(reg, bit, 0)) {
        log_warn("GIC: register 0x%llx is stuck", (unsigned long long)reg);
    }
}

static void gicv3_wait(uintptr_t frame)
{
    if (frame == gic.gicd) {
        wait_clear(frame + GICD_CTLR, CTLR_RWP);
    } else {
        wait_clear(frame - FRAME + GICR_CTLR, GICR_CTLR_RWP);
    }
}

static u64 routing(u64 mpidr)
{
    return mpidr & MPIDR_AFFINITY; /* GICD_IROUTER has MPIDR's layout; bit 31, mode, is 0 */
}

static void gicv3_route(u32 intid, const struct pcpu *p)
{
    io_write64_halves(gic.gicd + GICD_IROUTER + 8 * intid, routing(p->mpidr));
}

static bool gicv3_init(const struct board *board)
{
    u32 vtr, prebits;

    if (!cpu_has_gicv3()) {
        log_err("the board's device tree has a GICv3, but this CPU no registers for one");
        return false;
    }
    for (u32 i = 0; i < board->ngicr; i++) {
        if (!gic_answers("redistributors (GICR)", (uintptr_t)board->gicr[i].base + GICR_TYPER)) {
            return false;
        }
    }
    vtr = (u32)sysreg_read(ICH_VTR);
    prebits = ((vtr >> 26) & 7) + 1;
    gic.lr_count = MIN((vtr & 0x1f) + 1, (u32)IRQ_LR_MAX);
    gic.ap_count = prebits <= 5 ? 1 : (prebits == 6 ? 2 : 4);

    /* off, but ARE, once set, may not be cleared (§12.9.4) */
    io_write32(gic.gicd + GICD_CTLR, io_read32(gic.gicd + GICD_CTLR) & CTLR_ARE);
    wait_clear(gic.gicd + GICD_CTLR, CTLR_RWP);
    gic_quiet(gic.gicd, IRQ_PRIVATE, gic.lines);
    for (u32 i = IRQ_PRIVATE; i < gic.lines; i += 32) {
        io_write32(gic.gicd + GICD_IGROUPR + i / 8, UINT32_MAX); /* all in group 1 */
    }
    wait_clear(gic.gicd + GICD_CTLR, CTLR_RWP);
    /* ARE first: routing registers mean nothing before */
    io_write32(gic.gicd + GICD_CTLR, CTLR_ARE);
    wait_clear(gic.gicd + GICD_CTLR, CTLR_RWP);
    for (u32 i = IRQ_PRIVATE; i < gic.lines; i++) {
        io_write64_halves(gic.gicd + GICD_IROUTER + 8 * i, routing(cpu_affinity()));
    }
    io_write32(gic.gicd + GICD_CTLR, CTLR_ARE | CTLR_GROUPS);
    wait_clear(gic.gicd + GICD_CTLR, CTLR_RWP);
    return true;
}

/* GICR_TYPER[63:32]: Aff3 to Aff0, a byte each. */
static u32 typer_affinity(u64 mpidr)
{
    return (u32)(mpidr & 0xffffff) | (u32)(mpidr >> 32) << 24;
}

/* The redistributor of this CPU in one region, or 0. */
static uintptr_t find_in(const struct range *r, u64 stride)
{
    u32 affinity = typer_affinity(cpu_affinity());

    for (u64 at = 0; at + 2 * FRAME <= r->size;) {
        uintptr_t frame = (uintptr_t)(r->base + at);
        u32 low = io_read32(frame + GICR_TYPER);

        if (io_read32(frame + GICR_TYPER + 4) == affinity) {
            return frame;
        }
        if (stride == 0 && (low & TYPER_LAST) != 0) {
            return 0;
        }
        at += stride != 0 ? stride : ((low & TYPER_VLPIS) != 0 ? 4 * FRAME : 2 * FRAME);
    }
    return 0;
}

static uintptr_t find_redist(const struct board *board)
{
    for (u32 i = 0; i < board->ngicr; i++) {
        uintptr_t frame = find_in(&board->gicr[i], board->gicr_stride);

        if (frame != 0) {
            return frame;
        }
    }
    return 0;
}

static void redist_init(uintptr_t frame, u32 private_enabled)
{
    uintptr_t sgi = frame + FRAME;

    io_write32(frame + GICR_WAKER, io_read32(frame + GICR_WAKER) & ~WAKER_SLEEP);
    wait_clear(frame + GICR_WAKER, WAKER_ASLEEP);
    gic_quiet(sgi, 0, IRQ_PRIVATE);
    wait_clear(frame + GICR_CTLR, GICR_CTLR_RWP);
    io_write32(sgi + GICD_IGROUPR, UINT32_MAX);
    io_write32(sgi + GICD_ISENABLER, private_enabled);
    dsb_sy();
}

/* Words beyond the first exist from 6 bits of preemption on (§12.2.3): others are UNDEFINED. */
static void clear_active(void)
{
    u32 prebits = ((u32)(sysreg_read(ICC_CTLR) >> 8) & 7) + 1; /* PRIbits: at least as many */

    sysreg_write(ICC_AP1R0, 0);
    if (prebits > 5) {
        sysreg_write(ICC_AP1R1, 0);
    }
    if (prebits > 6) {
        sysreg_write(ICC_AP1R2, 0);
        sysreg_write(ICC_AP1R3, 0);
    }
}

static bool interface_init(void)
{
    /*
     * Enable stays 0: a guest's accesses to ICC_SRE_EL1 trap, and its memory-mapped interface
     * doesn't exist. Where the GIC has no legacy mode both are read-only ones.
     */
    sysreg_write(ICC_HSRE, SRE_SRE | SRE_NO_BYPASS);
    isb(); /* the other registers exist from here on */
    if ((sysreg_read(ICC_HSRE) & SRE_SRE) == 0) {
        log_err("GICv3: the firmware keeps the system registers away from EL2 (ICC_SRE_EL2)");
        return false;
    }
    sysreg_write(ICC_SRE_GUEST, SRE_SRE | SRE_NO_BYPASS);
    isb();
    sysreg_write(ICH_HCR, 0);
    sysreg_write(ICC_PMR, 0xff);
    sysreg_write(ICC_BPR1, 0);
    sysreg_write(ICC_CTLR, CTLR_EOIMODE);
    clear_active();
    isb();
    sysreg_write(ICC_IGRPEN1, 1);
    isb();
    return true;
}

/* ICC_SGI1R_EL1 (§12.2.19): a list of 16 CPUs that share their upper affinity. */
static u64 kick_value(void)
{
    u64 a = cpu_affinity();
    u64 aff0 = a & 0xff, aff1 = (a >> 8) & 0xff, aff2 = (a >> 16) & 0xff, aff3 = (a >> 32) & 0xff;

    return aff3 << 48 | (aff0 >> 4) << 44 | aff2 << 32 | (u64)GIC_SGI_KICK << 24 | aff1 << 16 |
           BIT64(aff0 & 0xf);
}

static bool gicv3_cpu_init(const struct board *board, u32 private_enabled)
{
    uintptr_t frame = find_redist(board);

    if (frame == 0) {
        log_err("GICv3: no redistributor for the CPU with MPIDR 0x%llx",
                (unsigned long long)cpu_affinity());
        return false;
    }
    redist[arch_pcpu()->id] = frame;
    gic_kicks[arch_pcpu()->id] = kick_value();
    redist_init(frame, private_enabled);
    return interface_init();
}

static uintptr_t gicv3_private_frame(void)
{
    return redist[arch_pcpu()->id] + FRAME;
}

/* --- the virtual interface --- */

#define LR_CASE_READ(n)                                                                            \
    case n:                                                                                        \
        return sysreg_read(ICH_LR##n)
#define LR_CASE_WRITE(n)                                                                           \
    case n:                                                                                        \
        sysreg_write(ICH_LR##n, value);                                                            \
        break

/*
 * Inlined, as their callers are loops that every interrupt goes through; most often with the first
 * register.
 */
static inline __attribute__((always_inline)) u64 lr_read(u32 n)
{
    if (likely(n == 0)) {
        return sysreg_read(ICH_LR0);
    }
    switch (n) {
        LR_CASE_READ(1);
        LR_CASE_READ(2);
        LR_CASE_READ(3);
        LR_CASE_READ(4);
        LR_CASE_READ(5);
        LR_CASE_READ(6);
        LR_CASE_READ(7);
        LR_CASE_READ(8);
        LR_CASE_READ(9);
        LR_CASE_READ(10);
        LR_CASE_READ(11);
        LR_CASE_READ(12);
        LR_CASE_READ(13);
        LR_CASE_READ(14);
        LR_CASE_READ(15);
    default:
        return 0;
    }
}

static inline __attribute__((always_inline)) void lr_write(u32 n, u64 value)
{
    if (likely(n == 0)) {
        sysreg_write(ICH_LR0, value);
        return;
    }
    switch (n) {
        LR_CASE_WRITE(1);
        LR_CASE_WRITE(2);
        LR_CASE_WRITE(3);
        LR_CASE_WRITE(4);
        LR_CASE_WRITE(5);
        LR_CASE_WRITE(6);
        LR_CASE_WRITE(7);
        LR_CASE_WRITE(8);
        LR_CASE_WRITE(9);
        LR_CASE_WRITE(10);
        LR_CASE_WRITE(11);
        LR_CASE_WRITE(12);
        LR_CASE_WRITE(13);
        LR_CASE_WRITE(14);
        LR_CASE_WRITE(15);
    default:
        break;
    }
}

static void gicv3_set_control(u32 hcr)
{
    sysreg_write(ICH_HCR, hcr);
}

static u32 gicv3_control(void)
{
    return (u32)sysreg_read(ICH_HCR);
}

void gicv3_lr_save(struct irq_ctx *ctx)
{
    for (u32 left = ctx->used & ~(u32)ctx->dirty; left != 0; left &= left - 1) {
        u32 n = (u32)__builtin_ctz(left);

        ctx->lr[n].state = gic_lr3_state(lr_read(n));
        if (unlikely(ctx->lr[n].hw && ctx->lr[n].state == LR_PENDING)) {
            gic_lr_recheck(ctx, n);
        }
    }
}

void gicv3_lr_load(struct irq_ctx *ctx, struct gic_cpuif *cpuif)
{
    for (u32 left = ctx->dirty; left != 0; left &= left - 1) {
        u32 n = (u32)__builtin_ctz(left);
        const struct irq_lr *lr = &ctx->lr[n];

        lr_write(n, lr->state == 0 ? 0 : gic_lr3_make(lr));
    }
    ctx->dirty = 0;
    if (unlikely(ctx->refill || cpuif->hcr != GIC_HCR_PLAIN)) {
        gic_lr_control(ctx, cpuif);
    }
}

static void ap_load(const struct gic_cpuif *c)
{
    if (gic.ap_count > 2) {
        sysreg_write(ICH_AP0R3, c->ap0r[3]);
        sysreg_write(ICH_AP1R3, c->ap1r[3]);
        sysreg_write(ICH_AP0R2, c->ap0r[2]);
        sysreg_write(ICH_AP1R2, c->ap1r[2]);
    }
    if (gic.ap_count > 1) {
        sysreg_write(ICH_AP0R1, c->ap0r[1]);
        sysreg_write(ICH_AP1R1, c->ap1r[1]);
    }
    sysreg_write(ICH_AP0R0, c->ap0r[0]);
    sysreg_write(ICH_AP1R0, c->ap1r[0]);
}

static void ap_save(struct gic_cpuif *c)
{
    if (gic.ap_count > 2) {
        c->ap0r[3] = (u32)sysreg_read(ICH_AP0R3);
        c->ap1r[3] = (u32)sysreg_read(ICH_AP1R3);
        c->ap0r[2] = (u32)sysreg_read(ICH_AP0R2);
        c->ap1r[2] = (u32)sysreg_read(ICH_AP1R2);
    }
    if (gic.ap_count > 1) {
        c->ap0r[1] = (u32)sysreg_read(ICH_AP0R1);
        c->ap1r[1] = (u32)sysreg_read(ICH_AP1R1);
    }
    c->ap0r[0] = (u32)sysreg_read(ICH_AP0R0);
    c->ap1r[0] = (u32)sysreg_read(ICH_AP1R0);
}

static void gicv3_guest_load(struct irq_ctx *ctx, struct gic_cpuif *cpuif)
{
    for (u32 n = 0; n < gic.lr_count; n++) {
        if ((ctx->used & BIT(n)) == 0) {
            lr_write(n, 0); /* another vCPU's */
        }
    }
    ctx->dirty = ctx->used;
    sysreg_write(ICH_VMCR, cpuif->vmcr);
    ap_load(cpuif);
    gicv3_lr_load(ctx, cpuif);
}

static void gicv3_guest_save(struct gic_cpuif *cpuif)
{
    cpuif->vmcr = (u32)sysreg_read(ICH_VMCR);
    ap_save(cpuif);
}

const struct gic_ops gicv3_ops = {
    .init = gicv3_init,
    .cpu_init = gicv3_cpu_init,
    .private_frame = gicv3_private_frame,
    .wait = gicv3_wait,
    .route = gicv3_route,
    .guest_load = gicv3_guest_load,
    .guest_save = gicv3_guest_save,
    .set_control = gicv3_set_control,
    .control = gicv3_control,
};
