/* SPDX-License-Identifier: MIT */
/*
 * SErrors, and which VM they are put down to. See serror.h. References are to the Arm ARM's ESB
 * (C6.2), DISR_EL1 and ISR_EL1 (D19.2), "Asynchronous exception types" (D1.3) and the chapter "RAS
 * PE architecture".
 */
#include "arch/arm64/serror.h"

#include "arch/arm64/arm64.h"
#include "core/log.h"
#include "core/vm.h"
#include "sysreg.h"

#define DISR s3_0_c12_c1_1

/*
 * The barrier for errors is the ESB: with HCR_EL2.AMO and PSTATE.A set, at EL2, it moves a pending
 * SError into DISR_EL1. (With SCR_EL3.EA set the firmware takes it there and then.) Before FEAT_RAS
 * there's none. Then the DSB is as good as it gets: accesses before it are complete, and what has
 * come of them until then is seen in ISR_EL1.
 */
static u64 collect(void)
{
    u64 disr = 0;

    dsb_sy();
    if (cpu.ras) {
        __asm__ volatile("hint #16" : : : "memory"); /* ESB: assemblers know it from ARMv8.2 on */
        disr = sysreg_read(DISR);
    }
    isb();
    switch (serror_find(disr, sysreg_read(ISR))) {
    case SERROR_DEFERRED:
        sysreg_write(DISR, 0);
        return serror_esr(disr);
    case SERROR_PENDING:
        return serror_take();
    case SERROR_NONE:
        break;
    }
    return 0;
}

void serror_cpu_init(void)
{
    u64 esr;

    if (cpu.ras) {
        sysreg_write(DISR, 0); /* UNKNOWN after a reset */
    }
    esr = collect();
    if (esr != 0) {
        log_warn("an SError was pending when Muntin started (syndrome 0x%x)", (u32)esr);
    }
}

void serror_leave(struct arm64_vcpu *v)
{
    u64 esr = collect();

    if (unlikely(esr != 0)) {
        serror_blame(v, esr);
    }
}

void serror_blame(struct arm64_vcpu *v, u64 esr)
{
    vm_end(v->vcpu.vm, VM_EXIT_UNEXPECTED, false, "SError (syndrome 0x%x) at pc 0x%llx", (u32)esr,
           (unsigned long long)v->frame.elr);
}
