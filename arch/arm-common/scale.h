/* SPDX-License-Identifier: MIT */
/*
 * Multiplication by a ratio of two integers without a division: ticks to nanoseconds and back.
 * Plain arithmetic with 32-bit factors, the same on both architectures and on the host.
 */
#ifndef ARCH_ARM_COMMON_SCALE_H
#define ARCH_ARM_COMMON_SCALE_H

#include "core/types.h"

struct scale {
    u64 whole;    /* the ratio's integer part */
    u64 fraction; /* and the rest, in units of 2^-64, rounded down */
};

/* num / den, den not 0. Not for hot paths: it divides bit by bit. */
static inline struct scale scale_make(u32 num, u32 den)
{
    struct scale s = {.whole = num / den};
    u64 rest = num % den;

    for (u32 bit = 0; bit < 64; bit++) {
        rest <<= 1;
        s.fraction <<= 1;
        if (rest >= den) {
            rest -= den;
            s.fraction |= 1;
        }
    }
    return s;
}

/* The upper half of a * b. */
static inline u64 scale_mulh(u64 a, u64 b)
{
    u64 a_low = (u32)a, a_high = a >> 32, b_low = (u32)b, b_high = b >> 32;
    u64 middle = a_high * b_low + (a_low * b_low >> 32);
    u64 other = a_low * b_high + (u32)middle;

    return a_high * b_high + (middle >> 32) + (other >> 32);
}

/* v * ratio, rounded down by less than 2; wraps at 2^64. */
static inline u64 scale_apply(const struct scale *s, u64 v)
{
    return v * s->whole + scale_mulh(v, s->fraction);
}

#endif
