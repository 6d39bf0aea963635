/* SPDX-License-Identifier: MIT */
/*
 * The first CPU's way to core/main.c. boot_tables runs with the MMU off (this file, start.c and
 * pgtable.c are compiled without unaligned accesses for it) and maps the image with its final
 * rights, and the tree; all later mappings only fill what is empty, so the table stays the same for
 * good and break-before-make is never needed. Device windows come through boot_map_device, RAM in
 * boot_finish.
 */
#include "arch/arm-common/boot.h"

#include "arch/arm-common/pgtable.h"
#include "arch/arm-common/clock.h"
#include "arch/arm-common/gic.h"
#include "arch/arm-common/irqs.h"
#include "arch/arm-common/its.h"
#include "arch/arm-common/smmuv3.h"
#include "arch/arm-common/stage2.h"
#include "arch/arm-common/start.h"
#include "core/arch.h"
#include "core/log.h"
#include "core/main.h"
#include "core/page.h"
#include "core/panic.h"
#include "core/sched.h"
#include "sysreg.h"

#include <string.h>

#define POOL_PAGES 24
#define HOLES      3 /* in the map of RAM, besides those of the tree */
#define GUARD      PAGE_SIZE
#define DTB_MAX    (2 * MIB)

/* link.ld.S */
extern const char _start[], __text_end[], __rodata_end[], __bss[], __image_end[];
extern const char boot_stack_guard[], boot_stack_top[];

