/* SPDX-License-Identifier: MIT */
/*
 * The traps guest: accesses to a device with big-endian data (SCTLR_EL1.EE). The device stays
 * little-endian: each access sees its bytes the other way round, whether its abort has a syndrome
 * or not.
 *
 * EE holds for table walks too, so the MMU is off meanwhile, and no memory is used.
 */
#include "tests/guests/lib/io.h"
#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/sysreg.h"
#include "tests/guests/lib/test.h"
#include "tests/guests/traps/traps_test.h"

enum { UARTIBRD = 0x24, UARTFBRD = 0x28, PERIPH_ID0 = 0xfe0, PCELL_ID3 = 0xffc };
enum { SCTLR_M = 1, SCTLR_EE = 1 << 25 };

/* One big-endian instruction on %[a], an address, and %[x] and %[y], data; all may be changed. */
#define BIG_ENDIAN(insn, addr, first, second)                                                      \
    do {                                                                                           \
        uint64_t little_ = sysreg_read("sctlr_el1");                                               \
        uint64_t daif_ = sysreg_read("daif");                                                      \
                                                                                                   \
        irq_mask();                                                                                \
        __asm__ volatile(                                                                          \
            "dsb sy\n\tmsr sctlr_el1, %[big]\n\tisb\n\t" insn                                      \
            "\n\tdsb sy\n\tmsr sctlr_el1, %[little]\n\tisb"                                        \
            : [a] "+&r"(addr), [x] "+&r"(first), [y] "+&r"(second)                                 \
            : [big] "r"((little_ | SCTLR_EE) & ~(uint64_t)SCTLR_M), [little] "r"(little_)          \
            : "memory");                                                                           \
        sysreg_write("daif", daif_);                                                               \
    } while (0)

#define CHECK_LOAD(insn, offset, want_x, want_y, step)                                             \
    do {                                                                                           \
        uint64_t a_ = platform.uart + (offset), x_ = ~0ull, y_ = 0;                                \
                                                                                                   \
        BIG_ENDIAN(insn, a_, x_, y_);                                                              \
        test_equal(insn, x_, want_x);                                                              \
        test_equal(insn ", second register", y_, want_y);                                          \
        test_equal(insn ", address", a_, platform.uart + (offset) + (step));                       \
    } while (0)

/* Stores what makes the baud-rate registers 0x1234 and 0x15. */
#define CHECK_STORE(insn, value_x, value_y, want_fbrd)                                             \
    do {                                                                                           \
        uint64_t a_ = platform.uart + UARTIBRD, x_ = (value_x), y_ = (value_y);                    \
                                                                                                   \
        io_write32(platform.uart + UARTIBRD, 0x777);                                               \
        io_write32(platform.uart + UARTFBRD, 0x2a);                                                \
        BIG_ENDIAN(insn, a_, x_, y_);                                                              \
        test_equal(insn, io_read32(platform.uart + UARTIBRD), 0x1234);                             \
        test_equal(insn ", second register", io_read32(platform.uart + UARTFBRD), want_fbrd);      \
    } while (0)

static bool has_big_endian(void)
{
    if ((sysreg_read("id_aa64mmfr0_el1") >> 8 & 0xf) != 0) {
        return true;
    }
    test_skip("this CPU has no big-endian data");
    return false;
}

/* Without write-back and with one register, the syndrome tells all of it. */
void endian_syndrome(void)
{
    if (!has_big_endian()) {
        return;
    }
    CHECK_LOAD("ldr %w[x], [%[a]]", PERIPH_ID0, 0x11000000, 0, 0);
    CHECK_LOAD("ldrh %w[x], [%[a]]", PERIPH_ID0, 0x1100, 0, 0);
    CHECK_LOAD("ldrb %w[x], [%[a]]", PERIPH_ID0, 0x11, 0, 0);
    CHECK_LOAD("ldrsw %[x], [%[a]]", PCELL_ID3, 0xffffffffb1000000, 0, 0);
    CHECK_LOAD("ldrsh %w[x], [%[a]]", PCELL_ID3, 0xffffb100, 0, 0);
    CHECK_LOAD("ldrsb %[x], [%[a]]", PCELL_ID3, 0xffffffffffffffb1, 0, 0);
    CHECK_STORE("str %w[x], [%[a]]", 0x34120000, 0, 0x2a);
    CHECK_STORE("strh %w[x], [%[a]]", 0x3412, 0, 0x2a);
}

/* The others are decoded. */
void endian_decoded(void)
{
    if (!has_big_endian()) {
        return;
    }
    CHECK_LOAD("ldr %w[x], [%[a]], #4", PERIPH_ID0, 0x11000000, 0, 4);
    CHECK_LOAD("ldrh %w[x], [%[a]], #2", PERIPH_ID0, 0x1100, 0, 2);
    CHECK_LOAD("ldp %w[x], %w[y], [%[a]]", PERIPH_ID0, 0x11000000, 0x10000000, 0);
    CHECK_LOAD("ldpsw %[y], %[x], [%[a]]", PCELL_ID3 - 4, 0xffffffffb1000000, 0x5000000, 0);
    CHECK_STORE("str %w[x], [%[a]], #4", 0x34120000, 0, 0x2a);
    CHECK_STORE("stp %w[x], %w[y], [%[a]]", 0x34120000, 0x15000000, 0x15);
}
