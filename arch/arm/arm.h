/* SPDX-License-Identifier: MIT */
/* What the files of arch/arm know of each other. */
#ifndef ARCH_ARM_ARM_H
#define ARCH_ARM_ARM_H

#include "arch/arm-common/aarch32.h"
#include "arch/arm-common/gic.h"
#include "arch/arm-common/irqs.h"
#include "arch/arm-common/ldst.h"
#include "arch/arm-common/start.h"
#include "arch/arm-common/vsysreg.h"
#include "arch/arm/frame.h"
#include "core/atomic.h"
#include "core/sched.h"
#include "core/vcpu.h"

/* PL1 and PL0 registers of CP15 that the guest owns while it runs; switched with it. */
struct cp15_regs {
    u64 ttbr0, ttbr1, par;
    u32 sctlr, cpacr, ttbcr, dacr, dfsr, ifsr, adfsr, aifsr, dfar, ifar;
    u32 mair0, mair1, amair0, amair1, vbar, contextidr, csselr;
    u32 tpidrurw, tpidruro, tpidrprw, cntkctl;
    u32 teecr, teehbr; /* ThumbEE */
};

/* Registers that modes have for themselves; those of User mode not in struct frame. */
struct banked_regs {
    u32 sp_usr;
    u32 sp_svc, lr_svc, spsr_svc;
    u32 sp_abt, lr_abt, spsr_abt;
    u32 sp_und, lr_und, spsr_und;
    u32 sp_irq, lr_irq, spsr_irq;
    u32 r8_fiq, r9_fiq, r10_fiq, r11_fiq, r12_fiq, sp_fiq, lr_fiq, spsr_fiq;
};

/* vfp.S knows the offsets. */
struct vfp_regs {
    u64 d[32];
    u32 fpscr, fpexc;
};

#define EXIT_TRACE 8 /* a power of two */

struct arm_vcpu {
    struct vcpu vcpu;
    struct frame frame;
    u32 exit_hsr[EXIT_TRACE]; /* syndromes of the last synchronous exits, by vcpu.exits */
    u32 hcr;
    struct ldst_op op; /* an access without a syndrome; `later`: before it's entered */
    struct cp15_regs cp15;
    struct banked_regs banked;
    struct vfp_regs vfp;
    struct irqs_vcpu irqs;
    struct vsysreg sysreg;
};

static inline struct arm_vcpu *to_arm(struct vcpu *v)
{
    return container_of(v, struct arm_vcpu, vcpu);
}

/* vectors.S */
extern const char vectors[];
void guest_enter(struct frame *f) NORETURN;

/* vfp.S; d32: there are 32 registers, else 16 */
void vfp_save(struct vfp_regs *v, bool d32);
void vfp_load(const struct vfp_regs *v, bool d32);

/* cpu.c: what the CPUs have; read once on the boot CPU. */
struct cpu_features {
    bool vfp, d32; /* VFP; with 32 registers, else 16 */
    bool thumbee;
};
extern struct cpu_features cpu;

/* idregs.c */
void idregs_read(struct vsysreg_ids *out);

/* trap.c, called by vectors.S */
struct frame *trap_sync(struct frame *f);
struct frame *trap_irq(struct frame *f);
void trap_fatal(u32 kind, u32 sp, u32 lr) NORETURN;
/* Something wants attention: who is to be entered. */
struct frame *trap_leave(struct arm_vcpu *v);

static inline bool trap_wanted(const struct arm_vcpu *v)
{
    return (atomic_load(&v->vcpu.attention) | atomic_load(&v->vcpu.pcpu->remote.attention)) != 0;
}

/* The end of every exception of a guest. */
static inline struct frame *trap_return(struct arm_vcpu *v)
{
    return likely(!trap_wanted(v)) ? &v->frame : trap_leave(v);
}

/* regs.c, for these two: a register that a mode has for itself, or the PC */
u32 regs_read_banked(const struct arm_vcpu *v, u32 n);
void regs_write_banked(struct arm_vcpu *v, u32 n, u32 value);

/* One that all modes share, but perhaps for FIQ mode. */
static inline bool regs_shared(const struct arm_vcpu *v, u32 n)
{
    return likely(n < 13 && (v->frame.cpsr & SPSR32_MODE) != MODE_FIQ);
}

/* Register n of the mode that the loaded guest is in; 15 reads 0 and ignores writes. */
static inline u32 regs_read(const struct arm_vcpu *v, u32 n)
{
    return regs_shared(v, n) ? v->frame.r[n] : regs_read_banked(v, n);
}

static inline void regs_write(struct arm_vcpu *v, u32 n, u32 value)
{
    if (regs_shared(v, n)) {
        v->frame.r[n] = value;
    } else {
        regs_write_banked(v, n, value);
    }
}

/*
 * access.c: a stage-2 data abort: emulated, or answered with an external abort. The end of its
 * trap, too: what trap_return gives.
 */
struct frame *access_data_abort(struct arm_vcpu *v, u32 hsr);
/* v, which is loaded and would be entered, has more to do for its instruction (v->op.later). */
void access_go_on(struct arm_vcpu *v);
/* Goes on behind the instruction that HSR is about. */
void access_skip(struct arm_vcpu *v, u32 hsr);

/* inject.c: exceptions that a guest gets instead of what it wanted */
void inject_undef(struct arm_vcpu *v);
void inject_abort(struct arm_vcpu *v, bool instruction, bool write, u32 address);

/* abort.c: whose an asynchronous abort is; see there */
void abort_cpu_init(void);
void abort_leave(struct arm_vcpu *v);
void abort_blame(struct arm_vcpu *v, u32 hsr);
/* vectors.S: takes the abort that is pending; its HSR, 0 if none came */
u32 abort_take(void);

#endif
