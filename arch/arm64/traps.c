/* SPDX-License-Identifier: MIT */
/* Per-CPU set-up of optional EL2 registers: see traps.h. Registers by encoding, as assemblers vary.
 */
#include "arch/arm64/traps.h"

#define HFGRTR   s3_4_c1_c1_4
#define HFGWTR   s3_4_c1_c1_5
#define HFGITR   s3_4_c1_c1_6
#define HDFGRTR  s3_4_c3_c1_4
#define HDFGWTR  s3_4_c3_c1_5
#define HAFGRTR  s3_4_c3_c1_6
#define HDFGRTR2 s3_4_c3_c1_0
#define HDFGWTR2 s3_4_c3_c1_1
#define HFGRTR2  s3_4_c3_c1_2
#define HFGWTR2  s3_4_c3_c1_3
#define HFGITR2  s3_4_c3_c1_7
#define HCRX     s3_4_c1_c2_2
#define MPAM2    s3_4_c10_c5_0
#define MPAMHCR  s3_4_c10_c4_0
#define MPAMIDR  s3_0_c10_c4_4

#define MPAM2_TRAP      (BIT64(48) | BIT64(49)) /* MPAM1_EL1, MPAM0_EL1 */
#define MPAMIDR_HAS_HCR BIT64(17)
#define MPAMHCR_TRAP_ID BIT64(31) /* MPAMIDR_EL1 */

static void fine_grained(void)
{
    u64 mmfr0 = sysreg_read(id_aa64mmfr0_el1), pfr0 = sysreg_read(id_aa64pfr0_el1);
    u32 fgt = id_field(mmfr0, 56);

    if (fgt == 0) {
        return;
    }
    sysreg_write(HFGRTR, 0);
    sysreg_write(HFGWTR, 0);
    sysreg_write(HFGITR, 0);
    sysreg_write(HDFGRTR, 0);
    sysreg_write(HDFGWTR, 0);
    if (id_field(pfr0, 44) != 0) {
        sysreg_write(HAFGRTR, 0);
    }
    if (fgt >= 2) {
        sysreg_write(HFGRTR2, 0);
        sysreg_write(HFGWTR2, 0);
        sysreg_write(HFGITR2, 0);
        sysreg_write(HDFGRTR2, 0);
        sysreg_write(HDFGWTR2, 0);
    }
}

static void mpam(void)
{
    u64 pfr0 = sysreg_read(id_aa64pfr0_el1), pfr1 = sysreg_read(id_aa64pfr1_el1);

    if (id_field(pfr0, 40) == 0 && id_field(pfr1, 16) == 0) {
        return;
    }
    sysreg_write(MPAM2, MPAM2_TRAP);
    if ((sysreg_read(MPAMIDR) & MPAMIDR_HAS_HCR) != 0) {
        sysreg_write(MPAMHCR, MPAMHCR_TRAP_ID);
    }
}

void traps_cpu_init(void)
{
    u32 pmu = id_field(sysreg_read(id_aa64dfr0_el1), 8);

    sysreg_write(hstr_el2, 0);
    fine_grained();
    mpam();
    if (id_field(sysreg_read(id_aa64mmfr1_el1), 40) != 0) {
        sysreg_write(HCRX, 0);
    }
    if (pmu != 0 && pmu != 0xf) {
        sysreg_write(pmcr_el0, 0);
        sysreg_write(pmuserenr_el0, 0);
        sysreg_write(pmcntenclr_el0, UINT32_MAX);
        sysreg_write(pmintenclr_el1, UINT32_MAX);
    }
    if (id_field(sysreg_read(id_aa64pfr0_el1), 4) == 2) {
        sysreg_write(dbgvcr32_el2, 0);
    }
    sysreg_write(oslar_el1, 0);
    isb();
}
