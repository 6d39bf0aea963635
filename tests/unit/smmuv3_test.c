/* SPDX-License-Identifier: MIT */
/*
 * The driver of the SMMU, and core/dma.c on top of it, on an SMMU that reads its tables and
 * commands from memory (tests/host/smmu.h). Each test is a boot of its own.
 */
#include "arch/arm-common/smmuv3.h"

#include "arch/arm-common/boot.h"
#include "arch/arm-common/irqs.h"
#include "arch/arm-common/stage2.h"
#include "core/board.h"
#include "core/dma.h"
#include "core/page.h"
#include "core/pass.h"
#include "core/vm.h"
#include "tests/host/boots.h"
#include "tests/host/devmem.h"
#include "tests/host/smmu.h"

#include <string.h>

#define RAM      0x40000000u /* guests' */
#define ROM      0x08000000u
#define FRAME    0x20000000u
#define DOORBELL 0x08090000u
#define A        0x10 /* streams */
#define B        0x11
#define OTHER    0x23

/* Of the state in which firmware and Muntin leave it */
#define CR0      0x20
#define CR0ACK   0x24
#define CR1      0x28
#define CR2      0x2c
#define GBPA     0x44
#define IRQ_CTRL 0x50
#define GERROR   0x60
#define GERRORN  0x64
#define CONS     0x9c
#define EV_PROD  0x100a8
#define EV_CONS  0x100ac

/* --- what the driver needs of others --- */

struct host_irqs host_irqs = {.smmu = SMMU_INTID};
static u32 ipa_bits = 40, pended;
static bool edge, enabled;

bool boot_map_device(hpa_t base, u64 size)
{
    assert_int_equal(base, SMMU_BASE);
    return size != 0;
}

u32 stage2_ipa_bits(void)
{
    return ipa_bits;
}

void gic_setup_spi(u32 intid, bool is_edge)
{
    assert_int_equal(intid, SMMU_INTID);
    edge = is_edge;
}

void gic_enable(u32 intid, bool on)
{
    assert_int_equal(intid, SMMU_INTID);
    enabled = on;
}

void gic_spi_pend(u32 intid)
{
    assert_int_equal(intid, SMMU_INTID);
    pended++;
}

static bool attach(struct vm *vm, u32 stream, u64 frame)
{
    return smmu_attach(vm, stream, frame, DOORBELL);
}

static const struct pass_hw hw = {.dma_attach = attach, .dma_open = smmu_open};

/* --- a board with two VMs --- */

static struct board board = {.smmu = {.reg = {SMMU_BASE, SMMU_SIZE}, .intid = SMMU_INTID}};
static struct vm one = {
    .name = "one",
    .index = 3,
    .mem = {.count = 2,
            .region = {{.base = RAM, .size = 6 * MIB, .host = 0x80200000u, .writable = true},
                       {.base = ROM, .size = 64 * KIB, .host = 0x90003000u}}}};
static struct vm two = {
    .name = "two",
    .index = 4,
    .mem = {.count = 1,
            .region = {{.base = RAM, .size = 2 * MIB, .host = 0xa0200000u, .writable = true}}}};

static bool can(u32 sid, u64 address, bool write)
{
    u64 pa;

    return smmu_dma(sid, address, write, &pa);
}

static u64 comes_out(u32 sid, u64 address)
{
    u64 pa;

    assert_true(smmu_dma(sid, address, true, &pa));
    return pa;
}

static void take_irqs(void)
{
    while (smmu.irqs != 0 || pended != 0) {
        smmu.irqs = pended = 0;
        smmu_irq();
    }
}

static void up_to_start(bool coherent)
{
    smmu_power_on(coherent);
    pass_hw = &hw;
}

static void start_with(bool coherent)
{
    up_to_start(coherent);
    smmu_init(&board);
    assert_true(dma_add(&one, A, FRAME));
    assert_true(dma_add(&one, B, FRAME));
    assert_true(dma_add(&two, OTHER, 0));
    assert_true(smmu_start());
    assert_int_equal(devmem_said("SMMU"), 0);
    smmu.cmds = 0;
}

