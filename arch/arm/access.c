/* SPDX-License-Identifier: MIT */
/*
 * Stage-2 data aborts (DDI 0406 B3.13.6): carried out from what the syndrome says of the access. An
 * instruction that it doesn't describe (several registers, write-back) is fetched and decoded.
 */
#include "arch/arm-common/aarch32.h"
#include "arch/arm-common/access32.h"
#include "arch/arm/arm.h"
#include "core/mmio.h"
#include "core/vm.h"
#include "sysreg.h"

#define HSR_IL          BIT(25)
#define ISS_ISV         BIT(24)
#define ISS_SAS         (3u << 22) /* the size's logarithm; 3: not for 32 bits */
#define ISS_SSE         BIT(21)
#define ISS_CM          BIT(8)
#define ISS_S1PTW       BIT(7)
#define ISS_WNR         BIT(6)
#define FSC_MASK        0x3cu
#define FSC_TRANSLATION 0x04u
#define FSC_PERMISSION  0x0cu
#define FSC_ASYNC       0x11u /* an asynchronous external abort, as a whole */
#define CPSR_J          BIT(24)
#define PAR_F           1u
#define PAR_LPAE        BIT(11)
#define PAR_PA_MASK     0xfffffff000ull

static inline void skip(struct arm_vcpu *v, u32 length)
{
    v->frame.pc += length;
    if (unlikely((v->frame.cpsr & SPSR32_IT) != 0)) {
        v->frame.cpsr = aarch32_it_advance(v->frame.cpsr);
    }
}

void access_skip(struct arm_vcpu *v, u32 hsr)
{
    skip(v, (hsr & HSR_IL) != 0 ? 4 : 2);
}

/* IPA of va by the guest's own stage 1; false if that has no mapping for it. */
static bool translate(u64 va, bool user, u64 *ipa)
{
    u64 saved = sysreg_read(PAR), par;

    if (user) {
        sysreg_write(ATS1CUR, (u32)va);
    } else {
        sysreg_write(ATS1CPR, (u32)va);
    }
    isb(); /* PAR is written by the operation only with a context synchronization */
    par = sysreg_read(PAR);
    sysreg_write(PAR, saved);
    /* from Hyp mode, with stage 2 on, the format is the long one */
    if ((par & (PAR_F | PAR_LPAE)) != PAR_LPAE) {
        return false;
    }
    *ipa = (par & PAR_PA_MASK) | (va & 0xfff);
    return true;
}

static inline u32 swapped(u32 value, u32 size)
{
    return __builtin_bswap32(value) >> (32 - 8 * size);
}

static u32 extend(u32 value, u32 size)
{
    u32 shift = 32 - 8 * size;

    return (u32)((s32)(value << shift) >> shift);
}

static bool is_user(const struct arm_vcpu *v)
{
    return (v->frame.cpsr & SPSR32_MODE) == MODE_USR;
}

static inline bool big_endian(const struct arm_vcpu *v)
{
    return (v->frame.cpsr & SPSR32_E) != 0;
}

/* What a guest gets instead of the access: an exception, unless its VM has been told to end, or
 * the rest is for later. */
static RARE void refuse(struct arm_vcpu *v, u32 hsr, enum mmio_result result)
{
    if (result == MMIO_ABORT) {
        inject_abort(v, false, (hsr & ISS_WNR) != 0, sysreg_read(HDFAR));
    }
}

/* The same of v->op, which is about an abort of before, perhaps. */
static void refuse_op(struct arm_vcpu *v, enum mmio_result result)
{
    if (result == MMIO_ABORT) {
        inject_abort(v, false, v->op.abort.write, (u32)v->op.abort.va);
    }
}

