/* SPDX-License-Identifier: MIT */
/*
 * The decoder of loads and stores. Instructions are words as an assembler makes them, with what
 * they say beside them; then whole instructions are carried out against a small memory.
 */
#include "arch/arm64/decode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define BASE 0x1000u

static u64 x[31], sp, q[32][2];
static u8 memory[256];
static int accesses, fail_at;

static void get_q(u32 n, u64 value[2])
{
    memcpy(value, q[n], 16);
}

static void set_q(u32 n, const u64 value[2])
{
    memcpy(q[n], value, 16);
}

static struct ldst_cpu cpu = {x, &sp, get_q, set_q, false};

static u64 access_base; /* where the instruction starts */

static int access(void *ctx, u32 at, u32 size, bool write, u64 *value)
{
    u8 *p = memory + (access_base - BASE) + at;

    assert_ptr_equal(ctx, memory);
    assert_true(size == 1 || size == 2 || size == 4 || size == 8);
    assert_in_range(access_base - BASE + at + size, 1, sizeof(memory));
    if (++accesses == fail_at) {
        return 7;
    }
    if (write) {
        assert_true(size == 8 || *value >> (8 * size) == 0);
        memcpy(p, value, size);
    } else {
        *value = 0;
        memcpy(value, p, size);
    }
    return 0;
}

static int setup(void **state)
{
    (void)state;
    for (u32 i = 0; i < 31; i++) {
        x[i] = 0x1111111111111111ull * (i % 15 + 1);
    }
    for (u32 i = 0; i < 32; i++) {
        q[i][0] = 0x0101010101010101ull * i;
        q[i][1] = 0x8080808080808080ull + i;
    }
    for (u32 i = 0; i < sizeof(memory); i++) {
        memory[i] = (u8)(0x80 + i);
    }
    sp = BASE + 128;
    cpu.big_endian = false;
    accesses = 0;
    fail_at = 0;
    return 0;
}

/* Carries out one instruction; its address must be `address`. */
static void run(u32 insn, u64 address)
{
    struct ldst_op op = {.next = 0};

    assert_true(decode_ldst(insn, &op.d));
    access_base = ldst_address(&op.d, &cpu);
    assert_int_equal(access_base, address);
    assert_int_equal(ldst_run(&op, &cpu, access, memory), 0);
}

static void test_post_and_pre_index(void **state)
{
    (void)state;
    x[2] = BASE + 16;
    run(0xb8404441, BASE + 16); /* ldr w1, [x2], #4 */
    assert_int_equal(x[1], 0x93929190);
    assert_int_equal(x[2], BASE + 20);
    run(0xf85f8c41, BASE + 12); /* ldr x1, [x2, #-8]! */
    assert_int_equal(x[1], 0x939291908f8e8d8c);
    assert_int_equal(x[2], BASE + 12);
    x[1] = 0xa1a2a3a4a5a6a7a8;
    run(0x38001441, BASE + 12); /* strb w1, [x2], #1 */
    assert_int_equal(memory[12], 0xa8);
    assert_int_equal(memory[13], 0x8d);
    assert_int_equal(x[2], BASE + 13);
    run(0x78003c41, BASE + 16); /* strh w1, [x2, #3]! */
    assert_int_equal(memory[16], 0xa8);
    assert_int_equal(memory[17], 0xa7);
    assert_int_equal(x[2], BASE + 16);
    run(0xf81f0fff, BASE + 112); /* str xzr, [sp, #-16]! */
    assert_int_equal(sp, BASE + 112);
    assert_int_equal(memory[112] | memory[119], 0);
    assert_int_equal(memory[120], 0x80 + 120);
}

static void test_signed(void **state)
{
    (void)state;
    x[2] = BASE;
    run(0x38801441, BASE); /* ldrsb x1, [x2], #1 */
    assert_int_equal(x[1], 0xffffffffffffff80);
    run(0x38c01441, BASE + 1); /* ldrsb w1, [x2], #1 */
    assert_int_equal(x[1], 0xffffff81);
    run(0x78802441, BASE + 2); /* ldrsh x1, [x2], #2 */
    assert_int_equal(x[1], 0xffffffffffff8382);
    run(0x78c02441, BASE + 4); /* ldrsh w1, [x2], #2 */
    assert_int_equal(x[1], 0xffff8584);
    run(0xb8804441, BASE + 6); /* ldrsw x1, [x2], #4 */
    assert_int_equal(x[1], 0xffffffff89888786);
    memory[20] = 0x7f;
    x[2] = BASE + 20;
    run(0x38801441, BASE + 20); /* a positive one */
    assert_int_equal(x[1], 0x7f);
}

