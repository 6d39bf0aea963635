/* SPDX-License-Identifier: MIT */
/* netsvc's TFTP server: requests and acknowledgements in, blocks out; the archive may be bad. */
#include "guest-configs/netsvc/tftpd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { RRQ = 1, DATA = 3, ACK = 4, ERROR = 5, OACK = 6, CLIENT = 0x0a000002, PORT = 2000 };
enum { LONG = 70000 * 8 }; /* block numbers of 16 bits do not reach that far */

static struct tftpd tftpd;
static uint8_t archive[LONG + 4096];
static size_t used;
static uint8_t content[LONG];
static uint8_t reply[TFTPD_REPLY_MAX];
static size_t reply_len;
static uint64_t now;

static void add(const char *name, unsigned mode, size_t size)
{
    used += (size_t)sprintf((char *)archive + used,
                            "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x", 0, mode,
                            0, 0, 1, 0, size, 0, 0, 0, 0, strlen(name) + 1, 0);
    memcpy(archive + used, name, strlen(name) + 1);
    used = (used + strlen(name) + 1 + 3) & ~(size_t)3;
    memcpy(archive + used, content, size);
    used = (used + size + 3) & ~(size_t)3;
}

static int setup(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(content); i++) {
        content[i] = (uint8_t)(i * 7 + i / 251);
    }
    memset(archive, 0, sizeof(archive));
    used = 0;
    add("dir", 040755, 0);
    add("dir/even", 0100644, 1024);
    add("./odd", 0100644, 1300);
    add("empty", 0100644, 0);
    add("long", 0100644, LONG);
    add("TRAILER!!!", 0, 0);
    tftpd = (struct tftpd){.archive = archive, .archive_size = used};
    now = 100;
    return 0;
}

/* Handed over in memory of exactly its size, for the sanitizer to watch. */
static void send_from(uint16_t port, const void *packet, size_t len)
{
    uint8_t *copy = malloc(len + (len == 0));
    uint8_t *answer = malloc(TFTPD_REPLY_MAX);

    memcpy(copy, packet, len);
    reply_len = tftpd_answer(&tftpd, CLIENT, port, copy, len, now, answer);
    assert_true(reply_len <= TFTPD_REPLY_MAX);
    memcpy(reply, answer, reply_len);
    free(copy);
    free(answer);
}

#define ASK(text) send_from(PORT, "\0\1" text, sizeof("\0\1" text))

static void ack(uint16_t port, unsigned block)
{
    uint8_t p[4] = {0, ACK, (uint8_t)(block >> 8), (uint8_t)block};

    send_from(port, p, sizeof(p));
}

static void expect_data(unsigned block, size_t at, size_t len)
{
    assert_int_equal(reply_len, 4 + len);
    assert_int_equal(reply[0] << 8 | reply[1], DATA);
    assert_int_equal(reply[2] << 8 | reply[3], block & 0xffff);
    assert_memory_equal(reply + 4, content + at, len);
}

static void expect_error(unsigned code)
{
    assert_true(reply_len > 5 && reply[reply_len - 1] == '\0');
    assert_int_equal(reply[1], ERROR);
    assert_int_equal(reply[3], code);
}

static void test_files(void **state)
{
    (void)state;
    assert_int_equal(tftpd_files(&tftpd), 4);
    ASK("odd\0octet");
    expect_data(1, 0, 512);
    ack(PORT, 1);
    expect_data(2, 512, 512);
    ack(PORT, 2);
    expect_data(3, 1024, 276);
    ack(PORT, 3);
    assert_int_equal(reply_len, 0);
    assert_int_equal(tftpd.count.done, 1);
    /* a whole number of blocks ends with an empty one */
    ASK("/dir/even\0OCTET");
    ack(PORT, 1);
    ack(PORT, 2);
    expect_data(3, 1024, 0);
    ack(PORT, 3);
    ASK("empty\0octet");
    expect_data(1, 0, 0);
    ack(PORT, 1);
    assert_int_equal(tftpd.count.done, 3);
    assert_int_equal(tftpd.count.dropped, 0);
}

static void test_refusals(void **state)
{
    (void)state;
    ASK("none\0octet");
    expect_error(1);
    ASK("dir\0octet");
    expect_error(1);
    ASK("odd\0netascii");
    expect_error(4);
    send_from(PORT, "\0\2odd\0octet", 12);
    expect_error(2);
    assert_int_equal(tftpd.count.dropped, 0);
    tftpd.archive = NULL;
    ASK("odd\0octet");
    expect_error(1);
    assert_int_equal(tftpd_files(&tftpd), 0);
}

static void test_malformed(void **state)
{
    static const char request[] = "\0\1odd\0octet\0blksize\0001000";

    (void)state;
    for (size_t len = 0; len < sizeof(request); len++) {
        send_from((uint16_t)(PORT + len % 8), request, len);
        assert_true(len < 12 ? reply_len == 0 : reply_len == 516 || len == sizeof(request) - 1);
    }
    ack(1, 0); /* nobody's */
    assert_int_equal(reply_len, 0);
    send_from(PORT, "\0\3\0\1data", 8);
    assert_int_equal(reply_len, 0);
    send_from(PORT, "\1\1odd\0octet", 12);
    assert_int_equal(reply_len, 0);
    assert_int_equal(tftpd.count.dropped, 12 + 3);
}

