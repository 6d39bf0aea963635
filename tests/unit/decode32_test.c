/* SPDX-License-Identifier: MIT */
/*
 * The decoder of A32 and T32 loads and stores: words as GNU as makes them, with what they say
 * beside them. r0 and SP are BASE, r7 is 0x24, r8 0x80000001; C is set, N and Z aren't.
 */
#include "arch/arm-common/decode32.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define BASE  0x1000u
#define STATE (MODE_SVC | BIT(29))

enum { STORE = 0, LOAD = 1, SIGN = 2, WB = 4 };

/* `offset`: of the first byte from BASE; `step`: of the base, if it changes. */
struct form {
    u32 insn, flags, size;
    s32 offset, step;
    u32 count;
    u8 reg[LDST_REGISTERS];
};

/* clang-format off */
static const struct form a32_forms[] = {
    {0xe5b01004, LOAD | WB, 4, 4, 4, 1, {1}}, /* ldr r1, [r0, #4]! */
    {0xe5301004, LOAD | WB, 4, -4, -4, 1, {1}}, /* ldr r1, [r0, #-4]! */
    {0xe4901fff, LOAD | WB, 4, 0, 4095, 1, {1}}, /* ldr r1, [r0], #4095 */
    {0xe4001008, STORE | WB, 4, 0, -8, 1, {1}}, /* str r1, [r0], #-8 */
    {0xe5e01001, STORE | WB, 1, 1, 1, 1, {1}}, /* strb r1, [r0, #1]! */
    {0xe4d01001, LOAD | WB, 1, 0, 1, 1, {1}}, /* ldrb r1, [r0], #1 */
    {0xe4b01004, LOAD | WB, 4, 0, 4, 1, {1}}, /* ldrt r1, [r0], #4 */
    {0xe4e01001, STORE | WB, 1, 0, 1, 1, {1}}, /* strbt r1, [r0], #1 */
    {0xe7b01007, LOAD | WB, 4, 36, 36, 1, {1}}, /* ldr r1, [r0, r7]! */
    {0xe6001007, STORE | WB, 4, 0, -36, 1, {1}}, /* str r1, [r0], -r7 */
    {0xe7b01107, LOAD | WB, 4, 144, 144, 1, {1}}, /* ldr r1, [r0, r7, lsl #2]! */
    {0xe7b01127, LOAD | WB, 4, 9, 9, 1, {1}}, /* ldr r1, [r0, r7, lsr #2]! */
    {0xe6901027, LOAD | WB, 4, 0, 0, 1, {1}}, /* ldr r1, [r0], r7, lsr #32 */
    {0xe7b01e48, LOAD | WB, 4, -8, -8, 1, {1}}, /* ldr r1, [r0, r8, asr #28]! */
    {0xe6101048, LOAD | WB, 4, 0, 1, 1, {1}}, /* ldr r1, [r0], -r8, asr #32 */
    {0xe7b01267, LOAD | WB, 4, 1073741826, 1073741826, 1, {1}}, /* ldr r1, [r0, r7, ror #4]! */
    {0xe7b01067, LOAD | WB, 4, -2147483630, -2147483630, 1, {1}}, /* ldr r1, [r0, r7, rrx]! */
    {0xe5901008, LOAD, 4, 8, 0, 1, {1}}, /* ldr r1, [r0, #8] */
    {0xe480d004, STORE | WB, 4, 0, 4, 1, {13}}, /* str sp, [r0], #4 */
    {0xe5bde004, LOAD | WB, 4, 4, 4, 1, {14}}, /* ldr lr, [sp, #4]! */
    {0xe0d010b2, LOAD | WB, 2, 0, 2, 1, {1}}, /* ldrh r1, [r0], #2 */
    {0xe1601fbf, STORE | WB, 2, -255, -255, 1, {1}}, /* strh r1, [r0, #-255]! */
    {0xe1f011f2, LOAD | SIGN | WB, 2, 18, 18, 1, {1}}, /* ldrsh r1, [r0, #18]! */
    {0xe05010d1, LOAD | SIGN | WB, 1, 0, -1, 1, {1}}, /* ldrsb r1, [r0], #-1 */
    {0xe1b010d7, LOAD | SIGN | WB, 1, 36, 36, 1, {1}}, /* ldrsb r1, [r0, r7]! */
    {0xe0f010f2, LOAD | SIGN | WB, 2, 0, 2, 1, {1}}, /* ldrsht r1, [r0], #2 */
    {0xe02010b7, STORE | WB, 2, 0, -36, 1, {1}}, /* strht r1, [r0], -r7 */
    {0xe1c020d0, LOAD, 4, 0, 0, 2, {2, 3}}, /* ldrd r2, r3, [r0] */
    {0xe1e02fd8, LOAD | WB, 4, 248, 248, 2, {2, 3}}, /* ldrd r2, r3, [r0, #248]! */
    {0xe04040f8, STORE | WB, 4, 0, -8, 2, {4, 5}}, /* strd r4, r5, [r0], #-8 */
    {0xe18040f7, STORE, 4, 36, 0, 2, {4, 5}}, /* strd r4, r5, [r0, r7] */
    {0xe00040d7, LOAD | WB, 4, 0, -36, 2, {4, 5}}, /* ldrd r4, r5, [r0], -r7 */
    {0xe1c0c0d0, LOAD, 4, 0, 0, 2, {12, 13}}, /* ldrd r12, sp, [r0] */
    {0xe8900006, LOAD, 4, 0, 0, 2, {1, 2}}, /* ldm r0, {r1, r2} */
    {0xe8b007f8, LOAD | WB, 4, 0, 32, 8, {3, 4, 5, 6, 7, 8, 9, 10}}, /* ldm r0!, {r3-r10} */
    {0xe9904002, LOAD, 4, 4, 0, 2, {1, 14}}, /* ldmib r0, {r1, lr} */
    {0xe830000e, LOAD | WB, 4, -8, -12, 3, {1, 2, 3}}, /* ldmda r0!, {r1, r2, r3} */
    {0xe9300002, LOAD | WB, 4, -4, -4, 1, {1}}, /* ldmdb r0!, {r1} */
    {0xe8907fff, LOAD, 4, 0, 0, 15, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14}}, /* ldm r0, {r0-r14} */
    {0xe8800003, STORE, 4, 0, 0, 2, {0, 1}}, /* stm r0, {r0, r1} */
    {0xe8a07ffe, STORE | WB, 4, 0, 56, 14, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14}}, /* stm r0!, {r1-r14} */
    {0xe9a00006, STORE | WB, 4, 4, 8, 2, {1, 2}}, /* stmib r0!, {r1, r2} */
    {0xe8000006, STORE, 4, -4, 0, 2, {1, 2}}, /* stmda r0, {r1, r2} */
    {0xe9200006, STORE | WB, 4, -8, -8, 2, {1, 2}}, /* stmdb r0!, {r1, r2} */
    {0xe8bd0006, LOAD | WB, 4, 0, 8, 2, {1, 2}}, /* pop {r1, r2} */
};

