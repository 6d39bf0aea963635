/* SPDX-License-Identifier: MIT */
/*
 * What AArch32 adds: coprocessor registers by their instruction's numbers, conditions, IT blocks,
 * register numbers, and the state in which an exception is taken.
 */
#include "arch/arm-common/vcp15.h"

#include "arch/arm-common/clock.h"
#include "arch/arm-common/aarch32.h"
#include "arch/arm-common/idspace.h"
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

static struct vm vm;
static struct vcpu vcpu;
static struct vm_config cfg;
static struct vsysreg regs;
static struct vsysreg_ids host;
static u64 last_sgi;
static u64 value;
static char said[200];

static void keep(const char *line, size_t len)
{
    fmt_print(said, sizeof(said), "%.*s", (int)len, line);
}

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

static void sgi(struct vcpu *v, u64 sgi_value)
{
    (void)v;
    last_sgi = sgi_value;
}

static const struct irqchip irqchip = {.set_line = set_line, .sgi = sgi};

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
    host_now_ns = 0x1122334455667788;
    last_sgi = 0;
    for (u32 i = 0; i < ARRAY_SIZE(host.id); i++) {
        host.id[i] = 0x11111111u;
    }
    host.revidr = 0x77;
    vsysreg_init(&host, 40, true, true);
    vsysreg_create(&regs, &vcpu);
    vsysreg_reset(&regs);
    return 0;
}

/* MRC, or VMRS; the result is in `value`. */
static enum vsysreg_result mrc_ec(u32 ec, u32 opc1, u32 crn, u32 crm, u32 opc2)
{
    u32 esr = ec << 26 | 0x3e00000 | opc2 << 17 | opc1 << 14 | crn << 10 | 5 << 5 | crm << 1 | 1;

    assert_true(vcp15_is(esr));
    assert_false(vcp15_is_wide(esr));
    value = 0xdead;
    return vcp15_access(&regs, esr, &value);
}

static enum vsysreg_result mrc15(u32 opc1, u32 crn, u32 crm, u32 opc2)
{
    return mrc_ec(EC_CP15_MCR, opc1, crn, crm, opc2);
}

static enum vsysreg_result mcr15(u32 opc1, u32 crn, u32 crm, u32 opc2, u64 v)
{
    return vcp15_access(
        &regs, EC_CP15_MCR << 26 | opc2 << 17 | opc1 << 14 | crn << 10 | 5 << 5 | crm << 1, &v);
}

static enum vsysreg_result mrrc(u32 ec, u32 opc1, u32 crm)
{
    u32 esr = ec << 26 | opc1 << 16 | 7 << 10 | 5 << 5 | crm << 1 | 1;

    assert_true(vcp15_is(esr) && vcp15_is_wide(esr));
    assert_int_equal(vcp15_rt2(esr), 7);
    value = 0xdead;
    return vcp15_access(&regs, esr, &value);
}

static enum vsysreg_result mcrr15(u32 opc1, u32 crm, u64 v)
{
    return vcp15_access(&regs, EC_CP15_MCRR << 26 | opc1 << 16 | 7 << 10 | 5 << 5 | crm << 1, &v);
}

