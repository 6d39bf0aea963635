/* SPDX-License-Identifier: MIT */
/*
 * NXP's LPUART with registers of 32 bits, little-endian: i.MX7ULP, i.MX8QM, QXP and ULP, i.MX9
 * (i.MX 93 reference manual, LPUART). Interrupts are levels. Its FIFOs can only be switched on
 * while it is off, so that is done once the boot loader's last byte is out.
 */
#include "arch/arm-common/io.h"
#include "arch/arm-common/uart.h"

enum {
    BAUD = 0x10,
    STAT = 0x14,
    CTRL = 0x18,
    DATA = 0x1c,
    FIFO = 0x28,
    WATER = 0x2c,
};

#define BAUD_OTHERS  0x00a0c000u         /* DMA, interrupts of edges and breaks */
#define STAT_OR      BIT(19)             /* no more is received until this is cleared, by a 1 */
#define STAT_TC      BIT(22)             /* everything is out */
#define STAT_TDRE    BIT(23)             /* the FIFO has as few bytes as WATER says: none */
#define CTRL_ON      (BIT(18) | BIT(19)) /* receive, transmit */
#define CTRL_RIE     BIT(21)
#define CTRL_TIE     BIT(23)
#define CTRL_OTHERS  0x0f50c000u       /* other interrupts */
#define FIFO_ON      (BIT(3) | BIT(7)) /* receive, transmit */
#define FIFO_FLUSH   (BIT(14) | BIT(15))
#define FIFO_RXEMPT  BIT(22)
#define FIFO_TX_SIZE 4 /* of three bits: 0 is 1 byte, n is 1 << (n + 1) */

static void change(const struct uart_port *p, u32 reg, u32 clear, u32 set)
{
    io_write32(p->base + reg, (io_read32(p->base + reg) & ~clear) | set);
}

static void switch_fifos_on(struct uart_port *p)
{
    u32 size = io_read32(p->base + FIFO) >> FIFO_TX_SIZE & 7;

    change(p, CTRL, CTRL_ON, 0);
    io_write32(p->base + FIFO, FIFO_ON | FIFO_FLUSH);
    change(p, CTRL, 0, CTRL_ON);
    p->fifo = (u8)(size == 0 ? 1 : 1u << MIN(size + 1, 7u));
}

static void lpuart_init(struct uart_port *p)
{
    bool off = (io_read32(p->base + CTRL) & CTRL_ON) != CTRL_ON;

    change(p, CTRL, CTRL_RIE | CTRL_TIE | CTRL_OTHERS, 0);
    change(p, BAUD, BAUD_OTHERS, 0);
    io_write32(p->base + WATER, 0); /* more than none received, none left to send */
    p->fifo = 1;
    if (off || io_wait32(p->base + STAT, STAT_TC, STAT_TC)) {
        switch_fifos_on(p);
    }
}

static bool lpuart_put(struct uart_port *p, char c)
{
    u8 room = p->room; /* once: a panic may print while another CPU is in here */

    if (room == 0) {
        if ((io_read32(p->base + STAT) & STAT_TDRE) == 0) {
            return false;
        }
        room = p->fifo;
    }
    p->room = room - 1;
    io_write32(p->base + DATA, (u8)c);
    return true;
}

static int lpuart_get(struct uart_port *p)
{
    u32 stat;

    if ((io_read32(p->base + FIFO) & FIFO_RXEMPT) == 0) {
        return (u8)io_read32(p->base + DATA);
    }
    stat = io_read32(p->base + STAT);
    if ((stat & STAT_OR) != 0) {
        io_write32(p->base + STAT, stat); /* its settings as they are, its flags cleared */
    }
    return -1;
}

static void lpuart_irqs(struct uart_port *p, bool receive, bool transmit)
{
    u32 on = (receive ? CTRL_RIE : 0) | (transmit ? CTRL_TIE : 0);

    change(p, CTRL, CTRL_RIE | CTRL_TIE, on);
}

const struct uart_driver uart_lpuart = {lpuart_init, lpuart_put, lpuart_get, lpuart_irqs};
