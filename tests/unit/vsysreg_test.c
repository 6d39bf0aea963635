/* SPDX-License-Identifier: MIT */
/*
 * Trapped system registers, by vsysreg_access alone: encodings are written out as the instruction's
 * five numbers, so that the table's keys are checked against them.
 */
#include "arch/arm-common/vsysreg.h"

#include "arch/arm-common/clock.h"
#include "arch/host/arch.h"
#include "core/config.h"
#include "core/log.h"
#include "core/sched.h"
#include "core/vm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define MS 1000000u

static struct vm vm;
static struct vcpu vcpu;
static struct vm_config cfg;
static struct vsysreg regs;
static struct vsysreg_ids host;
static u64 last_sgi;
static u64 value;

u64 clock_ticks(void)
{
    return host_now_ns;
}

u64 clock_ns(u64 ticks)
{
    return ticks;
}

static void set_line(struct vm *m, struct vcpu *v, u32 intid, bool level)
{
    (void)m;
    (void)v;
    (void)intid;
    (void)level;
}

static void sgi(struct vcpu *v, u64 v_value)
{
    assert_ptr_equal(v, &vcpu);
    last_sgi = v_value;
}

static const struct irqchip irqchip = {.set_line = set_line, .sgi = sgi};

static u32 iss(u32 op0, u32 op1, u32 crn, u32 crm, u32 op2)
{
    return op0 << 20 | op2 << 17 | op1 << 14 | crn << 10 | crm << 1;
}

/* MRS x5; its value in `value`. */
static enum vsysreg_result mrs(u32 op0, u32 op1, u32 crn, u32 crm, u32 op2)
{
    u32 i = iss(op0, op1, crn, crm, op2) | 5 << 5 | 1;

    assert_false(vsysreg_is_write(i));
    assert_int_equal(vsysreg_rt(i), 5);
    value = 0xdead;
    return vsysreg_access(&regs, i, &value);
}

static enum vsysreg_result msr(u32 op0, u32 op1, u32 crn, u32 crm, u32 op2, u64 v)
{
    u32 i = iss(op0, op1, crn, crm, op2) | 30 << 5;

    assert_true(vsysreg_is_write(i));
    assert_int_equal(vsysreg_rt(i), 30);
    return vsysreg_access(&regs, i, &v);
}

static void init(u32 ipa_bits, bool gicv3, bool fwb)
{
    vsysreg_init(&host, ipa_bits, gicv3, fwb);
    vsysreg_create(&regs, &vcpu);
    vsysreg_reset(&regs);
}

static int setup(void **state)
{
    (void)state;
    memset(&vm, 0, sizeof(vm));
    memset(pcpus, 0, sizeof(pcpus));
    memset(&cfg, 0, sizeof(cfg));
    sched_init(1);
    cfg.on_register = POLICY_FAIL;
    vm.cfg = &cfg;
    vm.irqchip = &irqchip;
    vm.counter_offset = 1000;
    vcpu = (struct vcpu){.vm = &vm, .pcpu = &pcpus[0]};
    host_now_ns = 1000 * MS;
    last_sgi = 0;
    /* a CPU that claims every feature there'll ever be */
    memset(&host, 0x11, sizeof(host));
    host.id[40] = 0x1111111131512118; /* ID_AA64DFR0: BRPs 2, WRPs 5, CTX_CMPs 3 */
    init(40, true, false);
    return 0;
}

/* --- ID registers --- */

