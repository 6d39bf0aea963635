/* SPDX-License-Identifier: MIT */
/*
 * A capture of frames as lines of text: how it leaves over a console, and what `muntin pcap` makes
 * a file of. Written by the target, read by the host tool; pure functions.
 *
 *     MPCAP1 KIND SEQUENCE BASE64 CRC
 *
 * KIND is one letter, below. SEQUENCE counts the lines of one capture from 0, 8 hex digits. BASE64
 * are 1 to PCAP_PIECE bytes. CRC is the CRC-32 (of zlib, Ethernet) of all in front of its blank,
 * 8 hex digits. What stands before or behind it on the line, and any line without it, is somebody
 * else's. Together the bytes are a classic pcap file, little-endian, with nanoseconds; each record
 * begins with a line of its own, so that a line lost costs one frame.
 */
#ifndef CORE_PCAP_TEXT_H
#define CORE_PCAP_TEXT_H

#include "core/types.h"

#define PCAP_MARK     "MPCAP1 "
#define PCAP_PIECE    144u /* bytes in one line */
#define PCAP_LINE     240u /* room for any line */
#define PCAP_HEADER   24u  /* of a file */
#define PCAP_RECORD   16u  /* header of a record */
#define PCAP_SNAP     65535u
#define PCAP_ETHERNET 1u /* the link type */

enum pcap_kind {
    PCAP_BEGIN = 'b', /* the file's header, then the port's name */
    PCAP_FIRST = 'r', /* a record: its header, and as much of the frame as goes in */
    PCAP_MORE = 'm',  /* the rest of it, in order */
    PCAP_END = 'e',   /* how many records there were, 4 bytes */
};

struct pcap_line {
    u8 kind; /* enum pcap_kind */
    u32 seq;
    u32 len;
    u8 data[PCAP_PIECE];
};

/* The line, NUL and no line end behind it; its length. len is 1..PCAP_PIECE. */
u32 pcap_line_write(const struct pcap_line *l, char text[PCAP_LINE]);

/*
 * Finds a sound line in text, which ends where the console's line does. False: there's none; *torn
 * says whether there were remains of one.
 */
bool pcap_line_read(struct str text, struct pcap_line *l, bool *torn) MUST_CHECK;

/* PCAP_HEADER bytes; then of a frame of `len` bytes of which `kept` follow, PCAP_RECORD bytes. */
void pcap_file_header(u8 *b);
void pcap_record_header(u8 *b, u64 ns, u32 kept, u32 len);

static inline void pcap_put32(u8 *b, u32 v)
{
    for (u32 i = 0; i < 4; i++) {
        b[i] = (u8)(v >> (8 * i));
    }
}

static inline u32 pcap_get32(const u8 *b)
{
    return b[0] | (u32)b[1] << 8 | (u32)b[2] << 16 | (u32)b[3] << 24;
}

#endif
