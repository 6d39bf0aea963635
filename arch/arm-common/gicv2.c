/* SPDX-License-Identifier: MIT */
/*
 * GICv2 with virtualization extensions (GIC-400 and the like): all by memory. References are to
 * IHI 0048. At EL2 non-secure, with or without security extensions: bit 0 of the control registers
 * enables the group of our interrupts (see in_bit0s_group).
 */
#include "arch/arm-common/gic.h"

#include "arch/arm-common/gic_lr.h"
#include "core/arch.h"
#include "core/board.h"
#include "core/log.h"
#include "core/sched.h"

/* CPU interface (§4.4) */
#define GICC_CTLR    0x0000
#define CTLR_ENABLE  BIT(0)
#define CTLR_BYPASS  0x1e0u /* legacy bypass: left as the firmware set it */
#define CTLR_EOIMODE BIT(9) /* of the non-secure copy, or the only one */
#define GICC_PMR     0x0004
#define GICC_BPR     0x0008
#define GICC_APR     0x00d0
#define GICC_IIDR    0x00fc

/* Virtual interface control (§5.3) */
#define GICH_HCR  0x0000
#define GICH_VTR  0x0004
#define GICH_VMCR 0x0008
#define GICH_MISR 0x0010
#define MISR_EOI  BIT(0)
#define GICH_EISR 0x0020
#define GICH_APR  0x00f0
#define GICH_LR   0x0100

#define IIDR_GENERIC 0x043bu /* Arm's, product, variant and revision 0 */

#define FRAME_MIN  0x2000u  /* GICC_DIR and GICV_DIR lie in the second page */
#define ALIASED    0x20000u /* a frame that shows each of its two pages 16 times, … */
#define ALIAS_LAST 0xf000u  /* … of which the last copy of the first is followed by the second */
#define CPU_MAX    8

/*
 * QEMU's GICv2 (10.0 at least) deactivates a linked interrupt when the guest ends the virtual one,
 * but looks at its line again only when something else happens: if the level is high already, an
 * interrupt is lost. There the guest's end interrupts (EOI), and Muntin deactivates. QEMU says that
 * it's Arm's product 0, which a GIC-400 (product 2) doesn't; on what else does, this works too, for
 * an exit more (gicv2_linked_ended). Written by the boot CPU, before there are others.
 */
static bool by_hand;

/* GICv2 has no register that says so: reading back waits for the write. */
static void gicv2_wait(uintptr_t frame)
{
    (void)io_read32(frame + GICD_CTLR);
}

/* The interface's number: any field of the banked ITARGETSR0 to 7. RAZ with a single CPU (§4.3.12).
 */
static u8 own_target(void)
{
    for (u32 i = 0; i < IRQ_PRIVATE; i += 4) {
        u32 mask = io_read32(gic.gicd + GICD_ITARGETSR + i);

        mask |= mask >> 16;
        mask |= mask >> 8;
        if ((mask & 0xff) != 0) {
            return (u8)mask;
        }
    }
    return 1;
}

/* gic_kicks has the CPU's interface as a mask, in GICD_SGIR's place for it. */
static void gicv2_route(u32 intid, const struct pcpu *p)
{
    io_write8(gic.gicd + GICD_ITARGETSR + intid, (u8)(gic_kicks[p->id] >> 16));
}

/*
 * Boards made for pages of 64 KiB connect a GIC-400 so that its pages of 4 KiB are that far apart.
 * A CPU interface in the way that everybody else has it is in there, too.
 */
static void find_frames(const struct board *board)
{
    u32 iidr = io_read32(gic.gicc + GICC_IIDR);

    if (board->gicc.size == ALIASED && iidr == io_read32(gic.gicc + ALIAS_LAST + GICC_IIDR)) {
        gic.gicc += ALIAS_LAST;
        gic.gicv += board->gicv.size == ALIASED ? ALIAS_LAST : 0;
    }
}

