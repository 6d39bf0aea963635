/* SPDX-License-Identifier: MIT */
/*
 * Exception vectors and the two ways out of them, as in lib/arm64: everything is taken to the SVC
 * mode's stack, so that the modes of exceptions need none.
 */
#include "tests/guests/lib/layout.h"

#define SVC_MODE 0x13
#define ASYNCHRONOUS 0x11               /* DFSR.STATUS, long descriptors */

    .arch   armv7ve
    .arm
    .text
    .macro  enter adjust
    sub     lr, lr, #\adjust
    srsdb   sp!, #SVC_MODE
    cps     #SVC_MODE
    .endm

    .macro  enter_all adjust
    enter   \adjust
    push    {r0-r12, lr}
    sub     sp, sp, #8
    .endm

/* r2: the syndrome, r1: the address. */
undef_entry:
    enter_all 4
    mov     r2, #0
    mov     r1, #0
    b       sync

svc_entry:
    enter_all 4
    mov     r2, #0x54000000             /* EC 0x15 */
    mov     r1, #0
    b       sync

fetch_entry:
    enter_all 4
    mrc     p15, 0, r0, c5, c0, 1       /* IFSR, IFAR */
    mrc     p15, 0, r1, c6, c0, 2
    and     r2, r0, #0x3f
    orr     r2, r2, #0x84000000         /* EC 0x21 */
    b       sync

data_entry:
    enter_all 8
    mrc     p15, 0, r0, c5, c0, 0       /* DFSR, DFAR */
    mrc     p15, 0, r1, c6, c0, 0
    and     r2, r0, #0x3f
    cmp     r2, #ASYNCHRONOUS
    beq     serror
    ubfx    r3, r0, #11, #1
    orr     r2, r2, r3, lsl #6          /* WnR */
    orr     r2, r2, #0x94000000         /* EC 0x25 */
sync:
    str     r2, [sp]
    str     r1, [sp, #4]
    mov     r0, sp
    mov     r4, sp
    bic     sp, sp, #7
    bl      exception_sync              /* it ends the guest, or leaves by probe_abandon */

serror:
    mov     r0, sp
    mov     r4, sp
    bic     sp, sp, #7
    bl      exception_serror
    add     sp, r4, #8
    pop     {r0-r12, lr}
    rfeia   sp!

/* The counter is read first: the benchmark measures from a deadline to here. */
irq_entry:
    enter   4
    push    {r0-r4, r12, lr}
    isb
    mrrc    p15, 1, r0, r1, c14         /* CNTVCT */
    mov     r4, sp
    bic     sp, sp, #7
    bl      exception_irq
    mov     sp, r4
    pop     {r0-r4, r12, lr}
    rfeia   sp!

    .balign 32
    .global vectors
vectors:
    b       exception_fiq               /* not used */
    b       undef_entry
    b       svc_entry
    b       fetch_entry
    b       data_entry
    b       exception_fiq               /* not used */
    b       irq_entry
    b       exception_fiq

/* bool probe_run(struct probe *p, fn, uint64_t a, b, c): see lib/probe.h. */
    .global probe_run
probe_run:
    mrs     r12, cpsr
    push    {r4-r11, lr}
    push    {r0, r12}
    sub     sp, sp, #4                  /* 48 bytes: sp stays aligned */
    str     sp, [r0, #PROBE_SP]
    lsr     r10, sp, #STACK_SHIFT
    lsl     r10, r10, #STACK_SHIFT
    ldr     r11, [r10]                  /* probes nest */
    str     r11, [r0, #PROBE_OUTER]
    str     r0, [r10]
    mov     r12, r1
    ldrd    r4, r5, [sp, #56]           /* c */
    mov     r0, r2
    mov     r1, r3
    ldrd    r2, r3, [sp, #48]           /* b */
    sub     sp, sp, #8
    strd    r4, r5, [sp]
    blx     r12
    add     sp, sp, #8
    ldr     r9, [sp, #4]
    strd    r0, r1, [r9]                /* p->value */
    mov     r0, #1
probe_out:                              /* r9: the struct probe, r0: the answer */
    lsr     r10, sp, #STACK_SHIFT
    lsl     r10, r10, #STACK_SHIFT
    ldr     r11, [r9, #PROBE_OUTER]
    str     r11, [r10]
    add     sp, sp, #12
    pop     {r4-r11, pc}

/* Leaves the exception handler and the probed call; r0: the struct probe. */
    .global probe_abandon
probe_abandon:
    mov     r9, r0
    ldr     sp, [r9, #PROBE_SP]
    ldr     r10, [sp, #8]
    msr     cpsr_cx, r10
    mov     r0, #0
    b       probe_out
