/* SPDX-License-Identifier: MIT */
/* See psci.h and smccc.h. */
#include "tests/guests/lib/psci.h"

#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/smccc.h"
#include "tests/guests/lib/sysreg.h"

uint64_t smccc_call(uint64_t function, uint64_t a, uint64_t b, uint64_t c)
{
    struct smccc regs = {{function, a, b, c}};

    if (platform.psci_by_smc) {
        smccc_smc(&regs);
    } else {
        smccc_hvc(&regs);
    }
    return regs.x[0];
}

int psci_cpu_on(uint64_t mpidr, uint64_t entry, uint64_t context)
{
    return (int)smccc_call(PSCI_CPU_ON | PSCI_NATIVE, mpidr, entry, context);
}

int psci_affinity_info(uint64_t mpidr)
{
    return (int)smccc_call(PSCI_AFFINITY_INFO | PSCI_NATIVE, mpidr, 0, 0);
}

void psci_cpu_off(void)
{
    smccc_call(PSCI_CPU_OFF, 0, 0, 0);
}

/* If the call comes back there is nothing left to do but sleep. */
static void call_and_halt(uint32_t function) __attribute__((noreturn));
static void call_and_halt(uint32_t function)
{
    if (platform.psci) {
        smccc_call(function, 0, 0, 0);
    }
    for (;;) {
        wfi();
    }
}

void psci_system_off(void)
{
    call_and_halt(PSCI_SYSTEM_OFF);
}

void psci_system_reset(void)
{
    call_and_halt(PSCI_SYSTEM_RESET);
}