static const struct form t32_forms[] = {
    {0xf8501f04, LOAD | WB, 4, 4, 4, 1, {1}}, /* ldr.w r1, [r0, #4]! */
    {0xf85019ff, LOAD | WB, 4, 0, -255, 1, {1}}, /* ldr.w r1, [r0], #-255 */
    {0xf8401d04, STORE | WB, 4, -4, -4, 1, {1}}, /* str.w r1, [r0, #-4]! */
    {0xf8001b01, STORE | WB, 1, 0, 1, 1, {1}}, /* strb.w r1, [r0], #1 */
    {0xf8101f01, LOAD | WB, 1, 1, 1, 1, {1}}, /* ldrb.w r1, [r0, #1]! */
    {0xf8301b02, LOAD | WB, 2, 0, 2, 1, {1}}, /* ldrh.w r1, [r0], #2 */
    {0xf8201f02, STORE | WB, 2, 2, 2, 1, {1}}, /* strh.w r1, [r0, #2]! */
    {0xf9101b01, LOAD | SIGN | WB, 1, 0, 1, 1, {1}}, /* ldrsb.w r1, [r0], #1 */
    {0xf9301d02, LOAD | SIGN | WB, 2, -2, -2, 1, {1}}, /* ldrsh.w r1, [r0, #-2]! */
    {0xf8501c04, LOAD, 4, -4, 0, 1, {1}}, /* ldr.w r1, [r0, #-4] */
    {0xf8501e04, LOAD, 4, 4, 0, 1, {1}}, /* ldrt r1, [r0, #4] */
    {0xf8d01fff, LOAD, 4, 4095, 0, 1, {1}}, /* ldr.w r1, [r0, #4095] */
    {0xf9b01006, LOAD | SIGN, 2, 6, 0, 1, {1}}, /* ldrsh.w r1, [r0, #6] */
    {0xf8501037, LOAD, 4, 288, 0, 1, {1}}, /* ldr.w r1, [r0, r7, lsl #3] */
    {0xf8401007, STORE, 4, 36, 0, 1, {1}}, /* str.w r1, [r0, r7] */
    {0xe9d02500, LOAD, 4, 0, 0, 2, {2, 5}}, /* ldrd r2, r5, [r0] */
    {0xe97052ff, LOAD | WB, 4, -1020, -1020, 2, {5, 2}}, /* ldrd r5, r2, [r0, #-1020]! */
    {0xe8f02302, LOAD | WB, 4, 0, 8, 2, {2, 3}}, /* ldrd r2, r3, [r0], #8 */
    {0xe9c03302, STORE, 4, 8, 0, 2, {3, 3}}, /* strd r3, r3, [r0, #8] */
    {0xe8602402, STORE | WB, 4, 0, -8, 2, {2, 4}}, /* strd r2, r4, [r0], #-8 */
    {0xe8900006, LOAD, 4, 0, 0, 2, {1, 2}}, /* ldm.w r0, {r1, r2} */
    {0xe8b04002, LOAD | WB, 4, 0, 8, 2, {1, 14}}, /* ldm.w r0!, {r1, lr} */
    {0xe9301006, LOAD | WB, 4, -12, -12, 3, {1, 2, 12}}, /* ldmdb r0!, {r1, r2, r12} */
    {0xe9100005, LOAD, 4, -8, 0, 2, {0, 2}}, /* ldmdb r0, {r0, r2} */
    {0xe8800101, STORE, 4, 0, 0, 2, {0, 8}}, /* stm.w r0, {r0, r8} */
    {0xe8a01ffe, STORE | WB, 4, 0, 48, 12, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}}, /* stm.w r0!, {r1-r12} */
    {0xe9204002, STORE | WB, 4, -8, -8, 2, {1, 14}}, /* stmdb r0!, {r1, lr} */
    {0x0000c8fe, LOAD | WB, 4, 0, 28, 7, {1, 2, 3, 4, 5, 6, 7}}, /* ldm r0!, {r1-r7} */
    {0x0000c803, LOAD, 4, 0, 0, 2, {0, 1}}, /* ldm r0, {r0, r1} */
    {0x0000c042, STORE | WB, 4, 0, 8, 2, {1, 6}}, /* stm r0!, {r1, r6} */
};

