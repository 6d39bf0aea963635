/* SPDX-License-Identifier: MIT */
/*
 * The board's SMMUv3 (IHI 0070), stage 2 only: what a passed device reads and writes by itself goes
 * through a table of its VM's memory; every stream that no VM has is aborted. Boot functions run on
 * the boot CPU alone; the rest takes LOCK_EVENTS, LOCK_SMMU and what core/dma.h needs.
 *
 * An SMMU that fails, refuses a command or doesn't complete one is told of, turned off, and stays
 * so: all DMA is aborted then. It's noticed when a stream is opened or closed, and at its
 * interrupts.
 */
#ifndef ARCH_ARM_COMMON_SMMUV3_H
#define ARCH_ARM_COMMON_SMMUV3_H

#include "core/types.h"

struct board;
struct vm;

/*
 * Boot, before any VM is created: from here on no device behind it reaches memory. Does nothing
 * without one in the board's tree; one that can't be used is left aborting, after a message.
 */
void smmu_init(const struct board *board);

/*
 * Boot: stream `sid` is vm's, and nobody else's (core/dma.c sees to it). It reaches vm's RAM at the
 * guest's addresses, rom read-only, and the page at `frame`, if not 0, is the page of board
 * registers at `doorbell`: where its messages go. Closed until smmu_open. False, after a message:
 * no usable SMMU, no such stream, no memory.
 */
bool smmu_attach(struct vm *vm, u32 sid, u64 frame, hpa_t doorbell) MUST_CHECK;

/* Boot, all streams attached: translation is on. False, after a message, if it doesn't come on. */
bool smmu_start(void) MUST_CHECK;

/*
 * Any CPU. Once a stream is closed, nothing of it is under way any more, and core has been told of
 * all that was blocked before, unless it's core that closes it because of that. Waits for the SMMU,
 * for 50,000 instructions at most, most of them reads of its registers: more than half a
 * millisecond.
 */
void smmu_open(u32 sid, bool open);

/* The SMMU's event interrupt, on the CPU that took it: tells core of what was blocked
 * (dma_blocked).
 */
void smmu_irq(void);

#endif
