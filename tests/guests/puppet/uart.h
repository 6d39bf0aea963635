/* SPDX-License-Identifier: MIT */
/* Bytes from the guest's PL011, taken by its interrupt and kept until they are asked for. */
#ifndef TESTS_GUESTS_PUPPET_UART_H
#define TESTS_GUESTS_PUPPET_UART_H

#include <stdbool.h>
#include <stdint.h>

/* CPU 0, after gic_init(). */
void uart_init(void);

/* From the interrupt hook; false if the interrupt is another's. */
bool uart_irq(uint32_t intid);

/* Sleeps until there is one; interrupts are masked outside of the sleep. */
uint8_t uart_get(void);

/* How many interrupts came. */
uint32_t uart_irqs(void);

#endif
