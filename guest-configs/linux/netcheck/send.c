/* SPDX-License-Identifier: MIT */
/*
 * netcheck send: test frames made byte by byte, with the virtio header that the word line asks for.
 * Their IP addresses belong to nobody, so that no stack answers. What the kernel itself refuses (a
 * frame above the interface's MTU that is no super-frame, say) ends the command.
 */
#define _GNU_SOURCE
#include "netcheck.h"
#include "packet.h"

#include <errno.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

enum { MAX_TAGS = 4, MAX_DATA = 65535, MAX_HEADERS = 256, RAW_TYPE = 0x88b5 };
enum sum { SUM_FULL, SUM_PARTIAL, SUM_BAD };

struct spec {
    uint8_t proto; /* 0: no IP at all */
    unsigned type;
    size_t data;
    size_t gso; /* data in a segment; 0: no super-frame */
    enum sum sum;
    bool ecn;
    unsigned tags;
    unsigned tag_type[MAX_TAGS], tag_id[MAX_TAGS];
    struct ether_addr src, dst;
    size_t cut; /* length of the frame sent; 0: all of it */
    uint32_t seq;
    unsigned long count, gap;
};

static uint8_t buffer[MAX_DATA + MAX_HEADERS];

static size_t put_ethernet(const struct spec *s)
{
    size_t at = 12;

    memcpy(buffer, &s->dst, 6);
    memcpy(buffer + 6, &s->src, 6);
    for (unsigned i = 0; i < s->tags; i++, at += TAG) {
        put16(buffer + at, s->tag_type[i]);
        put16(buffer + at + 2, s->tag_id[i]);
    }
    put16(buffer + at, s->type);
    return at + 2;
}

static size_t put_ip(const struct spec *s, uint8_t *ip, size_t payload)
{
    if (s->type == TYPE_IP4) {
        memset(ip, 0, 20);
        ip[0] = 0x45;
        ip[1] = s->ecn ? 2 : 0;
        put16(ip + 2, (unsigned)(20 + payload));
        put16(ip + 4, s->seq & 0xffff);
        put16(ip + 6, 0x4000);
        ip[8] = 64;
        ip[9] = s->proto;
        put32(ip + 12, 0x0a090901);
        put32(ip + 16, 0x0a090902);
        put16(ip + 10, ~sum_fold(sum_bytes(ip, 20)) & 0xffff);
        return 20;
    }
    memset(ip, 0, 40);
    put32(ip, 0x60000000 | (s->ecn ? 2u << 20 : 0));
    put16(ip + 4, (unsigned)payload);
    ip[6] = s->proto;
    ip[7] = 64;
    ip[8] = ip[24] = 0xfd;
    ip[9] = ip[25] = 9;
    ip[23] = 1;
    ip[39] = 2;
    return 40;
}

static size_t put_l4(const struct spec *s, uint8_t *l4)
{
    put16(l4, TEST_PORT + 1);
    put16(l4 + 2, TEST_PORT);
    if (s->proto == PROTO_UDP) {
        put16(l4 + 4, (unsigned)(8 + s->data));
        put16(l4 + 6, 0);
        return 8;
    }
    memset(l4 + 4, 0, 16);
    put32(l4 + 4, s->seq);
    l4[12] = 5 << 4;
    l4[13] = (uint8_t)(TCP_ACK | TCP_PSH | (s->ecn ? TCP_CWR : 0));
    put16(l4 + 14, 0xffff);
    return 20;
}

/* The stream; every datagram begins with where it is in it. */
static void put_data(const struct spec *s, uint8_t *data)
{
    size_t datagram = s->gso != 0 ? s->gso : s->data;

    for (size_t i = 0; i < s->data; i++) {
        data[i] = stream_byte(s->seq + (uint32_t)i);
    }
    for (size_t i = 0; s->proto == PROTO_UDP && i + 4 <= s->data; i += datagram) {
        put32(data + i, s->seq + (uint32_t)i);
    }
}

static void put_sum(const struct spec *s, size_t len, struct virtio_net_hdr *h)
{
    struct packet p;

    packet_parse(&p, buffer, len);
    put16(buffer + p.csum, s->sum == SUM_PARTIAL ? packet_pseudo(&p) : packet_sum(&p));
    if (s->sum == SUM_BAD) {
        buffer[p.csum] ^= 0x55;
    } else if (s->sum == SUM_PARTIAL) {
        h->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
        h->csum_start = (uint16_t)p.l4;
        h->csum_offset = (uint16_t)(p.csum - p.l4);
    }
}

static void put_gso(const struct spec *s, size_t headers, struct virtio_net_hdr *h)
{
    if (s->gso == 0) {
        return;
    }
    h->gso_type = s->proto == PROTO_UDP ? VIRTIO_NET_HDR_GSO_UDP_L4
                  : s->type == TYPE_IP4 ? VIRTIO_NET_HDR_GSO_TCPV4
                                        : VIRTIO_NET_HDR_GSO_TCPV6;
    h->gso_type |= s->ecn ? VIRTIO_NET_HDR_GSO_ECN : 0;
    h->gso_size = (uint16_t)s->gso;
    h->hdr_len = (uint16_t)headers;
}

