/* SPDX-License-Identifier: MIT */
/*
 * Registers, barriers, TLB and cache maintenance of an AArch64 CPU. Found, as try.h is and no
 * other header, through the second include path (`#include "sysreg.h"`), so that arch/arm-common
 * works on top of either architecture's.
 *
 * sysreg_read(REG) and sysreg_write(REG, value) take the names in capitals below, which both
 * architectures have, or, within arch/arm64, any name that the assembler knows (hcr_el2). Neither
 * orders anything: a write takes effect for certain behind the next isb() or exception return (Arm
 * ARM D1.14, "context synchronization event").
 */
#ifndef ARCH_ARM64_SYSREG_H
#define ARCH_ARM64_SYSREG_H

#include "arch/arm-common/barrier.h"
#include "core/types.h"

/* --- registers --- */

/* CPU and generic timer */
#define MIDR       midr_el1
#define MPIDR      mpidr_el1
#define ISR        isr_el1
#define CNTFRQ     cntfrq_el0
#define CNTPCT     cntpct_el0
#define CNTV_CTL   cntv_ctl_el0
#define CNTV_CVAL  cntv_cval_el0
#define CNTHP_CTL  cnthp_ctl_el2
#define CNTHP_CVAL cnthp_cval_el2
#define VTTBR      vttbr_el2

/* GICv3 CPU interface (IHI 0069 §12.2), by encoding: the assembler knows them only with +gic */
#define ICC_PMR       s3_0_c4_c6_0
#define ICC_IAR1      s3_0_c12_c12_0
#define ICC_EOIR1     s3_0_c12_c12_1
#define ICC_BPR1      s3_0_c12_c12_3
#define ICC_CTLR      s3_0_c12_c12_4
#define ICC_SRE_GUEST s3_0_c12_c12_5 /* ICC_SRE_EL1 */
#define ICC_IGRPEN1   s3_0_c12_c12_7
#define ICC_AP1R0     s3_0_c12_c9_0
#define ICC_AP1R1     s3_0_c12_c9_1
#define ICC_AP1R2     s3_0_c12_c9_2
#define ICC_AP1R3     s3_0_c12_c9_3
#define ICC_DIR       s3_0_c12_c11_1
#define ICC_SGI1R     s3_0_c12_c11_5
#define ICC_HSRE      s3_4_c12_c9_5 /* ICC_SRE_EL2 */

/* GICv3 virtual interface (IHI 0069 §12.4) */
#define ICH_HCR   s3_4_c12_c11_0
#define ICH_VTR   s3_4_c12_c11_1
#define ICH_VMCR  s3_4_c12_c11_7
#define ICH_AP0R0 s3_4_c12_c8_0
#define ICH_AP0R1 s3_4_c12_c8_1
#define ICH_AP0R2 s3_4_c12_c8_2
#define ICH_AP0R3 s3_4_c12_c8_3
#define ICH_AP1R0 s3_4_c12_c9_0
#define ICH_AP1R1 s3_4_c12_c9_1
#define ICH_AP1R2 s3_4_c12_c9_2
#define ICH_AP1R3 s3_4_c12_c9_3
#define ICH_LR0   s3_4_c12_c12_0
#define ICH_LR1   s3_4_c12_c12_1
#define ICH_LR2   s3_4_c12_c12_2
#define ICH_LR3   s3_4_c12_c12_3
#define ICH_LR4   s3_4_c12_c12_4
#define ICH_LR5   s3_4_c12_c12_5
#define ICH_LR6   s3_4_c12_c12_6
#define ICH_LR7   s3_4_c12_c12_7
#define ICH_LR8   s3_4_c12_c13_0
#define ICH_LR9   s3_4_c12_c13_1
#define ICH_LR10  s3_4_c12_c13_2
#define ICH_LR11  s3_4_c12_c13_3
#define ICH_LR12  s3_4_c12_c13_4
#define ICH_LR13  s3_4_c12_c13_5
#define ICH_LR14  s3_4_c12_c13_6
#define ICH_LR15  s3_4_c12_c13_7

/* ID registers that the assembler may not know */
#define ID_AA64MMFR2 s3_0_c0_c7_2

#define SYSREG_TEXT_(reg) #reg
#define SYSREG_TEXT(reg)  SYSREG_TEXT_(reg)

#define sysreg_read(reg)                                                                           \
    ({                                                                                             \
        u64 sysreg_value_;                                                                         \
        __asm__ volatile("mrs %0, " SYSREG_TEXT(reg) : "=r"(sysreg_value_));                       \
        sysreg_value_;                                                                             \
    })

#define sysreg_write(reg, value)                                                                   \
    do {                                                                                           \
        u64 sysreg_new_ = (value);                                                                 \
        __asm__ volatile("msr " SYSREG_TEXT(reg) ", %x0" : : "rZ"(sysreg_new_));                   \
    } while (0)

