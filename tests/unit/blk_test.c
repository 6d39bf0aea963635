/* SPDX-License-Identifier: MIT */
/*
 * virtio-blk seen from its driver, an honest one and others. A test rule_N_… is about rule N of
 * docs/virtqueue-rules.md.
 */
#include "tests/host/blk.h"
#include "vdev/virtio/virtio.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SECTORS 136u /* of the file: 17 pages, the last of them is not whole */
#define BYTES   (SECTORS * 512u - 512u)
#define SIZE    64

static struct blk_driver b;
static u8 file[BYTES + PAGE_SIZE], got[BLK_DATA], data[BLK_DATA];

static void make(struct blk_opts *o)
{
    assert_true(blk_init(&b, o));
    blk_start(&b, BLK_USUAL & (driver_offered(&b.g, BLK_BASE)), SIZE);
}

static int setup(void **state)
{
    struct blk_opts o = blk_options(file, BYTES);

    (void)state;
    for (u32 i = 0; i < sizeof(file); i++) {
        file[i] = i < BYTES ? (u8)(i * 7 + i / 512 * 13 + 1) : 0x99; /* behind it: not the disk's */
    }
    for (u32 i = 0; i < sizeof(data); i++) {
        data[i] = (u8)(i * 11 + i / 512 + 3);
    }
    memset(got, 0, sizeof(got));
    make(&o);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    assert_true(host_run_work(1000) < 1000);
    blk_free(&b);
    return 0;
}

static void remake(struct blk_opts *o)
{
    (void)teardown(NULL);
    make(o);
}

static void reads_the_file(void **state)
{
    (void)state;
    assert_int_equal(blk_read(&b, 0, got, BYTES), BLK_OK);
    assert_memory_equal(got, file, BYTES);
    assert_int_equal(b.used_len, BYTES + 1);
    assert_int_equal(blk_read(&b, 5, got, 1024), BLK_OK);
    assert_memory_equal(got, file + 5 * 512, 1024);
}

static void writes_land_in_front_of_it(void **state)
{
    static u8 before[sizeof(file)];

    (void)state;
    memcpy(before, file, sizeof(file));
    assert_int_equal(blk_write(&b, 6, data, 3 * 512), BLK_OK); /* over the end of a page */
    assert_int_equal(b.used_len, 1);
    assert_int_equal(blk_write(&b, SECTORS - 2, data, 512), BLK_OK); /* the last one */
    assert_memory_equal(file, before, sizeof(file));
    memcpy(before + 6 * 512, data, 3 * 512);
    memcpy(before + (SECTORS - 2) * 512, data, 512);
    assert_int_equal(blk_read(&b, 0, got, BYTES), BLK_OK);
    assert_memory_equal(got, before, BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_the_file, setup, teardown),
        cmocka_unit_test_setup_teardown(writes_land_in_front_of_it, setup, teardown),
    };

    (void)remake;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
