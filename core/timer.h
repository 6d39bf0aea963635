/* SPDX-License-Identifier: MIT */
/*
 * One-shot deadlines at EL2, a sorted list on each physical CPU. There's no tick: the hardware
 * timer is programmed for the earliest deadline, or off. Lock: the CPU's LOCK_SCHED, not held while
 * a timer's function runs.
 */
#ifndef CORE_TIMER_H
#define CORE_TIMER_H

#include "core/types.h"

struct pcpu;

#define TIMER_OFF UINT64_MAX

struct timer {
    u64 deadline_ns;             /* arch_now_ns() time; TIMER_OFF when not armed */
    void (*fn)(struct timer *t); /* on the CPU it was armed for */
    struct timer *next;
    struct pcpu *pcpu;
};

void timer_init(struct timer *t, struct pcpu *p, void (*fn)(struct timer *t));
/* (Re)arms t. Any CPU: the owner is kicked if its hardware deadline moves closer. */
void timer_set(struct timer *t, u64 deadline_ns);
void timer_cancel(struct timer *t);

/* The hardware timer of this CPU fired, or may have: runs what is due. */
void timer_expire(struct pcpu *p);

#endif
