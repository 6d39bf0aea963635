/* SPDX-License-Identifier: MIT */
/*
 * The driver of the ITS, and core/dma.c on top of it, on an ITS that reads its commands and the
 * configuration of LPIs from memory (tests/host/its.h). Each test is a boot of its own.
 */
#include "arch/arm-common/its.h"

#include "arch/arm-common/gic.h"
#include "core/board.h"
#include "core/dma.h"
#include "core/irq.h"
#include "core/page.h"
#include "core/pass.h"
#include "core/vm.h"
#include "tests/host/boots.h"
#include "tests/host/devmem.h"
#include "tests/host/its.h"
#include "tests/host/said.h"

#include <string.h>

#define FIRST 112 /* SPIs of a guest */
#define MAPD  0x08
#define MAPC  0x09
#define MAPTI 0x0a

/* --- what the driver needs of others --- */

struct gic gic = {.v3 = true, .gicd = ITS_GICD};

uintptr_t gicv3_redist(const struct pcpu *p)
{
    return ITS_REDIST(p->id);
}

static bool attach(struct vm *vm, u32 stream, u64 frame)
{
    return vm != NULL && stream != 0 && frame == 0;
}

static void dma_opened(u32 stream, bool open)
{
    assert_false(stream == 0 && open);
}

static const struct pass_hw hw = {.dma_attach = attach, .dma_open = dma_opened};

/* --- VMs, the second one on another CPU --- */

static struct {
    const struct vm *vm;
    u32 intid, count;
} came;

static void set_line(struct vm *vm, struct vcpu *v, u32 intid, bool level)
{
    assert_null(v);
    came.vm = vm;
    came.intid = intid;
    came.count += level;
}

static const struct irqchip irqchip = {.set_line = set_line};
static struct vcpu vcpu[2] = {{.pcpu = &pcpus[0]}, {.pcpu = &pcpus[2]}};
static struct vm one = {.name = "one", .irqchip = &irqchip, .vcpu = {&vcpu[0]}, .nvcpus = 1};
static struct vm two = {.name = "two", .irqchip = &irqchip, .vcpu = {&vcpu[1]}, .nvcpus = 1};
static struct board board = {.its = {ITS_BASE, ITS_SIZE}};

static void power_on(bool coherent)
{
    its_power_on(coherent);
    pass_hw = &hw;
    for (u32 i = 0; i < ITS_CPUS; i++) {
        pcpus[i].id = i;
        pcpus[i].online = true;
    }
}

/* A device with this DeviceID, whose stream is one more. */
static bool add(struct vm *vm, u32 id, u32 count)
{
    return dma_add(vm, id + 1, 0) && its_attach(vm, id + 1, id, FIRST, count);
}

static void send(u32 device, u32 event)
{
    u32 cpu, lpi = its_message(device, event, &cpu);

    memset(&came, 0, sizeof(came));
    if (lpi != ITS_NO_LPI) {
        its_lpi(lpi);
    }
}

static void expect(u32 device, u32 event, const struct vm *vm, u32 cpu)
{
    u32 on = ITS_CPUS;

    assert_int_not_equal(its_message(device, event, &on), ITS_NO_LPI);
    assert_int_equal(on, cpu);
    send(device, event);
    assert_ptr_equal(came.vm, vm);
    assert_int_equal(came.intid, event);
    assert_int_equal(came.count, 1);
}

static void expect_none(u32 device, u32 event)
{
    send(device, event);
    assert_int_equal(came.count, 0);
}

static u32 commands(u32 which)
{
    u32 count = 0;

    for (u32 i = 0; i < its.cmds; i++) {
        count += (its.cmd[i].word[0] & 0xff) == which;
    }
    return count;
}

/* Two VMs with a device each. */
static void check_two(void)
{
    its_init(&board);
    assert_true(add(&one, 0x10, 3));
    assert_true(add(&two, 0x18, 64));
    assert_true(its_start());
    assert_int_equal(said_count("ITS"), 0);
    for (u32 i = 0; i < 3; i++) {
        expect(0x10, FIRST + i, &one, 0);
    }
    for (u32 i = 0; i < 64; i++) {
        expect(0x18, FIRST + i, &two, 2);
    }
    expect_none(0x10, FIRST + 3); /* not its own */
    expect_none(0x10, FIRST - 1);
    expect_none(0x10, 8192);
    expect_none(0x10, 0);
    expect_none(0x11, FIRST); /* nobody's device */
}

