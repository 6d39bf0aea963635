/* SPDX-License-Identifier: MIT */
/* Picks the driver of the board's UART and hands bytes through. */
#include "arch/arm-common/uart.h"

#include "arch/arm-common/gic.h"
#include "core/arch.h"
#include "core/board.h"

static const struct uart_driver *driver; /* NULL: the board has none that we know */
static uintptr_t base;
static u32 intid;
static bool enabled;  /* its interrupts reach us */
static bool want_get; /* which of them are asked for */
static bool want_put;

void uart_init(const struct board *board)
{
    intid = board->uart_intid;
    base = (uintptr_t)board->uart_reg.base;
    if (board->uart == UART_PL011) {
        driver = &uart_pl011;
        driver->init(base);
    }
}

void uart_enable_irq(void)
{
    if (driver == NULL || intid == 0) {
        return;
    }
    enabled = true;
    want_get = true;
    driver->irqs(base, want_get, want_put);
    gic_setup_spi(intid, false);
    gic_enable(intid, true);
}

u32 uart_intid(void)
{
    return intid;
}

bool arch_putc(char c)
{
    return driver == NULL || driver->put(base, c);
}

int arch_getc(void)
{
    return driver == NULL ? -1 : driver->get(base);
}

void arch_putc_wait(bool on)
{
    want_put = on;
    if (enabled) {
        driver->irqs(base, want_get, want_put);
    }
}

void arch_getc_wait(bool on)
{
    want_get = on;
    if (enabled) {
        driver->irqs(base, want_get, want_put);
    }
}
