/* SPDX-License-Identifier: MIT */
/*
 * Registers, barriers, TLB and cache maintenance of an AArch32 CPU in Hyp mode: what
 * arch/arm64/sysreg.h is for AArch64, found as `#include "sysreg.h"` through the second include
 * path. References are to the Arm ARM for ARMv7-A (DDI 0406C) and, for what came later, to that for
 * A-profile (DDI 0487, part G).
 *
 * sysreg_read(REG) and sysreg_write(REG, value) take the names below. A register is its kind and
 * its place: CP32 opc1, CRn, CRm, opc2; CP64 opc1, CRm; LR, an ICH_LR with its ICH_LRC;
 * BANKED_REG(name), as MRS names it; CP14, as CP32 in the other coprocessor. Neither orders
 * anything: a write takes effect for certain behind the next isb() or exception return (DDI 0406
 * A3.8.3, context synchronization).
 */
#ifndef ARCH_ARM_SYSREG_H
#define ARCH_ARM_SYSREG_H

#include "arch/arm-common/barrier.h"
#include "core/types.h"

/* --- registers: those that both architectures have, by the same names --- */

/* CPU and generic timer */
#define MPIDR      CP32, 0, c0, c0, 5
#define ISR        CP32, 0, c12, c1, 0
#define CNTFRQ     CP32, 0, c14, c0, 0
#define CNTPCT     CP64, 0, c14
#define CNTV_CTL   CP32, 0, c14, c3, 1
#define CNTV_CVAL  CP64, 3, c14
#define CNTHP_CTL  CP32, 4, c14, c2, 1
#define CNTHP_CVAL CP64, 6, c14
#define VTTBR      CP64, 6, c2

/* GICv3 CPU interface (IHI 0069 §12.5) */
#define ICC_PMR       CP32, 0, c4, c6, 0
#define ICC_IAR1      CP32, 0, c12, c12, 0
#define ICC_EOIR1     CP32, 0, c12, c12, 1
#define ICC_BPR1      CP32, 0, c12, c12, 3
#define ICC_CTLR      CP32, 0, c12, c12, 4
#define ICC_SRE_GUEST CP32, 0, c12, c12, 5 /* ICC_SRE */
#define ICC_IGRPEN1   CP32, 0, c12, c12, 7
#define ICC_AP1R0     CP32, 0, c12, c9, 0
#define ICC_AP1R1     CP32, 0, c12, c9, 1
#define ICC_AP1R2     CP32, 0, c12, c9, 2
#define ICC_AP1R3     CP32, 0, c12, c9, 3
#define ICC_DIR       CP32, 0, c12, c11, 1
#define ICC_SGI1R     CP64, 0, c12
#define ICC_HSRE      CP32, 4, c12, c9, 5

/* GICv3 virtual interface (IHI 0069 §12.7) */
#define ICH_HCR   CP32, 4, c12, c11, 0
#define ICH_VTR   CP32, 4, c12, c11, 1
#define ICH_VMCR  CP32, 4, c12, c11, 7
#define ICH_AP0R0 CP32, 4, c12, c8, 0
#define ICH_AP0R1 CP32, 4, c12, c8, 1
#define ICH_AP0R2 CP32, 4, c12, c8, 2
#define ICH_AP0R3 CP32, 4, c12, c8, 3
#define ICH_AP1R0 CP32, 4, c12, c9, 0
#define ICH_AP1R1 CP32, 4, c12, c9, 1
#define ICH_AP1R2 CP32, 4, c12, c9, 2
#define ICH_AP1R3 CP32, 4, c12, c9, 3
#define ICH_LR0   LR, c12, c14, 0
#define ICH_LR1   LR, c12, c14, 1
#define ICH_LR2   LR, c12, c14, 2
#define ICH_LR3   LR, c12, c14, 3
#define ICH_LR4   LR, c12, c14, 4
#define ICH_LR5   LR, c12, c14, 5
#define ICH_LR6   LR, c12, c14, 6
#define ICH_LR7   LR, c12, c14, 7
#define ICH_LR8   LR, c13, c15, 0
#define ICH_LR9   LR, c13, c15, 1
#define ICH_LR10  LR, c13, c15, 2
#define ICH_LR11  LR, c13, c15, 3
#define ICH_LR12  LR, c13, c15, 4
#define ICH_LR13  LR, c13, c15, 5
#define ICH_LR14  LR, c13, c15, 6
#define ICH_LR15  LR, c13, c15, 7

