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

enum { DAIF_ALL = 0x3c0, BREATHE_EVERY = 512 };

#define ALL               SYSREG(3, 7, 15, 15, 7)
#define ANY_OP2           (ALL & ~SYSREG(0, 0, 0, 0, 7))
#define INSN_SYS(sysreg)  (0xd5000000u | (sysreg)) /* op0 = 1, x0 */
#define INSN_SYSL(sysreg) (0xd5200000u | (sysreg))

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

static void attack_one(uint32_t sysreg, struct prng *random)
{
    struct probe old;
    struct probe p;
    bool can_read = insn_run1(&old, INSN_MRS(sysreg), 0);

    atomic_add(&readable, can_read);
    if (is_own_neck(sysreg)) {
        return;
    }
    atomic_add(&writable, insn_run1(&p, INSN_MSR(sysreg), attack_value(random)));
    if (can_read) {
        insn_run1(&p, INSN_MSR(sysreg), old.value);
    }
    sysreg_write("daif", DAIF_ALL);
}

/* DC ZVA and the like take an address: it is in the scratch RAM. */
static void attack_instruction(uint32_t sysreg, struct prng *random)
{
    uint64_t where = attack_scratch() + (prng_next(random) & (SCRATCH_SIZE - 1) & ~0xfffull);
    struct probe p;

    insn_run1(&p, INSN_SYS(sysreg), where);
    insn_run1(&p, INSN_SYSL(sysreg), where);
}

static void sweep(uint32_t op0, struct prng *random, void (*attack)(uint32_t, struct prng *))
{
    uint32_t step = SYSREG(0, 0, 0, 0, 1);
    uint32_t first = SYSREG(op0, 0, 0, 0, 0);
    uint32_t last = SYSREG(op0, 7, 15, 15, 7);
    uint32_t count = 0;

    for (uint32_t sysreg = first; sysreg <= last; sysreg += step) {
        attack(sysreg, random);
        if (++count % BREATHE_EVERY == 0) {
            attack_breathe();
        }
    }
}

void attack_sysregs(struct prng *random)
{
    sweep(2, random, attack_one);
    sweep(3, random, attack_one);
    sweep(1, random, attack_instruction);
    if (cpu_self()->index == 0) {
        test_note("sysregs: %u reads and %u writes were let through", readable, writable);
    }
}
