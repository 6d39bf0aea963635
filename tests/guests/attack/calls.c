/* SPDX-License-Identifier: MIT */
/*
 * The attack guest: HVC and SMC with random functions, arguments and immediates.  Functions that
 * would end or change this VM are left to attack_cpus(): they prove nothing here.
 */
#include <stddef.h>

#include "tests/guests/attack/attack.h"
#include "tests/guests/lib/insn.h"
#include "tests/guests/lib/probe.h"
#include "tests/guests/lib/psci.h"
#include "tests/guests/lib/smccc.h"

enum { CALLS = 2000 };

static bool ends_us(uint32_t function)
{
    switch (function & ~PSCI_64) {
    case PSCI_CPU_SUSPEND:
    case PSCI_CPU_OFF:
    case PSCI_CPU_ON:
    case PSCI_SYSTEM_OFF:
    case PSCI_SYSTEM_RESET:
    case PSCI_CPU_FREEZE:
    case PSCI_CPU_DEFAULT_SUSPEND:
    case PSCI_SYSTEM_SUSPEND:
    case PSCI_SYSTEM_RESET2:
        return true;
    default:
        return false;
    }
}

/* Near something that exists, or anything. */
static uint32_t pick_function(struct prng *random)
{
    static const uint32_t near[] = {PSCI_VERSION,  PSCI_AFFINITY_INFO | PSCI_64,
                                    PSCI_FEATURES, 0x80000000,
                                    0x80008000,    0x84000050,
                                    0xc4000053,    0xc5000020,
                                    0x86000000,    0x84000040};
    uint32_t function = (uint32_t)prng_next(random);

    if (prng_below(random, 4)) {
        function = near[prng_below(random, sizeof(near) / sizeof(near[0]))] +
                   (prng_below(random, 2) ? prng_below(random, 0x20) : 0);
    }
    return ends_us(function) ? PSCI_VERSION : function;
}

static uint64_t do_call(uint64_t regs, uint64_t smc, uint64_t unused)
{
    (void)unused;
    (smc ? smccc_smc : smccc_hvc)((struct smccc *)regs);
    return 0;
}

void attack_calls(struct prng *random)
{
    for (uint32_t i = 0; i < CALLS * attack_rounds(); i++) {
        struct smccc regs = {{pick_function(random)}};
        uint32_t imm = (uint32_t)prng_next(random) & 0xffff;
        struct probe p;

        for (uint32_t r = 1; r < SMCCC_REGS; r++) {
            regs.x[r] = attack_value(random);
        }
        if (prng_below(random, 8) == 0) {
            insn_run1(&p, prng_below(random, 2) ? INSN_HVC(imm) : INSN_SMC(imm), regs.x[0]);
        } else {
            probe_run(&p, do_call, (uint64_t)&regs, prng_below(random, 2), 0);
        }
    }
}