static const u32 not_a32[] = {
    0xe490f004, /* ldr pc, [r0], #4 */
    0xe4900004, /* ldr r0, [r0], #4 */
    0xe5a00004, /* str r0, [r0, #4]! */
    0xe59f1004, /* ldr r1, [pc, #4] */
    0xe8908002, /* ldm r0, {r1, pc} */
    0xe8808002, /* stm r0, {r1, pc} */
    0xe8d00006, /* ldm r0, {r1, r2}^ */
    0xe8c00006, /* stm r0, {r1, r2}^ */
    0xe8d08002, /* ldm r0, {r1, pc}^ */
    0xe8b00003, /* ldm r0!, {r0, r1} */
    0xe8a00003, /* stm r0!, {r0, r1} */
    0xe0c000d8, /* ldrd r0, r1, [r0], #8 */
    0xe1cf20d8, /* ldrd r2, r3, [pc, #8] */
    0xe18020d2, /* ldrd r2, r3, [r0, r2] */
    0xe1901f9f, /* ldrex r1, [r0] */
    0xe1801f92, /* strex r1, r2, [r0] */
    0xe1b02f9f, /* ldrexd r2, r3, [r0] */
    0xe0010092, /* mul r1, r2, r0 */
    0xe0821093, /* umull r1, r2, r3, r0 */
    0xf5d0f004, /* pld [r0, #4] */
    0xf590f000, /* pldw [r0] */
    0xf4d0f000, /* pli [r0] */
    0xf8b00a00, /* rfeia r0! */
    0xf8ed0513, /* srsia sp!, #19 */
    0xed900b00, /* vldr d0, [r0] */
    0xecb00b08, /* vldm r0!, {d0-d3} */
    0xed800a00, /* vstr s0, [r0] */
    0xf420070f, /* vld1.8 {d0}, [r0] */
    0xecb05e01, /* ldc p14, c5, [r0], #4 */
    0xe0810002, /* add r0, r1, r2 */
    0xe1a00001, /* mov r0, r1 */
    0xe12fff1e, /* bx lr */
    0xeafffffe, /* b . */
    0xef000000, /* svc #0 */
    0xe6af1070, /* sxtb r1, r0 */
    0xe7f000f0, /* udf #0 */
    0xe1901c9f, /* lda r1, [r0] */
    0xe1901e9f, /* ldaex r1, [r0] */
    0x01400092, /* swpbeq: group 0, bits 6:5 0 */
    0xe1001092, /* swp r1, r2, [r0] */
    0xe1401092, /* swpb r1, r2, [r0] */
    0xe690100f, /* ldr r1, [r0], pc */
    0xe01010bf, /* ldrh r1, [r0], -pc */
    0xe01011b7, /* ldrh r1, [r0], -r7, with bits that should be zero */
    0xe1c030d0, /* ldrd r3, r4, [r0] */
    0xe1c0e0d0, /* ldrd lr, pc, [r0] */
    0xe06020d8, /* ldrd with P clear, W set */
    0xe8900000, /* ldm r0, {} */
    0xe89f0006, /* ldm pc, {r1, r2} */
    0xe7901017, /* a media instruction */
    0xe480f004, /* str pc, [r0], #4 */
};

