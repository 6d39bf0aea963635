/* SPDX-License-Identifier: MIT */
/*
 * A vCPU's registers as plain values: what arch_vcpu_regs fills in, and what a message and a core
 * of the guest show. The names are those of AArch64. Of a guest that runs in AArch32 the same
 * places have the registers that the Arm ARM maps there (D1.20.1): r8 to r14 of all modes are in x.
 */
#ifndef CORE_REGS_H
#define CORE_REGS_H

#include "core/types.h"

#define REGS_EXITS 6
#define REGS_32BIT BIT(4) /* of pstate: AArch32 */
#define REGS_EL    0xcu   /* of pstate: not at EL0 */

/* Only u64, so that it's the same on every machine: core/gcore_text.h writes it as it is. */
struct vcpu_regs {
    u64 x[31], pc, pstate;
    u64 sp_el0, sp_el1;
    u64 elr, spsr, esr, far; /* of EL1: of the guest's last exception. AArch32: 0, SPSR_svc, DFSR,
                                DFAR */
    u64 sctlr, tcr, ttbr0, ttbr1; /* of EL1; tcr: TTBCR of AArch32 */
    u64 fpsr, fpcr;               /* AArch32: FPSCR in fpsr */
    u64 v[32][2];                 /* AArch32: d0 to d31 in v[0] to v[15] */
    u64 exits;                    /* how often it came to Muntin */
    u64 syndrome[REGS_EXITS];     /* of its last exits, newest first */
};

/* Which of x is register n, 0 to 14, of the mode that pstate says: AArch32 only. */
static inline u32 regs_index32(u32 n, u64 pstate)
{
    static const u8 r13_r14[16][2] = {
        [2] = {17, 16}, [3] = {19, 18}, [7] = {21, 20}, [11] = {23, 22}}; /* irq svc abt und */
    u32 mode = (u32)pstate & 15;

    if (mode == 1) {
        return n < 8 ? n : n + 16; /* fiq */
    }
    return n >= 13 && r13_r14[mode][0] != 0 ? r13_r14[mode][n - 13] : n;
}

static inline bool regs_is32(const struct vcpu_regs *r)
{
    return (r->pstate & REGS_32BIT) != 0;
}

/* The stack pointer that is in use. */
u64 regs_sp(const struct vcpu_regs *r);

/* Shows them; each print is a line, without newline. */
void regs_print(const struct vcpu_regs *r, void (*print)(const char *fmt, ...) PRINTF(1, 2));

#endif
