/* SPDX-License-Identifier: MIT */
/*
 * Renesas' SCIF and HSCIF: R-Car, RZ/G (R-Car Gen3 hardware manual §52, §53). Interrupts are levels
 * that stay until their flags, read as 1, are written as 0; so that is done whenever the FIFO turns
 * out to be empty, or a byte goes into it. Flags that still hold come back by themselves.
 */
#include "arch/arm-common/io.h"
#include "arch/arm-common/uart.h"

enum { /* register numbers, 1 << shift apart */
       SMR = 0,
       SCR = 2,
       FTDR = 3,
       FSR = 4,
       FRDR = 5,
       FCR = 6,
       FDR = 7,
       LSR = 9,
       HSRTRGR = 21, /* HSCIF: the threshold of FCR, but of 7 bits */
};

#define SCR_ON    (BIT(4) | BIT(5)) /* receive, transmit */
#define SCR_RIE   BIT(6)
#define SCR_TIE   BIT(7)
#define SCR_CLOCK 0x03u
#define SMR_8N1   0
#define FSR_DR    BIT(0) /* received, but less than the threshold */
#define FSR_RDF   BIT(1)
#define FSR_BRK   BIT(4)
#define FSR_TDFE  BIT(5) /* half of the FIFO is empty */
#define FSR_TEND  BIT(6)
#define FSR_ER    BIT(7)
#define FSR_RX    (FSR_DR | FSR_RDF | FSR_BRK | FSR_ER)
#define FCR_MCE   BIT(3) /* RTS and CTS are used; else 1 byte received, 8 left to send */
#define FDR_RX    0x00ffu
#define FDR_TX    8
#define LSR_ORER  BIT(0) /* no more is received until this is cleared */
#define FIFO      16     /* HSCIF's has 128 */

static uintptr_t at(const struct uart_port *p, u32 reg)
{
    return p->base + ((uintptr_t)reg << p->shift);
}

static u16 reg_read(const struct uart_port *p, u32 reg)
{
    return io_read16(at(p, reg));
}

static void reg_write(const struct uart_port *p, u32 reg, u32 v)
{
    io_write16(at(p, reg), (u16)v);
}

static void scif_init(struct uart_port *p)
{
    u32 scr = reg_read(p, SCR);

    if ((scr & SCR_ON) != SCR_ON) {
        reg_write(p, SCR, scr & SCR_CLOCK);
        reg_write(p, SMR, SMR_8N1);
    }
    reg_write(p, SCR, (scr & SCR_CLOCK) | SCR_ON);
    reg_write(p, FCR, reg_read(p, FCR) & FCR_MCE);
}

static void hscif_init(struct uart_port *p)
{
    scif_init(p);
    reg_write(p, HSRTRGR, 1);
}

static bool scif_put(struct uart_port *p, char c)
{
    if (reg_read(p, FDR) >> FDR_TX >= FIFO) {
        return false;
    }
    io_write8(at(p, FTDR), (u8)c);
    reg_write(p, FSR, reg_read(p, FSR) & ~(FSR_TDFE | FSR_TEND));
    return true;
}

static bool is_empty(const struct uart_port *p)
{
    return (reg_read(p, FDR) & FDR_RX) == 0;
}

static int scif_get(struct uart_port *p)
{
    if (is_empty(p)) {
        reg_write(p, FSR, reg_read(p, FSR) & ~FSR_RX);
        (void)reg_read(p, LSR); /* or else a 0 doesn't clear it */
        reg_write(p, LSR, 0);
        if (is_empty(p)) {
            return -1;
        }
    }
    return io_read8(at(p, FRDR));
}

static void scif_irqs(struct uart_port *p, bool receive, bool transmit)
{
    u32 scr = reg_read(p, SCR) & ~(SCR_RIE | SCR_TIE);

    reg_write(p, SCR, scr | (receive ? SCR_RIE : 0) | (transmit ? SCR_TIE : 0));
}

const struct uart_driver uart_scif = {scif_init, scif_put, scif_get, scif_irqs};
const struct uart_driver uart_hscif = {hscif_init, scif_put, scif_get, scif_irqs};