/* Field by field: what a guest sees of a CPU that has everything. */
static void test_ids_hide(void **state)
{
    static const struct {
        u8 crm, op2;
        u64 guest;
    } expected[] = {
        /* AA64PFR0: CSV3 CSV2 - DIT | - - - - | - GIC AdvSIMD FP | - - EL1 EL0 */
        {4, 0, 0x1101000001110011},
        {4, 1, 0x0000000000000011}, /* AA64PFR1: SSBS, BT */
        {4, 2, 0},
        {4, 4, 0}, /* ZFR0 */
        {4, 5, 0}, /* SMFR0 */
        {4, 7, 0}, /* FPFR0 */
        /* DFR0: no DoubleLock | CTX_CMPs WRPs | BRPs - - v8.0 */
        {5, 0, 0x000000f030502006},
        {5, 1, 0},
        {5, 4, 0},
        {6, 0, 0x1111111110111110}, /* ISAR0 but for TME */
        {6, 1, 0x0011111111111111}, /* ISAR1 but for LS64, XS */
        {6, 2, 0x0010000011101110}, /* ISAR2: CSSC CLRBHB PAC_frac BC APA3 GPA3 RPRES */
        {6, 3, 0},
        {7, 0, 0x1000100001111112}, /* MMFR0: ECV, ExS, TGran64 and 16, …; 40 bits */
        {7, 1, 0x1001101001101001},
        {7, 2, 0x1011001110110111},
        {7, 3, 0},
        {7, 4, 0},
    };

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(expected); i++) {
        assert_int_equal(mrs(3, 0, 0, expected[i].crm, expected[i].op2), SYSREG_DONE);
        assert_int_equal(value, expected[i].guest);
        assert_int_equal(vsysreg_id(8u * expected[i].crm + expected[i].op2), value);
    }
}

/* A CPU without anything gives no feature, whatever the rules say. */
static void test_ids_invent_nothing(void **state)
{
    (void)state;
    memset(&host, 0, sizeof(host));
    init(48, false, false);
    for (u32 crm = 1; crm < 8; crm++) {
        for (u32 op2 = 0; op2 < 8; op2++) {
            u64 expected = 0;

            if (crm == 4 && op2 == 0) {
                expected = 0x10; /* EL1 */
            } else if (crm == 5 && op2 == 0) {
                expected = 0xf000000006; /* v8.0 debug, no double lock */
            } else if (crm == 1 && op2 == 2) {
                expected = 0x0f000000; /* no PMU of AArch32 */
            } else if (crm == 7 && op2 == 0) {
                expected = 5; /* 48 bits */
            }
            assert_int_equal(mrs(3, 0, 0, crm, op2), SYSREG_DONE);
            assert_int_equal(value, expected);
        }
    }
}

static void test_ids_not_implemented(void **state)
{
    (void)state;
    memset(&host, 0xff, sizeof(host));
    init(40, true, false);
    (void)mrs(3, 0, 0, 4, 0);
    assert_int_equal(value >> 16 & 0xff, 0xff); /* neither FP nor AdvSIMD */
    (void)mrs(3, 0, 0, 7, 0);
    assert_int_equal(value >> 24 & 0xff, 0xff); /* neither 4 KiB nor 64 KiB pages */
}

/* Features whose later versions guests don't get: the first that they do. */
static void test_ids_at_most(void **state)
{
    (void)state;
    memset(&host, 0x33, sizeof(host));
    init(40, true, false);
    (void)mrs(3, 0, 0, 4, 0);
    assert_int_equal(value >> 56 & 0xf, 1); /* CSV2 */
    (void)mrs(3, 0, 0, 7, 0);
    assert_int_equal(value >> 20 & 0xf, 1); /* TGran16 */
    assert_int_equal(value >> 28 & 0xf, 0); /* TGran4 */
    assert_int_equal(value >> 60, 1);       /* ECV */
    (void)mrs(3, 0, 0, 7, 1);
    assert_int_equal(value & 0xf, 2); /* HAFDBS */
    (void)mrs(3, 0, 0, 7, 2);
    assert_int_equal(value >> 16 & 0xf, 1); /* VARange */
    (void)mrs(3, 0, 0, 1, 2);
    assert_int_equal(value & 0xf, 3); /* AArch32 CopDbg: older than v8 as it is */
}

