/* SPDX-License-Identifier: MIT */
/*
 * netsvc's DHCP, DNS and TFTP servers against whatever VMs send. What must hold at any time:
 * answers fit and are answers to what was asked, nobody holds two leases or keeps back more than
 * one address besides, no address that is somebody's for good is leased, names are valid and
 * nobody's twice, and DNS says of a lease what the table says.
 *
 * Input: the command line up to a NUL, then operations, each a byte and its arguments; see ops[].
 */
#include "guest-configs/netsvc/dhcpd.h"
#include "guest-configs/netsvc/dnsd.h"
#include "guest-configs/netsvc/settings.h"
#include "guest-configs/netsvc/tftpd.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { WORDS_MAX = 200, PACKET_MAX = 600, CLIENTS = 6 };

struct input {
    const uint8_t *p;
    size_t left;
};

static struct hosts hosts;
static struct dhcpd dhcpd;
static struct dnsd dnsd;
static struct tftpd tftpd;
static uint64_t now;

static uint8_t next(struct input *in)
{
    if (in->left == 0) {
        return 0;
    }
    in->left--;
    return *in->p++;
}

static void mac_of(uint8_t client, uint8_t mac[6])
{
    memset(mac, 0, 6);
    mac[0] = 2;
    mac[5] = client % CLIENTS;
}

static void put32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

/* Hands the packet over in memory of exactly its size, for the sanitizer to watch. */
static void send_dhcp(const uint8_t *packet, size_t len, const uint8_t mac[6])
{
    uint8_t *request = malloc(len + 1);
    uint8_t *reply = malloc(DHCPD_REPLY_MAX);
    uint32_t to = 0;

    memcpy(request + 1, packet, len);
    size_t n = dhcpd_answer(&dhcpd, request + 1, len, mac, now, reply, &to);

    assert(n <= DHCPD_REPLY_MAX);
    if (n != 0) {
        assert(n >= 300 && reply[0] == 2 && memcmp(reply + 4, packet + 4, 4) == 0);
        assert(memcmp(reply + 28, mac, 6) == 0);
        assert(to == DHCPD_BROADCAST || ((to ^ hosts.self) & hosts.mask) == 0);
    }
    free(request);
    free(reply);
}

static void op_dhcp_raw(struct input *in)
{
    uint8_t mac[6];
    size_t len = (size_t)next(in) << 1;

    mac_of(next(in), mac);
    len = len < in->left ? len : in->left;
    send_dhcp(in->p, len, mac);
    in->p += len;
    in->left -= len;
}

/* An address near the pool, or any. */
static uint32_t some_addr(struct input *in)
{
    uint8_t how = next(in);

    return how == 255 ? 0 : hosts.first - 2 + how % (hosts.lease_count + 4);
}

static uint8_t *put_option(uint8_t *p, uint8_t code, uint32_t value)
{
    p[0] = code;
    p[1] = 4;
    put32(p + 2, value);
    return p + 6;
}

/* Well-formed up to the options, which end in bytes of the input. */
static void op_dhcp(struct input *in)
{
    uint8_t packet[PACKET_MAX] = {1, 1, 6};
    uint8_t mac[6];
    uint8_t what = next(in);

    mac_of(next(in), mac);
    put32(packet + 4, now & 0xffffffff);
    memcpy(packet + 28, mac, 6);
    put32(packet + 236, 0x63825363);
    uint8_t *p = packet + 240;

    *p++ = 53;
    *p++ = 1;
    *p++ = what & 15;
    if (what & 16) {
        put32(packet + 12, some_addr(in));
    }
    if (what & 32) {
        p = put_option(p, 50, some_addr(in));
    }
    if (what & 64) {
        p = put_option(p, 54, hosts.self);
    }
    if (what & 128) {
        uint8_t len = next(in) % 80;

        *p++ = 12;
        *p++ = len;
        for (uint8_t i = 0; i < len; i++) {
            *p++ = next(in);
        }
    }
    send_dhcp(packet, (size_t)(p - packet), mac);
}

static size_t send_dns(const uint8_t *packet, size_t len, uint8_t *reply)
{
    uint8_t *query = malloc(len + 1);

    memcpy(query + 1, packet, len);
    size_t n = dnsd_answer(&dnsd, query + 1, len, now, reply);

    assert(n <= DNSD_REPLY_MAX);
    if (n != 0) {
        assert(n >= 17 && memcmp(reply, packet, 2) == 0 && (reply[2] & 0x80) != 0);
        assert(reply[4] == 0 && reply[5] == 1 && reply[6] == 0 && reply[7] <= 1);
    }
    free(query);
    return n;
}

static void op_dns_raw(struct input *in)
{
    uint8_t reply[DNSD_REPLY_MAX];
    size_t len = (size_t)next(in) << 1;

    len = len < in->left ? len : in->left;
    send_dns(in->p, len, reply);
    in->p += len;
    in->left -= len;
}

