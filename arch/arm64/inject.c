/* SPDX-License-Identifier: MIT */
/*
 * Synchronous exceptions injected into a guest: what hardware would do to an EL1 that reaches for
 * something which isn't there (Arm ARM D1.3). An AArch32 guest gets them in its own way.
 */
#include "arch/arm64/arm64.h"
#include "arch/arm64/traps.h"
#include "sysreg.h"

#define SPSR_M_MASK    0xfu
#define SPSR_AARCH32   BIT(4)
#define SPSR_EL1H      5u
#define SPSR_EL0T      0u
#define SPSR_DAIF      (0xfu << 6)
#define SPSR_NZCV_KEEP 0xf0000000u
#define SPSR_PAN       BIT(22)
#define SPSR_DIT       BIT(24)
#define SPSR_UAO       BIT(23)
#define SPSR_SSBS      BIT(12)
#define SCTLR_SPAN     BIT(23)
#define SCTLR_DSSBS    BIT64(44)

#define ESR_IL        BIT(25)
#define EC_UNKNOWN    0x00u
#define EC_IABT_LOWER 0x20u
#define EC_IABT_SAME  0x21u
#define EC_DABT_LOWER 0x24u
#define EC_DABT_SAME  0x25u
#define FSC_EXTERNAL  0x10u

/* AArch32 (Arm ARM G1.12): mode, vector offset, and how far LR is behind the instruction. */
struct aarch32_exception {
    u32 mode, vector, lr_arm, lr_thumb;
};

static const struct aarch32_exception undef32 = {0x1b, 0x04, 4, 2};
static const struct aarch32_exception pabt32 = {0x17, 0x0c, 4, 4};
static const struct aarch32_exception dabt32 = {0x17, 0x10, 8, 8};

/* PSTATE on entry to EL1 (Arm ARM D1.3.4 "Exception entry"). */
static u64 entry_spsr(u64 old)
{
    u64 sctlr = sysreg_read(sctlr_el1);
    u64 spsr = SPSR_EL1H | SPSR_DAIF;

    spsr |= old & (SPSR_NZCV_KEEP | SPSR_PAN | SPSR_DIT);
    if ((sctlr & SCTLR_SPAN) == 0 && cpu.pan) {
        spsr |= SPSR_PAN;
    }
    if ((sctlr & SCTLR_DSSBS) != 0) {
        spsr |= SPSR_SSBS;
    }
    return spsr;
}

static void inject64(struct arm64_vcpu *v, u32 esr)
{
    u64 old = v->frame.spsr, vbar = sysreg_read(vbar_el1);
    u64 offset;

    if ((old & SPSR_AARCH32) != 0) {
        offset = 0x600;
    } else if ((old & SPSR_M_MASK) == SPSR_EL0T) {
        offset = 0x400;
    } else {
        offset = (old & 1) != 0 ? 0x200 : 0x000;
    }
    sysreg_write(elr_el1, v->frame.elr);
    sysreg_write(spsr_el1, old);
    sysreg_write(esr_el1, esr);
    v->frame.elr = vbar + offset;
    v->frame.spsr = entry_spsr(old);
}

static bool from_el1(const struct arm64_vcpu *v)
{
    return (v->frame.spsr & (SPSR_AARCH32 | SPSR_M_MASK)) != SPSR_EL0T &&
           (v->frame.spsr & SPSR_AARCH32) == 0;
}

/* EL1 is AArch32: registers are banked in AArch64's (Arm ARM D1.21.1): LR_und x22, LR_abt x20. */
static void inject32(struct arm64_vcpu *v, const struct aarch32_exception *e)
{
    u64 old = v->frame.spsr;
    u64 sctlr = sysreg_read(sctlr_el1);
    bool thumb = (old & BIT(5)) != 0;
    u32 base = (sctlr & BIT(13)) != 0 ? 0xffff0000u : (u32)sysreg_read(vbar_el1);
    u64 lr = v->frame.elr + (thumb ? e->lr_thumb : e->lr_arm);

    if (e->mode == 0x1b) {
        sysreg_write(spsr_und, old);
        v->frame.x[22] = (u32)lr;
    } else {
        sysreg_write(spsr_abt, old);
        v->frame.x[20] = (u32)lr;
    }
    v->frame.spsr = (old & 0xf07f0000u) | SPSR_AARCH32 | (e->mode & 0xf) | BIT(7) | BIT(8) |
                    ((sctlr & BIT(30)) != 0 ? BIT(5) : 0) | ((sctlr & BIT(25)) != 0 ? BIT(9) : 0);
    v->frame.elr = base + e->vector;
}

static bool is_aarch32(const struct arm64_vcpu *v)
{
    return (v->hcr & HCR_RW) == 0;
}

void inject_undef(struct arm64_vcpu *v)
{
    if (is_aarch32(v)) {
        inject32(v, &undef32);
        return;
    }
    inject64(v, EC_UNKNOWN << 26 | ESR_IL);
}

void inject_abort(struct arm64_vcpu *v, bool instruction, u64 far)
{
    u32 ec;

    if (is_aarch32(v)) {
        /* DFSR and IFSR, LPAE format: synchronous external abort */
        u64 fsr = BIT(9) | FSC_EXTERNAL;

        if (instruction) {
            sysreg_write(ifsr32_el2, fsr);
            sysreg_write(far_el1, (sysreg_read(far_el1) & 0xffffffffu) | far << 32);
        } else {
            sysreg_write(esr_el1, fsr);
            sysreg_write(far_el1, (sysreg_read(far_el1) & ~0xffffffffull) | (u32)far);
        }
        inject32(v, instruction ? &pabt32 : &dabt32);
        return;
    }
    if (instruction) {
        ec = from_el1(v) ? EC_IABT_SAME : EC_IABT_LOWER;
    } else {
        ec = from_el1(v) ? EC_DABT_SAME : EC_DABT_LOWER;
    }
    sysreg_write(far_el1, far);
    inject64(v, ec << 26 | ESR_IL | FSC_EXTERNAL);
}
