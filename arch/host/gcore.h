/* SPDX-License-Identifier: MIT */
/*
 * Cores of guests on the host: read from a console's log (core/gcore_text.h), written as ELF.
 * Nothing in a log is believed: it may be torn, or not Muntin's at all.
 */
#ifndef ARCH_HOST_GCORE_H
#define ARCH_HOST_GCORE_H

#include "core/gmem.h"
#include "core/regs.h"
#include "core/types.h"
#include "core/vcpu.h"

#define GCORE_RAM_MAX (16 * GIB) /* of one core: no more is believed */

struct gcore_region {
    u64 base, size, host;
    u8 *ram;     /* size bytes; pages that were left out or lost are zeros */
    u8 *present; /* a byte for each page: it came */
};

struct gcore {
    char name[32]; /* harmless as a file's */
    bool is32;
    u64 seconds; /* since 1970, when it was written; 0: not known */
    u32 nvcpus, nregions, want_regions;
    struct vcpu_regs vcpu[VCPU_MAX];
    bool has_vcpu[VCPU_MAX];
    struct gcore_region region[GMEM_REGIONS];
    u32 pages;     /* that are there */
    u32 want;      /* that there were; UINT32_MAX: the end is missing */
    bool complete; /* Muntin wrote all of it */
};

/* Nothing of it is missing. */
bool gcore_whole(const struct gcore *g);

/*
 * Calls found for each core in the log, which is gone when found returns. Returns how many lines
 * were torn.
 */
u32 gcore_read(struct str log, void (*found)(const struct gcore *g, void *ctx), void *ctx);

/* A piece of RAM, in one region, as the guest's kernel sees it. */
struct gcore_view {
    u64 va, pa, size;
};
#define GCORE_VIEWS 60000u /* at most: ELF counts segments with 16 bits */

/* Fills in view, room for GCORE_VIEWS; how many. 64-bit guests with their MMU on only. */
u32 gcore_views(const struct gcore *g, struct gcore_view *view);

/*
 * The ELF file in front of the memory, to be freed: its header, PT_NOTE and a PT_LOAD for each
 * region, all of whose bytes follow from *size on, one region behind the other; then a PT_LOAD for
 * each view, of the same bytes. ELF64 for AArch64, ELF32 for a 32-bit guest, whose RAM beyond 4 GiB
 * is left out.
 */
u8 *gcore_elf(const struct gcore *g, size_t *size);
/* Does the file have region r? */
bool gcore_has(const struct gcore *g, const struct gcore_region *r);

#endif
