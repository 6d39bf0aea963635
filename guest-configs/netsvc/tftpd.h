/* SPDX-License-Identifier: MIT */
/*
 * A read-only TFTP server (RFC 1350, with the options blksize and tsize of RFC 2348 and 2349), as a
 * function from packet to packet, for firmware that boots from the network. It knows of no sockets.
 * One CPU, no lock.
 *
 * Its files are the members of a cpio archive (newc, as of `cpio -o -H newc` or `muntin pack`) in
 * memory. It sends nothing by itself: a client that misses a block asks again, as RFC 1350 lets it.
 */
#ifndef GUEST_CONFIGS_NETSVC_TFTPD_H
#define GUEST_CONFIGS_NETSVC_TFTPD_H

#include <stddef.h>
#include <stdint.h>

enum {
    TFTPD_PORT = 69,
    TFTPD_BLOCK_MAX = 1468, /* what an Ethernet frame has room for */
    TFTPD_REPLY_MAX = TFTPD_BLOCK_MAX + 4,
    TFTPD_TRANSFERS = 16,
    TFTPD_IDLE_S = 10, /* so long a silent client keeps its place when others want one */
};

struct tftpd_transfer {
    const uint8_t *data; /* NULL: a free place */
    size_t size;
    uint32_t addr; /* of the client */
    uint16_t port;
    uint16_t block_size;
    uint32_t acked; /* blocks that the client has; those on the wire count modulo 65536 */
    uint64_t heard; /* when a packet of it was of use */
};

struct tftpd_counters {
    uint32_t requests; /* for a file that there is */
    uint32_t done;     /* files whose last block was acknowledged */
    uint32_t dropped;  /* malformed packets, or none of a transfer */
};

struct tftpd {
    const uint8_t *archive; /* NULL: no files */
    size_t archive_size;
    struct tftpd_transfer transfer[TFTPD_TRANSFERS];
    struct tftpd_counters count;
};

/* How many files the archive has. */
uint32_t tftpd_files(const struct tftpd *t);

/* Answers the packet of len bytes from addr and port, at `now`, seconds. The answer is put into
 * reply, which has room for TFTPD_REPLY_MAX bytes; its length is the result, 0 for none. */
size_t tftpd_answer(struct tftpd *t, uint32_t addr, uint16_t port, const uint8_t *packet,
                    size_t len, uint64_t now, uint8_t *reply);

#endif