/* `swap` is known where it's inlined: there's no time to ask on the most frequent way. */
static inline __attribute__((always_inline)) void with_syndrome(struct arm_vcpu *v, u32 hsr,
                                                                u64 ipa, bool swap)
{
    u32 rt = hsr >> 16 & 15, size = 1u << (hsr >> 22 & 3);
    struct mmio m = {.addr = ipa, .size = (u8)size, .write = (hsr & ISS_WNR) != 0};
    enum mmio_result result;
    u32 value;

    if (m.write) {
        value = regs_read(v, rt);
        m.value = swap ? swapped(value, size) : value;
    }
    result = mmio_access(&v->vcpu, &m);
    if (unlikely(result != MMIO_DONE)) {
        refuse(v, hsr, result);
        return;
    }
    if (!m.write) {
        value = swap ? swapped((u32)m.value, size) : (u32)m.value;
        regs_write(v, rt, unlikely((hsr & ISS_SSE) != 0) ? extend(value, size) : value);
    }
    access_skip(v, hsr);
}

static bool wanted(struct vcpu *v)
{
    irqs_poll(v->pcpu);
    return trap_wanted(to_arm(v));
}

/* Begins with v->op, or goes on with it. In ARM and Thumb state; of the others (CPSR.J) no device
 * is driven. */
static RARE void without_syndrome(struct arm_vcpu *v, bool begin)
{
    struct access32 a = {
        .vcpu = &v->vcpu,
        .op = &v->op,
        .pc = v->frame.pc,
        .spsr = v->frame.cpsr,
        .translate = translate,
        .wanted = wanted,
    };
    enum mmio_result result = MMIO_ABORT;

    for (u32 n = 0; n < LDST_REGISTERS; n++) {
        a.r[n] = regs_read(v, n);
    }
    if (!begin) {
        result = access32_go_on(&a);
    } else if ((v->frame.cpsr & CPSR_J) == 0) {
        result = access32_run(&a);
    }
    if (result != MMIO_DONE) {
        refuse_op(v, result);
        return;
    }
    for (u32 n = 0; n < LDST_REGISTERS; n++) {
        regs_write(v, n, (u32)a.r[n]);
    }
    skip(v, v->op.length);
}

void access_go_on(struct arm_vcpu *v)
{
    without_syndrome(v, false);
}

/* All but a little-endian access with a syndrome to an address that isn't mapped. */
static RARE void unusual(struct arm_vcpu *v, u32 hsr, u64 ipa)
{
    u32 va = sysreg_read(HDFAR), status = hsr & FSC_MASK;

    if ((hsr & 0x3f) == FSC_ASYNC) {
        abort_blame(v, hsr);
        return;
    }
    /* HPFAR is not valid for a permission fault: a write to ROM. */
    if ((hsr & ISS_S1PTW) != 0 ||
        (status != FSC_TRANSLATION &&
         !(status == FSC_PERMISSION && translate(va, is_user(v), &ipa)))) {
        inject_abort(v, false, (hsr & ISS_WNR) != 0, va);
    } else if ((hsr & ISS_CM) != 0) {
        access_skip(v, hsr); /* cache maintenance of what isn't memory */
    } else if ((hsr & ISS_ISV) != 0 && (hsr & ISS_SAS) != ISS_SAS) {
        with_syndrome(v, hsr, ipa, big_endian(v));
    } else {
        v->op.abort = (struct ldst_abort){va, ipa, (hsr & ISS_WNR) != 0};
        without_syndrome(v, true);
    }
}

struct frame *access_data_abort(struct arm_vcpu *v, u32 hsr)
{
    u64 ipa = (u64)(sysreg_read(HPFAR) & ~0xfu) << 8 | (sysreg_read(HDFAR) & 0xfff);

    if (likely((hsr & (ISS_ISV | ISS_CM | ISS_S1PTW | FSC_MASK)) == (ISS_ISV | FSC_TRANSLATION)) &&
        likely((hsr & ISS_SAS) != ISS_SAS && !big_endian(v))) {
        with_syndrome(v, hsr, ipa, false);
    } else {
        unusual(v, hsr, ipa);
    }
    return trap_return(v);
}
