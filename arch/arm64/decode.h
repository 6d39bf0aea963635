/* SPDX-License-Identifier: MIT */
/*
 * A64 loads and stores that a stage-2 abort doesn't describe. Portable, no state.
 *
 * Decoded: LDR, STR, LDRS*, LDUR, LDTR with any addressing mode but PC-relative, LDP, STP, LDNP,
 * STNP, LDPSW, and the SIMD&FP forms of all of these. Not: exclusives, atomics, load-acquire,
 * structures (LD1 …), tags, PAC, SVE; DC ZVA; forms that are CONSTRAINED UNPREDICTABLE. Those get
 * an external abort: no device bears them.
 */
#ifndef ARCH_ARM64_DECODE_H
#define ARCH_ARM64_DECODE_H

#include "arch/arm-common/ldst.h"

/* False: not one of the above. `insn` is what the guest's memory holds now: ldst_is_cause tells
 * whether it can be what the abort is about. */
bool decode_ldst(u32 insn, struct ldst *out) MUST_CHECK;

#endif
