/* SPDX-License-Identifier: MIT */
/*
 * What guests are told of the CPU: each field of each ID register that they may see, by name; all
 * others read 0, "not implemented". Plain data and arithmetic, no lock.
 */
#ifndef ARCH_ARM_COMMON_IDSPACE_H
#define ARCH_ARM_COMMON_IDSPACE_H

#include "arch/arm-common/vsysreg.h"

/* Indices in struct vsysreg_ids: 8 * CRm + op2 */
enum idspace_reg {
    ID_PFR0 = 8,
    ID_PFR1 = 9,
    ID_DFR0 = 10,
    ID_MMFR0 = 12,
    ID_MMFR1 = 13,
    ID_MMFR2 = 14,
    ID_MMFR3 = 15,
    ID_ISAR0 = 16,
    ID_ISAR1 = 17,
    ID_ISAR2 = 18,
    ID_ISAR3 = 19,
    ID_ISAR4 = 20,
    ID_ISAR5 = 21,
    ID_MMFR4 = 22,
    ID_ISAR6 = 23,
    ID_MVFR0 = 24,
    ID_MVFR1 = 25,
    ID_MVFR2 = 26,
    ID_PFR2 = 28,
    ID_MMFR5 = 30,
    ID_AA64PFR0 = 32,
    ID_AA64PFR1 = 33,
    ID_AA64DFR0 = 40,
    ID_AA64ISAR0 = 48,
    ID_AA64ISAR1 = 49,
    ID_AA64ISAR2 = 50,
    ID_AA64MMFR0 = 56,
    ID_AA64MMFR1 = 57,
    ID_AA64MMFR2_INDEX = 58,
};

/* Fills `guest` from `host`. Parameters as vsysreg_init. */
void idspace_mask(struct vsysreg_ids *guest, const struct vsysreg_ids *host, u32 ipa_bits,
                  bool gicv3);

/* Breakpoints and watchpoints that the guest has: ID_AA64DFR0's fields. */
u32 idspace_breakpoints(const struct vsysreg_ids *ids);
u32 idspace_watchpoints(const struct vsysreg_ids *ids);

#endif
