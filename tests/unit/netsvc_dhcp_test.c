/* SPDX-License-Identifier: MIT */
/* netsvc's DHCP server: packets in, packets out, and who has which address afterwards. */
#include "guest-configs/netsvc/dhcpd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "guest-configs/netsvc/settings.h"

enum { DISCOVER = 1, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM };
enum { NET = 0x0a000000, SELF = NET + 1, FIRST = NET + 100, LEASE_S = 600, START = 1000 };
enum { OPT_MASK = 1, OPT_ROUTER = 3, OPT_DNS = 6, OPT_HOST_NAME = 12, OPT_DOMAIN = 15 };
enum { OPT_WANTED = 50, OPT_LEASE_TIME = 51, OPT_TYPE = 53, OPT_SERVER = 54 };

static struct hosts hosts;
static struct dhcpd dhcpd;
static uint8_t packet[600];
static size_t packet_len;
static uint8_t reply[DHCPD_REPLY_MAX];
static uint32_t to;
static uint64_t now;

static void setup(const char *words)
{
    struct settings s;

    assert_null(settings_read(words, &s, &hosts));
    dhcpd = (struct dhcpd){.hosts = &hosts, .lease_s = s.lease_s, .router = s.router};
    now = START;
}

static int setup_usual(void **state)
{
    (void)state;
    setup("ip=10.0.0.1/24 pool=10.0.0.100-10.0.0.102 lease=600 router=self names=printer:10.0.0.9");
    return 0;
}

static const uint8_t *mac_of(uint8_t client)
{
    static uint8_t mac[6] = {2, 0, 0, 0, 0, 0};

    mac[5] = client;
    return mac;
}

static void put32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void add(uint8_t code, const void *value, size_t len)
{
    packet[packet_len] = code;
    packet[packet_len + 1] = (uint8_t)len;
    memcpy(packet + packet_len + 2, value, len);
    packet_len += 2 + len;
}

static void add32(uint8_t code, uint32_t value)
{
    uint8_t bytes[4];

    put32(bytes, value);
    add(code, bytes, 4);
}

static void begin(uint8_t client, uint8_t type)
{
    memset(packet, 0, sizeof(packet));
    packet[0] = 1;
    packet[1] = 1;
    packet[2] = 6;
    put32(packet + 4, 0x12345600u + client);
    memcpy(packet + 28, mac_of(client), 6);
    put32(packet + 236, 0x63825363);
    packet_len = 240;
    add(OPT_TYPE, &type, 1);
}

/* Sends what was put together; the type of the answer, 0 for none. */
static uint8_t send_from(uint8_t client)
{
    uint8_t exact[sizeof(packet)]; /* its end is where ASan looks */
    uint8_t *p = exact + sizeof(exact) - packet_len;

    memcpy(p, packet, packet_len);
    size_t len = dhcpd_answer(&dhcpd, p, packet_len, mac_of(client), now, reply, &to);

    if (len == 0) {
        return 0;
    }
    assert_true(len >= 300 && len <= DHCPD_REPLY_MAX);
    assert_int_equal(reply[0], 2);
    assert_memory_equal(reply + 1, "\1\6\0", 3);
    assert_memory_equal(reply + 4, packet + 4, 4);
    assert_memory_equal(reply + 28, packet + 28, 6);
    assert_int_equal(get32(reply + 236), 0x63825363);
    assert_memory_equal(reply + 240, "\65\1", 2);
    return reply[242];
}

static uint8_t send_packet(uint8_t client)
{
    packet[packet_len++] = 255;
    return send_from(client);
}

/* The value of an option of the answer; NULL if it has none. */
static const uint8_t *option(uint8_t code, size_t *len)
{
    for (size_t at = 240; at < DHCPD_REPLY_MAX && reply[at] != 255; at += 2u + reply[at + 1]) {
        if (reply[at] == code) {
            *len = reply[at + 1];
            return reply + at + 2;
        }
    }
    return NULL;
}

static void assert_option32(uint8_t code, uint32_t value)
{
    size_t len;
    const uint8_t *p = option(code, &len);

    assert_non_null(p);
    assert_int_equal(len, 4);
    assert_int_equal(get32(p), value);
}

static void assert_option_text(uint8_t code, const char *text)
{
    size_t len;
    const uint8_t *p = option(code, &len);

    assert_non_null(p);
    assert_int_equal(len, strlen(text));
    assert_memory_equal(p, text, len);
}

