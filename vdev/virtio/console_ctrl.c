/* SPDX-License-Identifier: MIT */
/*
 * virtio-console's control queues (VIRTIO 1.2 §5.3.6.2): which ports there are, what they are, and
 * whether somebody has them open. What is to be said to the driver is a few bits a port, not a
 * queue of messages: it may say the same thing a thousand times, and give no buffer for an answer.
 * Lock: ctrl.lock, one message at a time; within it, each queue's.
 */
#include "vdev/virtio/console_dev.h"

#include <string.h>

#define BURST 8 /* messages in one go, each way */

/* struct virtio_console_control and its events. */
struct message {
    u32 id;
    u16 event, value;
    u8 name[CONSOLE_PORT_NAME]; /* PORT_NAME only, without an end */
};

#define MESSAGE_HEAD offsetof(struct message, name)

enum {
    DEVICE_READY = 0,
    DEVICE_ADD = 1,
    PORT_READY = 3,
    CONSOLE_PORT = 4,
    PORT_OPEN = 6,
    PORT_NAME = 7,
};

/* --- what the driver says -----------------------------------------------------------------------
 */

static void port_ready(struct console *c, u32 index, bool ready)
{
    const struct str *name = &c->port[index].opts->name;

    c->ctrl.owed[index] = !ready ? 0 : OWED_OPEN | (name->len > 0 ? OWED_NAME : OWED_CONSOLE);
}

static void port_open(struct console_port *p, bool open)
{
    atomic_store(&p->open, (u32)open);
    if (open) { /* what was typed waits for it */
        work_queue(console_pcpu(p->console), &p->work);
    }
}

/* ctrl.lock is held. */
static void carry_out(struct console *c, const struct message *m)
{
    u32 n = c->nports;

    if (m->event == DEVICE_READY) {
        memset(c->ctrl.owed, m->value != 0 ? OWED_ADD : 0, n);
        return;
    }
    if (m->id >= n) {
        counter_inc(&c->virtio.ignored);
        return;
    }
    if (m->event == PORT_READY) {
        port_ready(c, index_nospec(m->id, n), m->value != 0);
    } else if (m->event == PORT_OPEN) {
        port_open(&c->port[index_nospec(m->id, n)], m->value != 0);
    } else {
        counter_inc(&c->virtio.ignored);
    }
}

/* What is done with a chain; `arg` is the caller's. Returns the bytes that were written to it. */
typedef u32 use_chain(struct console *c, void *arg);

/* One chain of a control queue, if there is one. False: there's none. ctrl.lock is held. */
static bool exchange(struct console *c, u32 index, use_chain *use, void *arg)
{
    struct virtq *q = &c->virtio.queue[index];
    enum virtq_result r = VIRTQ_EMPTY;
    bool interrupt = false;

    spin_lock(&q->lock);
    if (virtio_running(&c->virtio)) {
        r = virtq_pop_or_ask(q, &c->ctrl.chain);
    }
    if (r == VIRTQ_OK) {
        virtq_push(q, &c->ctrl.chain, use(c, arg));
        interrupt = virtq_publish(q);
    } else if (r == VIRTQ_BROKEN) {
        virtio_broken(&c->virtio, q->why);
    }
    spin_unlock(&q->lock);
    if (interrupt) {
        virtio_interrupt(&c->virtio);
    }
    return r == VIRTQ_OK;
}

static u32 read_message(struct console *c, void *arg)
{
    struct message *m = arg;

    if (chain_read(&c->ctrl.chain, 0, m, MESSAGE_HEAD) != MESSAGE_HEAD) {
        m->id = UINT32_MAX; /* too short: means nothing */
        m->event = UINT16_MAX;
    }
    return 0;
}

/* --- what it is told ----------------------------------------------------------------------------
 */

static const u16 owed_events[] = {DEVICE_ADD, CONSOLE_PORT, PORT_NAME, PORT_OPEN};

/* The port of which something is to be said next, and what: a bit of enum console_owed. All ports
 * are announced first. NULL: there's none. */
static struct console_port *next_owed(struct console *c, u32 *stage)
{
    for (*stage = 0; *stage < ARRAY_SIZE(owed_events); ++*stage) {
        for (u32 i = 0; i < c->nports; i++) {
            if ((c->ctrl.owed[i] >> *stage & 1) != 0) {
                return &c->port[i];
            }
        }
    }
    return NULL;
}

struct owed {
    struct console_port *port;
    u32 stage;
};

static u32 write_message(struct console *c, void *arg)
{
    const struct owed *o = arg;
    const struct str *name = &o->port->opts->name;
    struct message m = {.id = o->port->index, .event = owed_events[o->stage], .value = 1};
    u32 len = MESSAGE_HEAD, n;

    if (m.event == PORT_NAME) {
        memcpy(m.name, name->p, name->len); /* its length was checked */
        len += name->len;
    }
    n = chain_write(&c->ctrl.chain, 0, &m, len);
    if (n >= MESSAGE_HEAD) { /* else it stays owed, and that buffer is gone */
        c->ctrl.owed[m.id] &= (u8)~BIT(o->stage);
    }
    return n;
}

/* Says one thing, if there is one and a buffer for it. ctrl.lock is held. */
static bool give(struct console *c)
{
    struct owed o;

    o.port = next_owed(c, &o.stage);
    return o.port != NULL && exchange(c, CTRL_RX, write_message, &o);
}

/* --- when ---------------------------------------------------------------------------------------
 */

/* True: there may be more. ctrl.lock is held. */
static bool talk(struct console *c)
{
    for (u32 i = 0; i < BURST; i++) {
        struct message m;
        bool took = exchange(c, CTRL_TX, read_message, &m);

        if (took) {
            carry_out(c, &m);
        }
        if (!give(c) && !took) {
            return false;
        }
    }
    return true;
}

static bool ctrl_work(struct work *w)
{
    struct console *c = container_of(w, struct console, ctrl.work);
    bool more;

    spin_lock(&c->ctrl.lock);
    more = talk(c);
    c->ctrl.deferred = more;
    spin_unlock(&c->ctrl.lock);
    return more;
}

void console_ctrl_notify(struct console *c)
{
    bool defer = false;

    spin_lock(&c->ctrl.lock);
    if (!c->ctrl.deferred) {
        defer = talk(c);
        c->ctrl.deferred = defer;
    }
    spin_unlock(&c->ctrl.lock);
    if (defer) {
        work_queue(console_pcpu(c), &c->ctrl.work);
    }
}

void console_ctrl_reset(struct console *c)
{
    spin_lock(&c->ctrl.lock);
    c->ctrl.deferred = false;
    memset(c->ctrl.owed, 0, sizeof(c->ctrl.owed));
    spin_unlock(&c->ctrl.lock);
}

void console_ctrl_init(struct console *c)
{
    spin_init(&c->ctrl.lock, LOCK_CONTROL);
    c->ctrl.work.fn = ctrl_work;
}