static void start(void)
{
    start_with(true);
}

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
    up_to_start(true);
    smmu.meanwhile = aborts_before_it_is_off;
    smmu_init(&board);
    assert_false(can(A, RAM, true));
    assert_false(can(OTHER, 0x80000000u, false));
    assert_int_equal(smmu_reg(CR0), 0);
    assert_int_equal(smmu_reg(IRQ_CTRL), 0);
    assert_int_equal(devmem_said("SMMU"), 0);
    assert_true(smmu_start()); /* nobody has a stream: it stays as it is */
    assert_int_equal(smmu_reg(CR0), 0);
}

static void test_none(void **state)
{
    static struct board no = {.smmu = {.reg = {SMMU_BASE, SMMU_SIZE / 2}}};

    (void)state;
    up_to_start(true);
    smmu_init(&no);
    assert_int_equal(devmem_accesses, 0);
    assert_false(dma_add(&one, A, 0));
    assert_int_equal(devmem_said("one: the board has no SMMU that Muntin can use"), 1);
    smmu_open(A, true);
    assert_true(smmu_start());
    assert_int_equal(devmem_accesses, 0);
}

/* It aborts all the same. */
static void expect_refusal(const char *text)
{
    smmu_init(&board);
    assert_int_equal(devmem_said(text), 1);
    assert_false(dma_add(&one, A, 0));
    assert_false(can(A, RAM, false));
    devmem_hush();
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
    up_to_start(true);
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
    smmu_init(&board);
    assert_true(dma_add(&one, A, 0));
    assert_true(smmu_start());
    dma_open(A, true);
    assert_int_equal(comes_out(A, RAM), 0x80200000u);
}

static void test_stuck(void **state)
{
    (void)state;
    up_to_start(true);
    smmu.stuck = IRQ_CTRL;
    smmu_init(&board);
    assert_int_equal(devmem_said("SMMU: register 0x54 does not become 0x0"), 1);
    assert_false(dma_add(&one, A, 0));
    smmu.stuck = GBPA;
    smmu_init(&board);
    assert_int_equal(devmem_said("SMMU: register 0x44 does not become 0x0"), 1);
    assert_false(dma_add(&one, A, 0));
}

static void test_stays_on_at_boot(void **state)
{
    (void)state;
    up_to_start(true);
    smmu.stuck = CR0;
    smmu_init(&board);
    assert_int_equal(devmem_said("SMMU: register 0x24 does not become 0x0"), 1);
    assert_false(dma_add(&one, A, 0));
}

/* --- what may be attached --- */

static void test_attach(void **state)
{
    static struct vm high = {.name = "high", .mem = {.count = 1}};
    struct gmem_region *r = &high.mem.region[0];

    (void)state;
    up_to_start(true);
    smmu.idr1 = 10u | 19u << 16 | 19u << 21; /* bits of a stream */
    smmu.idr5 = 2u | 1u << 4;                /* 40 bits of addresses */
    ipa_bits = 44;
    smmu_init(&board);
    assert_false(dma_add(&one, 0x400, 0));
    assert_int_equal(devmem_said("one: the SMMU has no stream 0x400"), 1);
    *r = (struct gmem_region){.base = RAM, .size = MIB, .host = (1ull << 40) - MIB / 2};
    assert_false(dma_add(&high, A, 0));
    assert_int_equal(devmem_said("high: the SMMU doesn't reach its memory at 0x40000000"), 1);
    *r = (struct gmem_region){.base = (1ull << 40) - MIB / 2, .size = MIB, .host = RAM};
    assert_false(dma_add(&high, A, 0));
    assert_int_equal(devmem_said("high: the SMMU doesn't reach its memory at 0xfffff80000"), 1);
    *r = (struct gmem_region){.base = (1ull << 40) - MIB, .size = MIB, .host = (1ull << 40) - MIB};
    assert_true(dma_add(&high, A, 0));
    assert_true(dma_add(&one, 0x3ff, 0));
    assert_true(smmu_start());
    dma_open(A, true);
    assert_true(can(A, (1ull << 40) - 1, false));
    assert_false(can(A, 1ull << 40, false));
    dma_open(0x3ff, true);
    assert_true(can(0x3ff, RAM, true));
}

