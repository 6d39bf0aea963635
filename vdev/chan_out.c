/* SPDX-License-Identifier: MIT */
/*
 * The way out of the console mux: decides what the UART shows next. One piece at a time is composed
 * into mux.out, a whole line or a chunk of the focused channel, and goes out byte by byte as the
 * UART takes it; so a full UART never tears a line.
 *
 * Lines of Muntin come first. Between lines, the focused channel and the others take turns, line by
 * line, the others in a circle. In the middle of a focused line the others wait until it ends, at
 * most CHAN_HOLD_NS; then it is left as it is, theirs go out from a fresh line on, and its last
 * bytes are shown again below: at once when it goes on, else when the others have been quiet.
 * Lock: mux.lock is held by every caller.
 */
#include "vdev/chan_mux.h"

#include "core/arch.h"
#include "core/log.h"

#include <string.h>

#define PREFIX_MAX (2 + 1 + sizeof(((struct chan *)0)->name) + 2) /* newline, "[name] " */

/* text_clean writes into mux.out without a look at its end. */
_Static_assert(PREFIX_MAX + CHAN_LINE + 3 + 2 <= sizeof(mux.out), "a line must fit");
_Static_assert(2 + CHAN_LOG_LINE + 2 <= sizeof(mux.out), "a message must fit");
_Static_assert(CHAN_TAIL <= sizeof(mux.out), "an unfinished line must fit");

static void out_byte(u8 b)
{
    if (mux.out_len < sizeof(mux.out)) {
        mux.out[mux.out_len++] = b;
    }
}

static void out_newline(void)
{
    out_byte('\r');
    out_byte('\n');
}

static void out_text(const char *s)
{
    for (; *s != '\0'; s++) {
        out_byte((u8)*s);
    }
}

void mux_update_ready(struct chan *c)
{
    u32 used = ring_used(&c->tx);
    bool ready = c->lines > 0 || used >= CHAN_LINE + 4 || (c->cut && used > 0);

    mux.ready = (mux.ready & ~BIT64(c->number)) | (u64)ready << c->number;
}

/* Takes a byte out of c, and keeps it as part of the unfinished line. */
static u8 take(struct chan *c)
{
    u8 b = ring_get(&c->tx);

    if (b == '\n') {
        c->lines--;
        c->tail_len = 0;
    } else if (b != '\r' || c->tail_len > 0) {
        if (c->tail_len == CHAN_TAIL) {
            c->tail_len = CHAN_TAIL / 2;
            memmove(c->tail_buf, c->tail_buf + CHAN_TAIL / 2, CHAN_TAIL / 2);
        }
        c->tail_buf[c->tail_len++] = b;
    }
    if (c->tx_full && ring_used(&c->tx) <= c->tx.size / 2) {
        c->tx_full = false;
        mux.tx_event |= BIT64(c->number);
    }
    return b;
}

/* Puts the cursor at the start of a line; what the focused channel had there is owed. */
static void fresh_line(u64 redraw_ns)
{
    if (!mux.at_start) {
        out_newline();
        mux.owed = mux.chan[mux.focus]->tail_len > 0;
    }
    if (mux.owed) {
        mux.redraw_ns = redraw_ns;
    }
}

static void compose_log(u64 now)
{
    u8 line[CHAN_LOG_LINE];
    struct text_state s = {0};
    u32 n = 0;
    u8 b;

    while (ring_used(&mux.log) > 0 && (b = ring_get(&mux.log)) != '\n') {
        if (n < sizeof(line)) {
            line[n++] = b;
        }
    }
    fresh_line(now);
    mux.out_len += (u32)text_clean(&s, line, n, mux.out + mux.out_len);
    out_newline();
}

static void compose_lost(u64 now)
{
    char line[80];

    fmt_print(line, sizeof(line), "muntin: warning: %u of Muntin's own lines were lost here",
              mux.log_lost);
    mux.log_lost = 0;
    fresh_line(now);
    out_text(line);
    out_newline();
}

/* How many bytes of c make its next piece; *whole: with the newline behind them. */
static u32 piece_len(const struct chan *c, bool *whole)
{
    u32 used = ring_used(&c->tx), n = 0;

    while (n < used && n < CHAN_LINE && ring_peek(&c->tx, n) != '\n') {
        n++;
    }
    /* Not in the middle of a character of UTF-8. */
    while (n >= CHAN_LINE && n < used && n < CHAN_LINE + 3 &&
           (ring_peek(&c->tx, n) & 0xc0) == 0x80) {
        n++;
    }
    *whole = n < used && ring_peek(&c->tx, n) == '\n';
    return n;
}

