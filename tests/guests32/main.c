/* SPDX-License-Identifier: MIT */
/*
 * traps32: what a 32-bit VM traps for, and the exceptions that it is given. Each case ends in a
 * line
 * "@@ traps32 CASE: PASS|FAIL", the whole in "@@ traps32 DONE passed=N failed=N". No MMU. Memory at
 * 0xffff0000 is for vectors.
 *
 * The SPSR of a handler isn't looked at: QEMU 10 has that of the current mode in a place of its
 * own, which a return from EL2 doesn't fill from the banked register. vcp15_test has it.
 */
#include "tests/guests32/traps32.h"

enum { PERIPH_ID0 = 0xfe0, UARTIBRD = 0x24, HOLE = 0x0b000000, HIGH_VECTORS = 0xffff0000 };
enum { UNDEF = 4, PREFETCH_ABORT = 12, DATA_ABORT = 16 };
enum { T = 1 << 5, F = 1 << 6, I = 1 << 7, E = 1 << 9, MODE = 0x1f, UND = 0x1b, ABT = 0x17 };
enum { SCTLR_V = 1 << 13, SCTLR_EE = 1 << 25, SCTLR_TE = 1 << 30 };
enum { SPIN_ROUNDS = 40 };

#define IT 0x0600fc00u

struct probe probe;
volatile uint32_t second_context, second_cpsr;

static uint32_t passed, failed, wrong_checks;

#define CP15_READ(args)                                                                            \
    ({                                                                                             \
        uint32_t value_;                                                                           \
        __asm__ volatile("mrc p15, " args : "=r"(value_));                                         \
        value_;                                                                                    \
    })
#define CP15_WRITE(args, value) __asm__ volatile("mcr p15, " args "\n\tisb" : : "r"(value))
#define SCTLR                   "0, %0, c1, c0, 0"
#define TTBCR                   "0, %0, c2, c0, 2"
#define DFSR                    "0, %0, c5, c0, 0"
#define IFSR                    "0, %0, c5, c0, 1"
#define DFAR                    "0, %0, c6, c0, 0"
#define IFAR                    "0, %0, c6, c0, 2"

static void put(char c)
{
    *(volatile uint32_t *)UART = (uint8_t)c;
}

static void say(const char *s)
{
    for (; *s != '\0'; s++) {
        if (*s == '\n') {
            put('\r');
        }
        put(*s);
    }
}

static void say_hex(uint32_t v)
{
    for (int shift = 28; shift >= 0; shift -= 4) {
        put("0123456789abcdef"[v >> shift & 15]);
    }
}

