/* SPDX-License-Identifier: MIT */
/*
 * See mmu.h; mmu_enable in start.S loads the tables and fixes the meaning of the attribute
 * indexes.  1 GiB blocks, and 2 MiB blocks below 4 GiB.
 */
#include "tests/guests/lib/mmu.h"

#include "tests/guests/lib/atomic.h"
#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/sysreg.h"

enum { ENTRIES = 512, LOW_GIB = 4, GIB_SHIFT = 30, BLOCK_SHIFT = 21 };
enum {
    DESC_BLOCK = 1,
    DESC_TABLE = 3,
    DESC_INNER_SHAREABLE = 3 << 8,
    DESC_ACCESSED = 1 << 10,
};
#define DESC_XN (3ull << 53)

uint64_t mmu_root[ENTRIES] __attribute__((aligned(4096)));
static uint64_t low[LOW_GIB][ENTRIES] __attribute__((aligned(4096)));

static uint64_t block(uint64_t addr, enum mmu_attr attr)
{
    return addr | DESC_BLOCK | DESC_ACCESSED | DESC_INNER_SHAREABLE | (uint64_t)attr << 2;
}

static uint64_t block_for(uint64_t addr, uint64_t size)
{
    return platform_is_ram(addr, size) ? block(addr, MMU_NORMAL)
                                       : block(addr, MMU_DEVICE) | DESC_XN;
}

void mmu_build(void)
{
    for (uint64_t i = 0; i < ENTRIES; i++) {
        mmu_root[i] = block_for(i << GIB_SHIFT, 1ull << GIB_SHIFT);
    }
    for (uint64_t i = 0; i < LOW_GIB; i++) {
        for (uint64_t j = 0; j < ENTRIES; j++) {
            low[i][j] = block_for(i << GIB_SHIFT | j << BLOCK_SHIFT, 1ull << BLOCK_SHIFT);
        }
        mmu_root[i] = (uint64_t)low[i] | DESC_TABLE;
    }
}

/* Break before make. */
static void replace(uint64_t *entry, uint64_t value)
{
    atomic_store(entry, 0);
    tlb_flush_all();
    atomic_store(entry, value);
    __asm__ volatile("dsb ishst\n\tisb" : : : "memory");
}

void mmu_set(uint64_t addr, enum mmu_attr attr)
{
    uint64_t base = addr >> BLOCK_SHIFT << BLOCK_SHIFT;

    replace(&low[addr >> GIB_SHIFT][addr >> BLOCK_SHIFT & (ENTRIES - 1)], block(base, attr));
}

void mmu_set_table(uint64_t gib, uint64_t table)
{
    uint64_t addr = gib << GIB_SHIFT;

    if (!table && gib < LOW_GIB) {
        table = (uint64_t)low[gib];
    }
    replace(&mmu_root[gib], table ? table | DESC_TABLE : block_for(addr, 1ull << GIB_SHIFT));
}
