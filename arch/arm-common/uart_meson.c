/* SPDX-License-Identifier: MIT */
/*
 * Amlogic's UART (S905 data sheet, §UART). Its interrupt is an edge: for each byte that is
 * received, and when the bytes to send fall below a number. The latter stays on, as Linux has it:
 * one edge for a burst, and none is lost to a moment in which it was off.
 */
#include "arch/arm-common/io.h"
#include "arch/arm-common/uart.h"

enum {
    WFIFO = 0x00,
    RFIFO = 0x04,
    CONTROL = 0x08,
    STATUS = 0x0c,
    MISC = 0x10,
};

#define CONTROL_ON      (BIT(12) | BIT(13)) /* transmit, receive */
#define CONTROL_RX_INT  BIT(27)
#define CONTROL_TX_INT  BIT(28)
#define STATUS_RX_EMPTY BIT(20)
#define STATUS_TX_FULL  BIT(21)
#define MISC_RX_1       1u
#define MISC_TX_32      (32u << 8) /* half of its FIFO */

static void meson_init(struct uart_port *p)
{
    u32 control = io_read32(p->base + CONTROL) & ~(CONTROL_RX_INT | CONTROL_TX_INT);

    io_write32(p->base + CONTROL, control | CONTROL_ON);
    io_write32(p->base + MISC, MISC_RX_1 | MISC_TX_32);
}

static bool meson_put(struct uart_port *p, char c)
{
    if ((io_read32(p->base + STATUS) & STATUS_TX_FULL) != 0) {
        return false;
    }
    io_write32(p->base + WFIFO, (u8)c);
    return true;
}

static int meson_get(struct uart_port *p)
{
    if ((io_read32(p->base + STATUS) & STATUS_RX_EMPTY) != 0) {
        return -1;
    }
    return (u8)io_read32(p->base + RFIFO);
}

static void meson_irqs(struct uart_port *p, bool receive, bool transmit)
{
    u32 control = io_read32(p->base + CONTROL) & ~(CONTROL_RX_INT | CONTROL_TX_INT);
    u32 on = (receive ? CONTROL_RX_INT : 0) | (transmit ? CONTROL_TX_INT : 0);

    io_write32(p->base + CONTROL, control | on);
}

const struct uart_driver uart_meson = {meson_init, meson_put, meson_get, meson_irqs};
