/* SPDX-License-Identifier: MIT */
/* A vCPU's registers for people: which stack pointer, which bank, what the lines say. */
#include "core/regs.h"

#include "core/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static char said[4096];

static void PRINTF(1, 2) print(const char *fmt, ...)
{
    size_t n = strlen(said);
    va_list ap;

    va_start(ap, fmt);
    fmt_vprint(said + n, sizeof(said) - n, fmt, ap);
    va_end(ap);
    n = strlen(said);
    fmt_print(said + n, sizeof(said) - n, "|");
}

static struct vcpu_regs some(u64 pstate)
{
    struct vcpu_regs r = {.pc = 0xffff800008010000, .pstate = pstate, .exits = 77};

    for (u32 i = 0; i < ARRAY_SIZE(r.x); i++) {
        r.x[i] = 0x1000 + i;
    }
    r.sp_el0 = 0xe10;
    r.sp_el1 = 0xe11;
    r.elr = 0xabc;
    r.syndrome[5] = 0x96000046;
    return r;
}

static void stack_pointer(void **state)
{
    static const struct {
        u64 pstate, sp;
    } all[] = {{0x3c0, 0xe10}, {0x3c4, 0xe10}, {0x3c5, 0xe11}, {0x10, 0x100d}, {0x11, 0x101d},
               {0x12, 0x1011}, {0x13, 0x1013}, {0x17, 0x1015}, {0x1b, 0x1017}, {0x1f, 0x100d}};

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(all); i++) {
        struct vcpu_regs r = some(all[i].pstate);

        assert_int_equal(regs_sp(&r), all[i].sp);
    }
}

static void lines_of_aarch64(void **state)
{
    struct vcpu_regs r = some(0x3c5);

    (void)state;
    said[0] = '\0';
    regs_print(&r, print);
    assert_non_null(strstr(said, "  pc 0xffff800008010000  pstate 0x3c5  exits 77|"));
    assert_non_null(strstr(said, "first: 0x0 0x0 0x0 0x0 0x0 0x96000046|"));
    assert_non_null(strstr(said, "|  x27 0x000000000000101b  x28 0x000000000000101c  x29 "));
    assert_non_null(strstr(said, "|  x30 0x000000000000101e  sp_el0 0xe10  sp_el1 0xe11|"));
    assert_non_null(strstr(said, "elr 0xabc"));
}

/* As the mode has them, wherever they are kept. */
static void lines_of_aarch32(void **state)
{
    struct vcpu_regs r = some(0x11);

    (void)state;
    said[0] = '\0';
    regs_print(&r, print);
    assert_non_null(strstr(said, "|  r4  0x00001004  r5  0x00001005  r6  0x00001006  r7  0x0000"));
    assert_non_null(strstr(said, "|  r8  0x00001018  r9  0x00001019  r10 0x0000101a  r11 0x0000"));
    assert_non_null(strstr(said, "|  r12 0x0000101c  sp  0x0000101d  lr  0x0000101e|"));
    r = some(0x13);
    said[0] = '\0';
    regs_print(&r, print);
    assert_non_null(strstr(said, "|  r12 0x0000100c  sp  0x00001013  lr  0x00001012|"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stack_pointer),
        cmocka_unit_test(lines_of_aarch64),
        cmocka_unit_test(lines_of_aarch32),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