static uint32_t yiaddr(void)
{
    return get32(reply + 16);
}

/* DISCOVER, then REQUEST of what was offered; gives the address, 0 if there is none. */
static uint32_t lease(uint8_t client, const char *name)
{
    begin(client, DISCOVER);
    if (send_packet(client) != OFFER) {
        return 0;
    }
    uint32_t addr = yiaddr();

    begin(client, REQUEST);
    add32(OPT_WANTED, addr);
    add32(OPT_SERVER, SELF);
    if (name != NULL) {
        add(OPT_HOST_NAME, name, strlen(name));
    }
    assert_int_equal(send_packet(client), ACK);
    assert_int_equal(yiaddr(), addr);
    assert_int_equal(to, DHCPD_BROADCAST);
    return addr;
}

static uint8_t renew(uint8_t client, uint32_t addr)
{
    begin(client, REQUEST);
    put32(packet + 12, addr);
    return send_packet(client);
}

static uint32_t addr_of(const char *name)
{
    return hosts_addr(&hosts, name, strlen(name), now);
}

static void test_lease(void **state)
{
    (void)state;
    assert_int_equal(lease(1, "Alpha"), FIRST);
    assert_option32(OPT_SERVER, SELF);
    assert_option32(OPT_MASK, 0xffffff00);
    assert_option32(OPT_ROUTER, SELF);
    assert_option32(OPT_DNS, SELF);
    assert_option32(OPT_LEASE_TIME, LEASE_S);
    assert_option_text(OPT_DOMAIN, "lan");
    assert_option_text(OPT_HOST_NAME, "alpha");
    assert_int_equal(addr_of("alpha"), FIRST);
    assert_string_equal(hosts_name(&hosts, FIRST, now), "alpha");
    assert_int_equal(dhcpd.count.requests, 2);
    assert_int_equal(dhcpd.count.acks, 1);

    setup("ip=10.0.0.1/24");
    assert_int_equal(lease(1, NULL), NET + 128);
    size_t len;
    assert_null(option(OPT_ROUTER, &len));
    assert_null(option(OPT_HOST_NAME, &len));
    assert_option32(OPT_LEASE_TIME, 3600);
}

/* Where the files are for those that boot from the network: siaddr. */
static void test_boot_server(void **state)
{
    (void)state;
    assert_int_equal(lease(1, NULL), FIRST);
    assert_int_equal(get32(reply + 20), 0);
    dhcpd.boot = 0x0a000001;
    assert_int_equal(lease(1, NULL), FIRST);
    assert_int_equal(get32(reply + 20), 0x0a000001);
}

static void test_each_client_its_own(void **state)
{
    (void)state;
    assert_int_equal(lease(1, NULL), FIRST);
    assert_int_equal(lease(2, NULL), FIRST + 1);
    assert_int_equal(lease(3, NULL), FIRST + 2);
    assert_int_equal(lease(4, NULL), 0);
    assert_int_equal(dhcpd.count.refused, 1);
    assert_int_equal(lease(2, NULL), FIRST + 1);

    /* Whose lease has run out keeps the address until there is no other. */
    now += LEASE_S;
    assert_int_equal(lease(3, NULL), FIRST + 2);
    assert_int_equal(lease(4, NULL), FIRST);
    assert_int_equal(lease(2, NULL), FIRST + 1);
    assert_int_equal(lease(1, NULL), 0);
}

static void test_offer_ends(void **state)
{
    (void)state;
    for (uint8_t client = 1; client <= 3; client++) {
        begin(client, DISCOVER);
        assert_int_equal(send_packet(client), OFFER);
        assert_int_equal(yiaddr(), FIRST + client - 1);
    }
    begin(4, DISCOVER);
    assert_int_equal(send_packet(4), 0);
    now += HOSTS_OFFER_S;
    assert_int_equal(send_from(4), OFFER);

    /* Taking another server's offer gives ours back at once. */
    begin(4, REQUEST);
    add32(OPT_WANTED, FIRST);
    add32(OPT_SERVER, NET + 2);
    assert_int_equal(send_packet(4), 0);
    for (uint8_t client = 5; client <= 7; client++) {
        begin(client, DISCOVER);
        assert_int_equal(send_packet(client), OFFER);
    }
}

