/* SPDX-License-Identifier: MIT */
/*
 * traps32: what a 32-bit VM traps for, and the exceptions that it is given. Each case ends in a
 * line
 * `@@ traps32 CASE: PASS|FAIL`, the whole in `@@ traps32 DONE passed=N failed=N`. No MMU but for
 * one case. Memory at 0xffff0000 is for vectors.
 *
 * QEMU 10 keeps the current mode's SPSR in a place of its own, which a return from an EL2 in
 * AArch64 doesn't fill from the banked register: a handler finds the SPSR of the mode before, or
 * another VM's. Where that is seen, handlers' SPSRs aren't checked: has_stale_spsr.
 */
#include "tests/guests32/traps32.h"

enum { PERIPH_ID0 = 0xfe0, UARTIBRD = 0x24, HOLE = 0x0b000000, HIGH_VECTORS = 0xffff0000 };
enum { UNDEF = 4, PREFETCH_ABORT = 12, DATA_ABORT = 16, UNEXPECTED = 99 };
enum {
    T = 1 << 5,
    F = 1 << 6,
    I = 1 << 7,
    E = 1 << 9,
    MODE = 0x1f,
    UND = 0x1b,
    ABT = 0x17,
    SVC = 0x13
};
enum { FIRST_OF_TWO = 1 << 10 /* in an IT block, EQ */ };
enum { SCTLR_M = 1, SCTLR_V = 1 << 13, SCTLR_EE = 1 << 25, SCTLR_TE = 1 << 30 };
enum { SPIN_ROUNDS = 40 };

#define IT 0x0600fc00u

struct probe probe;
volatile uint32_t second_context, second_cpsr;

static uint32_t passed, failed, wrong_checks;
static bool has_stale_spsr;

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

/* The wrong SPSR, which no CPU could give: the other VM on this CPU may be in between, so again. */
static void find_stale_spsr(void)
{
    for (uint32_t i = 0; i < 20 && !has_stale_spsr; i++) {
        probe_run(arm_undef, 0, 0);
        has_stale_spsr = probe.spsr == SPSR_SVC_MARK;
    }
}

/* What was CPSR: N, Z, C, V, IT, I, F, T and the mode. */
static void expect_spsr(uint32_t want)
{
    if (!has_stale_spsr) {
        check("spsr", probe.spsr & (0xf0000000 | IT | I | F | T | MODE), want);
    }
}

/* --- cases --------------------------------------------------------------------------------- */

