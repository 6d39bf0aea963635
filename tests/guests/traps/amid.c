/* SPDX-License-Identifier: MIT */
/*
 * The traps guest: instructions with several accesses to a device while interrupts come that
 * somebody else has to see to before the next access. Each is done once, and as a whole.
 */
#include "several.h"

#include "tests/guests/lib/atomic.h"
#include "tests/guests/lib/exception.h"
#include "tests/guests/lib/gic.h"
#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/sysreg.h"
#include "tests/guests/lib/test.h"
#include "tests/guests/lib/timer.h"
#include "tests/guests/traps/traps_test.h"

enum { PERIPH_ID0 = 0xfe0, LOADS = 3000, DELAYS = 16 /* us */ };

static uint32_t ticks;

static void set_timer(uint64_t deadline, uint32_t ctl)
{
    sysreg_write("cntp_cval_el0", deadline);
    sysreg_write("cntp_ctl_el0", ctl);
    isb();
}

/* The physical timer is one of Muntin's own, so that a vCPU isn't entered before it was seen to. */
static void tick(uint64_t entry_time)
{
    uint32_t iar = gic_ack();

    (void)entry_time;
    set_timer(0, 0);
    atomic_add(&ticks, 1);
    if (gic_intid(iar) < GIC_SPURIOUS) {
        gic_eoi(iar);
    }
}

static bool load_once(void)
{
    static const uint32_t id[] = {0x11, 0x10, 0x14, 0};
    uint64_t from = platform.uart + PERIPH_ID0;
    uint32_t words[SEVERAL_WORDS];
    uint64_t base = several_load(from, words);
    bool good = base == from + 4 * SEVERAL_WORDS;

    for (uint32_t i = 0; i < SEVERAL_WORDS; i++) {
        good = good && words[i] == id[i];
    }
    return test_check(good, "base 0x%lx, words 0x%x 0x%x", base, words[0], words[1]);
}

void devices_amid(void)
{
    bool good = true;

    irq_mask();
    exception_irq_hook = tick;
    gic_init();
    gic_enable(platform.ptimer_irq);
    atomic_store(&ticks, 0);
    irq_unmask();
    for (uint32_t i = 0; i < LOADS && good; i++) {
        set_timer(timer_physical_now() + timer_ticks(i % DELAYS), TIMER_ENABLE);
        good = load_once();
    }
    irq_mask();
    set_timer(0, 0);
    exception_irq_hook = 0;
    gic_disable(platform.ptimer_irq);
    test_check(atomic_load(&ticks) > 10, "%u interrupts", ticks);
}