static void test_wanted(void **state)
{
    (void)state;
    begin(1, DISCOVER);
    add32(OPT_WANTED, FIRST + 2);
    assert_int_equal(send_packet(1), OFFER);
    assert_int_equal(yiaddr(), FIRST + 2);
    begin(2, DISCOVER); /* taken, or none of ours: something else */
    add32(OPT_WANTED, FIRST + 2);
    assert_int_equal(send_packet(2), OFFER);
    assert_int_equal(yiaddr(), FIRST);
    begin(3, DISCOVER);
    add32(OPT_WANTED, SELF);
    assert_int_equal(send_packet(3), OFFER);
    assert_int_equal(yiaddr(), FIRST + 1);
}

static void test_renew(void **state)
{
    (void)state;
    assert_int_equal(lease(1, "alpha"), FIRST);
    now += LEASE_S / 2;
    assert_int_equal(renew(1, FIRST), ACK);
    assert_int_equal(to, FIRST);
    assert_int_equal(yiaddr(), FIRST);
    assert_int_equal(get32(reply + 12), FIRST);
    now += LEASE_S - 1;
    assert_int_equal(addr_of("alpha"), FIRST);
    now += 1;
    assert_int_equal(addr_of("alpha"), 0);
    assert_int_equal(renew(1, FIRST), ACK); /* late, but nobody has taken it */
    assert_int_equal(addr_of("alpha"), FIRST);

    /* Of a server that has forgotten: free addresses are granted, others refused. */
    assert_int_equal(renew(2, FIRST + 1), ACK);
    assert_int_equal(renew(3, FIRST + 1), NAK);
    assert_int_equal(to, DHCPD_BROADCAST);
    assert_int_equal(yiaddr(), 0);
    assert_int_equal(renew(3, 0x0a000165), NAK);
    assert_int_equal(renew(3, SELF), NAK);
    assert_int_equal(renew(3, FIRST + 3), NAK);
    assert_int_equal(dhcpd.count.naks, 4);
    begin(3, REQUEST); /* neither ciaddr nor a wanted address */
    assert_int_equal(send_packet(3), NAK);

    /* Another address in place of the one it has. */
    begin(2, REQUEST);
    add32(OPT_WANTED, FIRST + 2);
    assert_int_equal(send_packet(2), ACK);
    assert_int_equal(lease(5, NULL), FIRST + 1);
}

/* A client that starts anew asks with DISCOVER: what it has stays its own meanwhile. */
static void test_discover_again(void **state)
{
    (void)state;
    assert_int_equal(lease(1, "alpha"), FIRST);
    begin(1, DISCOVER);
    assert_int_equal(send_packet(1), OFFER);
    assert_int_equal(yiaddr(), FIRST);
    now += HOSTS_OFFER_S;
    assert_int_equal(addr_of("alpha"), FIRST);
    now += LEASE_S;
    begin(1, DISCOVER); /* run out: this is an offer like any other */
    assert_int_equal(send_packet(1), OFFER);
    assert_int_equal(addr_of("alpha"), 0);
    assert_int_equal(renew(2, FIRST), NAK);
    now += HOSTS_OFFER_S;
    assert_int_equal(renew(2, FIRST), ACK);
}

static void test_release(void **state)
{
    (void)state;
    assert_int_equal(lease(1, "alpha"), FIRST);
    assert_int_equal(lease(2, NULL), FIRST + 1);
    begin(2, RELEASE); /* somebody else's */
    put32(packet + 12, FIRST);
    assert_int_equal(send_packet(2), 0);
    assert_int_equal(addr_of("alpha"), FIRST);
    begin(1, RELEASE); /* not the one that it has */
    put32(packet + 12, FIRST + 1);
    assert_int_equal(send_packet(1), 0);
    assert_int_equal(addr_of("alpha"), FIRST);
    begin(1, RELEASE);
    put32(packet + 12, FIRST);
    assert_int_equal(send_packet(1), 0);
    assert_int_equal(addr_of("alpha"), 0);
    assert_int_equal(lease(3, NULL), FIRST + 2); /* one that is new comes before */
    assert_int_equal(lease(4, NULL), FIRST);
    assert_null(hosts_name(&hosts, FIRST, now)); /* the name is not inherited */
}

