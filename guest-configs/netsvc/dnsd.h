/* SPDX-License-Identifier: MIT */
/*
 * A DNS server (RFC 1035) for the names of one network, as a function from packet to packet. It
 * knows of no sockets. One CPU, no lock.
 *
 * A and PTR queries are answered from the table of hosts, with and without its domain; of a name
 * that exists any other type is empty, any other name does not exist. It asks nobody else.
 */
#ifndef GUEST_CONFIGS_NETSVC_DNSD_H
#define GUEST_CONFIGS_NETSVC_DNSD_H

#include <stddef.h>
#include <stdint.h>

#include "guest-configs/netsvc/hosts.h"

enum { DNSD_PORT = 53, DNSD_REPLY_MAX = 512 };

struct dnsd_counters {
    uint32_t queries; /* well-formed ones */
    uint32_t dropped; /* malformed */
    uint32_t unknown; /* names that do not exist */
};

struct dnsd {
    const struct hosts *hosts;
    struct dnsd_counters count;
};

/* Answers the query of len bytes. The answer is put into reply, which has room for DNSD_REPLY_MAX
 * bytes; its length is the result, 0 if the query is malformed: then there is none. */
size_t dnsd_answer(struct dnsd *d, const uint8_t *query, size_t len, uint64_t now, uint8_t *reply);

#endif
