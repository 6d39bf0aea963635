/* SPDX-License-Identifier: MIT */
/*
 * A32 and T32 loads and stores that a stage-2 abort doesn't describe (DDI 0406C A5.2.8, A5.3, A5.5,
 * A6.2, A6.3.5 to A6.3.10). Portable, no state.
 *
 * Decoded: LDR, STR, LDRT, STRT of words, halves, bytes and signed ones with any addressing mode
 * but PC-relative, LDRD, STRD, LDM, STM. In T32 of 16 bits LDM and STM only: CPUs describe all
 * others. Not: PC as data or base, the user registers or an exception return (LDM, STM with ^),
 * PUSH and POP of 16 bits, exclusives, load-acquire with an offset, SWP, FP and SIMD; forms that
 * are UNPREDICTABLE for a reason. Those get an external abort: no device bears them.
 */
#ifndef ARCH_ARM_COMMON_DECODE32_H
#define ARCH_ARM_COMMON_DECODE32_H

#include "arch/arm-common/aarch32.h"
#include "arch/arm-common/ldst.h"

/* Bytes of an instruction whose first two are `half`. */
static inline u32 decode32_length(u32 half, u32 spsr)
{
    return (spsr & SPSR32_T) != 0 && half >> 11 < 0x1d ? 2 : 4;
}

/*
 * False: not one of the above, or its condition fails, so that it can't have been executed. insn:
 * T32 of 32 bits has its first half in [31:16]. r: r0 to r14 of the current mode.
 */
bool decode32_ldst(u32 insn, u32 spsr, const u64 *r, struct ldst *out) MUST_CHECK;

#endif
