/* SPDX-License-Identifier: MIT */
/*
 * Calls to the board's firmware: PSCI (DEN 0022), SMCCC discovery (DEN 0028), TRNG (DEN 0098).
 * Muntin issues an SMC only where the board's tree has a psci node with method smc, and nothing of
 * SMCCC before PSCI_FEATURES has reported it. No lock: firmware has its own.
 */
#ifndef ARCH_ARM_COMMON_PSCI_H
#define ARCH_ARM_COMMON_PSCI_H

#include "core/types.h"

struct board;

/*
 * Boot CPU, after clock_init: finds out what the firmware offers, and tells vpsci.h which
 * workarounds it can forward. Makes arch_entropy work where there's a source.
 */
void psci_init(const struct board *board);

/* The CPU with this MPIDR starts at `entry` (physical, MMU off), with `context` in its first
 * register. 0, or PSCI's error. */
s32 psci_cpu_on(u64 mpidr, u64 entry, u64 context) MUST_CHECK;

/* Return only if the board can't. */
void psci_poweroff(void);
void psci_reboot(void);

#endif
