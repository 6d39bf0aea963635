/* SPDX-License-Identifier: MIT */
/*
 * Virtual interrupts: what core, arch and the virtual GIC say to each other. The vGIC is a device
 * (vdev/gic) that core knows only as a table of functions; arch carries list registers between the
 * struct below and the hardware.
 */
#ifndef CORE_IRQ_H
#define CORE_IRQ_H

#include "core/types.h"

struct vm;
struct vcpu;

#define IRQ_SGIS    16
#define IRQ_PRIVATE 32   /* SGIs and PPIs: INTIDs below this belong to one CPU */
#define IRQ_MAX     1020 /* first INTID that is not an interrupt */
#define IRQ_LR_MAX  16

enum irq_lr_state {
    LR_PENDING = 1,
    LR_ACTIVE = 2, /* both: active and pending */
};

/* One list register, in the common form of GICv2 (GICH_LR) and GICv3 (ICH_LR_EL2). */
struct irq_lr {
    u16 virq;  /* INTID that the guest sees */
    u16 pirq;  /* hw: physical INTID that the guest's deactivation deactivates */
    u8 prio;   /* 0 highest; 5 bits significant, left-aligned */
    u8 state;  /* enum irq_lr_state bits; 0: the register is free */
    u8 source; /* GICv2 SGI: the CPU that sent it; else 0 */
    bool hw;
    bool eoi; /* !hw: maintenance interrupt when the guest ends it (level resample) */
    bool group1;
};

/*
 * The list registers of one vCPU. Owned by the CPU that runs the vCPU. The vGIC decides which are
 * occupied and what is in them; of the fields below arch changes only lr[].state, dirty and
 * eoicount:
 * save: reads the state of lr[n] for each n in used and not in dirty (what the vGIC changed since
 *       the last load is newer than the hardware). It may run any number of times before the next
 *       load.
 * load: writes each lr[n] in dirty, 0 where state is 0, and clears dirty.
 * The end of an interrupt that is in no list register is a maintenance interrupt, whose handler (or
 * the switch to another vCPU) adds the hardware's count to eoicount.
 */
struct irq_ctx {
    struct irq_lr lr[IRQ_LR_MAX];
    u8 count;     /* registers that this CPU has; set by arch */
    u16 used;     /* bit n: lr[n] is occupied */
    u16 dirty;    /* bit n: lr[n] was changed by the vGIC and must be written */
    bool refill;  /* more is pending than fits: maintenance interrupt when none is left pending */
    u16 eoicount; /* EOIs of interrupts that were in no list register; the vGIC takes them */
};

/* What the virtual interrupt controller of a VM can do; vm->irqchip points to it. */
struct irqchip {
    /*
     * Level of an input line: SPIs with v NULL, PPIs with the vCPU. Any CPU. For an edge-triggered
     * interrupt a rise makes it pending. Wakes and kicks the target as needed.
     */
    void (*set_line)(struct vm *vm, struct vcpu *v, u32 intid, bool level);
    /*
     * A physical interrupt that is linked to a virtual one fired and was acknowledged, not
     * deactivated: the guest's own deactivation ends it. On the CPU that runs v (PPI) or any (SPI).
     */
    void (*inject_hw)(struct vm *vm, struct vcpu *v, u32 intid, u32 pintid);
    /*
     * Boot: SPI intid is the board's SPI pintid from now on. What the guest says of it (enabled,
     * where to) holds for the board's, too (struct pass_hw). intid is an SPI that the vGIC has.
     */
    void (*link)(struct vm *vm, u32 intid, u32 pintid, bool level);
    /*
     * Takes the guest's progress out of v->irq (arch has read the used registers) and fills it
     * with what is most urgent now. On v's own CPU, with v->irq owned.
     */
    void (*update)(struct vcpu *v);
    /* True if v has an interrupt that would end its WFI. On v's own CPU, v loaded. */
    bool (*pending)(struct vcpu *v);
    /* A write of ICC_SGI1R_EL1 (GICv3), trapped. */
    void (*sgi)(struct vcpu *v, u64 value);
    /* Power-on state of the whole controller; no vCPU of vm runs. */
    void (*reset)(struct vm *vm);
    /*
     * v's CPU goes off or starts anew (PSCI), and with it its CPU interface: what is in list
     * registers is taken out, so that it can go elsewhere. Interrupts keep their state, as a GIC is
     * not reset by that. On v's own CPU, v not loaded.
     */
    void (*reset_vcpu)(struct vcpu *v);
};

/*
 * For the vGIC: v's interrupts changed; its list registers must be updated before it runs on. If v
 * runs on another CPU that CPU is kicked, if v sleeps it's woken. Any CPU; LOCK_VGIC may be held,
 * takes LOCK_SCHED.
 */
void irq_attention(struct vcpu *v);

#endif