static size_t build(const struct spec *s, struct virtio_net_hdr *h)
{
    size_t at = put_ethernet(s);
    size_t l4 = s->proto == PROTO_UDP ? 8 : 20;

    *h = (struct virtio_net_hdr){0};
    if (s->proto == 0) {
        put_data(s, buffer + at);
        return at + s->data;
    }
    at += put_ip(s, buffer + at, l4 + s->data);
    at += put_l4(s, buffer + at);
    put_data(s, buffer + at);
    put_sum(s, at + s->data, h);
    put_gso(s, at, h);
    return at + s->data;
}

static bool parse_tags(struct spec *s, const char *text)
{
    char *end = (char *)text;

    for (; s->tags < MAX_TAGS && *end != '\0'; s->tags++) {
        s->tag_type[s->tags] = (unsigned)strtoul(end, &end, 16);
        if (*end != ':') {
            return false;
        }
        s->tag_id[s->tags] = (unsigned)strtoul(end + 1, &end, 0);
        end += *end == ',';
    }
    return *end == '\0';
}

static bool parse_kind(struct spec *s, const char *kind)
{
    static const struct {
        const char *name;
        uint8_t proto;
        unsigned type;
    } kinds[] = {
        {"tcp4", PROTO_TCP, TYPE_IP4}, {"tcp6", PROTO_TCP, TYPE_IP6}, {"udp4", PROTO_UDP, TYPE_IP4},
        {"udp6", PROTO_UDP, TYPE_IP6}, {"raw", 0, RAW_TYPE},
    };

    for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kind, kinds[i].name) == 0) {
            s->proto = kinds[i].proto;
            s->type = kinds[i].type;
            return true;
        }
    }
    return false;
}

static bool parse_sum(struct spec *s, const char *sum)
{
    s->sum = strcmp(sum, "partial") == 0 ? SUM_PARTIAL
             : strcmp(sum, "bad") == 0   ? SUM_BAD
                                         : SUM_FULL;
    return s->sum != SUM_FULL || strcmp(sum, "full") == 0;
}

static bool parse_mac(struct ether_addr *mac, const char *text)
{
    return ether_aton_r(text, mac) != NULL;
}

static bool parse_number(struct spec *s, const char *arg)
{
    const char *eq = strchr(arg, '=');
    unsigned long value = eq != NULL ? strtoul(eq + 1, NULL, 0) : 0;

    if (value_of(arg, "data") != NULL) {
        s->data = value;
    } else if (value_of(arg, "gso") != NULL) {
        s->gso = value;
    } else if (value_of(arg, "cut") != NULL) {
        s->cut = value;
    } else if (value_of(arg, "seq") != NULL) {
        s->seq = (uint32_t)value;
    } else if (value_of(arg, "count") != NULL) {
        s->count = value;
    } else if (value_of(arg, "gap") != NULL) {
        s->gap = value;
    } else {
        return false;
    }
    return s->data <= MAX_DATA;
}

static bool parse_word(struct spec *s, const char *arg)
{
    const char *value;

    if (strcmp(arg, "ecn") == 0) {
        s->ecn = true;
        return true;
    }
    if ((value = value_of(arg, "kind")) != NULL) {
        return parse_kind(s, value);
    }
    if ((value = value_of(arg, "csum")) != NULL) {
        return parse_sum(s, value);
    }
    if ((value = value_of(arg, "tags")) != NULL) {
        return parse_tags(s, value);
    }
    if ((value = value_of(arg, "src")) != NULL) {
        return parse_mac(&s->src, value);
    }
    if ((value = value_of(arg, "dst")) != NULL) {
        return parse_mac(&s->dst, value);
    }
    return parse_number(s, arg);
}

static bool send_all(struct spec *s, int sock, const struct sockaddr_ll *to)
{
    for (unsigned long i = 0; i < s->count; i++, s->seq += (uint32_t)s->data) {
        struct virtio_net_hdr h;
        size_t len = build(s, &h);
        struct iovec iov[] = {{&h, sizeof(h)},
                              {buffer, s->cut != 0 && s->cut < len ? s->cut : len}};
        struct msghdr msg = {
            .msg_name = (void *)to, .msg_namelen = sizeof(*to), .msg_iov = iov, .msg_iovlen = 2};
        while (sendmsg(sock, &msg, 0) < 0) {
            if (errno != ENOBUFS) {
                return false;
            }
            usleep(1000);
        }
        if (s->gap != 0) {
            usleep((useconds_t)s->gap);
        }
    }
    return true;
}

int run_send(char **args)
{
    static struct spec s = {.proto = PROTO_UDP, .type = TYPE_IP4, .data = 100, .count = 1};
    struct sockaddr_ll to;
    struct ifreq req = {0};
    int sock = packet_socket(args[0], &to);

    snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", args[0]);
    if (sock < 0 || ioctl(sock, SIOCGIFHWADDR, &req) != 0) {
        return failed(args[0]);
    }
    memcpy(&s.src, req.ifr_hwaddr.sa_data, 6);
    memset(&s.dst, 0xff, 6);
    for (char **arg = args + 1; *arg != NULL; arg++) {
        if (!parse_word(&s, *arg)) {
            errno = EINVAL;
            return failed(*arg);
        }
    }
    if (!send_all(&s, sock, &to)) {
        return failed("sendmsg");
    }
    printf("@@ SENT %lu\n", s.count);
    return 0;
}
