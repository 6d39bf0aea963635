/* SPDX-License-Identifier: MIT */
/* Captures as lines of text, and the headers of pcap. Pure functions; the format is in the header.
 */
#include "core/pcap_text.h"

#include "core/log.h"
#include "core/str.h"

#define NS_PER_S 1000000000u
#define MAGIC_NS 0xa1b23c4du /* nanoseconds, in the byte order of the file */
#define HEAD_LEN 18u         /* "MPCAP1 r 00000000 " */
#define CRC_LEN  9u          /* " 00000000" */

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* CRC-32 as of Ethernet and zlib. */
static u32 crc(const char *s, u32 len)
{
    u32 c = UINT32_MAX;

    for (u32 i = 0; i < len; i++) {
        c ^= (u8)s[i];
        for (u32 bit = 0; bit < 8; bit++) {
            c = c >> 1 ^ (0xedb88320u & (0u - (c & 1)));
        }
    }
    return ~c;
}

static u32 encode(const u8 *data, u32 len, char *out)
{
    u32 n = 0;

    for (u32 i = 0; i < len; i += 3) {
        u32 v = (u32)data[i] << 16;

        v |= i + 1 < len ? (u32)data[i + 1] << 8 : 0;
        v |= i + 2 < len ? data[i + 2] : 0;
        out[n++] = digits[v >> 18];
        out[n++] = digits[v >> 12 & 63];
        out[n++] = i + 1 < len ? digits[v >> 6 & 63] : '=';
        out[n++] = i + 2 < len ? digits[v & 63] : '=';
    }
    return n;
}

u32 pcap_line_write(const struct pcap_line *l, char text[PCAP_LINE])
{
    u32 n = (u32)fmt_print(text, PCAP_LINE, PCAP_MARK "%c %08x ", l->kind, l->seq);

    n += encode(l->data, MIN(l->len, PCAP_PIECE), text + n);
    return n + (u32)fmt_print(text + n, PCAP_LINE - n, " %08x", crc(text, n));
}

/* --- reading --------------------------------------------------------------------------------- */

static bool read_hex(const char *s, u32 *v)
{
    *v = 0;
    for (u32 i = 0; i < 8; i++) {
        char c = s[i];
        u32 d = c >= '0' && c <= '9' ? (u32)(c - '0') : (u32)(c - 'a') + 10;

        if (d > 15) {
            return false;
        }
        *v = *v << 4 | d;
    }
    return true;
}

static u32 digit(char c)
{
    const char *p = c != '\0' ? strchr(digits, c) : NULL;

    return p != NULL ? (u32)(p - digits) : 64;
}

/* s is a multiple of 4 long and fits. */
static bool decode(struct str s, struct pcap_line *l)
{
    l->len = 0;
    for (u32 i = 0; i < s.len; i += 4) {
        u32 pad = (s.p[i + 3] == '=') + (u32)(s.p[i + 2] == '=' && s.p[i + 3] == '=');
        u32 v = 0;

        for (u32 k = 0; k < 4; k++) {
            u32 d = k >= 4 - pad ? 0 : digit(s.p[i + k]);

            if (d > 63) {
                return false;
            }
            v = v << 6 | d;
        }
        for (u32 k = 0; k < 3 - pad; k++) {
            l->data[l->len++] = (u8)(v >> (16 - 8 * k));
        }
    }
    return l->len > 0;
}

static bool read_at(struct str s, struct pcap_line *l)
{
    struct str body = str_after(s, HEAD_LEN);
    u32 sum;

    body.len = str_find(body, ' ');
    if (s.len < HEAD_LEN + body.len + CRC_LEN || body.len % 4 != 0 ||
        body.len > PCAP_PIECE / 3 * 4 || s.p[8] != ' ' || s.p[17] != ' ') {
        return false;
    }
    if (!read_hex(s.p + 9, &l->seq) || !read_hex(body.p + body.len + 1, &sum) ||
        sum != crc(s.p, HEAD_LEN + body.len)) {
        return false;
    }
    l->kind = (u8)s.p[7];
    return decode(body, l);
}

bool pcap_line_read(struct str text, struct pcap_line *l, bool *torn)
{
    *torn = false;
    for (u32 i = 0; i < text.len; i++) {
        struct str s = str_after(text, i);

        if (!str_starts(s, PCAP_MARK)) {
            continue;
        }
        if (read_at(s, l)) {
            return true;
        }
        *torn = true;
    }
    return false;
}

/* --- headers --------------------------------------------------------------------------------- */

void pcap_file_header(u8 *b)
{
    const u32 words[PCAP_HEADER / 4] = {MAGIC_NS, 2 | 4 << 16, 0, 0, PCAP_SNAP, PCAP_ETHERNET};

    for (u32 i = 0; i < ARRAY_SIZE(words); i++) {
        pcap_put32(b + 4 * i, words[i]);
    }
}

void pcap_record_header(u8 *b, u64 ns, u32 kept, u32 len)
{
    pcap_put32(b, (u32)(ns / NS_PER_S));
    pcap_put32(b + 4, (u32)(ns % NS_PER_S));
    pcap_put32(b + 8, kept);
    pcap_put32(b + 12, len);
}