/* --- registers of AArch32 alone: Hyp mode --- */

#define VPIDR   CP32, 4, c0, c0, 0
#define VMPIDR  CP32, 4, c0, c0, 5
#define HSCTLR  CP32, 4, c1, c0, 0
#define HCR     CP32, 4, c1, c1, 0
#define HDCR    CP32, 4, c1, c1, 1
#define HCPTR   CP32, 4, c1, c1, 2
#define HSTR    CP32, 4, c1, c1, 3
#define HTCR    CP32, 4, c2, c0, 2
#define HTTBR   CP64, 4, c2
#define VTCR    CP32, 4, c2, c1, 2
#define HSR     CP32, 4, c5, c2, 0
#define HDFAR   CP32, 4, c6, c0, 0
#define HIFAR   CP32, 4, c6, c0, 2
#define HPFAR   CP32, 4, c6, c0, 4
#define HMAIR0  CP32, 4, c10, c2, 0
#define HTPIDR  CP32, 4, c13, c0, 2
#define CNTHCTL CP32, 4, c14, c1, 0
#define CNTVOFF CP64, 4, c14

/* Operations that are written like registers */
#define ICIALLUIS     CP32, 0, c7, c1, 0
#define BPIALLIS      CP32, 0, c7, c1, 6
#define DCCIMVAC      CP32, 0, c7, c14, 1
#define TLBIALL       CP32, 0, c8, c7, 0
#define TLBIALLNSNHIS CP32, 4, c8, c3, 4
#define TLBIALLNSNH   CP32, 4, c8, c7, 4

/* What identifies the CPU and its features */
#define MIDR CP32, 0, c0, c0, 0
#define CTR  CP32, 0, c0, c0, 1
#define PMCR CP32, 0, c9, c12, 0

/* A guest's PL1 and PL0 */
#define CSSELR     CP32, 2, c0, c0, 0
#define SCTLR      CP32, 0, c1, c0, 0
#define CPACR      CP32, 0, c1, c0, 2
#define TTBR0      CP64, 0, c2
#define TTBR1      CP64, 1, c2
#define TTBCR      CP32, 0, c2, c0, 2
#define DACR       CP32, 0, c3, c0, 0
#define DFSR       CP32, 0, c5, c0, 0
#define IFSR       CP32, 0, c5, c0, 1
#define ADFSR      CP32, 0, c5, c1, 0
#define AIFSR      CP32, 0, c5, c1, 1
#define DFAR       CP32, 0, c6, c0, 0
#define IFAR       CP32, 0, c6, c0, 2
#define PAR        CP64, 0, c7
#define ATS1CPR    CP32, 0, c7, c8, 0
#define ATS1CUR    CP32, 0, c7, c8, 2
#define MAIR0      CP32, 0, c10, c2, 0 /* or PRRR */
#define MAIR1      CP32, 0, c10, c2, 1 /* or NMRR */
#define AMAIR0     CP32, 0, c10, c3, 0
#define AMAIR1     CP32, 0, c10, c3, 1
#define VBAR       CP32, 0, c12, c0, 0
#define CONTEXTIDR CP32, 0, c13, c0, 1
#define TPIDRURW   CP32, 0, c13, c0, 2
#define TPIDRURO   CP32, 0, c13, c0, 3
#define TPIDRPRW   CP32, 0, c13, c0, 4
#define CNTKCTL    CP32, 0, c14, c1, 0
#define TEECR      CP14, 6, c0, c0, 0
#define TEEHBR     CP14, 6, c1, c0, 0

