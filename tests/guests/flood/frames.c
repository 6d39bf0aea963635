/* SPDX-License-Identifier: MIT */
/*
 * The flood guest's frames: right ones in great number, and wrong ones of every kind.  Each
 * function fills the whole transmit ring.  A buffer begins with the header of virtio-net
 * (VIRTIO 1.2 section 5.1.6).
 */
#include "tests/guests/flood/flood.h"
#include "tests/guests/lib/bootargs.h"
#include "tests/guests/lib/net.h"
#include "tests/guests/lib/ping.h"
#include "tests/guests/lib/string.h"

enum { HDR_NEEDS_CSUM = 1, GSO_TCPV4 = 1, TCP_CSUM = 16 };
enum { ETHERNET = 14, IPV4 = 20, TCP = 20, SHORTEST = 60, SUPER = 65000, SUPER_MSS = 1448 };

struct flood_target target;

static const uint8_t everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static void put16(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

/* Header and addresses; gives where the frame begins. */
static uint8_t *begin(uint8_t *buffer, const uint8_t *to, const uint8_t *from, uint32_t type)
{
    uint8_t *frame = buffer + NET_HEADER;

    memset(buffer, 0, NET_HEADER + SHORTEST);
    memcpy(frame, to, 6);
    memcpy(frame + 6, from, 6);
    put16(frame + 12, type);
    return frame;
}

static void fill(const uint8_t *to, uint32_t len)
{
    begin(nic_buffer(0), to, nic_mac, 0x88b6);
    for (uint32_t i = 0; i < nic_tx_size; i++) {
        nic_entry(i, nic_buffer(0), NET_HEADER + len);
    }
}

static uint32_t wanted_len(void)
{
    return (uint32_t)bootargs_number("len", SHORTEST);
}

void frames_unicast(struct prng *random)
{
    (void)random;
    fill(target.victim, wanted_len());
}

void frames_broadcast(struct prng *random)
{
    (void)random;
    fill(everybody, wanted_len());
}

void frames_unknown(struct prng *random)
{
    for (uint32_t i = 0; i < nic_tx_size; i++) {
        uint8_t to[6] = {0x02, 0xde, 0xad};

        put16(to + 3, (uint32_t)prng_next(random));
        begin(nic_buffer(i), to, nic_mac, 0x88b6);
        nic_entry(i, nic_buffer(i), NET_HEADER + SHORTEST);
    }
}

/* An answer as the victim expects it, from whom it expects it, but for what is in it. */
static void forge(uint8_t *buffer, struct prng *random)
{
    struct ping *p = (struct ping *)begin(buffer, target.victim, target.other, 0x88b5);

    memcpy(p->magic, "munt", sizeof(p->magic));
    p->kind = PING_REPLY;
    p->seq = prng_below(random, 1000);
    p->len = SHORTEST;
    memset(p->payload, 0x5a, SHORTEST);
}

static uint32_t malformed(uint8_t *buffer, struct prng *random)
{
    static const uint8_t nobody[6];
    const uint8_t *to = prng_below(random, 2) ? target.victim : everybody;
    uint8_t *frame;

    switch (prng_below(random, 8)) {
    case 0: /* truncated */
        begin(buffer, to, nic_mac, 0x0800);
        return prng_below(random, NET_HEADER + ETHERNET);
    case 1: /* giant */
        begin(buffer, to, nic_mac, 0x0800);
        return NET_HEADER + NET_MAX_FRAME + 1 + prng_below(random, FLOOD_BUFFER - 2000);
    case 2: /* tagged twice */
        frame = begin(buffer, to, nic_mac, prng_below(random, 2) ? 0x8100 : 0x88a8);
        put16(frame + 14, prng_below(random, 4096));
        put16(frame + 16, 0x8100);
        put16(frame + 18, 10);
        return NET_HEADER + ETHERNET + prng_below(random, SHORTEST);
    case 3: /* tagged */
        frame = begin(buffer, to, nic_mac, 0x8100);
        put16(frame + 14, 10);
        return NET_HEADER + SHORTEST;
    case 4:
        forge(buffer, random);
        return NET_HEADER + ETHERNET + 20 + SHORTEST;
    case 5:
        begin(buffer, to, everybody, 0x0800);
        return NET_HEADER + SHORTEST;
    case 6:
        begin(buffer, to, nobody, 0x0800);
        return NET_HEADER + SHORTEST;
    default: /* to itself, from the victim */
        begin(buffer, nic_mac, target.victim, 0x0800);
        return NET_HEADER + SHORTEST;
    }
}

void frames_malformed(struct prng *random)
{
    uint32_t len[FLOOD_BUFFERS];

    for (uint32_t i = 0; i < FLOOD_BUFFERS; i++) {
        len[i] = malformed(nic_buffer(i), random);
    }
    for (uint32_t i = 0; i < nic_tx_size; i++) {
        nic_entry(i, nic_buffer(i), len[i % FLOOD_BUFFERS]);
    }
}

/* A TCP super-frame over IPv4, right in all that a switch looks at. */
static void super(uint8_t *buffer, const uint8_t *to, uint32_t len, uint32_t mss)
{
    uint8_t *frame = begin(buffer, to, nic_mac, 0x0800);
    uint8_t *ip = frame + ETHERNET, *tcp = ip + IPV4;

    ip[0] = 0x45;
    put16(ip + 2, len - ETHERNET);
    ip[8] = 64;
    ip[9] = 6;
    tcp[12] = (TCP / 4) << 4;
    buffer[0] = HDR_NEEDS_CSUM;
    buffer[1] = GSO_TCPV4;
    ((uint16_t *)buffer)[1] = ETHERNET + IPV4 + TCP;
    ((uint16_t *)buffer)[2] = (uint16_t)mss;
    ((uint16_t *)buffer)[3] = ETHERNET + IPV4;
    ((uint16_t *)buffer)[4] = TCP_CSUM;
}

static void fill_super(const uint8_t *to)
{
    uint32_t mss = (uint32_t)bootargs_number("mss", SUPER_MSS);
    uint32_t len = (uint32_t)bootargs_number("len", SUPER);

    super(nic_buffer(0), to, len, mss);
    for (uint32_t i = 0; i < nic_tx_size; i++) {
        nic_entry(i, nic_buffer(0), NET_HEADER + len);
    }
}

void frames_super(struct prng *random)
{
    (void)random;
    fill_super(target.victim);
}

void frames_super_broadcast(struct prng *random)
{
    (void)random;
    fill_super(everybody);
}

/* Super-frames of which a field or two make no sense. */
void frames_headers(struct prng *random)
{
    uint32_t len[FLOOD_BUFFERS];

    for (uint32_t i = 0; i < FLOOD_BUFFERS; i++) {
        uint8_t *buffer = nic_buffer(i);

        len[i] = ETHERNET + IPV4 + TCP + prng_below(random, SUPER);
        super(buffer, target.victim, len[i], 1 + prng_below(random, SUPER_MSS));
        for (uint32_t n = prng_below(random, 3); n < 3; n++) {
            buffer[prng_below(random, 10)] = (uint8_t)prng_next(random);
        }
        if (prng_below(random, 4) == 0) {
            buffer[NET_HEADER + ETHERNET + prng_below(random, IPV4 + TCP)] =
                (uint8_t)prng_next(random);
        }
    }
    for (uint32_t i = 0; i < nic_tx_size; i++) {
        nic_entry(i, nic_buffer(i), NET_HEADER + len[i % FLOOD_BUFFERS]);
    }
}

/* Frames in as many pieces as a chain may have, of a byte or two. */
void frames_splinters(struct prng *random)
{
    uint32_t len = NET_HEADER + SHORTEST, chains = nic_tx_size / FLOOD_CHAIN;
    uint8_t *buffer = nic_buffer(0);

    (void)random;
    begin(buffer, target.victim, nic_mac, 0x88b6);
    for (uint32_t i = 0; i < nic_tx_size; i++) {
        uint32_t nth = i % FLOOD_CHAIN, at = nth < FLOOD_CHAIN - 1 ? nth : FLOOD_CHAIN - 1;
        bool last = nth == FLOOD_CHAIN - 1;

        nic_tx->desc[i] = (struct virtq_desc){(uint64_t)(buffer + at), last ? len - at : 1,
                                              (uint16_t)(last ? 0 : DESC_NEXT), (uint16_t)(i + 1)};
        nic_tx->avail.ring[i] = (uint16_t)(i % chains * FLOOD_CHAIN); /* each is offered often */
    }
}
