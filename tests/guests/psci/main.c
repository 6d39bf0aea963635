/* SPDX-License-Identifier: MIT */
/*
 * The firmware interface of a VM: PSCI 1.1 and SMCCC 1.2, with 1 to 8 CPUs.  Boot arguments beside
 * only= and skip=: "reset" or "reset2" asks for a reset instead of power-off after the cases (the
 * line "@@ psci RESET" precedes it; whoever counts them ends the run); off-cpu=N powers off
 * from CPU N.
 */
#include <stddef.h>

#include "tests/guests/lib/bootargs.h"
#include "tests/guests/lib/cpu.h"
#include "tests/guests/lib/gic.h"
#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/psci.h"
#include "tests/guests/lib/runtime.h"
#include "tests/guests/lib/smccc.h"
#include "tests/guests/lib/sysreg.h"
#include "tests/guests/lib/test.h"
#include "tests/guests/lib/timer.h"
#include "tests/guests/psci/psci_test.h"

#define LEFT_BEHIND 0x6d756e74696e2121ull

enum { SUSPEND_US = 1000, SUSPEND_AT_MOST_US = 5000000 };

static int call(uint32_t function, uint64_t a)
{
    return (int)smccc_call(function, a, 0, 0);
}

static void version(void)
{
    int v = call(PSCI_VERSION, 0);
    int type = call(PSCI_MIGRATE_INFO_TYPE, 0);

    test_check(v >= 0x10001 && v < 0x20000, "PSCI_VERSION 0x%x", v);
    test_check(type == 2 || type == PSCI_NOT_SUPPORTED, "MIGRATE_INFO_TYPE %d", type);
}

static void features(void)
{
    static const uint32_t there[] = {
        PSCI_VERSION,
        PSCI_CPU_SUSPEND,
        PSCI_CPU_SUSPEND | PSCI_NATIVE,
        PSCI_CPU_OFF,
        PSCI_CPU_ON,
        PSCI_CPU_ON | PSCI_NATIVE,
        PSCI_AFFINITY_INFO,
        PSCI_AFFINITY_INFO | PSCI_NATIVE,
        PSCI_SYSTEM_OFF,
        PSCI_SYSTEM_RESET,
        PSCI_SYSTEM_RESET2,
        PSCI_SYSTEM_RESET2 | PSCI_NATIVE,
        PSCI_FEATURES,
    };
    static const uint32_t absent[] = {
        0x8400001e, PSCI_VERSION | PSCI_64, PSCI_CPU_OFF | PSCI_64, 0x80001234, 0xffffffff, 0};

    for (size_t i = 0; i < sizeof(there) / sizeof(there[0]); i++) {
        test_check(call(PSCI_FEATURES, there[i]) >= 0, "0x%x is missing", there[i]);
        test_check(PSCI_NATIVE || call(PSCI_FEATURES, there[i] | PSCI_64) == PSCI_NOT_SUPPORTED,
                   "0x%x of 64 bits exists", there[i]);
    }
    for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++) {
        test_check(call(PSCI_FEATURES, absent[i]) == PSCI_NOT_SUPPORTED, "0x%x exists", absent[i]);
    }
}

/* Standby ends like WFI, by an interrupt that need not be taken. */
static void suspend(void)
{
    uint64_t start;
    uint64_t slept;

    gic_init();
    gic_enable(platform.vtimer_irq);
    start = timer_now();
    sysreg_write("cntv_cval_el0", start + timer_ticks(SUSPEND_US));
    sysreg_write("cntv_ctl_el0", TIMER_ENABLE);
    isb();
    test_equal("CPU_SUSPEND", call(PSCI_CPU_SUSPEND | PSCI_NATIVE, 0), PSCI_SUCCESS);
    slept = timer_now() - start;
    sysreg_write("cntv_ctl_el0", 0);
    gic_disable(platform.vtimer_irq);
    test_check(slept < timer_ticks(SUSPEND_AT_MOST_US), "slept %lu ns", timer_ns(slept));
}

/* A restarted VM must not see what it wrote in its former life. */
static void check_left_behind(void)
{
    uint64_t *mark = (uint64_t *)platform_free_ram(1 << 21, 1 << 21);

    if (*mark == LEFT_BEHIND) {
        test_note("ram: FAIL holds what was written before the reset");
    }
    *mark = LEFT_BEHIND;
    cache_clean_invalidate(mark);
}

static void off_from_here(uint64_t unused)
{
    (void)unused;
    psci_system_off();
}

static void leave(void)
{
    uint64_t cpu = bootargs_number("off-cpu", 0);

    test_done();
    if (bootargs_has("reset") || bootargs_has("reset2")) {
        check_left_behind();
        test_note("RESET");
        if (bootargs_has("reset2")) {
            smccc_call(PSCI_SYSTEM_RESET2 | PSCI_NATIVE, 0, 0, 0);
        }
        psci_system_reset();
    }
    if (cpu && cpu < platform.cpu_count) {
        cpu_run((uint32_t)cpu, off_from_here, 0);
        cpu_wait((uint32_t)cpu);
    }
    psci_system_off();
}

void guest_main(void)
{
    static const struct test_case cases[] = {
        {"version", version},
        {"features", features},
        {"smccc-version", smccc_versions},
        {"smccc-unknown", smccc_unknown},
        {"smccc-preserved", smccc_preserved},
        {"smccc-by-smc", smccc_by_smc},
        {"trng", smccc_trng},
        {"entry-state", cpus_entry_state},
        {"entry-state-32", cpus_entry_state_32},
        {"on-errors", cpus_on_errors},
        {"affinity-info", cpus_affinity_info},
        {"off-on", cpus_off_on},
        {"race", cpus_race},
        {"suspend", suspend},
    };

    test_begin("psci");
    test_run(cases, sizeof(cases) / sizeof(cases[0]));
    leave();
}
