/* SPDX-License-Identifier: MIT */
/* The traps guest: accesses to a device with big-endian data. */
#include "tests/guests/lib/io.h"
#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/test.h"
#include "tests/guests/traps/traps_test.h"

enum { UARTIBRD = 0x24, PERIPH_ID0 = 0xfe0, PCELL_ID3 = 0xffc };

#define BIG_ENDIAN(insn, address, value)                                                           \
    __asm__ volatile("setend be\n\t" insn "\n\tsetend le"                                          \
                     : [x] "+r"(value)                                                             \
                     : [a] "r"(address)                                                            \
                     : "memory")

#define CHECK_LOAD(insn, offset, want)                                                             \
    do {                                                                                           \
        uint32_t x_ = ~0u;                                                                         \
                                                                                                   \
        BIG_ENDIAN(insn, (uint32_t)platform.uart + (offset), x_);                                  \
        test_equal(insn, x_, want);                                                                \
    } while (0)

#define CHECK_STORE(insn, value)                                                                   \
    do {                                                                                           \
        uint32_t x_ = (value);                                                                     \
                                                                                                   \
        io_write32(platform.uart + UARTIBRD, 0x777);                                               \
        BIG_ENDIAN(insn, (uint32_t)platform.uart + UARTIBRD, x_);                                  \
        test_equal(insn, io_read32(platform.uart + UARTIBRD), 0x1234);                             \
    } while (0)

void endian_syndrome(void)
{
    CHECK_LOAD("ldr %[x], [%[a]]", PERIPH_ID0, 0x11000000);
    CHECK_LOAD("ldrh %[x], [%[a]]", PERIPH_ID0, 0x1100);
    CHECK_LOAD("ldrb %[x], [%[a]]", PERIPH_ID0, 0x11);
    CHECK_LOAD("ldrsh %[x], [%[a]]", PCELL_ID3, 0xffffb100);
    CHECK_LOAD("ldrsb %[x], [%[a]]", PCELL_ID3, 0xffffffb1);
    CHECK_STORE("str %[x], [%[a]]", 0x34120000);
    CHECK_STORE("strh %[x], [%[a]]", 0x3412);
}

#define CHECK_DECODED(insn, offset, want_x, want_y, step)                                          \
    do {                                                                                           \
        uint32_t a_ = (uint32_t)platform.uart + (offset);                                          \
        register uint32_t x_ __asm__("r4") = ~0u;                                                  \
        register uint32_t y_ __asm__("r5") = 0;                                                    \
                                                                                                   \
        __asm__ volatile("setend be\n\t" insn "\n\tsetend le"                                      \
                         : "+r"(x_), "+r"(y_), [a] "+r"(a_)                                        \
                         :                                                                         \
                         : "memory");                                                              \
        test_equal(insn, x_, want_x);                                                              \
        test_equal(insn ", second register", y_, want_y);                                          \
        test_equal(insn ", address", a_, platform.uart + (offset) + (step));                       \
    } while (0)

/* The others are decoded. */
void endian_decoded(void)
{
    CHECK_DECODED("ldr r4, [%[a]], #4", PERIPH_ID0, 0x11000000, 0, 4);
    CHECK_DECODED("ldrh r4, [%[a]], #2", PERIPH_ID0, 0x1100, 0, 2);
    CHECK_DECODED("ldrd r4, r5, [%[a]]", PERIPH_ID0, 0x11000000, 0x10000000, 0);
    CHECK_DECODED("ldm %[a]!, {r4, r5}", PERIPH_ID0, 0x11000000, 0x10000000, 8);
}