static void test_ids(void **state)
{
    (void)state;
    assert_int_equal(mrc15(0, 0, 1, 0), SYSREG_DONE); /* ID_PFR0 */
    assert_int_equal(value, vsysreg_id(ID_PFR0));
    assert_int_equal(mrc15(0, 0, 1, 1), SYSREG_DONE); /* ID_PFR1: VBAR without EL3 */
    assert_int_equal(value, vsysreg_id(ID_PFR1) | 0x100000);
    assert_int_equal(value & 0xf0f0, 0);              /* neither virtualization nor security */
    assert_int_equal(mrc15(0, 0, 1, 2), SYSREG_DONE); /* ID_DFR0: neither debug nor PMU */
    assert_int_equal(value, 0xf000000);
    for (u32 opc2 = 4; opc2 < 8; opc2++) {
        assert_int_equal(mrc15(0, 0, 1, opc2), SYSREG_DONE); /* ID_MMFR0 to 3 */
        assert_int_equal(value, 0x11111111);
    }
    assert_int_equal(mrc15(0, 0, 2, 5), SYSREG_DONE); /* ID_ISAR5 */
    assert_int_equal(value, 0x11111111);
    assert_int_equal(mrc15(0, 0, 3, 4), SYSREG_DONE); /* ID_PFR2 */
    assert_int_equal(value, vsysreg_id(ID_PFR2));
    /* MVFRs by VMRS only, and nothing of AArch64's */
    for (u32 crm = 3; crm < 8; crm++) {
        for (u32 opc2 = 0; opc2 < (crm == 3 ? 4 : 8); opc2++) {
            assert_int_equal(mrc15(0, 0, crm, opc2), SYSREG_DONE);
            assert_int_equal(value, 0);
        }
    }
    for (u32 reg = 5; reg < 8; reg++) {
        assert_int_equal(mrc_ec(EC_VMRS, 7, reg, 0, 0), SYSREG_DONE);
        assert_int_equal(value, 0x11111111);
    }
    assert_int_equal(mrc15(0, 0, 0, 6), SYSREG_DONE);
    assert_int_equal(value, 0x77);
    assert_int_equal(mcr15(0, 0, 1, 0, 1), SYSREG_UNDEF);
    assert_int_equal(mcr15(0, 0, 5, 0, 1), SYSREG_UNDEF);
}

static void test_timer_and_gic(void **state)
{
    (void)state;
    assert_int_equal(mrrc(EC_CP15_MCRR, 0, 14), SYSREG_DONE); /* CNTPCT */
    assert_int_equal(value, host_now_ns - 1000);
    assert_int_equal(mcrr15(2, 14, host_now_ns), SYSREG_DONE); /* CNTP_CVAL */
    assert_int_equal(mrrc(EC_CP15_MCRR, 2, 14), SYSREG_DONE);
    assert_int_equal(value, host_now_ns);
    assert_int_equal(mrc15(0, 14, 2, 0), SYSREG_DONE); /* CNTP_TVAL */
    assert_int_equal(value, 1000);
    assert_int_equal(mcr15(0, 14, 2, 1, 3), SYSREG_DONE); /* CNTP_CTL */
    assert_int_equal(mrc15(0, 14, 2, 1), SYSREG_DONE);
    assert_int_equal(value, 3);
    assert_int_equal(mcrr15(0, 12, 0x123456789), SYSREG_DONE); /* ICC_SGI1R */
    assert_int_equal(last_sgi, 0x123456789);
    assert_int_equal(mcrr15(1, 12, 1), SYSREG_DONE); /* ICC_ASGI1R: no such group */
    assert_int_equal(mcrr15(2, 12, 1), SYSREG_DONE); /* ICC_SGI0R */
    assert_int_equal(last_sgi, 0x123456789);
    assert_int_equal(mrrc(EC_CP15_MCRR, 0, 12), SYSREG_UNDEF);
    assert_int_equal(mrc15(0, 12, 12, 5), SYSREG_DONE); /* ICC_SRE */
    assert_int_equal(value, 7);
}

static void test_maintenance(void **state)
{
    (void)state;
    assert_int_equal(mcr15(0, 7, 6, 2, 0), SYSREG_DONE); /* DCISW, DCCSW, DCCISW */
    assert_int_equal(mcr15(0, 7, 10, 2, 0), SYSREG_DONE);
    assert_int_equal(mcr15(0, 7, 14, 2, 0), SYSREG_DONE);
    assert_int_equal(mrc15(0, 7, 14, 2), SYSREG_UNDEF);
    assert_int_equal(mrc15(0, 1, 0, 1), SYSREG_DONE); /* ACTLR */
    assert_int_equal(value, 0);
    assert_int_equal(mcr15(0, 1, 0, 1, 1 << 6), SYSREG_DONE);
    assert_int_equal(mrc15(0, 0, 0, 3), SYSREG_DONE); /* TLBTR */
    assert_int_equal(value, 0);
}