static void say_number(uint32_t v)
{
    char digits[11];
    uint32_t at = sizeof(digits) - 1;

    digits[at] = '\0';
    do {
        digits[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v != 0);
    say(digits + at);
}

static void check(const char *what, uint32_t got, uint32_t want)
{
    if (got == want) {
        return;
    }
    wrong_checks++;
    say("@@ traps32 failed check: ");
    say(what);
    say(" 0x");
    say_hex(got);
    say(" is not 0x");
    say_hex(want);
    say("\n");
}

static uint32_t address(const char *code)
{
    return (uint32_t)(uintptr_t)code;
}

/* Code in Thumb state: its address has bit 0 set, whatever the assembler says of labels. */
static const void *thumb(const char *code)
{
    return (const void *)(uintptr_t)(address(code) | 1);
}

static void expect(const char *what, uint32_t vector, const char *at, uint32_t lr_offset)
{
    check(what, probe.hit, vector);
    check("its lr", probe.lr, (address(at) & ~1u) + lr_offset);
}

/* --- cases --------------------------------------------------------------------------------- */

static void undef_injected(void)
{
    check("r0", probe_run(arm_undef, 0, 0), 0xdead);
    expect("ARM", UNDEF, arm_undef_at, 4);
    check("cpsr", probe.cpsr & (I | F | T | E | IT | MODE), I | F | UND);
    probe_run(thumb(thumb_undef), 0, 0);
    expect("Thumb", UNDEF, thumb_undef_at, 2);
    check("cpsr", probe.cpsr & (I | T | E | IT | MODE), I | UND);
}

/* High vectors, and handlers that SCTLR wants in Thumb state, big-endian. */
static void undef_by_sctlr(void)
{
    uint32_t sctlr = CP15_READ(SCTLR), *high = (uint32_t *)HIGH_VECTORS;
    const uint32_t *vectors = (const uint32_t *)(const void *)vectors_arm;

    for (uint32_t i = 0; i < (address(vectors_end) - address(vectors_arm)) / 4; i++) {
        high[i] = vectors[i];
    }
    CP15_WRITE("0, %0, c12, c0, 0", 0);
    CP15_WRITE(SCTLR, sctlr | SCTLR_V);
    probe_run(arm_undef, 0, 0);
    CP15_WRITE(SCTLR, sctlr);
    expect("high vectors", UNDEF, arm_undef_at, 4);
    CP15_WRITE("0, %0, c12, c0, 0", address(vectors_thumb) & ~1u);
    CP15_WRITE(SCTLR, sctlr | SCTLR_TE | SCTLR_EE);
    probe_run(arm_undef, 0, 0);
    CP15_WRITE(SCTLR, sctlr);
    CP15_WRITE("0, %0, c12, c0, 0", address(vectors_arm));
    expect("Thumb vectors", UNDEF, arm_undef_at, 4);
    check("E", probe.cpsr & E, E);
}

static void one_abort(const char *what, const void *code, const char *at, uint32_t fsr)
{
    CP15_WRITE(DFSR, 0xffffffffu);
    CP15_WRITE(DFAR, 0);
    probe_run(code, UART + PERIPH_ID0, 0);
    expect(what, DATA_ABORT, at, 8);
    check("DFSR", CP15_READ(DFSR), fsr);
    check("DFAR", CP15_READ(DFAR), UART + PERIPH_ID0);
    check("cpsr", probe.cpsr & (I | T | IT | MODE), I | ABT);
}

/* What the syndrome doesn't describe ends in an external abort, in the tables' format. */
static void aborts_injected(void)
{
    for (uint32_t lpae = 0; lpae < 2; lpae++) {
        uint32_t fsr = lpae != 0 ? 0x210 : 0x008;

        CP15_WRITE(TTBCR, lpae << 31);
        one_abort("ldm", arm_ldm, arm_ldm_at, fsr);
        one_abort("stm", arm_stm, arm_stm_at, fsr | 1 << 11);
        one_abort("ldrd", thumb(thumb_ldrd), thumb_ldrd_at, fsr);
        probe_run((const void *)HOLE, 0, 0);
        check("fetch", probe.hit, PREFETCH_ABORT);
        check("its lr", probe.lr, HOLE + 4);
        check("IFSR", CP15_READ(IFSR), fsr);
        check("IFAR", CP15_READ(IFAR), HOLE);
    }
    CP15_WRITE(TTBCR, 0);
}

static void conditions(void)
{
    uint32_t isar0 = CP15_READ("0, %0, c0, c2, 0");

    check("ARM, skipped", probe_run(arm_skipped, 0, 0), 7);
    check("ARM, executed", probe_run(arm_executed, 0, 0), isar0);
    check("Thumb, skipped", probe_run(thumb(thumb_skipped), 0, 0), 7);
    check("Thumb, executed", probe_run(thumb(thumb_executed), 0, 0), isar0);
    check("smceq", probe_run(arm_smc_skipped, 0, 0), 7);
    check("flags", probe_run(arm_flags, 0, 0) >> 28, 0);
    check("exception", probe.hit, 0);
}

static void it_blocks(void)
{
    check("mrc", probe_run(thumb(thumb_block), 0, 0), 0x1301);
    check("ldr", probe_run(thumb(thumb_load_block), UART + PERIPH_ID0, 0), 0x1001 + 0x11);
}

/* The registers of each mode, as what a trapped load or MRC writes to. */
static void modes(void)
{
    static const uint8_t all[] = {0x13, 0x1f, 0x11, 0x12, 0x17, 0x1b};

    for (uint32_t i = 0; i < sizeof(all); i++) {
        check("mode", mode_load(UART + PERIPH_ID0, all[i]), 0x11 + 0x10);
    }
}

static void accesses(void)
{
    volatile uint32_t *ibrd = (volatile uint32_t *)(UART + UARTIBRD);

    *ibrd = 0x1234;
    check("word", *ibrd, 0x1234);
    *(volatile uint16_t *)(UART + UARTIBRD) = 0x321;
    check("half", *(volatile uint16_t *)(UART + UARTIBRD), 0x321);
    check("signed", (uint32_t) * (volatile int8_t *)(UART + 0xffc), 0xffffffb1);
    check("hole", probe_run(arm_load, HOLE, 0), 0xffffffff);
    check("exception", probe.hit, 0);
}

static void denied(const char *what, const char *code)
{
    probe_run(code, 0, 0);
    check(what, probe.hit, UNDEF);
}

static void registers(void)
{
    uint32_t gic = CP15_READ("0, %0, c0, c1, 1") >> 28;

    check("CNTPCT", probe_run(arm_cntpct, 0, 0), 0);
    check("CNTP", probe_run(arm_cntp, 0x12345678, 0x7fff), 0);
    check("set/way, ACTLR", probe_run(arm_set_way, 0, 0), 0);
    check("ID", probe_run(arm_ids, 0, 0), 0);
    check("MVFR0", probe_run(arm_mvfr, 0, 0) & 0xf, 2);
    check("DBGDIDR", probe_run(arm_read_dbgdidr, 0, 0), 0);
    check("exception", probe.hit, 0);
    check("ICC_SRE", probe_run(arm_read_sre, 0, 0), gic != 0 ? 7 : 0xdead);
    denied("PMCR", arm_read_pmcr);
    denied("L2CTLR", arm_read_l2ctlr);
    denied("DBGBCR", arm_read_dbgbcr);
    denied("DBGOSLAR", arm_write_oslar);
    denied("ID_PFR0", arm_write_id);
}

static void firmware(void)
{
    check("HVC", smccc_hvc(0x84000000, 0, 0, 0), 0x10001);
    check("SMC", smccc_smc(0x84000000, 0, 0, 0), 0x10001);
    check("64-bit call", smccc_hvc(0xc4000003, 1, address(second_thumb), 0), -1u);
    check("odd address", smccc_hvc(0x84000003, 1, 2, 0), -9u);
    check("CPU_ON", smccc_hvc(0x84000003, 1, address(second_thumb) | 1, 0xabcdef01), 0);
    while (smccc_hvc(0x84000004, 1, 0, 0) != 1) {
    }
    check("context", second_context, 0xabcdef01);
    check("cpsr", second_cpsr & (0x1c0 | T | MODE), 0x1c0 | T | 0x13);
}

static uint32_t ticks(void)
{
    uint32_t low, high;

    __asm__ volatile("isb\n\tmrrc p15, 1, %0, %1, c14" : "=r"(low), "=r"(high));
    return low;
}

/* Others run on this CPU meanwhile: another VM does the same. */
static void banked(void)
{
    uint32_t second = CP15_READ("0, %0, c14, c0, 0");
    uint32_t seed = ticks() << 8;

    for (uint32_t i = 0; i < SPIN_ROUNDS; i++) {
        uint32_t start = ticks();

        seed += 0x100000;
        banked_fill(seed);
        while (ticks() - start < second / 200) {
        }
        check("banked registers that are wrong", banked_wrong(seed), 0);
    }
}

static void run(const char *name, void (*test)(void))
{
    wrong_checks = 0;
    test();
    say("@@ traps32 ");
    say(name);
    say(wrong_checks == 0 ? ": PASS\n" : ": FAIL\n");
    passed += wrong_checks == 0;
    failed += wrong_checks != 0;
}

void guest_main(void)
{
    run("undef", undef_injected);
    run("undef-sctlr", undef_by_sctlr);
    run("aborts", aborts_injected);
    run("conditions", conditions);
    run("it-blocks", it_blocks);
    run("modes", modes);
    run("accesses", accesses);
    run("registers", registers);
    run("firmware", firmware);
    run("banked", banked);
    say("@@ traps32 DONE passed=");
    say_number(passed);
    say(" failed=");
    say_number(failed);
    say("\n");
}
