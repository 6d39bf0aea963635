/* SPDX-License-Identifier: MIT */
/*
 * A vCPU's registers: reset, and moving them between the struct and the CPU. All of it happens when
 * another vCPU is loaded, never on a trap that returns to the same one.
 */
#include "arch/arm-common/aarch32.h"
#include "arch/arm-common/boot.h"
#include "arch/arm-common/clock.h"
#include "arch/arm-common/stage2.h"
#include "arch/arm/arm.h"
#include "core/arch.h"
#include "core/config.h"
#include "core/image.h"
#include "core/page.h"
#include "core/regs.h"
#include "core/vm.h"
#include "sysreg.h"

#include <string.h>

/* What a guest traps for, a line for each bit of HCR (DDI 0406 B4.1.68). */
#define HCR_VM    BIT(0) /* stage 2 is on */
#define HCR_SWIO  BIT(1) /* DCISW cleans too (set/way traps anyway) */
#define HCR_PTW   BIT(2) /* a stage-1 walk in Device memory faults */
#define HCR_FMO   BIT(3) /* FIQ, IRQ, asynchronous aborts go to Hyp mode; the guest has virtual */
#define HCR_IMO   BIT(4) /* ones, and its ICC_* accesses reach the virtual interface */
#define HCR_AMO   BIT(5)
#define HCR_TWI   BIT(13) /* trap WFI: a vCPU that shares its CPU; per vCPU */
#define HCR_TID1  BIT(16) /* REVIDR, AIDR, TCMTR, TLBTR */
#define HCR_TID3  BIT(18) /* ID registers */
#define HCR_TSC   BIT(19) /* SMC */
#define HCR_TIDCP BIT(20) /* implementation defined registers */
#define HCR_TAC   BIT(21) /* ACTLR */
#define HCR_TSW   BIT(22) /* cache maintenance by set and way */
#define HCR_GUEST                                                                                  \
    (HCR_VM | HCR_SWIO | HCR_PTW | HCR_FMO | HCR_IMO | HCR_AMO | HCR_TID1 | HCR_TID3 | HCR_TSC |   \
     HCR_TIDCP | HCR_TAC | HCR_TSW)

#define SCTLR_RESET 0x00c50078u /* RES1 bits; MMU and caches off */

/*
 * CNTHCTL: the physical counter traps where it would tell the board's time, CNTP_* always. The
 * event stream wakes arch_wait_change every 2^(EVNTI + 1) ticks.
 */
#define CNTHCTL_PL1PCTEN BIT(0)
#define CNTHCTL_EVNTEN   BIT(2)
#define CNTHCTL_EVNTI    (9u << 4)

