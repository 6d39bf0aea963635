/* SPDX-License-Identifier: MIT */
/*
 * Device registers: one access of exactly this size, in program order with the others (Device-nGnRE
 * memory keeps the order within one device, Arm ARM B2.7.2). Nothing else is ordered: a caller
 * whose device looks at memory, or interrupts somebody who does, needs a barrier. The only place
 * where `volatile` is used.
 */
#ifndef ARCH_ARM_COMMON_IO_H
#define ARCH_ARM_COMMON_IO_H

#include "core/types.h"

static inline u32 io_read32(uintptr_t a)
{
    return *(const volatile u32 *)a;
}

static inline u8 io_read8(uintptr_t a)
{
    return *(const volatile u8 *)a;
}

static inline u16 io_read16(uintptr_t a)
{
    return *(const volatile u16 *)a;
}

static inline void io_write8(uintptr_t a, u8 v)
{
    *(volatile u8 *)a = v;
}

static inline void io_write16(uintptr_t a, u16 v)
{
    *(volatile u16 *)a = v;
}

static inline void io_write32(uintptr_t a, u32 v)
{
    *(volatile u32 *)a = v;
}

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
