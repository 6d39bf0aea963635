/* SPDX-License-Identifier: MIT */
/*
 * Cadence's UART of Zynq and Zynq UltraScale+ (UG1085, UG1087). Its interrupts stay until they are
 * acknowledged, so that is done whenever the FIFO turns out to be empty, or full: and then the FIFO
 * is looked at once more, as what happened before the acknowledgement does not interrupt.
 */
#include "arch/arm-common/io.h"
#include "arch/arm-common/uart.h"

enum {
    CR = 0x00,
    MR = 0x04,
    IER = 0x08, /* writes enable, */
    IDR = 0x0c, /* or disable, the interrupts whose bit is 1 */
    ISR = 0x14,
    RXWM = 0x20,
    SR = 0x2c,
    FIFO = 0x30,
};

#define CR_RX_EN   BIT(2)
#define CR_RX_DIS  BIT(3)
#define CR_TX_EN   BIT(4)
#define CR_TX_DIS  BIT(5)
#define CR_STOPBRK BIT(8)
#define MR_8N1     0x20u
#define INT_RX     BIT(0) /* as many bytes as RXWM says */
#define INT_TX     BIT(3) /* all bytes have left the FIFO */
#define INT_ALL    0x1fffu
#define SR_REMPTY  BIT(1)
#define SR_TFUL    BIT(4)

static void cadence_init(struct uart_port *p)
{
    u32 cr = io_read32(p->base + CR);

    io_write32(p->base + IDR, INT_ALL);
    io_write32(p->base + ISR, INT_ALL);
    io_write32(p->base + RXWM, 1);
    if ((cr & (CR_RX_EN | CR_RX_DIS | CR_TX_EN | CR_TX_DIS)) != (CR_RX_EN | CR_TX_EN)) {
        io_write32(p->base + MR, MR_8N1);
        io_write32(p->base + CR, CR_RX_EN | CR_TX_EN | CR_STOPBRK);
    }
}

/* Is this condition there, and still after its interrupt was acknowledged? */
static bool is_still(const struct uart_port *p, u32 status, u32 interrupt)
{
    if ((io_read32(p->base + SR) & status) == 0) {
        return false;
    }
    io_write32(p->base + ISR, interrupt);
    return (io_read32(p->base + SR) & status) != 0;
}

static bool cadence_put(struct uart_port *p, char c)
{
    if (is_still(p, SR_TFUL, INT_TX)) {
        return false;
    }
    io_write32(p->base + FIFO, (u8)c);
    return true;
}

static int cadence_get(struct uart_port *p)
{
    if (is_still(p, SR_REMPTY, INT_RX)) {
        return -1;
    }
    return (u8)io_read32(p->base + FIFO);
}

static void cadence_irqs(struct uart_port *p, bool receive, bool transmit)
{
    u32 on = (receive ? INT_RX : 0) | (transmit ? INT_TX : 0);

    io_write32(p->base + IDR, (INT_RX | INT_TX) & ~on);
    io_write32(p->base + IER, on);
}

const struct uart_driver uart_cadence = {cadence_init, cadence_put, cadence_get, cadence_irqs};
