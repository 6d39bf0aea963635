/* SPDX-License-Identifier: MIT */
/*
 * AArch32 as EL2 sees it: what SPSR_EL2 and ESR_EL2 say of a 32-bit guest or program. Arithmetic,
 * no register is read here; host-tested. References are to the Arm ARM.
 */
#ifndef ARCH_ARM_COMMON_AARCH32_H
#define ARCH_ARM_COMMON_AARCH32_H

#include "core/regs.h"
#include "core/types.h"

/* SPSR_EL2 of an exception from AArch32 */
#define SPSR32_MODE   0x1fu
#define SPSR32_T      BIT(5)
#define SPSR32_F      BIT(6)
#define SPSR32_I      BIT(7)
#define SPSR32_A      BIT(8)
#define SPSR32_E      BIT(9)
#define SPSR32_IT     0x0600fc00u /* IT[1:0] in [26:25], IT[7:2] in [15:10] */
#define SPSR32_SS     BIT(21)
#define SPSR32_PAN    BIT(22)
#define SPSR32_SSBS   BIT(23)
#define SPSR32_DIT    BIT(24)
#define SPSR32_NZCV   0xf0000000u
#define SPSR32_KEPT   0xf90f0000u /* NZCV, Q, DIT, GE: as they were, in an exception's handler */
#define SPSR_BANK_DIT BIT(21)     /* in SPSR_abt and the like */

enum aarch32_mode {
    MODE_USR = 0x10,
    MODE_FIQ = 0x11,
    MODE_IRQ = 0x12,
    MODE_SVC = 0x13,
    MODE_ABT = 0x17,
    MODE_UND = 0x1b,
    MODE_SYS = 0x1f,
};

/* SCTLR */
#define SCTLR32_V     BIT(13)
#define SCTLR32_SPAN  BIT(23)
#define SCTLR32_EE    BIT(25)
#define SCTLR32_TE    BIT(30)
#define SCTLR32_DSSBS BIT(31)

#define ISS32_CV BIT(24) /* of an instruction that was trapped: COND, [23:20], is valid */

/* Does an instruction with this condition execute? ("ConditionHolds") */
static inline bool aarch32_holds(u32 cond, u32 spsr)
{
    bool n = (spsr & BIT(31)) != 0, z = (spsr & BIT(30)) != 0;
    bool c = (spsr & BIT(29)) != 0, v = (spsr & BIT(28)) != 0;
    bool holds = true;

    switch (cond >> 1 & 7) {
    case 0:
        holds = z;
        break;
    case 1:
        holds = c;
        break;
    case 2:
        holds = n;
        break;
    case 3:
        holds = v;
        break;
    case 4:
        holds = c && !z;
        break;
    case 5:
        holds = n == v;
        break;
    case 6:
        holds = n == v && !z;
        break;
    default:
        return true;
    }
    return holds != ((cond & 1) != 0);
}

static inline u32 aarch32_it(u32 spsr)
{
    return (spsr >> 8 & 0xfc) | (spsr >> 25 & 3);
}

/* An IT block, one instruction later ("ITAdvance"). */
static inline u32 aarch32_it_advance(u32 spsr)
{
    u32 it = aarch32_it(spsr);

    it = (it & 7) == 0 ? 0 : (it & 0xe0) | (it << 1 & 0x1f);
    return (spsr & ~SPSR32_IT) | (it & 0xfc) << 8 | (it & 3) << 25;
}

/*
 * Was the trapped instruction to be executed at all? A CPU may trap one whose condition fails
 * ("Conditional execution of undefined instructions"); it's a no-op then. Not for aborts, HVC and
 * SVC, which have no such fields.
 */
static inline bool aarch32_executes(u32 esr, u32 spsr)
{
    u32 it = aarch32_it(spsr);

    if ((esr & ISS32_CV) != 0) {
        return aarch32_holds(esr >> 20 & 0xf, spsr);
    }
    return (spsr & SPSR32_T) == 0 || it == 0 || aarch32_holds(it >> 4, spsr);
}

/*
 * The number of the AArch64 register that is AArch32 register n ("Mapping of the general-purpose
 * registers"), 31 for the PC. Syndromes have that number already; QEMU's of data aborts have the
 * instruction's, which the same mode can't mean otherwise.
 */
static inline u32 aarch32_register(u32 n, u32 spsr)
{
    if (n == 15) {
        return 31;
    }
    return n > 15 ? n : regs_index32(n, spsr);
}

/* An exception that EL1 is to take: its mode, vector, and how far LR is behind the instruction. */
struct aarch32_exception {
    u32 mode, vector, lr_arm, lr_thumb;
    bool abort;
};

/* PSTATE in the handler, as SPSR_EL2 ("Processor state on exception entry"); pan: the CPU has
 * FEAT_PAN. */
static inline u32 aarch32_entry(const struct aarch32_exception *e, u32 old, u32 sctlr, bool pan)
{
    u32 spsr = (old & (SPSR32_KEPT | SPSR32_F | SPSR32_A | SPSR32_PAN)) | SPSR32_I | e->mode;

    spsr |= e->abort ? SPSR32_A : 0;
    spsr |= (sctlr & SCTLR32_TE) != 0 ? SPSR32_T : 0;
    spsr |= (sctlr & SCTLR32_EE) != 0 ? SPSR32_E : 0;
    spsr |= pan && (sctlr & SCTLR32_SPAN) == 0 ? SPSR32_PAN : 0;
    spsr |= (sctlr & SCTLR32_DSSBS) != 0 ? SPSR32_SSBS : 0;
    return spsr;
}

/* SPSR_abt or SPSR_und of an exception from the state that SPSR_EL2 describes. */
static inline u32 aarch32_banked_spsr(u32 old)
{
    return (old & ~(SPSR32_SS | SPSR32_DIT)) | ((old & SPSR32_DIT) != 0 ? SPSR_BANK_DIT : 0);
}

/*
 * DFSR or IFSR of a synchronous external abort: the format is the one of the guest's tables, as
 * TTBCR.EAE chooses it (G8.2).
 */
static inline u32 aarch32_external_abort(u32 ttbcr, bool write)
{
    return ((ttbcr & BIT(31)) != 0 ? BIT(9) | 0x10u : 0x08u) | (write ? BIT(11) : 0);
}

#endif