static void test_no_memory(void **state)
{
    (void)state;
    up_to_start(true);
    smmu_init(&board);
    page_reserve(0, ALIGN_DOWN(UINT64_MAX, (u64)PAGE_SIZE));
    page_add(DEVMEM_BASE, 2 * PAGE_SIZE);
    assert_false(dma_add(&one, A, FRAME));
    assert_int_equal(devmem_said("one: no memory for the tables of its devices"), 1);
    page_add(DEVMEM_BASE, 16 * PAGE_SIZE);
    assert_true(dma_add(&one, A, FRAME));
    page_reserve(DEVMEM_BASE, DEVMEM_SIZE);
    page_add(DEVMEM_BASE, 2 * PAGE_SIZE);
    assert_false(smmu_start());
    assert_int_equal(devmem_said("SMMU: no memory for its tables"), 1);
    devmem_accesses = 0;
    smmu_open(A, true);
    assert_int_equal(devmem_accesses, 0);
    assert_false(can(A, RAM, true));
}

/* --- translation --- */

static void test_start(void **state)
{
    static const u64 forget[] = {0x04, 0x20, 0x30, 0x46};
    u64 ste[8];

    (void)state;
    up_to_start(true);
    smmu_init(&board);
    assert_true(dma_add(&one, A, FRAME));
    assert_true(dma_add(&two, OTHER, 0));
    assert_true(smmu_start());
    expect_commands(forget, 4);
    assert_int_equal(smmu_reg(CR0), 0xd);
    assert_int_equal(smmu_reg(CR1), 0xd75); /* all write-back, inner shareable (§6.3.11) */
    assert_int_equal(smmu_reg(CR2), 4);     /* private TLB, no E2H, no RECINVSID */
    assert_int_equal(smmu_reg(GERROR), smmu_reg(GERRORN));
    assert_true(edge && enabled);
    assert_int_equal(smmu_reg(IRQ_CTRL), 5);
    for (u32 sid = 0; sid < 0x40; sid++) {
        smmu_entry(sid, ste);
        assert_int_equal(ste[0], 1); /* valid, abort without an event */
        assert_false(can(sid, RAM, true));
    }
    assert_false(can(0x40, RAM, true));
    smmu_entry(OTHER, ste);
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
    up_to_start(true);
    smmu.idr0 &= ~(1u << 9);
    smmu_init(&board);
    assert_true(dma_add(&one, A, FRAME));
    assert_true(smmu_start());
    expect_commands(forget, 3);
}

static void test_start_fails(void **state)
{
    (void)state;
    up_to_start(true);
    smmu_init(&board);
    assert_true(dma_add(&one, A, FRAME));
    smmu.hangs = true;
    assert_false(smmu_start());
    assert_int_equal(devmem_said("it doesn't do what it's told"), 1);
    assert_int_equal(smmu_reg(CR0), 0);
    smmu.hangs = false;
    dma_open(A, true);
    assert_int_equal(smmu.cmds, 0);
    assert_false(can(A, RAM, true));
}

static void check_reach(void)
{
    dma_open(A, true);
    dma_open(OTHER, true);
    assert_int_equal(comes_out(A, RAM), 0x80200000u);
    assert_int_equal(comes_out(A, RAM + 6 * MIB - 1), 0x80200000u + 6 * MIB - 1);
    assert_int_equal(comes_out(A, FRAME + 0x40), DOORBELL + 0x40);
    assert_true(can(A, ROM + 0xfff8, false));
    assert_int_equal(comes_out(OTHER, RAM + 0x1234), 0xa0201234u);
    take_irqs();
    assert_int_equal(devmem_said("not its VM's memory"), 0);

    assert_false(can(A, ROM, true));
    assert_false(can(A, ROM + 64 * KIB, false));
    assert_false(can(A, RAM - 1, false));
    assert_false(can(A, RAM + 6 * MIB, true));
    assert_false(can(A, FRAME + PAGE_SIZE, true));
    assert_false(can(A, 0x80200000u, true)); /* by the board's address */
    assert_false(can(OTHER, RAM + 2 * MIB, true));
    assert_false(can(OTHER, FRAME, true)); /* it was given none */
    assert_false(can(OTHER, 0, true));
    assert_false(can(B, RAM, true)); /* not opened */
    take_irqs();
    assert_int_equal(devmem_said("(stream 0x10) writes to 0x8000000,"), 1);
    assert_int_equal(devmem_said("(stream 0x10) reads 0x8010000,"), 1);
    assert_int_equal(devmem_said("(stream 0x10) reads 0x3fffffff,"), 1);
    assert_int_equal(devmem_said("two: warning: a device (stream 0x23) writes to 0x40200000,"), 1);
    assert_int_equal(devmem_said("(stream 0x11)"), 0);
}

