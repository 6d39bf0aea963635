/* SPDX-License-Identifier: MIT */
/*
 * What guests are told of the CPU: each field of each ID register that they may see, by name; all
 * others read 0, "not implemented". Plain data and arithmetic, no lock.
 */
#ifndef ARCH_ARM64_IDSPACE_H
#define ARCH_ARM64_IDSPACE_H

#include "arch/arm64/vsysreg.h"

/* Indices in struct vsysreg_ids: 8 * (CRm - 1) + op2 */
enum idspace_reg {
    ID_PFR0 = 0,
    ID_PFR1 = 1,
    ID_DFR0 = 2,
    ID_MMFR0 = 4,
    ID_MMFR1 = 5,
    ID_MMFR2 = 6,
    ID_MMFR3 = 7,
    ID_ISAR0 = 8,
    ID_ISAR1 = 9,
    ID_ISAR2 = 10,
    ID_ISAR3 = 11,
    ID_ISAR4 = 12,
    ID_ISAR5 = 13,
    ID_MMFR4 = 14,
    ID_ISAR6 = 15,
    ID_MVFR0 = 16,
    ID_MVFR1 = 17,
    ID_MVFR2 = 18,
    ID_PFR2 = 20,
    ID_MMFR5 = 22,
    ID_AA64PFR0 = 24,
    ID_AA64PFR1 = 25,
    ID_AA64DFR0 = 32,
    ID_AA64ISAR0 = 40,
    ID_AA64ISAR1 = 41,
    ID_AA64ISAR2 = 42,
    ID_AA64MMFR0 = 48,
    ID_AA64MMFR1 = 49,
    ID_AA64MMFR2_INDEX = 50,
};

/* Fills `guest` from `host`. Parameters as vsysreg_init. */
void idspace_mask(struct vsysreg_ids *guest, const struct vsysreg_ids *host, u32 ipa_bits,
                  bool gicv3);

/* Breakpoints and watchpoints that the guest has: ID_AA64DFR0's fields. */
u32 idspace_breakpoints(const struct vsysreg_ids *ids);
u32 idspace_watchpoints(const struct vsysreg_ids *ids);

#endif
