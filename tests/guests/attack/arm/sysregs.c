/* SPDX-License-Identifier: MIT */
/*
 * The attack guest: every register of coprocessors 14 and 15 there could be, read and written.
 * Operations are among them. What can be read is put back after each write.
 */
#include <stddef.h>

#include "tests/guests/attack/attack.h"
#include "tests/guests/lib/atomic.h"
#include "tests/guests/lib/cpu.h"
#include "tests/guests/lib/insn.h"
#include "tests/guests/lib/sysreg.h"
#include "tests/guests/lib/test.h"

enum { GROUP = INSN_BATCH / 2 };

#define ALL      CPREG(0, 7, 15, 15, 7)
#define ANY_OPC2 (ALL & ~CPREG(0, 0, 0, 0, 7))

/* Writing these would break the attacker in ways that say nothing about its hypervisor. */
static const struct {
    uint32_t mask;
    uint32_t reg;
} own_neck[] = {
    {ANY_OPC2, CPREG(0, 0, 1, 0, 0)},  /* SCTLR, ACTLR, CPACR */
    {ANY_OPC2, CPREG(0, 0, 2, 0, 0)},  /* TTBR0, TTBR1, TTBCR */
    {ANY_OPC2, CPREG(0, 0, 10, 2, 0)}, /* MAIR0, MAIR1 */
    {ALL, CPREG(0, 0, 12, 0, 0)},      /* VBAR */
    {ALL, CPREG(0, 0, 13, 0, 0)},      /* FCSEIDR */
};

static uint32_t readable;
static uint32_t writable;

static bool is_own_neck(uint32_t cp, uint32_t reg)
{
    for (size_t i = 0; cp == 15 && i < sizeof(own_neck) / sizeof(own_neck[0]); i++) {
        if ((reg & own_neck[i].mask) == own_neck[i].reg) {
            return true;
        }
    }
    return false;
}

/* Operations of c7 and c8 take an address: it is in the scratch RAM. */
static uint64_t pick_value(uint32_t reg, struct prng *random)
{
    uint32_t crn = reg >> 16 & 15;

    if (crn == 7 || crn == 8) {
        return attack_scratch() + (prng_next(random) & (SCRATCH_SIZE - 1) & ~0xfffull);
    }
    return attack_value(random);
}

/* The group's register i: read by prepared instruction 2 i, written by the one after it. */
static void attack_register(uint32_t i, bool neck, uint64_t value)
{
    struct probe old;
    struct probe p;
    bool can_read = insn_run_prepared(&old, 2 * i, 0);

    atomic_add(&readable, can_read);
    if (neck) {
        return;
    }
    atomic_add(&writable, insn_run_prepared(&p, 2 * i + 1, value));
    if (can_read) {
        insn_run_prepared(&p, 2 * i + 1, old.value);
    }
    sysreg_write("daif", sysreg_read("daif") | MASKED_ALL);
}

/* opc1, CRn, CRm and opc2 from the 14 bits of a number. */
static uint32_t reg_of(uint32_t n)
{
    return CPREG(0, n >> 11, n >> 7 & 15, n >> 3 & 15, n & 7);
}

static void sweep(uint32_t cp, struct prng *random)
{
    uint32_t words[INSN_BATCH];

    for (uint32_t first = 0; first < 1 << 14; first += GROUP) {
        for (uint32_t i = 0; i < GROUP; i++) {
            words[2 * i] = INSN_MRC(reg_of(first + i) | cp << 8);
            words[2 * i + 1] = INSN_MCR(reg_of(first + i) | cp << 8);
        }
        insn_prepare(words, INSN_BATCH);
        for (uint32_t i = 0; i < GROUP; i++) {
            uint32_t reg = reg_of(first + i);

            attack_register(i, is_own_neck(cp, reg), pick_value(reg, random));
        }
        attack_breathe();
    }
}

/* The registers of 64 bits: TTBR0 and TTBR1 are (15, 0 and 1, c2). */
static void sweep_wide(uint32_t cp, struct prng *random)
{
    uint32_t words[INSN_BATCH];

    for (uint32_t i = 0; i < GROUP; i++) {
        words[2 * i] = INSN_MRRC(CPREG64(cp, i >> 4, i & 15));
        words[2 * i + 1] = INSN_MCRR(CPREG64(cp, i >> 4, i & 15));
    }
    insn_prepare(words, INSN_BATCH);
    for (uint32_t i = 0; i < GROUP; i++) {
        attack_register(i, cp == 15 && (i & 15) == 2, attack_value(random));
    }
}

void attack_sysregs(struct prng *random)
{
    for (uint32_t cp = 14; cp <= 15; cp++) {
        sweep(cp, random);
        sweep_wide(cp, random);
    }
    if (cpu_self()->index == 0) {
        test_note("sysregs: %u reads and %u writes were let through", readable, writable);
    }
}
