/* SPDX-License-Identifier: MIT */
/*
 * An SMMUv3 (IHI 0070) for tests of its driver: registers, the command queue, stream table and
 * stage 2 that it reads from memory as a device sees it (devmem.h), the event queue that it writes.
 * It does no more than the specification promises: what it has cached of an entry stays until a
 * CMD_SYNC behind the invalidation, and registers written in a state that forbids it fail the test.
 */
#ifndef TESTS_HOST_SMMU_H
#define TESTS_HOST_SMMU_H

#include "core/types.h"

#define SMMU_BASE  0x09050000u
#define SMMU_SIZE  0x20000u
#define SMMU_INTID 106

#define SMMU_ILLEGAL 1 /* CERROR_ILL */

struct smmu_cmd {
    u64 word[2];
};

extern struct smmu {
    /* What it is; changed before Muntin sees it */
    u32 idr0, idr1, idr5;
    u32 stuck;   /* this register never does what it's told: 0: all do */
    bool hangs;  /* no command is completed */
    u32 refuses; /* this command is illegal; 0: none is */
    u32 slow;    /* so many reads of CMDQ_CONS until commands are taken */
    /* Called when Muntin accesses a register: what happens at the same time. */
    void (*meanwhile)(u32 offset, bool write);

    /* What has become of it */
    struct smmu_cmd cmd[1024]; /* as they were consumed */
    u32 cmds;
    u32 irqs; /* edges of its event interrupt that nobody has taken */
    u32 lost; /* events */
} smmu;

/* As the firmware leaves it: on, all that comes passes (GBPA), an old error active. */
void smmu_power_on(bool coherent);

/* A register, as it is. */
u32 smmu_reg(u32 offset);

/* Toggles bits of GERROR that aren't active. */
void smmu_error(u32 bits);

/* A device reads or writes there: false if that was aborted, else where it came out. */
bool smmu_dma(u32 sid, u64 address, bool write, u64 *pa) MUST_CHECK;

/* An event as the SMMU writes it. */
void smmu_event(u32 type, u32 sid, u64 address, bool write);

/* The entry of a stream, as it is in memory. */
void smmu_entry(u32 sid, u64 ste[8]);

#endif
