/* SPDX-License-Identifier: MIT */
/*
 * NXP's LINFlexD as a UART: S32V234, S32G (S32G2 reference manual, LINFlexD). One byte at a time:
 * interrupts don't go with its FIFO. Flags stay until a 1 is written to them.
 */
#include "arch/arm-common/io.h"
#include "arch/arm-common/uart.h"

enum {
    LINCR1 = 0x00,
    LINIER = 0x04,
    LINSR = 0x08,
    UARTCR = 0x10,
    UARTSR = 0x14,
    BDRL = 0x38,
    BDRM = 0x3c,
};

#define LINCR1_INIT    BIT(0)
#define LINCR1_MASTER  (BIT(4) | BIT(7)) /* without filters, as UART mode wants it */
#define LINIER_RX      BIT(2)
#define LINIER_TX      BIT(1)
#define LINSR_STATE    0xf000u
#define LINSR_INIT     0x1000u
#define UARTCR_UART    BIT(0)
#define UARTCR_8N1     BIT(1)
#define UARTCR_ON      (BIT(4) | BIT(5) | UARTCR_UART) /* transmit, receive */
#define UARTCR_BUFFERS 0xff00u /* FIFOs or buffers, and of which size: 0 is 1 byte */
#define UARTSR_SENT    BIT(1)
#define UARTSR_RX      (BIT(2) | BIT(9)) /* received, it can be read */

/* The mode can only be changed in a state that the boot loader has long left. */
static void linflex_init(struct uart_port *p)
{
    u32 mode = io_read32(p->base + UARTCR) & (UARTCR_ON | UARTCR_BUFFERS);

    io_write32(p->base + LINIER, 0);
    if (mode != UARTCR_ON) {
        io_write32(p->base + LINCR1, LINCR1_MASTER | LINCR1_INIT);
        if (io_wait32(p->base + LINSR, LINSR_STATE, LINSR_INIT)) {
            io_write32(p->base + UARTCR, UARTCR_UART); /* or else the rest can't be written */
            io_write32(p->base + UARTCR, UARTCR_ON | UARTCR_8N1);
        }
        io_write32(p->base + LINCR1, LINCR1_MASTER);
    }
    p->room = 1; /* nothing is on its way, so nothing will say that it was sent */
}

static bool linflex_put(struct uart_port *p, char c)
{
    if (p->room == 0 && (io_read32(p->base + UARTSR) & UARTSR_SENT) == 0) {
        return false;
    }
    p->room = 0;
    io_write32(p->base + UARTSR, UARTSR_SENT);
    io_write8(p->base + BDRL, (u8)c);
    return true;
}

static int linflex_get(struct uart_port *p)
{
    u32 status = io_read32(p->base + UARTSR);
    u8 c;

    if ((status & UARTSR_RX) == 0) {
        return -1;
    }
    c = io_read8(p->base + BDRM);
    io_write32(p->base + UARTSR, status & ~UARTSR_SENT);
    return c;
}

static void linflex_irqs(struct uart_port *p, bool receive, bool transmit)
{
    io_write32(p->base + LINIER, (receive ? LINIER_RX : 0) | (transmit ? LINIER_TX : 0));
}

const struct uart_driver uart_linflex = {linflex_init, linflex_put, linflex_get, linflex_irqs};
