/* SPDX-License-Identifier: MIT */
/* Pages of a core, packed and unpacked: what comes back, and what is refused. */
#include "core/gcore_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static u32 seed = 1;

static u32 random32(void)
{
    seed = seed * 1664525u + 1013904223u;
    return seed >> 8 ^ seed << 13;
}

/* Of many kinds: noise, few different words, runs, the same a while ago. */
static void fill_page(u32 *page, u32 kind)
{
    for (u32 i = 0; i < GCORE_WORDS; i++) {
        switch (kind % 6) {
        case 0:
            page[i] = random32();
            break;
        case 1:
            page[i] = random32() % 3;
            break;
        case 2:
            page[i] = i % (kind + 1) == 0 ? random32() : 0;
            break;
        case 3:
            page[i] = i < 1023 ? random32() : page[0];
            break;
        case 4:
            page[i] = i % 32 == 0 ? 0xffff8000 : i;
            break;
        default:
            page[i] = 0x12345678;
            break;
        }
    }
}

static void pages_come_back(void **state)
{
    u32 page[GCORE_WORDS], back[GCORE_WORDS], least = UINT32_MAX;
    u8 packed[GCORE_PACKED + 1];

    (void)state;
    for (u32 kind = 0; kind < 200; kind++) {
        u32 len;

        fill_page(page, kind);
        packed[GCORE_PACKED] = 0xa5;
        len = gcore_pack(page, packed);
        assert_true(len <= GCORE_PACKED);
        assert_int_equal(packed[GCORE_PACKED], 0xa5);
        least = MIN(least, len);
        memset(back, 0xee, sizeof(back));
        assert_true(gcore_unpack(packed, len, back));
        assert_memory_equal(page, back, sizeof(page));
        assert_false(gcore_unpack(packed, len - 1, back));
        memcpy(packed + len, "\x80\x01", len + 2 <= sizeof(packed) ? 2 : 0);
        assert_false(len + 2 <= sizeof(packed) && gcore_unpack(packed, len + 2, back));
    }
    assert_true(least < 80);
}

static void bad_pages(void **state)
{
    static const struct {
        u8 bytes[6];
        u32 len;
    } bad[] = {
        {{0x80, 1}, 2},             /* nothing is before it */
        {{0, 1, 2, 3, 4, 0x80}, 6}, /* half a repetition */
        {{0, 1, 2, 3}, 4},          /* half a word */
        {{127, 1, 2, 3, 4}, 5},     /* fewer words than it says */
        {{0, 1, 2, 3, 4}, 5},       /* too few */
        {{0}, 0},
    };
    u32 page[GCORE_WORDS];
    u8 p[64 * 5];

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
        assert_false(gcore_unpack(bad[i].bytes, bad[i].len, page));
    }
    memset(p, 0, sizeof(p));
    for (u32 i = 0; i < 32; i++) { /* 1 + 33 * 32 > 1024 words */
        p[5 + 2 * i] = 0xfc;
        p[6 + 2 * i] = 1;
    }
    assert_false(gcore_unpack(p, 5 + 64, page));
    p[6] = 0; /* 0 words back */
    assert_false(gcore_unpack(p, 5 + 64, page));
    p[6] = 2; /* one too far */
    assert_false(gcore_unpack(p, 5 + 64, page));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_come_back),
        cmocka_unit_test(bad_pages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
