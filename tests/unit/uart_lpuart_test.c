/* SPDX-License-Identifier: MIT */
/* arch/arm-common/uart_lpuart.c on a model of LPUART's registers. */
#include "tests/host/uart_model.h"

enum { BAUD = 0x10, STAT = 0x14, CTRL = 0x18, DATA = 0x1c, FIFO = 0x28, WATER = 0x2c };

#define OR   BIT(19)
#define RDRF BIT(21)
#define TC   BIT(22)
#define TDRE BIT(23)
#define ON   (BIT(18) | BIT(19))
#define RIE  BIT(21)
#define TIE  BIT(23)
#define TXFE BIT(7)
#define RXFE BIT(3)

#define UNTOUCHED 0x0f00001au /* OSR and SBR: the baud rate */
#define INVERTED  BIT(28)     /* a setting among STAT's flags */

static const bool model_edges = false;
static u32 baud, ctrl, fifo, water, flags, sizes;
static bool stuck; /* a byte that can't leave: RTS says no */

static u32 depth(u32 size)
{
    return size == 0 ? 1 : 2u << size;
}

static void settle_fifos(void)
{
    tx.depth = (fifo & TXFE) ? depth(sizes >> 4 & 7) : 1;
    rx.depth = (fifo & RXFE) ? depth(sizes & 7) : 1;
}

static void model_reset(void)
{
    baud = UNTOUCHED | BIT(23) | BIT(14);
    ctrl = ON | TIE | BIT(20);
    fifo = 0;
    water = 3;
    flags = 0;
    settle_fifos();
}

static void model_sent(void)
{
}

static void model_received(void)
{
}

static void model_overrun(void)
{
    flags |= OR;
    deaf = true;
}

static u32 stat(void)
{
    u32 v = flags | INVERTED;

    v |= tx.count <= (water & 0xff) ? TDRE : 0;
    v |= tx.count == 0 && !stuck ? TC : 0;
    return v | (rx.count > (water >> 16 & 0xff) ? RDRF : 0);
}

static bool model_line(void)
{
    return ((ctrl & TIE) && (stat() & TDRE)) || ((ctrl & RIE) && (stat() & RDRF));
}

static u32 model_read(u32 reg, u32 width)
{
    assert_int_equal(width, 4);
    switch (reg) {
    case BAUD:
        return baud;
    case STAT:
        return stat();
    case CTRL:
        return ctrl;
    case DATA:
        return rx_take() | (rx.count == 0 ? BIT(11) : 0);
    case FIFO:
        return fifo | sizes | (rx.count == 0 ? BIT(22) : 0);
    default:
        fail_msg("read of 0x%x", reg);
        return 0;
    }
}

static void model_write(u32 reg, u32 v, u32 width)
{
    assert_int_equal(width, 4);
    switch (reg) {
    case BAUD:
        baud = v;
        break;
    case STAT:
        assert_int_equal(v & 0x3e000000, INVERTED);
        flags &= ~v;
        deaf = flags & OR;
        break;
    case CTRL:
        ctrl = v;
        break;
    case DATA:
        assert_int_equal(ctrl & ON, ON);
        tx_give(v);
        break;
    case FIFO:
        assert_int_equal(ctrl & ON, 0);
        assert_false(stuck);
        fifo = v & (TXFE | RXFE);
        settle_fifos();
        break;
    case WATER:
        water = v;
        break;
    default:
        fail_msg("write of 0x%x", reg);
    }
}

static void lpuart(void **state)
{
    (void)state;
    for (sizes = 0; sizes <= 0x66; sizes += 0x11) {
        check_driver(&uart_lpuart, 0, 0);
        assert_int_equal(tx.depth, depth(sizes & 7));
    }
    sizes = 0x33;
    begin(&uart_lpuart, 0, 0);
    assert_int_equal(baud, UNTOUCHED);
    assert_int_equal(ctrl, ON);
}

/* It was never on: nothing has to leave. Nor does what can't keep anybody waiting. */
static void off_or_stuck(void **state)
{
    (void)state;
    sizes = 0x33;
    stuck = true;
    begin(&uart_lpuart, 0, 0);
    assert_int_equal(fifo, 0);
    assert_int_equal(port.fifo, 1);
    stuck = false;
    ctrl = 0;
    port = (struct uart_port){.base = BASE};
    uart_lpuart.init(&port);
    assert_int_equal(ctrl, ON);
    assert_int_equal(fifo, (TXFE | RXFE));
    assert_int_equal(port.fifo, 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lpuart),
        cmocka_unit_test(off_or_stuck),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
