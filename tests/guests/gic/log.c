/* SPDX-License-Identifier: MIT */
/* See gic_test.h. */
#include <stddef.h>

#include "tests/guests/gic/gic_test.h"
#include "tests/guests/lib/atomic.h"
#include "tests/guests/lib/cpu.h"
#include "tests/guests/lib/exception.h"
#include "tests/guests/lib/gic.h"
#include "tests/guests/lib/io.h"
#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/sysreg.h"
#include "tests/guests/lib/test.h"
#include "tests/guests/lib/timer.h"

enum { WAIT_US = 5000000, QUIET_US = 300, STOP_SGI = 15 };

static struct irq_log logs[MAX_CPUS];
static uint32_t listening;

void (*log_in_handler)(uint32_t intid);
bool log_no_eoi;

static void take_irq(uint64_t entry_time)
{
    struct irq_log *log = &logs[cpu_self()->index];
    uint32_t iar = gic_ack();
    uint32_t at = atomic_load(&log->count);

    (void)entry_time;
    if (gic_intid(iar) >= GIC_SPURIOUS - 3) {
        log->spurious++;
        return;
    }
    if (gic_intid(iar) == STOP_SGI && cpu_self()->index) {
        gic_eoi(iar);
        return;
    }
    if (at < LOG_SIZE) {
        log->iar[at] = iar;
        log->running[at] = gic_running_priority();
    }
    atomic_store(&log->count, at + 1);
    if (log_in_handler) {
        log_in_handler(gic_intid(iar));
    }
    if (!log_no_eoi) {
        gic_eoi(iar);
    }
}

uint32_t spare(uint32_t index)
{
    return 32 + gic_spi_count() - SPARES + index;
}

static void reset_interrupt(uint32_t intid)
{
    gic_disable(intid);
    gic_set_bit(GICD_ICPENDR, intid);
    gic_set_bit(GICD_ICACTIVER, intid);
    gic_set_priority(intid, PRIORITY_MID);
}

void log_reset(void)
{
    irq_mask();
    log_in_handler = NULL;
    log_no_eoi = false;
    exception_irq_hook = take_irq;
    gic_init();
    for (uint32_t i = 0; i < SPARES; i++) {
        reset_interrupt(spare(i));
        gic_set_edge(spare(i), true);
        gic_route(spare(i), 0);
    }
    for (uint32_t i = 0; i < 16; i++) {
        gic_set_priority(i, PRIORITY_MID);
    }
    log_settle();
    for (uint32_t i = 0; i < MAX_CPUS; i++) {
        log_clear(i);
    }
}

const struct irq_log *log_of(uint32_t cpu)
{
    return &logs[cpu];
}

void log_clear(uint32_t cpu)
{
    logs[cpu].spurious = 0;
    atomic_store(&logs[cpu].count, 0);
}

static bool wait_count(uint32_t cpu, uint32_t count, uint64_t us)
{
    uint64_t deadline = timer_now() + timer_ticks(us);

    while (atomic_load(&logs[cpu].count) < count && timer_now() < deadline) {
        yield_cpu();
    }
    return atomic_load(&logs[cpu].count) >= count;
}

void log_wait(uint32_t count)
{
    irq_unmask();
    wait_count(cpu_self()->index, count, WAIT_US);
    irq_mask();
}

void log_settle(void)
{
    irq_unmask();
    timer_delay(QUIET_US);
    irq_mask();
}

bool log_wait_cpu(uint32_t cpu, uint32_t count)
{
    return wait_count(cpu, count, WAIT_US);
}

bool expect_one(const char *when, uint32_t intid)
{
    uint32_t self = cpu_self()->index;
    const struct irq_log *log = &logs[self];
    bool good;

    log_clear(self);
    log_wait(1);
    log_settle();
    good = test_check(log->count == 1 && gic_intid(log->iar[0]) == intid,
                      "%s: %u interrupts, the first %u, expected just %u", when, log->count,
                      log->count ? gic_intid(log->iar[0]) : 0, intid);
    log_clear(self);
    return good;
}

bool expect_none(const char *when)
{
    uint32_t self = cpu_self()->index;
    const struct irq_log *log = &logs[self];
    bool good;

    log_clear(self);
    log_settle();
    good = test_check(log->count == 0, "%s: interrupt %u came", when, gic_intid(log->iar[0]));
    log_clear(self);
    return good;
}

static void listen(uint64_t unused)
{
    (void)unused;
    gic_cpu_init();
    atomic_add(&listening, 1);
    while (atomic_load(&listening)) {
        wfi();
        irq_unmask();
        irq_mask();
    }
}

uint32_t listeners_start(void)
{
    uint32_t count = cpu_start_all();

    test_equal("CPUs", count, platform.cpu_count);
    atomic_store(&listening, 1);
    for (uint32_t i = 1; i < count; i++) {
        cpu_run(i, listen, 0);
    }
    test_check(cpu_wait_word(&listening, count, WAIT_US), "not all CPUs listen");
    return count;
}

void listeners_stop(void)
{
    atomic_store(&listening, 0);
    gic_send_sgi_others(STOP_SGI);
    for (uint32_t i = 1; i < platform.cpu_count; i++) {
        cpu_wait(i);
    }
}
