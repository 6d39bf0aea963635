/* SPDX-License-Identifier: MIT */
/*
 * The guest's stage 1: an identity map of 512 GiB (on arm, of 4 GiB), RAM as normal write-back and
 * executable, everything else as device memory.
 */
#ifndef TESTS_GUESTS_LIB_MMU_H
#define TESTS_GUESTS_LIB_MMU_H

#include <stdint.h>

/* Fills the tables from struct platform; MMU off. */
void mmu_build(void);

enum mmu_attr { MMU_NORMAL, MMU_NORMAL_NC, MMU_DEVICE };

/* Remaps the 2 MiB around addr (below 4 GiB) for all CPUs; executable at EL1. */
void mmu_set(uint64_t addr, enum mmu_attr attr);

/*
 * Makes table the next level for the addresses from gib GiB on, which have no RAM; 0: it's as
 * before. gib < MMU_ROOT_ENTRIES.
 */
void mmu_set_table(uint64_t gib, uint64_t table);

#endif