static const u32 not_t32[] = {
    0xf850fb04, /* ldr.w pc, [r0], #4 */
    0xf8df1004, /* ldr.w r1, [pc, #4] */
    0xf89f1004, /* ldrb.w r1, [pc, #4] */
    0xf890f004, /* pld [r0, #4] */
    0xf810fc04, /* pld [r0, #-4] */
    0xf910f007, /* pli [r0, r7] */
    0xe9df2302, /* ldrd r2, r3, [pc, #8] */
    0xe8f00102, /* ldrd r0, r1, [r0], #8 */
    0xe8908002, /* ldm.w r0, {r1, pc} */
    0xe8501f01, /* ldrex r1, [r0, #4] */
    0xe8402100, /* strex r1, r2, [r0] */
    0xe8d01f4f, /* ldrexb r1, [r0] */
    0xe8d0127f, /* ldrexd r1, r2, [r0] */
    0xe8d0f001, /* tbb [r0, r1] */
    0xe990c000, /* rfeia r0 */
    0xe82dc013, /* srsdb sp!, #19 */
    0xed900b00, /* vldr d0, [r0] */
    0xf920070f, /* vld1.8 {d0}, [r0] */
    0x0000b406, /* push {r1, r2} */
    0x0000bc06, /* pop {r1, r2} */
    0x00006841, /* ldr r1, [r0, #4] */
    0x000055c1, /* strb r1, [r0, r7] */
    0x00004408, /* add r0, r1 */
    0xf7ffbffe, /* b.w . */
    0xf7fffffe, /* bl . */
    0x0000de00, /* udf #0 */
    0xee110f10, /* mrc p15, 0, r0, c1, c0, 0 */
    0xeb010002, /* add.w r0, r1, r2 */
    0x0000bf00, /* nop */
    0x00004770, /* bx lr */
    0xe8d01faf, /* lda r1, [r0] */
    0xf8500b04, /* ldr.w r0, [r0], #4 */
    0xf8400f04, /* str.w r0, [r0, #4]! */
    0xe8b00003, /* ldm.w r0!, {r0, r1} */
    0xe8900000, /* ldm.w r0, {} */
    0xe9d02200, /* ldrd r2, r2, [r0] */
    0xe9d02f00, /* ldrd r2, pc, [r0] */
    0xf8501804, /* imm8 with neither P nor W */
    0xf850100f, /* ldr.w r1, [r0, pc] */
    0xf8501047, /* register, bit 6 set */
    0xf9501b04, /* a signed word */
    0xf9001b04, /* a signed store */
    0xf8701b04, /* size 3 */
    0x0000c000, /* stm r0!, {} */
    0x0000c041, /* stm r0!, {r0, r6} */
    0x0000e7fe, /* b . */
};
/* clang-format on */

static u64 r[LDST_REGISTERS];
static struct ldst_cpu cpu = {.x = r};

static int setup(void **state)
{
    (void)state;
    memset(r, 0, sizeof(r));
    r[0] = r[13] = BASE;
    r[7] = 0x24;
    r[8] = 0x80000001;
    return 0;
}