static bool check_frames(const struct board *board)
{
    const struct range *r[] = {&board->gicc, &board->gicv};

    for (u32 i = 0; i < ARRAY_SIZE(r); i++) {
        if (r[i]->size < FRAME_MIN || r[i]->base % PAGE_SIZE != 0) {
            log_err("GICv2: the %s has 0x%llx bytes at 0x%llx in the board's device tree; whole "
                    "pages are needed, and 0x%x bytes",
                    i == 0 ? "CPU interface (GICC)" : "guests' CPU interface (GICV)",
                    (unsigned long long)r[i]->size, (unsigned long long)r[i]->base, FRAME_MIN);
            return false;
        }
    }
    return gic_answers("CPU interface (GICC)", gic.gicc + GICC_IIDR) &&
           gic_answers("virtual interface control (GICH)", gic.gich + GICH_VTR);
}

/*
 * With security extensions our copy of the control registers enables group 1, and these registers
 * are RAZ/WI: the firmware has chosen (§4.3.4). Without, bit 0 enables group 0, signalled as IRQ; a
 * firmware for both kinds may have put everything into group 1.
 */
static void in_bit0s_group(u32 from, u32 to)
{
    for (u32 i = from; i < to; i += 32) {
        io_write32(gic.gicd + GICD_IGROUPR + i / 8, 0);
    }
}

static bool gicv2_init(const struct board *board)
{
    u8 target;

    if (!check_frames(board)) {
        return false;
    }
    if (io_read32(gic.gich + GICH_VTR) == 0) {
        log_err("the board's GICv2 has no virtualization extensions: nothing is at 0x%llx, where "
                "the device tree has GICH; no guest can be interrupted",
                (unsigned long long)gic.gich);
        return false;
    }
    find_frames(board);
    gic.lr_count = MIN((io_read32(gic.gich + GICH_VTR) & 0x3f) + 1, (u32)IRQ_LR_MAX);
    gic.ap_count = 1;
    by_hand = io_read32(gic.gicd + GICD_IIDR) == IIDR_GENERIC;

    io_write32(gic.gicd + GICD_CTLR, 0);
    gic_quiet(gic.gicd, IRQ_PRIVATE, gic.lines);
    in_bit0s_group(IRQ_PRIVATE, gic.lines);
    target = own_target();
    for (u32 i = IRQ_PRIVATE; i < gic.lines; i += 4) {
        io_write32(gic.gicd + GICD_ITARGETSR + i, target * 0x01010101u);
    }
    io_write32(gic.gicd + GICD_CTLR, CTLR_ENABLE);
    return true;
}

static bool gicv2_cpu_init(const struct board *board, u32 private_enabled)
{
    u32 bypass = io_read32(gic.gicc + GICC_CTLR) & CTLR_BYPASS;

    (void)board;
    if (arch_pcpu()->id >= CPU_MAX) {
        log_err("GICv2: more than %u CPUs", CPU_MAX);
        return false;
    }
    gic_kicks[arch_pcpu()->id] = (u32)own_target() << 16 | GIC_SGI_KICK;
    io_write32(gic.gicc + GICC_CTLR, bypass);
    gic_quiet(gic.gicd, 0, IRQ_PRIVATE);
    in_bit0s_group(0, IRQ_PRIVATE);
    io_write32(gic.gicd + GICD_ISENABLER, private_enabled);
    if ((io_read32(gic.gicd + GICD_ISENABLER) & private_enabled) != private_enabled) {
        /* group 0 of the secure side: RAZ/WI for us (IHI 0048 §4.1.4) */
        log_err("GICv2: the firmware keeps private interrupts of the CPU with MPIDR 0x%llx for "
                "itself (GICD_IGROUPR0)",
                (unsigned long long)cpu_affinity());
        return false;
    }
    io_write32(gic.gich + GICH_HCR, 0);
    for (u32 i = 0; i < 4; i++) {
        io_write32(gic.gicc + GICC_APR + 4 * i, 0);
    }
    io_write32(gic.gicc + GICC_PMR, 0xff);
    io_write32(gic.gicc + GICC_BPR, 0);
    io_write32(gic.gicc + GICC_CTLR, bypass | CTLR_EOIMODE | CTLR_ENABLE);
    dsb_sy();
    return true;
}

static uintptr_t gicv2_private_frame(void)
{
    return gic.gicd;
}

/* --- the virtual interface --- */

static void gicv2_set_control(u32 hcr)
{
    io_write32(gic.gich + GICH_HCR, hcr);
}