static void test_reach(void **state)
{
    (void)state;
    start();
    check_reach();
}

/* The same where nothing that isn't cleaned gets to the SMMU, nor the other way round. */
static void test_reach_not_coherent(void **state)
{
    u64 ste[8];

    (void)state;
    start_with(false);
    assert_int_equal(smmu_reg(CR1), 0);
    smmu_entry(A, ste);
    assert_int_equal(ste[2] >> 40 & 15, 0); /* nor are its walks cacheable */
    check_reach();
    for (u32 i = 0; i < 200; i++) { /* the queue's lines come again */
        dma_open(B, true);
        assert_true(can(B, RAM, true));
        dma_open(B, false);
        assert_false(can(B, RAM, true));
    }
}

static void test_level_0(void **state)
{
    u64 ste[8];

    (void)state;
    ipa_bits = 48;
    start();
    smmu_entry(A, ste);
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
    smmu_entry(A, ste);
    assert_true(ste[0] == 1 || ste[0] == 13);
    assert_memory_equal(ste + 1, before + 1, 56);
    (void)can(A, RAM, true); /* and what it has read it keeps */
}

static void test_open_close(void **state)
{
    static const u64 change[] = {(u64)A << 32 | 3, 0x46};

    (void)state;
    start();
    smmu_entry(A, before);
    smmu.meanwhile = entry_is_whole;
    for (u32 i = 0; i < 3; i++) {
        dma_open(A, true);
        expect_commands(change, 2);
        assert_true(can(A, RAM, true));
        assert_false(can(B, RAM, true));
        dma_open(A, false);
        expect_commands(change, 2);
        assert_false(can(A, RAM, true));
    }
    take_irqs();
    assert_int_equal(devmem_said("not its VM's"), 0); /* a closed stream is no event */
    dma_open(0x30, true);                             /* nobody's */
    assert_int_equal(smmu.cmds, 0);
}

/* The SMMU takes commands when it likes, and the queue comes round, with its wrap flag. */
static void test_queue_wraps(void **state)
{
    (void)state;
    start();
    smmu.slow = 4;
    for (u32 i = 0; i < 100; i++) {
        u32 sid = i % 2 == 0 ? A : B;

        dma_open(sid, i % 4 < 2);
        assert_int_equal(smmu.cmds, 2);
        assert_int_equal(smmu.cmd[0].word[0], (u64)sid << 32 | 3);
        assert_int_equal(smmu.cmd[1].word[0], 0x46);
        smmu.cmds = 0;
        assert_true(can(sid, RAM, true) == (i % 4 < 2));
    }
    assert_int_equal(devmem_said("SMMU"), 0);
}

/* --- it fails --- */

static void expect_dead(const char *why)
{
    assert_int_equal(devmem_said(why), 1);
    assert_int_equal(devmem_said("it's off, and passed devices reach no memory"), 1);
    assert_int_equal(smmu_reg(CR0), 0);
    assert_int_equal(smmu_reg(GERROR), smmu_reg(GERRORN));
    assert_false(can(A, RAM, true));
    smmu.cmds = 0;
    smmu.hangs = false;
    smmu.refuses = 0;
    devmem_accesses = 0;
    dma_open(B, true);
    dma_open(A, true);
    dma_open(A, false);
    smmu_irq();
    assert_int_equal(smmu.cmds, 0);
    assert_true(devmem_accesses < 10); /* it isn't waited for any more */
    assert_false(can(A, RAM, true));
    assert_false(can(B, RAM, true));
    assert_int_equal(devmem_said("SMMU"), 1);
}

static void test_hangs(void **state)
{
    (void)state;
    start();
    dma_open(A, true);
    smmu.hangs = true;
    devmem_accesses = 0;
    dma_open(A, false);
    assert_true(devmem_accesses < 5000); /* of 10 instructions each */
    expect_dead("SMMU: it doesn't do what it's told (GERROR 0x0,");
}

static void test_stays_on(void **state)
{
    (void)state;
    start();
    dma_open(A, true);
    smmu.hangs = true;
    smmu.stuck = CR0;
    devmem_accesses = 0;
    dma_open(A, false);
    assert_true(devmem_accesses < 5000);
    assert_int_equal(devmem_said("it's off"), 1);
}

