/* SPDX-License-Identifier: MIT */
/* Accesses to device registers that may be answered by an abort: 1, 2 or 4 bytes; 8 as two of 4. */
#ifndef ARCH_ARM_TRY_H
#define ARCH_ARM_TRY_H

#include "core/types.h"

/* False: an exception instead of the access. */
bool try_read(uintptr_t a, u32 size, u64 *value) MUST_CHECK;
bool try_write(uintptr_t a, u32 size, u64 value) MUST_CHECK;

#endif
