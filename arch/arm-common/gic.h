/* SPDX-License-Identifier: MIT */
/*
 * The physical interrupt controller at EL2, GICv2 (with virtualization extensions) or GICv3, and
 * the virtual CPU interface that guests use. Interrupts are taken in two steps (EOImode 1): gic_eoi
 * drops the running priority, then Muntin deactivates what is its own, and the guest what a
 * hardware-linked list register hands to it.
 *
 * No lock: distributor functions are called while VMs are created; the rest touches this CPU alone.
 * Everything in struct gic is read-only once gic_init is done.
 */
#ifndef ARCH_ARM_COMMON_GIC_H
#define ARCH_ARM_COMMON_GIC_H

#include "arch/arm-common/io.h"
#include "core/irq.h"
#include "core/sched.h"
#include "core/types.h"
#include "sysreg.h"

struct board;

#define GIC_SGI_KICK 0      /* makes a CPU leave its guest or its idle */
#define GIC_SPURIOUS 1020   /* INTIDs from here to 1023: nothing to handle */
#define ISR_IRQ      BIT(7) /* ISR: an IRQ is pending */
#define GIC_PRIO     0xa0   /* of everything that Muntin enables */

/* GICv2 CPU interface (IHI 0048 §4.4) */
#define GICC_IAR  0x000c
#define GICC_EOIR 0x0010
#define GICC_DIR  0x1000
#define GICD_SGIR 0x0f00

/* GICH_HCR and ICH_HCR_EL2: the same bits; EOIcount is [31:27] */
#define GIC_HCR_EN             BIT(0)
#define GIC_HCR_UIE            BIT(1) /* maintenance interrupt: at most one register is in use */
#define GIC_HCR_LRENPIE        BIT(2) /* … EOIcount isn't 0 */
#define GIC_HCR_NPIE           BIT(3) /* … none holds a pending interrupt */
#define GIC_HCR_EOICOUNT_SHIFT 27
#define GIC_HCR_PLAIN          (GIC_HCR_EN | GIC_HCR_LRENPIE) /* unless more is pending */

struct gic {
    bool v3;
    u32 lines;    /* INTIDs that are SPIs end here */
    u32 lr_count; /* list registers, at most IRQ_LR_MAX */
    u32 ap_count; /* words of active priorities */
    uintptr_t gicd, gicc, gich;
    hpa_t gicv; /* GICv2: what a VM maps (Device, GIC_GICV_SIZE) as its CPU interface */
    u32 maint;  /* INTID of the maintenance interrupt */
    u32 vtimer; /* … of the virtual timer */
};

#define GIC_GICV_SIZE 0x2000u

extern struct gic gic;

/*
 * What kicks each CPU, by pcpu id: a value of ICC_SGI1R or of GICD_SGIR. Written by that CPU when
 * it comes up; 0, until then, names no CPU.
 */
extern u64 gic_kicks[];

/* State of the virtual CPU interface that belongs to a vCPU, apart from list registers. */
struct gic_cpuif {
    u32 vmcr;
    u32 hcr; /* what the hardware was given, while loaded */
    u32 ap0r[4], ap1r[4];
};

/*
 * Boot CPU, with the frames that the board names (gicd, gicc, gich, gicr) mapped as device: finds
 * out what is there, disables all SPIs. False, after a message, without a usable GIC.
 */
bool gic_init(const struct board *board) MUST_CHECK;

/*
 * Each CPU, boot CPU included, after gic_init: its own interface, with the kick, maintenance, EL2
 * timer and virtual timer interrupts enabled. False, after a message, if it has none.
 */
bool gic_cpu_init(void) MUST_CHECK;

/*
 * Boot CPU, after gic_cpu_init, before its first guest: makes an interrupt pending in a list
 * register. False: a guest doesn't see it. There are emulators that don't connect it.
 */
bool gic_delivers(void);

/* --- physical interrupts --- */

