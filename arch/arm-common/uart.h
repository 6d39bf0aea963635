/* SPDX-License-Identifier: MIT */
/*
 * The board's console UART behind arch_putc, arch_getc and arch_uart_wait (core/arch.h). Works with
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

/*
 * The GIC is up, and the CPU that calls will handle it: received bytes interrupt from now on. A
 * UART without an interrupt is looked at by a timer of this CPU.
 */
void uart_enable_irq(void);

/* INTID of its interrupt; 0: none. For the handler: call arch_uart_irq, which reads all bytes. */
u32 uart_intid(void);

/* The UART as its driver sees it. Not all look beyond base. */
struct uart_port {
    uintptr_t base; /* of the first register */
    u8 shift;       /* registers are 1 << shift bytes apart, */
    u8 width;       /* and accessed by so many bytes: 1, 2 or 4 */
    u8 fifo;        /* bytes that go in at once when all have left */
    u8 room;        /* of them, those that still do */
};

/*
 * A driver; bytes as on the line. None touches clocks or the baud rate: these are the boot
 * loader's. What it finds off, as under QEMU where nobody was there to switch it on, it switches
 * on, with 8 bits and no parity.
 */
struct uart_driver {
    void (*init)(struct uart_port *p);
    bool (*put)(struct uart_port *p, char c); /* false: the transmitter is full */
    int (*get)(struct uart_port *p);          /* -1: nothing received */
    /* Which of its two interrupts are on: something received, room to transmit. Both are levels,
     * which go when the first get says -1, and when the last byte was put; or where the tree says
     * so both are edges: one for each such event. */
    void (*irqs)(struct uart_port *p, bool receive, bool transmit);
};

extern const struct uart_driver uart_pl011;
extern const struct uart_driver uart_16550;
extern const struct uart_driver uart_dw;   /* Synopsys DesignWare's 16550 */
extern const struct uart_driver uart_aux;  /* BCM2835's mini UART, nearly one */
extern const struct uart_driver uart_omap; /* TI's, from OMAP4 to K3 */
extern const struct uart_driver uart_cadence;
extern const struct uart_driver uart_imx;
extern const struct uart_driver uart_lpuart;
extern const struct uart_driver uart_scif;
extern const struct uart_driver uart_hscif;
extern const struct uart_driver uart_meson;
extern const struct uart_driver uart_linflex;
extern const struct uart_driver uart_mvebu;
extern const struct uart_driver uart_stm32;

#endif
