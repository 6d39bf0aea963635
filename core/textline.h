/* SPDX-License-Identifier: MIT */
/*
 * Bytes as lines of text: how what is kept in RAM leaves over a console, among all else that is
 * printed there. Written by the target, read by the host tool; pure functions.
 *
 *     MARK KIND SEQUENCE BASE64 CRC
 *
 * MARK says what it is part of: MPCAP1, MCORE1. KIND is one letter. SEQUENCE counts the lines of
 * one whole from 0, 8 hex digits. BASE64 are 1 to TEXTLINE_PIECE bytes. CRC is the CRC-32 (of zlib,
 * Ethernet) of all in front of its blank, 8 hex digits. What stands before or behind it on the
 * line, and any line without it, is somebody else's.
 */
#ifndef CORE_TEXTLINE_H
#define CORE_TEXTLINE_H

#include "core/types.h"

#define TEXTLINE_MARK  7u   /* length of a mark, the blank behind it included */
#define TEXTLINE_PIECE 144u /* bytes in one line */
#define TEXTLINE_ROOM  240u /* for any line */

struct textline {
    u8 kind; /* a letter */
    u32 seq;
    u32 len;
    u8 data[TEXTLINE_PIECE];
};

/* The line, NUL and no line end behind it; its length. len is 1..TEXTLINE_PIECE. */
u32 textline_write(const char *mark, const struct textline *l, char text[TEXTLINE_ROOM]);

/*
 * Finds a sound line in text, which ends where the console's line does. False: there's none; *torn
 * says whether there were remains of one.
 */
bool textline_read(const char *mark, struct str text, struct textline *l, bool *torn) MUST_CHECK;

/* Calls take for each sound line of the log; returns how many lines hold remains of one. */
u32 textline_each(const char *mark, struct str log,
                  void (*take)(const struct textline *l, void *ctx), void *ctx);

/* Numbers in it, little-endian. */
static inline void textline_put32(u8 *b, u32 v)
{
    for (u32 i = 0; i < 4; i++) {
        b[i] = (u8)(v >> (8 * i));
    }
}

static inline u32 textline_get32(const u8 *b)
{
    return b[0] | (u32)b[1] << 8 | (u32)b[2] << 16 | (u32)b[3] << 24;
}

static inline void textline_put64(u8 *b, u64 v)
{
    textline_put32(b, (u32)v);
    textline_put32(b + 4, (u32)(v >> 32));
}

static inline u64 textline_get64(const u8 *b)
{
    return textline_get32(b) | (u64)textline_get32(b + 4) << 32;
}

#endif
