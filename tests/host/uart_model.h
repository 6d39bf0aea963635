/* SPDX-License-Identifier: MIT */
/*
 * Tests for drivers of UARTs that no emulator has: a test includes this and says what the registers
 * do (model_*), by numbers of its own. The same for all: nothing is lost or doubled either way, and
 * interrupts come and go as arch/arm-common/uart.h says.
 */
#ifndef TESTS_HOST_UART_MODEL_H
#define TESTS_HOST_UART_MODEL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/arm-common/uart.h"
#include "arch/host/arch.h"

#define BASE   0x10000u
#define BYTES  1000
#define EVENTS 12 /* accesses within one call of a driver, at most */

struct fifo {
    u8 byte[256];
    u32 count, depth;
};

static struct fifo tx, rx;
static bool deaf; /* for model_overrun: nothing more is received until the model clears it */
static struct uart_port port;
static u8 sent[2 * BYTES];
static u32 sent_count;
static int arrives_in; /* at the access after so many, a byte arrives; negative: none does */

/* The registers, offsets from BASE. Widths are for the model to check. */
static u32 model_read(u32 reg, u32 width);
static void model_write(u32 reg, u32 v, u32 width);
static void model_reset(void);    /* as the boot loader left it, both FIFOs empty */
static void model_sent(void);     /* a byte has left */
static void model_received(void); /* a byte has come */
static void model_overrun(void);  /* a byte has come, but there was no room */
static bool model_line(void);     /* is the interrupt asserted, or was there an edge? */
static const bool model_edges;

static void receive(u8 c)
{
    if (deaf) {
        return;
    }
    if (rx.count == rx.depth) {
        model_overrun();
        return;
    }
    rx.byte[rx.count++] = c;
    model_received();
}

static void access(void)
{
    if (arrives_in == 0) {
        receive('!');
    }
    arrives_in--;
}

static u64 io_read(uintptr_t a, size_t width)
{
    access();
    return model_read((u32)(a - BASE), (u32)width);
}

static void io_write(uintptr_t a, size_t width, u64 v)
{
    access();
    model_write((u32)(a - BASE), (u32)v, (u32)width);
}

/* For models: the driver took, or gave, a byte. */
static inline u8 rx_take(void)
{
    u8 c = rx.byte[0];

    assert_true(rx.count > 0);
    memmove(rx.byte, rx.byte + 1, --rx.count);
    return c;
}

static inline void tx_give(u32 c)
{
    assert_true(tx.count < tx.depth);
    assert_true(c < 256);
    tx.byte[tx.count++] = (u8)c;
}

static void send_one(void)
{
    assert_true(tx.count > 0);
    assert_true(sent_count < sizeof(sent));
    sent[sent_count++] = tx.byte[0];
    memmove(tx.byte, tx.byte + 1, --tx.count);
    model_sent();
}

static void begin(const struct uart_driver *d, u8 shift, u8 width)
{
    static const struct host_io io = {.read = io_read, .write = io_write};

    host_io = &io;
    deaf = false;
    arrives_in = -1;
    sent_count = tx.count = rx.count = 0;
    model_reset();
    port = (struct uart_port){.base = BASE, .shift = shift, .width = width};
    d->init(&port);
    assert_false(model_line());
}

/* Sends until it's full, then waits for the interrupt, as the console does. */
static inline void sends_all(const struct uart_driver *d)
{
    for (u32 i = 0; i < BYTES; i++) {
        while (!d->put(&port, (char)i)) {
            d->irqs(&port, true, true);
            assert_false(model_line());
            while (!model_line()) {
                send_one();
            }
            if (!model_edges) {
                assert_true(model_line());
            }
            d->irqs(&port, true, false);
            assert_false(model_line());
        }
    }
    while (tx.count > 0) {
        send_one();
    }
    assert_int_equal(sent_count, BYTES);
    for (u32 i = 0; i < BYTES; i++) {
        assert_int_equal(sent[i], (u8)i);
    }
}

/* The interrupt of room goes with the last byte that found some. */
static inline void room_comes_and_goes(const struct uart_driver *d)
{
    for (u32 round = 0; round < 4; round++) {
        d->irqs(&port, false, true);
        for (u32 i = 0; d->put(&port, 'x'); i++) {
            assert_true(i < 256);
        }
        if (!model_edges) {
            assert_false(model_line());
        }
        (void)model_line();
        while (tx.count > 0) {
            send_one();
        }
        assert_true(model_line());
        d->irqs(&port, false, false);
        assert_false(model_line());
    }
}

static inline void receives_all(const struct uart_driver *d)
{
    u8 c = 0;

    d->irqs(&port, true, false);
    assert_int_equal(d->get(&port), -1);
    for (u32 burst = 1; burst <= rx.depth; burst++) {
        for (u32 i = 0; i < burst; i++) {
            receive((u8)(c + i));
        }
        assert_true(model_line());
        for (u32 i = 0; i < burst; i++) {
            assert_int_equal(d->get(&port), c++);
        }
        assert_int_equal(d->get(&port), -1);
        assert_false(model_line());
    }
    d->irqs(&port, false, false);
    receive('x');
    assert_false(model_line());
    assert_int_equal(d->get(&port), 'x');
    assert_int_equal(d->get(&port), -1);
    d->irqs(&port, true, true);
    d->irqs(&port, true, false);
}

/* A byte comes at any moment while the driver finds out that there's none: it's read or interrupts.
 */
static inline void no_byte_slips_through(const struct uart_driver *d)
{
    d->irqs(&port, true, false);
    for (int at = 0; at < EVENTS; at++) {
        int c;

        (void)model_line();
        arrives_in = at;
        c = d->get(&port);
        if (arrives_in >= 0) {
            arrives_in = -1;
            continue; /* it never looked so often */
        }
        if (c < 0) {
            assert_true(model_line());
            c = d->get(&port);
        }
        assert_int_equal(c, '!');
        assert_int_equal(d->get(&port), -1);
        if (!model_edges) {
            assert_false(model_line());
        }
    }
}

static inline void overrun_passes(const struct uart_driver *d)
{
    d->irqs(&port, true, false);
    for (u32 i = 0; i < rx.depth + 3; i++) {
        receive('o');
    }
    for (u32 i = 0; i < rx.depth; i++) {
        assert_int_equal(d->get(&port), 'o');
    }
    assert_int_equal(d->get(&port), -1);
    if (!model_edges) {
        assert_false(model_line());
    }
    receive('n');
    assert_true(model_line());
    assert_int_equal(d->get(&port), 'n');
    assert_int_equal(d->get(&port), -1);
}

static inline void check_driver(const struct uart_driver *d, u8 shift, u8 width)
{
    void (*const checks[])(const struct uart_driver *) = {
        sends_all, room_comes_and_goes, receives_all, no_byte_slips_through, overrun_passes};

    for (u32 i = 0; i < ARRAY_SIZE(checks); i++) {
        begin(d, shift, width);
        checks[i](d);
        checks[i == 0 ? 1 : i](d); /* and once more, from where that left it */
    }
}

#endif