/* Debug and PMU: there's none, and the registers that say so are readable. */
static void test_denied(void **state)
{
    static const u8 readable[][3] = {{0, 0, 0}, {0, 1, 0}, {1, 0, 0}, {2, 0, 0}};

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(readable); i++) {
        assert_int_equal(mrc_ec(EC_CP14_MCR, 0, readable[i][0], readable[i][1], readable[i][2]),
                         SYSREG_DONE);
        assert_int_equal(value, 0);
    }
    assert_int_equal(mrrc(EC_CP14_MCRR, 0, 1), SYSREG_DONE); /* DBGDRAR */
    assert_int_equal(value, 0);
    assert_int_equal(vm.sysreg_unknown, 0);
    assert_int_equal(mrc_ec(EC_CP14_MCR, 0, 0, 0, 5), SYSREG_UNDEF); /* DBGBCR0 */
    assert_int_equal(mrc_ec(EC_CP14_MCR, 0, 1, 0, 4), SYSREG_UNDEF); /* DBGOSLAR */
    assert_int_equal(mrc15(0, 9, 12, 0), SYSREG_UNDEF);              /* PMCR */
    assert_int_equal(mrrc(EC_CP15_MCRR, 0, 9), SYSREG_UNDEF);        /* PMCCNTR */
    assert_int_equal(mrc15(1, 9, 0, 2), SYSREG_UNDEF);               /* L2CTLR */
    assert_int_equal(mrc_ec(EC_VMRS, 7, 0, 0, 0), SYSREG_UNDEF);     /* FPSID: not trapped */
    assert_int_equal(vm.sysreg_unknown, 6);
    cfg.on_register = POLICY_IGNORE;
    assert_int_equal(mrc15(0, 9, 12, 0), SYSREG_DONE);
    assert_int_equal((u32)value, UINT32_MAX);
    cfg.on_register = POLICY_ABORT;
    cfg.log_set = UINT32_MAX;
    log_sink = keep;
    assert_int_equal(mrc15(0, 9, 12, 0), SYSREG_STOP);
    log_sink = NULL;
    assert_string_equal(said,
                        ": error: read of a coprocessor's register, syndrome 0x2419: stopped, "
                        "as configured");
}

/* Nothing that a syndrome can say is a surprise, or reaches a register of AArch64's alone. */
static void test_every_encoding(void **state)
{
    static const u8 ecs[] = {0x03, 0x04, 0x05, 0x08, 0x0c};
    u32 done = 0;

    (void)state;
    for (u32 e = 0; e < ARRAY_SIZE(ecs); e++) {
        for (u32 i = 0; i < 1u << 20; i++) {
            u64 v = i;
            enum vsysreg_result r = vcp15_access(&regs, (u32)ecs[e] << 26 | i, &v);

            assert_true(r == SYSREG_DONE || r == SYSREG_UNDEF);
            done += r == SYSREG_DONE && (i & (31u << 5)) == 0 &&
                    ((e != 1 && e != 4) || (i >> 10 & 63) == 0);
        }
    }
    assert_int_equal(vcp15_is(0x06u << 26) || vcp15_is(0x07u << 26) || vcp15_is(0x18u << 26), 0);
    assert_true(done > 60 && done < 200);
    assert_int_equal(regs.mdscr, 0);
    assert_true(regs.os_lock);
}

static void test_conditions(void **state)
{
    (void)state;
    for (u32 flags = 0; flags < 16; flags++) {
        bool n = flags & 8, z = flags & 4, c = flags & 2, v = flags & 1;
        bool expected[16] = {z,    !z,      c,          !c,     n,      !n,           v,
                             !v,   c && !z, !(c && !z), n == v, n != v, !z && n == v, z || n != v,
                             true, true};

        for (u32 cond = 0; cond < 16; cond++) {
            u32 esr = EC_CP15_MCR << 26 | ISS32_CV | cond << 20;

            assert_int_equal(aarch32_holds(cond, flags << 28), expected[cond]);
            assert_int_equal(aarch32_executes(esr, flags << 28 | MODE_SVC), expected[cond]);
            /* T32, the condition in the IT block: IT[7:4]. In A32 without CV it's always. */
            esr = EC_CP15_MCR << 26;
            assert_int_equal(
                aarch32_executes(esr, flags << 28 | MODE_SVC | SPSR32_T | cond << 12 | 2 << 10),
                expected[cond]);
            assert_true(aarch32_executes(esr, flags << 28 | MODE_SVC | cond << 12 | 2 << 10));
            assert_true(aarch32_executes(esr, flags << 28 | MODE_SVC | SPSR32_T));
        }
    }
}

