/* SPDX-License-Identifier: MIT */
/* The psci guest: the SMC Calling Convention 1.2 itself, and the TRNG interface (DEN 0098). */
#include "tests/guests/lib/smccc.h"

#include <stddef.h>

#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/probe.h"
#include "tests/guests/lib/psci.h"
#include "tests/guests/lib/test.h"
#include "tests/guests/psci/psci_test.h"

#define SMCCC_VERSION           0x80000000u
#define SMCCC_ARCH_FEATURES     0x80000001u
#define SMCCC_ARCH_WORKAROUND_1 0x80008000u
#define SMCCC_ARCH_WORKAROUND_2 0x80007fffu
#define SMCCC_ARCH_WORKAROUND_3 0x80003fffu
#define TRNG_VERSION            0x84000050u
#define TRNG_FEATURES           0x84000051u
#define TRNG_GET_UUID           0x84000052u
#define TRNG_RND                0x84000053u
#define TRNG_RND_64             0xc4000053u

enum { NOT_SUPPORTED = -1 };
enum { TRNG_INVALID_PARAMETERS = -2, TRNG_NO_ENTROPY = -3 };

static int call(uint32_t function, uint64_t a)
{
    return (int)smccc_call(function, a, 0, 0);
}

void smccc_versions(void)
{
    static const uint32_t workarounds[] = {SMCCC_ARCH_WORKAROUND_1, SMCCC_ARCH_WORKAROUND_2,
                                           SMCCC_ARCH_WORKAROUND_3};
    int version = call(SMCCC_VERSION, 0);

    test_equal("PSCI_FEATURES(SMCCC_VERSION)", call(PSCI_FEATURES, SMCCC_VERSION), 0);
    test_check(version >= 0x10002, "SMCCC_VERSION 0x%x", version);
    test_equal("ARCH_FEATURES(VERSION)", call(SMCCC_ARCH_FEATURES, SMCCC_VERSION), 0);
    test_equal("ARCH_FEATURES(ARCH_FEATURES)", call(SMCCC_ARCH_FEATURES, SMCCC_ARCH_FEATURES), 0);
    test_equal("ARCH_FEATURES(nonsense)", call(SMCCC_ARCH_FEATURES, 0x80001234), NOT_SUPPORTED);
    test_equal("ARCH_FEATURES(PSCI_VERSION)", call(SMCCC_ARCH_FEATURES, PSCI_VERSION),
               NOT_SUPPORTED);
    for (size_t i = 0; i < sizeof(workarounds) / sizeof(workarounds[0]); i++) {
        int answer = call(SMCCC_ARCH_FEATURES, workarounds[i]);

        test_check(answer >= -2 && answer <= 1, "ARCH_FEATURES(0x%x): %d", workarounds[i], answer);
        if (answer >= 0) {
            smccc_call(workarounds[i], 0, 0, 0);
        }
    }
}

/* Ids that mean nothing to anybody: unused ones of each owner, and the odd forms. */
void smccc_unknown(void)
{
    static const uint32_t ids[] = {
        0x8400001f, 0x84000fff, 0xc4000000, 0xc4000002, 0xc4000008, 0xc400001f, 0x80001234,
        0xc0001234, 0x81000000, 0x82000001, 0xc2000001, 0x83000000, 0x85001234, 0xc5001234,
        0x86001234, 0xc6001234, 0x87000000, 0xb0000000, 0xb2000000, 0xbf00ff01, 0xff00ffff,
        0x00000001, 0x02000000, 0x40000000, 0x7fffffff, 0xffffffff,
    };

    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        struct smccc regs = {{ids[i]}};
        uint64_t x0;

        (platform.psci_by_smc ? smccc_smc : smccc_hvc)(&regs);
        x0 = PSCI_NATIVE && ids[i] & PSCI_64 ? regs.x[0] : (uint64_t)(int32_t)regs.x[0];
        test_check(x0 == ~0ull, "0x%x: 0x%lx", ids[i], regs.x[0]);
    }
}

