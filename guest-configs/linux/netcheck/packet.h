/* SPDX-License-Identifier: MIT */
/*
 * Frames as netcheck reads and writes them: what is in one, whether every checksum in it is right,
 * and the contents of its own test frames. Plain bytes; knows nothing of sockets.
 */
#ifndef NETCHECK_PACKET_H
#define NETCHECK_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ETHERNET = 14,
    TAG = 4,
    MAX_FRAME = 1 << 17,
    TYPE_IP4 = 0x0800,
    TYPE_IP6 = 0x86dd,
    TYPE_VLAN = 0x8100,
    TYPE_QINQ = 0x88a8,
    PROTO_ICMP = 1,
    PROTO_TCP = 6,
    PROTO_UDP = 17,
    PROTO_ICMP6 = 58,
    TCP_FIN = 0x01,
    TCP_PSH = 0x08,
    TCP_ACK = 0x10,
    TCP_CWR = 0x80,
    TEST_PORT = 19790, /* the destination port of test frames */
};

struct packet {
    const uint8_t *frame;
    size_t len;
    unsigned tags; /* VLAN tags in the frame itself */
    unsigned type; /* behind the tags */
    bool broken;   /* a header says more than is there, or IPv4's own checksum is wrong */
    bool fragment; /* the rest is elsewhere: nothing about proto can be checked */
    uint8_t proto; /* of IPv4 or IPv6; 0: none of these */
    size_t l3, l4; /* offsets in the frame */
    size_t l4_len; /* as the IP header says */
    size_t csum;   /* offset of the checksum of TCP, UDP or ICMP; 0: it has none */
    size_t data;   /* offset of what TCP or UDP carries */
    size_t data_len;
};

static inline unsigned get16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static inline uint32_t get32(const uint8_t *p)
{
    return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static inline void put16(uint8_t *p, unsigned value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

static inline void put32(uint8_t *p, uint32_t value)
{
    put16(p, value >> 16);
    put16(p + 2, value & 0xffff);
}

/* Fills *p from the frame, which has to stay. */
void packet_parse(struct packet *p, const uint8_t *frame, size_t len);

/* The folded sum of the pseudo header: what a partial checksum has to be. */
unsigned packet_pseudo(const struct packet *p);

/* Is the checksum of TCP, UDP or ICMP right, computed over all of it? True where there is none. */
bool packet_sum_right(const struct packet *p);

/* The complement of the sum of the header and data from offset on: what a full checksum has to be.
 */
unsigned packet_sum(const struct packet *p);

/* The one's complement sum of these bytes, not folded. */
uint64_t sum_bytes(const uint8_t *p, size_t len);
unsigned sum_fold(uint64_t sum);

/* The stream that test frames carry: byte `offset` of it. */
static inline uint8_t stream_byte(uint32_t offset)
{
    return (uint8_t)((offset * 2654435761u) >> 24);
}

#endif
