/* SPDX-License-Identifier: MIT */
/* NXP's UART from i.MX21 to i.MX8M (i.MX 8M Plus reference manual §16.2): levels, no acknowledging.
 */
#include "arch/arm-common/io.h"
#include "arch/arm-common/uart.h"

enum {
    URXD = 0x00,
    UTXD = 0x40,
    UCR1 = 0x80,
    UCR2 = 0x84,
    UCR4 = 0x8c,
    UFCR = 0x90,
    USR2 = 0x98,
    UTS = 0xb4,
};

#define UCR1_UARTEN BIT(0)
#define UCR1_RRDYEN BIT(9)  /* interrupts: as many bytes received as UFCR says, */
#define UCR1_TRDYEN BIT(13) /* or as few left to send */
#define UCR1_OTHERS 0xd16cu /* other interrupts, and DMA */
#define UCR2_ON     (BIT(0) | BIT(1) | BIT(2)) /* out of reset, receive, transmit */
#define UCR2_8N1    (BIT(5) | BIT(14))         /* and RTS does not matter */
#define UCR2_OTHERS (BIT(3) | BIT(15))         /* interrupts of age and escape */
#define UCR4_OTHERS (BIT(0) | BIT(1) | BIT(2) | BIT(3) | BIT(7))
#define UFCR_LEVELS 0xfc3fu
#define UFCR_RX_1   1u
#define UFCR_TX_2   (2u << 10)
#define USR2_RDR    BIT(0)
#define UTS_TXFULL  BIT(4)

static void change(const struct uart_port *p, u32 reg, u32 clear, u32 set)
{
    io_write32(p->base + reg, (io_read32(p->base + reg) & ~clear) | set);
}

static void imx_init(struct uart_port *p)
{
    change(p, UCR1, UCR1_OTHERS | UCR1_RRDYEN | UCR1_TRDYEN, UCR1_UARTEN);
    if ((io_read32(p->base + UCR2) & UCR2_ON) != UCR2_ON) {
        change(p, UCR2, 0, UCR2_ON | UCR2_8N1);
    }
    change(p, UCR2, UCR2_OTHERS, 0);
    change(p, UCR4, UCR4_OTHERS, 0);
    change(p, UFCR, UFCR_LEVELS, UFCR_RX_1 | UFCR_TX_2); /* the rest divides the clock */
}

static bool imx_put(struct uart_port *p, char c)
{
    if ((io_read32(p->base + UTS) & UTS_TXFULL) != 0) {
        return false;
    }
    io_write32(p->base + UTXD, (u8)c);
    return true;
}

static int imx_get(struct uart_port *p)
{
    if ((io_read32(p->base + USR2) & USR2_RDR) == 0) {
        return -1;
    }
    return (u8)io_read32(p->base + URXD);
}

static void imx_irqs(struct uart_port *p, bool receive, bool transmit)
{
    u32 on = (receive ? UCR1_RRDYEN : 0) | (transmit ? UCR1_TRDYEN : 0);

    change(p, UCR1, UCR1_RRDYEN | UCR1_TRDYEN, on);
}

const struct uart_driver uart_imx = {imx_init, imx_put, imx_get, imx_irqs};
