/* SPDX-License-Identifier: MIT */
/* See insn.h.  RAM is executable (lib/mmu.h); each CPU has its own page of code. */
#include "tests/guests/lib/insn.h"

#include <stddef.h>

#include "tests/guests/lib/cpu.h"

static uint32_t code[MAX_CPUS][1024] __attribute__((aligned(4096)));

static uint32_t *own_code(void)
{
    return code[cpu_self()->index];
}

/* Makes the first words of this CPU's page executable as they are now. */
static void synchronize(uint32_t count)
{
    uint32_t *at = own_code();

    for (uint32_t i = 0; i < count; i++) {
        cache_clean_unified(&at[i]);
    }
    __asm__ volatile("dsb ish" : : : "memory");
    for (uint32_t i = 0; i < count; i++) {
        cache_invalidate_i(&at[i]);
    }
    __asm__ volatile("dsb ish\n\tisb" : : : "memory");
}

bool insn_run(struct probe *p, const uint32_t *words, uint32_t count, uint64_t a, uint64_t b)
{
    uint32_t *at = own_code();

    for (uint32_t i = 0; i < count; i++) {
        at[i] = words[i];
    }
    at[count] = INSN_RET;
    synchronize(count + 1);
    return probe_run(p, (uint64_t(*)(uint64_t, uint64_t, uint64_t))(uintptr_t)at, a, b, 0);
}

void insn_prepare(const uint32_t *words, uint32_t count)
{
    uint32_t *at = own_code();

    for (uint32_t i = 0; i < count; i++) {
        at[2 * i] = words[i];
        at[2 * i + 1] = INSN_RET;
    }
    synchronize(2 * count);
}

bool insn_run_prepared(struct probe *p, uint32_t index, uint64_t a)
{
    uint32_t *at = own_code() + 2 * (size_t)index;

    return probe_run(p, (uint64_t(*)(uint64_t, uint64_t, uint64_t))(uintptr_t)at, a, 0, 0);
}

bool insn_run1(struct probe *p, uint32_t word, uint64_t a)
{
    return insn_run(p, &word, 1, a, 0);
}
