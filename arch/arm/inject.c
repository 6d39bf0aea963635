/* SPDX-License-Identifier: MIT */
/*
 * Synchronous exceptions injected into a guest: what hardware would do to a PL1 that reaches for
 * something which isn't there (DDI 0406 B1.8.1).
 */
#include "arch/arm-common/aarch32.h"
#include "arch/arm/arm.h"
#include "sysreg.h"

static const struct aarch32_exception undef = {MODE_UND, 0x04, 4, 2, false};
static const struct aarch32_exception prefetch_abort = {MODE_ABT, 0x0c, 4, 4, true};
static const struct aarch32_exception data_abort = {MODE_ABT, 0x10, 8, 8, true};

static void inject(struct arm_vcpu *v, const struct aarch32_exception *e)
{
    u32 old = v->frame.cpsr, sctlr = sysreg_read(SCTLR);
    u32 base = (sctlr & SCTLR32_V) != 0 ? 0xffff0000u : sysreg_read(VBAR);
    u32 lr = v->frame.pc + ((old & SPSR32_T) != 0 ? e->lr_thumb : e->lr_arm);

    if (e->abort) {
        sysreg_write(BANKED_REG(spsr_abt), old);
        sysreg_write(BANKED_REG(lr_abt), lr);
    } else {
        sysreg_write(BANKED_REG(spsr_und), old);
        sysreg_write(BANKED_REG(lr_und), lr);
    }
    v->frame.cpsr = aarch32_entry(e, old, sctlr, false);
    v->frame.pc = base + e->vector;
}

void inject_undef(struct arm_vcpu *v)
{
    inject(v, &undef);
}

void inject_abort(struct arm_vcpu *v, bool instruction, bool write, u32 address)
{
    u32 status = aarch32_external_abort((u32)sysreg_read(TTBCR), write);

    if (instruction) {
        sysreg_write(IFSR, status);
        sysreg_write(IFAR, address);
        inject(v, &prefetch_abort);
    } else {
        sysreg_write(DFSR, status);
        sysreg_write(DFAR, address);
        inject(v, &data_abort);
    }
}
