/* SPDX-License-Identifier: MIT */
/*
 * An AArch32 program's instruction, fetched from its memory and carried out on a device: through
 * tables, in halves, and what comes of it when it isn't what the abort is about.
 */
#include "arch/arm-common/access32.h"

#include "arch/arm-common/aarch32.h"
#include "core/config.h"
#include "core/vm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define RAM     0x40000000u
#define DEVICE  0x09000000u
#define CODE_VA 0x8000u /* of the first of two pages, the later one in memory */
#define PAGES   2

static _Alignas(PAGE_SIZE) u8 ram[PAGES * PAGE_SIZE];
static u8 regs[2 * PAGE_SIZE];
static struct vm_config cfg;
static struct vm vm;
static struct vcpu vcpu;
static struct ldst_op op;
static struct access32 a;
static u32 accesses, polls, stops, unmapped;
static bool asked_user;

static u64 dev_read(struct vdev *d, struct vcpu *v, u32 region, u64 offset, u32 size)
{
    u64 value = 0;

    (void)d;
    (void)region;
    assert_ptr_equal(v, &vcpu);
    memcpy(&value, regs + offset, size);
    accesses++;
    return value;
}

static void dev_write(struct vdev *d, struct vcpu *v, u32 region, u64 offset, u32 size, u64 value)
{
    (void)dev_read(d, v, region, offset, size);
    memcpy(regs + offset, &value, size);
}

static const struct vdev_ops ops = {.read = dev_read, .write = dev_write};
static struct vdev device = {.ops = &ops};

/* Two pages of code, in memory the other way round; all else is where it is. */
static bool translate(u64 va, bool user, u64 *ipa)
{
    asked_user = user;
    if (va >> 12 == unmapped) {
        return false;
    }
    *ipa = va - CODE_VA < 2 * PAGE_SIZE ? RAM + ((va - CODE_VA) ^ PAGE_SIZE) : va;
    return true;
}

/* In front of each access but the first; the first `stops` times somebody else wants the CPU. */
static bool wanted(struct vcpu *v)
{
    assert_ptr_equal(v, &vcpu);
    assert_true(accesses > 0);
    return polls++ < stops;
}

static int setup(void **state)
{
    (void)state;
    cfg = (struct vm_config){.on_reference = POLICY_FAIL};
    vm = (struct vm){.cfg = &cfg};
    vm.mem.region[0] = (struct gmem_region){RAM, sizeof(ram), 0, (guest_t *)ram, true};
    vm.mem.count = 1;
    assert_true(mmio_add(&vm.mmio, DEVICE, sizeof(regs), &device, 0));
    mmio_freeze(&vm.mmio);
    vcpu = (struct vcpu){.vm = &vm};
    for (u32 i = 0; i < sizeof(regs); i++) {
        regs[i] = (u8)(i + (i >> 8));
    }
    memset(ram, 0, sizeof(ram));
    memset(&op, 0xff, sizeof(op));
    a = (struct access32){.vcpu = &vcpu,
                          .op = &op,
                          .pc = CODE_VA,
                          .spsr = MODE_SVC,
                          .translate = translate,
                          .wanted = wanted};
    for (u32 i = 0; i < LDST_REGISTERS; i++) {
        a.r[i] = 0x10101010u * (i + 1);
    }
    accesses = polls = stops = 0;
    unmapped = 0;
    return 0;
}

/* A half of the program, at its address. */
static void code(u32 va, u16 half)
{
    memcpy(ram + ((va - CODE_VA) ^ PAGE_SIZE), &half, 2);
}

static void a32(u32 insn)
{
    code(a.pc, (u16)insn);
    code(a.pc + 2, (u16)(insn >> 16));
}

/* r0 is the device's byte `at`, where the access faults. */
static void aborts(u32 at, bool write)
{
    a.r[0] = DEVICE + at;
    op.abort = (struct ldst_abort){DEVICE + at, DEVICE + at, write};
}

