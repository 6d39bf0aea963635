/* SPDX-License-Identifier: MIT */
/*
 * Translation tables: built with the real functions, then walked by a second walker, written from
 * the architecture's tables, so that a wrong bit can't hide in both. The host's pointers are the
 * physical addresses of tables.
 */
#include "arch/arm-common/pgtable.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PAGES 64

static char *pool;
static u32 pool_used, pool_limit;

/* Pages are handed out so that none is aligned to more than a page. */
static void *pool_alloc(u64 size)
{
    u32 pages = (u32)(size / PAGE_SIZE);
    char *p = pool + PAGE_SIZE * (1 + pool_used);

    assert_int_equal(size % PAGE_SIZE, 0);
    if (pool_used + pages > pool_limit) {
        return NULL;
    }
    pool_used += pages;
    memset(p, 0, (size_t)size);
    return p;
}

static int setup(void **state)
{
    (void)state;
    pool = aligned_alloc(16 * PAGE_SIZE, 96 * PAGE_SIZE);
    pool_used = 0;
    pool_limit = PAGES;
    return pool == NULL;
}

static int teardown(void **state)
{
    (void)state;
    free(pool);
    return 0;
}

/* --- the second walker: Arm ARM D8.2, 4 KiB granule --- */

struct walk {
    u64 entry, pa;
    u32 level;
};

static bool walk(const struct pgtable *pt, u32 level, u64 va, struct walk *w)
{
    static const u32 shift[] = {39, 30, 21, 12};
    const u64 *table = pt->root;
    u64 index = va >> shift[level]; /* of the first table: all upper bits, concatenated or not */

    for (;; level++) {
        u64 entry = table[index];

        if ((entry & 1) == 0) {
            return false;
        }
        if (level == 3 || (entry & 2) == 0) {
            u64 mask = (1ull << shift[level]) - 1;

            assert_true(level > 0);
            assert_true(level < 3 || (entry & 2) != 0);
            assert_int_equal(entry & 0xfffffffff000 & mask, 0);
            *w = (struct walk){entry, (entry & 0xfffffffff000 & ~mask) | (va & mask), level};
            return true;
        }
        table = (const u64 *)(uintptr_t)(entry & 0xfffffffff000);
        index = (va >> shift[level + 1]) & 511;
    }
}

static void check(const struct pgtable *pt, u64 va, u64 pa, u32 level, u32 perm)
{
    struct walk w;
    struct pgtable_leaf leaf;

    assert_true(walk(pt, pt->level, va, &w));
    assert_int_equal(w.pa, pa);
    assert_int_equal(w.level, level);
    assert_true(pgtable_lookup(pt, va, &leaf));
    assert_int_equal(leaf.pa, pa);
    assert_int_equal(leaf.level, level);
    assert_int_equal(leaf.entry, w.entry);
    assert_int_equal(leaf.perm, perm);
    assert_int_equal(leaf.size, 1ull << (12 + 9 * (3 - level)));
}

static void check_hole(const struct pgtable *pt, u64 va)
{
    struct walk w;
    struct pgtable_leaf leaf;

    assert_false(walk(pt, pt->level, va, &w));
    assert_false(pgtable_lookup(pt, va, &leaf));
}

static struct pgtable make(enum pgtable_stage stage, u32 bits)
{
    struct pgtable pt;

    assert_true(pgtable_create(&pt, stage, bits, pool_alloc));
    return pt;
}

/* --- roots --- */

