/* SPDX-License-Identifier: MIT */
/* What start.S and the C runtime need of each other, and what each guest must bring. */
#ifndef TESTS_GUESTS_LIB_RUNTIME_H
#define TESTS_GUESTS_LIB_RUNTIME_H

#include <stdint.h>

#include "tests/guests/lib/cpu.h"

/* The guest itself: runs on CPU 0 with the MMU on and interrupts masked.  Returning powers off. */
void guest_main(void);

/* How it all began. */
struct boot_facts {
    uint64_t cntvct; /* at the first instructions */
    uint64_t el;     /* at entry: 1 or 2 */
};
extern struct boot_facts boot_facts;

/* start.S */
extern uint8_t stacks[];
void secondary_entry(void);

/* Called by start.S, in this order. */
void guest_prepare(const void *dtb, uint64_t cntvct, uint64_t el);
void guest_start(void) __attribute__((noreturn));
void secondary_start(struct cpu *self) __attribute__((noreturn));

#endif
