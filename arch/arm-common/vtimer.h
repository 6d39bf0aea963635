/* SPDX-License-Identifier: MIT */
/*
 * The guest's EL1 physical timer (CNTP_*, CNTPCT), emulated: Muntin has the real one's place for
 * itself, and the guest's counter is behind the board's by vm->counter_offset, as its virtual one
 * is. The line is PPI 30. Portable: time comes from clock.h. No lock: everything is called on the
 * CPU that the vCPU is pinned to.
 */
#ifndef ARCH_ARM_COMMON_VTIMER_H
#define ARCH_ARM_COMMON_VTIMER_H

#include "core/timer.h"
#include "core/types.h"

struct vcpu;
struct vm;

#define VTIMER_INTID 30

struct vtimer {
    struct vcpu *vcpu;
    struct timer timer; /* armed while the guest's is enabled, unmasked and not due */
    u64 cval;           /* guest ticks */
    u32 ctl;            /* ENABLE and IMASK */
    bool line;          /* as the interrupt controller was told last */
};

enum vtimer_reg { VTIMER_CTL, VTIMER_CVAL, VTIMER_TVAL };

/* vCPU creation. */
void vtimer_init(struct vtimer *t, struct vcpu *v);
/* Power-on state; the line goes down, which a reset of the interrupt controller doesn't do. */
void vtimer_reset(struct vtimer *t);

u64 vtimer_read(const struct vtimer *t, enum vtimer_reg reg);
void vtimer_write(struct vtimer *t, enum vtimer_reg reg, u64 value);

/*
 * When the guest's counter, which is at `count` now, gets to cval, as arch_now_ns() time; not in
 * the future if it has. TIMER_OFF: so far away that it's never.
 */
u64 vtimer_deadline(u64 count, u64 cval);

/* The guest's counter, now (CNTPCT, and CNTVCT alike). */
u64 vtimer_count(const struct vm *vm);

#endif
