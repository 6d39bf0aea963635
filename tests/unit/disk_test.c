/* SPDX-License-Identifier: MIT */
/* Disks on files and in RAM: whose bytes are read after what. The pages start full of dirt. */
#include "core/page.h"
#include "tests/host/driver.h"
#include "vdev/disk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define PAGES 8u
#define BYTES (PAGES * PAGE_SIZE)
#define DIRT  0xa5

static struct disk d;
static u8 file[BYTES + PAGE_SIZE], expected[BYTES], buf[BYTES];

/* `size` bytes, `ram` of which can be written; on the file or not. */
static void make(u32 size, u32 ram, bool with_file)
{
    host_init();
    for (u32 i = 0; i < sizeof(file); i++) {
        file[i] = i < size ? (u8)(1 + i % 251) : 0x99;
    }
    memset(&d, 0, sizeof(d));
    memset(expected, 0, sizeof(expected));
    if (with_file) {
        memcpy(expected, file, size);
    }
    assert_true(disk_init(&d, size, with_file ? file : NULL, ram));
    if (ram > 0) {
        memset((void *)d.pages, DIRT, (size_t)d.room * PAGE_SIZE);
    }
}

/* The whole disk, piece by piece, is what is expected. */
static void check(void)
{
    for (u64 off = 0; off < d.size; off += disk_piece(off)) {
        u32 len = (u32)MIN((u64)disk_piece(off), d.size - off);

        memset(buf, 0x55, len);
        disk_read(&d, off, (guest_t *)buf, len);
        assert_memory_equal(buf, expected + off, len);
    }
}

static bool write(u32 off, u32 len, u8 seed)
{
    bool ok;

    for (u32 i = 0; i < len; i++) {
        buf[i] = (u8)(seed + i);
    }
    ok = disk_write(&d, off, (const guest_t *)buf, len);
    if (ok) {
        memcpy(expected + off, buf, len);
    }
    check();
    return ok;
}

static bool zero(u32 off, u32 len, bool release)
{
    bool ok = disk_zero(&d, off, len, release);

    if (ok) {
        memset(expected + off, 0, len);
    }
    check();
    return ok;
}

static void readonly_file(void **state)
{
    (void)state;
    make(3 * PAGE_SIZE + 512, 0, true);
    assert_null(d.table); /* nothing can be written */
    check();
}

static void writes_hide_the_file(void **state)
{
    (void)state;
    make(BYTES, BYTES, true);
    assert_non_null(d.table);
    check();
    assert_true(write(512, 512, 3));                /* a part of a page */
    assert_true(write(PAGE_SIZE, PAGE_SIZE, 5));    /* a whole one */
    assert_true(write(PAGE_SIZE + 1024, 1024, 90)); /* over it */
    assert_true(write(BYTES - 512, 512, 7));
    assert_int_equal(d.used, 3);
    assert_int_equal(file[512], 1 + 512 % 251);
}

static void ram_is_zero_at_first(void **state)
{
    (void)state;
    make(BYTES, BYTES, false);
    check();
    assert_true(write(1024, 512, 1)); /* what is around it is not dirt */
}

/* What lies behind the file in the bundle is another's. */
static void last_page_is_not_whole(void **state)
{
    (void)state;
    make(BYTES - 1024, BYTES, true);
    assert_true(write(BYTES - PAGE_SIZE, 512, 9));
    for (u32 i = 0; i < 1024; i++) {
        assert_int_equal(((const u8 *)d.pages)[PAGE_SIZE - 1024 + i], DIRT);
    }
    assert_true(zero(BYTES - PAGE_SIZE, PAGE_SIZE - 1024, true)); /* it counts as whole */
    assert_int_equal(d.freed, 0);
}

