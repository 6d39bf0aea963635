/* SPDX-License-Identifier: MIT */
/*
 * Time in a VM: both of EL1's timers fire, never early and not much too late, awake and asleep;
 * the counters run at their rate, never backwards, alike on all CPUs.  late-us=N in the boot
 * arguments is how late an interrupt may be (10000): wall clocks of loaded hosts are rough.
 */
#include <stddef.h>

#include "tests/guests/lib/atomic.h"
#include "tests/guests/lib/bootargs.h"
#include "tests/guests/lib/cpu.h"
#include "tests/guests/lib/exception.h"
#include "tests/guests/lib/gic.h"
#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/runtime.h"
#include "tests/guests/lib/sysreg.h"
#include "tests/guests/lib/test.h"
#include "tests/guests/lib/timer.h"

enum {
    LATE_US = 10000,
    RPS_ROUNDS = 2000,
    PAIR_ROUNDS = 10000,
    DEADLINE_WAIT_US = 1000000,
    AGAIN_US = 5
};

/* One of the two timers of EL1. */
struct timer {
    const char *name;
    uint32_t irq;
    bool physical;
};

static uint32_t fired;
static uint64_t fired_at;
static uint32_t unexpected;
static uint32_t again; /* so many interrupts more, each due before the one before it has ended */

static struct timer virtual_timer(void)
{
    return (struct timer){"virtual", platform.vtimer_irq, false};
}

static struct timer physical_timer(void)
{
    return (struct timer){"physical", platform.ptimer_irq, true};
}

static void timer_write(const struct timer *t, uint64_t cval, uint64_t ctl)
{
    if (t->physical) {
        sysreg_write("cntp_cval_el0", cval);
        sysreg_write("cntp_ctl_el0", ctl);
    } else {
        sysreg_write("cntv_cval_el0", cval);
        sysreg_write("cntv_ctl_el0", ctl);
    }
    isb();
}

static uint64_t timer_ctl(const struct timer *t)
{
    return t->physical ? sysreg_read("cntp_ctl_el0") : sysreg_read("cntv_ctl_el0");
}

static uint64_t counter(const struct timer *t)
{
    return t->physical ? timer_physical_now() : timer_now();
}

/* The level goes, as Linux has it when it sets the next deadline; again, it's back soon. */
static void answer(const struct timer *t)
{
    fired_at = counter(t);
    if (again == 0) {
        timer_write(t, fired_at, TIMER_ENABLE | TIMER_IMASK);
        return;
    }
    again--;
    timer_write(t, fired_at + timer_ticks(AGAIN_US), TIMER_ENABLE);
    while ((timer_ctl(t) & TIMER_ISTATUS) == 0) {
        yield_cpu();
    }
}

static void take_irq(uint64_t entry_time)
{
    uint32_t iar = gic_ack();
    uint32_t intid = gic_intid(iar);
    struct timer t = virtual_timer();

    (void)entry_time;
    if (intid == platform.vtimer_irq) {
        answer(&t);
    } else if (intid == platform.ptimer_irq) {
        t = physical_timer();
        answer(&t);
    } else {
        unexpected++;
    }
    isb();
    atomic_add(&fired, 1);
    if (intid < GIC_SPURIOUS) {
        gic_eoi(iar);
    }
}

static void prepare(const struct timer *t)
{
    irq_mask();
    exception_irq_hook = take_irq;
    timer_write(t, 0, 0);
    gic_init();
    gic_enable(t->irq);
    irq_unmask(); /* what the case before left, comes now */
    irq_mask();
    atomic_store(&fired, 0);
    unexpected = 0;
}

/* Arms the timer, waits for its interrupt, awake or in WFI, and judges when it came. */
static bool fire_once(const struct timer *t, uint64_t us, bool asleep)
{
    uint64_t late = timer_ticks(bootargs_number("late-us", LATE_US));
    uint64_t deadline = counter(t) + timer_ticks(us);
    uint64_t give_up = timer_now() + timer_ticks(us + DEADLINE_WAIT_US);

    atomic_store(&fired, 0);
    timer_write(t, deadline, TIMER_ENABLE);
    while (!atomic_load(&fired) && timer_now() < give_up) {
        if (asleep) {
            wfi();
        }
        irq_unmask();
        irq_mask();
    }
    if (!test_check(atomic_load(&fired) == 1, "%s, %lu us, %s: %u interrupts", t->name, us,
                    asleep ? "asleep" : "awake", fired)) {
        return false;
    }
    test_check(fired_at >= deadline, "%s, %lu us: %lu ticks early", t->name, us,
               deadline - fired_at);
    return test_check(fired_at < deadline + late, "%s, %lu us, %s: %lu ns late", t->name, us,
                      asleep ? "asleep" : "awake", timer_ns(fired_at - deadline));
}

