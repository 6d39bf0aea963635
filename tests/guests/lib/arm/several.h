/* SPDX-License-Identifier: MIT */
/* One instruction that loads several words, from a device perhaps. */
#ifndef TESTS_GUESTS_LIB_SEVERAL_H
#define TESTS_GUESTS_LIB_SEVERAL_H

#include <stdint.h>

enum { SEVERAL_WORDS = 4 };

/* Loads so many words from there on; what the base register is behind it. */
static inline uint64_t several_load(uint64_t address, uint32_t words[SEVERAL_WORDS])
{
    register uint32_t a __asm__("r4") = ~0u;
    register uint32_t b __asm__("r5") = ~0u;
    register uint32_t c __asm__("r6") = ~0u;
    register uint32_t d __asm__("r8") = ~0u;
    uint32_t base = (uint32_t)address;

    __asm__ volatile("ldm %[base]!, {r4-r6, r8}"
                     : [base] "+r"(base), "+r"(a), "+r"(b), "+r"(c), "+r"(d)
                     :
                     : "memory");
    words[0] = a;
    words[1] = b;
    words[2] = c;
    words[3] = d;
    return base;
}

#endif
