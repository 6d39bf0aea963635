/* SPDX-License-Identifier: MIT */
/* Physical interrupts, to whom they belong. See irqs.h. */
#include "arch/arm-common/irqs.h"

#include "arch/arm-common/clock.h"
#include "arch/arm-common/its.h"
#include "arch/arm-common/smmuv3.h"
#include "arch/arm-common/vtimer.h"
#include "core/arch.h"
#include "core/atomic.h"
#include "core/irq.h"
#include "core/pass.h"
#include "core/vm.h"

#define IRQ_BURST 16u /* acknowledged in one go before the guest gets its turn */

struct host_irqs host_irqs;

/* Neither the guest's timer nor a kick. True: it's a guest's now, who will deactivate it. */
static __attribute__((noinline)) bool dispatch_rest(struct pcpu *p, u32 intid)
{
    if (intid == host_irqs.hyp) {
        clock_irq(); /* it's a level: away with it before it's deactivated */
        atomic_or(&p->remote.attention, (u32)PCPU_TIMER);
    } else if (intid == gic.maint) {
        if (p->current != NULL && !gicv2_linked_ended(&p->current->irq)) {
            gic_maintenance(&p->current->irq, &irqs_of(p->current)->cpuif);
            atomic_or(&p->current->attention, (u32)VCPU_IRQ);
        }
    } else if (intid == host_irqs.uart && arch_uart_irq != NULL) {
        arch_uart_irq();
    } else if (intid >= ITS_LPI_FIRST) {
        its_lpi(intid);
        return true; /* there's nothing to deactivate (IHI 0069 §4.1.2) */
    } else if (intid == host_irqs.smmu) {
        smmu_irq();
    } else {
        return pass_irq(intid);
    }
    return false;
}

/* Returns with the interrupt dealt with, and deactivated unless that is the guest's business. */
static inline void dispatch(bool v3, struct pcpu *p, u32 iar, u32 intid)
{
    struct vcpu *v = p->current;

    gic_eoi(v3, iar);
    if (likely(intid == host_irqs.vtimer)) {
        if (likely(v != NULL)) {
            v->vm->irqchip->inject_hw(v->vm, v, intid, intid);
            return;
        } /* else it came while its guest was being unloaded */
    } else if (intid != GIC_SGI_KICK && dispatch_rest(p, intid)) {
        return;
    }
    gic_deactivate_by(v3, iar);
}

/* There's at least one, most likely. Made twice, so that the GIC's version is asked for once. */
static inline __attribute__((always_inline)) void take_irqs(bool v3, struct pcpu *p)
{
    for (u32 i = 0; i < IRQ_BURST; i++) {
        u32 iar = gic_ack(v3), intid = gic_intid(v3, iar);

        if (unlikely(intid >= GIC_SPURIOUS && intid < GIC_SPURIOUS + 4)) {
            return;
        }
        dispatch(v3, p, iar, intid);
        if (likely(!gic_pending())) {
            return;
        }
    }
}

void irqs_take_v2(struct pcpu *p)
{
    take_irqs(false, p);
}

void irqs_take_v3(struct pcpu *p)
{
    take_irqs(true, p);
}

void irqs_poll(struct pcpu *p)
{
    if (gic_pending()) {
        irqs_take(p);
    }
}

/* --- what goes with a vCPU --- */

#define CNTV_CTL_ENABLE 1u
#define CNTV_CTL_IMASK  2u

void irqs_vcpu_reset(struct irqs_vcpu *s)
{
    s->cntv_ctl = 0;
    s->cntv_cval = 0;
    s->vtimer_active = false;
    gic_cpuif_reset(&s->cpuif);
}

/*
 * The virtual timer's physical interrupt is linked to the guest's: while the guest handles it, it's
 * active in the physical GIC. That state travels with the vCPU, so that the next vCPU's timer can
 * interrupt.
 */
void irqs_vtimer_save(struct irqs_vcpu *s)
{
    s->cntv_ctl = (u32)sysreg_read(CNTV_CTL);
    s->cntv_cval = sysreg_read(CNTV_CVAL);
    sysreg_write(CNTV_CTL, 0);
    isb(); /* off before its active state is looked at: no new interrupt in between */
    s->vtimer_active = gic_ppi_active(host_irqs.vtimer);
    if (s->vtimer_active) {
        gic_ppi_set_active(host_irqs.vtimer, false);
    }
}

void irqs_vtimer_load(const struct irqs_vcpu *s)
{
    if (s->vtimer_active) {
        gic_ppi_set_active(host_irqs.vtimer, true);
    }
    sysreg_write(CNTV_CVAL, s->cntv_cval);
    isb(); /* offset and deadline before it's enabled */
    sysreg_write(CNTV_CTL, s->cntv_ctl);
}

u64 irqs_vtimer_ns(struct vcpu *v)
{
    const struct irqs_vcpu *s = irqs_of(v);

    if ((s->cntv_ctl & (CNTV_CTL_ENABLE | CNTV_CTL_IMASK)) != CNTV_CTL_ENABLE) {
        return TIMER_OFF;
    }
    return vtimer_deadline(vtimer_count(v->vm), s->cntv_cval);
}

void arch_irq_save(struct vcpu *v)
{
    gic_lr_save(&v->irq);
}

void arch_irq_load(struct vcpu *v)
{
    gic_lr_load(&v->irq, &irqs_of(v)->cpuif);
}

void arch_irq_complete(u32 pintid)
{
    gic_complete(pintid);
}
