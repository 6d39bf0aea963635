/* SPDX-License-Identifier: MIT */
/*
 * A guest CPU's interrupt hardware, for tests of the vGIC: list registers that are acknowledged and
 * ended as the virtual CPU interface of a GIC does it, maintenance interrupts, and the physical
 * interrupts that hang on them. Anything that hardware forbids is a panic.
 */
#ifndef TESTS_HOST_GCPU_H
#define TESTS_HOST_GCPU_H

#include "core/config.h"
#include "core/irq.h"
#include "core/sched.h"
#include "core/vcpu.h"
#include "core/vm.h"

#define GCPU_NONE   1023u
#define GCPU_GICD   0x08000000ull
#define GCPU_GICC   0x08010000ull
#define GCPU_GICR   0x080a0000ull
#define GCPU_SGIS   0x10000ull /* SGI frame of a redistributor */
#define GCPU_STRIDE 0x20000ull

struct gcpu {
    struct vcpu vcpu;
    struct irq_lr hw[IRQ_LR_MAX];
    bool np; /* maintenance interrupt when none is pending */
    u32 eoicount;
    u16 running[64]; /* what it has acknowledged and not ended, oldest first */
    u8 running_prio[64];
    u32 depth;
    u32 maintenance;    /* how often a maintenance interrupt came */
    bool held[IRQ_MAX]; /* physical interrupts of this CPU that are active */
};

struct gcpu_vm {
    struct vm vm;
    struct vm_config cfg;
    struct gcpu cpu[VCPU_MAX];
};

/* A VM with ncpus vCPUs, each on a pcpu of its own and running, with `lrs` list registers. */
void gcpu_create(struct gcpu_vm *g, u32 version, u32 ncpus, u32 lrs);

/* A machine of gcpu_create as new, all lines low. */
void gcpu_reset(struct gcpu_vm *g, u32 lrs);

/* PSCI CPU_OFF, as core and arch do it; and CPU_ON after it. */
void gcpu_stop(struct gcpu *c);
void gcpu_restart(struct gcpu *c);

/* What happens before a vCPU goes on: updates its list registers while anything asks for it. */
void gcpu_enter(struct gcpu *c);
/* The same for all of them. */
void gcpu_enter_all(struct gcpu_vm *g);

/* Reads IAR: the interrupt (GICv2 SGI: the sender << 10), or GCPU_NONE. */
u32 gcpu_ack(struct gcpu *c);
/* What it would return, without a side effect. */
u32 gcpu_peek(const struct gcpu *c);
/* Writes EOIR: priority drop and deactivation of what gcpu_ack returned. */
void gcpu_eoi(struct gcpu *c, u32 iar);

/* Register accesses by vCPU c; the vCPUs are not entered after it. */
u64 gcpu_read(struct gcpu *c, u64 addr, u32 size);
void gcpu_write(struct gcpu *c, u64 addr, u32 size, u64 value);

/* Writes ICC_SGI1R_EL1. */
void gcpu_sgi(struct gcpu *c, u64 value);

/* A physical interrupt of c's CPU fires, unless it's active. */
void gcpu_fire(struct gcpu *c, u32 intid);

#endif
