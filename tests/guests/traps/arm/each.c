/* SPDX-License-Identifier: MIT */
/* The traps guest: a device's syndrome names any register. */
#include "tests/guests/lib/insn.h"
#include "tests/guests/lib/io.h"
#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/probe.h"
#include "tests/guests/lib/test.h"
#include "tests/guests/traps/traps_test.h"

enum { UARTIBRD = 0x24, PERIPH_ID0 = 0xfe0, OLD_IBRD = 0x0777, NEW_IBRD = 0x1234 };

/* Loads into and stores from each of r0 to r12: the syndrome's register number. */
void devices_each_register(void)
{
    for (uint32_t reg = 0; reg <= 12; reg++) {
        uint32_t base = reg == 12 ? 3 : 12; /* holds the address */
        const uint32_t load[] = {
            0xe92d4ff0u,                          /* push {r4-r11, lr} */
            0xe1a00000u | base << 12,             /* mov base, r0 */
            0xe5900000u | base << 16 | reg << 12, /* ldr reg, [base] */
            0xe1a00000u | reg,                    /* mov r0, reg */
            0xe3a01000u,                          /* mov r1, #0 */
            0xe8bd4ff0u,                          /* pop {r4-r11, lr} */
        };
        const uint32_t store[] = {
            0xe92d4ff0u,
            0xe1a00000u | base << 12,
            0xe1a00002u | reg << 12,              /* mov reg, r2 */
            0xe5800000u | base << 16 | reg << 12, /* str reg, [base] */
            0xe8bd4ff0u,
        };
        struct probe p;

        test_check(insn_run(&p, load, 6, platform.uart + PERIPH_ID0, 0) && p.value == 0x11,
                   "load into register %u: 0x%lx", reg, p.value);
        io_write32(platform.uart + UARTIBRD, OLD_IBRD);
        test_check(insn_run(&p, store, 5, platform.uart + UARTIBRD, NEW_IBRD) &&
                       io_read32(platform.uart + UARTIBRD) == NEW_IBRD,
                   "store from register %u: 0x%x", reg, io_read32(platform.uart + UARTIBRD));
    }
}
