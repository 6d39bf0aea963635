/* SPDX-License-Identifier: MIT */
/*
 * The traps guest: coprocessor registers. What a VM may not use is undefined, as on a CPU that has
 * not got it; ID registers say so; what it may use keeps its value.
 */
#include <stddef.h>

#include "tests/guests/lib/cpu.h"
#include "tests/guests/lib/insn.h"
#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/probe.h"
#include "tests/guests/lib/sysreg.h"
#include "tests/guests/lib/test.h"
#include "tests/guests/traps/traps_test.h"

#define CP15(opc1, crn, crm, opc2) CPREG(15, opc1, crn, crm, opc2)
#define CP14(opc1, crn, crm, opc2) CPREG(14, opc1, crn, crm, opc2)
#define DBGPRCR                    CP14(0, 1, 4, 4)

static uint32_t ids[64];

static uint32_t read_reg(uint32_t reg)
{
    struct probe p;

    test_check(insn_run1(&p, INSN_MRC(reg), 0), "register 0x%x: esr 0x%lx", reg, p.esr);
    return (uint32_t)p.value;
}

/* All of c0, CRm 0 to 7: there, and not to be written. */
void sysregs_id(void)
{
    struct probe p;

    for (uint32_t i = 8; i < 64; i++) {
        ids[i] = read_reg(CP15(0, 0, i / 8, i % 8));
        test_check(!insn_run1(&p, INSN_MCR(CP15(0, 0, i / 8, i % 8)), 0), "c0, c%u, %u written",
                   i / 8, i % 8);
    }
    test_equal("MPIDR affinity", sysreg_read("mpidr_el1") & 0xffffff, cpu_at(0)->mpidr);
    test_equal("multiprocessing extensions", sysreg_read("mpidr_el1") >> 31, 1);
    test_equal("ID_PFR0: ARM", ids[8] & 0xf, 1);
    test_equal("ID_PFR1: no security, no Hyp", (ids[9] >> 4 | ids[9] >> 12) & 0xf, 0);
    test_equal("ID_PFR1: generic timer", ids[9] >> 16 & 0xf, 1);
    test_equal("ID_DFR0: no debug by coprocessor", ids[10] & 0xff, 0);
    test_equal("ID_DFR0: no trace, no PMU", ids[10] >> 12 & 0xfff, 0);
    test_equal("ID_MMFR0: VMSAv7 with long descriptors", ids[12] & 0xf, 5);
}

static void compare(uint64_t unused)
{
    struct probe p;

    (void)unused;
    for (uint32_t i = 8; i < 64; i++) {
        test_check(insn_run1(&p, INSN_MRC(CP15(0, 0, i / 8, i % 8)), 0) && p.value == ids[i],
                   "c0, c%u, %u: 0x%lx, on CPU 0 0x%x", i / 8, i % 8, p.value, ids[i]);
    }
    test_equal("MPIDR", sysreg_read("mpidr_el1") & 0xffffff, cpu_self()->mpidr);
}

void sysregs_id_each_cpu(void)
{
    for (uint32_t i = 8; i < 64; i++) {
        ids[i] = read_reg(CP15(0, 0, i / 8, i % 8));
    }
    compare(0);
    cpu_start_all();
    for (uint32_t i = 1; i < platform.cpu_count; i++) {
        cpu_run(i, compare, 0);
        cpu_wait(i);
    }
}

/* Neither read nor written, whatever else. */
static void check_denied(const char *name, uint32_t read, uint32_t write)
{
    const uint32_t insns[] = {read, write};

    for (size_t i = 0; i < 2; i++) {
        struct probe p;
        bool ran = insn_run1(&p, insns[i], 0);

        test_check(!ran && probe_class(&p) == EC_UNKNOWN, "%s is denied, but insn 0x%x: esr 0x%lx",
                   name, insns[i], ran ? 0 : p.esr);
    }
}