/* Interrupts p from any CPU, itself included, after all stores before it are visible to p. */
static inline void gic_kick(const struct pcpu *p)
{
    u64 value = gic_kicks[p->id];

    /* What p is to look at is visible to it before the interrupt is. */
    dsb_ishst();
    if (likely(gic.v3)) {
        sysreg_write(ICC_SGI1R, value);
        isb(); /* sent now, not when this CPU next synchronises */
    } else {
        io_write32(gic.gicd + GICD_SGIR, (u32)value);
    }
}

/* Boot: the same for all CPUs but this one, be they in Muntin yet or not. */
void gic_kick_others(void);

/* An SPI, from any CPU, or a private interrupt of this CPU. */
void gic_enable(u32 intid, bool on);
/* Boot: an SPI to the boot CPU, edge or level, as the board's tree says. */
void gic_setup_spi(u32 intid, bool edge);
/* SPIs, from any CPU: to the CPU p, which is up; is it pending (level-triggered: its line is high);
 * made pending; no longer pending; masked, neither pending nor active. */
void gic_spi_route(u32 intid, const struct pcpu *p);
bool gic_spi_pending(u32 intid);
void gic_spi_pend(u32 intid);
void gic_spi_clear(u32 intid);
void gic_spi_quiet(u32 intid);
/* Deactivates what may be inactive already: an SPI, from any CPU; others as gic_deactivate. */
void gic_complete(u32 intid);

/*
 * Active state of a private interrupt of this CPU: with a virtual timer linked to hardware it
 * belongs to the vCPU, so it's saved and restored with it. Order: set it before that vCPU's timer
 * is enabled.
 */
bool gic_ppi_active(u32 intid);
void gic_ppi_set_active(u32 intid, bool active);

/*
 * True if a physical interrupt waits for this CPU: cheaper than an acknowledge in vain, which is a
 * round trip to the GIC and a barrier. May lag a little behind what the GIC has just been told.
 */
static inline bool gic_pending(void)
{
    return (sysreg_read(ISR) & ISR_IRQ) != 0;
}

/*
 * The next four are handed gic.v3, or as a constant what it is known to be.
 *
 * The most urgent pending interrupt, acknowledged; pass the result to gic_intid, and once, as it
 * is, to gic_eoi, unless its INTID is GIC_SPURIOUS or above.
 */
static inline u32 gic_ack(bool v3)
{
    u32 iar;

    if (v3) {
        iar = (u32)sysreg_read(ICC_IAR1);
        /* The acknowledge is complete before anything is done for the interrupt (IHI 0069 §4.1.1),
         * and what the sender of a kick stored before it is seen from here on. */
        dsb_sy();
        return iar;
    }
    iar = io_read32(gic.gicc + GICC_IAR);
    dmb_sy(); /* the same for an SGI's sender */
    return iar;
}

static inline u32 gic_intid(bool v3, u32 iar)
{
    return v3 ? iar & 0xffffff : iar & 0x3ff;
}

/* Priority drop: others may come again. Deactivation is a second step, Muntin's or the guest's. */
static inline void gic_eoi(bool v3, u32 iar)
{
    if (v3) {
        sysreg_write(ICC_EOIR1, iar);
    } else {
        io_write32(gic.gicc + GICC_EOIR, iar);
    }
}

/* `iar` for what this CPU acknowledged, an INTID for what a guest left active. */
static inline void gic_deactivate_by(bool v3, u32 iar)
{
    if (v3) {
        sysreg_write(ICC_DIR, iar);
    } else {
        io_write32(gic.gicc + GICC_DIR, iar);
    }
}

static inline void gic_deactivate(u32 iar)
{
    gic_deactivate_by(gic.v3, iar);
}

/* --- the virtual CPU interface --- */

/*
 * Puts vCPU state into the hardware: list registers (those in ctx->used as ctx has them, the others
 * empty; ctx->dirty becomes 0), control, priorities. On the CPU that will run it, which holds no
 * other's state.
 */
void gic_guest_load(struct irq_ctx *ctx, struct gic_cpuif *cpuif);

/* The reverse; then the interface is off. */
void gic_guest_save(struct irq_ctx *ctx, struct gic_cpuif *cpuif);

