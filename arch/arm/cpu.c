/* SPDX-License-Identifier: MIT */
/* A physical CPU in Hyp mode: what it can do, its own control registers, and its last words. */
#include "arch/arm-common/boot.h"
#include "arch/arm-common/clock.h"
#include "arch/arm-common/stage2.h"
#include "arch/arm/arm.h"
#include "core/arch.h"
#include "core/panic.h"
#include "core/vm.h"
#include "sysreg.h"

#include <string.h>

/* What traps; left 0, so that it doesn't: see each register (DDI 0406 B4.1). */
#define HSTR_NOTHING (BIT(9) | BIT(11) | BIT(15)) /* c9, c11, c15: nothing of a guest's */
#define HSTR_TJDBX   BIT(17)                      /* Jazelle */
#define HDCR_TPMCR   BIT(5)                       /* PMU: PMCR; all the rest */
#define HDCR_TPM     BIT(6)
#define HDCR_TDA     BIT(9) /* debug registers; OS lock and power; ROM address */
#define HDCR_TDOSA   BIT(10)
#define HDCR_TDRA    BIT(11)
#define HCPTR_RES1   0x33ffu /* coprocessors but for 10 and 11, VFP's */
#define HCPTR_TTA    BIT(20)
#define NO_PMU       0xfu
#define CP10_ACCESS  (3u << 20 | 3u << 22) /* CPACR: what NSACR lets Non-secure state have */

struct cpu_features cpu;

void cpu_features_read(void)
{
    u32 mvfr0, cpacr = sysreg_read(CPACR);

    cpu.thumbee = (CP32_READ_(0, c0, c1, 0) >> 12 & 0xf) == 1; /* ID_PFR0.State3 */
    /* A bit of CPACR that NSACR keeps for Secure state can't be set. */
    sysreg_write(CPACR, cpacr | CP10_ACCESS);
    isb();
    cpu.vfp = (sysreg_read(CPACR) & CP10_ACCESS) == CP10_ACCESS;
    if (cpu.vfp) {
        __asm__ volatile(".fpu neon\n\tvmrs %0, mvfr0" : "=r"(mvfr0));
        cpu.d32 = (mvfr0 & 0xf) == 2;
    }
}

static u32 hdcr(void)
{
    u32 pmu = CP32_READ_(0, c0, c1, 2) >> 24 & 0xf; /* ID_DFR0.PerfMon */
    u32 value = HDCR_TDA | HDCR_TDOSA | HDCR_TDRA;

    if (pmu != 0 && pmu != NO_PMU) {
        /* HPMN as many as there are: the others would be Hyp mode's */
        value |= HDCR_TPM | HDCR_TPMCR | (sysreg_read(PMCR) >> 11 & 0x1f);
    }
    return value;
}

bool cpu_init(void)
{
    abort_cpu_init();
    sysreg_write(HSTR, HSTR_NOTHING | HSTR_TJDBX);
    sysreg_write(HDCR, hdcr());
    sysreg_write(HCPTR, HCPTR_RES1 | HCPTR_TTA);
    sysreg_write(VTCR, stage2_vtcr());
    sysreg_write(VPIDR, sysreg_read(MIDR));
    isb();
    stage2_cpu_init();
    if (!gic_cpu_init()) {
        return false;
    }
    clock_cpu_init();
    return true;
}

struct pcpu *arch_pcpu(void)
{
    u32 p;

    /* not volatile: it never changes on a CPU once C runs, so the compiler may keep it */
    __asm__("mrc p15, 4, %0, c13, c0, 2" : "=r"(p));
    return (struct pcpu *)p;
}

void arch_wait_change(const u32 *p, u32 value)
{
    u32 now;

    /*
     * ARMv8's exclusive monitor turns the other side's store into the event (DDI 0487 G1.17).
     * ARMv7's need not: there the timer's event stream, on in CNTHCTL, ends the wait.
     */
    __asm__ volatile("ldrex %0, [%1]\n\t"
                     "cmp %0, %2\n\t"
                     "bne 1f\n\t"
                     "wfe\n"
                     "1:\n\t"
                     "clrex"
                     : "=&r"(now)
                     : "r"(p), "r"(value)
                     : "cc", "memory");
}

void arch_copy(void *dst, const void *src, size_t len)
{
    memcpy(dst, src, len);
}

void arch_panic_dump(void (*print)(const char *fmt, ...) PRINTF(1, 2))
{
    struct pcpu *p = arch_pcpu();

    if (p == NULL) {
        print("  before the first CPU was set up; image at 0x%x", (u32)image_base());
        return;
    }
    print("  CPU %u, image at 0x%x, HSR 0x%x ELR 0x%x HDFAR 0x%x", p->id, (u32)image_base(),
          sysreg_read(HSR), sysreg_read(BANKED_REG(elr_hyp)), sysreg_read(HDFAR));
    if (p->current != NULL) {
        struct vcpu *v = p->current;

        print("  VM %s vCPU %u: pc 0x%x after %llu exits", v->vm->name, v->id, to_arm(v)->frame.pc,
              (unsigned long long)v->exits);
        for (u32 i = 1; i <= EXIT_TRACE; i++) {
            print("  exit -%u: syndrome 0x%x", i, to_arm(v)->exit_hsr[(v->exits - i) % EXIT_TRACE]);
        }
    }
}

void trap_fatal(u32 kind, u32 sp, u32 lr)
{
    static const char *const kinds[] = {"reset", "undefined instruction", "SVC", "prefetch abort",
                                        "data abort"};

    panic("%s in Hyp mode: SP 0x%x LR image + 0x%x", kinds[MIN(kind, 4u)], sp,
          lr - (u32)image_base());
}
