/* SPDX-License-Identifier: MIT */
/* netsvc's DNS server: queries in, answers out; and no answer to what is none. */
#include "guest-configs/netsvc/dnsd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "guest-configs/netsvc/settings.h"

enum { A = 1, NS = 2, PTR = 12, AAAA = 28, ANY = 255, IN = 1, CHAOS = 3 };
enum { OK = 0x8400, RD = 0x0100, NXDOMAIN = 3, NOTIMP = 4, REFUSED = 5 };
enum { NET = 0x0a000000, SELF = NET + 1, LEASED = NET + 128, NOW = 50 };

static struct hosts hosts;
static struct dnsd dnsd;
static uint8_t query[600];
static size_t query_len;
static uint8_t reply[DNSD_REPLY_MAX];
static size_t reply_len;

static int setup(void **state)
{
    static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
    struct settings s;

    (void)state;
    assert_null(settings_read("ip=10.0.0.1/24 names=www,printer:10.0.0.9,az09", &s, &hosts));
    assert_true(hosts_take(&hosts, mac, LEASED, NOW, NOW + 100));
    hosts_rename(&hosts, LEASED, "Alpha", 5, NOW);
    dnsd = (struct dnsd){.hosts = &hosts};
    return 0;
}

static void put16(size_t at, unsigned v)
{
    query[at] = (uint8_t)(v >> 8);
    query[at + 1] = (uint8_t)v;
}

static unsigned get16(size_t at)
{
    return (unsigned)(reply[at] << 8 | reply[at + 1]);
}

static void add_label(const char *label, size_t len)
{
    query[query_len++] = (uint8_t)len;
    memcpy(query + query_len, label, len);
    query_len += len;
}

static void end_question(unsigned type, unsigned class)
{
    query[query_len++] = 0;
    put16(query_len, type);
    put16(query_len + 2, class);
    query_len += 4;
}

static void begin(void)
{
    memset(query, 0, sizeof(query));
    put16(0, 0xbeef);
    put16(2, RD);
    put16(4, 1);
    query_len = 12;
}

/* The query of a name with dots. */
static void ask_class(const char *name, unsigned type, unsigned class)
{
    begin();
    while (*name != '\0') {
        size_t len = strcspn(name, ".");

        add_label(name, len);
        name += len + (name[len] == '.');
    }
    end_question(type, class);
}

static void send_at(uint64_t now)
{
    uint8_t exact[sizeof(query)]; /* its end is where ASan looks */
    uint8_t *p = exact + sizeof(exact) - query_len;

    memcpy(p, query, query_len);
    memset(reply, 0xee, sizeof(reply));
    reply_len = dnsd_answer(&dnsd, p, query_len, now, reply);
    if (reply_len != 0) {
        assert_true(reply_len <= DNSD_REPLY_MAX);
        assert_int_equal(get16(0), 0xbeef);
        assert_int_equal(get16(4), 1);
        assert_int_equal(get16(8) + get16(10), 0);
    }
}

static void ask(const char *name, unsigned type)
{
    ask_class(name, type, IN);
    send_at(NOW);
    assert_int_not_equal(reply_len, 0);
}

static void assert_code(unsigned code)
{
    assert_int_equal(get16(2), OK | RD | code);
    assert_int_equal(get16(6), 0);
    assert_int_equal(reply_len, query_len);
    assert_memory_equal(reply + 12, query + 12, query_len - 12);
}

/* One record of this type behind the question; gives where its data are. */
static const uint8_t *record(unsigned type, size_t len)
{
    assert_int_equal(get16(2), OK | RD);
    assert_int_equal(get16(6), 1);
    assert_memory_equal(reply + 12, query + 12, query_len - 12);
    assert_int_equal(reply_len, query_len + 12 + len);
    assert_int_equal(get16(query_len), 0xc00c);
    assert_int_equal(get16(query_len + 2), type);
    assert_int_equal(get16(query_len + 4), IN);
    assert_int_equal(get16(query_len + 6), 0);
    assert_in_range(get16(query_len + 8), 1, 60);
    assert_int_equal(get16(query_len + 10), len);
    return reply + query_len + 12;
}

static void assert_addr(const char *name, uint8_t last)
{
    const uint8_t addr[4] = {10, 0, 0, last};

    ask(name, A);
    assert_memory_equal(record(A, 4), addr, 4);
}

static void test_addresses(void **state)
{
    (void)state;
    assert_addr("netsvc", 1);
    assert_addr("www.lan", 1);
    assert_addr("printer.lan", 9);
    assert_addr("alpha", 128);
    assert_addr("ALPHA.Lan", 128);
    assert_addr("AZ09", 1);
    ask("printer", ANY);
    record(A, 4);
    assert_int_equal(dnsd.count.queries, 7);
    assert_int_equal(dnsd.count.unknown, 0);
}

static void test_other_types(void **state)
{
    (void)state;
    ask("alpha.lan", AAAA);
    assert_code(0);
    ask("lan", NS);
    assert_code(0);
    ask("1.0.0.10.in-addr.arpa", A);
    assert_code(0);
}

static void test_unknown(void **state)
{
    static const char *const names[] = {
        "nobody",        "nobody.lan",   "alph",       "alphaa",
        "alpha.lan.lan", "a.alpha.lan",  "alpha.org",  "alpha.lan1",
        "example.com",   "in-addr.arpa", "",           "alpha.xlan",
        "x.lan.x",       "alpha-.lan",   "alpha\1",    "lan.lan",
        "arpa",          "alpha lan",    "netsvc\200",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        ask(names[i], A);
        assert_code(NXDOMAIN);
        assert_int_equal(dnsd.count.unknown, i + 1);
    }
    begin(); /* dots and zeros inside a label are no dots and no end */
    add_label("alpha.lan", 9);
    end_question(A, IN);
    send_at(NOW);
    assert_code(NXDOMAIN);
    begin();
    add_label("alpha\0", 6);
    end_question(A, IN);
    send_at(NOW);
    assert_code(NXDOMAIN);
}