/* --- it works --- */

static void test_messages(void **state)
{
    (void)state;
    power_on(true);
    check_two();
    assert_int_equal(its_doorbell(), ITS_BASE + 0x10000);
    assert_int_equal(commands(MAPD), 2);
    assert_int_equal(commands(MAPC), 2);
    assert_int_equal(commands(MAPTI), 67);
    assert_int_equal(its.cmd[its.cmds - 1].word[0], 5); /* SYNC: all of it has come about */
    assert_int_equal(its_reg(0x108) >> 63, 0);          /* a table of the firmware's is gone */
    assert_int_equal(its_gicr(1, 0) & 1, 0);            /* no message comes to that CPU */
}

static void test_not_coherent(void **state)
{
    (void)state;
    power_on(false);
    check_two();
}

static void test_targets_by_address(void **state)
{
    (void)state;
    power_on(true);
    its.typer |= 1u << 19;
    check_two();
}

/* Pages, sizes of entries, places and limits as other ITSs have them. */
static void test_other_tables(void **state)
{
    (void)state;
    power_on(true);
    its.typer = 1u << 0 | 15u << 4 | 8u << 8 | 4u << 13 | 1ull << 36 | 1ull << 32;
    its.gicd_typer = 1u << 17 | 13u << 19 | 9u << 11; /* the least that will do */
    memset(its.table, 0, sizeof(its.table));
    its.table[5].type = 1;
    its.table[5].entry = 32;
    its.table[5].page = 2;
    its.table[6].type = 4;
    its.table[6].entry = 16;
    its.table[6].page = 1;
    check_two();
}

/* Just more than two pages, for a device beyond them; aligned as their size is. */
static void test_large_table(void **state)
{
    (void)state;
    power_on(true);
    its.table[0].page = 2;
    its.table[0].entry = 32;
    assert_non_null(page_alloc(PAGE_SIZE));
    its_init(&board);
    assert_true(add(&one, 0x8, 1));
    assert_true(add(&one, 0x1000, 1));
    assert_true(its_start());
    expect(0x1000, FIRST, &one, 0);
}

static void test_collections_inside(void **state)
{
    (void)state;
    power_on(true);
    its.typer |= 3u << 24; /* as many as there are CPUs */
    its.table[2].type = 0;
    check_two();
}

/* More commands than the queue has places for. */
static void test_many(void **state)
{
    (void)state;
    power_on(true);
    its_init(&board);
    for (u32 i = 0; i < 16; i++) {
        assert_true(add(i % 2 == 0 ? &one : &two, 8 * i, 64));
    }
    assert_false(its_attach(&one, 1, 0x400, FIRST, 1));
    assert_int_equal(said_count("one: the ITS has no device 0x400, or there are more than 16"), 1);
    assert_true(its_start());
    assert_int_equal(commands(MAPTI), 16 * 64);
    for (u32 i = 0; i < 16; i++) {
        expect(8 * i, FIRST + i, i % 2 == 0 ? &one : &two, i % 2 == 0 ? 0 : 2);
        expect(8 * i, FIRST + 63, i % 2 == 0 ? &one : &two, i % 2 == 0 ? 0 : 2);
    }
}

static void test_nobody(void **state)
{
    (void)state;
    power_on(true);
    its_init(&board);
    assert_true(its_start());
    assert_int_equal(its.cmds, 0);
    assert_int_equal(its_reg(0) & 1, 0); /* off */
    for (u32 n = 0; n < ITS_CPUS; n++) {
        assert_int_equal(its_gicr(n, 0), 0);
    }
}

