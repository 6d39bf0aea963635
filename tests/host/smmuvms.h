/* SPDX-License-Identifier: MIT */
/*
 * Two VMs with streams of the SMMU of smmu.h, whose driver is the real one, as is core/dma.c on top
 * of it; and what the driver needs of the GIC and of the board, for tests.
 */
#ifndef TESTS_HOST_SMMUVMS_H
#define TESTS_HOST_SMMUVMS_H

#include "core/types.h"

#define VMS_RAM      0x40000000u /* of both: the first one's at 0x80200000, 6 MiB; at 0xa0200000 */
#define VMS_ROM      0x08000000u /* of the first, 64 KiB at 0x90003000 */
#define VMS_FRAME    0x20000000u /* the same's, for messages */
#define VMS_DOORBELL 0x08090000u
#define VMS_A        0x10 /* streams of the first VM */
#define VMS_B        0x11
#define VMS_OTHER    0x23 /* … of the second */

struct board;
struct vm;

extern struct board smmuvms_board;
extern struct vm smmuvms_one, smmuvms_two;

extern u32 smmuvms_ipa_bits;               /* what stage2_ipa_bits says */
extern u32 smmuvms_pended;                 /* gic_spi_pend calls */
extern bool smmuvms_edge, smmuvms_enabled; /* how the interrupt was set up */

/* The SMMU as the firmware leaves it. */
void smmuvms_power_on(bool coherent);

/* Muntin has started, all streams are attached and closed, no message was printed. */
void smmuvms_start(bool coherent);

/* Does it come out anywhere? Where? */
bool smmuvms_can(u32 sid, u64 address, bool write);
u64 smmuvms_to(u32 sid, u64 address);

/* All interrupts that wait. */
void smmuvms_take_irqs(void);

#endif
