/* SPDX-License-Identifier: MIT */
/*
 * Channels, input and focus of the console mux; vdev/chan_out.c decides what is sent. Whoever puts
 * a byte pumps the UART as far as it goes, within a budget. What is left is continued by the UART's
 * interrupt if it's full, else by deferred work on the boot CPU, where the timer and all upcalls
 * run too: they need locks that the caller of chan_putc may hold. Lock: mux.lock, LOCK_CONSOLE.
 */
#include "vdev/chan.h"

#include "core/arch.h"
#include "core/console.h"
#include "core/log.h"
#include "core/page.h"
#include "vdev/chan_mux.h"

#include <string.h>

#define INPUT_BUDGET  256           /* bytes read from the UART in one call */
#define PROMPT_BUDGET 16            /* bytes given to the prompt in one call */
#define DRAIN_NS      2000000000ull /* chan_drain gives up after that */
#define FORM_FEED     0x0c          /* Ctrl-L: asks the prompt to show itself */

struct mux mux = {.lock = SPINLOCK_INIT(LOCK_CONSOLE)};

static u8 log_buf[CHAN_LOG];
static u8 prompt_buf[CHAN_PROMPT_TX];
static struct chan prompt_chan;

static bool service(struct work *w);

static void timer_due(struct timer *t)
{
    (void)t;
    work_queue(&pcpus[0], &mux.work);
}

static void chan_setup(struct chan *c, const char *name, u8 *tx, u32 tx_size)
{
    fmt_print(c->name, sizeof(c->name), "%s", name);
    c->tx = (struct ring){.buf = tx, .size = tx_size};
    c->rx = (struct ring){.buf = c->rx_buf, .size = CHAN_RX};
    c->last = '\n';
    c->number = mux.count;
    mux.chan[mux.count++] = c;
}

void chan_init(char escape, void (*prompt)(char c))
{
    mux = (struct mux){.lock = SPINLOCK_INIT(LOCK_CONSOLE),
                       .escape = (u8)escape,
                       .prompt = prompt,
                       .log = {.buf = log_buf, .size = CHAN_LOG},
                       .at_start = true,
                       .redraw_ns = TIMER_OFF,
                       .hold_ns = TIMER_OFF,
                       .cut_ns = TIMER_OFF,
                       .deaf_ns = TIMER_OFF,
                       .armed_ns = TIMER_OFF,
                       .work = {.fn = service}};
    timer_init(&mux.timer, &pcpus[0], timer_due);
    prompt_chan = (struct chan){0};
    chan_setup(&prompt_chan, "muntin", prompt_buf, sizeof(prompt_buf));
}

struct chan *chan_create_port(const char *name, const struct chan_ops *ops, void *dev)
{
    struct chan *c = NULL;

    if (mux.count < CHAN_MAX) {
        c = page_alloc(sizeof(*c));
    }
    if (c != NULL) {
        c->ops = ops;
        c->dev = dev;
        spin_lock(&mux.lock);
        chan_setup(c, name, c->tx_buf, CHAN_TX);
        spin_unlock(&mux.lock);
    }
    return c;
}

struct chan *chan_create(const char *name, const struct chan_ops *ops, void *dev)
{
    struct chan *c = chan_create_port(name, ops, dev);

    if (c != NULL) {
        spin_lock(&mux.lock);
        c->key = ++mux.keys;
        spin_unlock(&mux.lock);
    }
    return c;
}

u32 chan_number(const struct chan *c)
{
    return c->number;
}

const char *chan_name(const struct chan *c)
{
    return c->name;
}

/*
 * Sends what can be sent, with the lock held. True if the work has to run: work_queue is for the
 * caller to call once it has given up the lock.
 */
static bool settle(u64 now)
{
    enum mux_progress p = mux_pump(now, CHAN_BUDGET, false);

    return p == MUX_MORE || (mux.tx_event | mux.rx_event) != 0 ||
           (p == MUX_IDLE && mux_wake_ns() < mux.armed_ns);
}

static void kick(bool needed)
{
    if (needed) {
        work_queue(&pcpus[0], &mux.work);
    }
}

/* --- devices -------------------------------------------------------------------------------- */

static void put(struct chan *c, u8 byte, u64 now)
{
    ring_put(&c->tx, byte);
    c->lines += byte == '\n';
    c->last = byte;
    c->last_ns = now;
    mux_update_ready(c);
    if (c->number != mux.focus) {
        mux.cut_ns = MIN(mux.cut_ns, now + CHAN_CUT_NS);
    }
}

