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

/* --- what it says it is ----------------------------------------------------------------------- */

static u64 config(u32 offset, u32 size)
{
    return guest_read(&b.g, BLK_BASE + VMMIO_CONFIG + offset, size);
}

static void config_space(void **state)
{
    (void)state;
    assert_int_equal(reg_read(&b.g, BLK_BASE, VMMIO_DEVICE_ID), 2);
    assert_int_equal(config(0, 8), SECTORS - 1);
    assert_int_equal(config(12, 4), 62); /* seg_max: of 64 descriptors two are taken */
    assert_int_equal(config(20, 4), 512);
    assert_int_equal(config(24, 1), 3); /* pages of 4 KiB */
    assert_int_equal(config(26, 2), 8);
    assert_int_equal(config(32, 1), 0); /* write-through */
    assert_int_equal(config(34, 2), 1);
    assert_int_equal(config(36, 4), UINT32_MAX);
    assert_int_equal(config(40, 4), 16);
    assert_int_equal(config(44, 4), 8);
    assert_int_equal(config(48, 4), UINT32_MAX);
    assert_int_equal(config(52, 4), 16);
    assert_int_equal(config(56, 4), 1);
    assert_int_equal(config(60, 8), 0);
}

static void small_queues_have_small_requests(void **state)
{
    struct blk_opts o = blk_options(file, BYTES);

    (void)state;
    o.qsize = 4;
    (void)teardown(NULL);
    assert_true(blk_init(&b, &o));
    assert_int_equal(config(12, 4), 2);
}

static void cache_mode(void **state)
{
    (void)state;
    guest_write(&b.g, BLK_BASE + VMMIO_CONFIG + 32, 1, 1); /* not negotiated */
    assert_int_equal(config(32, 1), 0);
    blk_start(&b, BLK_USUAL | BLK_WCE, SIZE);
    guest_write(&b.g, BLK_BASE + VMMIO_CONFIG + 32, 1, 0xff);
    assert_int_equal(config(32, 1), 1);
    guest_write(&b.g, BLK_BASE + VMMIO_CONFIG + 33, 1, 0);
    guest_write(&b.g, BLK_BASE + VMMIO_CONFIG + 0, 4, 0);
    guest_write(&b.g, BLK_BASE + VMMIO_CONFIG + 28, 4, 0);
    assert_int_equal(config(32, 1), 1);
    assert_int_equal(config(0, 8), SECTORS - 1);
    guest_write(&b.g, BLK_BASE + VMMIO_CONFIG + 32, 4, 0);
    assert_int_equal(config(32, 1), 0);
    guest_write(&b.g, BLK_BASE + VMMIO_CONFIG + 32, 1, 1);
    reg_write(&b.g, BLK_BASE, VMMIO_STATUS, 0);
    assert_int_equal(config(32, 1), 0);
}

static void features(void **state)
{
    struct blk_opts o = blk_options(file, BYTES);
    const u64 all = BLK_SEG_MAX | BLK_SIZE | BLK_FLUSH | BLK_TOPOLOGY | BLK_WCE;
    const u64 own = 0xffffffull;

    (void)state;
    assert_int_equal(driver_offered(&b.g, BLK_BASE) & own, all | BLK_DISCARD | BLK_WRITE_ZEROES);
    o.hostdev.mark = '<';
    o.queues = 2;
    remake(&o);
    assert_int_equal(driver_offered(&b.g, BLK_BASE) & own, all | BLK_RO | BLK_MQ);
    assert_int_equal(config(36, 4), 0);
    assert_int_equal(config(34, 2), 2);
}

/* --- what honest drivers do ------------------------------------------------------------------- */

