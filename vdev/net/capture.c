/* SPDX-License-Identifier: MIT */
/*
 * Captures: a ring of records per port, and its ways out. Records lie one behind the other, around
 * the ring's end if need be; a dump first stops the capture, so that nothing moves under it. What
 * leaves by a VM's console is taken out of the ring, which gets no frames that it has no room for.
 * Lock: the capture's (LOCK_DEVICE, because senders hold queues' locks) for the ring, `on` and
 * `to`. The dump belongs to the boot CPU, and so do the timers.
 */
#include "vdev/net/capture.h"

#include "core/arch.h"
#include "core/log.h"
#include "core/page.h"
#include "core/pcap_text.h"
#include "core/sched.h"
#include "core/spinlock.h"
#include "core/textline.h"
#include "vdev/chan.h"

#include <string.h>

#define DROP_BUDGET  256 /* frames that make room for one */
#define DUMP_LINES   2   /* in one go */
#define DUMP_WAIT_NS 1000000ull
#define FEED_PIECES  8 /* in one go, of at most: */
#define FEED_PIECE   128u
#define FEED_WAIT_NS 1000000ull

struct record { /* in front of each frame in the ring */
    u64 ns;
    u32 kept, len;
};

struct capture {
    struct spinlock lock;
    bool on;
    u32 records;
    u64 sent, got, lost; /* lost: made room for others, or there was none for it */
    struct chan *to;     /* where it leaves by; NULL: it doesn't */
    u32 done;            /* bytes of the first record that have left, its pcap header included */
    struct timer timer;
    u32 size, head, used; /* bytes */
    u8 ring[];
};

/* The one dump that runs; c is NULL if none does. */
static struct {
    struct capture *c;
    struct timer timer;
    u32 at;      /* of the current record in the ring */
    u32 records; /* that are left, with the current one */
    u32 done;    /* bytes of the current one that are out, its pcap header included */
    u32 total;
    u32 seq;
} dump;

struct capture *capture_create(u64 size)
{
    struct capture *c = page_alloc(sizeof(*c) + size);

    if (c != NULL) {
        spin_init(&c->lock, LOCK_DEVICE);
        c->size = (u32)size;
    }
    return c;
}

/* --- the ring -------------------------------------------------------------------------------- */

/* Where `off` bytes behind `at` is. Neither is larger than the ring. */
static u32 ring_at(const struct capture *c, u32 at, u32 off)
{
    return off < c->size - at ? at + off : off - (c->size - at);
}

static void ring_read(const struct capture *c, u32 at, void *data, u32 len)
{
    u32 first = MIN(len, c->size - at);

    memcpy(data, c->ring + at, first);
    memcpy((u8 *)data + first, c->ring, len - first);
}

static void ring_append(struct capture *c, const void *data, u32 len)
{
    u32 at = ring_at(c, c->head, c->used), first = MIN(len, c->size - at);

    memcpy(c->ring + at, data, first);
    memcpy(c->ring, (const u8 *)data + first, len - first);
    c->used += len;
}

/* The rest of a frame, from its sender's memory; what can't be had is left as zeros. */
static void ring_append_chain(struct capture *c, const struct net_frame *f, u32 off, u32 len)
{
    while (len > 0) {
        u32 at = ring_at(c, c->head, c->used), n = MIN(len, c->size - at);
        u32 done = chain_read(f->chain, f->off + off, c->ring + at, n);

        memset(c->ring + at + done, 0, n - done);
        c->used += n;
        off += n;
        len -= n;
    }
}

static void drop_oldest(struct capture *c)
{
    struct record r;
    u32 size;

    ring_read(c, c->head, &r, sizeof(r));
    size = sizeof(r) + r.kept;
    c->head = ring_at(c, c->head, size);
    c->used -= size;
    c->records--;
}

/* How many bytes of a frame may follow its record, once room was made. */
static u32 make_room(struct capture *c, u32 len)
{
    u32 want = MIN(MIN(len, PCAP_SNAP), c->size - (u32)sizeof(struct record));

    for (u32 i = 0; i < DROP_BUDGET && c->size - c->used < sizeof(struct record) + want; i++) {
        drop_oldest(c);
        c->lost++;
    }
    return MIN(want, c->size - c->used - (u32)sizeof(struct record));
}

static bool has_room(const struct capture *c, u32 len)
{
    return c->size - c->used >= sizeof(struct record) + MIN(len, PCAP_SNAP);
}

