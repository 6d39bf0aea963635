/* SPDX-License-Identifier: MIT */
/*
 * Makes a guest's text harmless for a terminal that shows other text too. A terminal that takes
 * UTF-8 obeys control characters of C1 in their two-byte form, so those are caught as well. Knows
 * nothing of channels; no lock.
 */
#include "vdev/text.h"

#include <string.h>

enum esc_state {
    ESC_NONE,
    ESC_START,  /* behind ESC */
    ESC_SHORT,  /* behind ESC and an intermediate byte: ends with a byte from 0x30 on */
    ESC_CSI,    /* behind ESC [: ends with a byte from 0x40 on */
    ESC_STRING, /* behind ESC ] P X ^ _: ends with BEL or ESC \ */
};

enum { BEL = 7, ESC = 0x1b, DEL = 0x7f };

size_t text_utf8(const u8 *p, size_t n)
{
    size_t len = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

    if (len <= 1) {
        return len;
    }
    if (p[0] > 0xf4 || n < len) {
        return 0;
    }
    /* Overlong forms, surrogates and what is beyond U+10FFFF show in the second byte. */
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f)) {
        return 0;
    }
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return len;
}

static u8 esc_start(u8 b)
{
    if (b == '[') {
        return ESC_CSI;
    }
    if (b == ']' || b == 'P' || b == 'X' || b == '^' || b == '_') {
        return ESC_STRING;
    }
    return b >= 0x20 && b < 0x30 ? ESC_SHORT : ESC_NONE;
}

/* One byte within a sequence: true if it's swallowed. A control byte breaks a sequence off. */
static bool esc_next(struct text_state *s, u8 b)
{
    u8 state = s->esc;

    if (b == ESC) {
        s->esc = ESC_START;
        return true;
    }
    if (state == ESC_STRING) {
        s->esc = b == BEL ? ESC_NONE : ESC_STRING;
        return true;
    }
    if (state == ESC_NONE || b < 0x20 || b >= DEL) {
        s->esc = ESC_NONE;
        return false;
    }
    if (state == ESC_START) {
        s->esc = esc_start(b);
    } else if (b >= (state == ESC_CSI ? 0x40 : 0x30)) {
        s->esc = ESC_NONE;
    }
    return true;
}

size_t text_clean(struct text_state *s, const u8 *in, size_t n, u8 *out)
{
    size_t len = 0, seq;

    for (size_t i = 0; i < n; i += seq) {
        seq = 1;
        if (esc_next(s, in[i])) {
            continue;
        }
        seq = text_utf8(in + i, n - i);
        if (seq == 2 && in[i] == 0xc2 && in[i + 1] < 0xa0) { /* C1 */
            out[len++] = '.';
        } else if (seq == 0 || (in[i] < 0x20 && in[i] != '\t') || in[i] == DEL) {
            out[len++] = '.';
            seq = 1;
        } else {
            for (size_t k = 0; k < seq; k++) {
                out[len++] = in[i + k];
            }
        }
    }
    return len;
}

/* CSI sequences, by their last byte: SGR, EL, CUF, CUB, CHA, DCH, ICH. */
static bool may_repeat(u8 last)
{
    return last != '\0' && strchr("mKCDGP@", last) != NULL;
}

size_t text_replay(const u8 *in, size_t n, u8 *out)
{
    struct text_state s = {0};
    size_t len = 0, start = 0; /* of the sequence that is being read */
    u8 state;

    for (size_t i = 0; i < n; i++) {
        state = s.esc;
        if (in[i] == ESC) {
            start = i;
        }
        if (!esc_next(&s, in[i])) {
            if (in[i] != BEL) {
                out[len++] = in[i];
            }
        } else if (state == ESC_CSI && s.esc == ESC_NONE && may_repeat(in[i])) {
            memcpy(out + len, in + start, i + 1 - start);
            len += i + 1 - start;
        }
    }
    if (s.esc != ESC_NONE) {
        memcpy(out + len, in + start, n - start);
        len += n - start;
    }
    return len;
}
