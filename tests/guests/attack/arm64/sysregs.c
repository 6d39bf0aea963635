/* SPDX-License-Identifier: MIT */
/*
 * The attack guest: every system register there could be, read and written, and every system
 * instruction.  What can be read is put back after each write.
 */
#include <stddef.h>

#include "tests/guests/attack/attack.h"
#include "tests/guests/lib/atomic.h"
#include "tests/guests/lib/cpu.h"
#include "tests/guests/lib/insn.h"
#include "tests/guests/lib/sysreg.h"
#include "tests/guests/lib/test.h"

enum { GROUP = INSN_BATCH / 2 };

#define ALL     SYSREG(3, 7, 15, 15, 7)
#define ANY_OP2 (ALL & ~SYSREG(0, 0, 0, 0, 7))

/* Writing these would break the attacker in ways that say nothing about its hypervisor. */
static const struct {
    uint32_t mask;
    uint32_t sysreg;
} own_neck[] = {
    {ANY_OP2, SYSREG(3, 0, 1, 0, 0)},  /* SCTLR_EL1, SCTLR2_EL1, ... */
    {ANY_OP2, SYSREG(3, 0, 2, 0, 0)},  /* TTBR0_EL1, TTBR1_EL1, TCR_EL1, TCR2_EL1 */
    {ANY_OP2, SYSREG(3, 0, 2, 5, 0)},  /* guarded control stacks */
    {ANY_OP2, SYSREG(3, 0, 10, 2, 0)}, /* MAIR_EL1, PIR_EL1, POR_EL1 */
    {ALL, SYSREG(3, 0, 12, 0, 0)},     /* VBAR_EL1 */
    {ALL, SYSREG(3, 0, 4, 2, 0)},      /* SPSel */
};

static bool is_own_neck(uint32_t sysreg)
{
    for (size_t i = 0; i < sizeof(own_neck) / sizeof(own_neck[0]); i++) {
        if ((sysreg & own_neck[i].mask) == own_neck[i].sysreg) {
            return true;
        }
    }
    return false;
}

static uint32_t readable;
static uint32_t writable;

/* The group's register i: read by prepared instruction 2 i, written by the one after it. */
static void attack_register(uint32_t sysreg, uint32_t i, struct prng *random)
{
    struct probe old;
    struct probe p;
    bool can_read = insn_run_prepared(&old, 2 * i, 0);

    atomic_add(&readable, can_read);
    if (is_own_neck(sysreg)) {
        return;
    }
    atomic_add(&writable, insn_run_prepared(&p, 2 * i + 1, attack_value(random)));
    if (can_read) {
        insn_run_prepared(&p, 2 * i + 1, old.value);
    }
    sysreg_write("daif", MASKED_ALL);
}

/* DC ZVA and the like take an address: it is in the scratch RAM. */
static void attack_instruction(uint32_t sysreg, uint32_t i, struct prng *random)
{
    uint64_t where = attack_scratch() + (prng_next(random) & (SCRATCH_SIZE - 1) & ~0xfffull);
    struct probe p;

    (void)sysreg;
    insn_run_prepared(&p, 2 * i, where);
    insn_run_prepared(&p, 2 * i + 1, where);
}

/* All encodings with this op0, as MRS and MSR (SYSL and SYS are encoded alike). */
static void sweep(uint32_t op0, struct prng *random,
                  void (*attack)(uint32_t sysreg, uint32_t i, struct prng *random))
{
    uint32_t words[INSN_BATCH];
    uint32_t step = SYSREG(0, 0, 0, 0, 1);
    uint32_t end = SYSREG(op0 + 1, 0, 0, 0, 0);

    for (uint32_t first = SYSREG(op0, 0, 0, 0, 0); first < end; first += GROUP * step) {
        for (uint32_t i = 0; i < GROUP; i++) {
            words[2 * i] = INSN_MRS(first + i * step);
            words[2 * i + 1] = INSN_MSR(first + i * step);
        }
        insn_prepare(words, INSN_BATCH);
        for (uint32_t i = 0; i < GROUP; i++) {
            attack(first + i * step, i, random);
        }
        attack_breathe();
    }
}

void attack_sysregs(struct prng *random)
{
    sweep(2, random, attack_register);
    sweep(3, random, attack_register);
    sweep(1, random, attack_instruction);
    if (cpu_self()->index == 0) {
        test_note("sysregs: %u reads and %u writes were let through", readable, writable);
    }
}