static void identity(void **state)
{
    struct blk_opts o = blk_options(file, BYTES);

    (void)state;
    assert_int_equal(blk_do(&b, BLK_T_GET_ID, 0, 20), BLK_OK); /* the device's name */
    assert_memory_equal(guest_ptr(&b.g, b.data), "root\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
    assert_int_equal(b.used_len, 21);
    o.serial = (struct str){"01234567890123456789", 20};
    remake(&o);
    memset(guest_ptr(&b.g, b.data), 0x77, 64);
    assert_int_equal(blk_do(&b, BLK_T_GET_ID, 0, 7), BLK_OK); /* too short for it */
    assert_memory_equal(guest_ptr(&b.g, b.data), "0123456ww", 9);
    assert_int_equal(b.used_len, 8);
    assert_int_equal(blk_do(&b, BLK_T_GET_ID, 0, 64), BLK_OK);
    assert_memory_equal(guest_ptr(&b.g, b.data), "01234567890123456789ww", 22);
    assert_int_equal(b.used_len, 21);
}

static void flush(void **state)
{
    (void)state;
    ring_desc(&b.q[0], 0, b.header, 16, D_NEXT, 2);
    blk_put(&b, 0, BLK_T_FLUSH, 0, 0, 1);
    ring_desc(&b.q[0], 0, b.header, 16, D_NEXT, 2); /* without data */
    ring_offer(&b.q[0], 0);
    ring_kick(&b.q[0]);
    assert_int_equal(ring_used(&b.q[0], &b.used_len), 0);
    assert_int_equal(blk_status(&b, 0), BLK_OK);
    assert_int_equal(b.used_len, 1);
}

static void discard_and_write_zeroes(void **state)
{
    static u8 expected[BYTES];
    const struct blk_range zero[] = {{3, 2, 0}, {16, 9, 0}, {40, 8, 1}};
    const struct blk_range discard[] = {{64, 8, 0}, {81, 8, 0}, {100, 0, 0}};

    (void)state;
    memcpy(expected, file, BYTES);
    memset(expected + 3 * 512, 0, 2 * 512);
    memset(expected + 16 * 512, 0, 9 * 512);
    memset(expected + 40 * 512, 0, 8 * 512);
    assert_int_equal(blk_ranges(&b, BLK_T_WRITE_ZEROES, zero, 3), BLK_OK);
    assert_int_equal(b.used_len, 1);
    assert_int_equal(blk_read(&b, 0, got, BYTES), BLK_OK);
    assert_memory_equal(got, expected, BYTES);

    memset(expected + 64 * 512, 0, 8 * 512); /* only whole pages go */
    assert_int_equal(blk_ranges(&b, BLK_T_DISCARD, discard, 3), BLK_OK);
    assert_int_equal(blk_read(&b, 0, got, BYTES), BLK_OK);
    assert_memory_equal(got, expected, BYTES);
}

static void a_full_disk_fails_writes(void **state)
{
    struct blk_opts o = blk_options(file, BYTES);
    const struct blk_range first = {0, 8, 0};

    (void)state;
    o.cow = 2 * PAGE_SIZE;
    remake(&o);
    assert_int_equal(blk_write(&b, 0, data, 2 * PAGE_SIZE), BLK_OK);
    assert_int_equal(blk_write(&b, 64, data, 512), BLK_IOERR);
    assert_int_equal(b.used_len, 1);
    assert_int_equal(blk_ranges(&b, BLK_T_WRITE_ZEROES, &(struct blk_range){65, 1, 0}, 1),
                     BLK_IOERR);
    assert_int_equal(blk_read(&b, 64, got, 512), BLK_OK);
    assert_memory_equal(got, file + 64 * 512, 512);
    assert_int_equal(blk_ranges(&b, BLK_T_DISCARD, &first, 1), BLK_OK);
    assert_int_equal(blk_write(&b, 64, data, 512), BLK_OK);
}

static void contents_outlive_resets(void **state)
{
    struct blk_opts o = blk_options(NULL, 64 * KIB);

    (void)state;
    remake(&o);
    assert_int_equal(config(0, 8), 128);
    assert_int_equal(blk_read(&b, 0, got, 64 * KIB), BLK_OK);
    for (u32 i = 0; i < 64 * KIB; i++) {
        assert_int_equal(got[i], 0);
    }
    assert_int_equal(blk_write(&b, 9, data, 1024), BLK_OK);
    b.g.vm.devs->ops->reset(b.g.vm.devs); /* the VM restarts */
    blk_start(&b, BLK_USUAL, SIZE);
    assert_int_equal(blk_read(&b, 9, got, 1024), BLK_OK);
    assert_memory_equal(got, data, 1024);
}

static void two_queues(void **state)
{
    struct blk_opts o = blk_options(file, BYTES);

    (void)state;
    o.queues = 2;
    remake(&o);
    assert_int_equal(blk_write(&b, 0, data, 512), BLK_OK);
    blk_put(&b, 0, BLK_T_IN, 0, 0, 512);
    b.q[1].desc = b.q[1].table;
    memcpy(guest_ptr(&b.g, b.q[1].desc), guest_ptr(&b.g, b.q[0].desc), 48);
    ring_offer(&b.q[1], 0);
    ring_kick(&b.q[1]);
    assert_int_equal(ring_used(&b.q[1], NULL), 0);
    assert_int_equal(blk_status(&b, 0), BLK_OK);
    assert_memory_equal(guest_ptr(&b.g, b.data), data, 512);
}

static void packed_rings(void **state)
{
    struct blk_opts o = blk_options(file, BYTES);

    (void)state;
    o.packed = true;
    (void)teardown(NULL);
    assert_true(blk_init(&b, &o));
    blk_start(&b, BLK_USUAL | F_PACKED, SIZE);
    for (u32 i = 0; i < 50; i++) {
        assert_int_equal(blk_write(&b, i, data + i, 1024), BLK_OK);
        assert_int_equal(blk_read(&b, i, got, 1024), BLK_OK);
        assert_memory_equal(got, data + i, 1024);
        assert_int_equal(b.used_len, 1025);
    }
}

static void legacy(void **state)
{
    struct blk_opts o = blk_options(file, BYTES);

    (void)state;
    o.legacy = true;
    (void)teardown(NULL);
    assert_true(blk_init(&b, &o));
    blk_start(&b, BLK_FLUSH | BLK_SEG_MAX, SIZE);
    assert_int_equal(blk_write(&b, 3, data, 1024), BLK_OK);
    assert_int_equal(blk_read(&b, 3, got, 1024), BLK_OK);
    assert_memory_equal(got, data, 1024);
    assert_int_equal(blk_do(&b, BLK_T_FLUSH, 0, 512), BLK_OK);
    assert_int_equal(blk_ranges(&b, BLK_T_DISCARD, &(struct blk_range){0, 8, 0}, 1), BLK_UNSUPP);
}

/* --- what others do --------------------------------------------------------------------------- */

/* However it's cut into buffers. */
static void rule_28_any_layout(void **state)
{
    static const u32 cuts[] = {1, 3, 500, 1024, 7, 2, 511};
    u64 at = b.data;
    u32 d = 0, sum = 0;

    (void)state;
    blk_put(&b, 0, BLK_T_IN, 7, 0, 0);
    for (u32 i = 0; i < 16; i += 4, d++) { /* a header in four */
        ring_desc(&b.q[0], d, b.header + i, 4, D_NEXT, d + 1);
    }
    ring_desc(&b.q[0], d, b.header, 0, D_NEXT, d + 1); /* nothing */
    d++;
    for (u32 i = 0; i < ARRAY_SIZE(cuts); i++, d++) {
        ring_desc(&b.q[0], d, at, cuts[i], D_NEXT | D_WRITE, d + 1);
        at += cuts[i] + 16;
        sum += cuts[i];
    }
    assert_int_equal(sum, 4 * 512);
    /* the status is the last byte of a longer buffer, which ends the data */
    ring_desc(&b.q[0], d, at, 513, D_WRITE, 0);
    memset(guest_ptr(&b.g, b.data), 0xcc, 8192);
    ring_offer(&b.q[0], 0);
    ring_kick(&b.q[0]);
    assert_int_equal(ring_used(&b.q[0], &b.used_len), 0);
    assert_int_equal(b.used_len, 5 * 512 + 1);
    at = b.data;
    sum = 0;
    for (u32 i = 0; i < ARRAY_SIZE(cuts); i++) {
        assert_memory_equal(guest_ptr(&b.g, at), file + 7 * 512 + sum, cuts[i]);
        assert_int_equal(*(u8 *)guest_ptr(&b.g, at + cuts[i]), 0xcc);
        at += cuts[i] + 16;
        sum += cuts[i];
    }
    assert_memory_equal(guest_ptr(&b.g, at), file + 7 * 512 + sum, 512);
    assert_int_equal(*(u8 *)guest_ptr(&b.g, at + 512), BLK_OK);
    assert_int_equal(*(u8 *)guest_ptr(&b.g, at + 513), 0xcc);
}

/* One buffer with header and data, one with nothing but the status. */
static void rule_28_header_and_data_in_one(void **state)
{
    u8 *p = guest_ptr(&b.g, b.data);

    (void)state;
    blk_put(&b, 0, BLK_T_OUT, 2, 0, 0);
    memcpy(p, guest_ptr(&b.g, b.header), 16);
    memcpy(p + 16, data, 1024);
    ring_desc(&b.q[0], 0, b.data, 16 + 1024, D_NEXT, 2);
    ring_offer(&b.q[0], 0);
    ring_kick(&b.q[0]);
    assert_int_equal(ring_used(&b.q[0], &b.used_len), 0);
    assert_int_equal(blk_status(&b, 0), BLK_OK);
    assert_int_equal(b.used_len, 1);
    assert_int_equal(blk_read(&b, 2, got, 1024), BLK_OK);
    assert_memory_equal(got, data, 1024);
}

static bool needs_reset(void)
{
    return (reg_read(&b.g, BLK_BASE, VMMIO_STATUS) & S_NEEDS_RESET) != 0;
}

/* Offers the chain at 0, of which nothing comes back; another one neither. */
static void expect_broken(void)
{
    ring_offer(&b.q[0], 0);
    ring_kick(&b.q[0]);
    assert_int_equal(ring_used(&b.q[0], NULL), -1);
    assert_true(needs_reset());
    blk_put(&b, 1, BLK_T_IN, 0, 0, 512);
    ring_offer(&b.q[0], 3);
    ring_kick(&b.q[0]);
    assert_int_equal(ring_used(&b.q[0], NULL), -1);
    blk_start(&b, BLK_USUAL, SIZE);
    assert_int_equal(blk_read(&b, 0, got, 512), BLK_OK);
}

static void rule_28_no_header(void **state)
{
    (void)state;
    blk_put(&b, 0, BLK_T_IN, 0, 0, 512);
    ring_desc(&b.q[0], 0, b.header, 15, D_NEXT, 1);
    expect_broken();
    blk_put(&b, 0, BLK_T_IN, 0, 0, 512);
    ring_desc(&b.q[0], 0, b.data, 512, D_WRITE, 0); /* none at all */
    expect_broken();
}

static void rule_28_no_status(void **state)
{
    (void)state;
    blk_put(&b, 0, BLK_T_OUT, 0, 0, 512);
    ring_desc(&b.q[0], 1, b.data, 512, 0, 0);
    expect_broken();
    blk_put(&b, 0, BLK_T_OUT, 0, 0, 512);
    ring_desc(&b.q[0], 2, b.status, 0, D_WRITE, 0); /* of no bytes */
    expect_broken();
}

/* Neither buffer nor disk changed. */
static void expect_refused(u32 type, u64 sector, u32 len, u8 status)
{
    memset(guest_ptr(&b.g, b.data), 0xdd, len + 16);
    assert_int_equal(blk_do(&b, type, sector, len), status);
    assert_int_equal(b.used_len, 1);
    for (u32 i = 0; i < len + 16; i++) {
        assert_int_equal(*(u8 *)guest_ptr(&b.g, b.data + i), 0xdd);
    }
    assert_int_equal(blk_read(&b, 0, got, BYTES), BLK_OK);
    assert_memory_equal(got, file, BYTES);
    assert_false(needs_reset());
}

static void rule_28_whole_sectors(void **state)
{
    (void)state;
    for (u32 type = BLK_T_IN; type <= BLK_T_OUT; type++) {
        expect_refused(type, 0, 511, BLK_IOERR);
        expect_refused(type, 0, 513, BLK_IOERR);
        expect_refused(type, 0, 1, BLK_IOERR);
        assert_int_equal(blk_do(&b, type, SECTORS - 1, 0), BLK_OK); /* none */
    }
}

static void rule_28_within_the_disk(void **state)
{
    static const u64 beyond[] = {
        SECTORS - 1,      SECTORS,    1ull << 55,       (1ull << 55) - 1,
        (1ull << 55) + 1, UINT64_MAX, UINT64_MAX / 512, UINT64_MAX / 512 + 1,
        1ull << 63,       UINT32_MAX, 1ull << 32};

    (void)state;
    for (u32 type = BLK_T_IN; type <= BLK_T_OUT; type++) {
        for (u32 i = 0; i < ARRAY_SIZE(beyond); i++) {
            expect_refused(type, beyond[i], 512, BLK_IOERR);
            if (beyond[i] != SECTORS - 1) {
                assert_int_equal(blk_do(&b, type, beyond[i], 0), BLK_IOERR);
            }
        }
        expect_refused(type, SECTORS - 2, 1024, BLK_IOERR);
        expect_refused(type, 0, BYTES + 512, BLK_IOERR);
    }
}

static void expect_range(u32 type, u64 sector, u32 sectors, u32 flags, u8 status)
{
    const struct blk_range r = {sector, sectors, flags};

    assert_int_equal(blk_ranges(&b, type, &r, 1), status);
    assert_int_equal(b.used_len, 1);
    assert_int_equal(blk_read(&b, 0, got, BYTES), BLK_OK);
    assert_memory_equal(got, file, BYTES);
}

static void rule_28_ranges(void **state)
{
    static const struct blk_range none[17];

    (void)state;
    for (u32 type = BLK_T_DISCARD; type <= BLK_T_WRITE_ZEROES; type += 2) {
        expect_range(type, SECTORS - 1, 1, 0, BLK_IOERR);
        expect_range(type, SECTORS, 0, 0, BLK_IOERR);
        expect_range(type, SECTORS - 1, 0, 0, BLK_OK);
        expect_range(type, 0, UINT32_MAX, 0, BLK_IOERR);
        expect_range(type, 8, SECTORS - 8, 0, BLK_IOERR);
        expect_range(type, 1ull << 55, 8, 0, BLK_IOERR);
        expect_range(type, UINT64_MAX - 7, 8, 0, BLK_IOERR);
        expect_range(type, 0, 8, 2, BLK_UNSUPP);
        expect_range(type, 0, 8, 0x80000000, BLK_UNSUPP);
        assert_int_equal(blk_do(&b, type, 0, 0), BLK_IOERR); /* not one */
        assert_int_equal(blk_do(&b, type, 0, 15), BLK_IOERR);
        assert_int_equal(blk_do(&b, type, 0, 17), BLK_IOERR);
        assert_int_equal(blk_ranges(&b, type, none, 17), BLK_IOERR);
        assert_int_equal(blk_ranges(&b, type, none, 16), BLK_OK);
    }
    expect_range(BLK_T_DISCARD, 0, 8, 1, BLK_UNSUPP);
}

static void rule_28_readonly(void **state)
{
    const struct blk_range all = {0, SECTORS - 1, 0};
    struct blk_opts o = blk_options(file, BYTES);

    (void)state;
    for (u32 how = 0; how < 2; how++) {
        o.hostdev.mark = how == 0 ? '<' : 0;
        o.readonly = how == 1;
        remake(&o);
        expect_refused(BLK_T_OUT, 0, 512, BLK_IOERR);
        assert_int_equal(blk_ranges(&b, BLK_T_DISCARD, &all, 1), BLK_IOERR);
        assert_int_equal(blk_ranges(&b, BLK_T_WRITE_ZEROES, &all, 1), BLK_IOERR);
        assert_int_equal(blk_do(&b, BLK_T_FLUSH, 0, 512), BLK_OK);
        assert_int_equal(blk_read(&b, 0, got, BYTES), BLK_OK);
        assert_memory_equal(got, file, BYTES);
    }
}

static void rule_28_unknown(void **state)
{
    static const u32 types[] = {2, 3, 5, 9, 10, 12, 14, 15, 16, 0x80000000, 0x80000001, UINT32_MAX};

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(types); i++) {
        expect_refused(types[i], 0, 512, BLK_UNSUPP);
    }
    blk_start(&b, F_VERSION_1, SIZE); /* what wasn't negotiated isn't known */
    expect_refused(BLK_T_FLUSH, 0, 512, BLK_UNSUPP);
    assert_int_equal(blk_ranges(&b, BLK_T_DISCARD, &(struct blk_range){0, 8, 0}, 1), BLK_UNSUPP);
    assert_int_equal(blk_ranges(&b, BLK_T_WRITE_ZEROES, &(struct blk_range){0, 8, 0}, 1),
                     BLK_UNSUPP);
}

