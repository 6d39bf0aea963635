/* SPDX-License-Identifier: MIT */
/*
 * What a guest traps for: values of EL2's control registers, a line for each bit. Default-deny: a
 * feature that idspace.c doesn't announce traps here if the CPU can make it, and is answered UNDEF.
 * Where a bit belongs to an optional feature it's set only on CPUs that have it. (Arm ARM D19.2.)
 *
 * Programmed when a vCPU is loaded, or once per CPU where the same for all guests; never on an
 * exit.
 */
#ifndef ARCH_ARM64_TRAPS_H
#define ARCH_ARM64_TRAPS_H

#include "core/types.h"
#include "sysreg.h"

/* HCR_EL2 */
#define HCR_VM   BIT64(0) /* stage 2 is on */
#define HCR_SWIO BIT64(1) /* DC ISW cleans too (set/way traps anyway) */
#define HCR_PTW                                                                                    \
    BIT64(2)               /* a stage-1 walk in Device memory faults: it could abort an AT of ours \
                            */
#define HCR_FMO   BIT64(3) /* FIQ, IRQ, SError go to EL2; the guest has virtual ones, and its */
#define HCR_IMO   BIT64(4) /* ICC_* accesses reach the virtual interface; SGI registers trap */
#define HCR_AMO   BIT64(5)
#define HCR_TWI   BIT64(13) /* trap WFI: a vCPU that shares its CPU; per vCPU */
#define HCR_TID1  BIT64(16) /* REVIDR, AIDR, SMIDR */
#define HCR_TID3  BIT64(18) /* ID registers */
#define HCR_TSC   BIT64(19) /* SMC */
#define HCR_TIDCP BIT64(20) /* implementation defined registers */
#define HCR_TACR  BIT64(21) /* ACTLR_EL1 */
#define HCR_TSW   BIT64(22) /* cache maintenance by set and way */
#define HCR_RW    BIT64(31) /* EL1 is AArch64; 0 for a 32-bit guest */
#define HCR_TLOR  BIT64(35) /* LORegions (FEAT_LOR) */
#define HCR_TERR  BIT64(36) /* error records (FEAT_RAS) */
#define HCR_APK   BIT64(40) /* pointer authentication: key registers, instructions don't trap */
#define HCR_API   BIT64(41)
#define HCR_FWB   BIT64(46) /* stage 2 decides that RAM is cacheable (FEAT_S2FWB) */
#define HCR_TID5  BIT64(58) /* GMID_EL1 (FEAT_MTE2) */
/* Left 0, so that it traps or doesn't exist: ATA (MTE), EnSCXT, FIEN, NV, AT, E2H, TGE, HCD. FB and
 * BSU are for vCPUs that move between CPUs: ours are pinned. */

/* The value for all guests; add HCR_TWI for a vCPU that shares its CPU. fwb: stage2_fwb(). */
static inline u64 traps_hcr(bool fwb)
{
    u64 pfr0 = sysreg_read(id_aa64pfr0_el1), pfr1 = sysreg_read(id_aa64pfr1_el1);
    u64 isar1 = sysreg_read(id_aa64isar1_el1), isar2 = sysreg_read(s3_0_c0_c6_2);
    u64 hcr = HCR_VM | HCR_SWIO | HCR_PTW | HCR_FMO | HCR_IMO | HCR_AMO | HCR_TID1 | HCR_TID3 |
              HCR_TSC | HCR_TIDCP | HCR_TACR | HCR_TSW | HCR_RW;

    hcr |= id_field(pfr0, 28) != 0 ? HCR_TERR : 0;
    hcr |= id_field(sysreg_read(id_aa64mmfr1_el1), 16) != 0 ? HCR_TLOR : 0;
    hcr |= id_field(pfr1, 8) >= 2 ? HCR_TID5 : 0;
    if ((isar1 & 0xff0) != 0 || id_field(isar2, 12) != 0) { /* APA, API; APA3 */
        hcr |= HCR_APK | HCR_API;
    }
    return hcr | (fwb ? HCR_FWB : 0);
}

/* True if guests have pointer authentication: then the ten key registers go with the vCPU. */
static inline bool traps_has_pauth(u64 hcr)
{
    return (hcr & HCR_APK) != 0;
}