/* A line, or a piece of one, of a channel out of focus. */
static void compose_line(struct chan *c, u64 now)
{
    u8 line[CHAN_LINE + 3];
    bool whole, silent;
    u32 n = piece_len(c, &whole), first = 0;

    for (u32 i = 0; i < n; i++) {
        line[i] = take(c);
    }
    if (whole) {
        (void)take(c);
    }
    c->cut = mux.flush;
    mux_update_ready(c);
    if (ring_used(&c->tx) > 0) { /* for the rest it's decided anew whether it's old enough */
        mux.cut_ns = MIN(mux.cut_ns, c->last_ns + CHAN_CUT_NS);
    }
    while (n > 0 && line[n - 1] == '\r') {
        n--;
    }
    while (first < n && line[first] == '\r') {
        first++;
    }
    /* Nothing in it: it just ends what is on the screen already, or hasn't begun. */
    silent = first == n && (c->joined || !whole);
    if (!silent) {
        fresh_line(now + CHAN_REDRAW_NS);
        out_byte('[');
        out_text(c->name);
        out_text("] ");
        mux.out_len += (u32)text_clean(&c->text, line + first, n - first, mux.out + mux.out_len);
        out_newline();
    }
    c->joined = !whole && (c->joined || !silent);
    if (whole) {
        c->text = (struct text_state){0};
    }
}

static void compose_redraw(void)
{
    const struct chan *c = mux.chan[mux.focus];

    mux.owed = false;
    mux.redraw_ns = TIMER_OFF;
    mux.out_len += (u32)text_replay(c->tail_buf, c->tail_len, mux.out + mux.out_len);
}

/* Up to the end of a line, so that others get their turn there. */
static void compose_chunk(struct chan *c)
{
    u8 b = 0;

    while (mux.out_len < CHAN_CHUNK && b != '\n' && ring_used(&c->tx) > 0) {
        b = take(c);
        out_byte(b);
    }
    mux_update_ready(c);
}

/* The next channel out of focus that has a line, in a circle; there is one. */
static struct chan *next_ready(u64 ready)
{
    u64 behind = ready & ~(BIT64(mux.next) - 1);
    u32 n = (u32)__builtin_ctzll(behind != 0 ? behind : ready);

    mux.next = (n + 1) % CHAN_MAX;
    return mux.chan[n];
}

/* May a line of another channel go out now, in view of what the focused one has on the screen? */
static bool may_interrupt(const struct chan *f, u64 now)
{
    if (mux.at_start || mux.flush) {
        return true;
    }
    if (mux.hold_ns == TIMER_OFF) {
        mux.hold_ns = (ring_used(&f->tx) > 0 ? now : f->last_ns) + CHAN_HOLD_NS;
    }
    return now >= mux.hold_ns;
}

/* Fills the empty mux.out with what comes next, maybe with nothing. False: there's nothing. */
static bool compose(u64 now, bool log_only)
{
    struct chan *f = mux.chan[mux.focus];
    u64 others = log_only ? 0 : mux.ready & ~BIT64(mux.focus);
    bool more = !log_only && ring_used(&f->tx) > 0;

    if (ring_used(&mux.log) > 0) {
        compose_log(now);
    } else if (mux.log_lost > 0) {
        compose_lost(now);
    } else if (others != 0 && (mux.others_turn || !more) && may_interrupt(f, now)) {
        compose_line(next_ready(others), now);
        mux.hold_ns = TIMER_OFF;
        mux.others_turn = false;
    } else if (mux.owed && (more || mux.flush || now >= mux.redraw_ns)) {
        compose_redraw();
    } else if (more) {
        compose_chunk(f);
        mux.others_turn = true;
    } else {
        return false;
    }
    return true;
}

static bool send(u8 b)
{
    if (!arch_putc((char)b)) {
        mux.waiting = true;
        arch_uart_wait(UART_SENDS, true);
        return false;
    }
    mux.at_start = b == '\n' || (b == '\r' && mux.at_start);
    return true;
}

enum mux_progress mux_pump(u64 now, u32 budget, bool log_only)
{
    do {
        while (mux.out_pos < mux.out_len) {
            if (budget == 0) {
                return MUX_MORE;
            }
            if (!send(mux.out[mux.out_pos])) {
                return MUX_FULL;
            }
            mux.out_pos++;
            budget--;
        }
        mux.out_pos = 0;
        mux.out_len = 0;
    } while (compose(now, log_only));

    if (mux.waiting && !log_only) {
        mux.waiting = false;
        arch_uart_wait(UART_SENDS, false);
    }
    return MUX_IDLE;
}

u64 mux_wake_ns(void)
{
    u64 wake = MIN(mux.cut_ns, mux.deaf_ns);

    if (mux.owed) {
        wake = MIN(wake, mux.redraw_ns);
    }
    return MIN(wake, mux.hold_ns);
}

void mux_cut_lines(u64 now)
{
    if (now < mux.cut_ns) {
        return;
    }
    mux.cut_ns = TIMER_OFF;
    for (u32 i = 0; i < mux.count; i++) {
        struct chan *c = mux.chan[i];
        u64 due = c->last_ns + CHAN_CUT_NS;

        if (i == mux.focus || ring_used(&c->tx) == 0) {
            continue;
        }
        if (now >= due) {
            c->cut = true;
            mux_update_ready(c);
        } else {
            mux.cut_ns = MIN(mux.cut_ns, due);
        }
    }
}

void mux_say(const char *line, size_t len)
{
    if (len >= ring_free(&mux.log)) {
        mux.log_lost++;
        return;
    }
    for (size_t i = 0; i < len; i++) {
        ring_put(&mux.log, line[i] == '\n' ? ' ' : (u8)line[i]);
    }
    ring_put(&mux.log, '\n');
}
