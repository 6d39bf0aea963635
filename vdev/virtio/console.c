/* SPDX-License-Identifier: MIT */
/*
 * virtio-console: bytes between a driver's queues and channels of the console mux. Nothing is lost
 * in either direction: what the channel has no room for stays in the driver's buffers, which it
 * gets back when all of it has gone; what is typed stays in the channel until there are buffers,
 * and until somebody in the guest has the port open. It knows neither the mux's focus nor the UART.
 * Locks: each queue's.
 */
#include "vdev/virtio/console.h"

#include "core/arch.h"
#include "core/log.h"
#include "core/page.h"
#include "core/vm.h"
#include "vdev/virtio/console_dev.h"

#include <string.h>

#define CONSOLE_ID 3
#define QUEUE_SIZE 64
#define CHAINS     8   /* at most in one go, in each direction */
#define BYTES      256 /* likewise */
#define LULL_NS    1000000u

/* struct virtio_console_config, §5.3.4. */
struct console_config {
    u16 cols, rows; /* with SIZE only */
    u32 max_nr_ports;
    u32 emerg_wr;
};

struct pcpu *console_pcpu(const struct console *c)
{
    return c->virtio.dev.vm->vcpu[0]->pcpu;
}

static struct virtq *rx_queue(const struct console_port *p)
{
    return &p->console->virtio.queue[p->index == 0 ? 0 : 2 + 2 * p->index];
}

static struct virtq *tx_queue(const struct console_port *p)
{
    return rx_queue(p) + 1;
}

/* --- to the guest ------------------------------------------------------------------------------
 */

/* A guest throws away what comes to a port that nobody has open there. */
static bool listens(const struct console_port *p)
{
    return p->opts->in &&
           (!virtio_has(&p->console->virtio, CONSOLE_F_MULTIPORT) || atomic_load(&p->open) != 0);
}

/* As much of the input as fits into p->rx. */
static u32 fill(struct console_port *p, u32 budget)
{
    u32 room = MIN(p->rx.writable, budget);
    u8 buf[BYTES];
    u32 n = chan_read(p->chan, buf, room);

    p->in_bytes += n;
    return chain_write(&p->rx, 0, buf, n);
}

/* With the queue's lock. True: there's more to do. */
static bool receive(struct console_port *p, struct virtq *q)
{
    u32 budget = BYTES;

    for (u32 i = 0; i < CHAINS && budget > 0; i++) {
        u32 n;

        if (!chan_has_input(p->chan)) {
            return false; /* it calls when it has */
        }
        if (virtq_pop_or_ask(q, &p->rx) != VIRTQ_OK) {
            return false;
        }
        n = fill(p, budget);
        budget -= n;
        virtq_push(q, &p->rx, n);
    }
    return true;
}

/*
 * Linux's hvc waits with interrupts off for each buffer to come back. An interrupt then finds
 * nothing to do, and after 100,000 of those Linux never listens to the device again. So there's
 * none for what the driver has seen by itself a moment later.
 */
static void lull(struct console_port *p)
{
    if (!p->lulled) {
        p->lulled = true;
        timer_set(&p->lull, arch_now_ns() + LULL_NS);
    }
}

static void lull_over(struct timer *t)
{
    struct console_port *p = container_of(t, struct console_port, lull);
    struct virtq *q = tx_queue(p);
    bool interrupt;

    spin_lock(&q->lock);
    interrupt = p->lulled && q->ready && virtq_unseen(q);
    p->lulled = false;
    spin_unlock(&q->lock);
    if (interrupt) {
        virtio_interrupt(&p->console->virtio);
    }
}

/* What is common to both directions: true if there's more to do. */
static bool serve(struct console_port *p, struct virtq *q,
                  bool (*some)(struct console_port *p, struct virtq *q))
{
    struct virtio *v = &p->console->virtio;
    bool more = false, interrupt = false;

    spin_lock(&q->lock);
    if (virtio_running(v) && q->ready) {
        more = some(p, q) && !q->broken;
        interrupt = !q->broken && virtq_publish(q);
        if (interrupt && q == tx_queue(p)) {
            lull(p);
            interrupt = false;
        }
        if (q->broken) {
            virtio_broken(v, q->why);
        }
    }
    spin_unlock(&q->lock);
    if (interrupt) {
        virtio_interrupt(v);
    }
    return more;
}

static bool port_receive(struct console_port *p)
{
    return listens(p) && serve(p, rx_queue(p), receive);
}

/* --- from the guest ----------------------------------------------------------------------------
 */

/* Sends of p->tx what the budget allows. False: the channel is full; it calls when there's room. */
static bool drain(struct console_port *p, u32 *budget)
{
    while (p->sent<p->tx.readable && * budget> 0) {
        u8 buf[BYTES];
        u32 len = chain_read(&p->tx, p->sent, buf, MIN(*budget, BYTES));
        u32 n = p->opts->out ? chan_write(p->chan, buf, len) : len;

        p->sent += n;
        p->out_bytes += n;
        *budget -= n;
        if (n < len) {
            return false;
        }
    }
    return true;
}

/* With the queue's lock. True: there's more to do, and room for it. */
static bool transmit(struct console_port *p, struct virtq *q)
{
    u32 budget = BYTES;

    for (u32 i = 0; i < CHAINS; i++) {
        if (!p->sending) {
            if (virtq_pop_or_ask(q, &p->tx) != VIRTQ_OK) {
                return false;
            }
            p->sending = true;
            p->sent = 0;
        }
        if (!drain(p, &budget)) {
            return false;
        }
        if (p->sent < p->tx.readable) {
            break;
        }
        p->sending = false;
        virtq_push(q, &p->tx, 0);
    }
    return true;
}

