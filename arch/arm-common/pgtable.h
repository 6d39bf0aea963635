/* SPDX-License-Identifier: MIT */
/*
 * Translation tables with 4 KiB granule, as VMSAv8-64 and LPAE share them (Arm ARM D8.3): stage 1
 * of EL2 (Hyp), one range of addresses, and stage 2. Plain data: it knows no register, does no TLB
 * maintenance and takes its memory from the caller, so it runs on the host too. No lock: one caller
 * at a time.
 *
 * A CPU may walk a table while pgtable_map adds to it: that never changes a valid entry, so
 * break-before-make isn't needed; pgtable_unmap is the "break".
 *
 * Stores: a new table is visible to walkers before the entry that points to it. For leaves the
 * caller issues dsb ishst (and isb, for Muntin's own translations) before anything relies on them.
 * Tables written with the caches off must be invalidated from them by the caller, before and after.
 */
#ifndef ARCH_ARM_COMMON_PGTABLE_H
#define ARCH_ARM_COMMON_PGTABLE_H

/* MAIR of EL2: what the memory types of stage 1 below mean. Index 0 device, 1 normal. */
#define PGTABLE_MAIR 0xff04

#ifndef __ASSEMBLER__

#include "core/types.h"

enum pgtable_stage {
    PGTABLE_EL2,        /* stage 1 of EL2, without VHE */
    PGTABLE_STAGE2,     /* memory types combine with the guest's own */
    PGTABLE_STAGE2_FWB, /* HCR_EL2.FWB is set: RAM is write-back whatever the guest says */
};

enum pgtable_perm {
    PGTABLE_NONE,      /* nothing there */
    PGTABLE_RO,        /* normal memory, never executed */
    PGTABLE_RW,        /* normal memory, never executed */
    PGTABLE_RX,        /* normal memory, not writable */
    PGTABLE_RWX,       /* normal memory; stage 2 only: EL2 has W^X */
    PGTABLE_DEVICE,    /* Device-nGnRE, writable, never executed */
    PGTABLE_DEVICE_RO, /* … not writable; stage 2 only */
};

struct pgtable {
    u64 *root;
    u8 stage;                 /* enum pgtable_stage */
    u8 bits;                  /* of an input address */
    u8 level;                 /* where the walk starts: 0 or 1 */
    void *(*alloc)(u64 size); /* zeroed, page-aligned, virtual = physical; NULL: none left */
};

/*
 * An empty table for input addresses of `bits` (32 to 48). The walk starts at level 1 if it can: a
 * single page for up to 39 bits; stage 2, up to 16 concatenated pages, aligned to their size, for
 * up to 43. False: no memory.
 */
bool pgtable_create(struct pgtable *pt, enum pgtable_stage stage, u32 bits,
                    void *(*alloc)(u64 size)) MUST_CHECK;

/* The table at `root`, made earlier with the same stage and bits. */
struct pgtable pgtable_at(hpa_t root, enum pgtable_stage stage, u32 bits, void *(*alloc)(u64 size));

/*
 * Maps [va, va + size) to [pa, pa + size), all page-aligned, with the largest blocks that fit (1
 * GiB, 2 MiB, 4 KiB). False, with part of it mapped: something is mapped there already, an address
 * is out of range or not aligned, or there's no memory for a table.
 */
bool pgtable_map(struct pgtable *pt, u64 va, hpa_t pa, u64 size, enum pgtable_perm perm) MUST_CHECK;

/*
 * Takes away [va, va + size) of what pgtable_map made: whole blocks and pages, each mapped. The
 * tables stay, so that mapping the same again needs no memory. TLB maintenance is the caller's.
 * False, with part of it gone: something there isn't mapped, or reaches beyond the range.
 */
bool pgtable_unmap(struct pgtable *pt, u64 va, u64 size) MUST_CHECK;

/* What a walk for `va` finds. */
struct pgtable_leaf {
    hpa_t pa;  /* that va translates to */
    u64 size;  /* of the block or page that holds it */
    u64 entry; /* the descriptor */
    u32 level; /* it was found at */
    u8 perm;   /* enum pgtable_perm */
};

/* False: nothing is mapped at va. */
bool pgtable_lookup(const struct pgtable *pt, u64 va, struct pgtable_leaf *out) MUST_CHECK;

#endif
#endif
