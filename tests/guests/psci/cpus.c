/* SPDX-License-Identifier: MIT */
/* The psci guest: CPU_ON, CPU_OFF and AFFINITY_INFO, in right and wrong ways. */
#include <stddef.h>

#include "tests/guests/lib/atomic.h"
#include "tests/guests/lib/cpu.h"
#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/psci.h"
#include "tests/guests/lib/runtime.h"
#include "tests/guests/lib/smccc.h"
#include "tests/guests/lib/sysreg.h"
#include "tests/guests/lib/test.h"
#include "tests/guests/lib/timer.h"
#include "tests/guests/psci/psci_test.h"

enum { TIMEOUT_US = 10000000, OFF_ON_ROUNDS = 10, RACE_ROUNDS = 10 };
enum { SCTLR_M_C_I = 0x1005, PAIR = 2 };

static uint32_t race_go;
static int race_result[PAIR];

static int call32(uint32_t function, uint64_t a, uint64_t b, uint64_t c)
{
    return (int)smccc_call(function, a, b, c);
}

static void go_off(uint64_t unused)
{
    (void)unused;
    atomic_store(&cpu_self()->up, 0);
    psci_cpu_off();
    test_check(false, "CPU_OFF returned on CPU %u", cpu_self()->index);
}

static bool wait_affinity(uint32_t cpu, int state)
{
    uint64_t deadline = timer_now() + timer_ticks(TIMEOUT_US);

    while (psci_affinity_info(cpu_at(cpu)->mpidr) != state) {
        if (timer_now() > deadline) {
            return false;
        }
        yield_cpu();
    }
    return true;
}

/* Turns a CPU off whatever state the cases before left it in. */
static bool turn_off(uint32_t cpu)
{
    if (psci_affinity_info(cpu_at(cpu)->mpidr) == PSCI_ON) {
        cpu_wait(cpu);
        cpu_run(cpu, go_off, 0);
    }
    return test_check(wait_affinity(cpu, PSCI_OFF), "CPU %u does not go off", cpu);
}

static void check_entry(uint32_t function)
{
    static struct entry_record record __attribute__((aligned(64)));
    struct cpu *cpu = cpu_at(1);
    int result;

    record = (struct entry_record){.next = (uint64_t)cpu};
    atomic_store(&cpu->up, 0);
    atomic_store(&cpu->work, NULL);
    cache_clean_invalidate(&record);
    result = call32(function, cpu->mpidr, (uint64_t)entry_recording, (uint64_t)&record);
    if (!test_equal("CPU_ON", result, PSCI_SUCCESS) ||
        !test_check(cpu_wait_word(&cpu->up, 1, TIMEOUT_US), "CPU 1 does not come")) {
        return;
    }
    cache_clean_invalidate(&record);
    test_equal("entered", record.done, 1);
    test_equal("context", record.context, (uint64_t)&record);
    test_equal("EL", record.el, boot_facts.el);
    test_equal("DAIF", record.daif, MASKED_ALL);
    test_equal("SCTLR_EL1 M, C, I", record.sctlr & SCTLR_M_C_I, 0);
    test_equal("MPIDR affinity", record.mpidr & 0xff00ffffff, cpu->mpidr);
}

void cpus_entry_state(void)
{
    if (platform.cpu_count < 2) {
        test_skip("one CPU");
    } else if (turn_off(1)) {
        check_entry(PSCI_CPU_ON | PSCI_NATIVE);
    }
}

void cpus_entry_state_32(void)
{
    if (platform.cpu_count < 2) {
        test_skip("one CPU");
    } else if ((uint64_t)secondary_entry >> 32) {
        test_skip("placed above 4 GiB");
    } else if (turn_off(1)) {
        check_entry(PSCI_CPU_ON);
    }
}

/* Only the affinity fields may be set in a target; nobody has those numbers here. */
static const uintptr_t bad_targets[] = {
    1u << 24,    1u << 30,   1u << 31,     0xff,         0xff00, 0xff0000,
#ifdef __LP64__
    1ull << 40,  1ull << 63, 0xff00000000, 0xff00ffffff,
#endif
    UINTPTR_MAX,
};