struct vcpu *arch_vcpu_create(struct vm *vm, u32 id, struct pcpu *p)
{
    struct arm_vcpu *v = page_alloc(sizeof(*v));

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

/* As arch/arm64 starts a 32-bit guest. */
static void start(struct arm_vcpu *v, u32 entry, u32 context)
{
    const struct image_plan *plan = v->vcpu.vm->plan;

    if (v->vcpu.id == 0 && entry == plan->entry && context == plan->dtb) {
        v->frame.r[1] = UINT32_MAX;
        v->frame.r[2] = context;
    } else {
        v->frame.r[0] = context;
    }
    v->frame.pc = entry & ~1u;
    v->frame.cpsr = MODE_SVC | SPSR32_A | SPSR32_I | SPSR32_F | ((entry & 1) != 0 ? SPSR32_T : 0);
    v->cp15.sctlr = SCTLR_RESET;
}

void arch_vcpu_reset(struct vcpu *c, u64 entry, u64 context)
{
    struct arm_vcpu *v = to_arm(c);
    u32 stack = v->frame.stack;

    memset(&v->frame, 0, sizeof(v->frame));
    memset(&v->cp15, 0, sizeof(v->cp15));
    memset(&v->banked, 0, sizeof(v->banked));
    memset(&v->vfp, 0, sizeof(v->vfp));
    v->op.later = false;
    v->frame.stack = stack;
    v->hcr = HCR_GUEST | (c->trap_wfi ? HCR_TWI : 0);
    start(v, (u32)entry, (u32)context);
    irqs_vcpu_reset(&v->irqs);
    stage2_flush(c->vm); /* a guest of before may have left translations for its kernel */
    vsysreg_reset(&v->sysreg);
}

/* TTBCR first: how the CPU takes the TTBRs depends on it. */
#define CP15_REGISTERS(R)                                                                          \
    R(ttbcr, TTBCR)                                                                                \
    R(ttbr0, TTBR0)                                                                                \
    R(ttbr1, TTBR1)                                                                                \
    R(par, PAR)                                                                                    \
    R(sctlr, SCTLR)                                                                                \
    R(cpacr, CPACR)                                                                                \
    R(dacr, DACR)                                                                                  \
    R(dfsr, DFSR)                                                                                  \
    R(ifsr, IFSR)                                                                                  \
    R(adfsr, ADFSR)                                                                                \
    R(aifsr, AIFSR)                                                                                \
    R(dfar, DFAR)                                                                                  \
    R(ifar, IFAR)                                                                                  \
    R(mair0, MAIR0)                                                                                \
    R(mair1, MAIR1)                                                                                \
    R(amair0, AMAIR0)                                                                              \
    R(amair1, AMAIR1)                                                                              \
    R(vbar, VBAR)                                                                                  \
    R(contextidr, CONTEXTIDR)                                                                      \
    R(csselr, CSSELR)                                                                              \
    R(tpidrurw, TPIDRURW)                                                                          \
    R(tpidruro, TPIDRURO)                                                                          \
    R(tpidrprw, TPIDRPRW)                                                                          \
    R(cntkctl, CNTKCTL)

#define THUMBEE_REGISTERS(R)                                                                       \
    R(teecr, TEECR)                                                                                \
    R(teehbr, TEEHBR)

#define BANKED_REGISTERS(R)                                                                        \
    R(sp, usr)                                                                                     \
    R(sp, svc)                                                                                     \
    R(lr, svc)                                                                                     \
    R(spsr, svc)                                                                                   \
    R(sp, abt)                                                                                     \
    R(lr, abt)                                                                                     \
    R(spsr, abt)                                                                                   \
    R(sp, und)                                                                                     \
    R(lr, und)                                                                                     \
    R(spsr, und)                                                                                   \
    R(sp, irq)                                                                                     \
    R(lr, irq)                                                                                     \
    R(spsr, irq)                                                                                   \
    R(r8, fiq)                                                                                     \
    R(r9, fiq)                                                                                     \
    R(r10, fiq)                                                                                    \
    R(r11, fiq)                                                                                    \
    R(r12, fiq)                                                                                    \
    R(sp, fiq)                                                                                     \
    R(lr, fiq)                                                                                     \
    R(spsr, fiq)

#define SAVE(field, ...)       r->field = SYSREG_READ_(__VA_ARGS__);
#define LOAD(field, ...)       SYSREG_WRITE_(r->field, __VA_ARGS__);
#define SAVE_BANKED(reg, mode) b->reg##_##mode = sysreg_read(BANKED_REG(reg##_##mode));
#define LOAD_BANKED(reg, mode) sysreg_write(BANKED_REG(reg##_##mode), b->reg##_##mode);

static void save_regs(struct arm_vcpu *v)
{
    struct cp15_regs *r = &v->cp15;
    struct banked_regs *b = &v->banked;

    CP15_REGISTERS(SAVE)
    if (cpu.thumbee) {
        THUMBEE_REGISTERS(SAVE)
    }
    BANKED_REGISTERS(SAVE_BANKED)
}

static void load_regs(const struct arm_vcpu *v)
{
    const struct cp15_regs *r = &v->cp15;
    const struct banked_regs *b = &v->banked;

    CP15_REGISTERS(LOAD)
    if (cpu.thumbee) {
        THUMBEE_REGISTERS(LOAD)
    }
    BANKED_REGISTERS(LOAD_BANKED)
}

static void load_vtimer(const struct arm_vcpu *v)
{
    u64 offset = v->vcpu.vm->counter_offset;

    sysreg_write(CNTVOFF, offset);
    sysreg_write(CNTHCTL, CNTHCTL_EVNTEN | CNTHCTL_EVNTI | (offset == 0 ? CNTHCTL_PL1PCTEN : 0));
    irqs_vtimer_load(&v->irqs);
}

static void unload(struct arm_vcpu *v)
{
    gic_guest_save(&v->vcpu.irq, &v->irqs.cpuif);
    irqs_vtimer_save(&v->irqs);
    save_regs(v);
    if (cpu.vfp) {
        vfp_save(&v->vfp, cpu.d32);
    }
    abort_leave(v);
}

static void load(struct arm_vcpu *v)
{
    u32 alone = v->vcpu.vm->nvcpus == 1 ? BIT(30) : 0;

    v->frame.stack = (u32)cpu_stack(v->vcpu.pcpu);
    sysreg_write(HCR, v->hcr);
    sysreg_write(VTTBR, stage2_vttbr(v->vcpu.vm));
    sysreg_write(VMPIDR, (u32)v->vcpu.mpidr | BIT(31) | alone);
    isb(); /* the regime before registers that depend on it */
    stage2_vcpu_loaded(&v->vcpu);
    load_regs(v);
    if (cpu.vfp) {
        vfp_load(&v->vfp, cpu.d32);
    }
    load_vtimer(v);
    gic_guest_load(&v->vcpu.irq, &v->irqs.cpuif);
}

u64 arch_vcpu_switch(struct pcpu *p, struct vcpu *next)
{
    u64 wakeup_ns = TIMER_OFF;

    if (p->current != NULL) {
        unload(to_arm(p->current));
        wakeup_ns = irqs_vtimer_ns(p->current);
    }
    atomic_store(&p->current, next);
    if (next != NULL) {
        load(to_arm(next));
    }
    return wakeup_ns;
}

void arch_vcpu_run(struct vcpu *v)
{
    guest_enter(&to_arm(v)->frame);
}

struct irqs_vcpu *irqs_of(struct vcpu *v)
{
    return &to_arm(v)->irqs;
}

/* To where AArch64 has them; those of User mode that aren't banked are in the frame. */
static void fill_banked(const struct arm_vcpu *v, u64 *x)
{
    const struct banked_regs *b = &v->banked;
    const u32 from[] = {b->sp_usr, v->frame.lr, 0,          b->lr_irq,  b->sp_irq, b->lr_svc,
                        b->sp_svc, b->lr_abt,   b->sp_abt,  b->lr_und,  b->sp_und, b->r8_fiq,
                        b->r9_fiq, b->r10_fiq,  b->r11_fiq, b->r12_fiq, b->sp_fiq, b->lr_fiq};

    for (u32 i = 0; i < ARRAY_SIZE(from); i++) {
        x[13 + i] = from[i];
    }
}

void arch_vcpu_regs(struct vcpu *c, struct vcpu_regs *r)
{
    const struct arm_vcpu *v = to_arm(c);

    *r = (struct vcpu_regs){
        .pc = v->frame.pc,
        .pstate = v->frame.cpsr,
        .spsr = v->banked.spsr_svc,
        .esr = v->cp15.dfsr,
        .far = v->cp15.dfar,
        .sctlr = v->cp15.sctlr,
        .tcr = v->cp15.ttbcr,
        .ttbr0 = v->cp15.ttbr0,
        .ttbr1 = v->cp15.ttbr1,
        .fpsr = v->vfp.fpscr,
        .exits = c->exits,
    };
    for (u32 i = 0; i < ARRAY_SIZE(v->frame.r); i++) {
        r->x[i] = v->frame.r[i];
    }
    fill_banked(v, r->x);
    memcpy(r->v, v->vfp.d, sizeof(v->vfp.d));
    for (u32 i = 0; i < REGS_EXITS; i++) {
        r->syndrome[i] = v->exit_hsr[((u32)c->exits - 1 - i) % EXIT_TRACE];
    }
}
