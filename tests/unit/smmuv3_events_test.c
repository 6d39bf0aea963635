/* SPDX-License-Identifier: MIT */
/*
 * The driver of the SMMU: when it fails, and events, with core/dma.c on top of it, on an SMMU that
 * reads its tables and commands from memory (tests/host/smmu.h). Each test is a boot of its own.
 */
#include "arch/arm-common/smmuv3.h"

#include "core/dma.h"
#include "core/page.h"
#include "tests/host/boots.h"
#include "tests/host/devmem.h"
#include "tests/host/said.h"
#include "tests/host/smmu.h"
#include "tests/host/smmuvms.h"

/* Its registers (IHI 0070 §6.3) */
#define CR0     0x20
#define GERROR  0x60
#define GERRORN 0x64
#define CONS    0x9c
#define EV_PROD 0x100a8
#define EV_CONS 0x100ac

/* --- it fails --- */

static void expect_dead(const char *why)
{
    assert_int_equal(said_count(why), 1);
    assert_int_equal(said_count("it's off, and passed devices reach no memory"), 1);
    assert_int_equal(smmu_reg(CR0), 0);
    assert_int_equal(smmu_reg(GERROR), smmu_reg(GERRORN));
    assert_false(smmuvms_can(VMS_A, VMS_RAM, true));
    smmu.cmds = 0;
    smmu.hangs = false;
    smmu.refuses = 0;
    devmem_accesses = 0;
    dma_open(VMS_B, true);
    dma_open(VMS_A, true);
    dma_open(VMS_A, false);
    smmu_irq();
    assert_int_equal(smmu.cmds, 0);
    assert_true(devmem_accesses < 10); /* it isn't waited for any more */
    assert_false(smmuvms_can(VMS_A, VMS_RAM, true));
    assert_false(smmuvms_can(VMS_B, VMS_RAM, true));
    assert_int_equal(said_count("SMMU"), 1);
}

static void test_hangs(void **state)
{
    (void)state;
    smmuvms_start(true);
    dma_open(VMS_A, true);
    smmu.hangs = true;
    devmem_accesses = 0;
    dma_open(VMS_A, false);
    assert_true(devmem_accesses < 5000); /* of 10 instructions each */
    expect_dead("SMMU: it doesn't do what it's told (GERROR 0x0,");
}

static void test_stays_on(void **state)
{
    (void)state;
    smmuvms_start(true);
    dma_open(VMS_A, true);
    smmu.hangs = true;
    smmu.stuck = CR0;
    devmem_accesses = 0;
    dma_open(VMS_A, false);
    assert_true(devmem_accesses < 5000);
    assert_int_equal(said_count("nor can it be turned off"), 1);
    assert_int_equal(said_count("it's off"), 0);
}

static void test_refuses(void **state)
{
    (void)state;
    smmuvms_start(true);
    dma_open(VMS_A, true);
    smmu.refuses = 3;
    devmem_accesses = 0;
    dma_open(VMS_A, false);
    assert_true(devmem_accesses < 50); /* known at once */
    expect_dead("SMMU: it refuses a command (GERROR 0x1, CMDQ_CONS 0x1000006)");
}

static void test_service_failure(void **state)
{
    (void)state;
    smmuvms_start(true);
    dma_open(VMS_A, true);
    smmu_error(1u << 8);
    smmu_irq();
    expect_dead("SMMU: it has failed (service failure mode) (GERROR 0x100,");
}

static void test_command_error_at_an_event(void **state)
{
    (void)state;
    smmuvms_start(true);
    smmu_error(1u << 0);
    smmu_irq();
    expect_dead("SMMU: it refuses a command (GERROR 0x1,");
}

static void test_errors_that_pass(void **state)
{
    (void)state;
    smmuvms_start(true);
    dma_open(VMS_A, true);
    for (u32 i = 0; i < 3; i++) {
        smmu_error(1u << 2); /* a record couldn't be written */
        smmu_irq();
        assert_int_equal(smmu_reg(GERROR), smmu_reg(GERRORN));
    }
    assert_int_equal(said_count("SMMU: GERROR 0x4: it may not tell of all that it blocks"), 1);
    smmu_error(1u << 5);
    smmu_irq();
    assert_int_equal(said_count("SMMU: GERROR 0x20"), 1);
    assert_true(smmuvms_can(VMS_A, VMS_RAM, true));
}