/* Data may land on the request's own header: it was copied before. */
static void rule_28_header_is_copied_once(void **state)
{
    struct blk_opts o = blk_options(NULL, BLK_DATA);
    u8 header[16];

    (void)state;
    remake(&o);
    memset(data, 0xff, BLK_DATA);
    assert_int_equal(blk_write(&b, 0, data, BLK_DATA), BLK_OK);
    blk_put(&b, 0, BLK_T_IN, 0, 0, BLK_DATA);
    memcpy(header, guest_ptr(&b.g, b.header), 16);
    memcpy(guest_ptr(&b.g, b.data), header, 16);
    ring_desc(&b.q[0], 0, b.data, 16, D_NEXT, 1);
    ring_offer(&b.q[0], 0);
    ring_kick(&b.q[0]);
    (void)host_run_work(1000);
    assert_int_equal(ring_used(&b.q[0], &b.used_len), 0);
    assert_int_equal(b.used_len, BLK_DATA + 1);
    assert_memory_equal(guest_ptr(&b.g, b.data), data, BLK_DATA);
}

/* --- fairness and life cycle ------------------------------------------------------------------ */

static void rule_40_a_large_request_goes_on_as_work(void **state)
{
    struct blk_opts o = blk_options(NULL, 2 * BLK_DATA);
    u32 pieces;

    (void)state;
    remake(&o);
    for (u32 type = BLK_T_IN; type <= BLK_T_OUT; type++) {
        blk_put(&b, 0, type, 0, 0, BLK_DATA);
        ring_offer(&b.q[0], 0);
        ring_kick(&b.q[0]);
        assert_int_equal(ring_used(&b.q[0], NULL), -1);
        ring_kick(&b.q[0]); /* changes nothing */
        for (pieces = 0; ring_used(&b.q[0], NULL) < 0; pieces++) {
            assert_int_equal(host_run_work(1), 1);
        }
        assert_in_range(pieces, 4, 8);
        assert_int_equal(host_run_work(10), 0);
        assert_int_equal(blk_status(&b, 0), BLK_OK);
    }
}