static void test_roots(void **state)
{
    static const struct {
        u8 stage, bits, level;
        u32 pages;
    } cases[] = {
        {PGTABLE_EL2, 32, 1, 1},    {PGTABLE_EL2, 39, 1, 1},    {PGTABLE_EL2, 40, 0, 1},
        {PGTABLE_EL2, 48, 0, 1},    {PGTABLE_STAGE2, 32, 1, 1}, {PGTABLE_STAGE2, 39, 1, 1},
        {PGTABLE_STAGE2, 40, 1, 2}, {PGTABLE_STAGE2, 42, 1, 8}, {PGTABLE_STAGE2, 43, 1, 16},
        {PGTABLE_STAGE2, 44, 0, 1}, {PGTABLE_STAGE2, 48, 0, 1},
    };

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
        struct pgtable pt;
        u64 top;

        pool_used = 0;
        assert_true(pgtable_create(&pt, cases[i].stage, cases[i].bits, pool_alloc));
        assert_int_equal(pt.level, cases[i].level);
        assert_int_equal((uintptr_t)pt.root % (cases[i].pages * PAGE_SIZE), 0);
        /* the last page that can be mapped, and the one behind it */
        top = (1ull << cases[i].bits) - PAGE_SIZE;
        assert_true(pgtable_map(&pt, top, 0x5000, PAGE_SIZE, PGTABLE_RX));
        check(&pt, top, 0x5000, 3, PGTABLE_RX);
        assert_in_range((uintptr_t)pt.root, (uintptr_t)pool, (uintptr_t)(pool + 80 * PAGE_SIZE));
        assert_false(pgtable_map(&pt, top + PAGE_SIZE, 0x5000, PAGE_SIZE, PGTABLE_RX));
        assert_false(pgtable_map(&pt, top - PAGE_SIZE, 0x5000, 4 * PAGE_SIZE, PGTABLE_RX));
    }
    assert_false(pgtable_create(&(struct pgtable){0}, PGTABLE_STAGE2, 31, pool_alloc));
    assert_false(pgtable_create(&(struct pgtable){0}, PGTABLE_STAGE2, 49, pool_alloc));
}

static void test_at(void **state)
{
    struct pgtable pt = make(PGTABLE_STAGE2, 40), again;

    (void)state;
    assert_true(pgtable_map(&pt, 0x40000000, 0x80000000, GIB, PGTABLE_RWX));
    again = pgtable_at((uintptr_t)pt.root, PGTABLE_STAGE2, 40, pool_alloc);
    check(&again, 0x40000000, 0x80000000, 1, PGTABLE_RWX);
    assert_true(pgtable_map(&again, 0, 0, PAGE_SIZE, PGTABLE_DEVICE));
    check(&pt, 0, 0, 3, PGTABLE_DEVICE);
}

/* --- block sizes --- */

static void test_largest_blocks(void **state)
{
    struct pgtable pt = make(PGTABLE_STAGE2, 40);
    u64 base = 0x40000000 - PAGE_SIZE - 2 * MIB;

    (void)state;
    /* one page, 2 MiB, 2 GiB, 2 MiB, one page: VA and PA alike modulo 1 GiB */
    assert_true(
        pgtable_map(&pt, base, base + 8 * GIB, 2 * PAGE_SIZE + 4 * MIB + 2 * GIB, PGTABLE_RWX));
    check(&pt, base, base + 8 * GIB, 3, PGTABLE_RWX);
    check(&pt, base + PAGE_SIZE, base + PAGE_SIZE + 8 * GIB, 2, PGTABLE_RWX);
    check(&pt, 0x40000000 - 1, 0x40000000 - 1 + 8 * GIB, 2, PGTABLE_RWX);
    check(&pt, 0x40000000, 9 * GIB, 1, PGTABLE_RWX);
    check(&pt, 0xbfffffff, 10 * GIB + 0x3fffffff, 1, PGTABLE_RWX);
    check(&pt, 0xc0000000, 11 * GIB, 2, PGTABLE_RWX);
    check(&pt, 0xc0200fff, 11 * GIB + 0x200fff, 3, PGTABLE_RWX);
    check_hole(&pt, 0xc0201000);
    check_hole(&pt, base - 1);
    /* root (2 + 1 to align), and for either end a level 2 and a level 3 table */
    assert_int_equal(pool_used, 3 + 4);
}

