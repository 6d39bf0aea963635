/* SPDX-License-Identifier: MIT */
/*
 * The drivers of the board's UART, on registers that are plain memory: what they write where, by
 * accesses of which width, and what they make of what they read. Only a UART itself can show the
 * rest; tests/qemu/test_boards.py has those that QEMU emulates.
 */
#include "arch/arm-common/uart.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define UNTOUCHED 0xa5a5a5a5u

static u32 regs[64];
static struct uart_port port;

static u32 *at(u32 offset)
{
    return &regs[offset / 4];
}

/* All registers 0 but what the test sets. */
static void clear(u8 shift, u8 width)
{
    memset(regs, 0, sizeof(regs));
    port = (struct uart_port){.base = (uintptr_t)regs, .shift = shift, .width = width};
}

/* --- PL011 --- */

static void pl011(void **state)
{
    const struct uart_driver *d = &uart_pl011;

    (void)state;
    clear(0, 0);
    *at(0x38) = 0x7ff;
    d->init(&port);
    assert_int_equal(*at(0x38), 0);
    assert_int_equal(*at(0x44), 0x7ff);
    assert_int_equal(*at(0x30), 0x301); /* it was off */
    assert_int_equal(*at(0x2c), 0x70);
    *at(0x2c) = 0x12;
    *at(0x30) = 0xf01 | 0x300;
    d->init(&port);
    assert_int_equal(*at(0x2c), 0x12); /* it was on: as the boot loader left it */
    assert_int_equal(*at(0x30), 0xf01 | 0x300);

    assert_true(d->put(&port, (char)0xe4));
    assert_int_equal(*at(0), 0xe4);
    *at(0x18) = 1 << 5;
    assert_false(d->put(&port, 'x'));
    assert_int_equal(*at(0), 0xe4);
    *at(0) = 0xf00 | 'r'; /* with errors */
    assert_int_equal(d->get(&port), 'r');
    *at(0x18) = 1 << 4;
    assert_int_equal(d->get(&port), -1);

    d->irqs(&port, true, false);
    assert_int_equal(*at(0x38), 0x50);
    d->irqs(&port, false, true);
    assert_int_equal(*at(0x38), 0x20);
}

/* --- the 16550 family --- */

static u8 reg8(u32 reg)
{
    return ((u8 *)regs)[reg << port.shift];
}

static void set8(u32 reg, u8 v)
{
    ((u8 *)regs)[reg << port.shift] = v;
}

/* IIR and FCR are one place here: with a FIFO the test leaves in it what init will read. */
static void put_and_get(const struct uart_driver *d)
{
    set8(5, 0x60);
    assert_true(d->put(&port, (char)0xe4));
    assert_int_equal(reg8(0), 0xe4);
    set8(5, 0);
    assert_false(d->put(&port, 'x'));
    assert_int_equal(reg8(0), 0xe4);
    assert_int_equal(d->get(&port), -1);
    set8(0, 'r');
    set8(5, 1);
    assert_int_equal(d->get(&port), 'r');
    d->irqs(&port, true, true);
    assert_int_equal(reg8(1), 0x07);
    d->irqs(&port, true, false);
    assert_int_equal(reg8(1), 0x05);
    d->irqs(&port, false, false);
    assert_int_equal(reg8(1), 0);
}

static void plain_16550(void **state)
{
    (void)state;
    clear(0, 1);
    memset(regs, 0x5a, sizeof(regs));
    set8(4, 3);
    set8(5, 0);
    uart_16550.init(&port);
    assert_int_equal(reg8(1), 0);
    assert_int_equal(reg8(2), 1);
    assert_int_equal(reg8(3), 0x5a); /* line settings are not ours */
    assert_int_equal(reg8(4), 0x0b);
    assert_int_equal(port.fifo, 1);
    put_and_get(&uart_16550);
    assert_int_equal(reg8(3), 0x5a);
    assert_int_equal(reg8(6), 0x5a);
    assert_int_equal(reg8(8), 0x5a);
}

static void distance_and_width(void **state)
{
    (void)state;
    for (u8 shift = 0; shift < 4; shift++) {
        for (u8 width = 1; width <= 4 && width <= 1u << shift; width *= 2) {
            clear(shift, width);
            uart_16550.init(&port);
            put_and_get(&uart_16550);
            memset(regs, 0xff, sizeof(regs));
            uart_16550.irqs(&port, true, false);
            for (u32 i = 0; i < sizeof(regs); i++) {
                u32 reg = 1u << shift;
                u8 is = ((u8 *)regs)[i];

                assert_int_equal(is, i == reg ? 5 : i > reg && i < reg + width ? 0 : 0xff);
            }
        }
    }
}

static void fifo_is_filled(void **state)
{
    (void)state;
    clear(2, 4);
    port.fifo = 16; /* what init finds where IIR isn't FCR */
    set8(5, 0x20);
    assert_true(uart_16550.put(&port, 'a'));
    set8(5, 0);
    for (u32 i = 1; i < 16; i++) {
        assert_true(uart_16550.put(&port, 'b'));
    }
    assert_false(uart_16550.put(&port, 'c'));
    set8(5, 0x20);
    assert_true(uart_16550.put(&port, 'c'));
    assert_int_equal(port.room, 15);
}

