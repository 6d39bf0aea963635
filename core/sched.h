/* SPDX-License-Identifier: MIT */
/*
 * What each physical CPU does: which vCPU it runs, deferred work, idling. vCPUs are pinned; of
 * those that share a CPU the highest priority runs, round robin among equals, with no tick while
 * there's only one candidate. Lock: struct pcpu's.
 */
#ifndef CORE_SCHED_H
#define CORE_SCHED_H

#include "core/spinlock.h"
#include "core/timer.h"
#include "core/types.h"

struct vcpu;

#define PCPU_MAX       16
#define SCHED_SLICE_NS 5000000ull /* round robin among vCPUs of one priority */

/*
 * Deferred work: a function that runs on one physical CPU, outside any guest, in pieces. It returns
 * true to be called again after pending interrupts were looked at. Each call may take at most about
 * 50,000 instructions.
 */
struct work {
    bool (*fn)(struct work *w);
    struct work *next;
    u32 queued; /* 0 or 1: a work item is in a queue at most once */
};

struct pcpu {
    u32 id;    /* index; 0 is the boot CPU */
    u64 mpidr; /* affinity fields of the physical CPU */
    bool online;

    /* Fields that only this CPU touches */
    struct vcpu *current;    /* vCPU whose guest state is loaded; may be blocked or off */
    struct timer slice;      /* round robin */
    struct timer work_pause; /* until the next piece of deferred work */

    struct {
        struct spinlock
            lock; /* LOCK_SCHED; covers the fields below, and the vCPUs' run-queue fields */
        struct vcpu *ready;   /* sorted by priority, FIFO within one */
        struct timer *timers; /* sorted by deadline */
        struct work *work, **work_tail;
        u32 attention; /* enum pcpu_attention bits; read without the lock */
    } remote;          /* what other CPUs may touch */

    u32 nvcpus; /* vCPUs pinned here, of VMs that may start; fixed by vm_settle */
};

enum pcpu_attention {
    PCPU_RESCHED = 1,
    PCPU_WORK = 2,
    PCPU_TIMER = 4, /* the hardware deadline must be programmed anew */
};

extern struct pcpu pcpus[PCPU_MAX];
extern u32 pcpu_count;

void sched_init(u32 count);

/* vCPU state changes. Any CPU. */
void sched_ready(struct vcpu *v);   /* to READY from OFF, under vm->lock; kicks its CPU if needed */
void sched_wake(struct vcpu *v);    /* to READY from BLOCKED; else nothing happens */
void sched_block(struct vcpu *v);   /* on its own CPU: BLOCKED until it's asked for something */
void sched_off(struct vcpu *v);     /* on its own CPU */
void sched_pause(struct vcpu *v);   /* on its own CPU: PAUSED until sched_resume */
void sched_resume(struct vcpu *v);  /* to READY from PAUSED; else nothing happens */
void sched_requeue(struct vcpu *v); /* on its own CPU: behind others of its priority (WFE, SMCCC) */

/*
 * Asks v for attention (enum vcpu_attention bits) before it runs on: wakes it if it's blocked,
 * kicks its CPU if it's in the guest on another one. Any CPU; takes LOCK_SCHED.
 */
void vcpu_ask(struct vcpu *v, u32 bits);

/* Queues w on p (any CPU). Nothing happens if it's queued already. */
void work_queue(struct pcpu *p, struct work *w);

/*
 * The most frequent case of the decision below, on CPU p in a trap of p->current: all that is asked
 * for is that its list registers be updated. True: that is done, and the same vCPU is to be
 * entered.
 */
bool sched_irq(struct pcpu *p);

/*
 * The decision before each entry to a guest, on CPU p, when p or p->current asks for attention:
 * runs due timers and work, picks the vCPU to run, idles while there's none, updates its list
 * registers. Returns the vCPU to enter, loaded. `p->current` may differ from before.
 */
struct vcpu *sched_enter(struct pcpu *p);

/* Never returns: what every CPU does once it's up. */
void sched_run(struct pcpu *p) NORETURN;

#endif