static void test_pa_range(void **state)
{
    static const u8 range[][2] = {{32, 0}, {36, 1}, {39, 1}, {40, 2}, {42, 3}, {44, 4}, {48, 5}};

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(range); i++) {
        init(range[i][0], true, false);
        (void)mrs(3, 0, 0, 7, 0);
        assert_int_equal(value & 0xf, range[i][1]);
    }
}

static void test_gic_field(void **state)
{
    (void)state;
    (void)mrs(3, 0, 0, 4, 0);
    assert_int_equal(value >> 24 & 0xf, 1);
    init(40, false, false);
    (void)mrs(3, 0, 0, 4, 0);
    assert_int_equal(value >> 24 & 0xf, 0);
    (void)mrs(3, 0, 0, 1, 1);
    assert_int_equal(value >> 28 & 0xf, 0);
}

static void test_ids_are_read_only(void **state)
{
    (void)state;
    assert_int_equal(msr(3, 0, 0, 4, 0, 0), SYSREG_UNDEF);
    assert_int_equal(mrs(3, 0, 0, 0, 6), SYSREG_DONE); /* REVIDR_EL1 */
    assert_int_equal(value, host.revidr);
    host.aidr = 77;
    init(40, true, false);
    assert_int_equal(mrs(3, 1, 0, 0, 7), SYSREG_DONE); /* AIDR_EL1 */
    assert_int_equal(value, 77);
    assert_int_equal(msr(3, 0, 0, 0, 6, 0), SYSREG_UNDEF);
}

/* --- what isn't there --- */

static void test_default_deny(void **state)
{
    static const u8 absent[][5] = {
        {3, 3, 9, 12, 0},  /* PMCR_EL0 */
        {3, 3, 9, 13, 0},  /* PMCCNTR_EL0 */
        {3, 0, 1, 2, 0},   /* ZCR_EL1 */
        {3, 0, 1, 2, 6},   /* SMCR_EL1 */
        {3, 0, 5, 3, 0},   /* ERRIDR_EL1 */
        {3, 0, 10, 4, 3},  /* LORC_EL1 */
        {3, 0, 10, 5, 0},  /* MPAM1_EL1 */
        {3, 3, 13, 2, 0},  /* AMCR_EL0 */
        {3, 1, 0, 0, 4},   /* GMID_EL1 */
        {3, 1, 0, 0, 6},   /* SMIDR_EL1 */
        {3, 0, 9, 9, 0},   /* PMSCR_EL1 */
        {3, 0, 15, 2, 0},  /* implementation defined */
        {2, 1, 0, 1, 0},   /* TRCPRGCTLR */
        {2, 1, 9, 0, 0},   /* BRBCR_EL1 */
        {3, 4, 1, 1, 0},   /* HCR_EL2 */
        {3, 0, 12, 12, 0}, /* ICC_IAR1_EL1: never traps */
        {1, 0, 7, 6, 1},   /* DC IVAC */
        {3, 0, 0, 0, 1},   {0, 0, 0, 0, 0}, {3, 7, 15, 15, 7},
    };

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(absent); i++) {
        const u8 *a = absent[i];

        assert_int_equal(mrs(a[0], a[1], a[2], a[3], a[4]), SYSREG_UNDEF);
        assert_int_equal(msr(a[0], a[1], a[2], a[3], a[4], 1), SYSREG_UNDEF);
    }
    assert_int_equal(vm.sysreg_unknown, 2 * ARRAY_SIZE(absent));
}

static void test_policies(void **state)
{
    (void)state;
    cfg.on_register = POLICY_IGNORE;
    assert_int_equal(mrs(3, 3, 9, 12, 0), SYSREG_DONE);
    assert_int_equal(value, UINT64_MAX);
    assert_int_equal(msr(3, 3, 9, 12, 0, 5), SYSREG_DONE);
    cfg.on_register = POLICY_ABORT;
    log_threshold = LOG_ERR;
    assert_int_equal(mrs(3, 3, 9, 12, 0), SYSREG_STOP);
    log_threshold = LOG_INFO;
    /* the policy is for registers that aren't there, not for those that are */
    assert_int_equal(mrs(3, 0, 0, 6, 0), SYSREG_DONE);
}

