/* SPDX-License-Identifier: MIT */
/* See arch/arm-common/start.h. */
#include "arch/arm-common/start.h"

#include "arch/arm-common/boot.h"
#include "arch/arm-common/pgtable.h"
#include "arch/arm-common/stage2.h"
#include "arch/arm64/arm64.h"
#include "arch/arm64/idregs.h"
#include "sysreg.h"

#define SCTLR_WXN BIT64(19)
#define HCR_E2H   BIT64(34)
#define ID_MMFR4  s3_0_c0_c7_4 /* ID_AA64MMFR4_EL1: 0 before it was defined */
#define PAN       s3_0_c4_c2_3

#define TCR_SH_ISH    (3u << 12)
#define TCR_ORGN_WBWA (1u << 10)
#define TCR_IRGN_WBWA (1u << 8)
#define TCR_RES1      (BIT64(31) | BIT64(23)) /* at EL1, bit 23 is EPD1: no TTBR1 walks */

struct boot_regs {
    u64 tcr, mair;
} boot_regs; /* for head.S */

static bool only_vhe; /* HCR_EL2.E2H can't be cleared */

/*
 * Writes HCR_EL2. Where E2H can't be 0, EL2 translates as EL1 does: good enough to say so. A CPU
 * without FEAT_E2H0 says that in ID_AA64MMFR4_EL1 (a negative field) and wants E2H written as 1;
 * others only ignore what is written.
 */
static void set_hcr(void)
{
    only_vhe = id_field(sysreg_read(ID_MMFR4), 24) >= 8;
    sysreg_write(hcr_el2, BOOT_HCR | (only_vhe ? HCR_E2H : 0));
    isb();
    only_vhe = only_vhe || (sysreg_read(hcr_el2) & HCR_E2H) != 0;
    if (only_vhe) {
        sysreg_write(PAN, 0); /* EL0 may access what Muntin maps, by the tables */
    }
}

static void set_regs(u32 el)
{
    u32 bits = cpu_pa_bits();
    u64 ps = MIN(id_field(sysreg_read(id_aa64mmfr0_el1), 0), 5u);

    boot_regs.mair = PGTABLE_MAIR;
    boot_regs.tcr = TCR_RES1 | TCR_SH_ISH | TCR_ORGN_WBWA | TCR_IRGN_WBWA | (64u - bits) |
                    ps << (el == 1 || only_vhe ? 32 : 16);
}

u32 start_level(void)
{
    u32 el = (u32)(sysreg_read(CurrentEL) >> 2) & 3;

    if (el == 2) {
        set_hcr();
    }
    set_regs(el);
    return el;
}

u32 start_va_bits(void)
{
    return cpu_pa_bits();
}

uintptr_t start_table(uintptr_t root, uintptr_t tree, u64 tree_size)
{
    (void)tree;
    (void)tree_size;
    return root;
}

const char *boot_refusal(void)
{
    return only_vhe ? "this CPU can't turn off the host extensions of EL2 (HCR_EL2.E2H stays 1: no "
                      "FEAT_E2H0), and Muntin runs without them"
                    : NULL;
}

bool boot_can_run(bool is64)
{
    return is64 || cpu.aarch32_el1;
}

void start_pcpu(struct pcpu *p)
{
    sysreg_write(tpidr_el2, (u64)(uintptr_t)p);
}

void start_wxn(void)
{
    sysreg_write(sctlr_el2, sysreg_read(sctlr_el2) | SCTLR_WXN);
    isb();
}

void start_guests(void)
{
    struct vsysreg_ids ids;

    idregs_read(&ids);
    vsysreg_init(&ids, stage2_ipa_bits(), gic.v3, cpu_has_s2fwb());
}
