/* SPDX-License-Identifier: MIT */
/*
 * A guest CPU's interrupt hardware, for tests of the vGIC: list registers that are acknowledged and
 * ended as the virtual CPU interface of a GIC does it, maintenance interrupts, and the physical
 * interrupts that hang on them. Anything that hardware forbids is a panic.
 */
#ifndef TESTS_HOST_GUEST_IRQ_H
#define TESTS_HOST_GUEST_IRQ_H

#include "core/config.h"
#include "core/irq.h"
#include "core/sched.h"
#include "core/vcpu.h"
#include "core/vm.h"

#define GUEST_NONE   1023u
#define GUEST_GICD   0x08000000ull
#define GUEST_GICC   0x08010000ull
#define GUEST_GICR   0x080a0000ull
#define GUEST_SGIS   0x10000ull /* SGI frame of a redistributor */
#define GUEST_STRIDE 0x20000ull

struct guest_cpu {
    struct vcpu vcpu;
    struct irq_lr hw[IRQ_LR_MAX];
    u32 occupied;   /* hw[] that were written */
    bool np, lrenp; /* maintenance when none is pending; when EOIcount is not 0 */
    u32 eoicount;
    u16 running[64]; /* what it has acknowledged and not ended, oldest first */
    u8 running_prio[64];
    u32 depth;
    u32 maintenance;    /* how often a maintenance interrupt came */
    bool held[IRQ_MAX]; /* physical interrupts of this CPU that are active */
};

struct guest {
    struct vm vm;
    struct vm_config cfg;
    struct guest_cpu cpu[VCPU_MAX];
};

/* A VM with ncpus vCPUs, each on a pcpu of its own and running, with `lrs` list registers. */
void guest_create(struct guest *g, u32 version, u32 ncpus, u32 lrs);

/* What happens before a vCPU goes on: updates its list registers while anything asks for it. */
void guest_enter(struct guest_cpu *c);
/* The same for all of them. */
void guest_enter_all(struct guest *g);

/* Reads IAR: the interrupt (GICv2 SGI: the sender << 10), or GUEST_NONE. */
u32 guest_ack(struct guest_cpu *c);
/* What it would return, without a side effect. */
u32 guest_peek(const struct guest_cpu *c);
/* Writes EOIR: priority drop and deactivation of what guest_ack returned. */
void guest_eoi(struct guest_cpu *c, u32 iar);

/* Register accesses by vCPU c; the vCPUs are not entered after it. */
u64 guest_read(struct guest_cpu *c, u64 addr, u32 size);
void guest_write(struct guest_cpu *c, u64 addr, u32 size, u64 value);

/* A physical interrupt of c's CPU fires, unless it's active. */
void guest_fire(struct guest_cpu *c, u32 intid);

#endif