static void test_lease_ends(void **state)
{
    (void)state;
    ask_class("alpha", A, IN);
    send_at(NOW + 99);
    record(A, 4);
    send_at(NOW + 100);
    assert_code(NXDOMAIN);
    ask_class("128.0.0.10.in-addr.arpa", PTR, IN);
    send_at(NOW + 100);
    assert_code(NXDOMAIN);
}

static void test_pointers(void **state)
{
    static const char *const unknown[] = {
        "2.0.0.10.in-addr.arpa",   "129.0.0.10.in-addr.arpa",   "0.0.10.in-addr.arpa",
        "0.0.0.11.in-addr.arpa",   "1.1.0.0.10.in-addr.arpa",   "x.0.0.10.in-addr.arpa",
        "256.0.0.10.in-addr.arpa", "0001.0.0.10.in-addr.arpa",  "1.0.0.10.in-addr.arpa2",
        "1.0.0.10.inaddr.arpa",    "1.0.0.10.in-addr.arpa.lan", "-1.0.0.10.in-addr.arpa",
        "1.0.0.266.in-addr.arpa",
    };

    (void)state;
    ask("1.0.0.10.in-addr.arpa", PTR);
    assert_memory_equal(record(PTR, 12), "\6netsvc\3lan", 12);
    ask("9.0.0.10.IN-ADDR.ARPA", PTR);
    assert_memory_equal(record(PTR, 13), "\7printer\3lan", 13);
    ask("128.0.0.10.in-addr.arpa", PTR);
    assert_memory_equal(record(PTR, 11), "\5alpha\3lan", 11);
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        ask(unknown[i], PTR);
        assert_code(NXDOMAIN);
    }
}

static void test_other_network(void **state)
{
    struct settings s;

    (void)state;
    assert_null(settings_read("ip=10.255.0.1/24 domain=laz", &s, &hosts));
    ask("1.0.255.10.in-addr.arpa", PTR);
    record(PTR, 12);
    ask("NETSVC.LAZ", A);
    record(A, 4);
    ask("netsvc.lan", A);
    assert_code(NXDOMAIN);
}

static void test_not_for_us(void **state)
{
    (void)state;
    ask_class("alpha", A, CHAOS);
    send_at(NOW);
    assert_code(REFUSED);
    ask_class("alpha", A, IN);
    put16(2, 0x2800); /* UPDATE */
    send_at(NOW);
    assert_int_equal(get16(2), OK | 0x2800 | NOTIMP);
    assert_int_equal(get16(6), 0);
}

static void assert_no_answer(void)
{
    uint32_t dropped = dnsd.count.dropped;

    send_at(NOW);
    assert_int_equal(reply_len, 0);
    assert_int_equal(dnsd.count.dropped, dropped + 1);
}

static void test_malformed(void **state)
{
    (void)state;
    ask_class("alpha.lan", A, IN);
    size_t whole = query_len;
    for (query_len = 0; query_len < whole; query_len++) {
        assert_no_answer();
    }
    put16(2, 0x8000); /* an answer: no ping-pong between servers */
    assert_no_answer();
    put16(2, 0);
    put16(4, 0);
    assert_no_answer();
    put16(4, 2);
    assert_no_answer();
    begin();
    add_label("alpha", 5);
    query[query_len++] = 0xc0; /* compression */
    query[query_len++] = 12;
    end_question(A, IN);
    assert_no_answer();
    begin();
    query[query_len++] = 64;
    query_len += 64;
    end_question(A, IN);
    assert_no_answer();
}

/* What follows the question, such as EDNS, is neither read nor sent back. */
static void test_trailer(void **state)
{
    (void)state;
    ask_class("alpha", A, IN);
    size_t whole = query_len;
    put16(10, 1);
    memcpy(query + query_len, "\0\0\51\4\320\0\0\0\0\0\0", 11);
    query_len += 11;
    send_at(NOW);
    query_len = whole;
    put16(10, 0);
    record(A, 4);
}

/* 255 bytes of name are allowed (RFC 1035 section 2.3.4): 3 labels of 63, one of 61. */
static void test_longest_name(void **state)
{
    char label[63];

    (void)state;
    memset(label, 'x', sizeof(label));
    for (size_t last = 61; last <= 62; last++) {
        begin();
        for (int i = 0; i < 3; i++) {
            add_label(label, 63);
        }
        add_label(label, last);
        end_question(A, IN);
        send_at(NOW);
        if (last == 61) {
            assert_code(NXDOMAIN);
        } else {
            assert_int_equal(reply_len, 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_addresses, setup),
        cmocka_unit_test_setup(test_other_types, setup),
        cmocka_unit_test_setup(test_unknown, setup),
        cmocka_unit_test_setup(test_lease_ends, setup),
        cmocka_unit_test_setup(test_pointers, setup),
        cmocka_unit_test_setup(test_other_network, setup),
        cmocka_unit_test_setup(test_not_for_us, setup),
        cmocka_unit_test_setup(test_malformed, setup),
        cmocka_unit_test_setup(test_trailer, setup),
        cmocka_unit_test_setup(test_longest_name, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
