/* SPDX-License-Identifier: MIT */
/*
 * A vCPU's registers: reset, and moving them between the struct and the CPU. All of it happens when
 * another vCPU is loaded, never on a trap that returns to the same one.
 */
#include "arch/arm-common/boot.h"
#include "arch/arm-common/stage2.h"
#include "arch/arm-common/clock.h"
#include "arch/arm-common/aarch32.h"
#include "arch/arm64/arm64.h"
#include "arch/arm64/debug.h"
#include "arch/arm64/serror.h"
#include "arch/arm64/traps.h"
#include "core/arch.h"
#include "core/atomic.h"
#include "core/check.h"
#include "core/config.h"
#include "core/page.h"
#include "core/panic.h"
#include "core/regs.h"
#include "core/vm.h"
#include "sysreg.h"

#include <string.h>

#define SPSR_EL1H_MASKED 0x3c5u
#define SCTLR_EL1_RESET  0x30d00800u /* RES1 bits, MMU and caches off */
#define SCTLR_RESET_32   0x00c50878u /* the same for AArch32, with CP15BEN and SED as after reset */
#define VDISR            s3_4_c12_c1_1

struct vcpu *arch_vcpu_create(struct vm *vm, u32 id, struct pcpu *p)
{
    struct arm64_vcpu *v = page_alloc(sizeof(*v));

    if (v == NULL) {
        return NULL;
    }
    v->vcpu.vm = vm;
    v->vcpu.id = id;
    v->vcpu.pcpu = p;
    v->vcpu.irq.count = (u8)gic.lr_count;
    vsysreg_create(&v->sysreg, &v->vcpu);
    return &v->vcpu;
}

static void start64(struct arm64_vcpu *v, u64 entry, u64 context)
{
    v->frame.elr = entry;
    v->frame.x[0] = context;
    v->frame.spsr = SPSR_EL1H_MASKED;
    v->el1.sctlr = SCTLR_EL1_RESET;
}

/*
 * In ARM state, unless the address says Thumb. A CPU that the guest turns on gets its context in r0
 * (DEN 0022 §6.4); the first one starts as Linux wants it: r0 0, r1 no machine type, r2 the tree.
 */
static void start32(struct arm64_vcpu *v, u64 entry, u64 context)
{
    const struct image_plan *plan = v->vcpu.vm->plan;

    if (v->vcpu.id == 0 && entry == plan->entry && context == plan->dtb) {
        v->frame.x[1] = UINT32_MAX;
        v->frame.x[2] = context;
    } else {
        v->frame.x[0] = (u32)context;
    }
    v->frame.elr = (u32)entry & ~1u;
    v->frame.spsr = MODE_SVC | SPSR32_A | SPSR32_I | SPSR32_F | ((entry & 1) != 0 ? SPSR32_T : 0);
    v->el1.sctlr = SCTLR_RESET_32;
}

void arch_vcpu_reset(struct vcpu *c, u64 entry, u64 context)
{
    struct arm64_vcpu *v = to_arm64(c);
    u64 stack = v->frame.stack;

    memset(&v->frame, 0, sizeof(v->frame));
    memset(&v->el1, 0, sizeof(v->el1));
    memset(&v->fp, 0, sizeof(v->fp));
    v->op.later = false;
    v->frame.stack = stack;
    v->hcr = traps_hcr(stage2_fwb(c->vm)) | (c->trap_wfi ? HCR_TWI : 0);
    if (c->vm->aarch32) {
        start32(v, entry, context);
        v->hcr &= ~HCR_RW;
    } else {
        start64(v, entry, context);
    }
    irqs_vcpu_reset(&v->irqs);
    stage2_flush(c->vm); /* a guest of before may have left translations for its kernel */
    vsysreg_reset(&v->sysreg);
}

