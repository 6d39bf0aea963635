/* SPDX-License-Identifier: MIT */
/* Arm PrimeCell UART (PL011, DDI 0183), and the SBSA generic UART, which is a subset. */
#include "arch/arm-common/io.h"
#include "arch/arm-common/uart.h"

enum {
    DR = 0x00,
    FR = 0x18,
    LCRH = 0x2c,
    CR = 0x30,
    IMSC = 0x38,
    ICR = 0x44,
};

#define FR_RXFE       BIT(4)
#define FR_TXFF       BIT(5)
#define LCRH_FIFO_8N1 (BIT(4) | BIT(5) | BIT(6))
#define CR_ENABLE     (BIT(0) | BIT(8) | BIT(9)) /* UART, transmit, receive */
#define INT_RX        BIT(4)
#define INT_TX        BIT(5)
#define INT_RX_TIME   BIT(6) /* bytes lie below the FIFO's threshold */
#define INT_ALL       0x7ffu

/* The baud rate is the boot loader's. QEMU leaves the UART off: nobody was there to enable it. */
static void pl011_init(struct uart_port *p)
{
    io_write32(p->base + IMSC, 0);
    io_write32(p->base + ICR, INT_ALL);
    if ((io_read32(p->base + CR) & CR_ENABLE) != CR_ENABLE) {
        io_write32(p->base + LCRH, LCRH_FIFO_8N1);
        io_write32(p->base + CR, CR_ENABLE);
    }
}

static bool pl011_put(struct uart_port *p, char c)
{
    if ((io_read32(p->base + FR) & FR_TXFF) != 0) {
        return false;
    }
    io_write32(p->base + DR, (u8)c);
    return true;
}

static int pl011_get(struct uart_port *p)
{
    if ((io_read32(p->base + FR) & FR_RXFE) != 0) {
        return -1;
    }
    return (u8)io_read32(p->base + DR);
}

static void pl011_irqs(struct uart_port *p, bool receive, bool transmit)
{
    io_write32(p->base + IMSC, (receive ? INT_RX | INT_RX_TIME : 0) | (transmit ? INT_TX : 0));
}

const struct uart_driver uart_pl011 = {
    .init = pl011_init,
    .put = pl011_put,
    .get = pl011_get,
    .irqs = pl011_irqs,
};
