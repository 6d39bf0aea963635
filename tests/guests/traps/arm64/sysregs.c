/* SPDX-License-Identifier: MIT */
/*
 * The traps guest: system registers.  What the ID registers announce exists, what they deny is
 * UNDEFINED (exception class 0), and what the guest writes stays its own.
 */
#include <stddef.h>

#include "tests/guests/lib/cpu.h"
#include "tests/guests/lib/insn.h"
#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/sysreg.h"
#include "tests/guests/lib/test.h"
#include "tests/guests/traps/traps_test.h"

enum { ID_REGISTERS = 64 };
enum { CPACR_ZEN = 3 << 16, CPACR_FPEN = 3 << 20, CPACR_SMEN = 3 << 24 };

static uint64_t id_values[ID_REGISTERS];
static uint32_t id_differences;

static uint32_t id_register(uint32_t index)
{
    return SYSREG(3, 0, 0, index / 8, index % 8);
}

/* S3_0_C0_C0_x holds MIDR, MPIDR and REVIDR only; C1 to C7 are all readable or reserved-zero. */
static bool is_id_register(uint32_t index)
{
    return index >= 8 || index == 0 || index == 5 || index == 6;
}

void sysregs_id(void)
{
    struct probe p;

    for (uint32_t i = 0; i < ID_REGISTERS; i++) {
        if (is_id_register(i)) {
            test_check(insn_run1(&p, INSN_MRS(id_register(i)), 0), "S3_0_C0_C%u_%u: esr 0x%lx",
                       i / 8, i % 8, p.esr);
            id_values[i] = p.value;
        }
    }
    test_equal("MPIDR affinity", sysreg_read("mpidr_el1") & 0xff00ffffff, cpu_at(0)->mpidr);
    test_check(sysreg_read("ctr_el0") >> 31 & 1, "CTR_EL0 0x%lx", sysreg_read("ctr_el0"));
    test_check(insn_run1(&p, INSN_MRS(SYSREG(3, 1, 0, 0, 1)), 0), "CLIDR_EL1: esr 0x%lx", p.esr);
    test_check(insn_run1(&p, INSN_MRS(SYSREG(3, 1, 0, 0, 0)), 0), "CCSIDR_EL1: esr 0x%lx", p.esr);
    test_check(insn_run1(&p, INSN_MRS(SYSREG(3, 1, 0, 0, 7)), 0), "AIDR_EL1: esr 0x%lx", p.esr);
    test_check(insn_run1(&p, INSN_MRS(SYSREG(3, 3, 0, 0, 7)), 0), "DCZID_EL0: esr 0x%lx", p.esr);
    test_check((id_values[4 * 8] >> 24 & 0xf) == (platform.gic_version == 3),
               "ID_AA64PFR0.GIC is %lu on a GICv%u", id_values[4 * 8] >> 24 & 0xf,
               platform.gic_version);
}

static void compare_ids(uint64_t unused)
{
    struct probe p;

    (void)unused;
    for (uint32_t i = 8; i < ID_REGISTERS; i++) {
        if (insn_run1(&p, INSN_MRS(id_register(i)), 0) && p.value != id_values[i]) {
            id_differences++;
        }
    }
}

void sysregs_id_each_cpu(void)
{
    sysregs_id();
    cpu_start_all();
    for (uint32_t cpu = 1; cpu < platform.cpu_count; cpu++) {
        cpu_run(cpu, compare_ids, 0);
        cpu_wait(cpu);
        test_check(id_differences == 0, "CPU %u differs from CPU 0", cpu);
    }
}

/* EL2's and EL3's registers are UNDEFINED at EL1, nested virtualization apart (not offered). */
void sysregs_higher_levels(void)
{
    static const uint32_t higher[] = {
        SYSREG(3, 4, 1, 1, 0),   /* HCR_EL2 */
        SYSREG(3, 4, 1, 0, 0),   /* SCTLR_EL2 */
        SYSREG(3, 4, 2, 0, 0),   /* TTBR0_EL2 */
        SYSREG(3, 4, 2, 1, 0),   /* VTTBR_EL2 */
        SYSREG(3, 4, 12, 0, 0),  /* VBAR_EL2 */
        SYSREG(3, 4, 14, 0, 3),  /* CNTVOFF_EL2 */
        SYSREG(3, 4, 12, 12, 0), /* ICH_LR0_EL2 */
        SYSREG(3, 4, 12, 11, 0), /* ICH_HCR_EL2 */
        SYSREG(3, 5, 1, 0, 0),   /* SCTLR_EL12 */
        SYSREG(3, 6, 1, 1, 0),   /* SCR_EL3 */
        SYSREG(3, 6, 1, 0, 0),   /* SCTLR_EL3 */
    };
    struct probe p;

    for (size_t i = 0; i < sizeof(higher) / sizeof(higher[0]); i++) {
        test_check(!insn_run1(&p, INSN_MRS(higher[i]), 0) && probe_class(&p) == EC_UNKNOWN,
                   "MRS 0x%x: esr 0x%lx", higher[i], p.esr);
        test_check(!insn_run1(&p, INSN_MSR(higher[i]), 0) && probe_class(&p) == EC_UNKNOWN,
                   "MSR 0x%x: esr 0x%lx", higher[i], p.esr);
    }
}

