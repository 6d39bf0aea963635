/* SPDX-License-Identifier: MIT */
/* The traps guest: what a trap must keep. */
#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/test.h"
#include "tests/guests/traps/traps_test.h"

enum { KEPT_REGS = 13 };

/* keep.S */
void keep_registers(const uint32_t *before, uint32_t *after, uint64_t device, uint64_t function);

/* Across a hypercall, a device access and a trapped register only the results change. */
void misc_registers_kept(void)
{
    uint32_t before[KEPT_REGS + 1];
    uint32_t after[KEPT_REGS + 1];

    for (uint32_t i = 0; i <= KEPT_REGS; i++) {
        before[i] = 0x01010101 * (i + 1);
        after[i] = 0;
    }
    before[KEPT_REGS] = 0xa0000000; /* NZCV */
    keep_registers(before, after, platform.uart + 0xfe0, 0x8400001f);
    for (uint32_t i = 4; i < KEPT_REGS; i++) {
        test_check(after[i] == before[i], "r%u: 0x%x", i, after[i]);
    }
    test_equal("NZCV", after[KEPT_REGS] & 0xf0000000, before[KEPT_REGS]);
}