#define EL1_REGISTERS(R)                                                                           \
    R(sctlr, sctlr_el1)                                                                            \
    R(cpacr, cpacr_el1)                                                                            \
    R(ttbr0, ttbr0_el1)                                                                            \
    R(ttbr1, ttbr1_el1)                                                                            \
    R(tcr, tcr_el1)                                                                                \
    R(mair, mair_el1)                                                                              \
    R(amair, amair_el1)                                                                            \
    R(vbar, vbar_el1)                                                                              \
    R(contextidr, contextidr_el1)                                                                  \
    R(esr, esr_el1)                                                                                \
    R(far, far_el1)                                                                                \
    R(afsr0, afsr0_el1)                                                                            \
    R(afsr1, afsr1_el1)                                                                            \
    R(par, par_el1)                                                                                \
    R(elr, elr_el1)                                                                                \
    R(spsr, spsr_el1)                                                                              \
    R(sp_el0, sp_el0)                                                                              \
    R(sp_el1, sp_el1)                                                                              \
    R(tpidr_el0, tpidr_el0)                                                                        \
    R(tpidrro_el0, tpidrro_el0)                                                                    \
    R(tpidr_el1, tpidr_el1)                                                                        \
    R(csselr, csselr_el1)                                                                          \
    R(cntkctl, cntkctl_el1)

#define AARCH32_REGISTERS(R)                                                                       \
    R(dacr32, dacr32_el2)                                                                          \
    R(ifsr32, ifsr32_el2)                                                                          \
    R(fpexc32, fpexc32_el2)                                                                        \
    R(spsr_abt, spsr_abt)                                                                          \
    R(spsr_und, spsr_und)                                                                          \
    R(spsr_irq, spsr_irq)                                                                          \
    R(spsr_fiq, spsr_fiq)

/* APIAKey, APIBKey, APDAKey, APDBKey, APGAKey: low and high halves */
#define PAC_REGISTERS(R)                                                                           \
    R(pac[0], S3_0_C2_C1_0)                                                                        \
    R(pac[1], S3_0_C2_C1_1)                                                                        \
    R(pac[2], S3_0_C2_C1_2)                                                                        \
    R(pac[3], S3_0_C2_C1_3)                                                                        \
    R(pac[4], S3_0_C2_C2_0)                                                                        \
    R(pac[5], S3_0_C2_C2_1)                                                                        \
    R(pac[6], S3_0_C2_C2_2)                                                                        \
    R(pac[7], S3_0_C2_C2_3)                                                                        \
    R(pac[8], S3_0_C2_C3_0)                                                                        \
    R(pac[9], S3_0_C2_C3_1)

#define SAVE(field, reg) r->field = sysreg_read(reg);
#define LOAD(field, reg) sysreg_write(reg, r->field);

static void save_el1(struct el1_regs *r)
{
    EL1_REGISTERS(SAVE)
    if (cpu.aarch32_el1) {
        AARCH32_REGISTERS(SAVE)
    }
    if (cpu.pauth) {
        PAC_REGISTERS(SAVE)
    }
}

static void load_el1(const struct el1_regs *r)
{
    EL1_REGISTERS(LOAD)
    if (cpu.aarch32_el1) {
        AARCH32_REGISTERS(LOAD)
    }
    if (cpu.pauth) {
        PAC_REGISTERS(LOAD)
    }
}

/* The guest's FP and SIMD registers; EL2 itself is compiled without. */
#define FP_PAIRS(op)                                                                               \
    op " q0, q1, [%0]\n" op " q2, q3, [%0, #32]\n" op " q4, q5, [%0, #64]\n" op                    \
       " q6, q7, [%0, #96]\n" op " q8, q9, [%0, #128]\n" op " q10, q11, [%0, #160]\n" op           \
       " q12, q13, [%0, #192]\n" op " q14, q15, [%0, #224]\n" op " q16, q17, [%0, #256]\n" op      \
       " q18, q19, [%0, #288]\n" op " q20, q21, [%0, #320]\n" op " q22, q23, [%0, #352]\n" op      \
       " q24, q25, [%0, #384]\n" op " q26, q27, [%0, #416]\n" op " q28, q29, [%0, #448]\n" op      \
       " q30, q31, [%0, #480]\n"

static void save_fp(struct fp_regs *f)
{
    __asm__ volatile(".arch_extension fp\n.arch_extension simd\n" FP_PAIRS("stp")
                     :
                     : "r"(f->v)
                     : "memory");
    f->fpcr = sysreg_read(fpcr);
    f->fpsr = sysreg_read(fpsr);
}

static void load_fp(const struct fp_regs *f)
{
    __asm__ volatile(".arch_extension fp\n.arch_extension simd\n" FP_PAIRS("ldp")
                     :
                     : "r"(f->v)
                     : "memory");
    sysreg_write(fpcr, f->fpcr);
    sysreg_write(fpsr, f->fpsr);
}