/* LPIs that nobody has: of no device, of the rest of a device's. */
static void test_foreign_lpis(void **state)
{
    static const u32 intids[] = {8191, 8192 + 3, 8192 + 63, 8192 + 64, 8192 + 2000, UINT32_MAX, 0};

    (void)state;
    power_on(true);
    its_init(&board);
    assert_true(add(&one, 0x10, 3));
    assert_true(its_start());
    for (u32 i = 0; i < ARRAY_SIZE(intids); i++) {
        its_lpi(intids[i]);
    }
    assert_int_equal(came.count, 0);
    its_lpi(8192 + 2);
    assert_int_equal(came.intid, FIRST + 2);
}

/* All that there can be: the next LPI is of no device. */
static void test_lpi_beyond_the_last(void **state)
{
    (void)state;
    power_on(true);
    its_init(&board);
    for (u32 i = 0; i < 16; i++) {
        assert_true(add(&one, 8 * i, 64));
    }
    assert_true(its_start());
    for (u32 i = 0; i < 64 * 16; i++) {
        its_lpi(8192 + 16 * 64 + i);
    }
    assert_int_equal(came.count, 0);
}

static void test_cpu_is_off(void **state)
{
    (void)state;
    power_on(true);
    its_init(&board);
    assert_true(add(&one, 0x10, 3));
    assert_true(add(&two, 0x18, 3));
    pcpus[2].online = false;
    assert_true(its_start());
    expect(0x10, FIRST, &one, 0);
    expect_none(0x18, FIRST);
    assert_int_equal(its_gicr(2, 0), 0);
}

/* --- it can't be used --- */

static void test_lacks(void **state)
{
    static const struct {
        u64 typer;
        u32 gicd;
        const char *lacks;
    } cases[] = {
        {0, 1u << 17, "there are no LPIs:"},
        {0, 3u << 19, "there are no LPIs:"},        /* INTIDs of 13 bits */
        {0, 8u << 11, "there are no LPIs enough:"}, /* 512 */
        {1, 0, "there are no physical LPIs:"},
        {8u << 8, 0, "there are no EventIDs of 9 bits:"}, /* 8 */
    };
    struct its usual;

    (void)state;
    power_on(true);
    usual = its;
    for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
        its.typer = usual.typer ^ cases[i].typer;
        its.gicd_typer = usual.gicd_typer ^ cases[i].gicd;
        its_init(&board);
        assert_int_equal(said_count(cases[i].lacks), 1);
        assert_int_equal(its_doorbell(), 0);
        assert_false(its_attach(&one, 1, 0x10, FIRST, 1));
        assert_int_equal(said_count("one: the board has no ITS that works"), 1);
        said_clear();
    }
    its.typer = usual.typer | 1u << 18;
    its.gicd_typer = usual.gicd_typer;
    its_init(&board);
    assert_int_equal(said_count("ITS: it can raise SErrors"), 1);
    assert_true(its_attach(&one, 1, 0x10, FIRST, 1));
}

static void test_none(void **state)
{
    static struct board no;

    (void)state;
    power_on(true);
    its_init(&no);
    gic.v3 = false;
    its_init(&board);
    assert_int_equal(devmem_accesses, 0);
    assert_int_equal(its_doorbell(), 0);
    assert_false(its_attach(&one, 1, 0x10, FIRST, 1));
    assert_true(its_start());
    assert_int_equal(devmem_accesses, 0);
}

static void test_attach(void **state)
{
    (void)state;
    power_on(true);
    its.typer = (its.typer & ~(31ull << 13)) | 4u << 13; /* DeviceIDs of 5 bits */
    its_init(&board);
    assert_false(its_attach(&one, 1, 0x20, FIRST, 1));
    assert_int_equal(said_count("one: the ITS has no device 0x20"), 1);
    assert_false(its_attach(&one, 1, 0x1f, FIRST, 65));
    assert_false(its_attach(&one, 1, 0x1f, 512 - 63, 64));
    assert_true(its_attach(&one, 1, 0x1f, 512 - 64, 64));
    assert_false(its_attach(&two, 2, 0x1f, FIRST, 1));
    assert_int_equal(said_count("two: device 0x1f of the ITS is given already"), 1);
    assert_true(its_start());
    assert_int_equal(its.cmd[0].word[0] & 0xff, MAPC);
}