static void rule_40_large_ranges_go_on_as_work(void **state)
{
    struct blk_opts o = blk_options(NULL, 8 * MIB);
    const struct blk_range all = {0, 16384, 0};

    (void)state;
    remake(&o);
    for (u32 type = BLK_T_DISCARD; type <= BLK_T_WRITE_ZEROES; type += 2) {
        blk_put(&b, 0, type, 0, 0, 16);
        memcpy(guest_ptr(&b.g, b.data), &all, sizeof(all));
        ring_offer(&b.q[0], 0);
        ring_kick(&b.q[0]);
        assert_int_equal(ring_used(&b.q[0], NULL), -1);
        assert_in_range(host_run_work(1000), 7, 100);
        assert_int_equal(ring_used(&b.q[0], NULL), 0);
        assert_int_equal(blk_status(&b, 0), BLK_OK);
    }
}

static u32 kick_many(u32 type, u32 count, u32 len)
{
    u32 done = 0;

    for (u32 i = 0; i < count; i++) {
        blk_put(&b, i, type, i % 8, i * len, len);
        ring_offer(&b.q[0], 3 * i);
    }
    ring_kick(&b.q[0]);
    while (ring_used(&b.q[0], NULL) >= 0) {
        done++;
    }
    return done;
}

static void rule_40_many_requests_go_on_as_work(void **state)
{
    static const u32 types[] = {BLK_T_IN, BLK_T_FLUSH};
    u32 first;

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(types); i++) {
        blk_start(&b, BLK_USUAL, 256);
        first = kick_many(types[i], 80, 512);
        assert_in_range(first, 20, 60); /* of one notification */
        for (u32 n = first; n < 80; n++) {
            while (ring_used(&b.q[0], NULL) < 0) {
                assert_int_equal(host_run_work(1), 1);
            }
        }
        (void)host_run_work(10);
        assert_int_equal(ring_used_flags(&b.q[0]), 0); /* and notifications are on again */
        assert_int_equal(blk_read(&b, 0, got, 512), BLK_OK);
    }
}

