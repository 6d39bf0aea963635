/* SPDX-License-Identifier: MIT */
/*
 * General registers of the guest that is loaded, as the mode that it's in has them: some are in its
 * frame, the others in the CPU (DDI 0406 B1.3.2).
 */
#include "arch/arm-common/aarch32.h"
#include "arch/arm/arm.h"
#include "sysreg.h"

#define MODES(X)                                                                                   \
    X(MODE_FIQ, fiq)                                                                               \
    X(MODE_IRQ, irq)                                                                               \
    X(MODE_SVC, svc)                                                                               \
    X(MODE_ABT, abt)                                                                               \
    X(MODE_UND, und)

#define FIQ_REGISTERS(X) X(8, r8_fiq) X(9, r9_fiq) X(10, r10_fiq) X(11, r11_fiq) X(12, r12_fiq)

static u32 read_fiq(u32 n)
{
    switch (n) {
#define X(number, name)                                                                            \
    case number:                                                                                   \
        return sysreg_read(BANKED_REG(name));
        FIQ_REGISTERS(X)
#undef X
    default:
        return 0;
    }
}

static void write_fiq(u32 n, u32 value)
{
    switch (n) {
#define X(number, name)                                                                            \
    case number:                                                                                   \
        sysreg_write(BANKED_REG(name), value);                                                     \
        break;
        FIQ_REGISTERS(X)
#undef X
    default:
        break;
    }
}

u32 regs_read_banked(const struct arm_vcpu *v, u32 n)
{
    u32 mode = v->frame.cpsr & SPSR32_MODE;

    if (n < 13) {
        return n >= 8 && mode == MODE_FIQ ? read_fiq(n) : v->frame.r[n];
    }
    if (n > 14) {
        return 0;
    }
    switch (mode) {
#define X(number, name)                                                                            \
    case number:                                                                                   \
        return n == 13 ? sysreg_read(BANKED_REG(sp_##name)) : sysreg_read(BANKED_REG(lr_##name));
        MODES(X)
#undef X
    default:
        return n == 13 ? sysreg_read(BANKED_REG(sp_usr)) : v->frame.lr;
    }
}

static void write_banked(struct arm_vcpu *v, bool sp, u32 value)
{
    switch (v->frame.cpsr & SPSR32_MODE) {
#define X(number, name)                                                                            \
    case number:                                                                                   \
        if (sp) {                                                                                  \
            sysreg_write(BANKED_REG(sp_##name), value);                                            \
        } else {                                                                                   \
            sysreg_write(BANKED_REG(lr_##name), value);                                            \
        }                                                                                          \
        break;
        MODES(X)
#undef X
    default:
        if (sp) {
            sysreg_write(BANKED_REG(sp_usr), value);
        } else {
            v->frame.lr = value;
        }
        break;
    }
}

void regs_write_banked(struct arm_vcpu *v, u32 n, u32 value)
{
    if (n == 13 || n == 14) {
        write_banked(v, n == 13, value);
    } else if (n >= 8 && n < 13 && (v->frame.cpsr & SPSR32_MODE) == MODE_FIQ) {
        write_fiq(n, value);
    } else if (n < 13) {
        v->frame.r[n] = value;
    }
}
