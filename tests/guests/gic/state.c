/* SPDX-License-Identifier: MIT */
/* The gic guest: one interrupt through its states, by every road. */
#include "tests/guests/gic/gic_test.h"
#include "tests/guests/lib/gic.h"
#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/sysreg.h"
#include "tests/guests/lib/test.h"
#include "tests/guests/lib/timer.h"

static bool seen_pending;
static bool seen_active;

static void look(uint32_t intid)
{
    seen_pending = gic_bit(GICD_ISPENDR, intid);
    seen_active = gic_bit(GICD_ISACTIVER, intid);
}

void state_spi(void)
{
    log_reset();
    log_in_handler = look;
    for (uint32_t i = 0; i < SPARES; i++) {
        gic_enable(spare(i));
        gic_set_bit(GICD_ISPENDR, spare(i));
        test_check(gic_bit(GICD_ISPENDR, spare(i)), "%u not pending", spare(i));
        expect_one("made pending", spare(i));
        test_check(!seen_pending && seen_active, "in the handler of %u: pending %u, active %u",
                   spare(i), seen_pending, seen_active);
        test_check(!gic_bit(GICD_ISPENDR, spare(i)) && !gic_bit(GICD_ISACTIVER, spare(i)),
                   "%u not idle after EOI", spare(i));
        gic_disable(spare(i));
    }
}

/* An interrupt whose priority nobody wrote comes all the same.  The spares are at the other end. */
void state_unprogrammed(void)
{
    uint32_t intid = spare(0) - 1;

    log_reset();
    if (intid < 64 + 32) {
        intid = spare(0); /* few SPIs: no untouched one */
    }
    gic_route(intid, 0);
    gic_set_edge(intid, true);
    gic_enable(intid);
    gic_set_bit(GICD_ISPENDR, intid);
    expect_one("priority untouched", intid);
    gic_disable(intid);
}

void state_disabled(void)
{
    uint32_t a = spare(0);

    log_reset();
    gic_set_bit(GICD_ISPENDR, a);
    expect_none("pending but disabled");
    test_check(gic_bit(GICD_ISPENDR, a), "pending state lost");
    gic_enable(a);
    gic_disable(a);
    expect_none("enabled and disabled again");
    test_check(gic_bit(GICD_ISPENDR, a), "pending state lost by the disable");
    gic_enable(a);
    expect_one("enabled", a);
}

static void disable_and_repend(uint32_t intid)
{
    gic_disable(intid);
    gic_set_bit(GICD_ISPENDR, intid);
    log_in_handler = 0;
}

void state_disable_while_active(void)
{
    uint32_t a = spare(1);

    log_reset();
    log_in_handler = disable_and_repend;
    gic_enable(a);
    gic_set_bit(GICD_ISPENDR, a);
    expect_one("disabled in its handler", a);
    test_check(!gic_bit(GICD_ISACTIVER, a), "still active after EOI");
    test_check(gic_bit(GICD_ISPENDR, a), "pending state lost");
    expect_none("disabled");
    gic_enable(a);
    expect_one("enabled", a);
}

void state_clear(void)
{
    uint32_t a = spare(2);

    log_reset();
    gic_enable(a);
    gic_set_bit(GICD_ISPENDR, a);
    gic_set_bit(GICD_ICPENDR, a);
    test_check(!gic_bit(GICD_ISPENDR, a), "ICPENDR does not clear");
    expect_none("cleared before it was taken");
    gic_set_bit(GICD_ISPENDR, a);
    expect_one("pending anew", a);
}

/* An active interrupt is not signalled again until it is deactivated. */
void state_active(void)
{
    uint32_t a = spare(3);

    log_reset();
    gic_enable(a);
    gic_set_bit(GICD_ISACTIVER, a);
    test_check(gic_bit(GICD_ISACTIVER, a), "ISACTIVER does not hold");
    gic_set_bit(GICD_ISPENDR, a);
    expect_none("active by ISACTIVER");
    test_check(gic_bit(GICD_ISPENDR, a), "pending state lost");
    gic_set_bit(GICD_ICACTIVER, a);
    expect_one("inactive by ICACTIVER", a);
}

