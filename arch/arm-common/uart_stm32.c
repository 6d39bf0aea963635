/* SPDX-License-Identifier: MIT */
/*
 * ST's USART from STM32H7 on: STM32MP1, STM32MP2 (RM0457, USART). Interrupts are levels. The FIFO,
 * if the boot loader switched it on, changes nothing: "empty" means "not full" then.
 */
#include "arch/arm-common/io.h"
#include "arch/arm-common/uart.h"

enum {
    CR1 = 0x00,
    CR3 = 0x08,
    ISR = 0x1c,
    ICR = 0x20,
    RDR = 0x24,
    TDR = 0x28,
};

#define CR1_ON     (BIT(0) | BIT(2) | BIT(3)) /* the whole, receive, transmit */
#define CR1_RX     BIT(5)
#define CR1_TX     BIT(7)
#define CR1_OTHERS 0xcc004150u /* other interrupts */
#define CR3_OTHERS 0x11c004c1u /* other interrupts, and DMA */
#define ISR_ORE    BIT(3)      /* interrupts with CR1_RX until it is cleared */
#define ISR_RX     BIT(5)
#define ISR_TX     BIT(7)

static void change(const struct uart_port *p, u32 reg, u32 clear, u32 set)
{
    io_write32(p->base + reg, (io_read32(p->base + reg) & ~clear) | set);
}

static void stm32_init(struct uart_port *p)
{
    change(p, CR1, CR1_RX | CR1_TX | CR1_OTHERS, CR1_ON);
    change(p, CR3, CR3_OTHERS, 0);
}

static bool stm32_put(struct uart_port *p, char c)
{
    if ((io_read32(p->base + ISR) & ISR_TX) == 0) {
        return false;
    }
    io_write32(p->base + TDR, (u8)c);
    return true;
}

static int stm32_get(struct uart_port *p)
{
    if ((io_read32(p->base + ISR) & ISR_RX) == 0) {
        io_write32(p->base + ICR, ISR_ORE);
        return -1;
    }
    return (u8)io_read32(p->base + RDR);
}

static void stm32_irqs(struct uart_port *p, bool receive, bool transmit)
{
    u32 on = (receive ? CR1_RX : 0) | (transmit ? CR1_TX : 0);

    change(p, CR1, CR1_RX | CR1_TX, on);
}

const struct uart_driver uart_stm32 = {stm32_init, stm32_put, stm32_get, stm32_irqs};
