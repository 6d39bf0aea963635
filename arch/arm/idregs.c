/* SPDX-License-Identifier: MIT */
/* CP15's ID registers c0, c1 and c2, and VFP's: where struct vsysreg_ids has them. */
#include "arch/arm/arm.h"
#include "sysreg.h"

#define READ(m, n) out->id[8 * (m) + (n)] = CP32_READ_(0, c0, c##m, n)
#define READ_ROW(m)                                                                                \
    READ(m, 0);                                                                                    \
    READ(m, 1);                                                                                    \
    READ(m, 2);                                                                                    \
    READ(m, 3);                                                                                    \
    READ(m, 4);                                                                                    \
    READ(m, 5);                                                                                    \
    READ(m, 6);                                                                                    \
    READ(m, 7)

#define MVFR 24 /* as AArch64 numbers them, 0 to 2 */

static u32 mvfr0(void)
{
    u32 value;

    __asm__ volatile(".fpu neon\n\tvmrs %0, mvfr0" : "=r"(value));
    return value;
}

static u32 mvfr1(void)
{
    u32 value;

    __asm__ volatile(".fpu neon\n\tvmrs %0, mvfr1" : "=r"(value));
    return value;
}

void idregs_read(struct vsysreg_ids *out)
{
    *out = (struct vsysreg_ids){0};
    READ_ROW(1);
    READ_ROW(2);
    if (cpu.vfp) {
        out->id[MVFR] = mvfr0();
        out->id[MVFR + 1] = mvfr1();
    }
    out->revidr = CP32_READ_(0, c0, c0, 6);
    out->aidr = CP32_READ_(1, c0, c0, 7);
}