static void test_decline(void **state)
{
    (void)state;
    assert_int_equal(lease(1, NULL), FIRST);
    begin(2, DECLINE); /* somebody else's */
    add32(OPT_WANTED, FIRST);
    assert_int_equal(send_packet(2), 0);
    assert_int_equal(renew(1, FIRST), ACK);
    begin(1, DECLINE);
    add32(OPT_WANTED, FIRST);
    assert_int_equal(send_packet(1), 0);
    assert_int_equal(renew(1, FIRST), NAK);
    assert_int_equal(renew(2, FIRST), NAK);
    assert_int_equal(lease(1, NULL), FIRST + 1);
    now += HOSTS_DECLINE_S;
    assert_int_equal(renew(1, FIRST + 1), ACK);
    begin(1, DISCOVER); /* what it has comes before what it had */
    assert_int_equal(send_packet(1), OFFER);
    assert_int_equal(yiaddr(), FIRST + 1);
    assert_int_equal(renew(2, FIRST), ACK);
}

static void decline(uint8_t client, uint32_t addr)
{
    begin(client, DECLINE);
    add32(OPT_WANTED, addr);
    assert_int_equal(send_packet(client), 0);
}

/* Only what was offered or given can be declined, and what others declined stays so. */
static void test_decline_what(void **state)
{
    (void)state;
    begin(1, DISCOVER);
    assert_int_equal(send_packet(1), OFFER);
    decline(1, FIRST);
    assert_int_equal(renew(2, FIRST), NAK);
    assert_int_equal(lease(2, NULL), FIRST + 1);
    begin(2, RELEASE);
    put32(packet + 12, FIRST + 1);
    send_packet(2);
    decline(2, FIRST + 1);
    assert_int_equal(renew(2, FIRST + 1), ACK);
    decline(2, FIRST + 1);
    assert_int_equal(renew(3, FIRST), NAK);
    assert_int_equal(renew(3, FIRST + 1), NAK);
    assert_int_equal(renew(3, FIRST + 2), ACK);
}

/* Who declines again and again keeps one address from the others, not all. */
static void test_decline_flood(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        uint32_t addr = lease(1, NULL);

        assert_int_not_equal(addr, 0);
        begin(1, DECLINE);
        add32(OPT_WANTED, addr);
        send_packet(1);
    }
    assert_int_not_equal(lease(2, NULL), 0);
    assert_int_not_equal(lease(3, NULL), 0);
}

static void test_inform(void **state)
{
    size_t len;

    (void)state;
    begin(1, INFORM);
    put32(packet + 12, NET + 9);
    assert_int_equal(send_packet(1), ACK);
    assert_int_equal(to, NET + 9);
    assert_int_equal(yiaddr(), 0);
    assert_option32(OPT_DNS, SELF);
    assert_null(option(OPT_LEASE_TIME, &len));
    begin(1, INFORM); /* answers go to nobody outside, and not to itself */
    put32(packet + 12, 0x08080808);
    assert_int_equal(send_packet(1), 0);
    put32(packet + 12, SELF);
    assert_int_equal(send_from(1), 0);
}

/* A name is the client's who came first, and never one of the fixed ones. */
static void test_names(void **state)
{
    (void)state;
    lease(1, "alpha");
    lease(2, "ALPHA.example.com");
    assert_int_equal(addr_of("alpha"), FIRST);
    assert_null(hosts_name(&hosts, FIRST + 1, now));
    lease(2, "printer");
    assert_int_equal(addr_of("printer"), NET + 9);
    assert_null(hosts_name(&hosts, FIRST + 1, now));
    lease(2, "netsvc");
    assert_int_equal(addr_of("netsvc"), SELF);
    lease(2, "beta.example.com");
    assert_int_equal(addr_of("beta"), FIRST + 1);
    lease(2, "<b>");
    assert_int_equal(addr_of("beta"), 0);
    assert_null(hosts_name(&hosts, FIRST + 1, now));
    lease(2, "AZ09az");
    assert_int_equal(addr_of("az09AZ"), FIRST + 1);
    lease(2, "-x");
    assert_null(hosts_name(&hosts, FIRST + 1, now));
    lease(2, "");
    assert_null(hosts_name(&hosts, FIRST + 1, now));

    /* Freed, taken by another, and not to be had back. */
    now += LEASE_S;
    lease(2, "alpha");
    assert_int_equal(addr_of("alpha"), FIRST + 1);
    assert_int_equal(renew(1, FIRST), ACK);
    assert_int_equal(addr_of("alpha"), FIRST + 1);
    assert_null(hosts_name(&hosts, FIRST, now));
}

