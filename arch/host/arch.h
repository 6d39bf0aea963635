/* SPDX-License-Identifier: MIT */
/* Handles on the host architecture, for tests. */
#ifndef ARCH_HOST_ARCH_H
#define ARCH_HOST_ARCH_H

#include "core/types.h"

struct pcpu;
struct vcpu;
struct vcpu_regs;
struct vm;

extern u64 host_now_ns;    /* what arch_now_ns returns */
extern u64 host_tick_ns;   /* … each time so much later */
extern u32 host_kicks;     /* arch_kick calls */
extern u32 host_completes; /* arch_irq_complete calls */
/* Stand in for the hardware's list registers and for its deactivation; NULL: there's none. */
extern void (*host_irq_save)(struct vcpu *v);
extern void (*host_irq_load)(struct vcpu *v);
extern void (*host_irq_complete)(u32 pintid);
extern _Thread_local struct pcpu *host_pcpu; /* what arch_pcpu returns; &pcpus[0] in each thread */
extern void (*host_putc)(char c);            /* takes what arch_putc sends; NULL: stderr */
extern bool (*host_entropy)(void *buf, size_t len); /* arch_entropy; NULL: there's none */

/* The UART. */
extern u32 host_uart_room; /* bytes that its transmitter takes before it's full; UINT32_MAX: any */
extern bool host_uart_tx_irq; /* what arch_uart_wait asked for */
extern bool host_uart_rx_irq;
/* Queues n bytes for arch_getc; returns how many there was room for (4096 at most wait). */
size_t host_uart_type(const char *s, size_t n);
size_t host_uart_waiting(void); /* bytes that arch_getc hasn't taken yet */

extern u32 host_switches; /* arch_vcpu_switch calls */
extern u32 host_resets;   /* arch_vcpu_reset calls */
/* What arch_vcpu_switch and arch_vcpu_reset do besides; NULL: nothing. The second one is what it
 * does while the last one's state is still loaded. */
extern void (*host_switch)(struct pcpu *p, struct vcpu *v);
extern void (*host_unload)(struct vcpu *v);
extern void (*host_reset)(struct vcpu *v, u64 entry, u64 context);
/* Changes what arch_vcpu_regs says, which is little: pc 0x40080000 + id, in EL1h; NULL: nothing. */
extern void (*host_regs)(struct vcpu *v, struct vcpu_regs *r);
/* What arch_idle does; NULL: waiting is a panic. */
extern void (*host_idle)(struct pcpu *p, bool wait);
/* What arch_vcpu_switch returns: when the virtual timer of the vCPU that it saved fires. */
extern u64 host_wakeup_ns;
/* The deadline that this thread last gave to arch_deadline. */
extern _Thread_local u64 host_deadline_ns;
/* What arch_stop does first: a test that doesn't want to end leaves by longjmp. NULL: nothing. */
extern void (*host_stop)(u32 how);
extern void (*host_kick)(struct pcpu *p); /* what arch_kick does besides */
/* What arch_s2_map does besides; false: it fails. perm is an enum s2_perm. */
extern bool (*host_s2_map)(struct vm *vm, u64 ipa, hpa_t pa, u64 size, u32 perm);
/* The devices behind arch/arm-common/io.h, and what they are told of barriers; NULL: registers are
 * plain memory. */
extern const struct host_io {
    u64 (*read)(uintptr_t a, size_t size);
    void (*write)(uintptr_t a, size_t size, u64 v);
    void (*barrier)(bool dsb); /* dsb: a DSB, else a DMB */
} * host_io;
extern void (*host_clean_dcache)(const void *p, size_t len); /* what arch_clean_dcache does */

#endif
