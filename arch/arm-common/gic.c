/* SPDX-License-Identifier: MIT */
/*
 * What GICv2 and GICv3 have in common: finding out which it is, the distributor's bitmaps, and
 * dispatch to the version's own file.
 */
#include "arch/arm-common/gic.h"

#include "arch/arm-common/start.h"
#include "core/board.h"
#include "core/log.h"
#include "core/sched.h"
#include "try.h"

#define TIMER_HYP     3 /* index in board->timer_intid */
#define TIMER_VIRTUAL 2

/* CNTV_CTL: the timer's line is high when it's enabled, not masked, and its condition holds */
#define TIMER_BITS 7u
#define TIMER_HIGH 5u

/* GICH_VMCR, ICH_VMCR_EL2: group 1 enabled, no priority masked */
#define VMCR_OPEN (0xf8000000u | BIT(1))

struct gic gic;
u64 gic_kicks[PCPU_MAX];

static const struct gic_ops *ops;
static const struct board *board;
static u32 private_enabled; /* bit per SGI and PPI */

void gic_quiet(uintptr_t frame, u32 first, u32 end)
{
    for (u32 i = first; i < end; i += 32) {
        io_write32(frame + GICD_ICENABLER + i / 8, UINT32_MAX);
        io_write32(frame + GICD_ICPENDR + i / 8, UINT32_MAX);
        io_write32(frame + GICD_ICACTIVER + i / 8, UINT32_MAX);
    }
    for (u32 i = first; i < end; i += 4) {
        io_write32(frame + GICD_IPRIORITYR + i, GIC_PRIO * 0x01010101u);
    }
}

bool gic_answers(const char *frame, uintptr_t reg)
{
    u64 value;

    if (try_read(reg, 4, &value)) {
        return true;
    }
    log_err("nothing answers at 0x%llx, where the board's device tree has the GIC's %s",
            (unsigned long long)reg, frame);
    return false;
}

bool gic_init(const struct board *b)
{
    private_enabled = BIT(GIC_SGI_KICK) | BIT(b->gic_maint_intid) | BIT(b->timer_intid[TIMER_HYP]) |
                      BIT(b->timer_intid[TIMER_VIRTUAL]);
    board = b;
    gic.v3 = b->gic_version == 3;
    gic.gicd = (uintptr_t)b->gicd.base;
    gic.gicc = (uintptr_t)b->gicc.base;
    gic.gich = (uintptr_t)b->gich.base;
    gic.gicv = b->gicv.base;
    gic.maint = b->gic_maint_intid;
    gic.vtimer = b->timer_intid[TIMER_VIRTUAL];
    if (!gic_answers("distributor (GICD)", gic.gicd + GICD_TYPER)) {
        return false;
    }
    gic.lines = MIN(32 * ((io_read32(gic.gicd + GICD_TYPER) & 0x1f) + 1), (u32)IRQ_MAX);
    ops = gic.v3 ? &gicv3_ops : &gicv2_ops;
    return ops->init(b);
}

bool gic_cpu_init(void)
{
    return ops->cpu_init(board, private_enabled);
}

static uintptr_t frame_of(u32 intid)
{
    return intid < IRQ_PRIVATE ? ops->private_frame() : gic.gicd;
}

void gic_enable(u32 intid, bool on)
{
    uintptr_t frame = frame_of(intid);

    io_write32(frame + (on ? GICD_ISENABLER : GICD_ICENABLER) + intid / 32 * 4, BIT(intid % 32));
    if (!on) {
        ops->wait(frame); /* it can't fire any more once this returns */
    }
}

void gic_setup_spi(u32 intid, bool edge)
{
    uintptr_t reg = gic.gicd + GICD_ICFGR + intid / 16 * 4;
    u32 bit = BIT(intid % 16 * 2 + 1);

    gic_enable(intid, false);
    io_write32(reg, edge ? io_read32(reg) | bit : io_read32(reg) & ~bit);
}

void gic_kick_others(void)
{
    if (gic.v3) {
        sysreg_write(ICC_SGI1R, BIT64(40) | (u64)GIC_SGI_KICK << 24); /* IRM */
        isb();
    } else {
        io_write32(gic.gicd + GICD_SGIR, BIT(24) | GIC_SGI_KICK); /* TargetListFilter */
    }
}

/* A bit of a register with one for each interrupt. Writing 0 leaves the others as they are. */
static void write_bit(u32 reg, u32 intid)
{
    io_write32(gic.gicd + reg + intid / 32 * 4, BIT(intid % 32));
}

void gic_spi_route(u32 intid, const struct pcpu *p)
{
    ops->route(intid, p);
}

bool gic_spi_pending(u32 intid)
{
    return (io_read32(gic.gicd + GICD_ISPENDR + intid / 32 * 4) & BIT(intid % 32)) != 0;
}

