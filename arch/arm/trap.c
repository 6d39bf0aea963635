/* SPDX-License-Identifier: MIT */
/*
 * From an exception of a guest to whoever deals with it, and back. Runs on the physical CPU's stack
 * with interrupts masked; no Hyp control register is written here.
 */
#include "arch/arm-common/aarch32.h"
#include "arch/arm-common/vcp15.h"
#include "arch/arm-common/vpsci.h"
#include "arch/arm/arm.h"
#include "core/arch.h"
#include "core/config.h"
#include "core/log.h"
#include "core/vm.h"
#include "sysreg.h"

/* HSR (DDI 0406 B3.13.6) */
#define EC_WFX  0x01u
#define EC_HVC  0x12u
#define EC_SMC  0x13u
#define EC_IABT 0x20u
#define EC_DABT 0x24u

struct frame *trap_leave(struct arm_vcpu *v)
{
    struct pcpu *p = v->vcpu.pcpu;

    for (;;) {
        v = sched_irq(p) ? v : to_arm(sched_enter(p));
        if (likely(!v->op.later)) {
            return &v->frame;
        }
        access_go_on(v);
    }
}

static void call(struct arm_vcpu *v)
{
    u32 *r = v->frame.r;
    u64 x[4] = {r[0], r[1], r[2], r[3]};

    vpsci_call(&v->vcpu, x);
    r[0] = (u32)x[0];
    r[1] = (u32)x[1];
    r[2] = (u32)x[2];
    r[3] = (u32)x[3];
}

/* What would go to the PC goes to the flags (DDI 0406 A8.8.107, MRC). */
static void result_write(struct arm_vcpu *v, u32 rt, u32 value)
{
    if (rt == 15) {
        v->frame.cpsr = (v->frame.cpsr & ~SPSR32_NZCV) | (value & SPSR32_NZCV);
    } else {
        regs_write(v, rt, value);
    }
}

static void coprocessor(struct arm_vcpu *v, u32 hsr)
{
    u32 rt = vsysreg_rt(hsr);
    bool write = vsysreg_is_write(hsr), wide = vcp15_is_wide(hsr);
    u64 value = 0;

    if (write) {
        value = regs_read(v, rt) | (wide ? (u64)regs_read(v, vcp15_rt2(hsr)) << 32 : 0);
    }
    switch (vcp15_access(&v->sysreg, hsr, &value)) {
    case SYSREG_UNDEF:
        inject_undef(v);
        return;
    case SYSREG_STOP: /* it was told so */
    case SYSREG_AGAIN:
        return;
    case SYSREG_DONE:
        break;
    }
    if (!write) {
        result_write(v, rt, (u32)value);
        if (wide) {
            regs_write(v, vcp15_rt2(hsr), (u32)(value >> 32));
        }
    }
    access_skip(v, hsr);
}

static void unsupported(struct arm_vcpu *v, u32 hsr)
{
    counter_inc(&v->vcpu.vm->sysreg_unknown);
    if (v->vcpu.vm->cfg->on_instruction == POLICY_ABORT) {
        vm_end(v->vcpu.vm, VM_EXIT_UNSUPPORTED, false, "instruction with syndrome 0x%x at pc 0x%x",
               hsr, v->frame.pc);
    } else if (v->vcpu.vm->cfg->on_instruction == POLICY_IGNORE) {
        access_skip(v, hsr);
    } else {
        inject_undef(v);
    }
}

static RARE void other(struct arm_vcpu *v, u32 hsr)
{
    u32 ec = hsr >> 26;

    /* What is trapped although its condition fails is a no-op; aborts have none. */
    if ((ec < EC_HVC || ec == EC_SMC) && !aarch32_executes(hsr, v->frame.cpsr)) {
        access_skip(v, hsr);
        return;
    }
    switch (ec) {
    case EC_SMC:
        access_skip(v, hsr); /* trapped: the return address is the SMC itself */
        call(v);
        break;
    case EC_WFX:
        access_skip(v, hsr);
        if ((hsr & 1) == 0) {
            vcpu_wfi(&v->vcpu);
        } else {
            sched_requeue(&v->vcpu);
        }
        break;
    case EC_IABT:
        inject_abort(v, true, false, sysreg_read(HIFAR));
        break;
    default:
        if (vcp15_is(hsr)) {
            coprocessor(v, hsr);
        } else {
            unsupported(v, hsr);
        }
        break;
    }
}

/* Each kind of exit has a function of its own, which saves no more registers than it needs. */
static NOINLINE struct frame *trap_call(struct arm_vcpu *v)
{
    call(v);
    return trap_return(v);
}

static RARE struct frame *trap_other(struct arm_vcpu *v, u32 hsr)
{
    other(v, hsr);
    return trap_return(v);
}

struct frame *trap_sync(struct frame *f)
{
    struct arm_vcpu *v = container_of(f, struct arm_vcpu, frame);
    u32 hsr = sysreg_read(HSR), ec = hsr >> 26;

    v->exit_hsr[v->vcpu.exits++ % EXIT_TRACE] = hsr;
    if (likely(ec == EC_DABT)) {
        return access_data_abort(v, hsr);
    }
    return ec == EC_HVC ? trap_call(v) : trap_other(v, hsr);
}

struct frame *trap_irq(struct frame *f)
{
    struct arm_vcpu *v = container_of(f, struct arm_vcpu, frame);

    v->vcpu.exits++;
    irqs_take(v->vcpu.pcpu);
    return trap_return(v);
}
