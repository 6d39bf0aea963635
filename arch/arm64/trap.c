/* SPDX-License-Identifier: MIT */
/*
 * From an exception of a guest to whoever deals with it, and back. Runs on the physical CPU's stack
 * with interrupts masked; no EL2 control register is written here.
 */
#include "arch/arm-common/irqs.h"
#include "arch/arm-common/vcp15.h"
#include "arch/arm-common/vpsci.h"
#include "arch/arm64/access.h"
#include "arch/arm64/arm64.h"
#include "arch/arm64/debug.h"
#include "arch/arm64/serror.h"
#include "core/arch.h"
#include "core/atomic.h"
#include "core/config.h"
#include "core/log.h"
#include "core/sched.h"
#include "core/vm.h"
#include "sysreg.h"

#define EC_WFX        0x01u
#define EC_ILLEGAL    0x0eu /* execution state */
#define EC_HVC32      0x12u
#define EC_SMC32      0x13u
#define EC_HVC64      0x16u
#define EC_SMC64      0x17u
#define EC_SYSREG     0x18u
#define EC_IABT_LOWER 0x20u
#define EC_DABT_LOWER 0x24u

/* `msr ICC_SGI1R_EL1, Xt`: EC 0x18, IL, op0 3, op1 0, CRn 12, CRm 11, op2 5 */
#define ESR_SGI1R 0x623a3016u
#define ISS_RT    (0x1fu << 5)

struct frame *trap_leave(struct frame *f)
{
    struct arm64_vcpu *v = container_of(f, struct arm64_vcpu, frame);
    struct pcpu *p = v->vcpu.pcpu;

    for (;;) {
        v = sched_irq(p) ? v : to_arm64(sched_enter(p));
        if (likely(!v->op.later)) {
            return &v->frame;
        }
        access_go_on(v);
    }
}

static void call(struct arm64_vcpu *v, bool is_smc)
{
    if (is_smc) {
        access_skip(v, 4); /* trapped: the return address is the SMC itself (Arm ARM D1.3.1) */
    }
    vpsci_call(&v->vcpu, v->frame.x);
}

/* What isn't simply done. */
static RARE void sysreg_other(struct arm64_vcpu *v, enum vsysreg_result result)
{
    switch (result) {
    case SYSREG_UNDEF:
        inject_undef(v);
        break;
    case SYSREG_STOP: /* it was told so */
    case SYSREG_DONE:
    case SYSREG_AGAIN:
        break;
    }
}

static void sysreg(struct arm64_vcpu *v, u32 esr)
{
    u32 iss = esr & 0x1ffffff, rt = vsysreg_rt(iss);
    u64 value = rt == 31 ? 0 : v->frame.x[rt];
    enum vsysreg_result result = vsysreg_access(&v->sysreg, iss, &value);

    if (unlikely(v->sysreg.debug_dirty)) {
        debug_load(&v->sysreg);
    }
    if (unlikely(result != SYSREG_DONE)) {
        sysreg_other(v, result);
        return;
    }
    if (!vsysreg_is_write(iss) && rt != 31) {
        v->frame.x[rt] = value;
    }
    access_skip(v, 4);
}

static u32 gpr_read(const struct arm64_vcpu *v, u32 n)
{
    n = aarch32_register(n, (u32)v->frame.spsr);
    return n >= 31 ? 0 : (u32)v->frame.x[n];
}

/* What would go to the PC goes to the flags. */
static void gpr_write(struct arm64_vcpu *v, u32 n, u32 value)
{
    n = aarch32_register(n, (u32)v->frame.spsr);
    if (n < 31) {
        v->frame.x[n] = value;
    } else {
        v->frame.spsr = (v->frame.spsr & ~(u64)SPSR32_NZCV) | (value & SPSR32_NZCV);
    }
}

/* A 32-bit guest's MRC, MRRC, MCR, MCRR, VMRS. */
static RARE void coprocessor(struct arm64_vcpu *v, u32 esr)
{
    u32 rt = vsysreg_rt(esr);
    bool write = vsysreg_is_write(esr), wide = vcp15_is_wide(esr);
    enum vsysreg_result result;
    u64 value = 0;

    if (write) {
        value = gpr_read(v, rt) | (wide ? (u64)gpr_read(v, vcp15_rt2(esr)) << 32 : 0);
    }
    result = vcp15_access(&v->sysreg, esr, &value);
    if (result != SYSREG_DONE) {
        sysreg_other(v, result);
        return;
    }
    if (!write) {
        gpr_write(v, rt, (u32)value);
        if (wide) {
            gpr_write(v, vcp15_rt2(esr), (u32)(value >> 32));
        }
    }
    access_skip(v, access_insn_len(esr));
}

