/* SPDX-License-Identifier: MIT */
/*
 * Asynchronous aborts, and which VM they are put down to. A guest's access may end in one long
 * after the guest left: Hyp mode runs with CPSR.A set, so that it waits until a guest is entered,
 * and that may be another VM's. (DDI 0406 B1.8.7 and B1.9; ARMv7 has no barrier for errors: behind
 * a DSB the accesses before it are complete, and what has come of them until then is pending.)
 */
#include "arch/arm/arm.h"
#include "core/log.h"
#include "core/vm.h"
#include "sysreg.h"

#define ISR_A BIT(8)

static u32 collect(void)
{
    dsb_sy();
    isb();
    return (sysreg_read(ISR) & ISR_A) != 0 ? abort_take() : 0;
}

void abort_cpu_init(void)
{
    u32 hsr = collect();

    if (hsr != 0) {
        log_warn("an asynchronous abort was pending when Muntin started (syndrome 0x%x)", hsr);
    }
}

void abort_leave(struct arm_vcpu *v)
{
    u32 hsr = collect();

    if (unlikely(hsr != 0)) {
        abort_blame(v, hsr);
    }
}

void abort_blame(struct arm_vcpu *v, u32 hsr)
{
    vm_log(v->vcpu.vm, LOG_ERR, "asynchronous abort (syndrome 0x%x) at pc 0x%x", hsr, v->frame.pc);
    vm_stop(v->vcpu.vm, VM_EXIT_UNEXPECTED);
}
