/* SPDX-License-Identifier: MIT */
/* See cpu.h. */
#include "tests/guests/lib/cpu.h"

#include <stddef.h>

#include "tests/guests/lib/atomic.h"
#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/psci.h"
#include "tests/guests/lib/runtime.h"
#include "tests/guests/lib/sysreg.h"
#include "tests/guests/lib/timer.h"

_Static_assert(offsetof(struct cpu, probe) == 0, "vectors.S");

enum { START_TIMEOUT_US = 10000000 };

struct cpu *cpu_at(uint32_t index)
{
    return (struct cpu *)(stacks + (size_t)index * STACK_SIZE);
}

void cpu_init(void)
{
    for (uint32_t i = 0; i < platform.cpu_count; i++) {
        cpu_at(i)->index = i;
        cpu_at(i)->mpidr = platform.cpu_mpidr[i];
    }
    cpu_self()->up = 1;
}

void secondary_start(struct cpu *self)
{
    atomic_store(&self->up, 1);
    sev();
    for (;;) {
        void (*work)(uint64_t) = atomic_load(&self->work);

        if (!work) {
            wfe();
            continue;
        }
        work(self->arg);
        atomic_store(&self->work, NULL);
        sev();
    }
}

bool cpu_start(uint32_t index)
{
    struct cpu *cpu = cpu_at(index);

    atomic_store(&cpu->up, 0);
    atomic_store(&cpu->work, NULL);
    if (psci_cpu_on(cpu->mpidr, (uint64_t)secondary_entry, (uint64_t)cpu) != PSCI_SUCCESS) {
        return false;
    }
    return cpu_wait_word(&cpu->up, 1, START_TIMEOUT_US);
}

uint32_t cpu_start_all(void)
{
    uint32_t count = 1;

    for (uint32_t i = 1; i < platform.cpu_count; i++) {
        count += atomic_load(&cpu_at(i)->up) || cpu_start(i);
    }
    return count;
}

void cpu_run(uint32_t index, void (*fn)(uint64_t arg), uint64_t arg)
{
    struct cpu *cpu = cpu_at(index);

    cpu->arg = arg;
    atomic_store(&cpu->work, fn);
    sev();
}

bool cpu_idle(uint32_t index)
{
    return !atomic_load(&cpu_at(index)->work);
}

void cpu_wait(uint32_t index)
{
    while (!cpu_idle(index)) {
        wfe();
    }
}

bool cpu_wait_word(const uint32_t *word, uint32_t value, uint64_t timeout_us)
{
    uint64_t deadline = timer_now() + timer_ticks(timeout_us);

    while (atomic_load(word) != value) {
        if (timer_now() > deadline) {
            return false;
        }
        yield_cpu();
    }
    return true;
}
