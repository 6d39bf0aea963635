/* SPDX-License-Identifier: MIT */
/*
 * Character channels and the console mux: many VMs, and Muntin itself, on one UART. Bytes of the
 * channel in focus go out as they are; the others' in whole lines, prefixed "[name] ", control
 * bytes made harmless. Input goes to the channel in focus; the escape key (Ctrl-]) moves it. No
 * byte is lost: a full ring tells its device, which holds its guest back. Lock: LOCK_CONSOLE, one
 * for all.
 */
#ifndef VDEV_CHAN_H
#define VDEV_CHAN_H

#include "core/types.h"

struct vm;
struct vdev_conf;
struct chan;

struct chan_ops {
    /* Input arrived: take it with chan_getc. Called without LOCK_CONSOLE. */
    void (*rx_ready)(void *dev);
    /* There's room to send again after chan_putc said false. Called without LOCK_CONSOLE. */
    void (*tx_ready)(void *dev);
    bool breaks; /* the device asks for breaks by chan_break; else none can be typed */
};

/*
 * Boot: a channel for a VM's console; the first nine have a focus key. NULL: too many, or no
 * memory. The calls of ops come on the boot CPU, as deferred work; both must be there.
 */
struct chan *chan_create(const char *name, const struct chan_ops *ops, void *dev);
/* The same without a key, for what isn't a console: it's reached by its name, or in turn. */
struct chan *chan_create_port(const char *name, const struct chan_ops *ops, void *dev);
u32 chan_number(const struct chan *c); /* 1, 2, … */
const char *chan_name(const struct chan *c);

/*
 * Boot: the channel of a device of `vm`. As a console: the first one of a VM has the VM's name,
 * others add their own, or where they are. As the port `port` of a device: VM/PORT.
 */
struct chan *chan_for_console(struct vm *vm, const struct vdev_conf *conf,
                              const struct chan_ops *ops, void *dev);
struct chan *chan_for_port(const struct vm *vm, struct str port, const struct chan_ops *ops,
                           void *dev);

/* Device side, any CPU; locks up to LOCK_DEVICE may be held. */
bool chan_putc(struct chan *c, u8 byte) MUST_CHECK; /* false: full, tx_ready will come */
int chan_getc(struct chan *c);                      /* -1: nothing */
/* Likewise many, at most 1,024: how many there was room for. If not all, tx_ready will come. */
u32 chan_write(struct chan *c, const u8 *p, u32 len) MUST_CHECK;
u32 chan_read(struct chan *c, u8 *p, u32 len); /* how many there were */
bool chan_has_input(struct chan *c);
bool chan_break(struct chan *c); /* true, once: a break is next, before what chan_getc gives */
void chan_reset(struct chan *c); /* forgets input; unfinished output is flushed as a line */
/*
 * Muntin's side: input that nobody typed, at most 1,024 bytes. How many there was room for. Any
 * CPU; locks up to LOCK_DEVICE may be held.
 */
u32 chan_feed(struct chan *c, const u8 *p, u32 len);

/*
 * Boot, before everything else here. `prompt` gets what is typed while Muntin has the focus, on the
 * boot CPU as deferred work, one byte at a time; a form feed (Ctrl-L) when it gets the focus, to
 * show itself.
 */
void chan_init(char escape, void (*prompt)(char c));

/* The mux. Any CPU. */
void chan_log(const char *line, size_t len); /* a whole line of Muntin's own: for log_sink; any lock
                                                below LOCK_CONSOLE may be held */
void chan_prompt_write(const char *s, size_t len); /* raw output of the prompt */
size_t chan_prompt_room(void); /* bytes that it takes now; what is more is lost */
void chan_focus(u32 number);   /* 0: Muntin */
u32 chan_focused(void);
u32 chan_find(const char *name);  /* number, or 0 */
struct chan *chan_at(u32 number); /* of 1, 2, … as chan_find gives it */
u32 chan_key(u32 number); /* 1, 2, …: from 10 on there's none on a keyboard; 0: it has none */
void chan_uart_irq(void); /* the UART has bytes, or room: for arch_uart_irq */
/* Before the machine goes off: waits until all output is out, or the UART takes none for long. */
void chan_drain(void);

#endif