static void test_refuses(void **state)
{
    (void)state;
    start();
    dma_open(A, true);
    smmu.refuses = 3;
    devmem_accesses = 0;
    dma_open(A, false);
    assert_true(devmem_accesses < 50); /* known at once */
    expect_dead("SMMU: it refuses a command (GERROR 0x1, CMDQ_CONS 0x1000006)");
}

static void test_service_failure(void **state)
{
    (void)state;
    start();
    dma_open(A, true);
    smmu_error(1u << 8);
    smmu_irq();
    expect_dead("SMMU: it has failed (service failure mode) (GERROR 0x100,");
}

static void test_command_error_at_an_event(void **state)
{
    (void)state;
    start();
    smmu_error(1u << 0);
    smmu_irq();
    expect_dead("SMMU: it refuses a command (GERROR 0x1,");
}

static void test_errors_that_pass(void **state)
{
    (void)state;
    start();
    dma_open(A, true);
    for (u32 i = 0; i < 3; i++) {
        smmu_error(1u << 2); /* a record couldn't be written */
        smmu_irq();
        assert_int_equal(smmu_reg(GERROR), smmu_reg(GERRORN));
    }
    assert_int_equal(devmem_said("SMMU: GERROR 0x4: it may not tell of all that it blocks"), 1);
    smmu_error(1u << 5);
    smmu_irq();
    assert_int_equal(devmem_said("SMMU: GERROR 0x20"), 1);
    assert_true(can(A, RAM, true));
}

/* --- events --- */

static void test_event_types(void **state)
{
    (void)state;
    start();
    dma_open(A, true);
    for (u32 type = 0x10; type <= 0x13; type++) {
        smmu_event(type, A, 0x1000 * type, type % 2 == 0);
    }
    take_irqs();
    assert_int_equal(devmem_said("writes to 0x10000,"), 1);
    assert_int_equal(devmem_said("reads 0x11000,"), 1);
    assert_int_equal(devmem_said("writes to 0x12000,"), 1);
    assert_int_equal(devmem_said("reads 0x13000,"), 1);
    assert_int_equal(devmem_said("the SMMU's event"), 0);
    smmu_event(0x04, OTHER, 0, true);
    smmu_event(0x0f, OTHER, 0, true);
    smmu_event(0x14, OTHER, 0, true);
    smmu_event(0x10, 0x99, 0, true); /* nobody's */
    smmu_event(0x04, 0x99, 0, true);
    take_irqs();
    assert_int_equal(
        devmem_said("two: warning: the SMMU's event 0x04 about a device (stream 0x23)"), 1);
    assert_int_equal(devmem_said("event 0x0f"), 1);
    assert_int_equal(devmem_said("event 0x14"), 1);
    assert_int_equal(devmem_said("0x99"), 0);
    for (u32 i = 0; i < 29; i++) { /* they count as well: 3 and 29 */
        assert_false(dma_is_cut(OTHER));
        smmu_event(0x04, OTHER, 0, true);
        take_irqs();
    }
    assert_true(dma_is_cut(OTHER));
    assert_false(dma_is_cut(A));
}

static void test_cut_off(void **state)
{
    (void)state;
    start();
    dma_open(A, true);
    for (u32 i = 0; i < 60; i++) {
        assert_false(can(A, 0, true));
    }
    assert_int_equal(smmu.irqs, 1);
    take_irqs();
    assert_int_equal(devmem_said("not its VM's memory: it's cut off"), 1);
    assert_int_equal(smmu_reg(EV_CONS), 60); /* all of them taken */
    assert_false(can(A, RAM, true));
    dma_open(A, true);
    assert_false(can(A, RAM, true));
    dma_forgive(A);
    dma_open(A, true);
    assert_true(can(A, RAM, true));
}

static void test_overflow(void **state)
{
    (void)state;
    start();
    for (u32 round = 0; round < 3; round++) {
        u32 flag = round % 2 == 0 ? 1u << 31 : 0;

        for (u32 i = 0; i < 128 + 5; i++) {
            smmu_event(0x10, 0x99, 0, true);
        }
        assert_int_equal(smmu.lost, 5 * (round + 1));
        assert_int_equal(smmu_reg(EV_PROD) & 1u << 31, flag);
        take_irqs();
        assert_int_equal(smmu_reg(EV_CONS), smmu_reg(EV_PROD)); /* OVACKFLG, too */
    }
    smmu_event(0x10, A, 0x5000, true);
    assert_int_equal(smmu.irqs, 1);
    take_irqs();
    assert_int_equal(devmem_said("0x5000"), 1);
}