/* --- reading and writing them --- */

#define CP32_READ_(opc1, crn, crm, opc2)                                                           \
    ({                                                                                             \
        u32 sysreg_value_;                                                                         \
        __asm__ volatile("mrc p15, " #opc1 ", %0, " #crn ", " #crm ", " #opc2                      \
                         : "=r"(sysreg_value_));                                                   \
        sysreg_value_;                                                                             \
    })

#define CP32_WRITE_(value, opc1, crn, crm, opc2)                                                   \
    __asm__ volatile("mcr p15, " #opc1 ", %0, " #crn ", " #crm ", " #opc2 : : "r"((u32)(value)))

#define CP14_READ_(opc1, crn, crm, opc2)                                                           \
    ({                                                                                             \
        u32 sysreg_value_;                                                                         \
        __asm__ volatile("mrc p14, " #opc1 ", %0, " #crn ", " #crm ", " #opc2                      \
                         : "=r"(sysreg_value_));                                                   \
        sysreg_value_;                                                                             \
    })

#define CP14_WRITE_(value, opc1, crn, crm, opc2)                                                   \
    __asm__ volatile("mcr p14, " #opc1 ", %0, " #crn ", " #crm ", " #opc2 : : "r"((u32)(value)))

#define CP64_READ_(opc1, crm)                                                                      \
    ({                                                                                             \
        u64 sysreg_value_;                                                                         \
        __asm__ volatile("mrrc p15, " #opc1 ", %Q0, %R0, " #crm : "=r"(sysreg_value_));            \
        sysreg_value_;                                                                             \
    })

#define CP64_WRITE_(value, opc1, crm)                                                              \
    __asm__ volatile("mcrr p15, " #opc1 ", %Q0, %R0, " #crm : : "r"((u64)(value)))

/* The low word is the register that is called ICH_LR here, the high one ICH_LRC. */
#define LR_READ_(low, high, opc2)                                                                  \
    (CP32_READ_(4, c12, low, opc2) | (u64)CP32_READ_(4, c12, high, opc2) << 32)

#define LR_WRITE_(value, low, high, opc2)                                                          \
    do {                                                                                           \
        u64 sysreg_lr_ = (value);                                                                  \
        CP32_WRITE_(sysreg_lr_ >> 32, 4, c12, high, opc2);                                         \
        CP32_WRITE_(sysreg_lr_, 4, c12, low, opc2);                                                \
    } while (0)

#define BANKED_READ_(name)                                                                         \
    ({                                                                                             \
        u32 sysreg_value_;                                                                         \
        __asm__ volatile(".arch_extension virt\n\tmrs %0, " #name : "=r"(sysreg_value_));          \
        sysreg_value_;                                                                             \
    })

/* A register that a mode has for itself: sp_irq, lr_usr, spsr_abt. */
#define BANKED_REG(name) BANKED, name

#define BANKED_WRITE_(value, name)                                                                 \
    __asm__ volatile(".arch_extension virt\n\tmsr " #name ", %0" : : "r"((u32)(value)))

#define SYSREG_READ_(kind, ...)         kind##_READ_(__VA_ARGS__)
#define SYSREG_WRITE_(value, kind, ...) kind##_WRITE_(value, __VA_ARGS__)

#define sysreg_read(...)         SYSREG_READ_(__VA_ARGS__)
#define sysreg_write(reg, value) SYSREG_WRITE_(value, reg)

/*
 * --- TLB maintenance (DDI 0406 B4.2.2): the caller has a DSB before and a DSB and an ISB behind it
 * ---
 */

/*
 * Stage 1 and 2 of the VMID in VTTBR, on all CPUs. ARMv7 has no operation for one VMID that is
 * certain to take what stage 2 alone left: TLBIALLNSNHIS takes all VMIDs.
 */
static inline void tlbi_vmid_is(void)
{
    sysreg_write(TLBIALLNSNHIS, 0);
}

/* Stage 1 and 2 of all VMIDs, on this CPU. */
static inline void tlbi_guests(void)
{
    sysreg_write(TLBIALLNSNH, 0);
}

/* Stage 1 of the VMID in VTTBR, on this CPU: TLBIALL as it works in Hyp mode. */
static inline void tlbi_vmid_stage1(void)
{
    sysreg_write(TLBIALL, 0);
}

/* --- caches --- */

/* Bytes of the smallest data cache line of all caches (CTR.DminLine). */
static inline u32 cache_line(void)
{
    return 4u << ((sysreg_read(CTR) >> 16) & 0xf);
}

/* The line that holds p, to the point of coherency. DSB behind it. */
static inline void dc_clean_invalidate(const void *p)
{
    sysreg_write(DCCIMVAC, (uintptr_t)p);
}

/* All instruction caches and branch predictors of all CPUs. DSB before and behind it, then ISB. */
static inline void ic_invalidate_is(void)
{
    sysreg_write(ICIALLUIS, 0);
    sysreg_write(BPIALLIS, 0);
}

/* --- what differs between the two architectures --- */

/* Affinity fields of MPIDR: the rest are flags. */
#define MPIDR_AFFINITY 0xffffffull

static inline u64 cpu_affinity(void)
{
    return sysreg_read(MPIDR) & MPIDR_AFFINITY;
}

/* The field of an ID register at `shift`. */
static inline u32 id_field(u64 reg, u32 shift)
{
    return (u32)(reg >> shift) & 0xf;
}

/* Bits of a physical address: with LPAE always 40. */
static inline u32 cpu_pa_bits(void)
{
    return 40;
}

/* True if stage 2 can force memory to be cacheable: only AArch64 has that. */
static inline bool cpu_has_s2fwb(void)
{
    return false;
}

/* True if it has the system registers of a GICv3 CPU interface: ID_PFR1.GIC. */
static inline bool cpu_has_gicv3(void)
{
    return id_field(CP32_READ_(0, c0, c1, 1), 28) != 0;
}

/*
 * VTCR for inner shareable write-back walks and an input address of `ipa_bits` (at most 40) whose
 * walk starts at `level` (DDI 0406 B4.1.159): T0SZ is signed, S repeats its sign; SL0 counts the
 * other way.
 */
static inline u64 cpu_vtcr(u32 ipa_bits, u32 level)
{
    u32 t0sz = (32u - ipa_bits) & 0xf;

    return BIT(31) | 3u << 12 | 1u << 10 | 1u << 8 | (2u - level) << 6 | (t0sz & 8u) << 1 | t0sz;
}

/* A random number from the CPU: it has none. */
static inline bool cpu_random(u64 *out)
{
    (void)out;
    return false;
}

/* Spins gently: another CPU or an interrupt is about to change something. */
static inline void cpu_relax(void)
{
    __asm__ volatile("yield" : : : "memory");
}

/*
 * Calls the firmware: x[0] is the function id, x[1..3] its arguments; results replace them (DEN
 * 0028 §2.6).
 */
static inline void cpu_smc(u64 x[4])
{
    register u32 r0 __asm__("r0") = (u32)x[0];
    register u32 r1 __asm__("r1") = (u32)x[1];
    register u32 r2 __asm__("r2") = (u32)x[2];
    register u32 r3 __asm__("r3") = (u32)x[3];

    __asm__ volatile(".arch_extension sec\n\tsmc #0"
                     : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3)
                     :
                     : "memory");
    x[0] = r0;
    x[1] = r1;
    x[2] = r2;
    x[3] = r3;
}

#endif
