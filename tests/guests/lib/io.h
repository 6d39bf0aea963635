/* SPDX-License-Identifier: MIT */
/*
 * Device accesses: one plain load or store each, of a form whose abort carries a valid syndrome.
 */
#ifndef TESTS_GUESTS_LIB_IO_H
#define TESTS_GUESTS_LIB_IO_H

#include <stdint.h>

#define IO_ACCESSORS(bits, load, store, width)                                                     \
    static inline uint##bits##_t io_read##bits(uint64_t addr)                                      \
    {                                                                                              \
        uint##bits##_t value;                                                                      \
        __asm__ volatile(load " %" width "0, [%1]" : "=r"(value) : "r"(addr) : "memory");          \
        return value;                                                                              \
    }                                                                                              \
    static inline void io_write##bits(uint64_t addr, uint##bits##_t value)                         \
    {                                                                                              \
        __asm__ volatile(store " %" width "0, [%1]" : : "rZ"(value), "r"(addr) : "memory");        \
    }

IO_ACCESSORS(8, "ldrb", "strb", "w")
IO_ACCESSORS(16, "ldrh", "strh", "w")
IO_ACCESSORS(32, "ldr", "str", "w")
IO_ACCESSORS(64, "ldr", "str", "x")

#endif