/* MDCR_EL2 */
#define MDCR_TPMCR BIT64(5) /* PMU: PMCR; all the rest */
#define MDCR_TPM   BIT64(6)
#define MDCR_TDA   BIT64(9) /* debug registers; OS lock and power; ROM address */
#define MDCR_TDOSA BIT64(10)
#define MDCR_TDRA  BIT64(11)
#define MDCR_TPMS  BIT64(14) /* statistical profiling (FEAT_SPE); its buffer: E2PB is 0 */
#define MDCR_HPMD  BIT64(17) /* no event counts at EL2 */
#define MDCR_TTRF  BIT64(19) /* trace filter (FEAT_TRF); trace buffer: E2TB is 0 */
#define MDCR_HCCD  BIT64(23) /* nor cycles (FEAT_PMUv3p5) */
#define MDCR_TDCC  BIT64(27) /* debug communication channel (FEAT_FGT) */
/* TDE is 0: debug exceptions are the guest's own, and EL2 takes none. HPME is 0. */

static inline u64 traps_mdcr(void)
{
    u64 dfr0 = sysreg_read(id_aa64dfr0_el1);
    u32 pmu = id_field(dfr0, 8);
    u64 mdcr = MDCR_TDA | MDCR_TDOSA | MDCR_TDRA;

    if (pmu != 0 && pmu != 0xf) {
        /* HPMN as many as there are: the others would be EL2's (Arm ARM D11.3) */
        mdcr |= MDCR_TPM | MDCR_TPMCR | ((sysreg_read(pmcr_el0) >> 11) & 0x1f);
        mdcr |= pmu >= 4 ? MDCR_HPMD : 0;
        mdcr |= pmu >= 6 ? MDCR_HCCD : 0;
    }
    mdcr |= id_field(dfr0, 32) != 0 ? MDCR_TPMS : 0;
    mdcr |= id_field(dfr0, 40) != 0 ? MDCR_TTRF : 0;
    mdcr |= id_field(sysreg_read(id_aa64mmfr0_el1), 56) != 0 ? MDCR_TDCC : 0;
    return mdcr;
}

/* CPTR_EL2 without VHE */
#define CPTR_RES1 0x22ffull
#define CPTR_TZ   BIT64(8)  /* SVE; RES1 without it */
#define CPTR_TSM  BIT64(12) /* SME; RES1 without it */
#define CPTR_TTA  BIT64(20) /* trace registers; RES0 without them */
#define CPTR_TAM  BIT64(30) /* activity monitors (FEAT_AMUv1) */

static inline u64 traps_cptr(void)
{
    u64 cptr = CPTR_RES1 | CPTR_TZ | CPTR_TSM;

    cptr |= id_field(sysreg_read(id_aa64dfr0_el1), 4) != 0 ? CPTR_TTA : 0;
    return cptr | (id_field(sysreg_read(id_aa64pfr0_el1), 44) != 0 ? CPTR_TAM : 0);
}

/* CNTHCTL_EL2 without VHE */
#define CNTHCTL_EL1PCTEN BIT64(0) /* CNTPCT doesn't trap */

/*
 * For a VM with this counter_offset: the physical counter traps where it would tell the board's
 * time. CNTPOFF_EL2 (FEAT_ECV) isn't used: it works only where the firmware allows it
 * (SCR_EL3.ECVEn), and EL2 can't find out. CNTP_* always trap: vtimer.h.
 */
static inline u64 traps_cnthctl(u64 offset)
{
    return offset == 0 ? CNTHCTL_EL1PCTEN : 0;
}

/*
 * Each CPU, once, before its first guest: registers that are the same for all guests and that a
 * boot loader may have left open.
 * - HSTR_EL2 0: nothing of CP15 traps as such; what 32-bit programs at EL0 may do is decided by EL1
 *   and by the traps above.
 * - Fine-grained traps (FEAT_FGT, FGT2) 0: bits named n… trap at 0 and belong to features that
 * guests don't have (SME, GCS, POE, PIE, THE, BRBE, …); the others are covered by coarser traps
 * above.
 * - HCRX_EL2 (FEAT_HCX) 0: MOPS, TCR2, SCTLR2, LS64, FPMR and whatever comes stay off.
 * - MPAM2_EL2 (FEAT_MPAM): MPAM0_EL1 and MPAM1_EL1 trap, PARTID 0.
 * - The PMU, OS lock: nothing counts, and debug exceptions aren't locked out. DBGVCR32_EL2: AArch32
 *   has no vector catch.
 */
void traps_cpu_init(void);

#endif
