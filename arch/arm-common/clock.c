/* SPDX-License-Identifier: MIT */
/* CNTPCT and CNTHP (Arm ARM D12): time and the one deadline of each CPU. */
#include "arch/arm-common/clock.h"

#include "arch/arm-common/scale.h"
#include "core/arch.h"
#include "core/log.h"
#include "core/timer.h"
#include "sysreg.h"

#define CTL_ENABLE 1u
#define NS_PER_S   1000000000u

static struct scale ticks_to_ns, ns_to_ticks;

bool clock_init(void)
{
    u32 frequency = (u32)sysreg_read(CNTFRQ);

    if (frequency == 0) {
        log_err("CNTFRQ is 0: the firmware must set it to the counter's frequency");
        return false;
    }
    ticks_to_ns = scale_make(NS_PER_S, frequency);
    ns_to_ticks = scale_make(frequency, NS_PER_S);
    return true;
}

void clock_cpu_init(void)
{
    sysreg_write(CNTHP_CTL, 0);
    sysreg_write(CNTV_CTL, 0); /* a boot loader may have left it running: nobody's interrupt */
    isb();
}

void clock_irq(void)
{
    /* level-triggered: the line must be low before the interrupt is deactivated */
    sysreg_write(CNTHP_CTL, 0);
    isb();
}

u64 clock_ticks(void)
{
    isb(); /* the counter may be read early (Arm ARM D12.2.1) */
    return sysreg_read(CNTPCT);
}

u64 clock_ns(u64 ticks)
{
    return scale_apply(&ticks_to_ns, ticks);
}

u64 clock_ticks_of(u64 ns)
{
    return scale_apply(&ns_to_ticks, ns) + 2; /* it rounds down by less */
}

u64 arch_now_ns(void)
{
    return clock_ns(clock_ticks());
}

void arch_deadline(u64 ns)
{
    if (ns == TIMER_OFF) {
        sysreg_write(CNTHP_CTL, 0);
        return;
    }
    sysreg_write(CNTHP_CVAL, clock_ticks_of(ns));
    sysreg_write(CNTHP_CTL, CTL_ENABLE);
    isb(); /* the timer is set before this CPU may go to sleep */
}
