/* SPDX-License-Identifier: MIT */
/* See ping.h. */
#include "tests/guests/lib/ping.h"

#include <stddef.h>

#include "tests/guests/lib/net.h"
#include "tests/guests/lib/prng.h"
#include "tests/guests/lib/string.h"

enum { PING_HEADER = offsetof(struct ping, payload), MIN_FRAME = 60 };

uint32_t ping_others;

static const uint8_t ethertype[2] = {0x88, 0xb5};
static const uint8_t magic[4] = {'m', 'u', 'n', 't'};

static uint8_t payload_byte(uint32_t seq, uint32_t i)
{
    return (uint8_t)((seq + i) * 0x9e3779b1u >> 24);
}

static uint32_t frame_len(const struct ping *p)
{
    return PING_HEADER + p->len < MIN_FRAME ? MIN_FRAME : PING_HEADER + p->len;
}

bool ping_send(uint32_t seq, uint32_t len)
{
    static const uint8_t everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

    return ping_send_to(everybody, seq, len);
}

bool ping_send_to(const uint8_t *mac, uint32_t seq, uint32_t len)
{
    static struct ping p;

    memcpy(p.to, mac, sizeof(p.to));
    memcpy(p.from, net_mac, sizeof(p.from));
    memcpy(p.ethertype, ethertype, sizeof(ethertype));
    memcpy(p.magic, magic, sizeof(magic));
    p.kind = PING_REQUEST;
    p.seq = seq;
    p.len = len;
    for (uint32_t i = 0; i < len; i++) {
        p.payload[i] = payload_byte(seq, i);
    }
    return net_send(&p, frame_len(&p));
}

static bool is_intact(const struct ping *p, uint32_t len)
{
    if (p->len > PING_MAX_PAYLOAD || len != frame_len(p)) {
        return false;
    }
    for (uint32_t i = 0; i < p->len; i++) {
        if (p->payload[i] != payload_byte(p->seq, i)) {
            return false;
        }
    }
    return true;
}

static bool is_ping(const struct ping *p, uint32_t len)
{
    return len >= PING_HEADER && memcmp(p->ethertype, ethertype, sizeof(ethertype)) == 0 &&
           memcmp(p->magic, magic, sizeof(magic)) == 0;
}

uint32_t ping_receive(struct ping *p, bool *intact)
{
    uint32_t len = net_receive(p, sizeof(*p));

    while (len && !is_ping(p, len)) {
        ping_others++;
        len = net_receive(p, sizeof(*p));
    }
    *intact = len && is_intact(p, len);
    return len ? p->kind : 0;
}

bool ping_reply(struct ping *p)
{
    memcpy(p->to, p->from, sizeof(p->to));
    memcpy(p->from, net_mac, sizeof(p->from));
    p->kind = PING_REPLY;
    return net_send(p, frame_len(p));
}