void cpus_on_errors(void)
{
    uint64_t self = cpu_self()->mpidr;
    uint64_t entry = (uint64_t)secondary_entry;

    test_equal("CPU_ON of itself", psci_cpu_on(self, entry, 0), PSCI_ALREADY_ON);
    test_equal("the same, SMC32", call32(PSCI_CPU_ON, self, entry, 0), PSCI_ALREADY_ON);
    for (size_t i = 0; i < sizeof(bad_targets) / sizeof(bad_targets[0]); i++) {
        int result = psci_cpu_on(self | bad_targets[i], entry, 0);

        test_check(result == PSCI_INVALID_PARAMETERS, "CPU_ON of 0x%lx: %d", self | bad_targets[i],
                   result);
    }
    for (uint32_t i = 1; i < platform.cpu_count; i++) {
        if (test_check(atomic_load(&cpu_at(i)->up) || cpu_start(i), "CPU %u does not start", i)) {
            test_equal("CPU_ON of a running CPU", psci_cpu_on(cpu_at(i)->mpidr, entry, 0),
                       PSCI_ALREADY_ON);
        }
    }
}

void cpus_affinity_info(void)
{
    uint64_t self = cpu_self()->mpidr;
    int result;

    test_equal("itself", psci_affinity_info(self), PSCI_ON);
    test_equal("the same, SMC32", call32(PSCI_AFFINITY_INFO, self, 0, 0), PSCI_ON);
    for (size_t i = 0; i < sizeof(bad_targets) / sizeof(bad_targets[0]); i++) {
        result = psci_affinity_info(self | bad_targets[i]);
        test_check(result == PSCI_INVALID_PARAMETERS, "0x%lx: %d", self | bad_targets[i], result);
    }
    /* Levels above 0 need not be supported since PSCI 1.0. */
    result = call32(PSCI_AFFINITY_INFO | PSCI_NATIVE, self & ~0xffull, 1, 0);
    test_check(result == PSCI_ON || result == PSCI_INVALID_PARAMETERS, "level 1: %d", result);
    test_equal("level 4", call32(PSCI_AFFINITY_INFO | PSCI_NATIVE, self, 4, 0),
               PSCI_INVALID_PARAMETERS);
    if (PSCI_NATIVE) {
        test_equal("level 2^32", call32(PSCI_AFFINITY_INFO | PSCI_64, self, 1ull << 32, 0),
                   PSCI_INVALID_PARAMETERS);
    }
}

void cpus_off_on(void)
{
    if (platform.cpu_count < 2) {
        test_skip("one CPU");
        return;
    }
    for (uint32_t round = 0; round < OFF_ON_ROUNDS; round++) {
        for (uint32_t i = 1; i < platform.cpu_count; i++) {
            if (!turn_off(i)) {
                return;
            }
        }
        if (!test_equal("CPUs running", cpu_start_all(), platform.cpu_count)) {
            return;
        }
        for (uint32_t i = 1; i < platform.cpu_count; i++) {
            test_equal("state", psci_affinity_info(cpu_at(i)->mpidr), PSCI_ON);
        }
    }
}

static void race_for(uint64_t who)
{
    struct cpu *target = cpu_at(2);

    while (!atomic_load(&race_go)) {
    }
    race_result[who] = psci_cpu_on(target->mpidr, (uint64_t)secondary_entry, (uint64_t)target);
}

static bool lost_race(int result)
{
    return result == PSCI_ALREADY_ON || result == PSCI_ON_PENDING;
}

/* Two CPUs start a third at once: one wins, the third starts once. */
void cpus_race(void)
{
    if (platform.cpu_count < 3) {
        test_skip("fewer than three CPUs");
        return;
    }
    for (uint32_t round = 0; round < RACE_ROUNDS; round++) {
        if (!turn_off(2)) {
            return;
        }
        atomic_store(&cpu_at(2)->up, 0);
        atomic_store(&cpu_at(2)->work, NULL);
        atomic_store(&race_go, 0);
        cpu_run(1, race_for, 1);
        atomic_store(&race_go, 1);
        race_for(0);
        cpu_wait(1);
        test_check((race_result[0] == PSCI_SUCCESS && lost_race(race_result[1])) ||
                       (race_result[1] == PSCI_SUCCESS && lost_race(race_result[0])),
                   "both started CPU 2: %d and %d", race_result[0], race_result[1]);
        test_check(cpu_wait_word(&cpu_at(2)->up, 1, TIMEOUT_US), "CPU 2 does not come");
    }
}