static u32 with_it(u32 it)
{
    return 0x6000003f | (it & 0xfc) << 8 | (it & 3) << 25;
}

static void test_it_advance(void **state)
{
    (void)state;
    for (u32 it = 0; it < 256; it++) {
        u32 next = (it & 7) == 0 ? 0 : (it & 0xe0) | (it << 1 & 0x1f);

        assert_int_equal(aarch32_it(with_it(it)), it);
        assert_int_equal(aarch32_it_advance(with_it(it)), with_it(next));
    }
}

static void test_register_view(void **state)
{
    static const struct {
        u8 mode, lr, sp, r8;
    } view[] = {
        {MODE_USR, 14, 13, 8}, {MODE_SYS, 14, 13, 8}, {MODE_FIQ, 30, 29, 24}, {MODE_IRQ, 16, 17, 8},
        {MODE_SVC, 18, 19, 8}, {MODE_ABT, 20, 21, 8}, {MODE_UND, 22, 23, 8},
    };

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(view); i++) {
        for (u32 n = 0; n < 8; n++) {
            assert_int_equal(aarch32_register(n, view[i].mode), n);
        }
        for (u32 n = 8; n < 13; n++) {
            assert_int_equal(aarch32_register(n, view[i].mode), n - 8u + view[i].r8);
        }
        assert_int_equal(aarch32_register(13, view[i].mode), view[i].sp);
        assert_int_equal(aarch32_register(14, view[i].mode), view[i].lr);
        assert_int_equal(aarch32_register(15, view[i].mode), 31);
        /* what is the AArch64 number already stays */
        for (u32 n = 16; n < 32; n++) {
            assert_int_equal(aarch32_register(n, view[i].mode), n);
        }
    }
}

static void test_exception_entry(void **state)
{
    static const struct aarch32_exception undef = {MODE_UND, 4, 4, 2, false};
    static const struct aarch32_exception abort = {MODE_ABT, 16, 8, 8, true};
    u32 busy = 0xfff00000 | SPSR32_IT | 0xf0000 | SPSR32_E | SPSR32_T | MODE_USR;

    (void)state;
    /* little-endian ARM; IT, SS, IL are gone; F and A as they were */
    assert_int_equal(aarch32_entry(&undef, MODE_USR, SCTLR32_SPAN, true), SPSR32_I | MODE_UND);
    assert_int_equal(aarch32_entry(&undef, MODE_USR | SPSR32_F, SCTLR32_SPAN, true),
                     SPSR32_I | SPSR32_F | MODE_UND);
    assert_int_equal(aarch32_entry(&abort, MODE_SVC, SCTLR32_SPAN, true),
                     SPSR32_I | SPSR32_A | MODE_ABT);
    assert_int_equal(aarch32_entry(&undef, busy, SCTLR32_SPAN, true),
                     0xf80f0000 | SPSR32_DIT | SPSR32_PAN | SPSR32_I | MODE_UND);
    assert_int_equal(aarch32_entry(&undef, 0, SCTLR32_SPAN | SCTLR32_TE | SCTLR32_EE, true),
                     SPSR32_T | SPSR32_E | SPSR32_I | MODE_UND);
    assert_int_equal(aarch32_entry(&undef, 0, 0, true), SPSR32_PAN | SPSR32_I | MODE_UND);
    assert_int_equal(aarch32_entry(&undef, 0, 0, false), SPSR32_I | MODE_UND);
    assert_int_equal(aarch32_entry(&undef, 0, SCTLR32_DSSBS, false),
                     SPSR32_SSBS | SPSR32_I | MODE_UND);
    /* banked: DIT has another place, and there's no SS */
    assert_int_equal(aarch32_banked_spsr(SPSR32_DIT | MODE_SVC), BIT(21) | MODE_SVC);
    assert_int_equal(aarch32_banked_spsr(SPSR32_SS | SPSR32_IT | MODE_SVC), SPSR32_IT | MODE_SVC);
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_ids),        TEST(test_timer_and_gic),  TEST(test_maintenance),
        TEST(test_denied),     TEST(test_every_encoding), TEST(test_conditions),
        TEST(test_it_advance), TEST(test_register_view),  TEST(test_exception_entry),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
