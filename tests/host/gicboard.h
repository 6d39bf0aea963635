/* SPDX-License-Identifier: MIT */
/*
 * The SPIs of a board's GIC as core/pass.h sees them, for tests of what is passed to guests: lines,
 * masks, states. Interrupts fire into the VM that they are linked to (gcpu.h).
 */
#ifndef TESTS_HOST_GICBOARD_H
#define TESTS_HOST_GICBOARD_H

#include "core/irq.h"
#include "core/pass.h"
#include "core/sched.h"

struct gicboard_spi {
    u32 intid; /* the guest's; 0: not linked */
    bool edge, enabled, line, latch, active;
    const struct pcpu *to;
};
extern struct gicboard_spi gicboard[IRQ_MAX];

/* All as at power-on: nothing is linked. Sets pass_hw. */
void gicboard_reset(void);

/* Links `host` to the VM's `intid`. */
void gicboard_link(struct vm *vm, u32 intid, u32 host, bool edge);

/* The device's line; a rise is an edge. */
void gicboard_line(u32 host, bool high);

/* Whatever can fire now fires, once each. True: something did. */
bool gicboard_fire(struct vm *vm);

/* The line of one that is active is low, and a level: its list register is to be withdrawn. */
bool gicboard_is_gone(u32 host);

#endif