/* Those of Hyp and Monitor mode. */
void sysregs_higher_levels(void)
{
    static const struct {
        const char *name;
        uint32_t reg;
    } regs[] = {
        {"VPIDR", CP15(4, 0, 0, 0)},      {"VMPIDR", CP15(4, 0, 0, 5)},
        {"HSCTLR", CP15(4, 1, 0, 0)},     {"HCR", CP15(4, 1, 1, 0)},
        {"HDCR", CP15(4, 1, 1, 1)},       {"HCPTR", CP15(4, 1, 1, 2)},
        {"HSTR", CP15(4, 1, 1, 3)},       {"HTCR", CP15(4, 2, 0, 2)},
        {"VTCR", CP15(4, 2, 1, 2)},       {"HSR", CP15(4, 5, 2, 0)},
        {"HPFAR", CP15(4, 6, 0, 4)},      {"HVBAR", CP15(4, 12, 0, 0)},
        {"HTPIDR", CP15(4, 13, 0, 2)},    {"CNTHCTL", CP15(4, 14, 1, 0)},
        {"CNTHP_CTL", CP15(4, 14, 2, 1)}, {"SCR", CP15(0, 1, 1, 0)},
        {"SDER", CP15(0, 1, 1, 1)},       {"MVBAR", CP15(0, 12, 0, 1)},
    };

    for (size_t i = 0; i < sizeof(regs) / sizeof(regs[0]); i++) {
        check_denied(regs[i].name, INSN_MRC(regs[i].reg), INSN_MCR(regs[i].reg));
    }
    check_denied("VTTBR", INSN_MRRC(CPREG64(15, 6, 2)), INSN_MCRR(CPREG64(15, 6, 2)));
    check_denied("HTTBR", INSN_MRRC(CPREG64(15, 4, 2)), INSN_MCRR(CPREG64(15, 4, 2)));
    check_denied("CNTVOFF", INSN_MRRC(CPREG64(15, 4, 14)), INSN_MCRR(CPREG64(15, 4, 14)));
    check_denied("CNTHP_CVAL", INSN_MRRC(CPREG64(15, 6, 14)), INSN_MCRR(CPREG64(15, 6, 14)));
}

/* The PMU, breakpoints, ThumbEE, Jazelle's and what the implementation adds. */
void sysregs_hidden(void)
{
    static const struct {
        const char *name;
        uint32_t reg;
    } regs[] = {
        {"PMCR", CP15(0, 9, 12, 0)},    {"PMCNTENSET", CP15(0, 9, 12, 1)},
        {"PMCCNTR", CP15(0, 9, 13, 0)}, {"PMUSERENR", CP15(0, 9, 14, 0)},
        {"L2CTLR", CP15(1, 9, 0, 2)},   {"c11", CP15(0, 11, 0, 0)},
        {"c15", CP15(0, 15, 0, 0)},     {"c15, 7", CP15(7, 15, 15, 7)},
        {"DBGBVR0", CP14(0, 0, 0, 4)},  {"DBGBCR0", CP14(0, 0, 0, 5)},
        {"DBGWVR0", CP14(0, 0, 0, 6)},  {"DBGDSCRext", CP14(0, 0, 2, 2)},
        {"DBGPRCR", DBGPRCR},
    };

    for (size_t i = 0; i < sizeof(regs) / sizeof(regs[0]); i++) {
        check_denied(regs[i].name, INSN_MRC(regs[i].reg), INSN_MCR(regs[i].reg));
    }
}

void sysregs_kept(void)
{
    CHECK_KEPT("tpidr_el0", 0xffffffff);
    CHECK_KEPT("tpidrro_el0", 0xffffffff);
    CHECK_KEPT("tpidr_el1", 0xffffffff);
    CHECK_KEPT("far_el1", 0xffffffff);
    CHECK_KEPT("contextidr_el1", 0xffffffff);
    CHECK_KEPT("csselr_el1", 2);
    CHECK_KEPT("par_el1_low", 0x7e);
    CHECK_KEPT("cntkctl_el1", 0xf3);
    CHECK_KEPT("ttbr1_el1", 0xfffff000);
    CHECK_KEPT("cntv_cval_el0", ~0ull >> 1);
    CHECK_KEPT("cntp_cval_el0", ~0ull >> 1);
}