/* The physical address limits the block as much as the virtual one. */
static void test_alignment_of_both(void **state)
{
    struct pgtable pt = make(PGTABLE_STAGE2, 40);

    (void)state;
    assert_true(pgtable_map(&pt, 0x40000000, 0x80200000, 4 * MIB, PGTABLE_RWX));
    check(&pt, 0x40000000, 0x80200000, 2, PGTABLE_RWX);
    assert_true(pgtable_map(&pt, 0x80000000, 0x80001000, 2 * MIB, PGTABLE_RWX));
    check(&pt, 0x80000000, 0x80001000, 3, PGTABLE_RWX);
    check(&pt, 0x801ff123, 0x80200123, 3, PGTABLE_RWX);
    check_hole(&pt, 0x80200000);
}

static void test_level_0_holds_no_block(void **state)
{
    struct pgtable pt = make(PGTABLE_EL2, 48);

    (void)state;
    assert_true(pgtable_map(&pt, 0, 0, 1024 * GIB, PGTABLE_RW));
    check(&pt, 0, 0, 1, PGTABLE_RW);
    check(&pt, 1024 * GIB - 1, 1024 * GIB - 1, 1, PGTABLE_RW);
    check_hole(&pt, 1024 * GIB);
    assert_int_equal(pool_used, 3);
}

/* --- refusals --- */

static void test_no_remap(void **state)
{
    struct pgtable pt = make(PGTABLE_STAGE2, 40);

    (void)state;
    assert_true(pgtable_map(&pt, 0x40000000, 0x40000000, GIB, PGTABLE_RWX));
    assert_false(pgtable_map(&pt, 0x40000000, 0x40000000, GIB, PGTABLE_RWX));
    assert_false(pgtable_map(&pt, 0x40200000, 0, PAGE_SIZE, PGTABLE_RWX));
    assert_true(pgtable_map(&pt, 0x80001000, 0x1000, PAGE_SIZE, PGTABLE_RX));
    /* neither a block over a table with a page in it, nor a range that runs into the page */
    assert_false(pgtable_map(&pt, 0x80000000, 0, 2 * MIB, PGTABLE_RWX));
    check(&pt, 0x80001000, 0x1000, 3, PGTABLE_RX);
    check(&pt, 0x40200000, 0x40200000, 1, PGTABLE_RWX);
}

static void test_bad_arguments(void **state)
{
    struct pgtable pt = make(PGTABLE_STAGE2, 40);

    (void)state;
    assert_false(pgtable_map(&pt, 0x800, 0, PAGE_SIZE, PGTABLE_RWX));
    assert_false(pgtable_map(&pt, 0, 0x800, PAGE_SIZE, PGTABLE_RWX));
    assert_false(pgtable_map(&pt, 0, 0, 0x800, PGTABLE_RWX));
    assert_false(pgtable_map(&pt, 0, 1ull << 48, PAGE_SIZE, PGTABLE_RWX));
    assert_false(pgtable_map(&pt, 0, (1ull << 48) - PAGE_SIZE, 2 * PAGE_SIZE, PGTABLE_RWX));
    assert_false(pgtable_map(&pt, UINT64_MAX - PAGE_SIZE + 1, 0, 2 * PAGE_SIZE, PGTABLE_RWX));
    assert_false(pgtable_map(&pt, 0, 0, PAGE_SIZE, PGTABLE_NONE));
    check_hole(&pt, 0);
    assert_false(pgtable_lookup(&pt, 1ull << 40, &(struct pgtable_leaf){0}));
    /* EL2 has no memory that is writable and executable */
    pt = make(PGTABLE_EL2, 39);
    assert_false(pgtable_map(&pt, 0, 0, PAGE_SIZE, PGTABLE_RWX));
    assert_true(pgtable_map(&pt, 0, 0, PAGE_SIZE, PGTABLE_RW));
}

static void test_out_of_memory(void **state)
{
    struct pgtable pt;

    (void)state;
    pool_limit = 2;
    assert_false(pgtable_create(&pt, PGTABLE_STAGE2, 40, pool_alloc));
    pool_limit = 4;
    assert_true(pgtable_create(&pt, PGTABLE_STAGE2, 40, pool_alloc));
    assert_false(pgtable_map(&pt, 0x1000, 0x1000, PAGE_SIZE, PGTABLE_RWX));
    check_hole(&pt, 0x1000);
    assert_true(pgtable_map(&pt, 0x40000000, 0, GIB, PGTABLE_RWX)); /* needs no table */
    check(&pt, 0x40000000, 0, 1, PGTABLE_RWX);
}

