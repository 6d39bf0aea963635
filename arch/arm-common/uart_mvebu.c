/* SPDX-License-Identifier: MIT */
/* Marvell's UART of Armada 3700 (88F37xx functional specification): levels, no acknowledging. */
#include "arch/arm-common/io.h"
#include "arch/arm-common/uart.h"

enum {
    RBR = 0x00,
    TSH = 0x04,
    CTRL = 0x08,
    STAT = 0x0c,
};

#define CTRL_OTHERS  0x01cfu /* other interrupts: half a FIFO, the line is idle, errors */
#define CTRL_RX      BIT(4)
#define CTRL_TX      BIT(5)
#define STAT_RX      BIT(4)
#define STAT_TX_FULL BIT(11)

static void mvebu_irqs(struct uart_port *p, bool receive, bool transmit)
{
    u32 ctrl = io_read32(p->base + CTRL) & ~(CTRL_OTHERS | CTRL_RX | CTRL_TX);

    io_write32(p->base + CTRL, ctrl | (receive ? CTRL_RX : 0) | (transmit ? CTRL_TX : 0));
}

static void mvebu_init(struct uart_port *p)
{
    mvebu_irqs(p, false, false);
}

static bool mvebu_put(struct uart_port *p, char c)
{
    if ((io_read32(p->base + STAT) & STAT_TX_FULL) != 0) {
        return false;
    }
    io_write32(p->base + TSH, (u8)c);
    return true;
}

static int mvebu_get(struct uart_port *p)
{
    if ((io_read32(p->base + STAT) & STAT_RX) == 0) {
        return -1;
    }
    return (u8)io_read32(p->base + RBR);
}

const struct uart_driver uart_mvebu = {mvebu_init, mvebu_put, mvebu_get, mvebu_irqs};
