/* SPDX-License-Identifier: MIT */
/*
 * Synchronous exceptions injected into a guest: what hardware would do to an EL1 that reaches for
 * something which isn't there (Arm ARM D1.3). An AArch32 guest gets them in its own way.
 */
#include "arch/arm-common/aarch32.h"
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

static const struct aarch32_exception undef32 = {MODE_UND, 0x04, 4, 2, false};
static const struct aarch32_exception pabt32 = {MODE_ABT, 0x0c, 4, 4, true};
static const struct aarch32_exception dabt32 = {MODE_ABT, 0x10, 8, 8, true};

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

/* EL1 is AArch32: registers are banked in AArch64's (Arm ARM D1.20.1): LR_und x22, LR_abt x20. */
static void inject32(struct arm64_vcpu *v, const struct aarch32_exception *e)
{
    u32 old = (u32)v->frame.spsr, sctlr = (u32)sysreg_read(sctlr_el1);
    u32 base = (sctlr & SCTLR32_V) != 0 ? 0xffff0000u : (u32)sysreg_read(vbar_el1);
    u32 lr = (u32)v->frame.elr + ((old & SPSR32_T) != 0 ? e->lr_thumb : e->lr_arm);

    if (e->abort) {
        sysreg_write(spsr_abt, aarch32_banked_spsr(old));
        v->frame.x[20] = lr;
    } else {
        sysreg_write(spsr_und, aarch32_banked_spsr(old));
        v->frame.x[22] = lr;
    }
    v->frame.spsr = aarch32_entry(e, old, sctlr, cpu.pan);
    v->frame.elr = base + e->vector;
}

static void abort32(struct arm64_vcpu *v, bool instruction, bool write, u32 address)
{
    u64 far = sysreg_read(far_el1); /* IFAR, DFAR */
    u32 status = aarch32_external_abort((u32)sysreg_read(tcr_el1), write);

    if (instruction) {
        sysreg_write(ifsr32_el2, status);
        sysreg_write(far_el1, (u32)far | (u64)address << 32);
    } else {
        sysreg_write(esr_el1, status);
        sysreg_write(far_el1, (far & ~0xffffffffull) | address);
    }
    inject32(v, instruction ? &pabt32 : &dabt32);
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

void inject_abort(struct arm64_vcpu *v, bool instruction, bool write, u64 far)
{
    u32 ec;

    if (is_aarch32(v)) {
        abort32(v, instruction, write, (u32)far);
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