/* --- events --- */

static void test_event_types(void **state)
{
    (void)state;
    smmuvms_start(true);
    dma_open(VMS_A, true);
    for (u32 type = 0x10; type <= 0x13; type++) {
        smmu_event(type, VMS_A, 0x1000 * type, type % 2 == 0);
    }
    smmuvms_take_irqs();
    assert_int_equal(said_count("writes to 0x10000,"), 1);
    assert_int_equal(said_count("reads 0x11000,"), 1);
    assert_int_equal(said_count("writes to 0x12000,"), 1);
    assert_int_equal(said_count("reads 0x13000,"), 1);
    assert_int_equal(said_count("the SMMU's event"), 0);
    smmu_event(0x04, VMS_OTHER, 0, true);
    smmu_event(0x0f, VMS_OTHER, 0, true);
    smmu_event(0x14, VMS_OTHER, 0, true);
    smmu_event(0x10, 0x99, 0, true); /* nobody's */
    smmu_event(0x04, 0x99, 0, true);
    smmuvms_take_irqs();
    assert_int_equal(said_count("two: warning: the SMMU's event 0x04 about a device (stream 0x23)"),
                     1);
    assert_int_equal(said_count("event 0x0f"), 1);
    assert_int_equal(said_count("event 0x14"), 1);
    assert_int_equal(said_count("0x99"), 0);
    for (u32 i = 0; i < 29; i++) { /* they count as well: 3 and 29 */
        assert_false(dma_is_cut(VMS_OTHER));
        smmu_event(0x04, VMS_OTHER, 0, true);
        smmuvms_take_irqs();
    }
    assert_true(dma_is_cut(VMS_OTHER));
    assert_false(dma_is_cut(VMS_A));
}

static void test_cut_off(void **state)
{
    (void)state;
    smmuvms_start(true);
    dma_open(VMS_A, true);
    for (u32 i = 0; i < 60; i++) {
        assert_false(smmuvms_can(VMS_A, 0, true));
    }
    assert_int_equal(smmu.irqs, 1);
    smmuvms_take_irqs();
    assert_int_equal(said_count("not its VM's memory: it's cut off"), 1);
    assert_int_equal(smmu_reg(EV_CONS), 60); /* all of them taken */
    assert_false(smmuvms_can(VMS_A, VMS_RAM, true));
    dma_open(VMS_A, true);
    assert_false(smmuvms_can(VMS_A, VMS_RAM, true));
    dma_forgive(VMS_A);
    dma_open(VMS_A, true);
    assert_true(smmuvms_can(VMS_A, VMS_RAM, true));
}

static void test_overflow(void **state)
{
    (void)state;
    smmuvms_start(true);
    for (u32 round = 0; round < 3; round++) {
        u32 flag = round % 2 == 0 ? 1u << 31 : 0;

        for (u32 i = 0; i < 128 + 5; i++) {
            smmu_event(0x10, 0x99, 0, true);
        }
        assert_int_equal(smmu.lost, 5 * (round + 1));
        assert_int_equal(smmu_reg(EV_PROD) & 1u << 31, flag);
        smmuvms_take_irqs();
        assert_int_equal(smmu_reg(EV_CONS), smmu_reg(EV_PROD)); /* OVACKFLG, too */
    }
    smmu_event(0x10, VMS_A, 0x5000, true);
    assert_int_equal(smmu.irqs, 1);
    smmuvms_take_irqs();
    assert_int_equal(said_count("0x5000"), 1);
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
    smmuvms_start(true);
    smmu.meanwhile = floods;
    devmem_accesses = 0;
    smmu_irq();
    assert_true(devmem_accesses < 20);
    assert_int_equal(smmuvms_pended, 1); /* the rest at the next interrupt, which comes */
    smmuvms_pended = 0;
    smmu_irq();
    assert_int_equal(smmuvms_pended, 1);
    smmu.meanwhile = NULL;
    smmuvms_take_irqs();
    assert_int_equal(smmu_reg(EV_CONS), smmu_reg(EV_PROD));
}

