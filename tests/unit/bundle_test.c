/* SPDX-License-Identifier: MIT */
/* The cpio reader: what it finds, and that nothing malformed gets past it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/str.h"
#include "tests/host/configs.h"

static struct configs *three_files(void)
{
    struct configs *c = configs_new();

    configs_entry(c, "images", 040755, NULL, 0);
    configs_file(c, "./images/Image", "kernel", 6);
    configs_file(c, "a.qvmconf", "abc", 3);
    configs_entry(c, "link", 0120777, "a.qvmconf", 9);
    configs_file(c, "/abs/rd", "", 0);
    configs_end(c);
    return c;
}

static void test_next(void **state)
{
    struct configs *c = three_files();
    struct bundle_file f;
    char seen[256] = "";
    u64 pos = 0;

    (void)state;
    while (bundle_next(&c->bundle, &pos, &f)) {
        sprintf(seen + strlen(seen), "%.*s=%.*s;", (int)f.name.len, f.name.p, (int)f.size, f.data);
    }
    assert_string_equal(seen, "images/Image=kernel;a.qvmconf=abc;abs/rd=;");
    free(c);
}

/* By full path, however it's written; else by the last component. */
static void test_find(void **state)
{
    static const struct {
        const char *name, *data;
    } finds[] = {{"images/Image", "kernel"},
                 {"./images/Image", "kernel"},
                 {"/images/Image", "kernel"},
                 {"Image", "kernel"},
                 {"../other/Image", "kernel"},
                 {"x/y/a.qvmconf", "abc"},
                 {"rd", ""},
                 {"Imag", NULL},
                 {"images", NULL},
                 {"link", NULL},
                 {"", NULL},
                 {"images/", NULL}};
    struct configs *c = three_files();
    struct bundle_file f;

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(finds); i++) {
        bool found = bundle_find(&c->bundle, str_of(finds[i].name), &f);

        assert_int_equal(found, finds[i].data != NULL);
        if (found) {
            assert_int_equal(f.size, strlen(finds[i].data));
            assert_memory_equal(f.data, finds[i].data, (size_t)f.size);
        }
    }
    free(c);
}

/* The full path wins over an earlier last component. */
static void test_find_exact_first(void **state)
{
    struct configs *c = configs_new();
    struct bundle_file f;

    (void)state;
    configs_file(c, "a/Image", "1", 1);
    configs_file(c, "Image", "2", 1);
    configs_end(c);
    assert_true(bundle_find(&c->bundle, str_of("Image"), &f));
    assert_int_equal(f.data[0], '2');
    assert_true(bundle_find(&c->bundle, str_of("b/Image"), &f));
    assert_int_equal(f.data[0], '1');
    free(c);
}

/* Cut off anywhere, at a place of its own so that the sanitizer sees every byte read beyond. */
static void test_truncated(void **state)
{
    struct configs *c = three_files();

    (void)state;
    for (u32 len = 0; len < c->cpio_len; len++) {
        u8 *copy = malloc(len + (len == 0));
        const char *why = NULL;
        struct bundle b;
        struct bundle_file f;
        u64 pos = 0;

        memcpy(copy, c->cpio, len);
        /* the last bytes are padding behind the end mark's name */
        assert_int_equal(bundle_open(&b, copy, len, NULL, &why), len >= c->cpio_len - 3);
        assert_non_null(why);
        if (len < c->cpio_len - 3) {
            assert_true(strstr(why, "truncated") != NULL || len == 0);
        }
        while (bundle_next(&b, &pos, &f)) {
            assert_true(f.data >= copy && f.data + f.size <= copy + len);
        }
        free(copy);
    }
    free(c);
}

static void expect_why(const struct configs *c, const char *expected)
{
    const char *why;
    struct bundle b;

    assert_false(bundle_open(&b, c->cpio, c->cpio_len, NULL, &why));
    assert_string_equal(why, expected);
}

static void test_malformed(void **state)
{
    static const struct {
        u32 at;
        const char *bytes, *why;
    } edits[] = {
        {0, "07070X", "not a cpio archive of format newc: no magic 070701 at byte 0"},
        {0, "\x1f\x8b", "not a cpio archive of format newc: no magic 070701 at byte 0"},
        {14, "0000g1a4", "malformed cpio header at byte 0"},
        {54, "-0000003", "malformed cpio header at byte 0"},
        {54, "ffffffff", "truncated in 'name': needs 4294967295 bytes, 128 are there"},
        {54, "00000081", "truncated in 'name': needs 129 bytes, 128 are there"},
        {94, "00000000", "malformed cpio header: name is empty or too long at byte 0"},
        {94, "00000001", "malformed cpio header: name is empty or too long at byte 0"},
        {94, "ffffffff", "malformed cpio header: name is empty or too long at byte 0"},
        {94, "00000400", "truncated in 'its header': needs 1134 bytes, 244 are there"},
        {94, "00000004", "malformed cpio header: name and its length disagree at byte 0"},
        {94, "00000006", "malformed cpio header: name and its length disagree at byte 0"},
    };

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(edits); i++) {
        struct configs *c = configs_new();

        configs_file(c, "name", "abc", 3);
        configs_end(c);
        memcpy(c->cpio + edits[i].at, edits[i].bytes, strlen(edits[i].bytes));
        expect_why(c, edits[i].why);
        free(c);
    }
}

static void test_empty(void **state)
{
    struct configs *c = configs_new();
    struct bundle_file f;
    u64 pos = 0;

    (void)state;
    expect_why(c, "it is empty (0 bytes)");
    configs_file(c, "a", "b", 1);
    expect_why(c, "truncated: 116 bytes, but no end mark (TRAILER!!!)");
    c->cpio_len = 0;
    configs_end(c);
    assert_false(bundle_next(&c->bundle, &pos, &f));
    free(c);
}

/* Archives may follow each other; zeros may follow; anything else may not, unless `end` is asked.
 */
static void test_end(void **state)
{
    struct configs *c = three_files();
    u32 first = c->cpio_len;
    struct bundle b;
    struct bundle_file f;
    const char *why;
    u64 end, pos = 0;

    (void)state;
    c->cpio_len += 512 - 512 % 4;
    configs_file(c, "second", "2", 1);
    configs_end(c);
    assert_true(bundle_find(&c->bundle, str_of("second"), &f));
    assert_true(bundle_find(&c->bundle, str_of("abs/rd"), &f));
    assert_true(bundle_open(&b, c->cpio, c->cpio_len, &end, &why));
    assert_int_equal(end, first);
    assert_false(bundle_find(&b, str_of("second"), &f));

    c->cpio_len += 100;
    assert_true(bundle_open(&b, c->cpio, c->cpio_len, NULL, &why));
    while (bundle_next(&b, &pos, &f)) {
    }
    c->cpio[c->cpio_len - 1] = 1;
    assert_false(bundle_open(&b, c->cpio, c->cpio_len, NULL, &why));
    memset(c->cpio + first, 0xff, 64);
    assert_true(bundle_open(&b, c->cpio, c->cpio_len, &end, &why));
    expect_why(c, "not a cpio archive of format newc: no magic 070701 at byte 752");
    free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_next),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_find_exact_first),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