/* --- taking away --- */

/* Shared memory that comes and goes: the tables stay, so that coming back needs no memory. */
static void test_unmap(void **state)
{
    struct pgtable pt = make(PGTABLE_STAGE2, 40);
    u64 va = 0x10000000 - 3 * PAGE_SIZE, size = 3 * PAGE_SIZE + 4 * MIB + 5 * PAGE_SIZE;
    u32 used = 0;

    (void)state;
    assert_true(pgtable_map(&pt, va - PAGE_SIZE, 0x1000, PAGE_SIZE, PGTABLE_RW));
    assert_true(pgtable_map(&pt, va + size, 0x2000, PAGE_SIZE, PGTABLE_RW));
    for (u32 i = 0; i < 3; i++) {
        assert_true(pgtable_map(&pt, va, va + GIB, size, PGTABLE_RW));
        used = i == 0 ? pool_used : used;
        assert_int_equal(pool_used, used);
        check(&pt, va, va + GIB, 3, PGTABLE_RW);
        check(&pt, 0x10000000, 0x10000000 + GIB, 2, PGTABLE_RW);
        check(&pt, 0x10200000, 0x10200000 + GIB, 2, PGTABLE_RW);
        check(&pt, va + size - 1, va + size - 1 + GIB, 3, PGTABLE_RW);
        assert_true(pgtable_unmap(&pt, va, size));
        for (u64 off = 0; off < size; off += PAGE_SIZE) {
            check_hole(&pt, va + off);
        }
        check(&pt, va - PAGE_SIZE, 0x1000, 3, PGTABLE_RW);
        check(&pt, va + size, 0x2000, 3, PGTABLE_RW);
    }
    pool_limit = pool_used;
    assert_true(pgtable_map(&pt, va, va + GIB, size, PGTABLE_RW));
}

/* More than a table holds, at each of the levels that have blocks. */
static void test_unmap_across_tables(void **state)
{
    struct pgtable pt = make(PGTABLE_STAGE2, 40);

    (void)state;
    assert_true(pgtable_map(&pt, 0x3ff000, 0x3ff000, 2 * MIB - PAGE_SIZE, PGTABLE_RW));
    assert_true(pgtable_unmap(&pt, 0x3ff000, 2 * MIB - PAGE_SIZE));
    assert_true(pgtable_map(&pt, GIB - 2 * MIB, 4 * MIB, 6 * MIB, PGTABLE_RW));
    assert_true(pgtable_unmap(&pt, GIB - 2 * MIB, 6 * MIB));
    check_hole(&pt, GIB);
    assert_true(pgtable_map(&pt, 4 * GIB, 4 * GIB, 2 * GIB, PGTABLE_RW));
    assert_true(pgtable_unmap(&pt, 4 * GIB, 2 * GIB));
    check_hole(&pt, 5 * GIB);
}

static void test_unmap_only_what_is_there(void **state)
{
    struct pgtable pt = make(PGTABLE_STAGE2, 40);

    (void)state;
    assert_true(pgtable_map(&pt, 0x400000, 0, 2 * MIB, PGTABLE_RW));
    assert_true(pgtable_map(&pt, 0x600000, 0x200000, PAGE_SIZE, PGTABLE_RW));
    assert_false(pgtable_unmap(&pt, 0x401000, PAGE_SIZE)); /* part of a block */
    assert_false(pgtable_unmap(&pt, 0x400000, MIB));
    check(&pt, 0x400000, 0, 2, PGTABLE_RW);
    assert_false(pgtable_unmap(&pt, 0x800000, PAGE_SIZE));
    assert_false(pgtable_unmap(&pt, 0x600000, 2 * PAGE_SIZE)); /* beyond its end */
    check_hole(&pt, 0x600000);
    assert_false(pgtable_unmap(&pt, 0x400800, PAGE_SIZE));
    assert_false(pgtable_unmap(&pt, 1ull << 40, PAGE_SIZE));
    check(&pt, 0x400000, 0, 2, PGTABLE_RW);
}

