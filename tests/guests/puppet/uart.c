/* SPDX-License-Identifier: MIT */
/*
 * See uart.h. When the ring is full the interrupt stays masked, so that the UART is not read and
 * its sender has to wait: nothing may be lost on the way.
 */
#include "tests/guests/puppet/uart.h"

#include "tests/guests/lib/gic.h"
#include "tests/guests/lib/io.h"
#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/sysreg.h"

/* PL011 (Arm DDI 0183) */
enum { UARTDR = 0x00, UARTFR = 0x18, UARTIMSC = 0x38, UARTICR = 0x44 };
enum { FR_RXFE = 1 << 4, INT_RX = 1 << 4, INT_RT = 1 << 6 };

enum { RING_SIZE = 1024 };

static uint8_t ring[RING_SIZE];
static uint32_t head;
static uint32_t tail; /* both run freely */
static uint32_t irqs;

static void take_all(void)
{
    while (tail - head < RING_SIZE && !(io_read32(platform.uart + UARTFR) & FR_RXFE)) {
        ring[tail++ % RING_SIZE] = (uint8_t)io_read32(platform.uart + UARTDR);
    }
    io_write32(platform.uart + UARTIMSC, tail - head < RING_SIZE ? INT_RX | INT_RT : 0);
}

void uart_init(void)
{
    gic_route(platform.uart_irq, 0);
    gic_enable(platform.uart_irq);
    take_all();
}

bool uart_irq(uint32_t intid)
{
    if (intid != platform.uart_irq) {
        return false;
    }
    irqs++;
    io_write32(platform.uart + UARTICR, INT_RX | INT_RT);
    take_all();
    return true;
}

uint8_t uart_get(void)
{
    uint8_t byte;

    while (head == tail) {
        wfi();
        irq_unmask();
        irq_mask();
    }
    byte = ring[head++ % RING_SIZE];
    if (tail - head == RING_SIZE / 2) {
        take_all();
    }
    return byte;
}

uint32_t uart_irqs(void)
{
    return irqs;
}
