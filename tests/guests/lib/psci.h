/* SPDX-License-Identifier: MIT */
/* Power State Coordination Interface 1.1 (Arm DEN 0022) as a caller sees it. */
#ifndef TESTS_GUESTS_LIB_PSCI_H
#define TESTS_GUESTS_LIB_PSCI_H

#include <stdint.h>

#include "arch.h"

/* Function ids; PSCI_64 makes the SMC64 form of those that have one. */
#define PSCI_VERSION             0x84000000u
#define PSCI_CPU_SUSPEND         0x84000001u
#define PSCI_CPU_OFF             0x84000002u
#define PSCI_CPU_ON              0x84000003u
#define PSCI_AFFINITY_INFO       0x84000004u
#define PSCI_MIGRATE             0x84000005u
#define PSCI_MIGRATE_INFO_TYPE   0x84000006u
#define PSCI_MIGRATE_INFO_UP_CPU 0x84000007u
#define PSCI_SYSTEM_OFF          0x84000008u
#define PSCI_SYSTEM_RESET        0x84000009u
#define PSCI_FEATURES            0x8400000au
#define PSCI_CPU_FREEZE          0x8400000bu
#define PSCI_CPU_DEFAULT_SUSPEND 0x8400000cu
#define PSCI_NODE_HW_STATE       0x8400000du
#define PSCI_SYSTEM_SUSPEND      0x8400000eu
#define PSCI_SYSTEM_RESET2       0x84000012u
#define PSCI_64                  0x40000000u /* … and PSCI_NATIVE this architecture's */

enum {
    PSCI_SUCCESS = 0,
    PSCI_NOT_SUPPORTED = -1,
    PSCI_INVALID_PARAMETERS = -2,
    PSCI_DENIED = -3,
    PSCI_ALREADY_ON = -4,
    PSCI_ON_PENDING = -5,
    PSCI_INTERNAL_FAILURE = -6,
    PSCI_NOT_PRESENT = -7,
    PSCI_DISABLED = -8,
    PSCI_INVALID_ADDRESS = -9,
};

/* AFFINITY_INFO */
enum { PSCI_ON = 0, PSCI_OFF = 1, PSCI_PENDING = 2 };

int psci_cpu_on(uint64_t mpidr, uint64_t entry, uint64_t context);
int psci_affinity_info(uint64_t mpidr);
void psci_cpu_off(void);
void psci_system_off(void) __attribute__((noreturn));
void psci_system_reset(void) __attribute__((noreturn));

#endif