static void test_options(void **state)
{
    (void)state;
    ASK("odd\0octet\0timeout\0005\0blksize\0001000\0tsize\0000\0blksize\000900");
    assert_int_equal(reply[1], OACK);
    assert_int_equal(reply_len, 2 + 13 + 11);
    assert_memory_equal(reply + 2, "blksize\0001000\0tsize\0001300", 24);
    ack(PORT, 0);
    expect_data(1, 0, 1000);
    ack(PORT, 0); /* it was lost */
    expect_data(1, 0, 1000);
    ack(PORT, 1);
    expect_data(2, 1000, 300);
    ASK("odd\0octet\0blksize\00060000");
    assert_memory_equal(reply + 2, "blksize\0001468", 13);
    ASK("odd\0octet\0blksize\0007");
    expect_data(1, 0, 512);
    ASK("odd\0octet\0blksize\0001000x");
    expect_data(1, 0, 512);
    ASK("odd\0octet\0blksize\00099999999999999");
    expect_data(1, 0, 512);
}

/* A block that was asked for again is sent again, but not twice in a second. */
static void test_again(void **state)
{
    (void)state;
    ASK("odd\0octet");
    ack(PORT, 1);
    expect_data(2, 512, 512);
    ack(PORT, 1);
    assert_int_equal(reply_len, 0);
    now++;
    ack(PORT, 1);
    expect_data(2, 512, 512);
    ack(PORT, 2);
    expect_data(3, 1024, 276);
    ack(PORT, 1);
    assert_int_equal(reply_len, 0);
    ack(PORT, 4);
    assert_int_equal(reply_len, 0);
    ack(PORT, 3);
    ack(PORT, 3); /* it's over */
    assert_int_equal(reply_len, 0);
    assert_int_equal(tftpd.count.done, 1);
}

static void test_block_numbers_wrap(void **state)
{
    size_t at = 0;

    (void)state;
    ASK("long\0octet\0blksize\0008");
    ack(PORT, 0);
    for (unsigned block = 1; at <= LONG; block++) {
        expect_data(block, at, at < LONG ? 8 : 0);
        at += 8;
        ack(PORT, block & 0xffff);
    }
    assert_int_equal(tftpd.count.done, 1);
}

/* Sixteen at a time; a silent one makes way, one that gives up or asks anew has but one place. */
static void test_clients(void **state)
{
    (void)state;
    for (uint16_t i = 0; i < TFTPD_TRANSFERS; i++) {
        ASK("odd\0octet");
        send_from(i, "\0\1odd\0octet", 12);
        if (i + 1 < TFTPD_TRANSFERS) {
            expect_data(1, 0, 512);
        } else {
            expect_error(3);
        }
    }
    send_from(3, "\0\5\0\0gone", 9);
    assert_int_equal(reply_len, 0);
    send_from(500, "\0\1odd\0octet", 12);
    expect_data(1, 0, 512);
    send_from(501, "\0\1odd\0octet", 12);
    expect_error(3);
    now += TFTPD_IDLE_S + 1;
    ack(4, 1);
    expect_data(2, 512, 512);
    for (uint16_t i = 0; i < TFTPD_TRANSFERS - 1; i++) {
        send_from((uint16_t)(600 + i), "\0\1odd\0octet", 12);
        expect_data(1, 0, 512);
    }
    ack(4, 2);
    expect_data(3, 1024, 276);
}

/* Cut off or changed anywhere, the archive is read within its bounds. */
static void test_bad_archives(void **state)
{
    size_t whole = 1024 + 1300 + 800;

    (void)state;
    for (size_t len = 0; len < whole; len++) {
        uint8_t *copy = malloc(len + (len == 0));

        memcpy(copy, archive, len);
        tftpd.archive = copy;
        tftpd.archive_size = len;
        assert_true(tftpd_files(&tftpd) < 4);
        ASK("long\0octet");
        expect_error(1);
        free(copy);
    }
    for (size_t i = 0; i < 400; i++) {
        uint8_t *copy = malloc(whole);

        memcpy(copy, archive, whole);
        copy[i] = (uint8_t)(i % 3 != 0 ? 'f' : 0xff);
        tftpd.archive = copy;
        tftpd.archive_size = whole;
        (void)tftpd_files(&tftpd);
        ASK("odd\0octet");
        free(copy);
        memset(tftpd.transfer, 0, sizeof(tftpd.transfer));
    }
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_files),   TEST(test_refusals),     TEST(test_malformed),
        TEST(test_options), TEST(test_again),        TEST(test_block_numbers_wrap),
        TEST(test_clients), TEST(test_bad_archives),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
