/* SPDX-License-Identifier: MIT */
/* See ping.h. */
#include "tests/guests/lib/ping.h"

#include <stddef.h>

#include "tests/guests/lib/net.h"
#include "tests/guests/lib/prng.h"
#include "tests/guests/lib/string.h"

enum { PING_HEADER = offsetof(struct ping, payload), MIN_FRAME = 60 };

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
    static struct ping p;

    memset(p.to, 0xff, sizeof(p.to));
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

uint32_t ping_receive(struct ping *p, bool *intact)
{
    uint32_t len;

    do {
        len = net_receive(p, sizeof(*p));
    } while (len && (len < PING_HEADER || memcmp(p->ethertype, ethertype, sizeof(ethertype)) != 0 ||
                     memcmp(p->magic, magic, sizeof(magic)) != 0));
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
