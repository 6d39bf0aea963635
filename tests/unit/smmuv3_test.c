/* SPDX-License-Identifier: MIT */
/*
 * The driver of the SMMU: what it refuses, how it starts, what streams reach, open and closed, on
 * an SMMU that reads its tables and commands from memory (tests/host/smmu.h). Each test is a boot
 * of its own.
 */
#include "arch/arm-common/smmuv3.h"

#include "core/board.h"
#include "core/dma.h"
#include "core/page.h"
#include "core/vm.h"
#include "tests/host/boots.h"
#include "tests/host/devmem.h"
#include "tests/host/said.h"
#include "tests/host/smmu.h"
#include "tests/host/smmuvms.h"

#include <string.h>

/* Of the state in which firmware and Muntin leave it (IHI 0070 §6.3) */
#define CR0      0x20
#define CR1      0x28
#define CR2      0x2c
#define GBPA     0x44
#define IRQ_CTRL 0x50
#define GERROR   0x60
#define GERRORN  0x64
#define EV_PROD  0x100a8

/* The commands that were consumed since, and no others. */
static void expect_commands(const u64 *word0, u32 count)
{
    assert_int_equal(smmu.cmds, count);
    for (u32 i = 0; i < count; i++) {
        assert_int_equal(smmu.cmd[i].word[0], word0[i]);
    }
    smmu.cmds = 0;
}

/* --- before any VM is there --- */

static void aborts_before_it_is_off(u32 offset, bool write)
{
    if (offset == CR0 && write) {
        assert_int_equal(smmu_reg(GBPA), 1u << 20);
    }
}

static void test_nothing_passes(void **state)
{
    (void)state;
    smmuvms_power_on(true);
    smmu.meanwhile = aborts_before_it_is_off;
    smmu_init(&smmuvms_board);
    assert_false(smmuvms_can(VMS_A, VMS_RAM, true));
    assert_false(smmuvms_can(VMS_OTHER, 0x80000000u, false));
    assert_int_equal(smmu_reg(CR0), 0);
    assert_int_equal(smmu_reg(IRQ_CTRL), 0);
    assert_int_equal(said_count("SMMU"), 0);
    assert_true(smmu_start()); /* nobody has a stream: it stays as it is */
    assert_int_equal(smmu_reg(CR0), 0);
}

static void test_none(void **state)
{
    static struct board no = {.smmu = {.reg = {SMMU_BASE, SMMU_SIZE / 2}}};

    (void)state;
    smmuvms_power_on(true);
    smmu_init(&no);
    assert_int_equal(devmem_accesses, 0);
    assert_false(dma_add(&smmuvms_one, VMS_A, 0));
    assert_int_equal(said_count("one: the board has no SMMU that Muntin can use"), 1);
    smmu_open(VMS_A, true);
    assert_true(smmu_start());
    assert_int_equal(devmem_accesses, 0);
}

/* It aborts all the same. */
static void expect_refusal(const char *text)
{
    smmu_init(&smmuvms_board);
    assert_int_equal(said_count(text), 1);
    assert_false(dma_add(&smmuvms_one, VMS_A, 0));
    assert_false(smmuvms_can(VMS_A, VMS_RAM, false));
    said_clear();
}

static void test_lacks(void **state)
{
    static const struct {
        u32 idr0, idr1, idr5; /* bits that are other than usual */
        const char *lacks;
    } cases[] = {
        {1u << 0, 0, 0, "stage 2 with VMSAv8-64 tables"},
        {2u << 2, 0, 0, "stage 2 with VMSAv8-64 tables"},
        {1u << 21, 0, 0, "little-endian tables"},
        {2u << 24, 0, 0, "faults without a stall"},
        {0, 0, 1u << 4, "pages of 4 KiB"},
        {0, 1u << 29, 0, "tables and queues of ours"},
        {0, 1u << 30, 0, "tables and queues of ours"},
        {0, 23u << 21, 0, "queues that are long enough"}, /* 2^4 commands */
        {0, 21u << 16, 0, "queues that are long enough"}, /* 2^6 events */
    };
    struct smmu usual;

    (void)state;
    smmuvms_power_on(true);
    usual = smmu;
    for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
        smmu.idr0 = usual.idr0 ^ cases[i].idr0;
        smmu.idr1 = usual.idr1 ^ cases[i].idr1;
        smmu.idr5 = usual.idr5 ^ cases[i].idr5;
        expect_refusal(cases[i].lacks);
    }
    smmu.idr1 = usual.idr1 & ~(31u << 21 | 31u << 16);
    smmu.idr1 |= 5u << 21 | 7u << 16;            /* just long enough */
    smmu.idr0 = usual.idr0 | 1u << 24 | 1u << 2; /* can't stall; tables of 32 bits, too */
    smmu.idr5 = usual.idr5;
    smmu_init(&smmuvms_board);
    assert_true(dma_add(&smmuvms_one, VMS_A, 0));
    assert_true(smmu_start());
    dma_open(VMS_A, true);
    assert_int_equal(smmuvms_to(VMS_A, VMS_RAM), 0x80200000u);
}