static bool port_transmit(struct console_port *p)
{
    return serve(p, tx_queue(p), transmit);
}

/* --- who asks for it ---------------------------------------------------------------------------
 */

static bool port_work(struct work *w)
{
    struct console_port *p = container_of(w, struct console_port, work);
    bool more = port_transmit(p);

    return port_receive(p) || more;
}

static void port_ready(void *dev)
{
    struct console_port *p = dev;

    work_queue(console_pcpu(p->console), &p->work);
}

static const struct chan_ops chan_ops = {.rx_ready = port_ready, .tx_ready = port_ready};

static void console_notify(struct virtio *v, u32 queue)
{
    struct console *c = console_of(v);
    u32 index = queue < CTRL_RX ? 0 : queue / 2 - 1;
    struct console_port *p;

    if (queue == CTRL_RX || queue == CTRL_TX) {
        console_ctrl_notify(c);
        return;
    }
    p = &c->port[index];
    if ((queue & 1) != 0 ? port_transmit(p) : port_receive(p)) {
        port_ready(p);
    }
}

/* --- the device ---------------------------------------------------------------------------------
 */

static u64 console_features(struct virtio *v)
{
    return BIT64(CONSOLE_F_EMERG_WRITE) |
           (console_of(v)->multiport ? BIT64(CONSOLE_F_MULTIPORT) : 0);
}

static void console_config_read(struct virtio *v, u32 offset, void *buf, u32 len)
{
    struct console_config config = {.max_nr_ports = console_of(v)->nports};

    memcpy(buf, (const u8 *)&config + offset, len);
}

/* A byte to the console, whatever state the driver is in (§5.3.4); no room for it is bad luck. */
static void console_config_write(struct virtio *v, u32 offset, const void *buf, u32 len)
{
    struct console *c = console_of(v);

    (void)len;
    if (offset != offsetof(struct console_config, emerg_wr) || !c->port[0].opts->out) {
        counter_inc(&v->ignored);
    } else if (!chan_putc(c->port[0].chan, *(const u8 *)buf)) {
        counter_inc(&c->emergency_lost);
    }
}

/* Input may have come before the driver, and its buffers before DRIVER_OK. */
static void console_start(struct virtio *v)
{
    struct console *c = console_of(v);

    for (u32 i = 0; i < c->nports; i++) {
        port_ready(&c->port[i]);
    }
}

/* What was typed outlives a driver that starts anew, but not the VM. */
static void console_reset(struct virtio *v)
{
    struct console *c = console_of(v);

    console_ctrl_reset(c);
    for (u32 i = 0; i < c->nports; i++) {
        struct console_port *p = &c->port[i];
        struct spinlock *lock = &tx_queue(p)->lock;

        spin_lock(lock);
        p->sending = false;
        p->lulled = false;
        timer_cancel(&p->lull);
        spin_unlock(lock);
        atomic_store(&p->open, 0u);
        if (atomic_load(&v->dev.vm->state) != VM_RUNNING) {
            chan_reset(p->chan);
        }
    }
}

static void console_show(struct virtio *v, void (*print)(const char *fmt, ...))
{
    struct console *c = console_of(v);

    for (u32 i = 0; i < c->nports; i++) {
        struct console_port *p = &c->port[i];

        print("  virtio-console at 0x%llx, port %u: console `%s`, %s, %llu bytes out, %llu in\n",
              (unsigned long long)v->dev.conf->loc, i, chan_name(p->chan),
              !virtio_running(v)                    ? "no driver"
              : !virtio_has(v, CONSOLE_F_MULTIPORT) ? "driven"
              : atomic_load(&p->open) != 0          ? "open"
                                                    : "closed",
              (unsigned long long)atomic_load(&p->out_bytes),
              (unsigned long long)atomic_load(&p->in_bytes));
    }
}

static const struct virtio_ops console_ops = {
    .device_id = CONSOLE_ID,
    .features = console_features,
    .config_read = console_config_read,
    .config_write = console_config_write,
    .config_size = sizeof(struct console_config),
    .notify = console_notify,
    .start = console_start,
    .reset = console_reset,
    .show = console_show,
};

static bool port_init(struct console *c, u32 index, const struct console_port_opts *o,
                      struct vm *vm)
{
    struct console_port *p = &c->port[index];

    p->console = c;
    p->opts = o;
    p->index = index;
    p->work.fn = port_work;
    timer_init(&p->lull, console_pcpu(c), lull_over);
    p->chan = o->name.len == 0 ? chan_for_console(vm, c->virtio.dev.conf, &chan_ops, p)
                               : chan_for_port(vm, o->name, &chan_ops, p);
    return p->chan != NULL;
}

struct vdev *console_create(struct vm *vm, const struct vdev_conf *conf)
{
    static const struct console_port_opts only_console = {.in = true, .out = true};
    const struct console_opts *o = conf->opts;
    u32 nports = MAX(o->nports, 1u);
    struct console *c = page_alloc(sizeof(*c) + nports * sizeof(c->port[0]));

    if (c == NULL) {
        return NULL;
    }
    c->nports = nports;
    c->multiport = nports > 1 || (o->nports == 1 && o->port[0].name.len > 0);
    c->virtio.nqueues = c->multiport ? 2 + 2 * nports : 2;
    c->virtio.queue_max = QUEUE_SIZE;
    c->virtio.legacy = o->legacy;
    console_ctrl_init(c);
    if (!virtio_mmio_init(&c->virtio, vm, conf, &console_ops)) {
        return NULL;
    }
    for (u32 i = 0; i < nports; i++) {
        if (!port_init(c, i, o->nports > 0 ? &o->port[i] : &only_console, vm)) {
            return NULL;
        }
    }
    return &c->virtio.dev;
}
