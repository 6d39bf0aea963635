/* SPDX-License-Identifier: MIT */
/* The SIMD&FP registers of the guest that is loaded (or Muntin's leftovers, if they are switched on
 * demand and weren't yet): for loads and stores that are carried out in its place. */
#ifndef ARCH_ARM64_FPREG_H
#define ARCH_ARM64_FPREG_H

#include "core/types.h"

/* n below 32. CPTR_EL2.TFP must be 0. Setting clears nothing above 128 bits: guests have no SVE. */
void fpreg_get(u32 n, u64 q[2]);
void fpreg_set(u32 n, const u64 q[2]);

#endif