static void check_firing(struct timer t)
{
    static const uint32_t deadlines_us[] = {0, 1, 5, 20, 50, 200, 999, 1000, 2000, 20000};

    prepare(&t);
    for (size_t i = 0; i < sizeof(deadlines_us) / sizeof(deadlines_us[0]); i++) {
        if (!fire_once(&t, deadlines_us[i], false) || !fire_once(&t, deadlines_us[i], true)) {
            break;
        }
    }
    test_equal("unexpected interrupts", unexpected, 0);
    timer_write(&t, 0, 0);
}

static void virtual_fires(void)
{
    check_firing(virtual_timer());
}

static void physical_fires(void)
{
    check_firing(physical_timer());
}

/* Many short sleeps in a row: none is lost, none sleeps for long. */
static void short_sleeps(void)
{
    struct timer t = virtual_timer();
    uint64_t start;

    prepare(&t);
    start = timer_now();
    for (uint32_t i = 0; i < 200; i++) {
        if (!fire_once(&t, 30 + i % 70, true)) {
            return;
        }
    }
    test_check(timer_now() - start < timer_ticks(2000000), "200 sleeps of 65 us took %lu us",
               timer_ns(timer_now() - start) / 1000);
    timer_write(&t, 0, 0);
}

/* Due anew when the guest ends the interrupt: the end has to let the next one through. */
static void check_again(struct timer t)
{
    enum { TIMES = 5 };
    uint64_t give_up;

    prepare(&t);
    again = TIMES;
    timer_write(&t, counter(&t), TIMER_ENABLE);
    give_up = timer_now() + timer_ticks(DEADLINE_WAIT_US);
    irq_unmask();
    while (atomic_load(&fired) < 1 + TIMES && timer_now() < give_up) {
        yield_cpu();
    }
    irq_mask();
    test_equal(t.name, atomic_load(&fired), 1 + TIMES);
    again = 0;
    timer_write(&t, 0, 0);
}

static void due_at_the_end(void)
{
    check_again(virtual_timer());
    check_again(physical_timer());
}

/* ISTATUS, IMASK, ENABLE and TVAL as the architecture relates them. */
static void check_registers(struct timer t)
{
    prepare(&t);
    gic_disable(t.irq);
    timer_write(&t, ~0ull, TIMER_ENABLE | TIMER_IMASK);
    test_equal("CTL, not due", timer_ctl(&t), TIMER_ENABLE | TIMER_IMASK);
    timer_write(&t, 0, TIMER_ENABLE | TIMER_IMASK);
    test_equal("CTL, due", timer_ctl(&t), TIMER_ENABLE | TIMER_IMASK | TIMER_ISTATUS);
    test_check(!gic_bit(GICD_ISPENDR, t.irq), "pending though IMASK is set");
    timer_write(&t, 0, TIMER_ENABLE);
    test_equal("CTL, due, unmasked", timer_ctl(&t), TIMER_ENABLE | TIMER_ISTATUS);
    test_check(gic_bit(GICD_ISPENDR, t.irq), "not pending though due");
    timer_write(&t, 0, 0);
    test_equal("CTL, off", timer_ctl(&t) & ~(uint64_t)TIMER_ISTATUS, 0);
}

static void check_tval(bool physical)
{
    int64_t tval = 100000000;
    int64_t offset;
    int64_t back;

    if (physical) {
        sysreg_write("cntp_tval_el0", (uint64_t)tval);
        offset = (int64_t)(sysreg_read("cntp_cval_el0") - timer_physical_now());
        back = (int32_t)sysreg_read("cntp_tval_el0");
    } else {
        sysreg_write("cntv_tval_el0", (uint64_t)tval);
        offset = (int64_t)(sysreg_read("cntv_cval_el0") - timer_now());
        back = (int32_t)sysreg_read("cntv_tval_el0");
    }
    test_check(offset <= tval && offset > tval / 2, "CVAL is %ld ticks ahead", offset);
    test_check(back <= tval && back > 0, "TVAL reads %ld", back);
}