static void undef_injected(void)
{
    check("r0", probe_run(arm_undef, 0, 0), 0xdead);
    expect("ARM", UNDEF, arm_undef_at, 4);
    check("cpsr", probe.cpsr & (I | F | T | E | IT | MODE), I | F | UND);
    expect_spsr(0xa0000000 | I | F | SVC);
    probe_run(thumb(thumb_undef), 0, 0);
    expect("Thumb", UNDEF, thumb_undef_at, 2);
    check("cpsr", probe.cpsr & (I | T | E | IT | MODE), I | UND);
    expect_spsr(0x60000000 | FIRST_OF_TWO | I | F | T | SVC);
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

static void mmu_off(void)
{
    CP15_WRITE(SCTLR, CP15_READ(SCTLR) & ~(uint32_t)SCTLR_M);
    CP15_WRITE(TTBCR, 0);
}

enum { SECTION = 1 << 20, BLOCK = 1 << 21, ALIAS = 0x10000000 };

/* Tables that map everything to itself as Device memory, read, written and executed by all, but RAM
 * as Normal memory, and ALIAS higher once more. Short: sections (DDI 0406C B3.5.1); long: blocks of
 * 2 MiB (B3.6.1). */
static _Alignas(16384) uint32_t short_table[4096];
static _Alignas(4096) uint64_t long_table[4][512], long_root[4];

static uint32_t is_ram(uint32_t at)
{
    return at >> 28 == 4;
}

static void make_tables(void)
{
    for (uint32_t i = 0; i < 4096; i++) {
        uint32_t at = i * SECTION;
        uint32_t to = is_ram(at - ALIAS) ? at - ALIAS : at;

        short_table[i] = to | 3 << 10 | 2 | (is_ram(to) ? 1 << 12 | 1 << 3 | 1 << 2 : 1 << 2);
    }
    for (uint32_t i = 0; i < 2048; i++) {
        uint32_t at = i * BLOCK;
        uint32_t to = is_ram(at - ALIAS) ? at - ALIAS : at;

        long_root[i / 512] = (uint64_t)(uintptr_t)long_table[i / 512] | 3;
        long_table[i / 512][i % 512] = to | 1 << 10 | 1 << 6 | 1 | (is_ram(to) ? 1 << 2 : 0);
    }
}

static void mmu_on(bool lpae)
{
    make_tables();
    __asm__ volatile("dsb sy" : : : "memory");
    mmu_off();
    CP15_WRITE(TTBCR, lpae ? 1u << 31 : 0);
    if (lpae) {
        __asm__ volatile("mcrr p15, 0, %0, %1, c2" : : "r"(long_root), "r"(0));
        CP15_WRITE("0, %0, c10, c2, 0", 0x4404); /* MAIR0: 0 Device-nGnRE, 1 Normal, not cached */
    } else {
        CP15_WRITE("0, %0, c2, c0, 0", (uint32_t)(uintptr_t)short_table);
        CP15_WRITE("0, %0, c3, c0, 0", 1);
    }
    CP15_WRITE("0, %0, c8, c7, 0", 0); /* TLBIALL */
    CP15_WRITE(SCTLR, CP15_READ(SCTLR) | SCTLR_M);
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
    expect_spsr((probe.spsr & 0xf0000000) | I | F | ((uint32_t)(uintptr_t)code & 1) << 5 | SVC);
}

/* What no device bears ends in an external abort, in the tables' format. */
static void aborts_injected(void)
{
    for (uint32_t lpae = 0; lpae < 2; lpae++) {
        uint32_t fsr = lpae != 0 ? 0x210 : 0x008;

        CP15_WRITE(TTBCR, lpae << 31);
        one_abort("ldm^", arm_ldm_user, arm_ldm_user_at, fsr);
        one_abort("stm^", arm_stm_user, arm_stm_user_at, fsr | 1 << 11);
        one_abort("ldrex", thumb(thumb_ldrex), thumb_ldrex_at, fsr);
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

enum { REGISTERS = 9, LOAD = 1, THUMB = 2, SIGN = 4 };

struct form {
    const char *name, *code;
    uint32_t flags, base;                /* r0, as an offset from UART */
    int32_t step, offset;                /* of r0 in the end, of the access from r0 */
    uint32_t first, second, count, size; /* the registers: first, second, second + 1 … */
};

#define A(code, ...)                                                                               \
    {                                                                                              \
#code, code, __VA_ARGS__                                                                   \
    }
#define BAUD UARTIBRD

/* clang-format off */
static const struct form forms[] = {
    A(a_ldr_post, LOAD, 0xfe0, 4, 0, 2, 0, 1, 4),
    A(a_ldr_pre, LOAD, 0xff4, -4, -4, 2, 0, 1, 4),
    A(a_ldr_reg, LOAD, 0xfc0, 0x2c, 0x2c, 2, 0, 1, 4),
    A(a_ldrb, LOAD, 0xfe8, 1, 0, 2, 0, 1, 1),
    A(a_ldrh, LOAD, 0xff2, 2, 2, 2, 0, 1, 2),
    A(a_ldrsb, LOAD | SIGN, 0xffc, -0x16, 0, 2, 0, 1, 1),
    A(a_ldrd, LOAD, 0xff8, 0, 0, 2, 3, 2, 4),
    A(a_ldrd_post, LOAD, 0xfe8, -8, 0, 4, 5, 2, 4),
    A(a_ldmia, LOAD, 0xfe0, 32, 0, 1, 2, 8, 4),
    A(a_ldmib, LOAD, 0xff0, 0, 4, 1, 2, 3, 4),
    A(a_ldmda, LOAD, 0xff8, -12, -8, 1, 2, 3, 4),
    A(a_str_post, 0, BAUD, 4, 0, 2, 0, 1, 4),
    A(a_strh, 0, BAUD + 2, -2, -2, 2, 0, 1, 2),
    A(a_strb, 0, BAUD, 0x16, 0, 2, 0, 1, 1),
    A(a_strd, 0, BAUD - 8, 8, 8, 2, 3, 2, 4),
    A(a_stmia, 0, BAUD, 8, 0, 2, 3, 2, 4),
    A(a_stmdb, 0, BAUD + 8, -8, -8, 2, 3, 2, 4),
    A(a_stmib, 0, BAUD - 4, 0, 4, 2, 3, 2, 4),
    A(t_ldr_post, LOAD | THUMB, 0xfe0, 4, 0, 2, 0, 1, 4),
    A(t_ldr_pre, LOAD | THUMB, 0xff4, -4, -4, 2, 0, 1, 4),
    A(t_ldrsh, LOAD | THUMB | SIGN, 0xffc, 2, 0, 2, 0, 1, 2),
    A(t_ldrd, LOAD | THUMB, 0xff4, 4, 4, 2, 5, 2, 4),
    A(t_ldm16, LOAD | THUMB, 0xfe4, 28, 0, 1, 2, 7, 4),
    A(t_ldm32, LOAD | THUMB, 0xfe0, 32, 0, 1, 2, 8, 4),
    A(t_ldmdb, LOAD | THUMB, 0x1000 - 4, -12, -12, 1, 2, 3, 4),
    A(t_str_pre, THUMB, BAUD - 4, 4, 4, 2, 0, 1, 4),
    A(t_strb, THUMB, BAUD, -1, 0, 2, 0, 1, 1),
    A(t_strd, THUMB, BAUD, 8, 0, 2, 3, 2, 4),
    A(t_stm16, THUMB, BAUD, 8, 0, 2, 3, 2, 4),
    A(t_stmdb, THUMB, BAUD + 8, -8, -8, 2, 3, 2, 4),
};
/* clang-format on */

/* What one access of `size` bytes, which has a syndrome, reads. */
static uint32_t plain(uint32_t at, uint32_t size, bool sign)
{
    if (size == 4) {
        return *(volatile uint32_t *)at;
    }
    if (size == 2) {
        return sign ? (uint32_t) * (volatile int16_t *)at : *(volatile uint16_t *)at;
    }
    return sign ? (uint32_t) * (volatile int8_t *)at : *(volatile uint8_t *)at;
}

static void set_baud(uint32_t value)
{
    *(volatile uint32_t *)(UART + BAUD) = value;
    *(volatile uint32_t *)(UART + BAUD + 4) = value;
}

/* `alias` is added to the address of the code: where it is mapped, too. */
static void one_form(const struct form *f, uint32_t alias)
{
    uint32_t code = ((address(f->code) & ~1u) + alias) | ((f->flags & THUMB) != 0);
    uint32_t r[REGISTERS], want[REGISTERS], base = UART + f->base;

    for (uint32_t i = 0; i < REGISTERS; i++) {
        want[i] = 0x10 + i;
    }
    set_baud(0);
    for (uint32_t i = 0; i < f->count && (f->flags & LOAD) != 0; i++) {
        uint32_t n = i == 0 ? f->first : f->second + i - 1;

        want[n] = plain(base + (uint32_t)f->offset + 4 * i, f->size, (f->flags & SIGN) != 0);
    }
    want[0] = base + (uint32_t)f->step;
    probe_run((const void *)code, base, (uint32_t)(uintptr_t)r);
    check(f->name, probe.hit, 0);
    for (uint32_t i = 0; i < REGISTERS; i++) {
        check(f->name, r[i], want[i]);
    }
    if ((f->flags & LOAD) == 0) {
        check(f->name, plain(UART + BAUD, 4, false), 0x12);
        check(f->name, plain(UART + BAUD + 4, 4, false), f->count == 2 ? 0x13 : 0);
    }
}

static void all_forms(uint32_t alias)
{
    uint32_t r[REGISTERS];

    for (uint32_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        one_form(&forms[i], alias);
    }
    probe_run((const void *)(address(a_ldmdb) + alias), UART + 0xff0, (uint32_t)(uintptr_t)r);
    check("base in the list", r[0], plain(UART + 0xfe4, 4, false));
    check("beside it", r[2], plain(UART + 0xfec, 4, false));
    check("IT block",
          probe_run((const void *)(((address(t_in_block) & ~1u) + alias) | 1), UART + 0xff0,
                    (uint32_t)(uintptr_t)r),
          0);
    check("base", r[0], UART + 0xffc);
    check("second of two", r[1], plain(UART + 0xff8, 4, false));
    probe_run((const void *)(address(in_user_mode) + alias), UART + PERIPH_ID0,
              (uint32_t)(uintptr_t)r);
    check("back from User mode", probe.hit, UNEXPECTED);
    check("base", r[0], UART + 0x1000);
    check("last", r[8], plain(UART + 0xffc, 4, false));
}

/* Instructions that Muntin has to fetch: without an MMU, and where the program's address is not the
 * one in memory, with tables of either format. */
static void undescribed(void)
{
    all_forms(0);
    mmu_on(false);
    all_forms(ALIAS);
    mmu_on(true);
    all_forms(ALIAS);
    mmu_off();
}

static void denied(const char *what, const char *code)
{
    probe_run(code, 0, 0);
    check(what, probe.hit, UNDEF);
}

/* ID_ISAR5, which tells what ARMv8 added, is 0. */
static bool is_armv7(void)
{
    return CP15_READ("0, %0, c0, c2, 5") == 0;
}

static void registers(void)
{
    uint32_t gic = CP15_READ("0, %0, c0, c1, 1") >> 28;

    check("CNTPCT", probe_run(arm_cntpct, 0, 0), 0);
    check("CNTP", probe_run(arm_cntp, 0x12345678, 0x7fff), 0);
    check("set/way, ACTLR", probe_run(arm_set_way, 0, 0), 0);
    if (!is_armv7()) { /* there QEMU 10 doesn't trap ID registers (HCR.TID3) */
        check("ID", probe_run(arm_ids, 0, 0), 0);
    }
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
    find_stale_spsr();
    run("undef", undef_injected);
    run("undef-sctlr", undef_by_sctlr);
    run("aborts", aborts_injected);
    run("conditions", conditions);
    run("it-blocks", it_blocks);
    run("modes", modes);
    run("accesses", accesses);
    run("undescribed", undescribed);
    run("registers", registers);
    run("firmware", firmware);
    run("banked", banked);
    say("@@ traps32 DONE passed=");
    say_number(passed);
    say(" failed=");
    say_number(failed);
    say("\n");
}
