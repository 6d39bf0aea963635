/* SPDX-License-Identifier: MIT */
/*
 * The board's Interrupt Translation Service (IHI 0069 §5, §12.12): messages of passed devices
 * become LPIs, which are Muntin's alone; a guest knows them as SPIs of its own GIC. All but
 * its_lpi: boot CPU, no lock; afterwards nothing changes.
 */
#ifndef ARCH_ARM_COMMON_ITS_H
#define ARCH_ARM_COMMON_ITS_H

#include "core/irq.h"
#include "core/types.h"

struct board;
struct vm;

#define ITS_LPI_FIRST 8192u

/* Boot: the board's ITS is off, and messages are lost. Does nothing without one; one that can't be
 * used is as if it weren't there, after a message. */
void its_init(const struct board *board);

/* Boot: the page of board registers that devices write their messages to; 0: there's no ITS. */
hpa_t its_doorbell(void);

/*
 * Boot: EventIDs [first, first + count) of this device, which the SMMU knows as `stream`, are vm's
 * SPIs of the same INTIDs, taken on the CPU of its first vCPU; its other EventIDs are nobody's.
 * False, after a message: no ITS, no room, or no such device.
 */
bool its_attach(struct vm *vm, u32 stream, u32 device, u32 first, u32 count) MUST_CHECK;

/* Boot, all devices attached, all CPUs up: messages come. False, after a message. */
bool its_start(void) MUST_CHECK;

/* An LPI was acknowledged and its priority dropped, on any CPU: LPIs need no deactivation. */
void its_lpi(u32 intid);

#endif