static void test_arm(void **state)
{
    (void)state;
    a32(0xe8b0001e); /* ldm r0!, {r1-r4} */
    aborts(0x10, false);
    assert_int_equal(access32_run(&a), MMIO_DONE);
    assert_int_equal(op.length, 4);
    assert_int_equal(accesses, 4);
    assert_int_equal(polls, 3);
    assert_int_equal(a.r[0], DEVICE + 0x20);
    assert_int_equal(a.r[1], 0x13121110);
    assert_int_equal(a.r[4], 0x1f1e1d1c);
    assert_int_equal(a.r[5], 0x60606060);
    assert_false(asked_user);
    a32(0xe8000018); /* stmda r0, {r3, r4} */
    aborts(0x40, true);
    op.abort.va = op.abort.ipa = DEVICE + 0x3c;
    assert_int_equal(access32_run(&a), MMIO_DONE);
    assert_memory_equal(regs + 0x3c, "\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f\x44", 9);
    a32(0xe0d010f1); /* ldrsh r1, [r0], #1 */
    aborts(0x80, false);
    assert_int_equal(access32_run(&a), MMIO_DONE);
    assert_int_equal(a.r[1], 0xffff8180);
}

static void test_thumb(void **state)
{
    (void)state;
    a.spsr = MODE_USR | SPSR32_T;
    code(a.pc, 0xc806); /* ldm r0!, {r1, r2} */
    unmapped = (CODE_VA >> 12) + 1;
    aborts(0x20, false);
    assert_int_equal(access32_run(&a), MMIO_DONE);
    assert_int_equal(op.length, 2);
    assert_int_equal(a.r[2], 0x27262524);
    assert_true(asked_user);
    a.pc = CODE_VA + PAGE_SIZE - 2; /* ldrd r1, r3, [r0], #-8: on two pages */
    code(a.pc, 0xe870);
    code(a.pc + 2, 0x1302);
    aborts(0x20, false);
    assert_int_equal(access32_run(&a), MMIO_ABORT);
    unmapped = 0;
    assert_int_equal(access32_run(&a), MMIO_DONE);
    assert_int_equal(op.length, 4);
    assert_int_equal(a.r[0], DEVICE + 0x18);
    assert_int_equal(a.r[3], 0x27262524);
}

static void test_big_endian(void **state)
{
    (void)state;
    a.spsr |= SPSR32_E;
    a32(0xe1c020d0); /* ldrd r2, r3, [r0] */
    aborts(0x30, false);
    assert_int_equal(access32_run(&a), MMIO_DONE);
    assert_int_equal(a.r[2], 0x30313233);
    assert_int_equal(a.r[3], 0x34353637);
    a32(0xe0c020b2); /* strh r2, [r0], #2 */
    aborts(0x30, true);
    assert_int_equal(access32_run(&a), MMIO_DONE);
    assert_memory_equal(regs + 0x30, "\x32\x33\x32", 3);
}

/* Addresses and the base have 32 bits. */
static void test_wraps(void **state)
{
    (void)state;
    a32(0xe7b01007); /* ldr r1, [r0, r7]! */
    a.r[7] = 0xf0000000;
    a.r[0] = DEVICE + 0x10 - 0xf0000000u;
    op.abort = (struct ldst_abort){DEVICE + 0x10, DEVICE + 0x10, false};
    assert_int_equal(access32_run(&a), MMIO_DONE);
    assert_int_equal(a.r[0], DEVICE + 0x10);
    a32(0xe5301004); /* ldr r1, [r0, #-4]! */
    a.r[0] = 0;
    op.abort = (struct ldst_abort){0xfffffffc, DEVICE + 0x10, false};
    assert_int_equal(access32_run(&a), MMIO_DONE);
    assert_int_equal(a.r[0], 0xfffffffc);
}

static void expect_refusal(u32 done)
{
    u64 before[LDST_REGISTERS];

    memcpy(before, a.r, sizeof(before));
    accesses = 0;
    assert_int_equal(access32_run(&a), MMIO_ABORT);
    assert_int_equal(accesses, done);
    assert_memory_equal(before, a.r, sizeof(before));
}

