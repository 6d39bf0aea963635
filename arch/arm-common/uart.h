/* SPDX-License-Identifier: MIT */
/*
 * The board's console UART behind arch_putc, arch_getc and arch_putc_wait (core/arch.h). Works with
 * the MMU off or with an identity mapping. One driver a file; struct uart_driver is the seam. Lock:
 * LOCK_CONSOLE, held by the callers of arch_*.
 */
#ifndef ARCH_ARM_COMMON_UART_H
#define ARCH_ARM_COMMON_UART_H

#include "core/types.h"

struct board;

/*
 * Takes the UART that the board names: as the boot loader left its line settings, its interrupts
 * off. Without one arch_putc drops everything. Before the interrupt controller is up.
 */
void uart_init(const struct board *board);

/* The GIC is up, and the CPU that calls will handle it: received bytes interrupt from now on. */
void uart_enable_irq(void);

/* INTID of its interrupt; 0: none. For the handler: call arch_uart_irq, which reads all bytes. */
u32 uart_intid(void);

/*
 * A driver. `base` is its first register; bytes as on the line.
 */
struct uart_driver {
    void (*init)(uintptr_t base);
    bool (*put)(uintptr_t base, char c); /* false: the transmitter is full */
    int (*get)(uintptr_t base);          /* -1: nothing received */
    /* Which of its two interrupts are on: receive (or receive time-out), room to transmit. */
    void (*irqs)(uintptr_t base, bool receive, bool transmit);
};

extern const struct uart_driver uart_pl011;

#endif