/*
 * The list registers of the loaded vCPU, as core/irq.h has it: save reads the states of used and
 * not dirty ones, load writes the dirty ones and asks for a maintenance interrupt if ctx->refill is
 * set. EOIs of interrupts that are in no list register always interrupt, so ctx->eoicount is
 * brought up to date by gic_maintenance and gic_guest_save alone, and an ordinary exit doesn't read
 * it.
 */
void gic_lr_recheck(struct irq_ctx *ctx, u32 n);
void gic_lr_control(const struct irq_ctx *ctx, struct gic_cpuif *cpuif);
void gicv3_lr_save(struct irq_ctx *ctx);
void gicv3_lr_load(struct irq_ctx *ctx, struct gic_cpuif *cpuif);
void gicv2_lr_save(struct irq_ctx *ctx);
void gicv2_lr_load(struct irq_ctx *ctx, struct gic_cpuif *cpuif);

static inline void gic_lr_save(struct irq_ctx *ctx)
{
    if (likely(gic.v3)) {
        gicv3_lr_save(ctx);
    } else {
        gicv2_lr_save(ctx);
    }
}

static inline void gic_lr_load(struct irq_ctx *ctx, struct gic_cpuif *cpuif)
{
    if (likely(gic.v3)) {
        gicv3_lr_load(ctx, cpuif);
    } else {
        gicv2_lr_load(ctx, cpuif);
    }
}

/*
 * GICv2: true if the maintenance interrupt is about nothing but the ends of linked interrupts, on a
 * GIC where Muntin deactivates the physical ones: done. As with a link in hardware, the vGIC finds
 * them ended when it looks next.
 */
bool gicv2_linked_ended(struct irq_ctx *ctx);

/*
 * The maintenance interrupt (gic.maint) fired while this vCPU is loaded: makes it quiet. The list
 * registers must be saved, updated and loaded before the guest runs on.
 */
void gic_maintenance(struct irq_ctx *ctx, struct gic_cpuif *cpuif);

/* The virtual CPU interface as at power-on: everything disabled. */
void gic_cpuif_reset(struct gic_cpuif *cpuif);

/* --- for gicv2.c and gicv3.c --- */

/* What the two versions do differently, off the hot paths. */
struct gic_ops {
    bool (*init)(const struct board *board);
    bool (*cpu_init)(const struct board *board, u32 private_enabled);
    uintptr_t (*private_frame)(void); /* GICD or this CPU's SGI frame: the same offsets */
    void (*wait)(uintptr_t frame);    /* until a change of an enable bit has taken effect */
    void (*route)(u32 intid, const struct pcpu *p); /* an SPI */
    void (*guest_load)(struct irq_ctx *ctx, struct gic_cpuif *cpuif);
    void (*guest_save)(struct gic_cpuif *cpuif); /* all but list registers and control */
    void (*set_control)(u32 hcr);
    u32 (*control)(void);
};

extern const struct gic_ops gicv2_ops, gicv3_ops;

/* GICv3: the redistributor of a CPU that is up: its RD frame. */
uintptr_t gicv3_redist(const struct pcpu *p);

/* Distributor registers (IHI 0048 §4.3, IHI 0069 §12.9); those of private interrupts are at the
 * same offsets in a GICv3 redistributor's SGI frame. */
#define GICD_CTLR       0x0000
#define GICD_TYPER      0x0004
#define GICD_IIDR       0x0008
#define GICD_IGROUPR    0x0080
#define GICD_ISENABLER  0x0100
#define GICD_ICENABLER  0x0180
#define GICD_ISPENDR    0x0200
#define GICD_ICPENDR    0x0280
#define GICD_ISACTIVER  0x0300
#define GICD_ICACTIVER  0x0380
#define GICD_IPRIORITYR 0x0400
#define GICD_ITARGETSR  0x0800
#define GICD_ICFGR      0x0c00

/* False, after a message: an access to this frame's register ends in an abort. */
bool gic_answers(const char *frame, uintptr_t reg) MUST_CHECK;

/* Disables INTIDs [first, gic.lines), 32 at a time; inactive, not pending, GIC_PRIO. */
void gic_quiet(uintptr_t frame, u32 first, u32 end);

#endif
