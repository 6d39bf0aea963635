/* SPDX-License-Identifier: MIT */
/*
 * The bytes of a fuzzer's input, taken from the front. What is missing at its end counts as zeros,
 * so that every input is a good one.
 */
#ifndef TESTS_FUZZ_INPUT_H
#define TESTS_FUZZ_INPUT_H

#include "core/types.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

struct input {
    const u8 *p, *end;
};

/* The next `bytes` (at most 4) bytes, little-endian. */
static inline u32 take(struct input *in, u32 bytes)
{
    u32 v = 0;

    for (u32 i = 0; i < bytes && in->p < in->end; i++) {
        v |= (u32)*in->p++ << (8 * i);
    }
    return v;
}

#endif
