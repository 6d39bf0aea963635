/* SPDX-License-Identifier: MIT */
/*
 * Private to vdev/chan.c (channels, input, focus) and vdev/chan_out.c (what goes to the UART, and
 * in which order): the state of the console mux. Lock: mux.lock (LOCK_CONSOLE) covers all of it.
 */
#ifndef VDEV_CHAN_MUX_H
#define VDEV_CHAN_MUX_H

#include "core/sched.h"
#include "core/spinlock.h"
#include "core/timer.h"
#include "core/types.h"
#include "vdev/text.h"

#define CHAN_MAX       64   /* with Muntin's own, number 0: a bit each in a u64 */
#define CHAN_TX        4096 /* all ring sizes are powers of two */
#define CHAN_RX        1024
#define CHAN_PROMPT_TX 16384
#define CHAN_LOG       16384
#define CHAN_LINE      400  /* longest piece of a line out of focus; UTF-8 may add 3 bytes */
#define CHAN_LOG_LINE  400  /* longest line of Muntin's own */
#define CHAN_TAIL      256  /* what is kept of an unfinished line, to show it again */
#define CHAN_CHUNK     64   /* bytes of the focused channel at a time */
#define CHAN_BUDGET    2000 /* bytes sent in one call */
#define CHAN_HOLD_NS   100000000ull  /* others wait so long for the end of the focused line */
#define CHAN_REDRAW_NS 100000000ull  /* it's shown again when others were quiet so long */
#define CHAN_CUT_NS    1000000000ull /* an unfinished line out of focus is shown after that */
#define CHAN_DEAF_NS   2000000000ull /* a VM that takes no input so long may lose it */

struct ring {
    u8 *buf;
    u32 size;       /* a power of two */
    u32 head, tail; /* run freely; tail - head bytes are in it */
};

struct chan {
    char name[64]; /* VM/PORT, each of 31 characters at most */
    const struct chan_ops *ops;
    void *dev;
    u32 number, key; /* key 0: only by its name, or in turn */
    struct ring tx, rx;
    bool has_break; /* a break comes when rx.head is at: */
    u32 break_at;
    u32 lines;              /* newlines in tx */
    u64 last_ns;            /* when the last byte was put */
    bool cut;               /* out of focus: what is in tx is due though the line hasn't ended */
    bool joined;            /* the screen has the start of this line already */
    bool tx_full;           /* its device waits for tx_ready */
    u8 last;                /* the last byte put */
    struct text_state text; /* of the line out of focus that goes out in pieces */
    u32 tail_len;
    u8 tail_buf[CHAN_TAIL]; /* the unfinished line, as far as it was sent, as it came */
    u8 tx_buf[CHAN_TX];
    u8 rx_buf[CHAN_RX];
};

enum mux_rx {
    MUX_RX_OPEN,
    MUX_RX_STALLED, /* the focused channel is full: the UART isn't read */
    MUX_RX_DEAF,    /* for too long: it's read for the escape key, the rest is dropped */
};

struct mux {
    struct spinlock lock;
    struct chan *chan[CHAN_MAX];
    u32 count;
    u32 keys; /* given out so far */
    u32 focus;
    u8 escape;
    bool escaped; /* the escape key was the last one typed */
    void (*prompt)(char c);

    struct ring log;
    u32 log_lost; /* lines */

    u8 out[512]; /* being sent: at most a line, or a chunk of the focused channel */
    u32 out_len, out_pos;
    bool at_start; /* the cursor is at the start of a line */
    bool waiting;  /* asked for by arch_uart_wait */
    bool owed;     /* the focused channel's unfinished line was interrupted and must be redrawn */
    bool others_turn;
    bool flush; /* nothing is held back any more */
    u32 next;   /* where the search for the next channel out of focus starts */
    u64 ready;  /* bit n: channel n has a line to show (if it's out of focus) */
    u64 redraw_ns, hold_ns, cut_ns, deaf_ns; /* TIMER_OFF: none */

    u8 rx;                  /* enum mux_rx */
    u64 rx_event, tx_event; /* bit n: channel n is to be called */
    u64 armed_ns;           /* what the timer is set to */
    struct work work;       /* on the boot CPU: upcalls, what is left over, the timer */
    struct timer timer;
};

extern struct mux mux;

static inline u32 ring_used(const struct ring *r)
{
    return r->tail - r->head;
}

static inline u32 ring_free(const struct ring *r)
{
    return r->size - ring_used(r);
}

static inline void ring_put(struct ring *r, u8 b)
{
    r->buf[r->tail++ & (r->size - 1)] = b;
}

/* Byte i < ring_used() of what is in it. */
static inline u8 ring_peek(const struct ring *r, u32 i)
{
    return r->buf[(r->head + i) & (r->size - 1)];
}

static inline u8 ring_get(struct ring *r)
{
    return r->buf[r->head++ & (r->size - 1)];
}

/* chan_out.c; mux.lock is held */

enum mux_progress {
    MUX_IDLE, /* nothing to send, or not yet */
    MUX_FULL, /* the UART is: it will interrupt */
    MUX_MORE, /* the budget is used up */
};

/* Sends at most `budget` bytes. log_only: nothing is taken out of channels. */
enum mux_progress mux_pump(u64 now, u32 budget, bool log_only);
void mux_update_ready(struct chan *c);      /* after c->tx, c->lines or c->cut changed */
u64 mux_wake_ns(void);                      /* when mux_pump has to be called at the latest */
void mux_cut_lines(u64 now);                /* marks unfinished lines that are old enough */
void mux_say(const char *line, size_t len); /* a line of Muntin's own into mux.log */

#endif
