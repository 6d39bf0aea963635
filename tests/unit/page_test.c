/* SPDX-License-Identifier: MIT */
/* The page allocator: what it hands out, what it takes out, what it says when it's short. */
#include "core/page.h"

#include "tests/host/said.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define MEMORY (4 * MIB)

static _Alignas(2 * MIB) u8 memory[MEMORY];

static hpa_t at(u64 offset)
{
    return (hpa_t)(uintptr_t)memory + offset;
}

/* Nothing is ever given back, so each test begins by reserving what there is. */
static int setup(void **state)
{
    (void)state;
    page_reserve(0, ALIGN_DOWN(UINT64_MAX, (u64)PAGE_SIZE));
    assert_int_equal(page_free(), 0);
    said_log();
    memset(memory, 0x55, sizeof(memory));
    return 0;
}

static void test_alloc(void **state)
{
    u64 taken = page_taken();
    u8 *p, *q;

    (void)state;
    assert_null(page_alloc(1));
    page_add(at(0), MIB);
    p = page_alloc(1);
    q = page_alloc(PAGE_SIZE + 1);
    assert_ptr_equal(p, memory);
    assert_ptr_equal(q, memory + PAGE_SIZE);
    for (u32 i = 0; i < 3 * PAGE_SIZE; i++) {
        assert_int_equal(memory[i], 0);
    }
    assert_int_equal(memory[3 * PAGE_SIZE], 0x55);
    assert_int_equal(page_taken() - taken, 3 * PAGE_SIZE);
    assert_int_equal(page_free(), MIB - 3 * PAGE_SIZE);
    assert_null(page_alloc(MIB));
    assert_non_null(page_alloc(MIB - 3 * PAGE_SIZE));
    assert_int_equal(page_free(), 0);
}

static void test_aligned(void **state)
{
    u64 taken = page_taken();

    (void)state;
    page_add(at(PAGE_SIZE), 2 * MIB);
    assert_ptr_equal(page_alloc_aligned(PAGE_SIZE + 1, 64 * KIB), memory + 64 * KIB);
    assert_int_equal(memory[64 * KIB + 2 * PAGE_SIZE - 1], 0);
    assert_int_equal(memory[64 * KIB + 2 * PAGE_SIZE], 0x55);
    assert_int_equal(page_taken() - taken, 2 * PAGE_SIZE);
    assert_ptr_equal(page_alloc(1), memory + PAGE_SIZE); /* what lies before it isn't lost */
    assert_null(page_alloc_aligned(MIB, 2 * MIB));
}

/* A part of Muntin that is not mapped yet, so that it's not zeroed, counts as the others do. */
static void test_raw(void **state)
{
    u64 taken = page_taken();

    (void)state;
    assert_int_equal(page_alloc_raw(1), 0);
    page_add(at(0), MIB);
    page_add(at(2 * MIB), 2 * PAGE_SIZE);
    assert_int_equal(page_alloc_raw(PAGE_SIZE + 1), at(0)); /* the lowest, as page_alloc */
    assert_int_equal(memory[0], 0x55);
    assert_int_equal(page_taken() - taken, 2 * PAGE_SIZE);
    assert_int_equal(page_free(), MIB);
}

static void test_guest(void **state)
{
    u64 taken = page_taken();
    hpa_t a = 0;

    (void)state;
    page_add(at(PAGE_SIZE), MEMORY - PAGE_SIZE);
    assert_int_equal(page_largest(2 * MIB), 2 * MIB);
    assert_true(page_alloc_guest(2 * MIB, 2 * MIB, &a));
    assert_int_equal(a, at(2 * MIB));
    assert_false(page_alloc_guest(2 * MIB, 2 * MIB, &a));
    assert_int_equal(page_free(), 2 * MIB - PAGE_SIZE);
    assert_int_equal(page_largest(2 * MIB), 0);
    assert_int_equal(memory[2 * MIB], 0x55); /* not zeroed, nor counted */
    assert_int_equal(page_taken(), taken);
}

/* The smallest piece that is large enough: large ones stay whole. */
static void test_best_fit(void **state)
{
    hpa_t a;

    (void)state;
    page_add(at(0), 2 * MIB);
    page_add(at(3 * MIB), 512 * KIB);
    assert_true(page_alloc_guest(256 * KIB, PAGE_SIZE, &a));
    assert_int_equal(a, at(3 * MIB));
    assert_true(page_alloc_guest(512 * KIB, PAGE_SIZE, &a));
    assert_int_equal(a, at(0));
}

static void test_reserve(void **state)
{
    hpa_t a;

    (void)state;
    page_add(at(0), MIB);
    page_add(at(0), MIB); /* listed twice */
    assert_int_equal(page_free(), MIB);
    page_reserve(at(PAGE_SIZE + 1), 1); /* parts of a page are all of it */
    page_reserve(at(8 * PAGE_SIZE - 1), 2);
    page_reserve(at(MIB - 1), 5 * PAGE_SIZE);
    page_reserve(at(2 * MIB), PAGE_SIZE);
    page_reserve(at(16 * PAGE_SIZE), 0);
    assert_int_equal(page_free(), MIB - 4 * PAGE_SIZE);
    assert_true(page_alloc_guest(PAGE_SIZE, PAGE_SIZE, &a));
    assert_int_equal(a, at(0));
    assert_true(page_alloc_guest(6 * PAGE_SIZE, PAGE_SIZE, &a));
    assert_int_equal(a, at(9 * PAGE_SIZE)); /* between the others there are but 5 */
}

/* Address 0 is nobody's: boards whose RAM begins there lose a page. */
static void test_page_zero(void **state)
{
    hpa_t a;

    (void)state;
    page_add(0, 16 * PAGE_SIZE);
    assert_int_equal(page_free(), 15 * PAGE_SIZE);
    assert_true(page_alloc_guest(15 * PAGE_SIZE, PAGE_SIZE, &a));
    assert_int_equal(a, PAGE_SIZE);
}

/* The table is full in the middle of an allocation: said, and with no lock held (host locks check).
 */
static void test_fragmented(void **state)
{
    hpa_t a;

    (void)state;
    page_add(at(0), MEMORY);
    for (u32 i = 0; i < 63; i++) {
        page_reserve(at(8 * PAGE_SIZE * (i + 1)), PAGE_SIZE);
    }
    assert_string_equal(said, "");
    /* the last and largest piece would be cut in two */
    assert_true(page_alloc_guest(MIB, MIB, &a));
    assert_non_null(strstr(said, "memory map too fragmented"));
    assert_int_equal(a, at(2 * MIB));
}

#define T(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_alloc),   T(test_raw),       T(test_guest),      T(test_best_fit),
        T(test_reserve), T(test_page_zero), T(test_fragmented), T(test_aligned),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
