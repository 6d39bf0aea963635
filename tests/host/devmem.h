/* SPDX-License-Identifier: MIT */
/*
 * Memory as devices see it, and the registers of devices that tests have made. What Muntin stores
 * reaches a device only where Muntin sees to it, and the other way round: a coherent device's
 * accesses meet the CPU's at a barrier, another one's where Muntin cleans and invalidates a line.
 * Accesses to registers go to the device whose they are; others fail the test.
 */
#ifndef TESTS_HOST_DEVMEM_H
#define TESTS_HOST_DEVMEM_H

#include "core/types.h"

#define DEVMEM_BASE 0x60000000u /* all that page_alloc hands out lies there */
#define DEVMEM_SIZE (2 * MIB)

struct devmem_regs {
    u64 base, size;
    u32 (*read)(u32 offset);
    void (*write)(u32 offset, u32 value);
};

/* Once, in a process of its own: memory for core/page.c, and messages kept (said.h). */
void devmem_start(bool coherent);

void devmem_add(const struct devmem_regs *regs);

/* What a device reads and writes; false: there's no memory. Aligned to 8 bytes. */
bool devmem_read(u64 a, u64 *v) MUST_CHECK;
bool devmem_write(u64 a, u64 v) MUST_CHECK;

extern u32 devmem_accesses; /* of Muntin, to registers */

#endif
