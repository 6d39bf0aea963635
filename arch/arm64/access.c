/* SPDX-License-Identifier: MIT */
/*
 * Stage-2 data aborts. Where the syndrome describes the access (ISV = 1) it's carried out from that
 * alone; where it doesn't (pairs, write-back, SIMD) the instruction is fetched and decoded. The
 * guest may change the instruction meanwhile: then it gets what it wrote, bounded like any other
 * access.
 */
#include "arch/arm64/access.h"

#include "arch/arm-common/access32.h"
#include "arch/arm64/decode.h"
#include "core/log.h"
#include "core/mmio.h"
#include "core/vm.h"
#include "sysreg.h"

#define ISS_ISV         BIT(24)
#define ISS_SSE         BIT(21)
#define ISS_SF          BIT(15)
#define ISS_FNV         BIT(10)
#define ISS_CM          BIT(8)
#define ISS_S1PTW       BIT(7)
#define ISS_WNR         BIT(6)
#define FSC_MASK        0x3cu
#define FSC_TRANSLATION 0x04u
#define FSC_PERMISSION  0x0cu
#define HPFAR_FIPA      0xfffffffff0ull
#define SCTLR_E0E       BIT(24)
#define SCTLR_EE        BIT(25)
#define PAR_F           1u
#define PAR_PA_MASK     0xfffffffff000ull

NOINLINE void access_next_insn(struct arm64_vcpu *v)
{
    u64 spsr = v->frame.spsr & ~(u64)SPSR_SS;

    if ((spsr & SPSR_32) != 0) {
        spsr = aarch32_it_advance((u32)spsr);
    } else {
        spsr &= ~(u64)SPSR_BTYPE;
    }
    v->frame.spsr = spsr;
}

/* IPA of va by the guest's own stage 1; false if that has no mapping for it. */
static bool translate(u64 va, bool el0, u64 *ipa)
{
    u64 saved = sysreg_read(par_el1), par;

    if (el0) {
        __asm__ volatile("at s1e0r, %0" : : "r"(va));
    } else {
        __asm__ volatile("at s1e1r, %0" : : "r"(va));
    }
    isb(); /* PAR_EL1 is written by the AT only with a context synchronization (D8.12.7) */
    par = sysreg_read(par_el1);
    sysreg_write(par_el1, saved);
    if ((par & PAR_F) != 0) {
        return false;
    }
    *ipa = (par & PAR_PA_MASK) | (va & 0xfff);
    return true;
}

/*
 * Is v's data big-endian now? A syndrome is about the register (Arm ARM D19.2.40), a device has
 * little-endian ones: between the two it's swapped here.
 */
static bool big_endian(const struct arm64_vcpu *v)
{
    u64 spsr = v->frame.spsr;

    if (unlikely((spsr & SPSR_32) != 0)) {
        return (spsr & SPSR32_E) != 0;
    }
    return (sysreg_read(sctlr_el1) & ((spsr & 0xf) == 0 ? SCTLR_E0E : SCTLR_EE)) != 0;
}

/* False, most often: it's not big-endian, nor could it be at once. */
static inline bool may_be_big_endian(const struct arm64_vcpu *v)
{
    u32 switches = (u32)sysreg_read(sctlr_el1) & (SCTLR_E0E | SCTLR_EE);

    return (switches | ((u32)v->frame.spsr & SPSR_32)) != 0;
}

/* A sign-extending load; the value of any other is zero-extended already. */
static u64 extend(u64 value, u32 size, bool is64)
{
    u32 shift = 64 - 8 * size;

    value = (u64)((s64)(value << shift) >> shift);
    return is64 ? value : (u32)value;
}

/* What a guest gets instead of the access: an exception, unless its VM has been told to end, or
 * the rest is for later. */
static RARE void refuse(struct arm64_vcpu *v, u32 esr, enum mmio_result result)
{
    if (result == MMIO_ABORT) {
        inject_abort(v, false, (esr & ISS_WNR) != 0, sysreg_read(far_el2));
    }
}

/* The same of v->op, which is about an abort of before, perhaps. */
static void refuse_op(struct arm64_vcpu *v, enum mmio_result result)
{
    if (result == MMIO_ABORT) {
        inject_abort(v, false, v->op.abort.write, v->op.abort.va);
    }
}

static u64 reg_read(const struct arm64_vcpu *v, u32 n)
{
    return n == 31 ? 0 : v->frame.x[n];
}

static void reg_write(struct arm64_vcpu *v, u32 n, u64 value)
{
    if (n != 31) {
        v->frame.x[n] = value;
    }
}

/* `swap` is known where it's inlined: there's no time to ask on the most frequent way. */
static inline __attribute__((always_inline)) void with_syndrome(struct arm64_vcpu *v, u32 esr,
                                                                u64 ipa, bool swap)
{
    u32 rt = esr >> 16 & 31;
    struct mmio m;
    enum mmio_result result;

    m.addr = ipa;
    m.size = (u8)(1u << (esr >> 22 & 3));
    m.write = (esr & ISS_WNR) != 0;
    m.value = m.write ? reg_read(v, rt) : 0;
    if (swap) {
        m.value = ldst_swap(m.value, m.size);
    }
    result = mmio_access(&v->vcpu, &m);
    if (unlikely(result != MMIO_DONE)) {
        refuse(v, esr, result);
        return;
    }
    if (!m.write) {
        if (swap) {
            m.value = ldst_swap(m.value, m.size);
        }
        if (unlikely((esr & ISS_SSE) != 0)) {
            m.value = extend(m.value, m.size, (esr & ISS_SF) != 0);
        }
        reg_write(v, rt, m.value);
    }
    access_skip(v, access_insn_len(esr));
}

