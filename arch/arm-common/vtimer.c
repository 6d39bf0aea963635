/* SPDX-License-Identifier: MIT */
/* An emulated timer (Arm ARM D12.2.4): three registers, a deadline at EL2, a level. */
#include "arch/arm-common/vtimer.h"

#include "arch/arm-common/clock.h"
#include "core/arch.h"
#include "core/atomic.h"
#include "core/irq.h"
#include "core/vcpu.h"
#include "core/vm.h"

#define ENABLE  BIT(0)
#define IMASK   BIT(1)
#define ISTATUS BIT(2)

/* Further away than this is never: more than a century, and no overflow when it becomes ns. */
#define TICKS_MAX BIT64(57)

#define FROZEN_NS 5000000u /* a frozen VM's timer is looked at that often */

u64 vtimer_count(const struct vm *vm)
{
    return clock_ticks() - vm->counter_offset;
}

u64 vtimer_deadline(u64 count, u64 cval)
{
    if (count >= cval) {
        return arch_now_ns();
    }
    return cval - count < TICKS_MAX ? arch_now_ns() + clock_ns(cval - count) + 1 : TIMER_OFF;
}

/* The condition, whether masked or not. */
static bool is_due(const struct vtimer *t, u64 count)
{
    return (t->ctl & ENABLE) != 0 && count >= t->cval;
}

/* Line and deadline follow the registers. */
static void settle(struct vtimer *t)
{
    u64 count = vtimer_count(t->vcpu->vm);
    bool wanted = (t->ctl & (ENABLE | IMASK)) == ENABLE;
    bool line = wanted && count >= t->cval;
    u64 deadline_ns = TIMER_OFF;

    if (wanted && !line) {
        deadline_ns = vtimer_deadline(count, t->cval);
    }
    if (deadline_ns != t->timer.deadline_ns) {
        timer_set(&t->timer, deadline_ns);
    }
    if (line != t->line) {
        t->line = line;
        t->vcpu->vm->irqchip->set_line(t->vcpu->vm, t->vcpu, VTIMER_INTID, line);
    }
}

/* While the VM's core is written its counter stands; how long, nobody knows yet. */
static void expired(struct timer *timer)
{
    struct vtimer *t = container_of(timer, struct vtimer, timer);

    if (atomic_load(&t->vcpu->vm->frozen)) {
        timer_set(timer, arch_now_ns() + FROZEN_NS);
    } else {
        settle(t);
    }
}

void vtimer_init(struct vtimer *t, struct vcpu *v)
{
    *t = (struct vtimer){.vcpu = v};
    timer_init(&t->timer, v->pcpu, expired);
}

void vtimer_reset(struct vtimer *t)
{
    timer_cancel(&t->timer);
    t->cval = 0;
    t->ctl = 0;
    if (t->line) {
        t->line = false;
        t->vcpu->vm->irqchip->set_line(t->vcpu->vm, t->vcpu, VTIMER_INTID, false);
    }
}

u64 vtimer_read(const struct vtimer *t, enum vtimer_reg reg)
{
    u64 count;

    if (reg == VTIMER_CVAL) {
        return t->cval;
    }
    count = vtimer_count(t->vcpu->vm);
    if (reg == VTIMER_TVAL) {
        return (u32)(t->cval - count);
    }
    return t->ctl | (is_due(t, count) ? ISTATUS : 0);
}

void vtimer_write(struct vtimer *t, enum vtimer_reg reg, u64 value)
{
    switch (reg) {
    case VTIMER_CTL:
        t->ctl = (u32)value & (ENABLE | IMASK);
        break;
    case VTIMER_CVAL:
        t->cval = value;
        break;
    case VTIMER_TVAL:
        t->cval = vtimer_count(t->vcpu->vm) + (u64)(s64)(s32)value;
        break;
    }
    settle(t);
}