static void one_interrupt_for_a_burst(void **state)
{
    u32 before = b.g.raises[BLK_INTID];

    (void)state;
    assert_int_equal(kick_many(BLK_T_IN, 10, 512), 10);
    assert_int_equal(b.g.raises[BLK_INTID], before + 1);
    assert_int_equal(b.g.level[BLK_INTID], 1);
    assert_int_equal(driver_irq(&b.g, BLK_BASE), 1);
    assert_int_equal(b.g.level[BLK_INTID], 0);
}

static void rule_33_nothing_moves_after_a_reset(void **state)
{
    struct blk_opts o = blk_options(NULL, BLK_DATA);

    (void)state;
    remake(&o);
    assert_int_equal(blk_write(&b, 0, data, BLK_DATA), BLK_OK);
    memset(guest_ptr(&b.g, b.data), 0x33, BLK_DATA);
    blk_put(&b, 0, BLK_T_IN, 0, 0, BLK_DATA);
    ring_offer(&b.q[0], 0);
    ring_kick(&b.q[0]);
    assert_int_equal(host_run_work(1), 1);
    reg_write(&b.g, BLK_BASE, VMMIO_STATUS, 0);
    memset(guest_ptr(&b.g, b.data), 0x33, BLK_DATA);
    (void)host_run_work(100);
    for (u32 i = 0; i < BLK_DATA; i++) {
        assert_int_equal(*(u8 *)guest_ptr(&b.g, b.data + i), 0x33);
    }
    assert_int_equal(b.g.level[BLK_INTID], 0);
    blk_start(&b, BLK_USUAL, SIZE); /* and what was under way is forgotten */
    assert_int_equal(blk_read(&b, 3, got, 512), BLK_OK);
    assert_int_equal(b.used_len, 513);
}