static void test_offsets(void **state)
{
    (void)state;
    x[2] = BASE + 8;
    run(0xb9401041, BASE + 24); /* ldr w1, [x2, #16] */
    assert_int_equal(x[1], 0x9b9a9998);
    run(0xb85ff041, BASE + 7); /* ldur w1, [x2, #-1] */
    assert_int_equal(x[1], 0x8a898887);
    run(0xb8404841, BASE + 12); /* ldtr w1, [x2, #4] */
    assert_int_equal(x[1], 0x8f8e8d8c);
    assert_int_equal(x[2], BASE + 8);
    run(0x39400bff, BASE + 130); /* ldrb wzr, [sp, #2] */
    assert_int_equal(accesses, 4);
}

static void test_register_offsets(void **state)
{
    (void)state;
    x[2] = BASE + 64;
    x[3] = 0xffffffff00000004;
    run(0xb8634841, BASE + 68); /* ldr w1, [x2, w3, uxtw] */
    run(0xb8635841, BASE + 80); /* ldr w1, [x2, w3, uxtw #2] */
    x[3] = 0x00000000fffffffc;
    run(0xb863c841, BASE + 60); /* ldr w1, [x2, w3, sxtw] */
    run(0xf863d841, BASE + 32); /* ldr x1, [x2, w3, sxtw #3] */
    x[3] = -(u64)8;
    run(0xf8636841, BASE + 56); /* ldr x1, [x2, x3] */
    run(0xf863f841, BASE + 0);  /* ldr x1, [x2, x3, sxtx #3] */
    run(0xf87f6841, BASE + 64); /* ldr x1, [x2, xzr] */
    x[3] = 1;
    run(0x38637841, BASE + 65); /* ldrb w1, [x2, x3, lsl #0] */
    assert_int_equal(x[1], 0xc1);
}

static void test_pairs(void **state)
{
    (void)state;
    x[2] = BASE + 32;
    run(0x28c10c41, BASE + 32); /* ldp w1, w3, [x2], #8 */
    assert_int_equal(x[1], 0xa3a2a1a0);
    assert_int_equal(x[3], 0xa7a6a5a4);
    assert_int_equal(x[2], BASE + 40);
    run(0xa9ff0c41, BASE + 24); /* ldp x1, x3, [x2, #-16]! */
    assert_int_equal(x[1], 0x9f9e9d9c9b9a9998);
    assert_int_equal(x[3], 0xa7a6a5a4a3a2a1a0);
    assert_int_equal(x[2], BASE + 24);
    run(0x69410c41, BASE + 32); /* ldpsw x1, x3, [x2, #8] */
    assert_int_equal(x[1], 0xffffffffa3a2a1a0);
    assert_int_equal(x[3], 0xffffffffa7a6a5a4);
    x[1] = 0x1122334455667788;
    run(0xa9007c41, BASE + 24); /* stp x1, xzr, [x2] */
    assert_memory_equal(memory + 24, "\x88\x77\x66\x55\x44\x33\x22\x11\0\0\0\0\0\0\0\0", 16);
    run(0x28000c41, BASE + 24); /* stnp w1, w3, [x2] */
    assert_memory_equal(memory + 24, "\x88\x77\x66\x55\xa4\xa5\xa6\xa7\0", 9);
    run(0xa8400c41, BASE + 24); /* ldnp x1, x3, [x2] */
    assert_int_equal(x[1], 0xa7a6a5a455667788);
    x[3] = BASE + 40;
    run(0x29810861, BASE + 48); /* stp w1, w2, [x3, #8]! */
    assert_memory_equal(memory + 48, "\x88\x77\x66\x55\x18\x10\0\0", 8);
    assert_int_equal(x[3], BASE + 48);
}

