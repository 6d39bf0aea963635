/* SPDX-License-Identifier: MIT */
/* Exceptions taken at EL1: interrupts go to a hook, faults to the probe that expects them. */
#ifndef TESTS_GUESTS_LIB_EXCEPTION_H
#define TESTS_GUESTS_LIB_EXCEPTION_H

#include <stdint.h>

#include "arch.h"

/*
 * Called for each IRQ with CNTVCT_EL0 at the vector, interrupts masked, on the interrupted CPU's
 * stack.  It may unmask interrupts: they nest.
 */
extern void (*exception_irq_hook)(uint64_t entry_time);

/* SErrors seen so far; they are counted, and the guest goes on. */
extern uint32_t exception_serrors;

/* Called by vectors.S. */
void exception_sync(struct trap_frame *frame);
void exception_irq(uint64_t entry_time);
void exception_serror(struct trap_frame *frame);
void exception_fiq(void) __attribute__((noreturn));

#endif
