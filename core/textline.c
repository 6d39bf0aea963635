/* SPDX-License-Identifier: MIT */
/* Bytes as lines of text. Pure functions; the format is in the header. */
#include "core/textline.h"

#include "core/log.h"
#include "core/str.h"

#define HEAD_LEN 18u /* "MPCAP1 r 00000000 " */
#define CRC_LEN  9u  /* " 00000000" */

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* CRC-32 as of Ethernet and zlib, four bits at a time. */
static u32 crc(const char *s, u32 len)
{
    static const u32 table[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
                                  0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
                                  0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                  0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    u32 c = UINT32_MAX;

    for (u32 i = 0; i < len; i++) {
        c ^= (u8)s[i];
        c = c >> 4 ^ table[c & 15];
        c = c >> 4 ^ table[c & 15];
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

u32 textline_write(const char *mark, const struct textline *l, char text[TEXTLINE_ROOM])
{
    u32 n = (u32)fmt_print(text, TEXTLINE_ROOM, "%s%c %08x ", mark, l->kind, l->seq);

    n += encode(l->data, MIN(l->len, TEXTLINE_PIECE), text + n);
    return n + (u32)fmt_print(text + n, TEXTLINE_ROOM - n, " %08x", crc(text, n));
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
static bool decode(struct str s, struct textline *l)
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

static bool read_at(struct str s, struct textline *l)
{
    struct str body = str_after(s, HEAD_LEN);
    u32 sum;

    body.len = str_find(body, ' ');
    if (s.len < HEAD_LEN + body.len + CRC_LEN || body.len % 4 != 0 ||
        body.len > TEXTLINE_PIECE / 3 * 4 || s.p[8] != ' ' || s.p[17] != ' ') {
        return false;
    }
    if (!read_hex(s.p + 9, &l->seq) || !read_hex(body.p + body.len + 1, &sum) ||
        sum != crc(s.p, HEAD_LEN + body.len)) {
        return false;
    }
    l->kind = (u8)s.p[TEXTLINE_MARK];
    return decode(body, l);
}

bool textline_read(const char *mark, struct str text, struct textline *l, bool *torn)
{
    *torn = false;
    for (u32 i = 0; i < text.len; i++) {
        struct str s = str_after(text, i);

        if (!str_starts(s, mark)) {
            continue;
        }
        if (read_at(s, l)) {
            return true;
        }
        *torn = true;
    }
    return false;
}

u32 textline_each(const char *mark, struct str log,
                  void (*take)(const struct textline *l, void *ctx), void *ctx)
{
    u32 remains = 0;

    while (log.len > 0) {
        struct str line = str_cut(log, '\n', &log);
        struct textline l;
        bool torn;

        if (textline_read(mark, line, &l, &torn)) {
            take(&l, ctx);
        }
        remains += torn;
    }
    return remains;
}