void gic_spi_pend(u32 intid)
{
    write_bit(GICD_ISPENDR, intid);
}

void gic_spi_clear(u32 intid)
{
    write_bit(GICD_ICPENDR, intid);
}

void gic_complete(u32 intid)
{
    if (intid < IRQ_PRIVATE) {
        gic_deactivate(intid);
        return;
    }
    /* what DIR does to one that isn't active is unpredictable in GICv2 (IHI 0048 §4.4.15) */
    write_bit(GICD_ICACTIVER, intid);
}

void gic_spi_quiet(u32 intid)
{
    gic_enable(intid, false);
    write_bit(GICD_ICPENDR, intid);
    write_bit(GICD_ICACTIVER, intid);
}

bool gic_ppi_active(u32 intid)
{
    /* dsb: an acknowledge by IAR or a deactivation by the guest may still be under way */
    dsb_sy();
    return (io_read32(ops->private_frame() + GICD_ISACTIVER) & BIT(intid)) != 0;
}

void gic_ppi_set_active(u32 intid, bool active)
{
    io_write32(ops->private_frame() + (active ? GICD_ISACTIVER : GICD_ICACTIVER), BIT(intid));
    dsb_sy(); /* has reached the GIC before the timer is enabled: else it fires once more */
}

/*
 * Is the line of a linked interrupt low? An edge has none that matters. Of an SPI that is active,
 * the pending bit is the line (IHI 0048 §3.2.4, IHI 0069 §4.1.2).
 */
static bool line_is_low(u32 intid)
{
    if (intid == gic.vtimer) {
        return (sysreg_read(CNTV_CTL) & TIMER_BITS) != TIMER_HIGH;
    }
    return (io_read32(gic.gicd + GICD_ICFGR + intid / 16 * 4) & BIT(intid % 16 * 2 + 1)) == 0 &&
           !gic_spi_pending(intid);
}

/*
 * A linked interrupt that the guest hasn't taken yet. If its line is a level that has gone
 * meanwhile (a timer stopped or set anew, a device asked by polling), hardware would take the
 * interrupt back, so it's withdrawn here as if the guest were done with it. The vGIC sees a free
 * list register.
 */
void gic_lr_recheck(struct irq_ctx *ctx, u32 n)
{
    u32 intid = ctx->lr[n].pirq;

    if (line_is_low(intid)) {
        ctx->lr[n].state = 0;
        ctx->dirty = (u16)(ctx->dirty | BIT(n));
        gic_complete(intid);
    }
}

/* The rarer half of loading list registers: the control register isn't what it has to be. */
void gic_lr_control(const struct irq_ctx *ctx, struct gic_cpuif *cpuif)
{
    u32 hcr = GIC_HCR_PLAIN;

    if (ctx->refill) {
        bool pending = false;

        for (u32 left = ctx->used; left != 0; left &= left - 1) {
            pending |= (ctx->lr[__builtin_ctz(left)].state & LR_PENDING) != 0;
        }
        /* with none pending NPIE would fire at once, for ever */
        hcr |= pending ? GIC_HCR_NPIE : GIC_HCR_UIE;
    }
    if (hcr != cpuif->hcr) {
        cpuif->hcr = hcr;
        ops->set_control(hcr);
    }
}

void gic_maintenance(struct irq_ctx *ctx, struct gic_cpuif *cpuif)
{
    ctx->eoicount = (u16)(ctx->eoicount + (ops->control() >> GIC_HCR_EOICOUNT_SHIFT));
    /*
     * A write sets the count to 0. Off, so that the line is low until the next load: an ended list
     * register (EOI) keeps it high without any enable bit but EN.
     */
    cpuif->hcr = 0;
    ops->set_control(0);
}

void gic_guest_load(struct irq_ctx *ctx, struct gic_cpuif *cpuif)
{
    ops->guest_load(ctx, cpuif);
}

void gic_guest_save(struct irq_ctx *ctx, struct gic_cpuif *cpuif)
{
    gic_lr_save(ctx);
    ops->guest_save(cpuif);
    gic_maintenance(ctx, cpuif);
    isb(); /* no virtual interrupt of this vCPU, and no maintenance interrupt, from here on */
}

bool gic_delivers(void)
{
    struct irq_ctx ctx = {.lr = {{.virq = IRQ_PRIVATE, .state = LR_PENDING, .group1 = true}},
                          .used = BIT(0)};
    struct gic_cpuif cpuif = {.vmcr = VMCR_OPEN};
    bool seen;

    gic_guest_load(&ctx, &cpuif);
    isb();
    seen = start_virq();
    gic_guest_save(&ctx, &cpuif);
    return seen;
}

void gic_cpuif_reset(struct gic_cpuif *cpuif)
{
    *cpuif = (struct gic_cpuif){0};
}
