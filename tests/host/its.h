/* SPDX-License-Identifier: MIT */
/*
 * A GICv3 ITS with its redistributors (IHI 0069), for tests of the driver: it reads commands, and
 * what an LPI is to do, from memory as a device sees it (devmem.h). Its own tables it keeps in
 * itself, but checks that the memory that it's given for them is there, aligned, zeros and enough.
 * Configurations of LPIs are read when they are mapped, and again only when it's told to.
 */
#ifndef TESTS_HOST_ITS_H
#define TESTS_HOST_ITS_H

#include "core/types.h"

#define ITS_BASE      0x08080000u
#define ITS_SIZE      0x20000u
#define ITS_GICD      0x08000000u
#define ITS_CPUS      3u
#define ITS_REDIST(n) (0x080a0000u + 0x20000u * (n))

#define ITS_NO_LPI 0u

struct its_cmd {
    u64 word[4];
};

extern struct its {
    /* What it is; changed before Muntin sees it */
    u64 typer;
    u32 gicd_typer;
    u64 gicr_typer[ITS_CPUS];
    struct {
        u8 type, entry; /* bytes of an entry */
        u8 page;        /* the only one that it can do: 0 4 KiB, 1 16 KiB, 2 64 KiB */
    } table[8];
    bool shares;   /* it looks into the caches */
    bool restless; /* it never becomes quiescent */
    bool hangs;
    u32 refuses; /* this command stalls it; 0: none does */

    /* What has become of it */
    struct its_cmd cmd[2048];
    u32 cmds;
} its;

void its_power_on(bool coherent);

/* A register of the ITS or of a CPU's redistributor, as it is. */
u64 its_reg(u32 offset);
u64 its_gicr(u32 cpu, u32 offset);
/* As the firmware left it */
void its_set_gicr(u32 cpu, u32 offset, u64 v);
void its_set_reg(u32 offset, u64 v);

/* A device writes an EventID to GITS_TRANSLATER: the LPI that comes of it, and on which CPU. */
u32 its_message(u32 device, u32 event, u32 *cpu);

#endif
