/* SPDX-License-Identifier: MIT */
/*
 * Interrupts, and sleeping until one comes. They stay masked but inside idle_wait(), so handlers
 * never run beside other code.
 */
#ifndef GUEST_CONFIGS_NETSVC_IDLE_H
#define GUEST_CONFIGS_NETSVC_IDLE_H

#include <stdbool.h>
#include <stdint.h>

enum { IDLE_SOURCES_MAX = 4 };

/* Sets up the interrupt controller and the timer; before the other two. */
void idle_open(void);

/* From now on this interrupt ends the sleep. take() is called for it and must quieten its device.
 * At most IDLE_SOURCES_MAX. */
void idle_listen(uint32_t irq, bool edge, void (*take)(void));

/* Sleeps until an interrupt comes, or for so long; takes those that are pending. */
void idle_wait(uint32_t ms);

#endif