static void virtual_registers(void)
{
    check_registers(virtual_timer());
    check_tval(false);
}

static void physical_registers(void)
{
    check_registers(physical_timer());
    check_tval(true);
}

/* The two counters differ by a constant: one that fits between every pair of readings. */
static void two_counters(void)
{
    int64_t at_least = INT64_MIN;
    int64_t at_most = INT64_MAX;

    for (uint32_t i = 0; i < PAIR_ROUNDS; i++) {
        uint64_t v1 = timer_now();
        uint64_t p = timer_physical_now();
        uint64_t v2 = timer_now();
        int64_t low = (int64_t)(p - v2);
        int64_t high = (int64_t)(p - v1);

        test_check(v2 >= v1, "the virtual counter went back by %lu", v1 - v2);
        at_least = low > at_least ? low : at_least;
        at_most = high < at_most ? high : at_most;
    }
    test_check(at_least <= at_most, "the offset moves: at least %ld, at most %ld ticks",
               (int64_t)at_least, (int64_t)at_most);
    test_note("physical - virtual counter: %ld to %ld ticks", (int64_t)at_least, (int64_t)at_most);
}

/* The frequency is believable, and timer_delay's view of it agrees with a fired timer. */
static void frequency(void)
{
    struct timer t = physical_timer();
    uint64_t before;

    test_check(timer_hz() >= 1000000 && timer_hz() <= 2000000000, "CNTFRQ %lu", timer_hz());
    prepare(&t);
    before = timer_now();
    fire_once(&t, 5000, true);
    test_check(timer_now() - before >= timer_ticks(5000), "5 ms by CNTPCT were %lu us by CNTVCT",
               timer_ns(timer_now() - before) / 1000);
    timer_write(&t, 0, 0);
}

/* Two CPUs pass a stamp to and fro: no CPU sees time before the other's stamp. */
static uint32_t turn;
static uint64_t stamp;
static uint32_t backward;

static void play(uint32_t me)
{
    for (uint32_t i = 0; i < RPS_ROUNDS; i++) {
        while (atomic_load(&turn) != me) {
            yield_cpu();
        }
        if (timer_now() < stamp) {
            atomic_add(&backward, 1);
        }
        stamp = timer_now();
        atomic_store(&turn, 1 - me);
    }
}

static void play_second(uint64_t unused)
{
    (void)unused;
    play(1);
}

static void across_cpus(void)
{
    if (platform.cpu_count < 2) {
        test_skip("one CPU");
        return;
    }
    cpu_start_all();
    for (uint32_t cpu = 1; cpu < platform.cpu_count; cpu++) {
        stamp = 0;
        atomic_store(&turn, 0);
        cpu_run(cpu, play_second, 0);
        play(0);
        cpu_wait(cpu);
        test_check(atomic_load(&backward) == 0, "time went back %u times between CPU 0 and %u",
                   backward, cpu);
    }
}

/* Each CPU has its own timers. */
static void fire_here(uint64_t unused)
{
    struct timer t = virtual_timer();

    (void)unused;
    gic_cpu_init();
    gic_enable(t.irq);
    fire_once(&t, 100, true);
    fire_once(&t, 2000, true);
    timer_write(&t, 0, 0);
    gic_disable(t.irq);
}

static void each_cpu(void)
{
    struct timer t = virtual_timer();

    prepare(&t);
    cpu_start_all();
    fire_here(0);
    for (uint32_t cpu = 1; cpu < platform.cpu_count; cpu++) {
        cpu_run(cpu, fire_here, 0);
        cpu_wait(cpu);
    }
}

void guest_main(void)
{
    static const struct test_case cases[] = {
        {"virtual", virtual_fires},
        {"physical", physical_fires},
        {"short-sleeps", short_sleeps},
        {"due-at-the-end", due_at_the_end},
        {"virtual-registers", virtual_registers},
        {"physical-registers", physical_registers},
        {"two-counters", two_counters},
        {"frequency", frequency},
        {"across-cpus", across_cpus},
        {"each-cpu", each_cpu},
    };

    test_begin("timer");
    test_run(cases, sizeof(cases) / sizeof(cases[0]));
    test_end();
}