static void designware(void **state)
{
    (void)state;
    clear(2, 4);
    uart_dw.init(&port);
    put_and_get(&uart_dw);
    set8(0, 'r');
    set8(2, 0xcc); /* a time-out, but no byte */
    set8(5, 0);
    assert_int_equal(uart_dw.get(&port), -1);
}

static void mini_uart(void **state)
{
    (void)state;
    clear(2, 4);
    memset(regs, 0xff, sizeof(regs));
    uart_aux.init(&port);
    assert_int_equal(*at(4), 0);
    assert_int_equal(*at(8), 0xffffffff); /* would empty its FIFOs */
    assert_int_equal(*at(0x10), 0xffffffff);
    assert_int_equal(*at(0x24), 0xffffffff); /* CNTL */
    put_and_get(&uart_aux);
    assert_int_equal(port.room, 0); /* LSR promises one byte */
}

/* --- Cadence --- */

static void cadence(void **state)
{
    const struct uart_driver *d = &uart_cadence;

    (void)state;
    clear(0, 0);
    *at(0x00) = 0x128;
    *at(0x18) = UNTOUCHED; /* BAUDGEN */
    *at(0x34) = UNTOUCHED; /* BDIV */
    d->init(&port);
    assert_int_equal(*at(0x00), 0x114);
    assert_int_equal(*at(0x04), 0x20);
    assert_int_equal(*at(0x08), 0);
    assert_int_equal(*at(0x0c), 0x1fff);
    assert_int_equal(*at(0x20), 1);
    assert_int_equal(*at(0x18), UNTOUCHED);
    assert_int_equal(*at(0x34), UNTOUCHED);
    *at(0x00) = 0x14;
    *at(0x04) = 0;
    d->init(&port);
    assert_int_equal(*at(0x00), 0x14);
    assert_int_equal(*at(0x04), 0);

    *at(0x14) = 0;
    assert_true(d->put(&port, (char)0xe4));
    assert_int_equal(*at(0x30), 0xe4);
    assert_int_equal(*at(0x14), 0);
    *at(0x2c) = 1 << 4;
    assert_false(d->put(&port, 'x'));
    assert_int_equal(*at(0x30), 0xe4);
    assert_int_equal(*at(0x14), 1 << 3); /* so that it interrupts again */
    *at(0x14) = 0;
    *at(0x30) = 'r';
    assert_int_equal(d->get(&port), 'r');
    assert_int_equal(*at(0x14), 0);
    *at(0x2c) = 1 << 1;
    assert_int_equal(d->get(&port), -1);
    assert_int_equal(*at(0x14), 1 << 0);

    d->irqs(&port, true, false);
    assert_int_equal(*at(0x08), 1 << 0);
    assert_int_equal(*at(0x0c), 1 << 3);
    d->irqs(&port, false, true);
    assert_int_equal(*at(0x08), 1 << 3);
    assert_int_equal(*at(0x0c), 1 << 0);
}

/* --- i.MX --- */

static void imx(void **state)
{
    const struct uart_driver *d = &uart_imx;

    (void)state;
    clear(0, 0);
    *at(0x80) = 0xf36c | 1 << 4;
    *at(0x84) = 1 << 15 | 1 << 3;
    *at(0x90) = 0x0a81 | 0x1f; /* RFDIV is 5 */
    *at(0xa4) = UNTOUCHED;     /* UBIR, UBMR */
    *at(0xa8) = UNTOUCHED;
    d->init(&port);
    assert_int_equal(*at(0x80), 1 << 4 | 1);
    assert_int_equal(*at(0x84), 0x4027);
    assert_int_equal(*at(0x90), 2 << 10 | 5 << 7 | 1);
    assert_int_equal(*at(0xa4), UNTOUCHED);
    assert_int_equal(*at(0xa8), UNTOUCHED);
    *at(0x84) = 0x107; /* even parity: the boot loader wants it so */
    d->init(&port);
    assert_int_equal(*at(0x84), 0x107);

    assert_true(d->put(&port, (char)0xe4));
    assert_int_equal(*at(0x40), 0xe4);
    *at(0xb4) = 1 << 4;
    assert_false(d->put(&port, 'x'));
    assert_int_equal(*at(0x40), 0xe4);
    *at(0x00) = 0x8000 | 'r';
    assert_int_equal(d->get(&port), -1);
    *at(0x98) = 1;
    assert_int_equal(d->get(&port), 'r');

    d->irqs(&port, true, true);
    assert_int_equal(*at(0x80), 1 << 13 | 1 << 9 | 1 << 4 | 1);
    d->irqs(&port, true, false);
    assert_int_equal(*at(0x80), 1 << 9 | 1 << 4 | 1);
    d->irqs(&port, false, false);
    assert_int_equal(*at(0x80), 1 << 4 | 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pl011),
        cmocka_unit_test(plain_16550),
        cmocka_unit_test(distance_and_width),
        cmocka_unit_test(fifo_is_filled),
        cmocka_unit_test(designware),
        cmocka_unit_test(mini_uart),
        cmocka_unit_test(cadence),
        cmocka_unit_test(imx),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
