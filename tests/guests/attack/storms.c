/* SPDX-License-Identifier: MIT */
/* The attack guest: as many set/way operations, SGIs, timer interrupts and WFIs as it can. */
#include "tests/guests/attack/attack.h"
#include "tests/guests/lib/atomic.h"
#include "tests/guests/lib/gic.h"
#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/sysreg.h"
#include "tests/guests/lib/test.h"
#include "tests/guests/lib/timer.h"

enum { SET_WAYS = 64, SGIS = 3000, WAITS = 500, TIMERS = 500 };

void attack_set_way(struct prng *random)
{
    for (uint32_t i = 0; i < SET_WAYS * attack_rounds(); i++) {
        uint64_t value = attack_value(random);

        switch (prng_below(random, 3)) {
        case 0:
            cache_invalidate_way(value);
            break;
        case 1:
            cache_clean_way(value);
            break;
        default:
            cache_clean_invalidate_way(value);
        }
    }
}

static void send_any(struct prng *random)
{
    uint32_t sgi = prng_below(random, 16);

    switch (prng_below(random, 4)) {
    case 0:
        gic_send_sgi_self(sgi);
        break;
    case 1:
        gic_send_sgi_others(sgi);
        break;
    case 2:
        gic_send_sgi(prng_below(random, platform.cpu_count), sgi);
        break;
    default:
        if (platform.gic_version == 3) {
            sysreg_write("S3_0_C12_C11_5", prng_next(random));
        }
    }
}

static void sgi_storm(struct prng *random)
{
    for (uint32_t i = 0; i < SGIS; i++) {
        send_any(random);
        if (i % 16 == 0) {
            attack_breathe();
            gic_cpu_init(); /* what was taken has been disabled */
        }
    }
}

/* Deadlines in the past, now, and just ahead, of both timers; asleep and not. */
static void timer_storm(struct prng *random)
{
    for (uint32_t i = 0; i < TIMERS; i++) {
        uint64_t deadline = timer_now() + prng_below(random, 2000) - 1000;

        gic_enable(platform.vtimer_irq);
        gic_enable(platform.ptimer_irq);
        sysreg_write("cntv_cval_el0", deadline);
        sysreg_write("cntv_ctl_el0", prng_next(random));
        sysreg_write("cntp_cval_el0", deadline + prng_below(random, 100));
        sysreg_write("cntp_ctl_el0", prng_next(random));
        sysreg_write("cntv_tval_el0", prng_next(random) & 0xffff);
        isb();
        attack_breathe();
    }
}

static void wait_storm(struct prng *random)
{
    for (uint32_t i = 0; i < WAITS; i++) {
        gic_enable(platform.vtimer_irq);
        sysreg_write("cntv_cval_el0", timer_now() + prng_below(random, 1000));
        sysreg_write("cntv_ctl_el0", TIMER_ENABLE);
        isb();
        wfi();
        wait_event_local();
        sev();
        attack_breathe();
    }
}

void attack_storms(struct prng *random)
{
    for (uint32_t i = 0; i < attack_rounds(); i++) {
        sgi_storm(random);
        timer_storm(random);
        wait_storm(random);
    }
}