static bool fetch(struct arm64_vcpu *v, u32 *insn)
{
    bool el0 = (v->frame.spsr & 0xf) == 0;
    const guest_t *p;
    u64 ipa;

    if (!translate(v->frame.elr, el0, &ipa)) {
        return false;
    }
    p = gmem_span(&v->vcpu.vm->mem, gpa(ipa), 4, false);
    if (p == NULL || (ipa & 3) != 0) {
        return false;
    }
    *insn = gmem_load32(p);
    return true;
}

static bool wanted(struct vcpu *v)
{
    irqs_poll(v->pcpu);
    return trap_wanted(to_arm64(v));
}

/* Registers are AArch64's: banked ones are elsewhere, and only their low halves are the guest's. */
static RARE void without_syndrome32(struct arm64_vcpu *v, bool begin)
{
    u32 spsr = (u32)v->frame.spsr;
    struct access32 a = {
        .vcpu = &v->vcpu,
        .op = &v->op,
        .pc = (u32)v->frame.elr,
        .spsr = spsr,
        .translate = translate,
        .wanted = wanted,
    };
    enum mmio_result result;

    for (u32 n = 0; n < LDST_REGISTERS; n++) {
        a.r[n] = (u32)v->frame.x[aarch32_register(n, spsr)];
    }
    result = begin ? access32_run(&a) : access32_go_on(&a);
    if (result != MMIO_DONE) {
        refuse_op(v, result);
        return;
    }
    for (u32 n = 0; n < LDST_REGISTERS; n++) {
        v->frame.x[aarch32_register(n, spsr)] = a.r[n];
    }
    access_skip(v, v->op.length);
}

/* The instruction that v->op.abort is about. */
static bool understood(struct arm64_vcpu *v, const struct ldst_cpu *regs)
{
    struct ldst_op *op = &v->op;
    u32 insn;

    op->next = 0;
    return fetch(v, &insn) && decode_ldst(insn, &op->d) && ldst_is_cause(&op->d, regs, &op->abort);
}

static RARE void without_syndrome64(struct arm64_vcpu *v, bool begin)
{
    bool sp_el1 = (v->frame.spsr & 1) != 0;
    u64 sp = sp_el1 ? sysreg_read(sp_el1) : sysreg_read(sp_el0);
    struct ldst_cpu regs = {v->frame.x, &sp, vcpu_get_q, vcpu_set_q, big_endian(v)};
    enum mmio_result result = MMIO_ABORT;

    if (!begin || understood(v, &regs)) {
        result = ldst_emulate(&v->op, &regs, &v->vcpu, wanted);
    }
    if (result != MMIO_DONE) {
        refuse_op(v, result);
        return;
    }
    if (sp_el1) {
        sysreg_write(sp_el1, sp);
    } else {
        sysreg_write(sp_el0, sp);
    }
    access_skip(v, 4);
}

/* Begins with v->op, or goes on with it. */
static RARE void without_syndrome(struct arm64_vcpu *v, bool begin)
{
    if (access_is_aarch32(v)) {
        without_syndrome32(v, begin);
    } else {
        without_syndrome64(v, begin);
    }
}

void access_go_on(struct arm64_vcpu *v)
{
    without_syndrome(v, false);
}

/* HPFAR_EL2 is not valid for a permission fault (Arm ARM D19.2.73): a write to ROM. */
static RARE bool find_rom(const struct arm64_vcpu *v, u32 esr, u64 *ipa)
{
    return (esr & FSC_MASK) == FSC_PERMISSION &&
           translate(sysreg_read(far_el2), (v->frame.spsr & 0xf) == 0, ipa);
}

/* All but a little-endian access with a syndrome to an address that isn't mapped. */
static RARE void unusual(struct arm64_vcpu *v, u32 esr, u64 ipa)
{
    if ((esr & (ISS_S1PTW | ISS_FNV)) != 0 ||
        ((esr & FSC_MASK) != FSC_TRANSLATION && !find_rom(v, esr, &ipa))) {
        inject_abort(v, false, (esr & ISS_WNR) != 0, sysreg_read(far_el2));
    } else if ((esr & ISS_CM) != 0) {
        access_skip(v, 4); /* cache maintenance of what isn't memory */
    } else if ((esr & ISS_ISV) != 0) {
        if (access_is_aarch32(v)) {
            u32 rt = aarch32_register(esr >> 16 & 31, (u32)v->frame.spsr);

            esr = (esr & ~(31u << 16)) | rt << 16;
        }
        with_syndrome(v, esr, ipa, big_endian(v));
    } else {
        v->op.abort = (struct ldst_abort){sysreg_read(far_el2), ipa, (esr & ISS_WNR) != 0};
        without_syndrome(v, true);
    }
}

NOINLINE struct frame *access_data_abort(struct arm64_vcpu *v, u32 esr)
{
    u64 ipa = (sysreg_read(hpfar_el2) & HPFAR_FIPA) << 8 | (sysreg_read(far_el2) & 0xfff);

    if (likely((esr & (ISS_ISV | ISS_FNV | ISS_CM | ISS_S1PTW | FSC_MASK)) ==
               (ISS_ISV | FSC_TRANSLATION)) &&
        likely(!may_be_big_endian(v))) {
        with_syndrome(v, esr, ipa, false);
    } else {
        unusual(v, esr, ipa);
    }
    return trap_return(v);
}
