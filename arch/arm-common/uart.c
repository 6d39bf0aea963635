/* SPDX-License-Identifier: MIT */
/*
 * Picks the driver of the board's UART and hands bytes through. Where the tree has no interrupt for
 * it that reaches the GIC, a timer takes its place.
 */
#include "arch/arm-common/uart.h"

#include "arch/arm-common/gic.h"
#include "core/arch.h"
#include "core/board.h"
#include "core/timer.h"

/* At 115200 baud a FIFO of 16 bytes lasts for 1.4 ms; nobody types that fast. */
#define POLL_TYPED_NS 10000000u
#define POLL_FULL_NS  1000000u

static const struct uart_driver *const drivers[] = {
    [UART_PL011] = &uart_pl011, [UART_16550] = &uart_16550,   [UART_DW] = &uart_dw,
    [UART_AUX] = &uart_aux,     [UART_OMAP] = &uart_omap,     [UART_CADENCE] = &uart_cadence,
    [UART_IMX] = &uart_imx,     [UART_LPUART] = &uart_lpuart, [UART_SCIF] = &uart_scif,
    [UART_HSCIF] = &uart_hscif, [UART_MESON] = &uart_meson,   [UART_LINFLEX] = &uart_linflex,
    [UART_MVEBU] = &uart_mvebu, [UART_STM32] = &uart_stm32,
};

static const struct uart_driver *driver; /* NULL: the board has none that we know */
static struct uart_port port;
static struct timer poll;
static u32 intid;
static bool edge;      /* its interrupt is one */
static bool enabled;   /* its interrupts reach us */
static bool wanted[2]; /* which of them are asked for: enum arch_uart */

void uart_init(const struct board *board)
{
    intid = board->uart_intid;
    edge = board->uart_edge;
    port = (struct uart_port){
        .base = (uintptr_t)board->uart_reg.base,
        .shift = board->uart_shift,
        .width = board->uart_width,
    };
    driver = drivers[board->uart];
    if (driver != NULL) {
        driver->init(&port);
    }
}

static void poll_due(struct timer *t)
{
    arch_uart_irq();
    timer_set(t, arch_now_ns() + (wanted[UART_SENDS] ? POLL_FULL_NS : POLL_TYPED_NS));
}

/* An edge may have been while its interrupt was off: whatever it was for is looked for. */
static void ask_irqs(void)
{
    if (enabled) {
        driver->irqs(&port, wanted[UART_RECEIVES], wanted[UART_SENDS]);
        if (edge) {
            gic_spi_pend(intid);
        }
    }
}

void uart_enable_irq(void)
{
    if (driver == NULL) {
        return;
    }
    wanted[UART_RECEIVES] = true;
    if (intid == 0) {
        timer_init(&poll, arch_pcpu(), poll_due);
        timer_set(&poll, arch_now_ns() + POLL_FULL_NS);
        return;
    }
    enabled = true;
    gic_setup_spi(intid, edge);
    gic_enable(intid, true);
    ask_irqs();
}

u32 uart_intid(void)
{
    return intid;
}

bool arch_putc(char c)
{
    return driver == NULL || driver->put(&port, c);
}

int arch_getc(void)
{
    return driver == NULL ? -1 : driver->get(&port);
}

void arch_uart_wait(enum arch_uart what, bool on)
{
    wanted[what] = on;
    ask_irqs();
}