static void test_stuck(void **state)
{
    (void)state;
    smmuvms_power_on(true);
    smmu.stuck = IRQ_CTRL;
    smmu_init(&smmuvms_board);
    assert_int_equal(said_count("SMMU: register 0x54 does not become 0x0"), 1);
    assert_false(dma_add(&smmuvms_one, VMS_A, 0));
    smmu.stuck = GBPA;
    smmu_init(&smmuvms_board);
    assert_int_equal(said_count("SMMU: register 0x44 does not become 0x0"), 1);
    assert_false(dma_add(&smmuvms_one, VMS_A, 0));
}

static void test_stays_on_at_boot(void **state)
{
    (void)state;
    smmuvms_power_on(true);
    smmu.stuck = CR0;
    smmu_init(&smmuvms_board);
    assert_int_equal(said_count("SMMU: register 0x24 does not become 0x0"), 1);
    assert_false(dma_add(&smmuvms_one, VMS_A, 0));
}

/* --- what may be attached --- */

static void test_attach(void **state)
{
    static struct vm high = {.name = "high", .mem = {.count = 1}};
    struct gmem_region *r = &high.mem.region[0];

    (void)state;
    smmuvms_power_on(true);
    smmu.idr1 = 10u | 19u << 16 | 19u << 21; /* bits of a stream */
    smmu.idr5 = 2u | 1u << 4;                /* 40 bits of addresses */
    smmuvms_ipa_bits = 44;
    smmu_init(&smmuvms_board);
    assert_false(dma_add(&smmuvms_one, 0x400, 0));
    assert_int_equal(said_count("one: the SMMU has no stream 0x400"), 1);
    *r = (struct gmem_region){.base = VMS_RAM, .size = MIB, .host = (1ull << 40) - MIB / 2};
    assert_false(dma_add(&high, VMS_A, 0));
    assert_int_equal(said_count("high: the SMMU doesn't reach its memory at 0x40000000"), 1);
    *r = (struct gmem_region){.base = (1ull << 40) - MIB / 2, .size = MIB, .host = VMS_RAM};
    assert_false(dma_add(&high, VMS_A, 0));
    assert_int_equal(said_count("high: the SMMU doesn't reach its memory at 0xfffff80000"), 1);
    *r = (struct gmem_region){.base = (1ull << 40) - MIB, .size = MIB, .host = (1ull << 40) - MIB};
    assert_true(dma_add(&high, VMS_A, 0));
    assert_true(dma_add(&smmuvms_one, 0x3ff, 0));
    assert_true(smmu_start());
    dma_open(VMS_A, true);
    assert_true(smmuvms_can(VMS_A, (1ull << 40) - 1, false));
    assert_false(smmuvms_can(VMS_A, 1ull << 40, false));
    dma_open(0x3ff, true);
    assert_true(smmuvms_can(0x3ff, VMS_RAM, true));
}

static void test_no_memory(void **state)
{
    (void)state;
    smmuvms_power_on(true);
    smmu_init(&smmuvms_board);
    page_reserve(0, ALIGN_DOWN(UINT64_MAX, (u64)PAGE_SIZE));
    page_add(DEVMEM_BASE, 2 * PAGE_SIZE);
    assert_false(dma_add(&smmuvms_one, VMS_A, VMS_FRAME));
    assert_int_equal(said_count("one: no memory for the tables of its devices"), 1);
    page_add(DEVMEM_BASE, 16 * PAGE_SIZE);
    assert_true(dma_add(&smmuvms_one, VMS_A, VMS_FRAME));
    page_reserve(DEVMEM_BASE, DEVMEM_SIZE);
    page_add(DEVMEM_BASE, 2 * PAGE_SIZE);
    assert_false(smmu_start());
    assert_int_equal(said_count("SMMU: no memory for its tables"), 1);
    devmem_accesses = 0;
    smmu_open(VMS_A, true);
    assert_int_equal(devmem_accesses, 0);
    assert_false(smmuvms_can(VMS_A, VMS_RAM, true));
}

/* --- translation --- */

