/* SPDX-License-Identifier: MIT */
/* Boot of the first CPU: what the architecture offers core/main.c beyond core/arch.h. */
#ifndef ARCH_ARM_COMMON_BOOT_H
#define ARCH_ARM_COMMON_BOOT_H

#include "core/board.h"
#include "core/types.h"

/* Where the image runs. */
u64 image_base(void);
/* Its bytes in memory, .bss included and an appended bundle. */
u64 image_size(void);
/* The bytes that were linked: where an appended bundle would begin, page-aligned. */
u64 image_linked_size(void);

/*
 * The level we were entered at. Anything but 2 means that nothing but the UART can be used: say so
 * and halt.
 */
u32 boot_el(void);

/* What about this CPU rules Muntin out, whatever the level: as for another level. NULL: nothing. */
const char *boot_refusal(void);

/* Can the CPUs run guests of this width? */
bool boot_can_run(bool is64);

/*
 * Maps the board's RAM as data, finds stacks for the other CPUs (sched_init has been called), and
 * sets up stage 2, the interrupt controller and this CPU's EL2 state. Panics if memory runs out.
 * False, after a message: no guest can run here.
 */
bool boot_finish(const struct board *b) MUST_CHECK;

/* Brings the other CPUs up into sched_run; a line for each that doesn't start. */
void boot_start_cpus(void);

/* The first address that this CPU, or Muntin on it, can't reach. */
u64 boot_reach(void);

/* A window of device registers, identity-mapped; twice is fine. False: RAM is mapped there. */
bool boot_map_device(hpa_t base, u64 size) MUST_CHECK;

/* The same of memory that isn't the board's RAM, or is reserved in it; page-aligned. */
bool boot_map_memory(hpa_t base, u64 size) MUST_CHECK;

void cpu_features_read(void);
u64 cpu_stack(const struct pcpu *p);
void cpu_set_stack(u32 id, u64 top);
/*
 * The CPU waits for an address in this word, which is mapped; 0: it's started by PSCI. flags: it's
 * a register that all CPUs look at.
 */
void cpu_set_release(u32 id, u64 at, bool flags);

#endif