static void test_restless(void **state)
{
    (void)state;
    power_on(true);
    its.restless = true;
    its_init(&board);
    assert_int_equal(said_count("ITS: register 0x0 does not become 0x80000000"), 1);
    assert_false(its_attach(&one, 1, 0x10, FIRST, 1));
}

/* --- it fails at the start --- */

static void expect_failure(const char *text)
{
    its_init(&board);
    assert_true(add(&one, 0x10, 3));
    assert_true(add(&two, 0x18, 64));
    assert_false(its_start());
    assert_int_equal(said_count(text), 1);
    assert_true(devmem_accesses < 1100 * 1000); /* it isn't waited for twice */
}

static void test_stalls(void **state)
{
    (void)state;
    power_on(true);
    its.refuses = MAPTI;
    expect_failure("ITS: it refuses command 0x100000000a");
    assert_int_equal(its.cmds, 2);
    assert_int_equal(its_reg(0x88), 3 * 32); /* nothing behind it */
}

static void test_hangs(void **state)
{
    (void)state;
    power_on(true);
    its.hangs = true;
    expect_failure("ITS: it doesn't take command 0x9");
    assert_int_equal(its_reg(0x88), 32);
}

static void test_firmware_left_lpis(void **state)
{
    (void)state;
    power_on(true);
    its_set_gicr(2, 0, 1);
    expect_failure("ITS: the firmware has left LPIs of CPU 2 on");
}

static void test_cpu_without_lpis(void **state)
{
    (void)state;
    power_on(true);
    its.gicr_typer[2] &= ~1ull;
    expect_failure("ITS: CPU 2 can't have LPIs");
}

static void test_too_few_collections(void **state)
{
    (void)state;
    power_on(true);
    its.typer |= 2u << 24; /* 0 and 1 */
    its.table[2].type = 0;
    expect_failure("ITS: CPU 2 can't have LPIs");
}

static void test_few_bits_of_collections(void **state)
{
    (void)state;
    power_on(true);
    its.typer |= 1ull << 36; /* CIDbits 0: one bit */
    expect_failure("ITS: CPU 2 can't have LPIs");
}

static void test_no_memory(void **state)
{
    (void)state;
    power_on(true);
    its_init(&board);
    assert_true(add(&one, 0x10, 3));
    page_reserve(DEVMEM_BASE, DEVMEM_SIZE);
    for (u32 pages = 0; pages < 3; pages++) {
        page_add(DEVMEM_BASE, pages * PAGE_SIZE);
        assert_false(its_start());
    }
    assert_true(said_count("ITS: no memory for its tables") >= 3);
    assert_int_equal(its.cmds, 0);
}

/* A table that would be larger than the register can say. */
static void test_table_too_large(void **state)
{
    (void)state;
    power_on(true);
    its.typer = (its.typer & ~(31ull << 13)) | 31u << 13;
    its.table[0].entry = 32;
    its_init(&board);
    assert_true(its_attach(&one, 1, 0x8000, FIRST, 1)); /* 257 pages */
    assert_false(its_start());
    assert_int_equal(its.cmds, 0);
    assert_int_equal(said_count("ITS: a table of 257 pages can't be"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_not_coherent),
        cmocka_unit_test(test_targets_by_address),
        cmocka_unit_test(test_other_tables),
        cmocka_unit_test(test_large_table),
        cmocka_unit_test(test_collections_inside),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_nobody),
        cmocka_unit_test(test_foreign_lpis),
        cmocka_unit_test(test_lpi_beyond_the_last),
        cmocka_unit_test(test_cpu_is_off),
        cmocka_unit_test(test_lacks),
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_attach),
        cmocka_unit_test(test_restless),
        cmocka_unit_test(test_stalls),
        cmocka_unit_test(test_hangs),
        cmocka_unit_test(test_firmware_left_lpis),
        cmocka_unit_test(test_cpu_without_lpis),
        cmocka_unit_test(test_too_few_collections),
        cmocka_unit_test(test_few_bits_of_collections),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_table_too_large),
    };

    return boots_run(tests, ARRAY_SIZE(tests));
}