static void test_start(void **state)
{
    static const u64 forget[] = {0x04, 0x20, 0x30, 0x46};
    u64 ste[8];

    (void)state;
    smmuvms_power_on(true);
    smmu_init(&smmuvms_board);
    assert_true(dma_add(&smmuvms_one, VMS_A, VMS_FRAME));
    assert_true(dma_add(&smmuvms_two, VMS_OTHER, 0));
    assert_true(smmu_start());
    expect_commands(forget, 4);
    assert_int_equal(smmu_reg(CR0), 0xd);
    assert_int_equal(smmu_reg(CR1), 0xd75); /* all write-back, inner shareable (§6.3.11) */
    assert_int_equal(smmu_reg(CR2), 4);     /* private TLB, no E2H, no RECINVSID */
    assert_int_equal(smmu_reg(GERROR), smmu_reg(GERRORN));
    assert_true(smmuvms_edge && smmuvms_enabled);
    assert_int_equal(smmu_reg(IRQ_CTRL), 5);
    for (u32 sid = 0; sid < 0x40; sid++) {
        smmu_entry(sid, ste);
        assert_int_equal(ste[0], 1); /* valid, abort without an event */
        assert_false(smmuvms_can(sid, VMS_RAM, true));
    }
    assert_false(smmuvms_can(0x40, VMS_RAM, true));
    smmu_entry(VMS_OTHER, ste);
    assert_int_equal(ste[1], 1ull << 44);
    /* VMID 5, 40 bits from level 1, write-back walks, inner shareable, 48 bits, AA64, AFFD, R */
    assert_int_equal(ste[2], 5 | 24ull << 32 | 1ull << 38 | 5ull << 40 | 3ull << 44 | 5ull << 48 |
                                 1ull << 51 | 1ull << 53 | 1ull << 58);
    assert_int_equal(ste[4] | ste[5] | ste[6] | ste[7], 0);
    assert_int_equal(smmu_reg(EV_PROD), 0);
}

static void test_no_el2(void **state)
{
    static const u64 forget[] = {0x04, 0x30, 0x46};

    (void)state;
    smmuvms_power_on(true);
    smmu.idr0 &= ~(1u << 9);
    smmu_init(&smmuvms_board);
    assert_true(dma_add(&smmuvms_one, VMS_A, VMS_FRAME));
    assert_true(smmu_start());
    expect_commands(forget, 3);
}

static void test_start_fails(void **state)
{
    (void)state;
    smmuvms_power_on(true);
    smmu_init(&smmuvms_board);
    assert_true(dma_add(&smmuvms_one, VMS_A, VMS_FRAME));
    smmu.hangs = true;
    assert_false(smmu_start());
    assert_int_equal(said_count("it doesn't do what it's told"), 1);
    assert_int_equal(smmu_reg(CR0), 0);
    smmu.hangs = false;
    dma_open(VMS_A, true);
    assert_int_equal(smmu.cmds, 0);
    assert_false(smmuvms_can(VMS_A, VMS_RAM, true));
}

static void check_reach(void)
{
    dma_open(VMS_A, true);
    dma_open(VMS_OTHER, true);
    assert_int_equal(smmuvms_to(VMS_A, VMS_RAM), 0x80200000u);
    assert_int_equal(smmuvms_to(VMS_A, VMS_RAM + 6 * MIB - 1), 0x80200000u + 6 * MIB - 1);
    assert_int_equal(smmuvms_to(VMS_A, VMS_FRAME + 0x40), VMS_DOORBELL + 0x40);
    assert_true(smmuvms_can(VMS_A, VMS_ROM + 0xfff8, false));
    assert_int_equal(smmuvms_to(VMS_OTHER, VMS_RAM + 0x1234), 0xa0201234u);
    smmuvms_take_irqs();
    assert_int_equal(said_count("not its VM's memory"), 0);

    assert_false(smmuvms_can(VMS_A, VMS_ROM, true));
    assert_false(smmuvms_can(VMS_A, VMS_ROM + 64 * KIB, false));
    assert_false(smmuvms_can(VMS_A, VMS_RAM - 1, false));
    assert_false(smmuvms_can(VMS_A, VMS_RAM + 6 * MIB, true));
    assert_false(smmuvms_can(VMS_A, VMS_FRAME + PAGE_SIZE, true));
    assert_false(smmuvms_can(VMS_A, 0x80200000u, true)); /* by the board's address */
    assert_false(smmuvms_can(VMS_OTHER, VMS_RAM + 2 * MIB, true));
    assert_false(smmuvms_can(VMS_OTHER, VMS_FRAME, true)); /* it was given none */
    assert_false(smmuvms_can(VMS_OTHER, 0, true));
    assert_false(smmuvms_can(VMS_B, VMS_RAM, true)); /* not opened */
    smmuvms_take_irqs();
    assert_int_equal(said_count("(stream 0x10) writes to 0x8000000,"), 1);
    assert_int_equal(said_count("(stream 0x10) reads 0x8010000,"), 1);
    assert_int_equal(said_count("(stream 0x10) reads 0x3fffffff,"), 1);
    assert_int_equal(said_count("two: warning: a device (stream 0x23) writes to 0x40200000,"), 1);
    assert_int_equal(said_count("(stream 0x11)"), 0);
}

