/* SPDX-License-Identifier: MIT */
/*
 * SPIs that are linked to interrupts of the board's devices. What the guest says of such an SPI is
 * said to the board's GIC, too: while it's disabled here it's masked there, so that a device whose
 * level stays high doesn't interrupt, and an edge is remembered by the board's GIC. It's routed to
 * the CPU of the vCPU that gets it. Lock: vgic.lock.
 */
#include "vdev/gic/vgic_hw.h"

#include "core/pass.h"

static u32 host_intid(const struct vgic *g, u32 wi, u32 n)
{
    return g->pintid[(wi - 1) * 32 + n];
}

void vgic_hw_link(struct vm *vm, u32 intid, u32 pintid, bool level)
{
    struct vgic *g = vm->irqchip_data;
    u32 spi = intid - IRQ_PRIVATE, bit = BIT(spi % 32);

    spin_lock(&g->lock);
    g->hw[spi / 32] |= bit;
    g->hw_level[spi / 32] |= level ? bit : 0;
    g->pintid[spi] = (u16)pintid;
    if (g->target[spi] != VGIC_NOBODY) {
        pass_hw->irq_route(pintid, g->cpu[g->target[spi]].vcpu->pcpu);
    }
    vgic_unlock(g);
}

/* A level that was high when it interrupted, and has gone since, is no longer pending. */
static void forget_gone(struct vgic *g, u32 wi, u32 bits)
{
    struct vgic_word *w = &g->spi[wi - 1];

    for (bits &= g->hw_level[wi - 1] & w->latch & w->held & ~w->listed; bits != 0;
         bits &= bits - 1) {
        u32 n = (u32)__builtin_ctz(bits);

        if (!pass_hw->irq_pending(host_intid(g, wi, n))) {
            w->latch &= ~BIT(n);
            vgic_settle(g, NULL, wi, BIT(n));
        }
    }
}

void vgic_hw_look(struct vgic *g)
{
    for (u32 wi = 1; wi < VGIC_WORDS; wi++) {
        forget_gone(g, wi, g->hw[wi - 1]);
    }
}

void vgic_hw_enable(struct vgic *g, u32 wi, u32 bits, bool on)
{
    bits &= g->hw[wi - 1];
    if (on) {
        forget_gone(g, wi, bits);
    }
    for (; bits != 0; bits &= bits - 1) {
        pass_hw->irq_enable(host_intid(g, wi, (u32)__builtin_ctz(bits)), on);
    }
}

void vgic_hw_route(struct vgic *g, u32 spi, u32 target)
{
    forget_gone(g, 1 + spi / 32, BIT(spi % 32));
    if (target != VGIC_NOBODY) {
        pass_hw->irq_route(g->pintid[spi], g->cpu[target].vcpu->pcpu);
    }
}

u32 vgic_hw_pending(struct vgic *g, u32 wi)
{
    u32 bits = g->hw[wi - 1], pending = 0;

    if (bits == 0) {
        return 0;
    }
    forget_gone(g, wi, bits);
    vgic_changed(g, NULL, wi, 0);
    for (; bits != 0; bits &= bits - 1) {
        u32 n = (u32)__builtin_ctz(bits);

        pending |= pass_hw->irq_pending(host_intid(g, wi, n)) ? BIT(n) : 0;
    }
    return pending;
}

void vgic_hw_clear(struct vgic *g, u32 wi, u32 bits)
{
    for (bits &= g->hw[wi - 1]; bits != 0; bits &= bits - 1) {
        pass_hw->irq_clear(host_intid(g, wi, (u32)__builtin_ctz(bits)));
    }
}