static u32 gicv2_control(void)
{
    return io_read32(gic.gich + GICH_HCR);
}

/* A linked interrupt that the guest hasn't taken, or has ended since its state was `before`. */
static void look_at_linked(struct irq_ctx *ctx, u32 n, u8 before)
{
    if (ctx->lr[n].state == LR_PENDING) {
        gic_lr_recheck(ctx, n);
    } else if (by_hand && before != 0) {
        ctx->dirty = (u16)(ctx->dirty | BIT(n)); /* until it's written, it asks for maintenance */
        gic_complete(ctx->lr[n].pirq);
    }
}

void gicv2_lr_save(struct irq_ctx *ctx)
{
    for (u32 left = ctx->used & ~(u32)ctx->dirty; left != 0; left &= left - 1) {
        u32 n = (u32)__builtin_ctz(left);
        struct irq_lr *lr = &ctx->lr[n];
        u8 before = lr->state;

        lr->state = gic_lr2_state(io_read32(gic.gich + GICH_LR + 4 * n));
        if (unlikely(lr->hw && lr->state != LR_ACTIVE)) {
            look_at_linked(ctx, n, before);
        }
    }
}

bool gicv2_linked_ended(struct irq_ctx *ctx)
{
    u32 ended;

    if (!by_hand || io_read32(gic.gich + GICH_MISR) != MISR_EOI) {
        return false;
    }
    ended = io_read32(gic.gich + GICH_EISR);
    for (u32 left = ended; left != 0; left &= left - 1) {
        u32 n = (u32)__builtin_ctz(left);

        if ((ctx->used & ~(u32)ctx->dirty & BIT(n)) == 0 || !ctx->lr[n].hw) {
            return false;
        }
    }
    for (u32 left = ended; left != 0; left &= left - 1) {
        u32 n = (u32)__builtin_ctz(left);

        ctx->lr[n].state = 0;
        io_write32(gic.gich + GICH_LR + 4 * n, 0); /* else it goes on asking for maintenance */
        gic_complete(ctx->lr[n].pirq);
    }
    return true;
}

static inline u32 make(const struct irq_lr *lr)
{
    u32 reg;

    if (lr->state == 0) {
        return 0;
    }
    reg = gic_lr2_make(lr);
    return unlikely(lr->hw && by_hand) ? gic_lr2_unlink(reg) : reg;
}

void gicv2_lr_load(struct irq_ctx *ctx, struct gic_cpuif *cpuif)
{
    for (u32 left = ctx->dirty; left != 0; left &= left - 1) {
        u32 n = (u32)__builtin_ctz(left);

        io_write32(gic.gich + GICH_LR + 4 * n, make(&ctx->lr[n]));
    }
    ctx->dirty = 0;
    if (unlikely(ctx->refill || cpuif->hcr != GIC_HCR_PLAIN)) {
        gic_lr_control(ctx, cpuif);
    }
}

static void gicv2_guest_load(struct irq_ctx *ctx, struct gic_cpuif *cpuif)
{
    for (u32 n = 0; n < gic.lr_count; n++) {
        if ((ctx->used & BIT(n)) == 0) {
            io_write32(gic.gich + GICH_LR + 4 * n, 0); /* another vCPU's */
        }
    }
    ctx->dirty = ctx->used;
    io_write32(gic.gich + GICH_VMCR, cpuif->vmcr);
    io_write32(gic.gich + GICH_APR, cpuif->ap1r[0]);
    gicv2_lr_load(ctx, cpuif);
}

static void gicv2_guest_save(struct gic_cpuif *cpuif)
{
    cpuif->vmcr = io_read32(gic.gich + GICH_VMCR);
    cpuif->ap1r[0] = io_read32(gic.gich + GICH_APR);
}

const struct gic_ops gicv2_ops = {
    .init = gicv2_init,
    .cpu_init = gicv2_cpu_init,
    .private_frame = gicv2_private_frame,
    .wait = gicv2_wait,
    .route = gicv2_route,
    .guest_load = gicv2_guest_load,
    .guest_save = gicv2_guest_save,
    .set_control = gicv2_set_control,
    .control = gicv2_control,
};
