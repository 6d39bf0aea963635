/* SPDX-License-Identifier: MIT */
/*
 * From a physical interrupt to whoever it belongs to: Muntin's own timer, kicks and UART, the
 * guest's virtual timer, the virtual interface's maintenance. On the CPU that it came to,
 * interrupts masked, no lock held.
 */
#ifndef ARCH_ARM_COMMON_IRQS_H
#define ARCH_ARM_COMMON_IRQS_H

#include "arch/arm-common/gic.h"
#include "core/types.h"

struct pcpu;
struct vcpu;

/* INTIDs that Muntin takes itself; set once by boot_finish. uart, smmu 0: none. */
extern struct host_irqs {
    u32 vtimer, hyp, uart, smmu;
} host_irqs;

/* Takes what is pending, most likely one: made for each version of the GIC. */
void irqs_take_v2(struct pcpu *p);
void irqs_take_v3(struct pcpu *p);

static inline void irqs_take(struct pcpu *p)
{
    if (likely(gic.v3)) {
        irqs_take_v3(p);
    } else {
        irqs_take_v2(p);
    }
}

/* The same, without a guest: nothing may be pending. */
void irqs_poll(struct pcpu *p);

/* What a vCPU of either architecture has of the GIC and of its virtual timer. */
struct irqs_vcpu {
    struct gic_cpuif cpuif;
    u64 cntv_cval;
    u32 cntv_ctl;
    bool vtimer_active; /* the physical timer interrupt waits for this guest's EOI */
};

/* vcpu.c of each architecture: where v has it. */
struct irqs_vcpu *irqs_of(struct vcpu *v);

/* As at power-on. */
void irqs_vcpu_reset(struct irqs_vcpu *s);

/*
 * v's virtual timer, when v is unloaded from this CPU and loaded; its offset and the rest of the
 * counter's control are set before it's loaded, without an isb.
 */
void irqs_vtimer_save(struct irqs_vcpu *s);
void irqs_vtimer_load(const struct irqs_vcpu *s);
/* When that of v, which was saved, fires: in arch_now_ns' time; TIMER_OFF: never. */
u64 irqs_vtimer_ns(struct vcpu *v);

#endif
