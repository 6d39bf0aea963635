/* SPDX-License-Identifier: MIT */
/*
 * A DHCP server (RFC 2131, 2132) as a function from packet to packet. It knows of no sockets: what
 * comes with a packet besides its bytes is an argument. One CPU, no lock.
 *
 * Every byte of a request is the sender's, who may be hostile: it can get and keep one lease, for
 * the hardware address that its frames come from, and nothing of anybody else's.
 */
#ifndef GUEST_CONFIGS_NETSVC_DHCPD_H
#define GUEST_CONFIGS_NETSVC_DHCPD_H

#include <stddef.h>
#include <stdint.h>

#include "guest-configs/netsvc/hosts.h"

enum { DHCPD_PORT = 67, DHCPD_CLIENT_PORT = 68, DHCPD_REPLY_MAX = 548 };

#define DHCPD_BROADCAST 0xffffffffu

struct dhcpd_counters {
    uint32_t requests; /* well-formed ones of all kinds */
    uint32_t dropped;  /* malformed, of a false sender, or not meant for this server */
    uint32_t acks;
    uint32_t naks;
    uint32_t refused; /* no address left */
};

struct dhcpd {
    struct hosts *hosts;
    uint32_t lease_s;
    uint32_t router; /* 0: none */
    uint32_t boot;   /* who has the files for those that boot from the network; 0: nobody */
    struct dhcpd_counters count;
};

/*
 * Answers the request of len bytes that came in a frame from `sender`. The answer is put into
 * reply, which has room for DHCPD_REPLY_MAX bytes; its length is the result, 0 if there is none.
 * *to is the address that it goes to, port DHCPD_CLIENT_PORT.
 */
size_t dhcpd_answer(struct dhcpd *d, const uint8_t *request, size_t len, const uint8_t sender[6],
                    uint64_t now, uint8_t *reply, uint32_t *to);

#endif
