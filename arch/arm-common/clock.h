/* SPDX-License-Identifier: MIT */
/*
 * The generic timer as Muntin's clock: the physical counter, and the EL2 physical timer behind
 * arch_now_ns and arch_deadline (core/arch.h). No lock: read-only after clock_init, registers are
 * each CPU's own.
 */
#ifndef ARCH_ARM_COMMON_CLOCK_H
#define ARCH_ARM_COMMON_CLOCK_H

#include "core/types.h"

/*
 * Boot CPU, before anything asks for the time. The frequency is CNTFRQ's; false, after a message,
 * if the firmware hasn't set it.
 */
bool clock_init(void) MUST_CHECK;

/* Each CPU: its deadline is off, and its timer may interrupt. */
void clock_cpu_init(void);

/* The deadline interrupt fired: quiet until the next arch_deadline. Call timer_expire after it. */
void clock_irq(void);

u64 clock_ticks(void); /* the physical counter, now: ordered after all earlier accesses */

/* Durations, or points of time since the counter was 0. clock_ns rounds down, clock_ticks_of up. */
u64 clock_ns(u64 ticks);
u64 clock_ticks_of(u64 ns);

#endif
