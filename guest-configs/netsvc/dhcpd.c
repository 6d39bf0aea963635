/* SPDX-License-Identifier: MIT */
/* See dhcpd.h. Options are read in one pass into struct request; what is wrong there drops it. */
#include "guest-configs/netsvc/dhcpd.h"

#include <string.h>

/* Offsets of RFC 2131 figure 1. */
enum {
    OP = 0,
    HTYPE = 1,
    HLEN = 2,
    XID = 4,
    FLAGS = 10,
    CIADDR = 12,
    YIADDR = 16,
    SIADDR = 20,
    GIADDR = 24,
    CHADDR = 28,
    COOKIE = 236,
    OPTIONS = 240,
};
enum { OP_REQUEST = 1, OP_REPLY = 2, ETHERNET = 1, MIN_LENGTH = 300 };
#define COOKIE_VALUE 0x63825363u

/* RFC 2132. */
enum {
    OPT_PAD = 0,
    OPT_MASK = 1,
    OPT_ROUTER = 3,
    OPT_DNS = 6,
    OPT_HOST_NAME = 12,
    OPT_DOMAIN = 15,
    OPT_WANTED = 50,
    OPT_LEASE_TIME = 51,
    OPT_TYPE = 53,
    OPT_SERVER = 54,
    OPT_END = 255,
};
enum {
    DISCOVER = 1,
    OFFER = 2,
    REQUEST = 3,
    DECLINE = 4,
    ACK = 5,
    NAK = 6,
    RELEASE = 7,
    INFORM = 8
};

struct request {
    const uint8_t *mac;
    const char *name; /* the client's own, not terminated */
    size_t name_len;
    uint32_t ciaddr;
    uint32_t wanted; /* 0 for none, as server */
    uint32_t server;
    uint8_t type;
};

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put32(uint8_t *p, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++) {
        p[i] = (uint8_t)(v >> (24 - 8 * i));
    }
}

/* The part before the first dot: some clients send their whole domain name. */
static void read_name(struct request *r, const uint8_t *value, size_t len)
{
    r->name = (const char *)value;
    for (r->name_len = 0; r->name_len < len && value[r->name_len] != '.' && value[r->name_len];) {
        r->name_len++;
    }
}

static bool read_option(struct request *r, uint8_t code, const uint8_t *value, uint8_t len)
{
    switch (code) {
    case OPT_TYPE:
        r->type = len == 1 ? value[0] : 0;
        return len == 1;
    case OPT_WANTED:
        r->wanted = len == 4 ? get32(value) : 0;
        return len == 4;
    case OPT_SERVER:
        r->server = len == 4 ? get32(value) : 0;
        return len == 4;
    case OPT_HOST_NAME:
        read_name(r, value, len);
        return true;
    default:
        return true;
    }
}

static bool read_options(struct request *r, const uint8_t *p, size_t len)
{
    for (size_t at = 0; at < len && p[at] != OPT_END;) {
        if (p[at] == OPT_PAD) {
            at++;
            continue;
        }
        if (len - at < 2 || len - at - 2 < p[at + 1] ||
            !read_option(r, p[at], p + at + 2, p[at + 1])) {
            return false;
        }
        at += 2u + p[at + 1];
    }
    return r->type != 0;
}

/* Requests of relays are refused, as is whoever asks for another one than himself. */
static bool read_request(struct request *r, const uint8_t *p, size_t len, const uint8_t sender[6])
{
    *r = (struct request){.mac = p + CHADDR};
    if (len < OPTIONS || p[OP] != OP_REQUEST || p[HTYPE] != ETHERNET || p[HLEN] != 6 ||
        get32(p + GIADDR) != 0 || get32(p + COOKIE) != COOKIE_VALUE ||
        memcmp(p + CHADDR, sender, 6) != 0 || (sender[0] & 1) != 0) {
        return false;
    }
    r->ciaddr = get32(p + CIADDR);
    return read_options(r, p + OPTIONS, len - OPTIONS);
}

static uint8_t *put_option(uint8_t *p, uint8_t code, const void *value, size_t len)
{
    p[0] = code;
    p[1] = (uint8_t)len;
    memcpy(p + 2, value, len);
    return p + 2 + len;
}

static uint8_t *put_number(uint8_t *p, uint8_t code, uint32_t value)
{
    uint8_t bytes[4];

    put32(bytes, value);
    return put_option(p, code, bytes, sizeof(bytes));
}

/* Header and the options of every answer; gives where more may follow. */
static uint8_t *begin(const struct dhcpd *d, uint8_t *reply, const uint8_t *request, uint8_t type)
{
    memset(reply, 0, DHCPD_REPLY_MAX);
    memcpy(reply, request, 8); /* op to xid */
    reply[OP] = OP_REPLY;
    reply[3] = 0; /* hops */
    memcpy(reply + FLAGS, request + FLAGS, 2);
    memcpy(reply + CHADDR, request + CHADDR, 6);
    put32(reply + COOKIE, COOKIE_VALUE);
    uint8_t *p = put_option(reply + OPTIONS, OPT_TYPE, &type, 1);

    return put_number(p, OPT_SERVER, d->hosts->self);
}

