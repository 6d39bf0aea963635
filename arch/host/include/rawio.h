/* SPDX-License-Identifier: MIT */
/*
 * Host builds' accesses to device registers go to a device that a test has made (host_io of
 * arch/host/arch.h), or, without one, to plain memory. Included by arch/arm-common/io.h only.
 */
#ifndef ARCH_HOST_RAWIO_H
#define ARCH_HOST_RAWIO_H

#include "arch/host/arch.h"
#include "core/types.h"

#define HOST_READ(type)                                                                            \
    (host_io != NULL ? (type)host_io->read(a, sizeof(type)) : *(const volatile type *)a)
#define HOST_WRITE(type)                                                                           \
    do {                                                                                           \
        if (host_io != NULL) {                                                                     \
            host_io->write(a, sizeof(type), v);                                                    \
        } else {                                                                                   \
            *(volatile type *)a = v;                                                               \
        }                                                                                          \
    } while (0)

static inline u32 io_read32(uintptr_t a)
{
    return HOST_READ(u32);
}

static inline u8 io_read8(uintptr_t a)
{
    return HOST_READ(u8);
}

static inline u16 io_read16(uintptr_t a)
{
    return HOST_READ(u16);
}

static inline void io_write8(uintptr_t a, u8 v)
{
    HOST_WRITE(u8);
}

static inline void io_write16(uintptr_t a, u16 v)
{
    HOST_WRITE(u16);
}

static inline void io_write32(uintptr_t a, u32 v)
{
    HOST_WRITE(u32);
}

#endif
