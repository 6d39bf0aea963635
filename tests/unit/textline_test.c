/* SPDX-License-Identifier: MIT */
/* Bytes as lines of text: as written, and as found again among other things. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/pcap_text.h"
#include "core/str.h"
#include "core/textline.h"

static struct textline line(u8 kind, u32 seq, u32 len)
{
    struct textline l = {.kind = kind, .seq = seq, .len = len};

    for (u32 i = 0; i < len; i++) {
        l.data[i] = (u8)(i * 37 + seq);
    }
    return l;
}

/* The CRC is the one of Python's zlib.crc32. */
static void test_written(void **state)
{
    struct textline l = {.kind = PCAP_FIRST, .seq = 0x1a2b, .len = 4, .data = {1, 2, 3, 255}};
    char text[TEXTLINE_ROOM];
    u32 n;

    (void)state;
    n = textline_write(PCAP_MARK, &l, text);
    assert_int_equal(n, strlen(text));
    assert_string_equal(text, "MPCAP1 r 00001a2b AQID/w== 04e0b16a");
}

static void test_round_trip(void **state)
{
    char text[TEXTLINE_ROOM], around[TEXTLINE_ROOM + 64];
    bool torn;

    (void)state;
    for (u32 len = 1; len <= TEXTLINE_PIECE; len++) {
        struct textline l = line(PCAP_MORE, len * 0x01010101u, len), got;

        assert_true(textline_write(PCAP_MARK, &l, text) < TEXTLINE_ROOM);
        snprintf(around, sizeof(around), "[muntin] x MPCAP1 MPCAP1 r 00%s\r", text);
        assert_true(textline_read(PCAP_MARK, str_of(around), &got, &torn));
        assert_int_equal(got.kind, l.kind);
        assert_int_equal(got.seq, l.seq);
        assert_int_equal(got.len, len);
        assert_memory_equal(got.data, l.data, len);
    }
}

/* No byte of a line can change without notice, and none can lack. */
static void test_damage(void **state)
{
    const struct textline l = line(PCAP_FIRST, 7, TEXTLINE_PIECE);
    struct textline got;
    char text[TEXTLINE_ROOM];
    u32 n = textline_write(PCAP_MARK, &l, text);
    bool torn;

    (void)state;
    for (u32 i = 0; i < n; i++) {
        char was = text[i];

        text[i] = was == 'x' ? 'y' : 'x';
        assert_false(textline_read(PCAP_MARK, (struct str){text, n}, &got, &torn));
        assert_int_equal(torn, i >= strlen(PCAP_MARK));
        text[i] = was;
        assert_false(textline_read(PCAP_MARK, (struct str){text, i}, &got, &torn));
    }
    assert_true(textline_read(PCAP_MARK, (struct str){text, n}, &got, &torn));
    assert_false(textline_read(PCAP_MARK, str_of("MPCAP1 e 00000000  00000000"), &got, &torn));
    assert_false(textline_read(PCAP_MARK, str_of(""), &got, &torn));
    assert_false(torn);
}

static void test_headers(void **state)
{
    static const u8 file[PCAP_HEADER] = {0x4d, 0x3c, 0xb2, 0xa1, 2,   0,   4, 0, 0, 0, 0, 0,
                                         0,    0,    0,    0,    255, 255, 0, 0, 1, 0, 0, 0};
    static const u8 record[PCAP_RECORD] = {5, 0, 0, 0, 7, 0, 0, 0, 60, 0, 0, 0, 0xea, 5, 0, 0};
    u8 b[PCAP_HEADER];

    (void)state;
    pcap_file_header(b);
    assert_memory_equal(b, file, sizeof(file));
    pcap_record_header(b, 5000000007ull, 60, 1514);
    assert_memory_equal(b, record, sizeof(record));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_written),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_headers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