static u8 pool[POOL_PAGES][PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
static u32 pool_used;
static struct range more; /* for when the pool is used up */
static struct pgtable el2;
static struct range tree;
static u32 entry_el;

/* Page-table memory until RAM is mapped; concatenated roots aren't needed at stage 1. */
static void *pool_alloc(u64 size)
{
    if (size != PAGE_SIZE) {
        return NULL;
    }
    if (pool_used == POOL_PAGES && more.size != 0) {
        more.size -= PAGE_SIZE;
        return (void *)(uintptr_t)(more.base + more.size);
    }
    return pool_used < POOL_PAGES ? pool[pool_used++] : NULL;
}

static bool map_own(const char *from, const char *to, enum pgtable_perm perm)
{
    u64 start = (u64)(uintptr_t)from;

    return pgtable_map(&el2, start, start, (u64)(uintptr_t)to - start, perm);
}

static bool map_image(void)
{
    return map_own(_start, __text_end, PGTABLE_RX) &&
           map_own(__text_end, __rodata_end, PGTABLE_RO) &&
           map_own(__rodata_end, boot_stack_guard, PGTABLE_RW) &&
           map_own(boot_stack_guard + GUARD, __image_end, PGTABLE_RW);
}

/* The tree's size, if it looks like one; read with the MMU off, so in aligned words. */
static u64 tree_size(u64 dtb)
{
    const u32 *header = (const u32 *)(uintptr_t)dtb;
    u64 size;

    if (dtb == 0 || (dtb & 3) != 0 || header[0] != 0xedfe0dd0) {
        return 0;
    }
    size = __builtin_bswap32(header[1]);
    return size <= DTB_MAX ? size : 0;
}

/* From head.S: the root of a table for the MMU of the level we're at. */
uintptr_t boot_tables(uintptr_t dtb)
{
    bool ok;

    entry_el = start_level();
    ok = pgtable_create(&el2, PGTABLE_EL2, start_va_bits(), pool_alloc) && map_image();
    tree.base = ALIGN_DOWN(dtb, (u64)PAGE_SIZE);
    tree.size = tree_size(dtb);
    if (tree.size != 0) {
        tree.size = ALIGN_UP(dtb + tree.size, (u64)PAGE_SIZE) - tree.base;
        ok = ok && pgtable_map(&el2, tree.base, tree.base, tree.size, PGTABLE_RW);
    }
    while (!ok) { /* can't be: the pool is large enough; there's no UART yet to say so */
        cpu_relax();
    }
    return start_table((uintptr_t)el2.root, (uintptr_t)tree.base, tree.size);
}

void boot_main(uintptr_t dtb)
{
    cpu_features_read();
    if (entry_el == 2) {
        start_pcpu(&pcpus[0]);
        cpu_set_stack(0, (u64)(uintptr_t)boot_stack_top);
    }
    muntin_main(tree.size == 0 ? NULL : (const void *)(uintptr_t)dtb, cpu_affinity());
}

u64 boot_reach(void)
{
    return BIT64(start_va_bits());
}

u32 boot_el(void)
{
    return entry_el;
}

u64 image_base(void)
{
    return (u64)(uintptr_t)_start;
}

u64 image_linked_size(void)
{
    return (u64)(__image_end - _start);
}

u64 image_size(void)
{
    return MAX((u64)header_size, image_linked_size());
}

bool boot_map_device(hpa_t base, u64 size)
{
    hpa_t p = ALIGN_DOWN(base, (hpa_t)PAGE_SIZE);
    bool ok = true;

    while (ok && p < base + size) {
        struct pgtable_leaf leaf;

        if ((p & (2 * MIB - 1)) == 0 && base + size - p >= 2 * MIB &&
            pgtable_map(&el2, p, p, 2 * MIB, PGTABLE_DEVICE)) {
            p += 2 * MIB;
            continue;
        }
        /* page by page: two devices may share one */
        if (pgtable_lookup(&el2, p, &leaf)) {
            ok = leaf.perm == PGTABLE_DEVICE;
        } else {
            ok = pgtable_map(&el2, p, p, PAGE_SIZE, PGTABLE_DEVICE);
        }
        p += PAGE_SIZE;
    }
    dsb_ishst(); /* the entries, before the first access that walks them */
    isb();
    return ok;
}

bool boot_map_memory(hpa_t base, u64 size)
{
    bool ok = true;

    for (hpa_t p = base; ok && p < base + size; p += PAGE_SIZE) {
        struct pgtable_leaf leaf;

        if (pgtable_lookup(&el2, p, &leaf)) {
            ok = leaf.perm == PGTABLE_RW;
        } else {
            ok = pgtable_map(&el2, p, p, PAGE_SIZE, PGTABLE_RW);
        }
    }
    dsb_ishst();
    isb();
    return ok;
}

/* Maps [base, base + size) as data, but for the holes, which are sorted and don't overlap. */
static bool map_ram(hpa_t base, u64 size, const struct range *hole, u32 holes)
{
    hpa_t end = base + size;

    for (u32 i = 0; i < holes; i++) {
        hpa_t hole_end = hole[i].base + hole[i].size;

        if (hole[i].size == 0 || !range_overlap(base, end - base, hole[i].base, hole[i].size)) {
            continue;
        }
        if (hole[i].base > base &&
            !pgtable_map(&el2, base, base, hole[i].base - base, PGTABLE_RW)) {
            return false;
        }
        base = MIN(hole_end, end);
    }
    return base == end || pgtable_map(&el2, base, base, end - base, PGTABLE_RW);
}

static void sort_holes(struct range *hole, u32 holes)
{
    for (u32 i = 1; i < holes; i++) {
        for (u32 j = i; j > 0 && hole[j - 1].base > hole[j].base; j--) {
            struct range r = hole[j];

            hole[j] = hole[j - 1];
            hole[j - 1] = r;
        }
    }
}

/* Each other CPU's stack, with an unmapped page below it. */
static bool map_stacks(hpa_t base)
{
    for (u32 i = 1; i < pcpu_count; i++) {
        hpa_t bottom = base + (i - 1) * (GUARD + STACK_SIZE) + GUARD;

        if (!pgtable_map(&el2, bottom, bottom, STACK_SIZE, PGTABLE_RW)) {
            return false;
        }
        cpu_set_stack(i, bottom + STACK_SIZE);
    }
    return true;
}

/* The words that CPUs without PSCI look at: in RAM or not, most often in what is reserved. */
static void map_releases(const struct board *b)
{
    for (u32 i = 1; i < pcpu_count; i++) {
        u64 at = b->cpu_release[i];
        bool flags = at == b->cpu_flags;

        if (at != 0 && at % sizeof(at) == 0 &&
            (flags ? boot_map_device(at, sizeof(at))
                   : boot_map_memory(ALIGN_DOWN(at, (u64)PAGE_SIZE), PAGE_SIZE))) {
            cpu_set_release(i, at, flags);
        }
    }
}

static bool map_gic(const struct board *b)
{
    bool ok = boot_map_device(b->gicd.base, b->gicd.size) &&
              boot_map_device(b->gicc.base, b->gicc.size) &&
              boot_map_device(b->gich.base, b->gich.size);

    for (u32 i = 0; i < b->ngicr; i++) {
        ok = ok && boot_map_device(b->gicr[i].base, b->gicr[i].size);
    }
    return ok;
}

/*
 * Maps the board's RAM, but for what is mapped already, the stacks with their guards, and what the
 * tree says "no-map" of: that may be another world's, and an access ahead of time an error. Each
 * hole that isn't of whole blocks takes up to two tables, which have to be mapped before they are.
 */
static bool map_memory(const struct board *b, struct range stacks)
{
    struct range hole[HOLES + BOARD_RANGES] = {
        {image_base(), image_linked_size()}, tree, {stacks.base, stacks.size + more.size}};
    u32 holes = HOLES + b->nnomap;

    if (more.size != 0) {
        more.base = stacks.base + stacks.size;
        if (!pgtable_map(&el2, more.base, more.base, more.size, PGTABLE_RW)) {
            return false;
        }
        memset((void *)(uintptr_t)more.base, 0, (size_t)more.size);
    }
    memcpy(&hole[HOLES], b->nomap, b->nnomap * sizeof(hole[0]));
    sort_holes(hole, holes);
    for (u32 i = 0; i < b->nram; i++) {
        if (!map_ram(b->ram[i].base, b->ram[i].size, hole, holes)) {
            log_err("the board's device tree has 0x%llx bytes of memory at 0x%llx, but a device "
                    "there, too",
                    (unsigned long long)b->ram[i].size, (unsigned long long)b->ram[i].base);
            return false;
        }
    }
    return true;
}

bool boot_finish(const struct board *b)
{
    struct range stacks = {0, (u64)(pcpu_count - 1) * (GUARD + STACK_SIZE)};

    more.size = 2 * b->nnomap * (u64)PAGE_SIZE;
    if (stacks.size + more.size != 0) {
        stacks.base = page_alloc_raw(stacks.size + more.size);
        if (stacks.base == 0) {
            panic("no memory for stacks");
        }
    }
    if (!map_memory(b, stacks)) {
        return false;
    }
    if (!map_stacks(stacks.base)) {
        panic("no memory for stacks");
    }
    dsb_ishst();
    isb();
    el2.alloc = page_alloc;
    map_releases(b);
    start_wxn();
    stage2_init();
    if (!clock_init()) {
        return false;
    }
    host_irqs.vtimer = b->timer_intid[2];
    host_irqs.hyp = b->timer_intid[3];
    host_irqs.uart = b->uart_intid;
    host_irqs.smmu = b->smmu.intid;
    if (!map_gic(b)) {
        log_err("the board's device tree has the GIC out of reach, or where it has memory");
        return false;
    }
    if (!gic_init(b)) {
        return false;
    }
    its_init(b);
    smmu_init(b);
    start_guests();
    if (!cpu_init()) {
        return false;
    }
    if (!gic_delivers()) {
        log_warn("the GIC's list registers interrupt nobody: a VM hangs as soon as it waits for "
                 "an interrupt");
    }
    return true;
}
