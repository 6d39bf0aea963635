/* SPDX-License-Identifier: MIT */
/* One instruction that loads several words, from a device perhaps. */
#ifndef TESTS_GUESTS_LIB_SEVERAL_H
#define TESTS_GUESTS_LIB_SEVERAL_H

#include <stdint.h>

enum { SEVERAL_WORDS = 2 };

/* Loads so many words from there on; what the base register is behind it. */
static inline uint64_t several_load(uint64_t address, uint32_t words[SEVERAL_WORDS])
{
    __asm__ volatile("ldp %w[a], %w[b], [%[base]], #8"
                     : [base] "+&r"(address), [a] "=&r"(words[0]), [b] "=&r"(words[1])
                     :
                     : "memory");
    return address;
}

#endif