/* --- debug --- */

static void test_os_lock(void **state)
{
    (void)state;
    assert_int_equal(mrs(2, 0, 1, 1, 4), SYSREG_DONE); /* OSLSR_EL1 */
    assert_int_equal(value, 0xa);                      /* locked by reset */
    regs.debug_dirty = false;
    assert_int_equal(msr(2, 0, 1, 0, 4, 0), SYSREG_DONE); /* OSLAR_EL1 */
    assert_true(regs.debug_dirty);
    (void)mrs(2, 0, 1, 1, 4);
    assert_int_equal(value, 8);
    assert_int_equal(mrs(2, 0, 1, 0, 4), SYSREG_UNDEF);
    assert_int_equal(msr(2, 0, 1, 1, 4, 0), SYSREG_UNDEF);
    assert_int_equal(msr(2, 0, 1, 3, 4, 1), SYSREG_DONE); /* OSDLR_EL1 */
    assert_int_equal(mrs(2, 0, 1, 3, 4), SYSREG_DONE);
    assert_int_equal(value, 0);
}

static void test_mdscr(void **state)
{
    (void)state;
    regs.debug_dirty = false;
    assert_int_equal(msr(2, 0, 0, 2, 2, ~0ull), SYSREG_DONE);
    assert_true(regs.debug_dirty);
    assert_int_equal(mrs(2, 0, 0, 2, 2), SYSREG_DONE);
    assert_int_equal(value, 0xb001); /* MDE, KDE, TDCC, SS */
}

static void test_breakpoints(void **state)
{
    (void)state;
    regs.debug_dirty = false;
    for (u32 n = 0; n < 16; n++) {
        /* BRPs 2: three breakpoints; WRPs 5: six watchpoints */
        enum vsysreg_result b = n < 3 ? SYSREG_DONE : SYSREG_UNDEF;
        enum vsysreg_result w = n < 6 ? SYSREG_DONE : SYSREG_UNDEF;

        assert_int_equal(msr(2, 0, 0, n, 4, 0x1000 + n), b); /* DBGBVR<n>_EL1 */
        assert_int_equal(msr(2, 0, 0, n, 5, 0x1e6), b);      /* DBGBCR<n>_EL1, not enabled */
        assert_int_equal(msr(2, 0, 0, n, 6, 0x2000 + n), w); /* DBGWVR<n>_EL1 */
        assert_int_equal(msr(2, 0, 0, n, 7, 0x1ffe), w);     /* DBGWCR<n>_EL1, not enabled */
    }
    assert_false(regs.debug_used);
    assert_false(regs.debug_dirty);
    assert_int_equal(mrs(2, 0, 0, 2, 4), SYSREG_DONE);
    assert_int_equal(value, 0x1002);
    assert_int_equal(mrs(2, 0, 0, 5, 6), SYSREG_DONE);
    assert_int_equal(value, 0x2005);
    /* enabled, and as far as EL2: the latter is taken out */
    assert_int_equal(msr(2, 0, 0, 1, 5, 0xffffffff00002001 | 0x1e6), SYSREG_DONE);
    assert_true(regs.debug_used && regs.debug_dirty);
    (void)mrs(2, 0, 0, 1, 5);
    assert_int_equal(value, 0x1e7);
    regs.debug_dirty = false;
    (void)msr(2, 0, 0, 1, 4, 0x5000);
    assert_true(regs.debug_dirty);
}

