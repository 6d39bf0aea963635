/* SPDX-License-Identifier: MIT */
/*
 * Device registers: one access of exactly this size, in program order with the others (Device-nGnRE
 * memory keeps the order within one device, Arm ARM B2.7.2). Nothing else is ordered: a caller
 * whose device looks at memory, or interrupts somebody who does, needs a barrier.
 */
#ifndef ARCH_ARM_COMMON_IO_H
#define ARCH_ARM_COMMON_IO_H

#include "core/types.h"

/* io_read8, 16, 32 and io_write8, 16, 32: of the target in core/lib, of host builds in arch/host */
#include "rawio.h"

/* Waits until the bits of `mask` have this value. False: they don't, for milliseconds at least. */
bool io_wait32(uintptr_t a, u32 mask, u32 value) MUST_CHECK;

/* As two words, the lower first: for registers that may be accessed so. */
static inline u64 io_read64_halves(uintptr_t a)
{
    u32 low = io_read32(a);

    return (u64)io_read32(a + 4) << 32 | low;
}

static inline void io_write64_halves(uintptr_t a, u64 v)
{
    io_write32(a, (u32)v);
    io_write32(a + 4, (u32)(v >> 32));
}

#endif