u32 chan_write(struct chan *c, const u8 *p, u32 len)
{
    u64 now = arch_now_ns();
    bool more;
    u32 n;

    spin_lock(&mux.lock);
    n = MIN(len, ring_free(&c->tx));
    for (u32 i = 0; i < n; i++) {
        put(c, p[i], now);
    }
    if (n < len) {
        c->tx_full = true;
    }
    more = settle(now);
    spin_unlock(&mux.lock);
    kick(more);
    return n;
}

bool chan_putc(struct chan *c, u8 byte)
{
    return chan_write(c, &byte, 1) == 1;
}

/* The focused channel takes input (again): back to reading the UART. True if that was not so. */
static bool rx_open(void)
{
    if (mux.rx == MUX_RX_OPEN) {
        return false;
    }
    if (mux.rx == MUX_RX_STALLED) {
        arch_uart_wait(UART_RECEIVES, true);
    }
    mux.rx = MUX_RX_OPEN;
    mux.deaf_ns = TIMER_OFF;
    return true;
}

u32 chan_read(struct chan *c, u8 *p, u32 len)
{
    bool more = false;
    u32 n;

    spin_lock(&mux.lock);
    n = MIN(len, c->has_break ? c->break_at - c->rx.head : ring_used(&c->rx));
    for (u32 i = 0; i < n; i++) {
        p[i] = ring_get(&c->rx);
    }
    if (n > 0) {
        more = c->number == mux.focus && rx_open();
    }
    spin_unlock(&mux.lock);
    kick(more);
    return n;
}

u32 chan_feed(struct chan *c, const u8 *p, u32 len)
{
    u32 n;

    spin_lock(&mux.lock);
    n = MIN(len, ring_free(&c->rx));
    for (u32 i = 0; i < n; i++) {
        ring_put(&c->rx, p[i]);
    }
    if (n > 0) {
        mux.rx_event |= BIT64(c->number);
    }
    spin_unlock(&mux.lock);
    kick(n > 0);
    return n;
}

int chan_getc(struct chan *c)
{
    u8 b;

    return chan_read(c, &b, 1) == 1 ? b : -1;
}

bool chan_break(struct chan *c)
{
    bool next;

    spin_lock(&mux.lock);
    next = c->has_break && c->break_at == c->rx.head;
    c->has_break = c->has_break && !next;
    spin_unlock(&mux.lock);
    return next;
}

bool chan_has_input(struct chan *c)
{
    bool has;

    spin_lock(&mux.lock);
    has = ring_used(&c->rx) > 0;
    spin_unlock(&mux.lock);
    return has;
}

void chan_reset(struct chan *c)
{
    u64 now = arch_now_ns();
    bool more;

    spin_lock(&mux.lock);
    c->rx.head = c->rx.tail;
    c->has_break = false;
    more = c->number == mux.focus && rx_open();
    mux.rx_event &= ~BIT64(c->number);
    mux.tx_event &= ~BIT64(c->number);
    c->tx_full = false;
    if (c->last != '\n' && ring_free(&c->tx) >= 2) {
        put(c, '\r', now);
        put(c, '\n', now);
    }
    more |= settle(now);
    spin_unlock(&mux.lock);
    kick(more);
}

/* --- Muntin's own output -------------------------------------------------------------------- */

void chan_log(const char *line, size_t len)
{
    /* The caller may hold any lock up to LOCK_CONSOLE: no work, no timer, no channel's bytes. */
    spin_lock(&mux.lock);
    mux_say(line, len);
    (void)mux_pump(arch_now_ns(), CHAN_BUDGET, true);
    spin_unlock(&mux.lock);
}

void chan_prompt_write(const char *s, size_t len)
{
    u64 now = arch_now_ns();
    bool more;

    spin_lock(&mux.lock);
    for (size_t i = 0; i < len && ring_free(&prompt_chan.tx) > 0; i++) {
        put(&prompt_chan, (u8)s[i], now);
    }
    more = settle(now);
    spin_unlock(&mux.lock);
    kick(more);
}

size_t chan_prompt_room(void)
{
    size_t room;

    spin_lock(&mux.lock);
    room = ring_free(&prompt_chan.tx);
    spin_unlock(&mux.lock);
    return room;
}

