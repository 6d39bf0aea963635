/* SPDX-License-Identifier: MIT */
/*
 * Coprocessor registers that a 32-bit guest's access traps on: exception classes 0x03, 0x04, 0x05,
 * 0x08 and 0x0c. Default-deny, as vsysreg.h: what it needs is what the AArch64 registers are that
 * they're mapped to, and is carried out there. Portable, host-tested; same locks as vsysreg.h.
 */
#ifndef ARCH_ARM_COMMON_VCP15_H
#define ARCH_ARM_COMMON_VCP15_H

#include "arch/arm-common/vsysreg.h"

#define EC_CP15_MCR  0x03u
#define EC_CP15_MCRR 0x04u
#define EC_CP14_MCR  0x05u
#define EC_VMRS      0x08u
#define EC_CP14_MCRR 0x0cu

/* Does this exception class belong here? */
static inline bool vcp15_is(u32 esr)
{
    u32 ec = esr >> 26;

    return (ec >= EC_CP15_MCR && ec <= EC_CP14_MCR) || ec == EC_VMRS || ec == EC_CP14_MCRR;
}

/* A transfer of two registers: their numbers in ESR are vsysreg_rt, the low half, and this. */
static inline bool vcp15_is_wide(u32 esr)
{
    return esr >> 26 == EC_CP15_MCRR || esr >> 26 == EC_CP14_MCRR;
}

static inline u32 vcp15_rt2(u32 esr)
{
    return esr >> 10 & 0x1f;
}

/* Carries out the access that ESR describes; else as vsysreg_access. */
enum vsysreg_result vcp15_access(struct vsysreg *s, u32 esr, u64 *value) MUST_CHECK;

#endif