/* --- descriptor bits, against the architecture's tables --- */

static u64 bits_of(enum pgtable_stage stage, enum pgtable_perm perm, u64 size)
{
    struct pgtable pt = make(stage, 39);
    struct walk w;

    assert_true(pgtable_map(&pt, 0, 0, size, perm));
    assert_true(walk(&pt, 1, 0, &w));
    return w.entry;
}

static void test_stage1_bits(void **state)
{
    enum { AF = 1 << 10, ISH = 3 << 8, RO = 1 << 7, RES1 = 1 << 6, NORMAL = 1 << 2, PAGE = 3 };
    const u64 xn = 1ull << 54;

    (void)state;
    assert_int_equal(bits_of(PGTABLE_EL2, PGTABLE_RW, PAGE_SIZE),
                     xn | AF | ISH | RES1 | NORMAL | PAGE);
    assert_int_equal(bits_of(PGTABLE_EL2, PGTABLE_RO, PAGE_SIZE),
                     xn | AF | ISH | RO | RES1 | NORMAL | PAGE);
    assert_int_equal(bits_of(PGTABLE_EL2, PGTABLE_RX, PAGE_SIZE),
                     AF | ISH | RO | RES1 | NORMAL | PAGE);
    assert_int_equal(bits_of(PGTABLE_EL2, PGTABLE_DEVICE, PAGE_SIZE), xn | AF | RES1 | PAGE);
    assert_int_equal(bits_of(PGTABLE_EL2, PGTABLE_RX, 2 * MIB), AF | ISH | RO | RES1 | NORMAL | 1);
    /* indices above: attribute 0 is Device-nGnRE, 1 normal write-back */
    assert_int_equal(PGTABLE_MAIR & 0xff, 0x04);
    assert_int_equal(PGTABLE_MAIR >> 8 & 0xff, 0xff);
}

static void test_stage2_bits(void **state)
{
    enum { AF = 1 << 10, ISH = 3 << 8, R = 1 << 6, W = 1 << 7, WB = 15 << 2, FWB = 6 << 2 };
    enum { NGNRE = 1 << 2, BLOCK = 1, PAGE = 3 };
    const u64 xn = 1ull << 54;

    (void)state;
    assert_int_equal(bits_of(PGTABLE_STAGE2, PGTABLE_RWX, GIB), AF | ISH | R | W | WB | BLOCK);
    assert_int_equal(bits_of(PGTABLE_STAGE2, PGTABLE_RX, PAGE_SIZE), AF | ISH | R | WB | PAGE);
    assert_int_equal(bits_of(PGTABLE_STAGE2, PGTABLE_RO, PAGE_SIZE), xn | AF | ISH | R | WB | PAGE);
    assert_int_equal(bits_of(PGTABLE_STAGE2, PGTABLE_DEVICE, PAGE_SIZE),
                     xn | AF | R | W | NGNRE | PAGE);
    assert_int_equal(bits_of(PGTABLE_STAGE2_FWB, PGTABLE_RWX, GIB), AF | ISH | R | W | FWB | BLOCK);
    assert_int_equal(bits_of(PGTABLE_STAGE2_FWB, PGTABLE_DEVICE, PAGE_SIZE),
                     xn | AF | R | W | NGNRE | PAGE);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_roots),
        TEST(test_at),
        TEST(test_largest_blocks),
        TEST(test_alignment_of_both),
        TEST(test_level_0_holds_no_block),
        TEST(test_no_remap),
        TEST(test_bad_arguments),
        TEST(test_out_of_memory),
        TEST(test_unmap),
        TEST(test_unmap_across_tables),
        TEST(test_unmap_only_what_is_there),
        TEST(test_stage1_bits),
        TEST(test_stage2_bits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