/* Those that Linux writes at boot, and a debugger would use: there, and without effect. */
static void test_debug_raz_wi(void **state)
{
    static const u8 quiet[][5] = {
        {2, 0, 0, 0, 2}, {2, 0, 0, 2, 0}, {2, 0, 0, 3, 2}, {2, 0, 0, 6, 2}, {2, 0, 1, 4, 4},
        {2, 0, 7, 8, 6}, {2, 0, 7, 9, 6}, {2, 3, 0, 4, 0}, {2, 3, 0, 5, 0}, {3, 0, 1, 0, 1},
    };
    static const u8 read_only[][5] = {{2, 0, 1, 0, 0}, {2, 3, 0, 1, 0}, {2, 0, 7, 14, 6}};

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(quiet); i++) {
        const u8 *a = quiet[i];

        assert_int_equal(msr(a[0], a[1], a[2], a[3], a[4], ~0ull), SYSREG_DONE);
        assert_int_equal(mrs(a[0], a[1], a[2], a[3], a[4]), SYSREG_DONE);
        assert_int_equal(value, 0);
    }
    for (u32 i = 0; i < ARRAY_SIZE(read_only); i++) {
        const u8 *a = read_only[i];

        assert_int_equal(mrs(a[0], a[1], a[2], a[3], a[4]), SYSREG_DONE);
        assert_int_equal(value, 0);
        assert_int_equal(msr(a[0], a[1], a[2], a[3], a[4], 0), SYSREG_UNDEF);
    }
    assert_int_equal(vm.sysreg_unknown, 0);
}

/* --- GIC, timer --- */

static void test_sgi(void **state)
{
    (void)state;
    assert_int_equal(msr(3, 0, 12, 11, 5, 0x123456789a), SYSREG_DONE); /* ICC_SGI1R_EL1 */
    assert_int_equal(last_sgi, 0x123456789a);
    assert_int_equal(msr(3, 0, 12, 11, 6, 1), SYSREG_DONE); /* ICC_ASGI1R_EL1 */
    assert_int_equal(msr(3, 0, 12, 11, 7, 1), SYSREG_DONE); /* ICC_SGI0R_EL1 */
    assert_int_equal(last_sgi, 0x123456789a);
    assert_int_equal(mrs(3, 0, 12, 11, 5), SYSREG_UNDEF);
    assert_int_equal(mrs(3, 0, 12, 12, 5), SYSREG_DONE); /* ICC_SRE_EL1 */
    assert_int_equal(value, 7);
    assert_int_equal(msr(3, 0, 12, 12, 5, 0), SYSREG_DONE);
    init(40, false, false); /* on a GICv2 there are none */
    assert_int_equal(msr(3, 0, 12, 11, 5, 1), SYSREG_UNDEF);
    assert_int_equal(mrs(3, 0, 12, 12, 5), SYSREG_UNDEF);
    assert_int_equal(last_sgi, 0x123456789a);
}

static void test_timer(void **state)
{
    (void)state;
    assert_int_equal(mrs(3, 3, 14, 0, 1), SYSREG_DONE); /* CNTPCT_EL0 */
    assert_int_equal(value, host_now_ns - 1000);
    assert_int_equal(mrs(3, 3, 14, 0, 5), SYSREG_DONE); /* CNTPCTSS_EL0 */
    assert_int_equal(value, host_now_ns - 1000);
    assert_int_equal(msr(3, 3, 14, 0, 1, 0), SYSREG_UNDEF);
    assert_int_equal(msr(3, 3, 14, 2, 2, 5000 * MS), SYSREG_DONE); /* CNTP_CVAL_EL0 */
    assert_int_equal(mrs(3, 3, 14, 2, 2), SYSREG_DONE);
    assert_int_equal(value, 5000u * MS);
    assert_int_equal(msr(3, 3, 14, 2, 0, 100), SYSREG_DONE); /* CNTP_TVAL_EL0 */
    assert_int_equal(msr(3, 3, 14, 2, 1, 1), SYSREG_DONE);   /* CNTP_CTL_EL0 */
    assert_int_equal(mrs(3, 3, 14, 2, 0), SYSREG_DONE);
    assert_int_equal(value, 100);
    assert_int_equal(mrs(3, 3, 14, 2, 1), SYSREG_DONE);
    assert_int_equal(value, 1);
    vsysreg_reset(&regs);
    (void)mrs(3, 3, 14, 2, 1);
    assert_int_equal(value, 0);
}