static void test_reach(void **state)
{
    (void)state;
    smmuvms_start(true);
    check_reach();
}

/* The same where nothing that isn't cleaned gets to the SMMU, nor the other way round. */
static void test_reach_not_coherent(void **state)
{
    u64 ste[8];

    (void)state;
    smmuvms_start(false);
    assert_int_equal(smmu_reg(CR1), 0);
    smmu_entry(VMS_A, ste);
    assert_int_equal(ste[2] >> 40 & 15, 0); /* nor are its walks cacheable */
    check_reach();
    for (u32 i = 0; i < 200; i++) { /* the queue's lines come again */
        dma_open(VMS_B, true);
        assert_true(smmuvms_can(VMS_B, VMS_RAM, true));
        dma_open(VMS_B, false);
        assert_false(smmuvms_can(VMS_B, VMS_RAM, true));
    }
}

static void test_level_0(void **state)
{
    u64 ste[8];

    (void)state;
    smmuvms_ipa_bits = 48;
    smmuvms_start(true);
    smmu_entry(VMS_A, ste);
    assert_int_equal(ste[2] >> 32 & 0xff, 16 | 2 << 6);
    check_reach();
}

/* --- open and closed --- */

static u64 before[8];

/* All but the first word is as it was, which is one of two: an SMMU may read it at any time. */
static void entry_is_whole(u32 offset, bool write)
{
    u64 ste[8];

    (void)offset;
    (void)write;
    smmu_entry(VMS_A, ste);
    assert_true(ste[0] == 1 || ste[0] == 13);
    assert_memory_equal(ste + 1, before + 1, 56);
    (void)smmuvms_can(VMS_A, VMS_RAM, true); /* and what it has read it keeps */
}

static void test_open_close(void **state)
{
    static const u64 change[] = {(u64)VMS_A << 32 | 3, 0x46};

    (void)state;
    smmuvms_start(true);
    smmu_entry(VMS_A, before);
    smmu.meanwhile = entry_is_whole;
    for (u32 i = 0; i < 3; i++) {
        dma_open(VMS_A, true);
        expect_commands(change, 2);
        assert_true(smmuvms_can(VMS_A, VMS_RAM, true));
        assert_false(smmuvms_can(VMS_B, VMS_RAM, true));
        dma_open(VMS_A, false);
        expect_commands(change, 2);
        assert_false(smmuvms_can(VMS_A, VMS_RAM, true));
    }
    smmuvms_take_irqs();
    assert_int_equal(said_count("not its VM's"), 0); /* a closed stream is no event */
    dma_open(0x30, true);                            /* nobody's */
    assert_int_equal(smmu.cmds, 0);
}

/* The SMMU takes commands when it likes, and the queue comes round, with its wrap flag. */
static void test_queue_wraps(void **state)
{
    (void)state;
    smmuvms_start(true);
    smmu.slow = 4;
    for (u32 i = 0; i < 100; i++) {
        u32 sid = i % 2 == 0 ? VMS_A : VMS_B;

        dma_open(sid, i % 4 < 2);
        assert_int_equal(smmu.cmds, 2);
        assert_int_equal(smmu.cmd[0].word[0], (u64)sid << 32 | 3);
        assert_int_equal(smmu.cmd[1].word[0], 0x46);
        smmu.cmds = 0;
        assert_true(smmuvms_can(sid, VMS_RAM, true) == (i % 4 < 2));
    }
    assert_int_equal(said_count("SMMU"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_passes),
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_lacks),
        cmocka_unit_test(test_stuck),
        cmocka_unit_test(test_stays_on_at_boot),
        cmocka_unit_test(test_attach),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_start),
        cmocka_unit_test(test_no_el2),
        cmocka_unit_test(test_start_fails),
        cmocka_unit_test(test_reach),
        cmocka_unit_test(test_reach_not_coherent),
        cmocka_unit_test(test_level_0),
        cmocka_unit_test(test_open_close),
        cmocka_unit_test(test_queue_wraps),
    };

    return boots_run(tests, ARRAY_SIZE(tests));
}
