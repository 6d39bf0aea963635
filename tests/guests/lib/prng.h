/* SPDX-License-Identifier: MIT */
/* Repeatable pseudo-random numbers (xorshift64*), and a hash for what must not change. */
#ifndef TESTS_GUESTS_LIB_PRNG_H
#define TESTS_GUESTS_LIB_PRNG_H

#include <stdint.h>

struct prng {
    uint64_t state; /* not 0 */
};

static inline uint64_t prng_next(struct prng *p)
{
    p->state ^= p->state >> 12;
    p->state ^= p->state << 25;
    p->state ^= p->state >> 27;
    return p->state * 0x2545f4914f6cdd1dull;
}

static inline uint32_t prng_below(struct prng *p, uint32_t bound)
{
    return (uint32_t)((prng_next(p) >> 32) * bound >> 32);
}

/* FNV-1a over 64-bit words. */
static inline uint64_t hash_words(const uint64_t *words, uint64_t count)
{
    uint64_t hash = 0xcbf29ce484222325ull;

    for (uint64_t i = 0; i < count; i++) {
        hash = (hash ^ words[i]) * 0x100000001b3ull;
    }
    return hash;
}

#endif
