/* SPDX-License-Identifier: MIT */
/* The traps guest: calls with immediates, set/way operations, waiting, and what traps must keep. */
#include <stddef.h>

#include "tests/guests/lib/forms.h"
#include "tests/guests/lib/insn.h"
#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/probe.h"
#include "tests/guests/lib/psci.h"
#include "tests/guests/lib/smccc.h"
#include "tests/guests/lib/sysreg.h"
#include "tests/guests/lib/test.h"
#include "tests/guests/lib/timer.h"
#include "tests/guests/traps/traps_test.h"

enum { MARK_BYTES = 1 << 20, MAX_SETS = 256, MAX_WAYS = 4 };

/* r0 to r12 or x0 to x30; the flags follow. */
enum { KEPT_REGS = sizeof(uintptr_t) == 8 ? 31 : 13 };

/* keep.S */
void keep_registers(const uintptr_t *before, uintptr_t *after, uint64_t device, uint64_t function);
void keep_fp_load(const uint64_t *words);
void keep_fp_store(uint64_t *words);

/* With a nonzero immediate a call means nothing: an answer or UNDEF, and life goes on. */
static void check_immediates(const char *name, uint32_t (*make)(uint32_t imm))
{
    static const uint32_t immediates[] = {1, 2, 0x4a48, 0x1234, 0x8000, 0xea1, 0xffff};

    for (size_t i = 0; i < sizeof(immediates) / sizeof(immediates[0]); i++) {
        struct probe p;
        bool answered = insn_run1(&p, make(immediates[i]), PSCI_VERSION);

        test_check(answered || probe_class(&p) == EC_UNKNOWN, "%s #0x%x: esr 0x%lx", name,
                   immediates[i], p.esr);
    }
}

static uint32_t make_hvc(uint32_t imm)
{
    return INSN_HVC(imm);
}

static uint32_t make_smc(uint32_t imm)
{
    return INSN_SMC(imm);
}

void misc_hvc_immediate(void)
{
    check_immediates("HVC", make_hvc);
}

void misc_smc_immediate(void)
{
    check_immediates("SMC", make_smc);
}

static uint64_t mark_of(uint64_t addr)
{
    return (addr * 0x9e3779b97f4a7c15ull) ^ addr;
}

/* One operation per set and way of a cache level, at most so many. */
static void for_each_set_way(uint32_t level, void (*operate)(uint64_t set_way))
{
    uint64_t ccsidr;
    uint32_t line;
    uint32_t ways;
    uint32_t sets;

    sysreg_write("csselr_el1", level << 1);
    isb();
    ccsidr = sysreg_read("ccsidr_el1");
    line = (uint32_t)(ccsidr & 7) + 4;
    ways = (uint32_t)(ccsidr >> 3 & 0x3ff) + 1;
    sets = (uint32_t)(ccsidr >> 13 & 0x7fff) + 1;
    for (uint32_t way = 0; way < ways && way < MAX_WAYS; way++) {
        for (uint32_t set = 0; set < sets && set < MAX_SETS; set++) {
            uint32_t shift = ways > 1 ? (uint32_t)__builtin_clz(ways - 1) : 31;

            operate((uint64_t)way << shift | (uint64_t)set << line | level << 1);
        }
    }
}

static void clean(uint64_t set_way)
{
    cache_clean_way(set_way);
}

static void clean_invalidate(uint64_t set_way)
{
    cache_clean_invalidate_way(set_way);
}

static void invalidate(uint64_t set_way)
{
    cache_invalidate_way(set_way);
}

/* RAM must hold what was written, also after an invalidate, which a hypervisor has to soften. */
void misc_set_way(void)
{
    static void (*const operations[])(uint64_t) = {clean, clean_invalidate, invalidate};
    uint64_t ram = platform_free_ram(MARK_BYTES, MARK_BYTES);
    uint32_t lost = 0;

    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        uint64_t clidr = sysreg_read("clidr_el1");

        for (uint64_t a = ram; a < ram + MARK_BYTES; a += 8) {
            *(uint64_t *)a = mark_of(a + i);
        }
        for (uint32_t level = 0; level < 7 && (clidr >> 3 * level & 7) >= 2; level++) {
            for_each_set_way(level, operations[i]);
        }
        dsb();
        for (uint64_t a = ram; a < ram + MARK_BYTES; a += 8) {
            lost += *(uint64_t *)a != mark_of(a + i);
        }
    }
    test_equal("words lost", lost, 0);
}

/* WFE with the event register set, and WFI/WFE that a timer ends. */
void misc_wait(void)
{
    uint64_t start = timer_now();

    for (uint32_t i = 0; i < 1000; i++) {
        wait_event_local();
    }
    for (uint32_t i = 0; i < 1000; i++) {
        __asm__ volatile("sev\n\twfe");
    }
    test_check(timer_now() - start < timer_ticks(5000000), "2000 WFE took %lu us",
               timer_ns(timer_now() - start) / 1000);
}

void misc_go_through_traps(void)
{
    smccc_call(PSCI_VERSION, 0, 0, 0);
    sysreg_read("id_aa64isar0_el1");
    timer_delay(200);
}

/* Across a hypercall, a device access and a trapped register only the results change. */
void misc_registers_kept(void)
{
    uintptr_t before[KEPT_REGS + 1];
    uintptr_t after[KEPT_REGS + 1];

    for (uint32_t i = 0; i <= KEPT_REGS; i++) {
        before[i] = (uintptr_t)0x0101010101010101ull * (i + 1);
        after[i] = 0;
    }
    before[KEPT_REGS] = 0xa0000000; /* NZCV */
    keep_registers(before, after, platform.uart + 0xfe0, 0x8400001f);
    for (uint32_t i = 4; i < KEPT_REGS; i++) {
        test_check(after[i] == before[i], "register %u: 0x%lx", i, (uint64_t)after[i]);
    }
    test_equal("NZCV", after[KEPT_REGS] & 0xf0000000, before[KEPT_REGS]);
}

void misc_fp_kept(void)
{
    static uint64_t words[FP_WORDS];
    static uint64_t back[FP_WORDS];

    for (uint32_t round = 0; round < 20; round++) {
        for (uint32_t i = 0; i < FP_WORDS; i++) {
            words[i] = mark_of(i + round);
        }
        keep_fp_load(words);
        smccc_call(PSCI_VERSION, 0, 0, 0);
        (void)*(volatile uint32_t *)(platform.uart + 0xfe0);
        timer_delay(500);
        keep_fp_store(back);
        for (uint32_t i = 0; i < FP_WORDS; i++) {
            test_check(words[i] == back[i], "q%u: 0x%lx, expected 0x%lx", i / 2, back[i], words[i]);
        }
    }
}

/* Each region of RAM is writable at its first, middle and last words; what is not ours is 0. */
void misc_ram_edges(void)
{
    for (uint32_t i = 0; i < platform.ram_count; i++) {
        const struct region *r = &platform.ram[i];
        uint64_t middle = platform_free_ram(1 << 21, 1 << 21);
        uint64_t dirty = 0;
        struct probe p;

        test_check(probe_write(&p, r->base + r->size - 8, 8, 1) &&
                       probe_read(&p, r->base + r->size - 8, 8) && p.value == 1,
                   "end of RAM 0x%lx", r->base + r->size);
        test_check(probe_read(&p, r->base, 8), "start of RAM 0x%lx", r->base);
        for (uint64_t a = middle + MARK_BYTES; a < middle + 2 * MARK_BYTES; a += 8) {
            dirty += *(uint64_t *)a != 0;
        }
        test_equal("words of fresh RAM that are not 0", dirty, 0);
    }
}
