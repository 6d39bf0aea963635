/* SPDX-License-Identifier: MIT */
/*
 * The seam to the CPU: all that core, vdev and fdt need from an architecture, and what the
 * architecture calls back. Implemented by arch/arm64 (and arch-common), for host builds by
 * arch/host. Values in, values out: no register frame crosses this line.
 */
#ifndef CORE_ARCH_H
#define CORE_ARCH_H

#include "core/types.h"

struct board;
struct mmio;
struct pcpu;
struct vcpu;
struct vcpu_regs;
struct vm;

/* --- console UART --- */
/* Sends a byte if there's room; false if the transmitter is full. */
bool arch_putc(char c);
/* The next received byte, or -1. */
int arch_getc(void);
/*
 * Asks for an interrupt (arch_uart_irq) when a byte was received, or when the transmitter has room.
 * At start on, and off. The first is off while nobody has room for input, so that what is typed
 * waits in the UART without interrupting all the time; arch_getc works on.
 */
enum arch_uart { UART_RECEIVES, UART_SENDS };
void arch_uart_wait(enum arch_uart what, bool on);

/* --- time and power --- */
u64 arch_now_ns(void);      /* monotonic, the same on all CPUs; 0 is near reset */
u64 arch_ticks(void);       /* the physical counter that guests' counters are offset from */
void arch_deadline(u64 ns); /* this CPU's timer; UINT64_MAX: off */
enum arch_stop { STOP_POWEROFF, STOP_REBOOT, STOP_HALT };
/* Off or anew through the firmware; where it can't, a line that says so and a halt. */
void arch_stop(enum arch_stop how) NORETURN;
/* What this CPU was doing; each print is a line, without newline. */
void arch_panic_dump(void (*print)(const char *fmt, ...) PRINTF(1, 2));
bool arch_entropy(void *buf, size_t len); /* firmware TRNG or RNDR; false: none */

/* --- memory --- */
/*
 * Cleans and invalidates [p, p + len) to the point of coherency, and invalidates the instruction
 * caches: what is there may be executed, or read with caches off.
 */
void arch_clean_dcache(const void *p, size_t len);

/* As memcpy, for at least ARCH_COPY bytes. Some may be copied twice. */
#define ARCH_COPY 128u
void arch_copy(void *dst, const void *src, size_t len);

/* --- stage 2 --- */
enum s2_perm { S2_NONE, S2_RWX, S2_RX, S2_RW, S2_RO, S2_DEVICE, S2_DEVICE_RO };
bool arch_s2_create(struct vm *vm) MUST_CHECK;
/*
 * At VM creation; but what is mapped once may be taken away (S2_NONE, pa ignored) and mapped again
 * at any time, which needs no memory: by the VM's own vCPU, in a trap, or while the VM doesn't run.
 * When this returns, no CPU can use what was taken away. One caller at a time for each 2 MiB.
 */
bool arch_s2_map(struct vm *vm, gpa_t ipa, hpa_t pa, u64 size, enum s2_perm perm) MUST_CHECK;

/* --- CPUs --- */
/* Waits, without burning power, until *p may differ from `value`; may return early. */
void arch_wait_change(const u32 *p, u32 value);
struct pcpu *arch_pcpu(void);   /* this CPU */
void arch_kick(struct pcpu *p); /* makes p leave its guest or its idle; any CPU, may be itself */
/* Handles pending physical interrupts, after waiting for one if `wait`. */
void arch_idle(struct pcpu *p, bool wait);

/* --- vCPUs --- */
/* Pinned to p. NULL: out of memory. Boot only. */
struct vcpu *arch_vcpu_create(struct vm *vm, u32 id, struct pcpu *p);
void arch_vcpu_reset(struct vcpu *v, u64 entry,
                     u64 context); /* architectural reset, at its entry */
/*
 * On p: saves p->current's guest state if any, loads v's (NULL: none) and makes it p->current. May
 * stop the VM of the one that it saves (vm_stop). No lock is held. When the virtual timer of the
 * one that it saved fires, in arch_now_ns' time; UINT64_MAX: never.
 */
u64 arch_vcpu_switch(struct pcpu *p, struct vcpu *v);
void arch_vcpu_run(struct vcpu *v) NORETURN; /* enters the loaded vCPU; comes back through traps */
/* v's registers, as far as they are in memory: all, if it isn't loaded. */
void arch_vcpu_regs(struct vcpu *v, struct vcpu_regs *r);
/* Moves v->irq between the struct and the hardware (used, then dirty registers); v is loaded. */
void arch_irq_save(struct vcpu *v);
void arch_irq_load(struct vcpu *v);
/* Deactivates a physical interrupt whose virtual one went away without the guest's EOI: one of this
 * CPU, or an SPI. */
void arch_irq_complete(u32 pintid);

/* --- called by arch; implemented in core --- */
/* WFI trapped: v shares its CPU. */
void vcpu_wfi(struct vcpu *v);
/* The console UART interrupts; set by core/main.c. */
extern void (*arch_uart_irq)(void);

#endif
