/* SPDX-License-Identifier: MIT */
/*
 * The guest's CPUs: what each knows of itself, and how CPU 0 gives work to the others.  A CPU
 * finds its struct at the bottom of its stack, not through a system register: the attacker
 * overwrites those.
 */
#ifndef TESTS_GUESTS_LIB_CPU_H
#define TESTS_GUESTS_LIB_CPU_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/guests/lib/layout.h"
#include "tests/guests/lib/probe.h"

struct cpu {
    struct probe *probe; /* the innermost call being probed; first, vectors.S relies on it */
    uint64_t mpidr;      /* affinity bits */
    uint64_t gicr;       /* GICv3: this CPU's redistributor */
    uint32_t index;
    uint32_t up;
    void (*work)(uint64_t arg); /* atomic; NULL while idle */
    uint64_t arg;
};

static inline struct cpu *cpu_self(void)
{
    uintptr_t sp;

    __asm__("mov %0, sp" : "=r"(sp));
    return (struct cpu *)(sp & ~(uintptr_t)(STACK_SIZE - 1));
}

struct cpu *cpu_at(uint32_t index);

/* Called once on CPU 0, before any other. */
void cpu_init(void);

/* Starts CPU index and waits until it idles; false if PSCI refuses or it does not come. */
bool cpu_start(uint32_t index);

/* Starts all; the number of CPUs that run, this one included. */
uint32_t cpu_start_all(void);

/* Hands fn to an idle CPU; it runs with interrupts masked and its GIC interface off. */
void cpu_run(uint32_t index, void (*fn)(uint64_t arg), uint64_t arg);
bool cpu_idle(uint32_t index);
void cpu_wait(uint32_t index);

/* Waits until the word is value, at most so long; false if it is not. */
bool cpu_wait_word(const uint32_t *word, uint32_t value, uint64_t timeout_us);

#endif