void capture_frame(struct net_port *p, const struct net_frame *f, bool sent)
{
    struct capture *c = p->capture;
    struct record r = {.ns = arch_now_ns(), .len = f->len};
    u32 head;

    if (c == NULL) {
        return;
    }
    spin_lock(&c->lock);
    if (c->on && c->to != NULL && !has_room(c, f->len)) {
        c->lost++;
    } else if (c->on) {
        r.kept = make_room(c, f->len);
        head = MIN(f->head_len, r.kept);
        ring_append(c, &r, sizeof(r));
        ring_append(c, f->head, head);
        ring_append_chain(c, f, head, r.kept - head);
        c->records++;
        c->sent += sent;
        c->got += !sent;
    }
    spin_unlock(&c->lock);
}

/* --- the dump -------------------------------------------------------------------------------- */

static void dump_line(struct textline *l)
{
    char text[TEXTLINE_ROOM + 2];
    u32 n;

    l->seq = dump.seq++;
    n = textline_write(PCAP_MARK, l, text);
    memcpy(text + n, "\r\n", 2);
    chan_prompt_write(text, n + 2);
}

/* The next piece of the current record; it's a line of its own that begins one. */
static void dump_piece(void)
{
    const struct capture *c = dump.c;
    struct textline l = {.kind = PCAP_MORE};
    struct record r;
    u32 from, n;

    ring_read(c, dump.at, &r, sizeof(r));
    if (dump.done == 0) {
        l.kind = PCAP_FIRST;
        pcap_record_header(l.data, r.ns, r.kept, r.len);
        l.len = PCAP_RECORD;
        dump.done = PCAP_RECORD;
    }
    from = dump.done - PCAP_RECORD;
    n = MIN(r.kept - from, TEXTLINE_PIECE - l.len);
    ring_read(c, ring_at(c, dump.at, (u32)sizeof(r) + from), l.data + l.len, n);
    l.len += n;
    dump.done += n;
    dump_line(&l);
    if (from + n == r.kept) {
        dump.at = ring_at(c, dump.at, (u32)sizeof(r) + r.kept);
        dump.done = 0;
        dump.records--;
    }
}

static void dump_end(void)
{
    struct textline l = {.kind = PCAP_END, .len = 4};

    textline_put32(l.data, dump.total);
    dump_line(&l);
    dump.c = NULL;
}

static void dump_go_on(struct timer *t)
{
    for (u32 i = 0; i < DUMP_LINES && dump.c != NULL; i++) {
        if (chan_prompt_room() < TEXTLINE_ROOM + 2) {
            break;
        }
        if (dump.records > 0) {
            dump_piece();
        } else {
            dump_end();
        }
    }
    if (dump.c != NULL) {
        timer_set(t, arch_now_ns() + DUMP_WAIT_NS);
    }
}

static void dump_begin(const struct net_port *p)
{
    struct capture *c = p->capture;
    struct textline l = {.kind = PCAP_BEGIN};
    u32 name = (u32)strlen(p->name);

    dump.c = c;
    dump.at = c->head;
    dump.records = c->records;
    dump.total = c->records;
    dump.done = 0;
    dump.seq = 0;
    pcap_file_header(l.data);
    memcpy(l.data + PCAP_HEADER, p->name, name);
    l.len = PCAP_HEADER + name;
    dump_line(&l);
    timer_init(&dump.timer, &pcpus[0], dump_go_on);
    timer_set(&dump.timer, arch_now_ns() + DUMP_WAIT_NS);
}

/* From an empty ring; or, off, with what is in it as it is, which goes on to where it goes. */
static void set_on(struct capture *c, bool on, struct chan *to)
{
    spin_lock(&c->lock);
    if (on) {
        c->records = 0;
        c->used = 0;
        c->sent = 0;
        c->got = 0;
        c->lost = 0;
        c->done = 0;
        c->to = to;
    } else if (!c->on) { /* once more: what is left stays where it is */
        c->to = NULL;
    }
    c->on = on;
    spin_unlock(&c->lock);
}

/* --- out by a VM's console ------------------------------------------------------------------- */