/* One comes after the last look at the queue: its edge isn't lost. */
static bool late_came;

static void late(u32 offset, bool write)
{
    if (offset == EV_CONS && write && !late_came) {
        late_came = true;
        smmu_event(0x10, VMS_A, 0x7000, true);
    }
}

static void test_late_event(void **state)
{
    (void)state;
    smmuvms_start(true);
    smmu_event(0x10, VMS_A, 0x6000, true);
    smmu.meanwhile = late;
    smmuvms_take_irqs();
    assert_true(late_came);
    assert_int_equal(said_count("0x7000"), 1);
}

/* What a device did in its VM's last life is not held against it in the next. */
static void test_last_life(void **state)
{
    (void)state;
    smmuvms_start(true);
    dma_open(VMS_A, true);
    for (u32 i = 0; i < 31; i++) {
        assert_false(smmuvms_can(VMS_A, 0x6000, true));
    }
    dma_open(VMS_A, false); /* with the interrupt still to come */
    assert_int_equal(said_count("0x6000"), 4);
    dma_forgive(VMS_A);
    said_clear();
    dma_open(VMS_A, true);
    smmuvms_take_irqs();
    assert_int_equal(said_count("0x6000"), 0);
    assert_false(smmuvms_can(VMS_A, 0x8000, true));
    smmuvms_take_irqs();
    assert_false(dma_is_cut(VMS_A));
    assert_int_equal(said_count("0x8000"), 1);
}

/* Memory that a device has written is as it left it once its stream is closed. */
static u64 *shared;

static void writes_until_then(u32 offset, bool write)
{
    if (offset == CONS && !write) {
        assert_true(devmem_write((uintptr_t)shared, *shared + 1));
    }
}

static void test_memory_after_a_close(void **state)
{
    u64 last;

    (void)state;
    smmuvms_start(true);
    shared = page_alloc(PAGE_SIZE);
    dma_open(VMS_A, true);
    smmu.slow = 3;
    smmu.meanwhile = writes_until_then;
    smmu_open(VMS_A, true); /* no events are looked for */
    smmu.meanwhile = NULL;
    assert_true(devmem_read((uintptr_t)shared, &last));
    assert_int_not_equal(last, 0);
    assert_int_equal(*shared, last);
}

/* Closed and opened time and again, it's cut off all the same. */
static void test_no_way_round(void **state)
{
    (void)state;
    smmuvms_start(true);
    for (u32 i = 0; i < 32; i++) {
        assert_false(dma_is_cut(VMS_A));
        dma_open(VMS_A, true);
        assert_false(smmuvms_can(VMS_A, 0x6000, true));
        dma_open(VMS_A, false);
    }
    assert_true(dma_is_cut(VMS_A));
}

/* A full queue is taken as a whole, by a close in the middle of which another stream is cut off. */
static void test_close_with_a_full_queue(void **state)
{
    (void)state;
    smmuvms_start(true);
    dma_open(VMS_A, true);
    dma_open(VMS_B, true);
    dma_open(VMS_OTHER, true);
    for (u32 i = 0; i < 127; i++) {
        assert_false(smmuvms_can(i < 40 ? VMS_B : VMS_OTHER, 0x9000, true));
    }
    assert_false(smmuvms_can(VMS_A, 0xa000, true));
    dma_open(VMS_A, false);
    assert_int_equal(said_count("(stream 0x10) writes to 0xa000"), 1);
    assert_true(dma_is_cut(VMS_B) && dma_is_cut(VMS_OTHER));
    assert_false(smmuvms_can(VMS_B, VMS_RAM, true));
    assert_int_equal(smmu_reg(EV_CONS), smmu_reg(EV_PROD));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
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
        cmocka_unit_test(test_memory_after_a_close),
        cmocka_unit_test(test_no_way_round),
        cmocka_unit_test(test_close_with_a_full_queue),
    };

    return boots_run(tests, ARRAY_SIZE(tests));
}