static void test_longest_name(void **state)
{
    char name[65] = "";

    (void)state;
    memset(name, 'x', 64);
    lease(1, name);
    assert_null(hosts_name(&hosts, FIRST, now));
    name[63] = '\0';
    lease(1, name);
    assert_int_equal(addr_of(name), FIRST);
    assert_option_text(OPT_HOST_NAME, name);
}

static void assert_dropped(void)
{
    uint32_t dropped = dhcpd.count.dropped;

    assert_int_equal(send_from(1), 0);
    assert_int_equal(dhcpd.count.dropped, dropped + 1);
}

static void test_malformed(void **state)
{
    static const struct {
        size_t at;
        uint8_t value;
    } wrong[] = {{0, 2},  {1, 6},    {2, 16},     {27, 1}, {28, 3},
                 {33, 9}, {239, 98}, {241, 0xff}, {241, 2}};

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        begin(1, DISCOVER);
        packet[wrong[i].at] = wrong[i].value;
        assert_dropped();
    }
    begin(1, DISCOVER);
    size_t whole = packet_len;
    for (packet_len = 0; packet_len < whole; packet_len++) {
        assert_dropped();
    }
    begin(1, DISCOVER);
    add(OPT_WANTED, "\12\0\0", 3);
    assert_dropped();
    begin(1, DISCOVER);
    add(OPT_SERVER, "\12\0\0\1\1", 5);
    assert_dropped();
    begin(1, 9); /* well-formed, unknown */
    assert_int_equal(send_packet(1), 0);
    begin(1, DISCOVER); /* an empty option last, and no end */
    add(55, "", 0);
    assert_int_equal(send_from(1), OFFER);
    begin(1, DISCOVER); /* padding, and no end */
    memset(packet + packet_len, 0, 10);
    packet_len += 10;
    assert_int_equal(send_from(1), OFFER);
}

/* The largest pool: the sanitizer watches its ends. */
static void test_largest_pool(void **state)
{
    char name[] = "vm-aa";

    (void)state;
    setup("ip=10.0.0.1/16 pool=10.0.0.100-10.0.0.227");
    for (uint8_t client = 0; client < HOSTS_LEASES_MAX; client++) {
        name[3] = (char)('a' + client / 16);
        name[4] = (char)('a' + client % 16);
        assert_int_equal(lease(client, name), FIRST + client);
        assert_int_equal(addr_of(name), FIRST + client);
    }
    assert_int_equal(lease(HOSTS_LEASES_MAX, NULL), 0);
    assert_int_equal(renew(1, FIRST + HOSTS_LEASES_MAX), NAK);
    assert_null(hosts_name(&hosts, FIRST + HOSTS_LEASES_MAX, now));
    assert_int_equal(addr_of("vm-zz"), 0);
    decline(3, FIRST + 3);
    begin(4, RELEASE);
    put32(packet + 12, FIRST + 4);
    send_packet(4);
    assert_int_equal(lease(HOSTS_LEASES_MAX, NULL), FIRST + 4);
}

/* A relay, a group address as the sender's. */
static void test_false_sender(void **state)
{
    (void)state;
    begin(1, DISCOVER);
    assert_int_equal(send_from(2), 0);
    packet[28] = 3;
    assert_int_equal(dhcpd_answer(&dhcpd, packet, packet_len, packet + 28, now, reply, &to), 0);
    assert_int_equal(dhcpd.count.dropped, 2);
}

/* Of a pool with the server's and a fixed host's address in it those are never given away. */
static void test_taken_addresses(void **state)
{
    (void)state;
    setup("ip=10.0.0.1/24 pool=10.0.0.1-10.0.0.4 names=printer:10.0.0.3");
    assert_int_equal(lease(1, NULL), NET + 2);
    assert_int_equal(lease(2, NULL), NET + 4);
    assert_int_equal(lease(3, NULL), 0);
    assert_int_equal(renew(3, NET + 1), NAK);
    assert_int_equal(renew(3, NET + 3), NAK);
}

#define TEST(function) cmocka_unit_test_setup(function, setup_usual)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_lease),        TEST(test_boot_server),    TEST(test_each_client_its_own),
        TEST(test_offer_ends),   TEST(test_wanted),         TEST(test_renew),
        TEST(test_release),      TEST(test_decline),        TEST(test_decline_flood),
        TEST(test_inform),       TEST(test_discover_again), TEST(test_decline_what),
        TEST(test_largest_pool), TEST(test_names),          TEST(test_longest_name),
        TEST(test_malformed),    TEST(test_false_sender),   TEST(test_taken_addresses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
