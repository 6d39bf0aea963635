/* SPDX-License-Identifier: MIT */
/* See insn.h.  RAM is executable (lib/mmu.h); each CPU has its own page of code. */
#include "tests/guests/lib/insn.h"

#include "tests/guests/lib/cpu.h"

static uint32_t code[MAX_CPUS][1024] __attribute__((aligned(4096)));

bool insn_run(struct probe *p, const uint32_t *words, uint32_t count, uint64_t a, uint64_t b)
{
    uint32_t *at = code[cpu_self()->index];

    for (uint32_t i = 0; i <= count; i++) {
        at[i] = i < count ? words[i] : INSN_RET;
        __asm__ volatile("dc cvau, %0" : : "r"(&at[i]) : "memory");
    }
    __asm__ volatile("dsb ish" : : : "memory");
    for (uint32_t i = 0; i <= count; i++) {
        __asm__ volatile("ic ivau, %0" : : "r"(&at[i]) : "memory");
    }
    __asm__ volatile("dsb ish\n\tisb" : : : "memory");
    return probe_run(p, (uint64_t(*)(uint64_t, uint64_t, uint64_t))at, a, b, 0);
}

bool insn_run1(struct probe *p, uint32_t word, uint64_t a)
{
    return insn_run(p, &word, 1, a, 0);
}
