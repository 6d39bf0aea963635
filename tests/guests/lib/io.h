/* SPDX-License-Identifier: MIT */
/*
 * Device accesses: one plain load or store each, of a form whose abort carries a valid syndrome; of
 * 64 bits on arm, where none has, two.
 */
#ifndef TESTS_GUESTS_LIB_IO_H
#define TESTS_GUESTS_LIB_IO_H

#include <stdint.h>

#include "arch.h"

#define IO_ACCESSORS(bits)                                                                         \
    static inline uint##bits##_t io_read##bits(uint64_t addr)                                      \
    {                                                                                              \
        uint##bits##_t value;                                                                      \
        __asm__ volatile(IO_LOAD(bits) : "=&r"(value) : "r"((uintptr_t)addr) : "memory");          \
        return value;                                                                              \
    }                                                                                              \
    static inline void io_write##bits(uint64_t addr, uint##bits##_t value)                         \
    {                                                                                              \
        __asm__ volatile(IO_STORE(bits) : : IO_VALUE(value), "r"((uintptr_t)addr) : "memory");     \
    }

IO_ACCESSORS(8)
IO_ACCESSORS(16)
IO_ACCESSORS(32)
IO_ACCESSORS(64)

#endif