/* Rarely needed (SIMD accesses to a device): through the struct, all at once. */
void vcpu_get_q(u32 n, u64 q[2])
{
    struct fp_regs *f = &to_arm64(arch_pcpu()->current)->fp;

    save_fp(f);
    q[0] = f->v[n & 31][0];
    q[1] = f->v[n & 31][1];
}

void vcpu_set_q(u32 n, const u64 q[2])
{
    struct fp_regs *f = &to_arm64(arch_pcpu()->current)->fp;

    save_fp(f);
    f->v[n & 31][0] = q[0];
    f->v[n & 31][1] = q[1];
    load_fp(f);
}

static void load_vtimer(const struct arm64_vcpu *v)
{
    u64 offset = v->vcpu.vm->counter_offset;

    sysreg_write(cntvoff_el2, offset);
    sysreg_write(cnthctl_el2, traps_cnthctl(offset));
    irqs_vtimer_load(&v->irqs);
}

static void unload(struct arm64_vcpu *v)
{
    gic_guest_save(&v->vcpu.irq, &v->irqs.cpuif);
    irqs_vtimer_save(&v->irqs);
    save_el1(&v->el1);
    save_fp(&v->fp);
    serror_leave(v);
}

static void load(struct arm64_vcpu *v)
{
    v->frame.stack = cpu_stack(v->vcpu.pcpu);
    sysreg_write(hcr_el2, v->hcr);
    sysreg_write(vttbr_el2, stage2_vttbr(v->vcpu.vm));
    sysreg_write(vmpidr_el2, v->vcpu.mpidr | BIT64(31) | (v->vcpu.vm->nvcpus == 1 ? BIT64(30) : 0));
    isb(); /* the regime before EL1 registers that depend on it (HCR_EL2.RW) */
    stage2_vcpu_loaded(&v->vcpu);
    load_el1(&v->el1);
    if (cpu.ras) {
        /* What a guest writes to DISR_EL1, which it isn't told of and which can't be trapped. */
        sysreg_write(VDISR, 0);
    }
    load_fp(&v->fp);
    load_vtimer(v);
    debug_load(&v->sysreg);
    gic_guest_load(&v->vcpu.irq, &v->irqs.cpuif);
}

u64 arch_vcpu_switch(struct pcpu *p, struct vcpu *next)
{
    u64 wakeup_ns = TIMER_OFF;

    if (p->current != NULL) {
        unload(to_arm64(p->current));
        wakeup_ns = irqs_vtimer_ns(p->current);
    }
    atomic_store(&p->current, next);
    if (next != NULL) {
        load(to_arm64(next));
    }
    return wakeup_ns;
}

void arch_vcpu_run(struct vcpu *v)
{
    guest_enter(&to_arm64(v)->frame);
}

struct irqs_vcpu *irqs_of(struct vcpu *v)
{
    return &to_arm64(v)->irqs;
}

void arch_vcpu_regs(struct vcpu *c, struct vcpu_regs *r)
{
    const struct arm64_vcpu *v = to_arm64(c);
    bool is32 = (v->frame.spsr & REGS_32BIT) != 0 && c->vm->aarch32;

    *r = (struct vcpu_regs){
        .pc = v->frame.elr,
        .pstate = v->frame.spsr,
        .sp_el0 = v->el1.sp_el0,
        .sp_el1 = v->el1.sp_el1,
        .elr = is32 ? 0 : v->el1.elr,
        .spsr = v->el1.spsr,
        .esr = v->el1.esr,
        .far = is32 ? (u32)v->el1.far : v->el1.far,
        .sctlr = v->el1.sctlr,
        .tcr = v->el1.tcr,
        .ttbr0 = v->el1.ttbr0,
        .ttbr1 = v->el1.ttbr1,
        .fpsr = v->fp.fpsr,
        .fpcr = v->fp.fpcr,
        .exits = c->exits,
    };
    memcpy(r->x, v->frame.x, sizeof(r->x));
    memcpy(r->v, v->fp.v, sizeof(r->v));
    for (u32 i = 0; i < REGS_EXITS; i++) { /* an interrupt's place holds an older one */
        r->syndrome[i] = v->exit_esr[(c->exits - 1 - i) % EXIT_TRACE];
    }
}
