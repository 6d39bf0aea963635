/* SPDX-License-Identifier: MIT */
/*
 * The target's accesses to device registers. Included by arch/arm-common/io.h only, which has the
 * contract. The only place where `volatile` is used.
 */
#ifndef CORE_LIB_RAWIO_H
#define CORE_LIB_RAWIO_H

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

#endif
