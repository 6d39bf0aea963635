/* SPDX-License-Identifier: MIT */
/*
 * A short way for what vCPUs do to each other all the time: an SGI that the guest has ended is sent
 * anew. Part of vgic_lr.c, whose rules apply. Lock: vgic.lock.
 */
#ifndef VDEV_GIC_VGIC_AGAIN_H
#define VDEV_GIC_VGIC_AGAIN_H

#include "vdev/gic/vgic_state.h"

/*
 * List register n, occupied and with its state known, holds an SGI that the guest has ended and
 * that is latched anew, of one sender (GICv2): pending again in place. False: it's something else.
 */
static inline bool vgic_again_renew(struct vgic *g, struct vgic_cpu *cpu, u32 n)
{
    struct irq_lr *lr = &cpu->vcpu->irq.lr[n];
    struct vgic_word *w = &cpu->word;
    u32 id = lr->virq, bit = BIT(id % 32);

    if (lr->state != 0 || id >= IRQ_SGIS || lr->eoi ||
        (w->latch & ~w->forced & vgic_forward(g, w) & bit) == 0) {
        return false;
    }
    if (g->version == 2) {
        if (!is_pow2(cpu->sources[id])) {
            return false;
        }
        lr->source = (u8)(__builtin_ctz(cpu->sources[id]) & 7);
        cpu->sources[id] = 0;
    }
    w->latch &= ~bit;
    w->handed |= bit;
    w->active &= ~bit;
    lr->state = LR_PENDING;
    cpu->seen[n] = LR_PENDING;
    cpu->vcpu->irq.dirty |= (u16)BIT(n);
    return true;
}

/* True: that was all that cpu's list registers need. False: nothing is done. */
static inline bool vgic_again_update(struct vgic *g, struct vgic_cpu *cpu)
{
    struct irq_ctx *ctx = &cpu->vcpu->irq;
    u32 stale = cpu->stale & cpu->lrs; /* one may have been freed since */

    if (!is_pow2(stale) || (cpu->restyle | cpu->ready_words | cpu->out_words | cpu->complete |
                            ctx->eoicount | g->unsettled) != 0) {
        return false;
    }
    for (u32 lrs = cpu->lrs & ~stale; lrs != 0; lrs &= lrs - 1) {
        u32 n = (u32)__builtin_ctz(lrs);

        if (ctx->lr[n].state != cpu->seen[n]) {
            return false; /* the guest did something with another one */
        }
    }
    if (!vgic_again_renew(g, cpu, (u32)__builtin_ctz(stale))) {
        return false;
    }
    cpu->stale = 0;
    ctx->refill = false;
    g->ask &= ~BIT(cpu->index);
    return true;
}

#endif