/* With c->lock: some of the first record. False: there's none, or no room for more of it. */
static bool feed_piece(struct capture *c)
{
    u8 data[FEED_PIECE];
    struct record r;
    u32 len, n;

    if (c->records == 0) {
        return false;
    }
    ring_read(c, c->head, &r, sizeof(r));
    if (c->done < PCAP_RECORD) {
        pcap_record_header(data, r.ns, r.kept, r.len);
        len = PCAP_RECORD - c->done;
        n = chan_feed(c->to, data + c->done, len);
    } else {
        len = MIN(FEED_PIECE, PCAP_RECORD + r.kept - c->done);
        ring_read(c, ring_at(c, c->head, (u32)sizeof(r) + c->done - PCAP_RECORD), data, len);
        n = chan_feed(c->to, data, len);
    }
    c->done += n;
    if (c->done == PCAP_RECORD + r.kept) {
        drop_oldest(c);
        c->done = 0;
    }
    return n == len;
}

static void feed(struct timer *t)
{
    struct capture *c = container_of(t, struct capture, timer);
    u32 pieces = 0;
    bool more;

    spin_lock(&c->lock);
    while (c->to != NULL && pieces < FEED_PIECES && feed_piece(c)) {
        pieces++;
    }
    more = c->to != NULL && (c->on || c->records > 0);
    if (!more) {
        c->to = NULL;
    }
    spin_unlock(&c->lock);
    if (more) {
        timer_set(t, arch_now_ns() + FEED_WAIT_NS);
    }
}

/* From an empty ring and the file's header on, also if it goes there already. */
static void feed_begin(struct capture *c, struct chan *to)
{
    u8 header[PCAP_HEADER];

    if (c->to != NULL) {
        timer_cancel(&c->timer);
    }
    set_on(c, true, to);
    chan_reset(to);
    pcap_file_header(header);
    (void)chan_feed(to, header, sizeof(header)); /* it's empty: there's room */
    timer_init(&c->timer, &pcpus[0], feed);
    timer_set(&c->timer, arch_now_ns() + FEED_WAIT_NS);
}

/* --- the prompt ------------------------------------------------------------------------------ */

static struct net_port *find_port(const char *nic)
{
    struct net_port *p = net_ports();

    while (p != NULL && strcmp(p->name, nic) != 0) {
        p = p->next;
    }
    return p;
}

static void no_port(const char *nic, void (*print)(const char *fmt, ...))
{
    print("no NIC '%s' has a capture; these have:", nic);
    for (const struct net_port *p = net_ports(); p != NULL; p = p->next) {
        if (p->capture != NULL) {
            print(" %s", p->name);
        }
    }
    print("\n");
}

static void say_state(const struct net_port *p, void (*print)(const char *fmt, ...))
{
    const struct capture *c = p->capture;

    print("%s: capture is %s; %llu frames sent, %llu got; %u kept", p->name, c->on ? "on" : "off",
          (unsigned long long)c->sent, (unsigned long long)c->got, c->records);
    if (c->to != NULL) {
        print("; it goes to %s, %llu lost", chan_name(c->to), (unsigned long long)c->lost);
    }
    print("\n");
}

/* The port that a verb names; NULL: it's no name of one. Only ports have a '/' in theirs. */
static struct chan *find_target(const char *verb)
{
    u32 number = strchr(verb, '/') != NULL ? chan_find(verb) : 0;

    return number != 0 ? chan_at(number) : NULL;
}

/* Another NIC's capture goes there: the two would be one heap of bytes. */
static bool is_taken(const struct chan *to, const struct net_port *by,
                     void (*print)(const char *fmt, ...))
{
    for (const struct net_port *p = net_ports(); to != NULL && p != NULL; p = p->next) {
        if (p != by && p->capture != NULL && p->capture->to == to) {
            print("%s goes there\n", p->name);
            return true;
        }
    }
    return false;
}

void capture_command(const char *nic, const char *verb, void (*print)(const char *fmt, ...))
{
    struct net_port *p = find_port(nic);
    bool is_dump = strcmp(verb, "dump") == 0, on = strcmp(verb, "on") == 0;
    struct chan *to = find_target(verb);

    if (p == NULL || p->capture == NULL) {
        no_port(nic, print);
    } else if (to == NULL && !is_dump && !on && strcmp(verb, "off") != 0) {
        print("net capture: '%s' is not on, off, dump or a port of a virtio-console, VM/PORT\n",
              verb);
    } else if (dump.c != NULL && (is_dump || dump.c == p->capture)) {
        print("a capture is still being printed\n");
    } else if (p->capture->to != NULL && (is_dump || on)) {
        print("it still goes to %s\n", chan_name(p->capture->to));
    } else if (!is_taken(to, p, print)) {
        if (to != NULL) {
            feed_begin(p->capture, to);
        } else {
            set_on(p->capture, on, NULL);
        }
        say_state(p, print);
        if (is_dump) {
            dump_begin(p);
        }
    }
}