/* --- set and way --- */

#define RAM_SIZE (1 * MIB + 4096)

static void give_ram(void)
{
    static char ram[2][RAM_SIZE];

    vm.mem.count = 2;
    for (u32 i = 0; i < 2; i++) {
        vm.mem.region[i] = (struct gmem_region){
            .base = 0x40000000 + i * 0x1000000, .size = RAM_SIZE, .ptr = (guest_t *)ram[i]};
    }
}

/* Executes DC CISW until it's done; how often that was. */
static u32 sweep_one(u64 operand)
{
    for (u32 n = 1; n < 100; n++) {
        enum vsysreg_result r = msr(1, 0, 7, 14, 2, operand);

        if (r == SYSREG_DONE) {
            return n;
        }
        assert_int_equal(r, SYSREG_AGAIN);
        host_now_ns += 100;
    }
    fail();
    return 0;
}

static void test_set_way(void **state)
{
    u32 first;

    (void)state;
    give_ram();
    first = sweep_one(0);
    /* five pieces for each region, one to begin, one to find that all is done */
    assert_int_equal(first, 12);
    for (u32 way = 1; way < 50; way++) {
        assert_int_equal(sweep_one(way << 20), 1);
    }
    assert_int_equal(sweep_one(0), 12); /* from the start: a new sweep */
    assert_int_equal(sweep_one(64), 1);
    host_now_ns += 2 * MS;
    assert_int_equal(sweep_one(128), 12); /* much later: another one */
    assert_int_equal(sweep_one(128), 1);  /* the same again at once: part of it */
    assert_int_equal(mrs(1, 0, 7, 14, 2), SYSREG_UNDEF);
}

static void test_set_way_forms(void **state)
{
    (void)state;
    give_ram();
    assert_int_equal(msr(1, 0, 7, 6, 2, 0), SYSREG_AGAIN); /* DC ISW */
    init(40, true, false);
    assert_int_equal(msr(1, 0, 7, 10, 2, 0), SYSREG_AGAIN); /* DC CSW */
    init(40, true, true);                                   /* FWB: nothing to do */
    assert_int_equal(msr(1, 0, 7, 14, 2, 0), SYSREG_DONE);
    vm.incoherent = true;
    assert_int_equal(msr(1, 0, 7, 14, 2, 0), SYSREG_AGAIN);
}

/* Any encoding at all: an answer, and nothing else happens (ASan, UBSan watch). */
static void test_every_encoding(void **state)
{
    u32 done = 0;

    (void)state;
    for (u32 i = 0; i < 1u << 22; i++) {
        u64 v = i * 0x9e3779b97f4a7c15ull;
        enum vsysreg_result r = vsysreg_access(&regs, i, &v);

        assert_true(r == SYSREG_DONE || r == SYSREG_UNDEF || r == SYSREG_AGAIN);
        done += r == SYSREG_DONE;
    }
    assert_true(done > 0);
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_ids_hide),
        TEST(test_ids_invent_nothing),
        TEST(test_ids_not_implemented),
        TEST(test_ids_at_most),
        TEST(test_pa_range),
        TEST(test_gic_field),
        TEST(test_ids_are_read_only),
        TEST(test_default_deny),
        TEST(test_policies),
        TEST(test_os_lock),
        TEST(test_mdscr),
        TEST(test_breakpoints),
        TEST(test_debug_raz_wi),
        TEST(test_sgi),
        TEST(test_timer),
        TEST(test_set_way),
        TEST(test_set_way_forms),
        TEST(test_every_encoding),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