static void test_refused(void **state)
{
    (void)state;
    a32(0xe8b0001e); /* ldm r0!, {r1-r4} */
    aborts(0x10, true);
    expect_refusal(0); /* a load doesn't write */
    aborts(0x10, false);
    op.abort.va += 4;
    expect_refusal(0); /* another address */
    aborts(0xff4, false);
    expect_refusal(0); /* on two pages */
    aborts(0xff0, false);
    assert_int_equal(access32_run(&a), MMIO_DONE);
    aborts(sizeof(regs), false);
    expect_refusal(0); /* where nothing is, and the config says `fail` */
    aborts(0x10, false);
    unmapped = CODE_VA >> 12;
    expect_refusal(0); /* the code can't be read */
    unmapped = 0;
    a.pc = DEVICE;
    expect_refusal(0); /* or isn't in memory */
    a.pc = CODE_VA;
    a32(0xe1901f9f); /* ldrex r1, [r0] */
    expect_refusal(0);
}

/* The first two registers are the device's, then there is none: nothing has changed. */
static void test_half_done(void **state)
{
    (void)state;
    vm.mmio.window[0].size = 0x108;
    a32(0xe8b0001e); /* ldm r0!, {r1-r4} */
    aborts(0x100, false);
    expect_refusal(2);
}

/*
 * Each time that somebody wants the CPU the rest is for later: nothing has changed by then, and
 * nothing is done twice.
 */
static void test_later(void **state)
{
    u64 before[LDST_REGISTERS];

    (void)state;
    a32(0xe8b0001e); /* ldm r0!, {r1-r4} */
    aborts(0x10, false);
    memcpy(before, a.r, sizeof(before));
    stops = 2;
    assert_int_equal(access32_run(&a), MMIO_LATER);
    assert_true(op.later);
    assert_int_equal(accesses, 1);
    memset(regs + 0x10, 0, 4); /* was read */
    a32(0xe7f000f0);           /* what the program is now doesn't count */
    assert_int_equal(access32_go_on(&a), MMIO_LATER);
    assert_int_equal(accesses, 2);
    assert_memory_equal(before, a.r, sizeof(before));
    assert_int_equal(access32_go_on(&a), MMIO_DONE);
    assert_false(op.later);
    assert_int_equal(accesses, 4);
    assert_int_equal(a.r[0], DEVICE + 0x20);
    assert_int_equal(a.r[1], 0x13121110);
    assert_int_equal(a.r[4], 0x1f1e1d1c);
    a32(0xe8a07ffe); /* stm r0!, {r1-r14} */
    aborts(0x40, true);
    stops = polls + 100;
    accesses = 0;
    assert_int_equal(access32_run(&a), MMIO_LATER);
    for (u32 n = 2; n < 14; n++) {
        assert_int_equal(access32_go_on(&a), MMIO_LATER);
        assert_int_equal(accesses, n);
    }
    assert_int_equal(access32_go_on(&a), MMIO_DONE);
    assert_int_equal(accesses, 14);
    assert_memory_equal(regs + 0x40 + 4 * 13, "\xf0\xf0\xf0\xf0", 4); /* r14 */
}

/* The second of two finds nothing there: the abort is about where it began, whatever was since. */
static void test_later_refused(void **state)
{
    (void)state;
    vm.mmio.window[0].size = 0x104;
    a32(0xe8b0001e);
    aborts(0x100, false);
    stops = 1;
    assert_int_equal(access32_run(&a), MMIO_LATER);
    assert_int_equal(access32_go_on(&a), MMIO_ABORT);
    assert_false(op.later);
    assert_int_equal(op.abort.va, DEVICE + 0x100);
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_arm),     TEST(test_thumb),     TEST(test_big_endian), TEST(test_wraps),
        TEST(test_refused), TEST(test_half_done), TEST(test_later),      TEST(test_later_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
