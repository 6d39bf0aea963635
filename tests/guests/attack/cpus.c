/* SPDX-License-Identifier: MIT */
/*
 * The attack guest: CPUs started, stopped and asked after by all the others at once; and, last, one
 * that is sent to where no code is.
 */
#include "tests/guests/attack/attack.h"
#include "tests/guests/lib/atomic.h"
#include "tests/guests/lib/cpu.h"
#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/psci.h"
#include "tests/guests/lib/runtime.h"
#include "tests/guests/lib/smccc.h"
#include "tests/guests/lib/test.h"
#include "tests/guests/lib/timer.h"

enum { TURNS = 200, STOP_US = 10000000 };

static uint32_t stop;
static uint32_t arrived[MAX_CPUS];

/* Tries to start everybody, then goes off itself: somebody will start it again. */
static void revolve(uint64_t unused)
{
    uint32_t self = cpu_self()->index;

    (void)unused;
    for (uint32_t i = 1; i < platform.cpu_count && !atomic_load(&stop); i++) {
        if (i != self) {
            psci_cpu_on(cpu_at(i)->mpidr, (uint64_t)secondary_entry, (uint64_t)cpu_at(i));
            psci_affinity_info(cpu_at(i)->mpidr);
        }
    }
    if (!atomic_load(&stop)) {
        psci_cpu_off();
    }
}

/* Says that this CPU runs, is done with revolve() and will not go off any more. */
static void arrive(uint64_t unused)
{
    (void)unused;
    atomic_store(&arrived[cpu_self()->index], 1);
}

/*
 * Starts CPU i until it has arrived. Once is not enough: it may be on, but on its way to
 * CPU_OFF with the last revolve().
 */
static void gather(uint32_t i, uint64_t give_up)
{
    while (!atomic_load(&arrived[i]) && timer_now() < give_up) {
        atomic_store(&cpu_at(i)->work, arrive);
        psci_cpu_on(cpu_at(i)->mpidr, (uint64_t)secondary_entry, (uint64_t)cpu_at(i));
        sev();
        yield_cpu();
    }
    test_equal("state of a CPU at the end", psci_affinity_info(cpu_at(i)->mpidr), PSCI_ON);
    test_check(atomic_load(&arrived[i]), "a CPU does not run at the end");
}

/* CPU n of those that CPU 0 keeps spinning; it leaves work with whoever is back. */
void attack_cpus(struct prng *random)
{
    uint64_t give_up;

    test_check(platform.cpu_count > 0, "no CPU");
    atomic_store(&stop, 0);
    for (uint32_t i = 0; i < TURNS * attack_rounds(); i++) {
        uint32_t cpu = 1 + prng_below(random, platform.cpu_count);

        if (cpu >= platform.cpu_count) {
            psci_cpu_on(attack_value(random), attack_scratch(), 0);
            continue;
        }
        atomic_store(&cpu_at(cpu)->work, revolve);
        psci_cpu_on(cpu_at(cpu)->mpidr, (uint64_t)secondary_entry, (uint64_t)cpu_at(cpu));
        psci_affinity_info(cpu_at(prng_below(random, platform.cpu_count))->mpidr);
    }
    atomic_store(&stop, 1);
    give_up = timer_now() + timer_ticks(STOP_US);
    for (uint32_t i = 1; i < platform.cpu_count; i++) {
        atomic_store(&arrived[i], 0);
        gather(i, give_up);
    }
}

static void leave(uint64_t unused)
{
    (void)unused;
    psci_cpu_off();
}

/* A CPU that aborts for ever on its own vectors: nobody else may notice. */
void attack_runaway(struct prng *random)
{
    uint32_t last = platform.cpu_count - 1;
    uint64_t give_up = timer_now() + timer_ticks(STOP_US);
    int result;

    if (last == 0) {
        test_check(true, "one CPU");
        return;
    }
    cpu_run(last, leave, 0);
    while (psci_affinity_info(cpu_at(last)->mpidr) != PSCI_OFF && timer_now() < give_up) {
        yield_cpu();
    }
    result = psci_cpu_on(cpu_at(last)->mpidr, attack_address(random) & ~0xfffull, 0);
    test_check(result == PSCI_SUCCESS || result == PSCI_INVALID_ADDRESS, "CPU_ON: %d", result);
    timer_delay(20000);
}