/* What a client needs to know of the network. addr: the one that it has or gets. */
static uint8_t *put_network(const struct dhcpd *d, uint8_t *p, uint32_t addr, uint64_t now)
{
    const struct hosts *h = d->hosts;
    const char *name = hosts_name(h, addr, now);

    p = put_number(p, OPT_MASK, h->mask);
    p = put_number(p, OPT_DNS, h->self);
    if (d->router != 0) {
        p = put_number(p, OPT_ROUTER, d->router);
    }
    if (h->domain[0] != '\0') {
        p = put_option(p, OPT_DOMAIN, h->domain, strlen(h->domain));
    }
    if (name != NULL) {
        p = put_option(p, OPT_HOST_NAME, name, strlen(name));
    }
    return p;
}

static size_t end(uint8_t *reply, uint8_t *p)
{
    *p++ = OPT_END;
    return p - reply < MIN_LENGTH ? MIN_LENGTH : (size_t)(p - reply);
}

static size_t give(const struct dhcpd *d, uint8_t *reply, uint8_t *p, uint32_t addr, uint64_t now)
{
    put32(reply + YIADDR, addr);
    put32(reply + SIADDR, d->boot);
    p = put_number(p, OPT_LEASE_TIME, d->lease_s);
    return end(reply, put_network(d, p, addr, now));
}

static size_t refuse(struct dhcpd *d, const uint8_t *request, uint8_t *reply)
{
    d->count.naks++;
    return end(reply, begin(d, reply, request, NAK));
}

/*
 * RFC 2131 section 4.3.2. This is the one server of its network, so it says no where the RFC lets
 * a server be silent about leases that it has not heard of; those that are free it grants, which
 * carries clients over a restart of the server.
 */
static size_t take(struct dhcpd *d, const struct request *r, const uint8_t *request, uint64_t now,
                   uint8_t *reply)
{
    uint32_t addr = r->ciaddr != 0 ? r->ciaddr : r->wanted;

    if (r->server != 0 && r->server != d->hosts->self) {
        hosts_release(d->hosts, r->mac, 0); /* it has taken the offer of another server */
        return 0;
    }
    if (!hosts_take(d->hosts, r->mac, addr, now, now + d->lease_s)) {
        return refuse(d, request, reply);
    }
    if (r->name != NULL) {
        hosts_rename(d->hosts, addr, r->name, r->name_len, now);
    }
    d->count.acks++;
    uint8_t *p = begin(d, reply, request, ACK);

    put32(reply + CIADDR, r->ciaddr);
    return give(d, reply, p, addr, now);
}

static size_t offer(struct dhcpd *d, const struct request *r, const uint8_t *request, uint64_t now,
                    uint8_t *reply)
{
    uint32_t addr = hosts_offer(d->hosts, r->mac, r->wanted, now);

    if (addr == 0) {
        d->count.refused++;
        return 0;
    }
    return give(d, reply, begin(d, reply, request, OFFER), addr, now);
}

static size_t inform(struct dhcpd *d, const struct request *r, const uint8_t *request, uint64_t now,
                     uint8_t *reply)
{
    uint8_t *p = begin(d, reply, request, ACK);

    if (((r->ciaddr ^ d->hosts->self) & d->hosts->mask) != 0 || r->ciaddr == d->hosts->self) {
        return 0;
    }
    d->count.acks++;
    put32(reply + CIADDR, r->ciaddr);
    return end(reply, put_network(d, p, r->ciaddr, now));
}

size_t dhcpd_answer(struct dhcpd *d, const uint8_t *request, size_t len, const uint8_t sender[6],
                    uint64_t now, uint8_t *reply, uint32_t *to)
{
    struct request r;

    if (!read_request(&r, request, len, sender)) {
        d->count.dropped++;
        return 0;
    }
    d->count.requests++;
    /* Section 4.1: a client without an address cannot answer ARP, but hears a broadcast. */
    *to = r.type != DISCOVER && r.ciaddr != 0 ? r.ciaddr : DHCPD_BROADCAST;
    switch (r.type) {
    case DISCOVER:
        return offer(d, &r, request, now, reply);
    case REQUEST: {
        size_t answer = take(d, &r, request, now, reply);

        if (answer != 0 && get32(reply + YIADDR) == 0) {
            *to = DHCPD_BROADCAST; /* a NAK */
        }
        return answer;
    }
    case INFORM:
        return inform(d, &r, request, now, reply);
    case RELEASE:
        hosts_release(d->hosts, r.mac, r.ciaddr);
        return 0;
    case DECLINE:
        hosts_decline(d->hosts, r.mac, r.wanted, now);
        return 0;
    default:
        return 0;
    }
}
