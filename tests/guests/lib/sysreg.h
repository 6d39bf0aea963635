/* SPDX-License-Identifier: MIT */
/* System registers, barriers and interrupt masking of the test guests. */
#ifndef TESTS_GUESTS_LIB_SYSREG_H
#define TESTS_GUESTS_LIB_SYSREG_H

#include <stdint.h>

#define sysreg_read(name)                                                                          \
    ({                                                                                             \
        uint64_t value_;                                                                           \
        __asm__ volatile("mrs %0, " name : "=r"(value_) : : "memory");                             \
        value_;                                                                                    \
    })
#define sysreg_write(name, value)                                                                  \
    __asm__ volatile("msr " name ", %x0" : : "rZ"((uint64_t)(value)) : "memory")

#define isb()        __asm__ volatile("isb" : : : "memory")
#define dsb()        __asm__ volatile("dsb sy" : : : "memory")
#define wfi()        __asm__ volatile("dsb sy\n\twfi" : : : "memory")
#define wfe()        __asm__ volatile("wfe" : : : "memory")
#define sev()        __asm__ volatile("dsb ish\n\tsev" : : : "memory")
#define irq_unmask() __asm__ volatile("msr daifclr, #2\n\tisb" : : : "memory")
#define irq_mask()   __asm__ volatile("msr daifset, #2" : : : "memory")

#endif