/* --- TLB maintenance: the caller has a DSB before and a DSB and an ISB behind it --- */

/* Stage 1 and 2 of the VMID in VTTBR, on all CPUs. */
static inline void tlbi_vmid_is(void)
{
    __asm__ volatile("tlbi vmalls12e1is" : : : "memory");
}

/* Stage 1 and 2 of all VMIDs, on this CPU. */
static inline void tlbi_guests(void)
{
    __asm__ volatile("tlbi alle1" : : : "memory");
}

/* Stage 1 of the VMID in VTTBR, on this CPU. */
static inline void tlbi_vmid_stage1(void)
{
    __asm__ volatile("tlbi vmalle1" : : : "memory");
}

/* --- caches --- */

/* Bytes of the smallest data cache line of all caches (CTR.DminLine). */
static inline u32 cache_line(void)
{
    return 4u << ((sysreg_read(ctr_el0) >> 16) & 0xf);
}

/* The line that holds p, to the point of coherency. DSB behind it. */
static inline void dc_clean_invalidate(const void *p)
{
    __asm__ volatile("dc civac, %0" : : "r"(p) : "memory");
}

/* All instruction caches of all CPUs. DSB before and behind it, then ISB. */
static inline void ic_invalidate_is(void)
{
    __asm__ volatile("ic ialluis" : : : "memory");
}

/* --- what differs between the two architectures --- */

/* Affinity fields of MPIDR: the rest are flags. */
#define MPIDR_AFFINITY 0xff00ffffffull

static inline u64 cpu_affinity(void)
{
    return sysreg_read(MPIDR) & MPIDR_AFFINITY;
}

/* The field of an ID register at `shift`. */
static inline u32 id_field(u64 reg, u32 shift)
{
    return (u32)(reg >> shift) & 0xf;
}

/* Bits of a physical address, at most 48: what a table without LPA2 can hold. */
static inline u32 cpu_pa_bits(void)
{
    static const u8 bits[] = {32, 36, 40, 42, 44, 48};
    u32 range = id_field(sysreg_read(id_aa64mmfr0_el1), 0);

    return bits[MIN(range, ARRAY_SIZE(bits) - 1)];
}

/* True if stage 2 can force memory to be cacheable (FEAT_S2FWB). */
static inline bool cpu_has_s2fwb(void)
{
    return id_field(sysreg_read(ID_AA64MMFR2), 40) != 0;
}

/* True if it has the system registers of a GICv3 CPU interface. */
static inline bool cpu_has_gicv3(void)
{
    return id_field(sysreg_read(id_aa64pfr0_el1), 24) != 0;
}

/*
 * VTCR_EL2 for 4 KiB pages, inner shareable write-back walks, and an input address of `ipa_bits`
 * whose walk starts at `level` (Arm ARM D19.2, VTCR_EL2; SL0 counts the other way). VMIDs have 8
 * bits: VM_MAX needs no more.
 */
static inline u64 cpu_vtcr(u32 ipa_bits, u32 level)
{
    u32 range = id_field(sysreg_read(id_aa64mmfr0_el1), 0);

    return BIT64(31) | (u64)MIN(range, 5u) << 16 | 3u << 12 | 1u << 10 | 1u << 8 |
           (2u - level) << 6 | (64u - ipa_bits);
}

/* A random number from the CPU (FEAT_RNG). False: it has none, or none just now. */
static inline bool cpu_random(u64 *out)
{
    u64 value, none;

    if (id_field(sysreg_read(id_aa64isar0_el1), 60) == 0) {
        return false;
    }
    /* RNDRRS: reseeded for each read; Z is set when it fails */
    __asm__ volatile("mrs %0, s3_3_c2_c4_1\n\tcset %1, eq" : "=r"(value), "=r"(none) : : "cc");
    *out = value;
    return none == 0;
}

/* Spins gently: another CPU or an interrupt is about to change something. */
static inline void cpu_relax(void)
{
    __asm__ volatile("yield" : : : "memory");
}

/*
 * Calls the firmware: x[0] is the function id, x[1..3] its arguments; results replace them. x4 to
 * x17 are lost to firmware of before SMCCC 1.1 (DEN 0028 §2.6).
 */
static inline void cpu_smc(u64 x[4])
{
    register u64 x0 __asm__("x0") = x[0];
    register u64 x1 __asm__("x1") = x[1];
    register u64 x2 __asm__("x2") = x[2];
    register u64 x3 __asm__("x3") = x[3];

    __asm__ volatile("smc #0"
                     : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)
                     :
                     : "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15",
                       "x16", "x17", "memory");
    x[0] = x0;
    x[1] = x1;
    x[2] = x2;
    x[3] = x3;
}

#endif