/* Each register by itself; what is memory[i] here stays byte i of a device. */
static void test_big_endian(void **state)
{
    (void)state;
    cpu.big_endian = true;
    x[2] = BASE + 16;
    run(0xb8404441, BASE + 16); /* ldr w1, [x2], #4 */
    assert_int_equal(x[1], 0x90919293);
    run(0x38401441, BASE + 20); /* ldrb w1, [x2], #1 */
    assert_int_equal(x[1], 0x94);
    x[2] = BASE + 16;
    run(0x78802441, BASE + 16); /* ldrsh x1, [x2], #2 */
    assert_int_equal(x[1], 0xffffffffffff9091);
    x[2] = BASE + 24;
    run(0xa9400c41, BASE + 24); /* ldp x1, x3, [x2] */
    assert_int_equal(x[1], 0x98999a9b9c9d9e9f);
    assert_int_equal(x[3], 0xa0a1a2a3a4a5a6a7);
    run(0x69400c41, BASE + 24); /* ldpsw x1, x3, [x2] */
    assert_int_equal(x[1], 0xffffffff98999a9b);
    assert_int_equal(x[3], 0xffffffff9c9d9e9f);
    x[1] = 0x1122334455667788;
    run(0x29007c41, BASE + 24); /* stp w1, wzr, [x2] */
    assert_memory_equal(memory + 24, "\x55\x66\x77\x88\0\0\0\0\xa0", 9);
    run(0xf9000041, BASE + 24); /* str x1, [x2] */
    assert_memory_equal(memory + 24, "\x11\x22\x33\x44\x55\x66\x77\x88", 8);
    run(0x3dc00041, BASE + 24); /* ldr q1, [x2]: all 16 bytes are one number */
    assert_int_equal(q[1][1], 0x1122334455667788);
    assert_int_equal(q[1][0], 0xa0a1a2a3a4a5a6a7);
    x[2] = BASE + 64;
    run(0x3d800041, BASE + 64); /* str q1, [x2] */
    assert_memory_equal(memory + 64, memory + 24, 16);
}

static void test_simd(void **state)
{
    (void)state;
    x[2] = BASE;
    run(0x3dc00441, BASE + 16); /* ldr q1, [x2, #16] */
    assert_int_equal(q[1][0], 0x9796959493929190);
    assert_int_equal(q[1][1], 0x9f9e9d9c9b9a9998);
    run(0xbc404443, BASE); /* ldr s3, [x2], #4: the rest of the register becomes 0 */
    assert_int_equal(q[3][0], 0x83828180);
    assert_int_equal(q[3][1], 0);
    assert_int_equal(x[2], BASE + 4);
    run(0xfd400041, BASE + 4); /* ldr d1, [x2] */
    assert_int_equal(q[1][0], 0x8b8a898887868584);
    assert_int_equal(q[1][1], 0);
    run(0x3d400041, BASE + 4); /* ldr b1, [x2] */
    assert_int_equal(q[1][0], 0x84);
    run(0x7d400041, BASE + 4); /* ldr h1, [x2] */
    assert_int_equal(q[1][0], 0x8584);
    run(0xad410c41, BASE + 36); /* ldp q1, q3, [x2, #32] */
    assert_int_equal(q[3][1], 0xc3c2c1c0bfbebdbc);
    q[5][0] = 0x0102030405060708;
    run(0x3d800045, BASE + 4); /* str q5, [x2] */
    assert_memory_equal(memory + 4, "\x08\x07\x06\x05\x04\x03\x02\x01\x85\x80", 10);
    run(0x2d001445, BASE + 4); /* stp s5, s5, [x2] */
    assert_memory_equal(memory + 4, "\x08\x07\x06\x05\x08\x07\x06\x05\x85", 9);
    run(0x6c811445, BASE + 4); /* stp d5, d5, [x2], #16 */
    assert_int_equal(x[2], BASE + 20);
    run(0x3c810445, BASE + 20); /* str q5, [x2], #16 */
    assert_int_equal(x[2], BASE + 36);
    x[3] = 4;
    run(0x3ce36845, BASE + 40); /* ldr q5, [x2, x3] */
    assert_int_equal(q[5][0], 0xafaeadacabaaa9a8);
}