void chan_drain(void)
{
    enum mux_progress p;
    u64 end, now;

    if (mux.count == 0) {
        return; /* not set up yet, and perhaps no clock: messages go to the UART as they come */
    }
    end = arch_now_ns() + DRAIN_NS;
    do {
        now = arch_now_ns();
        spin_lock(&mux.lock);
        mux.flush = true;
        for (u32 i = 0; i < mux.count; i++) {
            mux.chan[i]->cut = true;
            mux_update_ready(mux.chan[i]);
        }
        p = mux_pump(now, CHAN_BUDGET, false);
        mux.flush = false;
        spin_unlock(&mux.lock);
    } while (p != MUX_IDLE && now < end);
}

/* --- focus ---------------------------------------------------------------------------------- */

static void PRINTF(1, 2) say(const char *fmt, ...)
{
    char line[CHAN_LOG_LINE];
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = fmt_vprint(line, sizeof(line), fmt, ap);
    va_end(ap);
    mux_say(line, MIN((size_t)n, sizeof(line) - 1));
}

static const char *escape_name(void)
{
    static char name[8];

    console_key_name((char)mux.escape, name, sizeof(name));
    return name;
}

static void set_focus(u32 number)
{
    struct chan *old = mux.chan[mux.focus], *c = mux.chan[number];

    mux.owed = false;
    mux.hold_ns = TIMER_OFF;
    (void)rx_open();
    if (c != old) {
        old->joined = old->tail_len > 0;
        old->text = (struct text_state){0};
        old->cut = false;
        mux_update_ready(old);
        mux.cut_ns = 0; /* looks at all of them */
    }
    mux.focus = number;
    if (number == 0) {
        c->tail_len = 0;
        say("muntin: Muntin's own prompt: `help` lists the commands, %s ? the keys", escape_name());
        if (ring_free(&c->rx) > 0) {
            ring_put(&c->rx, FORM_FEED);
            mux.rx_event |= 1;
        }
        return;
    }
    say("muntin: console of %s (%s ? lists the keys)", c->name, escape_name());
    mux.owed = c->tail_len > 0;
    mux.redraw_ns = 0; /* at once */
}

void chan_focus(u32 number)
{
    bool more = false;

    spin_lock(&mux.lock);
    if (number < mux.count) {
        set_focus(number);
        more = settle(arch_now_ns());
    }
    spin_unlock(&mux.lock);
    kick(more);
}

u32 chan_focused(void)
{
    u32 number;

    spin_lock(&mux.lock);
    number = mux.focus;
    spin_unlock(&mux.lock);
    return number;
}

u32 chan_key(u32 number)
{
    return number < mux.count ? mux.chan[number]->key : 0;
}

u32 chan_find(const char *name)
{
    for (u32 i = 1; i < mux.count; i++) {
        if (strcmp(mux.chan[i]->name, name) == 0) {
            return i;
        }
    }
    return 0;
}

struct chan *chan_at(u32 number)
{
    return mux.chan[number];
}

/* --- input ---------------------------------------------------------------------------------- */

static void say_keys(void)
{
    const char *e = escape_name();

    say("muntin: keys: %s and then 1-9: the console of that VM; n, p: the next, the previous; "
        "0: Muntin's own prompt; b: a break; %s: %s itself",
        e, e, e);
    for (u32 i = 1; i < mux.count; i++) {
        const struct chan *c = mux.chan[i];
        const char *here = i == mux.focus ? " (here you are)" : "";

        if (c->key >= 1 && c->key <= 9) {
            say("muntin:   %s %u  %s%s", e, c->key, c->name, here);
        } else {
            say("muntin:   n, p      %s%s", c->name, here);
        }
    }
}

/* The channel with that focus key, 0 being Muntin's; or mux.count. */
static u32 by_key(u32 key)
{
    u32 i = 0;

    while (i < mux.count && mux.chan[i]->key != key) {
        i++;
    }
    return i;
}

static void deliver(u8 b)
{
    struct chan *c = mux.chan[mux.focus];

    if (ring_free(&c->rx) > 0) { /* else it's deaf */
        ring_put(&c->rx, b);
        mux.rx_event |= BIT64(c->number);
    }
}

/* Behind what was typed before. Where one waits already, two are one. */
static void type_break(void)
{
    struct chan *c = mux.chan[mux.focus];

    if (c->ops == NULL || !c->ops->breaks) {
        say("muntin: %s can't be sent a break: it's no serial port", c->name);
    } else if (!c->has_break) {
        c->has_break = true;
        c->break_at = c->rx.tail;
        mux.rx_event |= BIT64(c->number);
    }
}

