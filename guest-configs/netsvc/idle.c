/* SPDX-License-Identifier: MIT */
/* See idle.h. */
#include "guest-configs/netsvc/idle.h"

#include "tests/guests/lib/exception.h"
#include "tests/guests/lib/gic.h"
#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/sysreg.h"
#include "tests/guests/lib/timer.h"

static struct {
    uint32_t irq;
    void (*take)(void);
} sources[IDLE_SOURCES_MAX];
static uint32_t source_count;

static void take_irq(uint64_t entry_time)
{
    uint32_t iar = gic_ack();
    uint32_t intid = gic_intid(iar);

    (void)entry_time;
    for (uint32_t i = 0; i < source_count; i++) {
        if (sources[i].irq == intid) {
            sources[i].take();
        }
    }
    if (intid < GIC_SPURIOUS) {
        gic_eoi(iar);
    }
}

static void stop_timer(void)
{
    sysreg_write("cntv_ctl_el0", 0);
    isb();
}

static void add(uint32_t irq, void (*take)(void))
{
    if (source_count < IDLE_SOURCES_MAX) {
        sources[source_count].irq = irq;
        sources[source_count].take = take;
        source_count++;
        gic_set_priority(irq, GIC_DEFAULT_PRIORITY);
        gic_enable(irq);
    }
}

void idle_open(void)
{
    exception_irq_hook = take_irq;
    gic_init();
    add(platform.vtimer_irq, stop_timer);
}

void idle_listen(uint32_t irq, bool edge, void (*take)(void))
{
    gic_set_edge(irq, edge);
    gic_route(irq, 0);
    add(irq, take);
}

void idle_wait(uint32_t ms)
{
    sysreg_write("cntv_cval_el0", timer_now() + timer_ticks((uint64_t)ms * 1000));
    sysreg_write("cntv_ctl_el0", TIMER_ENABLE);
    isb();
    wfi();
    irq_unmask();
    irq_mask();
}
