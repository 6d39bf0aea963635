/* SPDX-License-Identifier: MIT */
/* The words of netsvc's command line: what they set, what is left to itself, what is refused. */
#include "guest-configs/netsvc/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { NET = 0x0a000000 };

static struct settings s;
static struct hosts h;

static uint32_t addr_of(const char *name)
{
    return hosts_addr(&h, name, strlen(name), 0);
}

static void test_defaults(void **state)
{
    (void)state;
    assert_null(settings_read("ip=10.0.0.1/24", &s, &h));
    assert_int_equal(h.self, NET + 1);
    assert_int_equal(h.mask, 0xffffff00);
    assert_int_equal(h.first, NET + 128);
    assert_int_equal(h.lease_count, 127);
    assert_int_equal(s.lease_s, 3600);
    assert_int_equal(s.router, 0);
    assert_string_equal(h.domain, "lan");
    assert_int_equal(addr_of("netsvc"), NET + 1);
    assert_null(settings_read("ip=10.0.0.1", &s, &h));
    assert_int_equal(h.mask, 0xffffff00);
    assert_null(settings_read("ip=10.0.0.1/8", &s, &h));
    assert_int_equal(h.first, 0x0a800000);
    assert_int_equal(h.lease_count, HOSTS_LEASES_MAX);
    assert_null(settings_read("ip=192.168.7.5/30", &s, &h));
    assert_int_equal(h.first, 0xc0a80706);
    assert_int_equal(h.lease_count, 1);
}

static void test_all_words(void **state)
{
    (void)state;
    assert_null(settings_read("console=ttyAMA0\tip=10.1.2.3/16 name=Gate domain=home names=www,a-1:"
                              "10.1.0.7 pool=10.1.9.1-10.1.9.128 lease=10 router=10.1.0.1\n",
                              &s, &h));
    assert_int_equal(h.self, 0x0a010203);
    assert_int_equal(h.mask, 0xffff0000);
    assert_int_equal(addr_of("gate"), 0x0a010203);
    assert_int_equal(addr_of("www"), 0x0a010203);
    assert_int_equal(addr_of("A-1"), 0x0a010007);
    assert_string_equal(hosts_name(&h, 0x0a010203, 0), "gate"); /* the first is the one */
    assert_string_equal(h.domain, "home");
    assert_int_equal(h.first, 0x0a010901);
    assert_int_equal(h.lease_count, 128);
    assert_int_equal(s.lease_s, 10);
    assert_int_equal(s.router, 0x0a010001);
    assert_null(settings_read("ip=10.0.0.1/24 router=self pool=none ip=10.0.0.2/24", &s, &h));
    assert_int_equal(s.router, NET + 2);
    assert_int_equal(h.lease_count, 0);
}

static void assert_wrong(const char *word, const char *value)
{
    char words[160] = "ip=10.0.0.1/24 ";

    strcat(words, word);
    strcat(words, "=");
    strcat(words, value);
    const char *wrong = settings_read(words, &s, &h);

    assert_non_null(wrong);
    assert_string_equal(wrong, word);
}

static void test_wrong(void **state)
{
    static const char *const wrong[][2] = {
        {"ip", ""},
        {"ip", "10.0.0"},
        {"ip", "10.0.0.1.2"},
        {"ip", "10.0.0.256"},
        {"ip", "10.0.0.1/31"},
        {"ip", "10.0.0.1/7"},
        {"ip", "10.0.0.1/x"},
        {"ip", "10.0.0.0/24"},
        {"ip", "10.0.0.255/24"},
        {"ip", "a.b.c.d"},
        {"ip", "10..0.1"},
        {"name", ""},
        {"name", "a.b"},
        {"name", "-a"},
        {"domain", ""},
        {"domain", "a.b"},
        {"names", ","},
        {"names", "a,a"},
        {"names", "netsvc"},
        {"names", "a:10.0.1.1"},
        {"names", "a:10.0.0.0"},
        {"names", "a:b"},
        {"names", ":10.0.0.4"},
        {"pool", ""},
        {"pool", "10.0.0.5"},
        {"pool", "10.0.0.5-10.0.0.4"},
        {"pool", "10.0.0.0-10.0.0.4"},
        {"pool", "10.0.0.250-10.0.0.255"},
        {"pool", "10.0.1.1-10.0.1.2"},
        {"pool", "10.0.0.2-10.0.0.130"},
        {"lease", ""},
        {"lease", "9"},
        {"lease", "2592001"},
        {"lease", "4294967306"},
        {"lease", "1h"},
        {"router", ""},
        {"router", "10.0.1.1"},
        {"router", "no"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_wrong(wrong[i][0], wrong[i][1]);
    }
    assert_string_equal(settings_read("", &s, &h), "ip");
    assert_string_equal(settings_read("xip=10.0.0.1 ip", &s, &h), "ip");
}

static void test_many_names(void **state)
{
    char words[400] = "ip=10.0.0.1/24 names=";

    (void)state;
    for (char c = 'a'; c < 'a' + 26; c++) {
        strncat(words, &c, 1);
        strcat(words, ",");
    }
    strcat(words, "1,2,3,4,5");
    assert_null(settings_read(words, &s, &h));
    assert_int_equal(h.fixed_count, HOSTS_FIXED_MAX);
    assert_int_equal(addr_of("5"), NET + 1);
    assert_int_equal(addr_of("6"), 0);
    assert_null(hosts_name(&h, NET + 2, 0));
    strcat(words, ",6");
    assert_string_equal(settings_read(words, &s, &h), "names");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_all_words),
        cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_many_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
