/* SPDX-License-Identifier: MIT */
/*
 * A capture of frames as lines of text (core/textline.h): how it leaves over a console, and what
 * `muntin pcap` makes a file of. Together the bytes are a classic pcap file, little-endian, with
 * nanoseconds; each record begins with a line of its own, so that a line lost costs one frame.
 */
#ifndef CORE_PCAP_TEXT_H
#define CORE_PCAP_TEXT_H

#include "core/types.h"

#define PCAP_MARK     "MPCAP1 "
#define PCAP_HEADER   24u /* of a file */
#define PCAP_RECORD   16u /* header of a record */
#define PCAP_SNAP     65535u
#define PCAP_ETHERNET 1u /* the link type */

enum pcap_kind {
    PCAP_BEGIN = 'b', /* the file's header, then the port's name */
    PCAP_FIRST = 'r', /* a record: its header, and as much of the frame as goes in */
    PCAP_MORE = 'm',  /* the rest of it, in order */
    PCAP_END = 'e',   /* how many records there were, 4 bytes */
};

/* PCAP_HEADER bytes; then of a frame of `len` bytes of which `kept` follow, PCAP_RECORD bytes. */
void pcap_file_header(u8 *b);
void pcap_record_header(u8 *b, u64 ns, u32 kept, u32 len);

#endif