/* An access that fails leaves every register as it was. */
static void test_failure_changes_nothing(void **state)
{
    (void)state;
    x[2] = access_base = BASE;
    for (fail_at = 1; fail_at <= 2; fail_at++) {
        struct ldst_op op = {.next = 0};

        accesses = 0;
        assert_true(decode_ldst(0xa8c10c41, &op.d)); /* ldp x1, x3, [x2], #16 */
        assert_int_equal(ldst_run(&op, &cpu, access, memory), 7);
        assert_int_equal(accesses, fail_at);
        assert_int_equal(x[1], 0x2222222222222222);
        assert_int_equal(x[3], 0x4444444444444444);
        assert_int_equal(x[2], BASE);
    }
}

static void test_not_decodable(void **state)
{
    static const u32 insns[] = {
        0x00000000, /* udf */
        0xd503201f, /* nop */
        0x8b020020, /* add x0, x1, x2 */
        0x58000041, /* ldr x1, label */
        0x98000041, /* ldrsw x1, label */
        0x1c000041, /* ldr s1, label */
        0x885f7c41, /* ldxr w1, [x2] */
        0x88037c41, /* stxr w3, w1, [x2] */
        0x88dffc41, /* ldar w1, [x2] */
        0xc87f0c41, /* ldxp x1, x3, [x2] */
        0xb8210041, /* ldadd w1, w1, [x2] */
        0xb8218041, /* swp w1, w1, [x2] */
        0x88a17c41, /* cas w1, w1, [x2] */
        0xb8bfc041, /* ldapr w1, [x2] */
        0x99400041, /* ldapur w1, [x2] */
        0xd50b7422, /* dc zva, x2 */
        0xf9800040, /* prfm pldl1keep, [x2] */
        0xf8800040, /* prfum */
        0x4c407841, /* ld1 {v1.4s}, [x2] */
        0x0d008041, /* st1 {v1.s}[0], [x2] */
        0xf8200441, /* ldraa x1, [x2] */
        0x69000c41, /* stgp x1, x3, [x2] */
        0x68400c41, /* opc 01 without allocation */
        0xe9400c41, /* pair, opc 11 */
        0xed400c41, /* SIMD pair, opc 11 */
        0xf8c00441, /* 64-bit load, sign-extended to 32 */
        0xb8c00441, /* 32-bit load, sign-extended to 32 */
        0x7cc00441, /* SIMD, 2-byte size with 128-bit opc */
        0xbc000841, /* SIMD, unprivileged */
        0xb8630841, /* register offset, option 0 */
        0xb8632841, /* register offset, option 1 */
        /* CONSTRAINED UNPREDICTABLE */
        0xb8404442, /* ldr w2, [x2], #4 */
        0xf8008c42, /* str x2, [x2, #8]! */
        0x28c10c42, /* ldp w2, w3, [x2], #8 */
        0x28c10843, /* ldp w3, w2, [x2], #8 */
        0xa9400441, /* ldp x1, x1, [x2] */
        0xad400441, /* ldp q1, q1, [x2] */
    };
    struct ldst d;

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(insns); i++) {
        if (decode_ldst(insns[i], &d)) {
            fail_msg("0x%08x was decoded", insns[i]);
        }
    }
}

/* Whatever the word: no read beyond the registers, sizes that memory has, no overflow. */
static void test_any_word(void **state)
{
    u64 seed = 1;
    u32 decoded = 0;

    (void)state;
    for (u32 i = 0; i < 2000000; i++) {
        struct ldst d;

        seed = seed * 6364136223846793005ull + 1442695040888963407ull;
        /* the two groups that are loads and stores, so that many are decoded */
        if (!decode_ldst((u32)(seed >> 32 & 0xd5ffffff) | 0x28000000, &d)) {
            continue;
        }
        decoded++;
        assert_true(is_pow2(d.size) && d.size <= 16 && (d.size < 16 || d.simd));
        assert_in_range(d.count, 1, 2);
        assert_true(d.reg[0] < 32 && d.reg[1] < 32 && d.rn < 32 && d.rm < 32);
        assert_true(!d.sign || (d.load && !d.simd));
        assert_true(d.shift <= 4 && d.offset >= -1024 && d.offset <= 65520);
        (void)ldst_address(&d, &cpu);
    }
    assert_true(decoded > 100000);
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_post_and_pre_index),
        TEST(test_signed),
        TEST(test_offsets),
        TEST(test_register_offsets),
        TEST(test_pairs),
        TEST(test_big_endian),
        TEST(test_simd),
        TEST(test_failure_changes_nothing),
        TEST(test_not_decodable),
        TEST(test_any_word),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