/* A stream that nobody has stopped yet brings events faster than they are taken. */
static void floods(u32 offset, bool write)
{
    (void)write;
    if (offset == EV_PROD || offset == EV_CONS) {
        for (u32 i = 0; i < 200; i++) {
            smmu_event(0x10, 0x99, 0, true);
        }
    }
}

static void test_flood(void **state)
{
    (void)state;
    start();
    smmu.meanwhile = floods;
    devmem_accesses = 0;
    smmu_irq();
    assert_true(devmem_accesses < 20);
    assert_int_equal(pended, 1); /* the rest at the next interrupt, which comes */
    pended = 0;
    smmu_irq();
    assert_int_equal(pended, 1);
    smmu.meanwhile = NULL;
    take_irqs();
    assert_int_equal(smmu_reg(EV_CONS), smmu_reg(EV_PROD));
}

/* One comes after the last look at the queue: its edge isn't lost. */
static bool late_came;

static void late(u32 offset, bool write)
{
    if (offset == EV_CONS && write && !late_came) {
        late_came = true;
        smmu_event(0x10, A, 0x7000, true);
    }
}

static void test_late_event(void **state)
{
    (void)state;
    start();
    smmu_event(0x10, A, 0x6000, true);
    smmu.meanwhile = late;
    take_irqs();
    assert_true(late_came);
    assert_int_equal(devmem_said("0x7000"), 1);
}

/* What a device did in its VM's last life is not held against it in the next. */
static void test_last_life(void **state)
{
    (void)state;
    start();
    dma_open(A, true);
    for (u32 i = 0; i < 31; i++) {
        assert_false(can(A, 0x6000, true));
    }
    dma_open(A, false); /* with the interrupt still to come */
    assert_int_equal(devmem_said("0x6000"), 4);
    dma_forgive(A);
    devmem_hush();
    dma_open(A, true);
    take_irqs();
    assert_int_equal(devmem_said("0x6000"), 0);
    assert_false(can(A, 0x8000, true));
    take_irqs();
    assert_false(dma_is_cut(A));
    assert_int_equal(devmem_said("0x8000"), 1);
}

/* Closed and opened time and again, it's cut off all the same. */
static void test_no_way_round(void **state)
{
    (void)state;
    start();
    for (u32 i = 0; i < 32; i++) {
        assert_false(dma_is_cut(A));
        dma_open(A, true);
        assert_false(can(A, 0x6000, true));
        dma_open(A, false);
    }
    assert_true(dma_is_cut(A));
}

/* A full queue is taken as a whole, by a close in the middle of which another stream is cut off. */
static void test_close_with_a_full_queue(void **state)
{
    (void)state;
    start();
    dma_open(A, true);
    dma_open(B, true);
    dma_open(OTHER, true);
    for (u32 i = 0; i < 127; i++) {
        assert_false(can(i < 40 ? B : OTHER, 0x9000, true));
    }
    assert_false(can(A, 0xa000, true));
    dma_open(A, false);
    assert_int_equal(devmem_said("(stream 0x10) writes to 0xa000"), 1);
    assert_true(dma_is_cut(B) && dma_is_cut(OTHER));
    assert_false(can(B, RAM, true));
    assert_int_equal(smmu_reg(EV_CONS), smmu_reg(EV_PROD));
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
        cmocka_unit_test(test_hangs),
        cmocka_unit_test(test_stays_on),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_service_failure),
        cmocka_unit_test(test_command_error_at_an_event),
        cmocka_unit_test(test_errors_that_pass),
        cmocka_unit_test(test_event_types),
        cmocka_unit_test(test_cut_off),
        cmocka_unit_test(test_overflow),
        cmocka_unit_test(test_flood),
        cmocka_unit_test(test_late_event),
        cmocka_unit_test(test_last_life),
        cmocka_unit_test(test_no_way_round),
        cmocka_unit_test(test_close_with_a_full_queue),
    };

    return boots_run(tests, ARRAY_SIZE(tests));
}
