/* SPDX-License-Identifier: MIT */
/*
 * From coprocessor registers to AArch64's: a table for each kind of access, in the order of the
 * syndromes' fields (Arm ARM D19.2, ESR_EL2). Debug and PMU are denied: the registers that say so
 * exist, the others are UNDEFINED.
 */
#include "arch/arm-common/vcp15.h"

#include "arch/arm-common/idspace.h"

/* An MCR or MRC as ISS has it; so has VMRS, opc1 7 and CRn the register. */
#define CP(opc1, crn, crm, opc2)                                                                   \
    ((u32)(opc2) << 17 | (u32)(opc1) << 14 | (u32)(crn) << 10 | (u32)(crm) << 1)
#define CP_MASK CP(7, 15, 15, 7)
/* An MCRR or MRRC. */
#define CPP(opc1, crm) ((u32)(opc1) << 16 | (u32)(crm) << 1)
#define CPP_MASK       CPP(15, 15)
/* An MRS or MSR. */
#define SYS(op0, op1, crn, crm, op2) ((u32)(op0) << 20 | CP(op1, crn, crm, op2))
/* Reads 0, may not be written; op0 0 is no register's. */
#define ZERO 1u
/* No register's: vsysreg_access says what becomes of that. */
#define NONE 0u

/* ID_PFR1.Sec_frac: VBAR is there, without EL3; ID_DFR0.CopDbg: no debug */
#define SEC_FRAC_VBAR BIT(20)
#define COP_DBG       0xfu

struct pair {
    u32 from, to;
};

static const struct pair cp15[] = {
    {CP(0, 0, 0, 2), ZERO},                   /* TCMTR, by HCR_EL2.TID1 */
    {CP(0, 0, 0, 3), ZERO},                   /* TLBTR: unified */
    {CP(0, 0, 0, 6), SYS(3, 0, 0, 0, 6)},     /* REVIDR */
    {CP(1, 0, 0, 7), SYS(3, 1, 0, 0, 7)},     /* AIDR */
    {CP(0, 1, 0, 1), SYS(3, 0, 1, 0, 1)},     /* ACTLR, by TACR */
    {CP(0, 1, 0, 3), SYS(3, 0, 1, 0, 1)},     /* ACTLR2: its upper half */
    {CP(0, 7, 6, 2), SYS(1, 0, 7, 6, 2)},     /* DCISW, by TSW */
    {CP(0, 7, 10, 2), SYS(1, 0, 7, 10, 2)},   /* DCCSW */
    {CP(0, 7, 14, 2), SYS(1, 0, 7, 14, 2)},   /* DCCISW */
    {CP(0, 12, 12, 5), SYS(3, 0, 12, 12, 5)}, /* ICC_SRE */
    {CP(0, 14, 2, 0), SYS(3, 3, 14, 2, 0)},   /* CNTP_TVAL */
    {CP(0, 14, 2, 1), SYS(3, 3, 14, 2, 1)},   /* CNTP_CTL */
};

static const struct pair cp15_wide[] = {
    {CPP(0, 12), SYS(3, 0, 12, 11, 5)}, /* ICC_SGI1R */
    {CPP(1, 12), SYS(3, 0, 12, 11, 6)}, /* ICC_ASGI1R */
    {CPP(2, 12), SYS(3, 0, 12, 11, 7)}, /* ICC_SGI0R */
    {CPP(0, 14), SYS(3, 3, 14, 0, 1)},  /* CNTPCT */
    {CPP(2, 14), SYS(3, 3, 14, 2, 2)},  /* CNTP_CVAL */
    {CPP(8, 14), SYS(3, 3, 14, 0, 5)},  /* CNTPCTSS */
};

static const struct pair cp14[] = {
    {CP(0, 0, 0, 0), ZERO}, /* DBGDIDR: no version that anyone knows, and no breakpoints */
    {CP(0, 0, 1, 0), ZERO}, /* DBGDSCRint: nothing comes through the communication channel */
    {CP(0, 1, 0, 0), ZERO}, /* DBGDRAR */
    {CP(0, 2, 0, 0), ZERO}, /* DBGDSAR */
};

static const struct pair cp14_wide[] = {
    {CPP(0, 1), ZERO}, /* DBGDRAR */
    {CPP(0, 2), ZERO}, /* DBGDSAR */
};

static const struct pair vmrs[] = {
    {CP(7, 5, 0, 0), SYS(3, 0, 0, 3, 2)}, /* MVFR2, by TID3 */
    {CP(7, 6, 0, 0), SYS(3, 0, 0, 3, 1)}, /* MVFR1 */
    {CP(7, 7, 0, 0), SYS(3, 0, 0, 3, 0)}, /* MVFR0 */
};

static u32 find(const struct pair *table, u32 count, u32 from)
{
    for (u32 i = 0; i < count; i++) {
        if (table[i].from == from) {
            return table[i].to;
        }
    }
    return NONE;
}

/*
 * CRm 1 to 7 of CP15's c0 are ID registers, where AArch64 has them; but what is MVFR0 to 2 there,
 * and AArch64's own, is reserved here: 0.
 */
static u32 id_register(u32 iss)
{
    u32 crm = iss >> 1 & 0xf, opc2 = iss >> 17 & 7;

    if (crm < 3 || (crm == 3 && opc2 >= 4)) {
        return SYS(3, 0, 0, crm, opc2);
    }
    return ZERO;
}

static u32 translate(u32 esr)
{
    u32 one = esr & CP_MASK, two = esr & CPP_MASK;

    switch (esr >> 26) {
    case EC_CP15_MCR:
        if ((one & ~CP(0, 0, 7, 7)) == 0 && (one & CP(0, 0, 7, 0)) != 0) {
            return id_register(esr);
        }
        return find(cp15, ARRAY_SIZE(cp15), one);
    case EC_CP15_MCRR:
        return find(cp15_wide, ARRAY_SIZE(cp15_wide), two);
    case EC_CP14_MCR:
        return find(cp14, ARRAY_SIZE(cp14), one);
    case EC_CP14_MCRR:
        return find(cp14_wide, ARRAY_SIZE(cp14_wide), two);
    case EC_VMRS:
        return find(vmrs, ARRAY_SIZE(vmrs), one);
    default:
        return NONE;
    }
}

enum vsysreg_result vcp15_access(struct vsysreg *s, u32 esr, u64 *value)
{
    u32 to = translate(esr);
    bool write = vsysreg_is_write(esr);
    enum vsysreg_result result;

    if (to == ZERO) {
        *value = 0;
        return write ? SYSREG_UNDEF : SYSREG_DONE;
    }
    if (to == NONE) {
        to = esr & (CP_MASK | CPP_MASK); /* op0 is 0: it's still none's, but can be told of */
    }
    result = vsysreg_access(s, to | (write ? 0 : 1), value);
    if (to == SYS(3, 0, 0, ID_PFR1 / 8, ID_PFR1 % 8)) {
        *value |= SEC_FRAC_VBAR;
    } else if (to == SYS(3, 0, 0, ID_DFR0 / 8, ID_DFR0 % 8)) {
        *value &= ~(u64)COP_DBG;
    }
    return result;
}
