/* SPDX-License-Identifier: MIT */
/* Handles on the host architecture, for tests. */
#ifndef ARCH_HOST_ARCH_H
#define ARCH_HOST_ARCH_H

#include "core/types.h"

struct pcpu;

extern u64 host_now_ns;           /* what arch_now_ns returns */
extern u32 host_kicks;            /* arch_kick calls */
extern u32 host_completes;        /* arch_irq_complete calls */
extern struct pcpu *host_pcpu;    /* what arch_pcpu returns */
extern void (*host_putc)(char c); /* takes what arch_putc sends; NULL: stderr */

#endif
