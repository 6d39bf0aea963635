/* SPDX-License-Identifier: MIT */
/*
 * A virtual CPU: what core knows of it. The architecture's vCPU contains this one as its first
 * member (container_of), so that core never sees a register.
 */
#ifndef CORE_VCPU_H
#define CORE_VCPU_H

#include "core/irq.h"
#include "core/timer.h"
#include "core/types.h"

struct mmio_window;
struct pcpu;
struct vm;

#define VCPU_MAX 8 /* of one VM: what a GICv2 can address */

enum vcpu_state {
    VCPU_OFF,     /* PSCI off, or its VM isn't running */
    VCPU_READY,   /* wants to run */
    VCPU_PAUSED,  /* its VM is, until it runs on or is stopped */
    VCPU_BLOCKED, /* in a trapped WFI, or PSCI CPU_SUSPEND: an interrupt makes it ready */
};

struct vcpu {
    struct vm *vm;
    struct pcpu *pcpu; /* the physical CPU it's pinned to, for good */
    u32 id;            /* index in vm->vcpu */
    u64 mpidr;         /* affinity fields only, as the guest sees them */
    u32 prio;          /* `sched`: higher runs first */
    bool trap_wfi;     /* it shares its CPU, or its config says so */

    /* Under pcpu->lock: */
    u8 state;          /* enum vcpu_state; read without the lock by PSCI AFFINITY_INFO */
    struct vcpu *next; /* run queue */

    /* Set by any CPU, taken by the vCPU's own CPU before it enters the guest: */
    u32 attention; /* enum vcpu_attention bits */

    /* PSCI CPU_ON: where to start. Written by the caller under vm->lock before state changes. */
    u64 entry, context;

    /* The window of its last access to a device, for mmio_access; NULL at first. */
    const struct mmio_window *mmio_last;

    struct irq_ctx irq;
    struct timer wakeup; /* the guest's own timer, while the vCPU isn't loaded */

    u64 exits; /* statistics; written by the own CPU only */
    u64 run_ns;
};

enum vcpu_attention {
    VCPU_IRQ = 1,   /* list registers must be updated */
    VCPU_STOP = 2,  /* go off: the VM stops or restarts, or the guest's own CPU_OFF */
    VCPU_PAUSE = 8, /* stand still: the VM's core is to be written */
    VCPU_INIT = 4,  /* registers are to be reset to entry/context before it runs */
};

#endif
