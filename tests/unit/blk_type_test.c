/* SPDX-License-Identifier: MIT */
/* virtio-blk as a config line: what each option becomes, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/check.h"
#include "core/str.h"
#include "tests/host/line.h"
#include "vdev/virtio/blk.h"

static struct line t;

/*
 * The options of a disk with these words behind it, whose file has so many bytes; what is wrong
 * with them is in t.log.
 */
static const struct blk_opts *parse(const char *words, u64 size)
{
    char line[480];
    struct vdev_conf *conf;
    struct file_ref f;

    snprintf(line, sizeof(line), "vdev-virtio-blk.so %s", words);
    conf = line_parse(&t, line);
    if (config_file(&t.vm, 0, &f)) {
        *f.file = (struct bundle_file){f.path, (const u8 *)"", size};
        assert_false(config_file(&t.vm, 1, &f));
    }
    line_check(&t);
    return conf->opts;
}

static void defaults(void **state)
{
    const struct blk_opts *o = parse("hostdev <a/b.img", 4096);

    (void)state;
    assert_string_equal(t.log, "");
    assert_true(str_is(o->hostdev.path, "a/b.img") && o->hostdev.mark == '<');
    assert_int_equal(o->qsize, 256);
    assert_int_equal(o->queues, 0);
    assert_int_equal(o->cow, 0);
    assert_int_equal(o->serial.len, 0);
    assert_false(o->readonly || o->packed || o->legacy);
}

static void all(void **state)
{
    const struct blk_opts *o =
        parse("hostdev \"my disk\" cow 8k serial 01234567890123456789 queues 8 qsize 1000 packed "
              "name root loc 0x1c0b0000 intr gic:39",
              512);

    (void)state;
    assert_string_equal(t.log, "");
    assert_true(str_is(o->hostdev.path, "my disk") && o->hostdev.mark == 0);
    assert_int_equal(o->cow, 8192);
    assert_int_equal(o->serial.len, 20);
    assert_int_equal(o->queues, 8);
    assert_int_equal(o->qsize, 1000);
    assert_true(o->packed);
    assert_true(parse("hostdev x readonly legacy qsize 4", 512)->readonly);
    assert_string_equal(t.log, "");
    assert_int_equal(parse("ramdisk 1M", 0)->ramdisk, 1 << 20);
    assert_string_equal(t.log, "");
}

/* A QNX user's line. */
static void from_qnx(void **state)
{
    (void)state;
    (void)parse(
        "sched 10 loc 0x1c0b0000 intr gic:40 threads 4 dio enable delayed forever hostdev x", 512);
    assert_int_equal(t.diag.errors, 0);
    assert_non_null(strstr(t.log, "threads"));
    assert_non_null(strstr(t.log, "dio"));
}

static const struct {
    const char *words;
    u64 size;
    const char *message;
} wrong[] = {
    {"", 0,
     "f:1:10: error: virtio-blk needs one of `hostdev PATH`, a file of the bundle, and `ramdisk "
     "SIZE`\n"},
    {"hostdev x ramdisk 1M", 512,
     "f:1:10: error: virtio-blk needs one of `hostdev PATH`, a file of the bundle, and `ramdisk "
     "SIZE`\n"},
    {"hostdev >x", 512, "f:1:42: error: virtio-blk: a disk can't be for writing only\n"},
    {"hostdev x", 513,
     "f:1:42: error: 'x' has 513 bytes, but a disk has whole sectors of 512: `truncate -s %512` "
     "makes them whole\n"},
    {"hostdev <", 512, "f:1:42: error: 'hostdev' needs a file's PATH\n"},
    {"hostdev x hostdev y", 512, "f:1:44: error: 'hostdev' is given twice\n"},
    {"ramdisk 1000", 0, "f:1:10: error: virtio-blk: `ramdisk` needs whole sectors of 512 bytes\n"},
    {"ramdisk 0", 0, "f:1:42: error: 'ramdisk' must be 512..8796093022208, not 0\n"},
    {"ramdisk 16T", 0, "f:1:42: error: 'ramdisk' must be 512..8796093022208, not 16T\n"},
    {"ramdisk 1M readonly", 0,
     "f:1:10: error: virtio-blk: a `ramdisk` that is `readonly` has nothing\n"},
    {"ramdisk 1M cow 1M", 0,
     "f:1:10: error: virtio-blk: `cow` is for a `hostdev` that can be written, without `<` and "
     "`readonly`\n"},
    {"hostdev <x cow 1M", 512,
     "f:1:10: error: virtio-blk: `cow` is for a `hostdev` that can be written, without `<` and "
     "`readonly`\n"},
    {"hostdev x cow 1", 512, "f:1:48: error: 'cow' must be 4096..8796093022208, not 1\n"},
    {"hostdev x serial 012345678901234567890", 512,
     "f:1:10: error: virtio-blk: `serial` has more than 20 bytes\n"},
    {"hostdev x queues 9", 512, "f:1:51: error: 'queues' must be 1..8, not 9\n"},
    {"hostdev x qsize 2", 512, "f:1:50: error: 'qsize' must be 4..1024, not 2\n"},
    {"hostdev x qsize 100", 512,
     "f:1:10: error: virtio-blk: `qsize 100` is not a power of two, which it must be without "
     "`packed`\n"},
    {"hostdev x packed legacy", 512,
     "f:1:10: error: virtio-blk: `legacy` has no packed rings: drop `packed`\n"},
};

static void refused(void **state)
{
    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(wrong); i++) {
        (void)parse(wrong[i].words, wrong[i].size);
        assert_string_equal(t.log, wrong[i].message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(all),
        cmocka_unit_test(from_qnx),
        cmocka_unit_test(refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