/* A feature: where its ID field is, and one of its registers or instructions. */
static const struct {
    const char *name;
    uint8_t id_register; /* index in id_values */
    uint8_t id_shift;
    uint8_t absent; /* values of the field up to this one mean: not there; 15 too */
    uint32_t insn;
} features[] = {
    {"PMU", 5 * 8, 8, 0, INSN_MRS(SYSREG(3, 3, 9, 12, 0))}, /* PMCR_EL0 */
    {"PMU cycle counter", 5 * 8, 8, 0, INSN_MRS(SYSREG(3, 3, 9, 13, 0))},
    {"SPE", 5 * 8, 32, 0, INSN_MRS(SYSREG(3, 0, 9, 9, 0))},            /* PMSCR_EL1 */
    {"trace buffer", 5 * 8, 44, 0, INSN_MRS(SYSREG(3, 0, 9, 11, 0))},  /* TRBLIMITR_EL1 */
    {"BRBE", 5 * 8, 52, 0, INSN_MRS(SYSREG(2, 1, 9, 0, 0))},           /* BRBCR_EL1 */
    {"trace", 5 * 8, 4, 0, INSN_MRS(SYSREG(2, 1, 0, 1, 0))},           /* TRCPRGCTLR */
    {"trace filter", 5 * 8, 40, 0, INSN_MRS(SYSREG(3, 0, 1, 2, 1))},   /* TRFCR_EL1 */
    {"SVE", 4 * 8, 32, 0, INSN_MRS(SYSREG(3, 0, 1, 2, 0))},            /* ZCR_EL1 */
    {"SVE instruction", 4 * 8, 32, 0, 0x04bf5020},                     /* rdvl x0, #1 */
    {"SME", 4 * 8 + 1, 24, 0, INSN_MRS(SYSREG(3, 0, 1, 2, 6))},        /* SMCR_EL1 */
    {"SME id", 4 * 8 + 1, 24, 0, INSN_MRS(SYSREG(3, 3, 13, 0, 5))},    /* TPIDR2_EL0 */
    {"MTE", 4 * 8 + 1, 8, 1, INSN_MRS(SYSREG(3, 0, 1, 0, 6))},         /* GCR_EL1 */
    {"RAS", 4 * 8, 28, 0, INSN_MRS(SYSREG(3, 0, 5, 3, 0))},            /* ERRIDR_EL1 */
    {"MPAM", 4 * 8, 40, 0, INSN_MRS(SYSREG(3, 0, 10, 5, 0))},          /* MPAM1_EL1 */
    {"AMU", 4 * 8, 44, 0, INSN_MRS(SYSREG(3, 3, 13, 2, 0))},           /* AMCR_EL0 */
    {"LORegions", 7 * 8 + 1, 16, 0, INSN_MRS(SYSREG(3, 0, 10, 4, 3))}, /* LORC_EL1 */
    {"RNDR", 6 * 8, 60, 0, INSN_MRS(SYSREG(3, 3, 2, 4, 0))},
    {"SCXTNUM", 4 * 8, 56, 1, INSN_MRS(SYSREG(3, 0, 13, 0, 7))},
    {"GIC registers", 4 * 8, 24, 0, INSN_MRS(SYSREG(3, 0, 12, 12, 5))}, /* ICC_SRE_EL1 */
};

/* EL1 lets itself use SVE and SME, or its own trap would come before any hypervisor's. */
static void allow_all(void)
{
    sysreg_write("cpacr_el1", sysreg_read("cpacr_el1") | CPACR_FPEN | CPACR_ZEN | CPACR_SMEN);
    isb();
}

void sysregs_hidden(void)
{
    struct probe p;

    sysregs_id();
    allow_all();
    for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
        uint64_t field = id_values[features[i].id_register] >> features[i].id_shift & 0xf;
        bool ran = insn_run1(&p, features[i].insn, 0);

        if (field <= features[i].absent || field == 15) {
            test_check(!ran && probe_class(&p) == EC_UNKNOWN, "%s is denied, but: esr 0x%lx",
                       features[i].name, ran ? 0 : p.esr);
        } else {
            test_note("offered: %s", features[i].name);
            test_check(ran || probe_class(&p) != EC_UNKNOWN, "%s is announced, but UNDEFINED",
                       features[i].name);
        }
    }
}

void sysregs_kept(void)
{
    CHECK_KEPT("tpidr_el0", ~0ull);
    CHECK_KEPT("tpidrro_el0", ~0ull);
    CHECK_KEPT("tpidr_el1", ~0ull);
    CHECK_KEPT("sp_el0", ~0xfull);
    CHECK_KEPT("elr_el1", ~0ull >> 16 & ~3ull);
    CHECK_KEPT("far_el1", ~0ull >> 16);
    CHECK_KEPT("esr_el1", 0xffffffff);
    CHECK_KEPT("contextidr_el1", 0xffffffff);
    CHECK_KEPT("csselr_el1", 2);
    CHECK_KEPT("par_el1", 1 | 0x7e);
    CHECK_KEPT("cntkctl_el1", 0xf3);
    CHECK_KEPT("cntv_cval_el0", ~0ull >> 1);
    CHECK_KEPT("cntp_cval_el0", ~0ull >> 1);
}