/* The name in the table, asked for, leads to its address. */
static void check_name(const char *name, uint32_t addr)
{
    uint8_t query[12 + 1 + HOSTS_NAME_MAX + 1 + 4] = {0, 7, 1, 0, 0, 1};
    uint8_t reply[DNSD_REPLY_MAX];
    uint8_t bytes[4];
    size_t len = strlen(name);

    query[12] = (uint8_t)len;
    memcpy(query + 13, name, len);
    memcpy(query + 13 + len, "\0\0\1\0\1", 5);
    put32(bytes, addr);
    size_t n = send_dns(query, 13 + len + 5, reply);

    assert(n == 13 + len + 5 + 16 && memcmp(reply + n - 4, bytes, 4) == 0);
}

/* What is sent is of the archive, in blocks of the right size. */
static void op_tftp(struct input *in)
{
    uint16_t port = next(in) % 20;
    size_t len = next(in);
    uint8_t *packet = malloc(len + 1);
    uint8_t *reply = malloc(TFTPD_REPLY_MAX);

    len = len < in->left ? len : in->left;
    memcpy(packet + 1, in->p, len);
    size_t n = tftpd_answer(&tftpd, 7, port, packet + 1, len, now, reply);

    assert(n <= TFTPD_REPLY_MAX && (n == 0 || (n >= 4 && reply[0] == 0)));
    for (uint32_t i = 0; i < TFTPD_TRANSFERS; i++) {
        const struct tftpd_transfer *x = &tftpd.transfer[i];

        assert(x->data == NULL ||
               (x->data >= tftpd.archive &&
                x->data + x->size <= tftpd.archive + tftpd.archive_size &&
                (uint64_t)x->acked * x->block_size <= x->size && x->block_size <= TFTPD_BLOCK_MAX));
    }
    free(packet);
    free(reply);
    in->p += len;
    in->left -= len;
}

/* Another archive: a piece of the input. */
static void op_archive(struct input *in)
{
    size_t len = (size_t)next(in) << 3;

    len = len < in->left ? len : in->left;
    tftpd = (struct tftpd){.archive = in->p, .archive_size = len};
    (void)tftpd_files(&tftpd);
    in->p += len;
    in->left -= len;
}

static void op_wait(struct input *in)
{
    uint8_t how = next(in);

    now += (uint64_t)(how & 63) << (how >> 6) * 4;
}

static bool is_active(const struct lease *l)
{
    return l->state != LEASE_FREE && now < l->until;
}

static void check_lease(uint32_t index)
{
    const struct lease *l = &hosts.leases[index];
    uint32_t addr = hosts.first + index;

    assert(addr != hosts.self);
    for (uint32_t i = 0; i < hosts.fixed_count; i++) {
        assert(hosts.fixed[i].addr != addr);
    }
    for (uint32_t i = 0; i < index; i++) {
        const struct lease *other = &hosts.leases[i];

        if (is_active(other) && memcmp(other->mac, l->mac, 6) == 0) {
            assert((other->state == LEASE_DECLINED) != (l->state == LEASE_DECLINED));
        }
    }
    if (l->state == LEASE_HELD && l->name[0] != '\0') {
        assert(hosts_name_ok(l->name, strlen(l->name)));
        check_name(l->name, addr);
    }
}

static void check(void)
{
    for (uint32_t i = 0; i < hosts.lease_count; i++) {
        if (is_active(&hosts.leases[i])) {
            check_lease(i);
        }
    }
    for (uint32_t i = 0; i < hosts.fixed_count; i++) {
        check_name(hosts.fixed[i].name, hosts.fixed[i].addr);
    }
}

static void (*const ops[])(struct input *in) = {op_dhcp, op_dhcp_raw, op_dns_raw,
                                                op_wait, op_tftp,     op_archive};

/* The settings of the input if they are good, else small ones. */
static void start(struct input *in)
{
    char words[WORDS_MAX + 1] = "";
    struct settings s;
    size_t len = 0;

    for (uint8_t c = next(in); c != '\0' && len < WORDS_MAX; c = next(in)) {
        words[len++] = (char)c;
    }
    if (settings_read(words, &s, &hosts) != NULL) {
        const char *wrong =
            settings_read("ip=10.0.0.1/24 pool=10.0.0.1-10.0.0.6 names=a:10.0.0.3", &s, &hosts);

        assert(wrong == NULL);
    }
    dhcpd = (struct dhcpd){.hosts = &hosts, .lease_s = s.lease_s, .router = s.router};
    dnsd = (struct dnsd){.hosts = &hosts};
    tftpd = (struct tftpd){.archive = NULL};
    now = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};

    start(&in);
    while (in.left != 0) {
        ops[next(&in) % (sizeof(ops) / sizeof(ops[0]))](&in);
        check();
    }
    return 0;
}
