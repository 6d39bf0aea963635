/* SPDX-License-Identifier: MIT */
/*
 * UARTs with the registers of National Semiconductor's 16550 (TL16C550 data sheet), at whatever
 * distance and width the tree says: the plain one, Synopsys DesignWare's (DW_apb_uart), the mini
 * UART of BCM2835 and its successors (BCM2711 peripherals §2.2), and TI's (AM64x TRM §12.1.6).
 */
#include "arch/arm-common/io.h"
#include "arch/arm-common/uart.h"

enum { /* register numbers */
       RBR = 0,
       THR = 0,
       IER = 1,
       IIR = 2,
       FCR = 2,
       MCR = 4,
       LSR = 5,
       OMAP_MDR1 = 8,
       OMAP_SCR = 16,
       OMAP_EFR2 = 35,
       OMAP_TIMEOUTL = 38,
       OMAP_TIMEOUTH = 39,
       DW_USR = 31,
};

#define IER_RX     (BIT(0) | BIT(2)) /* byte or time-out; and errors: the mini UART wants both */
#define IER_TX     BIT(1)
#define IIR_ID     0x0fu
#define IIR_STALE  0x0cu /* bytes lie below the FIFO's threshold */
#define IIR_FIFO   0xc0u
#define FCR_ENABLE BIT(0) /* with the lowest threshold, which is one byte */
#define MCR_OUT2   BIT(3) /* lets the interrupt out where it's wired as in a PC */
#define LSR_DR     BIT(0)
#define LSR_THRE   BIT(5) /* all bytes have left the FIFO; mini UART: there's room for one */
#define FIFO       16

#define OMAP_FCR_RX_1      BIT(6) /* with SCR_RX_FINE: the threshold is one byte */
#define OMAP_MDR1_MODE     0x07u
#define OMAP_MDR1_OFF      0x07u
#define OMAP_MDR1_UART     0x00u
#define OMAP_SCR_TX_EMPTY  BIT(3) /* interrupts when LSR_THRE says so, no earlier */
#define OMAP_SCR_RX_FINE   BIT(7)
#define OMAP_EFR2_PERIODIC BIT(6)

static u32 reg_read(const struct uart_port *p, u32 reg)
{
    uintptr_t a = p->base + ((uintptr_t)reg << p->shift);

    if (p->width == 4) {
        return io_read32(a);
    }
    return p->width == 2 ? io_read16(a) : io_read8(a);
}

static void reg_write(const struct uart_port *p, u32 reg, u8 v)
{
    uintptr_t a = p->base + ((uintptr_t)reg << p->shift);

    if (p->width == 4) {
        io_write32(a, v);
    } else if (p->width == 2) {
        io_write16(a, v);
    } else {
        io_write8(a, v);
    }
}

static void plain_init(struct uart_port *p)
{
    reg_write(p, IER, 0);
    reg_write(p, FCR, FCR_ENABLE);
    reg_write(p, MCR, (u8)(reg_read(p, MCR) | MCR_OUT2));
    p->fifo = (reg_read(p, IIR) & IIR_FIFO) == IIR_FIFO ? FIFO : 1;
}

/* It interrupts until this is read, once line settings were written while it was sending. */
static void dw_init(struct uart_port *p)
{
    plain_init(p);
    (void)reg_read(p, DW_USR);
}

/* Its FIFO is always on, and what would be FCR may only empty it. */
static void aux_init(struct uart_port *p)
{
    reg_write(p, IER, 0);
    p->fifo = 1;
}

static void omap_init(struct uart_port *p)
{
    plain_init(p);
    reg_write(p, OMAP_SCR, OMAP_SCR_TX_EMPTY | OMAP_SCR_RX_FINE);
    reg_write(p, FCR, FCR_ENABLE | OMAP_FCR_RX_1);
    if ((reg_read(p, OMAP_MDR1) & OMAP_MDR1_MODE) == OMAP_MDR1_OFF) {
        reg_write(p, OMAP_MDR1, OMAP_MDR1_UART);
    }
}

static bool plain_put(struct uart_port *p, char c)
{
    u8 room = p->room; /* once: a panic may print while another CPU is in here */

    if (room == 0) {
        if ((reg_read(p, LSR) & LSR_THRE) == 0) {
            return false;
        }
        room = p->fifo;
    }
    p->room = room - 1;
    reg_write(p, THR, (u8)c);
    return true;
}

static int plain_get(struct uart_port *p)
{
    if ((reg_read(p, LSR) & LSR_DR) == 0) {
        return -1;
    }
    return (u8)reg_read(p, RBR);
}

/* It may say that bytes wait too long when there are none, and goes on until one is read. */
static int dw_get(struct uart_port *p)
{
    int c = plain_get(p);

    if (c < 0 && (reg_read(p, IIR) & IIR_ID) == IIR_STALE) {
        c = plain_get(p); /* or else it has just come */
        if (c < 0) {
            (void)reg_read(p, RBR);
        }
    }
    return c;
}

/*
 * K3's may say so, too (erratum i2310). It's silenced by a timeout that is long and periodic while
 * IIR is read; reading a byte that isn't there might abort.
 */
static int omap_get(struct uart_port *p)
{
    int c = plain_get(p);
    u8 low, high;

    if (c < 0 && (reg_read(p, IIR) & IIR_ID) == IIR_STALE) {
        low = (u8)reg_read(p, OMAP_TIMEOUTL);
        high = (u8)reg_read(p, OMAP_TIMEOUTH);
        reg_write(p, OMAP_TIMEOUTH, 0xff);
        reg_write(p, OMAP_TIMEOUTL, 0xff);
        reg_write(p, OMAP_EFR2, OMAP_EFR2_PERIODIC);
        (void)reg_read(p, IIR);
        reg_write(p, OMAP_EFR2, 0);
        reg_write(p, OMAP_TIMEOUTH, high);
        reg_write(p, OMAP_TIMEOUTL, low);
    }
    return c;
}

static void plain_irqs(struct uart_port *p, bool receive, bool transmit)
{
    reg_write(p, IER, (u8)((receive ? IER_RX : 0) | (transmit ? IER_TX : 0)));
}

const struct uart_driver uart_16550 = {plain_init, plain_put, plain_get, plain_irqs};
const struct uart_driver uart_dw = {dw_init, plain_put, dw_get, plain_irqs};
const struct uart_driver uart_aux = {aux_init, plain_put, plain_get, plain_irqs};
const struct uart_driver uart_omap = {omap_init, plain_put, omap_get, plain_irqs};
