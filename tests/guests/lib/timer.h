/* SPDX-License-Identifier: MIT */
/* The generic timer (Arm ARM D12): time in ticks of CNTFRQ_EL0, timers by register name. */
#ifndef TESTS_GUESTS_LIB_TIMER_H
#define TESTS_GUESTS_LIB_TIMER_H

#include <stdint.h>

#include "tests/guests/lib/sysreg.h"

enum { TIMER_ENABLE = 1, TIMER_IMASK = 2, TIMER_ISTATUS = 4 };

static inline uint64_t timer_now(void)
{
    isb();
    return sysreg_read("cntvct_el0");
}

static inline uint64_t timer_physical_now(void)
{
    isb();
    return sysreg_read("cntpct_el0");
}

static inline uint64_t timer_hz(void)
{
    return sysreg_read("cntfrq_el0");
}

static inline uint64_t timer_ticks(uint64_t us)
{
    return us * timer_hz() / 1000000;
}

static inline uint64_t timer_ns(uint64_t ticks)
{
    uint64_t hz = timer_hz();

    return ticks / hz * 1000000000 + ticks % hz * 1000000000 / hz;
}

static inline void yield_cpu(void)
{
    __asm__ volatile("yield" : : : "memory");
}

static inline void timer_delay(uint64_t us)
{
    uint64_t end = timer_now() + timer_ticks(us);

    while (timer_now() < end) {
        yield_cpu();
    }
}

#endif