/* The key behind the escape key. */
static void command(u8 b)
{
    u32 number = b >= '0' && b <= '9' ? by_key((u32)(b - '0')) : mux.count;

    if (b == mux.escape) {
        deliver(b);
    } else if (number < mux.count) {
        set_focus(number);
    } else if (b == 'n' || b == 'p') {
        set_focus((mux.focus + (b == 'n' ? 1 : mux.count - 1)) % mux.count);
    } else if (b == 'b') {
        type_break();
    } else if (b == '?') {
        say_keys();
    } else if (b >= '1' && b <= '9') {
        say("muntin: there's no VM %c; %s ? lists the keys", b, escape_name());
    } else {
        say("muntin: that key means nothing behind %s; %s ? lists the keys", escape_name(),
            escape_name());
    }
}

/*
 * Nothing can be read for a channel that is full: the rest waits in the UART, and behind it at the
 * sender. But a VM that never takes its input must not lock the user in: after a while it's read
 * again, for the sake of the escape key.
 */
static bool rx_blocked(u64 now)
{
    const struct chan *c = mux.chan[mux.focus];

    if (ring_free(&c->rx) > 0 || mux.rx == MUX_RX_DEAF) {
        return false;
    }
    if (mux.rx == MUX_RX_OPEN) {
        mux.rx = MUX_RX_STALLED;
        mux.deaf_ns = now + CHAN_DEAF_NS;
        arch_uart_wait(UART_RECEIVES, false);
    }
    if (now < mux.deaf_ns) {
        return true;
    }
    mux.rx = MUX_RX_DEAF;
    mux.deaf_ns = TIMER_OFF;
    arch_uart_wait(UART_RECEIVES, true);
    say("muntin: warning: %s takes no input; what you type is dropped until it does", c->name);
    return false;
}

/* True if there may be more to read. */
static bool read_input(u64 now)
{
    for (u32 i = 0; i < INPUT_BUDGET; i++) {
        int b;

        if (rx_blocked(now)) {
            return false;
        }
        b = arch_getc();
        if (b < 0) {
            return false;
        }
        if (mux.escaped) {
            mux.escaped = false;
            command((u8)b);
        } else if ((u8)b == mux.escape) {
            mux.escaped = true;
        } else {
            deliver((u8)b);
        }
    }
    return true;
}

void chan_uart_irq(void)
{
    u64 now = arch_now_ns();
    bool more;

    spin_lock(&mux.lock);
    more = read_input(now);
    more |= settle(now);
    spin_unlock(&mux.lock);
    kick(more);
}

/* --- deferred work, on the boot CPU ----------------------------------------------------------- */

static void call_devices(u64 rx_event, u64 tx_event)
{
    for (u64 left = rx_event | tx_event; left != 0; left &= left - 1) {
        u32 n = (u32)__builtin_ctzll(left);
        struct chan *c = mux.chan[n];

        if (c->ops != NULL && (rx_event & BIT64(n))) {
            c->ops->rx_ready(c->dev);
        }
        if (c->ops != NULL && (tx_event & BIT64(n))) {
            c->ops->tx_ready(c->dev);
        }
    }
}

/* True if there's more. */
static bool call_prompt(void)
{
    for (u32 i = 0; i < PROMPT_BUDGET; i++) {
        int b = chan_getc(&prompt_chan);

        if (b < 0) {
            return false;
        }
        mux.prompt((char)b);
    }
    return true;
}

static bool service(struct work *w)
{
    u64 now = arch_now_ns(), wake, rx_event, tx_event;
    enum mux_progress progress;
    bool more;

    (void)w;
    spin_lock(&mux.lock);
    more = read_input(now);
    mux_cut_lines(now);
    rx_event = mux.rx_event;
    tx_event = mux.tx_event;
    mux.rx_event = 0;
    mux.tx_event = 0;
    spin_unlock(&mux.lock);

    call_devices(rx_event, tx_event);
    more |= call_prompt();

    spin_lock(&mux.lock);
    progress = mux_pump(now, CHAN_BUDGET, false);
    more |= progress == MUX_MORE || (mux.rx_event | mux.tx_event) != 0;
    /* A full UART comes back by itself; what it holds up has no deadline until then. */
    wake = progress == MUX_IDLE ? mux_wake_ns() : MIN(mux.cut_ns, mux.deaf_ns);
    mux.armed_ns = wake;
    spin_unlock(&mux.lock);
    if (wake != mux.timer.deadline_ns) {
        timer_set(&mux.timer, wake);
    }
    return more;
}
