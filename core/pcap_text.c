/* SPDX-License-Identifier: MIT */
/* The headers of pcap, as a capture's lines carry them. Pure functions. */
#include "core/pcap_text.h"

#include "core/textline.h"

#define NS_PER_S 1000000000u
#define MAGIC_NS 0xa1b23c4du /* nanoseconds, in the byte order of the file */

void pcap_file_header(u8 *b)
{
    const u32 words[PCAP_HEADER / 4] = {MAGIC_NS, 2 | 4 << 16, 0, 0, PCAP_SNAP, PCAP_ETHERNET};

    for (u32 i = 0; i < ARRAY_SIZE(words); i++) {
        textline_put32(b + 4 * i, words[i]);
    }
}

void pcap_record_header(u8 *b, u64 ns, u32 kept, u32 len)
{
    textline_put32(b, (u32)(ns / NS_PER_S));
    textline_put32(b + 4, (u32)(ns % NS_PER_S));
    textline_put32(b + 8, kept);
    textline_put32(b + 12, len);
}