/* SMCCC 1.2 section 2.6: what is no result keeps its value. */
void smccc_preserved(void)
{
    static const uint32_t ids[] = {PSCI_VERSION, PSCI_FEATURES, 0x8400001f, 0xc6001234};

    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        struct smccc regs = {{ids[i]}};

        for (uint32_t r = 1; r < SMCCC_REGS; r++) {
            regs.x[r] = 0x1111111111111111ull * (r & 0xf) + r;
        }
        (platform.psci_by_smc ? smccc_smc : smccc_hvc)(&regs);
        for (uint32_t r = 4; r < SMCCC_REGS; r++) {
            test_check(regs.x[r] == 0x1111111111111111ull * (r & 0xf) + r, "0x%x: x%u is 0x%lx",
                       ids[i], r, regs.x[r]);
        }
    }
}

static uint64_t do_smc(uint64_t function, uint64_t a, uint64_t unused)
{
    struct smccc regs = {{function, a}};

    (void)unused;
    smccc_smc(&regs);
    return regs.x[0];
}

static uint64_t do_hvc(uint64_t function, uint64_t a, uint64_t unused)
{
    struct smccc regs = {{function, a}};

    (void)unused;
    smccc_hvc(&regs);
    return regs.x[0];
}

/* Both conduits exist and answer alike. */
void smccc_by_smc(void)
{
    static const uint32_t ids[] = {PSCI_VERSION, SMCCC_VERSION, 0x8400001f, 0xc4000000};

    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        struct probe smc;
        struct probe hvc;

        if (test_check(probe_run(&smc, do_smc, ids[i], 0, 0), "SMC: esr 0x%lx", smc.esr) &&
            test_check(probe_run(&hvc, do_hvc, ids[i], 0, 0), "HVC: esr 0x%lx", hvc.esr)) {
            test_check(smc.value == hvc.value, "0x%x: SMC 0x%lx, HVC 0x%lx", ids[i], smc.value,
                       hvc.value);
        }
    }
}

static void check_random(uint32_t function, uint64_t max_bits)
{
    struct smccc first = {{function, max_bits}};
    struct smccc second = {{function, max_bits}};
    struct smccc few = {{function, 8}};

    test_equal("0 bits", call(function, 0), TRNG_INVALID_PARAMETERS);
    test_equal("too many bits", call(function, max_bits + 1), TRNG_INVALID_PARAMETERS);
    smccc_hvc(&first);
    if ((int)first.x[0] == TRNG_NO_ENTROPY) {
        test_note("TRNG: no entropy");
        return;
    }
    smccc_hvc(&second);
    smccc_hvc(&few);
    test_equal("status", first.x[0], 0);
    test_check(first.x[1] != second.x[1] || first.x[2] != second.x[2] || first.x[3] != second.x[3],
               "the same numbers twice");
    test_equal("bits above the 8 asked for", few.x[1] | few.x[2] | few.x[3] >> 8, 0);
}

void smccc_trng(void)
{
    int version = call(TRNG_VERSION, 0);

    if (version == NOT_SUPPORTED) {
        int answer = call(TRNG_RND, 32);

        test_check(answer == NOT_SUPPORTED || answer == TRNG_NO_ENTROPY, "RND without TRNG: %d",
                   answer);
        return;
    }
    test_check(version >= 0x10000, "TRNG_VERSION 0x%x", version);
    test_equal("FEATURES(RND)", call(TRNG_FEATURES, TRNG_RND), 0);
    test_equal("FEATURES(RND_64)", call(TRNG_FEATURES, TRNG_RND_64),
               PSCI_NATIVE ? 0 : NOT_SUPPORTED);
    test_equal("FEATURES(GET_UUID)", call(TRNG_FEATURES, TRNG_GET_UUID), 0);
    test_equal("FEATURES(nonsense)", call(TRNG_FEATURES, 0x84000060), NOT_SUPPORTED);
    test_check(call(TRNG_GET_UUID, 0) != NOT_SUPPORTED, "no UUID");
    check_random(TRNG_RND, 96);
    if (PSCI_NATIVE) {
        check_random(TRNG_RND_64, 192);
    }
}
