/* SPDX-License-Identifier: MIT */
/* What the files of arch/arm64 know of each other. */
#ifndef ARCH_ARM64_ARM64_H
#define ARCH_ARM64_ARM64_H

#include "arch/arm-common/gic.h"
#include "arch/arm-common/irqs.h"
#include "arch/arm-common/ldst.h"
#include "arch/arm-common/start.h"
#include "arch/arm64/frame.h"
#include "arch/arm-common/vsysreg.h"
#include "core/atomic.h"
#include "core/sched.h"
#include "core/vcpu.h"

/* EL1 and EL0 system registers that the guest owns while it runs; saved and loaded with it. */
struct el1_regs {
    u64 sctlr, cpacr, ttbr0, ttbr1, tcr, mair, amair, vbar, contextidr;
    u64 esr, far, afsr0, afsr1, par, elr, spsr, sp_el0, sp_el1;
    u64 tpidr_el0, tpidrro_el0, tpidr_el1, csselr, cntkctl;
    u64 dacr32, ifsr32, fpexc32, spsr_abt, spsr_und, spsr_irq, spsr_fiq; /* AArch32 at EL1 */
    u64 pac[10];                                                         /* pointer-auth keys */
};

struct fp_regs {
    u64 v[32][2];
    u64 fpcr, fpsr;
};

#define EXIT_TRACE 8 /* a power of two */

struct arm64_vcpu {
    struct vcpu vcpu;
    struct frame frame;
    u32 exit_esr[EXIT_TRACE]; /* syndromes of the last synchronous exits, by vcpu.exits */
    u64 hcr;
    struct ldst_op op; /* an access without a syndrome; `later`: before it's entered */
    struct el1_regs el1;
    struct fp_regs fp;
    struct irqs_vcpu irqs;
    struct vsysreg sysreg;
};

static inline struct arm64_vcpu *to_arm64(struct vcpu *v)
{
    return container_of(v, struct arm64_vcpu, vcpu);
}

/* vectors.S */
extern const char vectors[];
void guest_enter(struct frame *f) NORETURN;

/* cpu.c: what the CPUs have that matters when guests are switched; read once on the boot CPU. */
struct cpu_features {
    bool pan;         /* FEAT_PAN */
    bool pauth;       /* pointer authentication */
    bool ras;         /* FEAT_RAS */
    bool aarch32_el1; /* a guest may be AArch32 */
};
extern struct cpu_features cpu;

/* vcpu.c: one SIMD&FP register of the guest that is loaded */
void vcpu_get_q(u32 n, u64 q[2]);
void vcpu_set_q(u32 n, const u64 q[2]);

/* trap.c, called by vectors.S */
struct frame *trap_sync(struct frame *f);
/* The frame that came; bit 0 set: trap_leave is to be asked, the guest's registers saved. */
uintptr_t trap_irq(struct frame *f);
struct frame *trap_serror(struct frame *f);
void trap_fatal(u32 kind, u64 sp, u64 lr, u64 fp) NORETURN;
/* Something wants attention: who is to be entered. */
struct frame *trap_leave(struct frame *f);

static inline bool trap_wanted(const struct arm64_vcpu *v)
{
    return (atomic_load(&v->vcpu.attention) | atomic_load(&v->vcpu.pcpu->remote.attention)) != 0;
}

/* The end of every exception of a guest but an interrupt. */
static inline struct frame *trap_return(struct arm64_vcpu *v)
{
    return likely(!trap_wanted(v)) ? &v->frame : trap_leave(&v->frame);
}

/* inject.c: exceptions that a guest gets instead of what it wanted */
void inject_undef(struct arm64_vcpu *v);
void inject_abort(struct arm64_vcpu *v, bool instruction, bool write, u64 far);

#endif