static void zeroes_in_place(void **state)
{
    (void)state;
    make(BYTES, BYTES, true);
    assert_true(write(0, PAGE_SIZE, 1));
    assert_true(zero(0, PAGE_SIZE, false)); /* keeps its page */
    assert_int_equal(d.freed, d.room);
    assert_true(zero(PAGE_SIZE, PAGE_SIZE, false)); /* needs none */
    assert_true(zero(512, 512, true));
    assert_int_equal(d.used, 1);
    assert_true(zero(2 * PAGE_SIZE + 512, 512, true)); /* a part of the file: needs one */
    assert_int_equal(d.used, 2);
    assert_true(zero(PAGE_SIZE + 512, 512, true)); /* a part of zeroes */
    assert_int_equal(d.used, 2);
    assert_true(write(PAGE_SIZE + 512, 512, 8));
}

static void zeroes_without_a_file_need_no_ram(void **state)
{
    (void)state;
    make(BYTES, PAGE_SIZE, false);
    assert_true(zero(512, 512, false));
    assert_true(zero(PAGE_SIZE, PAGE_SIZE, true));
    assert_int_equal(d.used, 0);
}

static void full(void **state)
{
    (void)state;
    make(BYTES, 2 * PAGE_SIZE, true);
    assert_true(write(0, 512, 1));
    assert_true(write(3 * PAGE_SIZE, PAGE_SIZE, 2));
    assert_false(write(PAGE_SIZE, 512, 3)); /* nothing is done … */
    assert_false(write(7 * PAGE_SIZE, PAGE_SIZE, 3));
    assert_false(zero(PAGE_SIZE, 512, true));
    assert_int_equal(d.full, 3);
    assert_true(write(512, 1024, 4)); /* … but where there is a page */
    assert_true(zero(PAGE_SIZE, PAGE_SIZE, false));
    assert_true(zero(0, PAGE_SIZE, true));
    assert_true(zero(3 * PAGE_SIZE, PAGE_SIZE, true));
    for (u32 i = 0; i < 2; i++) { /* those given back are used again, and hold nothing of before */
        assert_true(write(5 * PAGE_SIZE + i * PAGE_SIZE, 512, 5));
    }
    assert_false(write(0, 512, 6));
    assert_int_equal(d.used, 2);
}

static void odd_lengths_and_places(void **state)
{
    u32 seed = 1;

    (void)state;
    make(BYTES, BYTES, true);
    for (u32 i = 0; i < 2000; i++) {
        u32 off, len;

        seed = seed * 1103515245 + 12345;
        off = (seed >> 8) % BYTES;
        len = 1 + (seed >> 4) % disk_piece(off);
        if (i % 5 == 0) {
            assert_true(zero(off, len, i % 2 == 0));
        } else {
            assert_true(write(off, len, (u8)seed));
        }
    }
}

/* A driver may race itself: the list of free pages is out of its reach. */
static void late_writes_reach_no_list(void **state)
{
    (void)state;
    make(BYTES, BYTES, false);
    assert_true(write(0, PAGE_SIZE, 1));
    assert_true(zero(0, PAGE_SIZE, true));
    memset((void *)d.pages, 0xff, PAGE_SIZE); /* by who found the page before */
    assert_true(write(PAGE_SIZE, 512, 2));
    assert_int_equal(d.freed, d.room);
    assert_int_equal(d.used, 1);
}

static void too_large(void **state)
{
    struct disk big = {0};

    (void)state;
    host_init();
    assert_false(disk_init(&big, GIB, NULL, GIB));
    assert_false(disk_init(&big, DISK_SIZE_MAX, NULL, PAGE_SIZE)); /* its table */
    assert_true(disk_init(&big, 64 * MIB, NULL, PAGE_SIZE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readonly_file),
        cmocka_unit_test(writes_hide_the_file),
        cmocka_unit_test(ram_is_zero_at_first),
        cmocka_unit_test(last_page_is_not_whole),
        cmocka_unit_test(zeroes_in_place),
        cmocka_unit_test(zeroes_without_a_file_need_no_ram),
        cmocka_unit_test(full),
        cmocka_unit_test(odd_lengths_and_places),
        cmocka_unit_test(late_writes_reach_no_list),
        cmocka_unit_test(too_large),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