/*
 * Trapped although its condition fails: a no-op. Aborts and HVC have no condition in the syndrome,
 * the others are below 0x0e.
 */
static bool is_skipped(const struct arm64_vcpu *v, u32 esr)
{
    u32 ec = esr >> 26;

    return access_is_aarch32(v) && (ec < EC_ILLEGAL || ec == EC_SMC32) &&
           !aarch32_executes(esr, (u32)v->frame.spsr);
}

static RARE void unsupported(struct arm64_vcpu *v, u32 esr)
{
    counter_inc(&v->vcpu.vm->sysreg_unknown);
    if (v->vcpu.vm->cfg->on_instruction == POLICY_ABORT) {
        vm_end(v->vcpu.vm, VM_EXIT_UNSUPPORTED, false,
               "instruction with syndrome 0x%x at pc 0x%llx", esr,
               (unsigned long long)v->frame.elr);
    } else if (v->vcpu.vm->cfg->on_instruction == POLICY_IGNORE) {
        access_skip(v, access_insn_len(esr));
    } else {
        inject_undef(v);
    }
}

static RARE void other(struct arm64_vcpu *v, u32 esr)
{
    if (is_skipped(v, esr)) {
        access_skip(v, access_insn_len(esr));
        return;
    }
    if (vcp15_is(esr)) {
        coprocessor(v, esr);
        return;
    }
    switch (esr >> 26) {
    case EC_HVC32:
        call(v, false);
        break;
    case EC_SMC64:
    case EC_SMC32:
        call(v, true);
        break;
    case EC_WFX:
        access_skip(v, access_insn_len(esr));
        if ((esr & 1) == 0) {
            vcpu_wfi(&v->vcpu);
        } else {
            sched_requeue(&v->vcpu);
        }
        break;
    case EC_IABT_LOWER:
        inject_abort(v, true, false, sysreg_read(far_el2));
        break;
    default:
        unsupported(v, esr);
        break;
    }
}

/* Each kind of exit has a function of its own, with no larger a stack frame than it needs. */
static __attribute__((noinline)) struct frame *trap_sgi(struct arm64_vcpu *v, u32 esr)
{
    u32 rt = vsysreg_rt(esr);

    v->vcpu.vm->irqchip->sgi(&v->vcpu, rt == 31 ? 0 : v->frame.x[rt]);
    access_skip(v, 4);
    return trap_return(v);
}

static __attribute__((noinline)) struct frame *trap_sysreg(struct arm64_vcpu *v, u32 esr)
{
    sysreg(v, esr);
    return trap_return(v);
}

static __attribute__((noinline)) struct frame *trap_other(struct arm64_vcpu *v, u32 esr)
{
    if (likely(esr >> 26 == EC_HVC64)) {
        call(v, false);
    } else {
        other(v, esr);
    }
    return trap_return(v);
}

struct frame *trap_sync(struct frame *f)
{
    struct arm64_vcpu *v = container_of(f, struct arm64_vcpu, frame);
    u32 esr = (u32)sysreg_read(esr_el2);
    u32 ec = esr >> 26;

    v->exit_esr[v->vcpu.exits++ % EXIT_TRACE] = esr;
    if (ec == EC_SYSREG) {
        if ((esr & ~ISS_RT) == ESR_SGI1R && gic.v3) {
            return trap_sgi(v, esr); /* by far the most frequent */
        }
        return trap_sysreg(v, esr);
    }
    if (likely(ec == EC_DABT_LOWER)) {
        return access_data_abort(v, esr);
    }
    return trap_other(v, esr);
}

uintptr_t trap_irq(struct frame *f)
{
    struct arm64_vcpu *v = container_of(f, struct arm64_vcpu, frame);
    struct pcpu *p = v->vcpu.pcpu;

    v->vcpu.exits++;
    irqs_take(p);
    if (unlikely(trap_wanted(v)) && !sched_irq(p)) {
        return (uintptr_t)f | 1;
    }
    return (uintptr_t)f;
}

/*
 * An asynchronous external abort while the guest ran: what it touched is its own, so is the end. No
 * other VM's access can be meant, see serror_leave.
 */
struct frame *trap_serror(struct frame *f)
{
    struct arm64_vcpu *v = container_of(f, struct arm64_vcpu, frame);

    v->vcpu.exits++;
    serror_blame(v, sysreg_read(esr_el2));
    return trap_return(v);
}