static void check_form(const struct form *f, u32 spsr)
{
    struct ldst d;

    if (!decode32_ldst(f->insn, spsr, r, &d)) {
        fail_msg("0x%08x was not decoded", f->insn);
    }
    if (d.load != ((f->flags & LOAD) != 0) || d.sign != ((f->flags & SIGN) != 0) ||
        d.indexed != ((f->flags & WB) != 0) || d.size != f->size || d.count != f->count ||
        memcmp(d.reg, f->reg, f->count) != 0 || !d.narrow || d.simd || d.wide) {
        fail_msg("0x%08x: load %d sign %d indexed %d size %u count %u first %u", f->insn, d.load,
                 d.sign, d.indexed, d.size, d.count, d.reg[0]);
    }
    if (ldst_address(&d, &cpu) != BASE + (u32)f->offset || (d.indexed && d.step != f->step)) {
        fail_msg("0x%08x: at 0x%llx, step %d", f->insn, (unsigned long long)ldst_address(&d, &cpu),
                 d.step);
    }
}

static void test_a32(void **state)
{
    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(a32_forms); i++) {
        check_form(&a32_forms[i], STATE);
    }
}

static void test_t32(void **state)
{
    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(t32_forms); i++) {
        check_form(&t32_forms[i], STATE | SPSR32_T);
    }
}

static void refused(const u32 *insn, u32 count, u32 spsr)
{
    struct ldst d;

    for (u32 i = 0; i < count; i++) {
        if (decode32_ldst(insn[i], spsr, r, &d)) {
            fail_msg("0x%08x was decoded", insn[i]);
        }
    }
}

static void test_refused(void **state)
{
    (void)state;
    refused(not_a32, ARRAY_SIZE(not_a32), STATE);
    refused(not_t32, ARRAY_SIZE(not_t32), STATE | SPSR32_T);
}

/* What isn't executed can't have faulted. */
static void test_conditions(void **state)
{
    const u32 cs = 2u << 4, cc = 3u << 4;
    struct ldst d;

    (void)state;
    assert_true(decode32_ldst(0x24901004, STATE, r, &d));  /* ldrcs r1, [r0], #4 */
    assert_false(decode32_ldst(0x34901004, STATE, r, &d)); /* ldrcc */
    assert_false(decode32_ldst(0x04901004, STATE, r, &d)); /* ldreq */
    assert_false(decode32_ldst(0xf4901004, STATE, r, &d)); /* unconditional space */
    for (u32 it = 0; it < 2; it++) {
        u32 first = (it != 0 ? cc : cs) | 8; /* the last of a block */
        u32 spsr = STATE | SPSR32_T | (first & 0xfc) << 8 | (first & 3) << 25;

        assert_int_equal(decode32_ldst(0xf8501b04, spsr, r, &d), it == 0);
        assert_int_equal(decode32_ldst(0xc806, spsr, r, &d), it == 0);
    }
}

static void test_lengths(void **state)
{
    (void)state;
    assert_int_equal(decode32_length(0xc806, STATE), 4);
    assert_int_equal(decode32_length(0xc806, STATE | SPSR32_T), 2);
    assert_int_equal(decode32_length(0xe7ff, STATE | SPSR32_T), 2);
    assert_int_equal(decode32_length(0xe800, STATE | SPSR32_T), 4);
    assert_int_equal(decode32_length(0xf000, STATE | SPSR32_T), 4);
    assert_int_equal(decode32_length(0xffff, STATE | SPSR32_T), 4);
}

/* Whatever the word: registers that there are, sizes that memory has. */
static void test_any_word(void **state)
{
    u32 decoded = 0;
    u64 seed = 1;

    (void)state;
    for (u32 i = 0; i < 2000000; i++) {
        u32 spsr = STATE | ((i & 1) != 0 ? SPSR32_T : 0);
        struct ldst d;
        u32 insn;

        seed = seed * 6364136223846793005ull + 1442695040888963407ull;
        insn = (u32)(seed >> 32);
        insn = (i & 3) == 3 ? insn & 0xffff : insn | 0xe0000000;
        if (!decode32_ldst(insn, spsr, r, &d)) {
            continue;
        }
        decoded++;
        assert_true(d.size == 1 || d.size == 2 || d.size == 4);
        assert_in_range(d.count, 1, LDST_REGISTERS);
        assert_true(d.rn < 15 && d.narrow && !d.simd && !d.reg_offset);
        for (u32 k = 0; k < d.count; k++) {
            assert_in_range(d.reg[k], 0, 14);
        }
        assert_true(ldst_address(&d, &cpu) <= UINT32_MAX);
    }
    assert_true(decoded > 100000);
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a32),        TEST(test_t32),     TEST(test_refused),
        TEST(test_conditions), TEST(test_lengths), TEST(test_any_word),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
