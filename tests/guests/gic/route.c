/* SPDX-License-Identifier: MIT */
/* The gic guest: which CPU takes an SPI. */
#include "tests/guests/gic/gic_test.h"
#include "tests/guests/lib/atomic.h"
#include "tests/guests/lib/cpu.h"
#include "tests/guests/lib/gic.h"
#include "tests/guests/lib/io.h"
#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/sysreg.h"
#include "tests/guests/lib/test.h"
#include "tests/guests/lib/timer.h"

enum { QUIET_US = 1000, WAIT_US = 5000000 };
#define IROUTER_ANY (1ull << 31)

static uint32_t taken_in_all(uint32_t cpus)
{
    uint32_t sum = 0;

    for (uint32_t cpu = 0; cpu < cpus; cpu++) {
        sum += atomic_load(&log_of(cpu)->count);
    }
    return sum;
}

/* Until somebody has taken it, and then a little longer: nobody else may. */
static uint32_t wait_for_takers(uint32_t cpus)
{
    uint64_t give_up = timer_now() + timer_ticks(WAIT_US);

    while (!taken_in_all(cpus) && timer_now() < give_up) {
        yield_cpu();
    }
    timer_delay(QUIET_US);
    return taken_in_all(cpus);
}

static void clear_all(uint32_t cpus)
{
    for (uint32_t cpu = 0; cpu < cpus; cpu++) {
        log_clear(cpu);
    }
}

void route_each_cpu(void)
{
    uint32_t cpus;

    log_reset();
    cpus = listeners_start();
    irq_unmask();
    for (uint32_t i = 0; i < 2 * cpus; i++) {
        uint32_t cpu = i % cpus;

        clear_all(cpus);
        gic_route(spare(i % SPARES), cpu);
        gic_enable(spare(i % SPARES));
        gic_set_bit(GICD_ISPENDR, spare(i % SPARES));
        test_check(log_wait_cpu(cpu, 1), "%u does not reach CPU %u", spare(i % SPARES), cpu);
        timer_delay(QUIET_US);
        test_equal("taken in all", taken_in_all(cpus), 1);
        gic_disable(spare(i % SPARES));
    }
    irq_mask();
    listeners_stop();
}

/* Pending on CPU 0, which masks it; rerouted, CPU 1 takes it. */
void route_move(void)
{
    uint32_t cpus;

    log_reset();
    if (platform.cpu_count < 2) {
        test_skip("one CPU");
        return;
    }
    cpus = listeners_start();
    clear_all(cpus);
    gic_enable(spare(0));
    gic_set_bit(GICD_ISPENDR, spare(0));
    gic_route(spare(0), 1);
    test_check(log_wait_cpu(1, 1), "does not move to CPU 1");
    expect_none("moved away");
    listeners_stop();
}

/* Any CPU may take it, exactly one does. */
void route_any(void)
{
    uint32_t cpus;

    log_reset();
    cpus = listeners_start();
    irq_unmask();
    for (uint32_t i = 0; i < 10; i++) {
        clear_all(cpus);
        if (platform.gic_version == 2) {
            io_write8(platform.gicd.base + GICD_ITARGETSR + spare(0), 0xff);
        } else {
            io_write64(platform.gicd.base + GICD_IROUTER + 8ull * spare(0), IROUTER_ANY);
        }
        gic_enable(spare(0));
        gic_set_bit(GICD_ISPENDR, spare(0));
        test_equal("taken in all", wait_for_takers(cpus), 1);
    }
    irq_mask();
    gic_disable(spare(0));
    listeners_stop();
}

/* No target, or one that does not exist: it waits, and comes when it has a target. */
void route_none(void)
{
    log_reset();
    if (platform.cpu_count < 2) {
        test_skip("one CPU");
        return;
    }
    if (platform.gic_version == 2) {
        io_write8(platform.gicd.base + GICD_ITARGETSR + spare(0), 0);
    } else {
        io_write64(platform.gicd.base + GICD_IROUTER + 8ull * spare(0), 0xff00ff00ff);
    }
    gic_enable(spare(0));
    gic_set_bit(GICD_ISPENDR, spare(0));
    expect_none("no target");
    test_check(gic_bit(GICD_ISPENDR, spare(0)), "pending state lost");
    gic_route(spare(0), 0);
    expect_one("given a target", spare(0));
}