static void rule_34_nothing_before_driver_ok(void **state)
{
    (void)state;
    b.g.brk = GUEST_RAM_BASE;
    (void)driver_begin(&b.g, BLK_BASE, BLK_USUAL);
    ring_alloc(&b.q[0], &b.g, BLK_BASE, 0, SIZE);
    assert_true(ring_enable(&b.q[0]));
    b.g.brk = b.data + BLK_DATA;
    blk_put(&b, 0, BLK_T_IN, 0, 0, 512);
    ring_offer(&b.q[0], 0);
    ring_kick(&b.q[0]);
    assert_int_equal(ring_used(&b.q[0], NULL), -1);
    driver_ok(&b.g, BLK_BASE);
    ring_kick(&b.q[0]);
    assert_int_equal(ring_used(&b.q[0], NULL), 0);
}

static void no_ram(void **state)
{
    struct blk_opts o = blk_options(NULL, GIB);
    struct blk_driver other;

    (void)state;
    assert_false(blk_init(&other, &o));
    blk_free(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_the_file, setup, teardown),
        cmocka_unit_test_setup_teardown(writes_land_in_front_of_it, setup, teardown),
        cmocka_unit_test_setup_teardown(config_space, setup, teardown),
        cmocka_unit_test_setup_teardown(small_queues_have_small_requests, setup, teardown),
        cmocka_unit_test_setup_teardown(cache_mode, setup, teardown),
        cmocka_unit_test_setup_teardown(features, setup, teardown),
        cmocka_unit_test_setup_teardown(identity, setup, teardown),
        cmocka_unit_test_setup_teardown(flush, setup, teardown),
        cmocka_unit_test_setup_teardown(discard_and_write_zeroes, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_disk_fails_writes, setup, teardown),
        cmocka_unit_test_setup_teardown(contents_outlive_resets, setup, teardown),
        cmocka_unit_test_setup_teardown(two_queues, setup, teardown),
        cmocka_unit_test_setup_teardown(packed_rings, setup, teardown),
        cmocka_unit_test_setup_teardown(legacy, setup, teardown),
        cmocka_unit_test_setup_teardown(rule_28_any_layout, setup, teardown),
        cmocka_unit_test_setup_teardown(rule_28_header_and_data_in_one, setup, teardown),
        cmocka_unit_test_setup_teardown(rule_28_no_header, setup, teardown),
        cmocka_unit_test_setup_teardown(rule_28_no_status, setup, teardown),
        cmocka_unit_test_setup_teardown(rule_28_whole_sectors, setup, teardown),
        cmocka_unit_test_setup_teardown(rule_28_within_the_disk, setup, teardown),
        cmocka_unit_test_setup_teardown(rule_28_ranges, setup, teardown),
        cmocka_unit_test_setup_teardown(rule_28_readonly, setup, teardown),
        cmocka_unit_test_setup_teardown(rule_28_unknown, setup, teardown),
        cmocka_unit_test_setup_teardown(rule_28_header_is_copied_once, setup, teardown),
        cmocka_unit_test_setup_teardown(rule_40_a_large_request_goes_on_as_work, setup, teardown),
        cmocka_unit_test_setup_teardown(rule_40_large_ranges_go_on_as_work, setup, teardown),
        cmocka_unit_test_setup_teardown(rule_40_many_requests_go_on_as_work, setup, teardown),
        cmocka_unit_test_setup_teardown(one_interrupt_for_a_burst, setup, teardown),
        cmocka_unit_test_setup_teardown(rule_33_nothing_moves_after_a_reset, setup, teardown),
        cmocka_unit_test_setup_teardown(rule_34_nothing_before_driver_ok, setup, teardown),
        cmocka_unit_test_setup_teardown(no_ram, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
