/* SPDX-License-Identifier: MIT */
/*
 * Text of one machine on another one's screen: what a guest prints, made harmless. Pure: no state
 * but the caller's, no lock.
 */
#ifndef VDEV_TEXT_H
#define VDEV_TEXT_H

#include "core/types.h"

/* Where in an escape sequence a line is that comes in pieces. Zero at the start of each line. */
struct text_state {
    u8 esc; /* enum in text.c */
};

/*
 * Copies n bytes of a line to out (room for n bytes) and returns the length there. Escape sequences
 * (ECMA-48 §5.3: CSI, strings, two-byte ones) go; other control bytes, those of C1 in either form,
 * and bytes that are no UTF-8 become '.'; tabs and valid UTF-8 stay.
 */
size_t text_clean(struct text_state *s, const u8 *in, size_t n, u8 *out);

/*
 * Copies n bytes of a line that is shown once more: without bells and without what a terminal would
 * answer to or take twice. Of whole escape sequences only those that style text or move within the
 * line stay; one that isn't whole yet stays too. out has room for n; returns the length.
 */
size_t text_replay(const u8 *in, size_t n, u8 *out);

/* The length of the valid UTF-8 sequence at the start of n > 0 bytes, or 0. 1 for ASCII. */
size_t text_utf8(const u8 *p, size_t n);

#endif
