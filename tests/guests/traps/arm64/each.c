/* SPDX-License-Identifier: MIT */
/* The traps guest: a device's syndrome names any register. */
#include "tests/guests/lib/insn.h"
#include "tests/guests/lib/io.h"
#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/probe.h"
#include "tests/guests/lib/test.h"
#include "tests/guests/traps/traps_test.h"

enum { UARTIBRD = 0x24, PERIPH_ID0 = 0xfe0, OLD_IBRD = 0x0777, NEW_IBRD = 0x1234 };

/* Loads into and stores from each of w0 to w30 and wzr: the syndrome's register number. */
void devices_each_register(void)
{
    for (uint32_t reg = 0; reg < 32; reg++) {
        uint32_t base = reg == 17 ? 16 : 17; /* x17 or x16 holds the address */
        const uint32_t load[] = {
            0xaa1d03e0u | 15,              /* mov x15, x29: callee-saved, as is x30 */
            0xaa1e03e0u | 14,              /* mov x14, x30 */
            0xaa0003e0u | base,            /* mov base, x0 */
            0xb9400000u | base << 5 | reg, /* ldr reg, [base] */
            0x2a0003e0u | reg << 16 | 0,   /* mov w0, reg */
            0xaa0f03e0u | 29,              /* mov x29, x15 */
            0xaa0e03e0u | 30,              /* mov x30, x14 */
        };
        const uint32_t store[] = {
            0xaa1d03e0u | 15,
            0xaa1e03e0u | 14,
            0xaa0003e0u | base,
            reg == 31 ? 0xd503201fu : 0xaa0103e0u | reg, /* mov reg, x1 */
            0xb9000000u | base << 5 | reg,               /* str reg, [base] */
            0xaa0f03e0u | 29,
            0xaa0e03e0u | 30,
        };
        struct probe p;

        if (reg == 14 || reg == 15 || (reg >= 18 && reg <= 28)) {
            continue; /* x14, x15 are busy; callee-saved registers: misc_registers_kept() */
        }
        test_check(insn_run(&p, load, 7, platform.uart + PERIPH_ID0, 0) &&
                       p.value == (reg == 31 ? 0u : 0x11u),
                   "load into register %u: 0x%lx", reg, p.value);
        io_write32(platform.uart + UARTIBRD, OLD_IBRD);
        test_check(insn_run(&p, store, 7, platform.uart + UARTIBRD, NEW_IBRD) &&
                       io_read32(platform.uart + UARTIBRD) == (reg == 31 ? 0u : NEW_IBRD),
                   "store from register %u: 0x%x", reg, io_read32(platform.uart + UARTIBRD));
    }
}