static void pend_twice(uint32_t intid)
{
    gic_set_bit(GICD_ISPENDR, intid);
    gic_set_bit(GICD_ISPENDR, intid);
    log_in_handler = 0;
}

void state_edge(void)
{
    uint32_t a = spare(4);

    log_reset();
    gic_enable(a);
    gic_set_bit(GICD_ISPENDR, a);
    gic_set_bit(GICD_ISPENDR, a);
    expect_one("two edges before the first is taken", a);
    log_in_handler = pend_twice;
    gic_set_bit(GICD_ISPENDR, a);
    log_wait(2);
    log_settle();
    test_equal("interrupts with two edges in the handler", log_of(0)->count, 2);
}

static void timer_off(uint32_t intid)
{
    look(intid);
    if (log_of(0)->count >= 3) {
        sysreg_write("cntv_ctl_el0", 0);
        isb();
    }
}

/* The timer's output is a level: pending while it is up, whatever is written. */
void state_level(void)
{
    uint32_t ppi = platform.vtimer_irq;

    log_reset();
    gic_set_priority(ppi, PRIORITY_MID);
    sysreg_write("cntv_cval_el0", 0);
    sysreg_write("cntv_ctl_el0", TIMER_ENABLE);
    isb();
    test_check(gic_bit(GICD_ISPENDR, ppi), "not pending while the line is up");
    gic_set_bit(GICD_ICPENDR, ppi);
    test_check(gic_bit(GICD_ISPENDR, ppi), "ICPENDR took down a line");
    expect_none("disabled PPI");
    sysreg_write("cntv_ctl_el0", 0);
    isb();
    /* Software can latch a level-sensitive SPI too; it comes once. */
    gic_set_edge(spare(5), false);
    gic_enable(spare(5));
    gic_set_bit(GICD_ISPENDR, spare(5));
    expect_one("level-sensitive SPI by ISPENDR", spare(5));
}

/*
 * A line that is still up after EOI comes again.  (Under a hypervisor on QEMU 10.0's GICv2 it does
 * not: a virtual EOI deactivates the physical interrupt there, but does not look at its line.)
 */
void state_level_again(void)
{
    uint32_t ppi = platform.vtimer_irq;

    log_reset();
    log_in_handler = timer_off;
    gic_set_priority(ppi, PRIORITY_MID);
    sysreg_write("cntv_cval_el0", 0);
    sysreg_write("cntv_ctl_el0", TIMER_ENABLE);
    isb();
    gic_enable(ppi);
    log_wait(3);
    log_settle();
    test_equal("interrupts until the timer is off", log_of(0)->count, 3);
    test_check(!gic_bit(GICD_ISPENDR, ppi), "pending though the line is down");
    sysreg_write("cntv_ctl_el0", 0);
    gic_disable(ppi);
}

/* A line that goes up and down again before it is seen: nothing comes, nothing stays pending. */
void state_withdrawn(void)
{
    uint32_t ppi = platform.vtimer_irq;

    log_reset();
    gic_enable(ppi);
    sysreg_write("cntv_cval_el0", 0);
    sysreg_write("cntv_ctl_el0", TIMER_ENABLE);
    isb();
    timer_delay(100);
    sysreg_write("cntv_ctl_el0", TIMER_ENABLE | TIMER_IMASK);
    isb();
    test_check(!gic_bit(GICD_ISPENDR, ppi), "pending though the line is down");
    expect_none("line taken back");
    sysreg_write("cntv_ctl_el0", 0);
    gic_disable(ppi);
}

/* WFI ends for a pending interrupt that PSTATE masks, whichever came first. */
void state_wfi(void)
{
    log_reset();
    gic_enable(spare(6));
    gic_set_bit(GICD_ISPENDR, spare(6));
    wfi();
    expect_one("after WFI", spare(6));
    gic_send_sgi_self(1);
    wfi();
    expect_one("SGI after WFI", 1);
}
