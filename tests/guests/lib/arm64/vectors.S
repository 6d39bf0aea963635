/* SPDX-License-Identifier: MIT */
/*
 * Exception vectors and the two ways out of them: back to where it happened, or, for a probe
 * (lib/probe.h), out of the probed call.
 */
#include "tests/guests/lib/layout.h"

    .text
    .macro  save_caller_regs
    stp     x2, x3, [sp, #16]
    stp     x4, x5, [sp, #32]
    stp     x6, x7, [sp, #48]
    stp     x8, x9, [sp, #64]
    stp     x10, x11, [sp, #80]
    stp     x12, x13, [sp, #96]
    stp     x14, x15, [sp, #112]
    stp     x16, x17, [sp, #128]
    stp     x18, x19, [sp, #144]
    stp     x29, x30, [sp, #232]
    mrs     x18, elr_el1
    mrs     x19, spsr_el1
    stp     x18, x19, [sp, #FRAME_ELR]
    .endm

    .macro  restore_caller_regs
    ldp     x18, x19, [sp, #FRAME_ELR]
    msr     elr_el1, x18
    msr     spsr_el1, x19
    ldp     x0, x1, [sp]
    ldp     x2, x3, [sp, #16]
    ldp     x4, x5, [sp, #32]
    ldp     x6, x7, [sp, #48]
    ldp     x8, x9, [sp, #64]
    ldp     x10, x11, [sp, #80]
    ldp     x12, x13, [sp, #96]
    ldp     x14, x15, [sp, #112]
    ldp     x16, x17, [sp, #128]
    ldp     x18, x19, [sp, #144]
    ldp     x29, x30, [sp, #232]
    .endm

sync_entry:
    sub     sp, sp, #FRAME_SIZE
    stp     x0, x1, [sp]
    save_caller_regs
    stp     x20, x21, [sp, #160]
    stp     x22, x23, [sp, #176]
    stp     x24, x25, [sp, #192]
    stp     x26, x27, [sp, #208]
    str     x28, [sp, #224]
    mrs     x0, esr_el1
    mrs     x1, far_el1
    stp     x0, x1, [sp, #FRAME_ESR]
    mov     x0, sp
    bl      exception_sync
    restore_caller_regs
    add     sp, sp, #FRAME_SIZE
    eret

/* The counter is read first: the benchmark measures from a deadline to here. */
irq_entry:
    sub     sp, sp, #FRAME_SIZE
    stp     x0, x1, [sp]
    isb
    mrs     x0, cntvct_el0
    save_caller_regs
    bl      exception_irq
    restore_caller_regs
    add     sp, sp, #FRAME_SIZE
    eret

serror_entry:
    sub     sp, sp, #FRAME_SIZE
    stp     x0, x1, [sp]
    save_caller_regs
    mrs     x0, esr_el1
    mrs     x1, far_el1
    stp     x0, x1, [sp, #FRAME_ESR]
    mov     x0, sp
    bl      exception_serror
    restore_caller_regs
    add     sp, sp, #FRAME_SIZE
    eret

fiq_entry:
    b       exception_fiq

    .macro  vector to
    .balign 128
    b       \to
    .endm

    .balign 2048
    .global vectors
vectors:
    .rept   4                       /* EL1 with SP_EL0, EL1 with SP_EL1, EL0 A64, EL0 A32 */
    vector  sync_entry
    vector  irq_entry
    vector  fiq_entry
    vector  serror_entry
    .endr

/* bool probe_run(struct probe *p, fn, a, b, c): see lib/probe.h. */
    .global probe_run
probe_run:
    stp     x29, x30, [sp, #-112]!
    stp     x19, x20, [sp, #16]
    stp     x21, x22, [sp, #32]
    stp     x23, x24, [sp, #48]
    stp     x25, x26, [sp, #64]
    stp     x27, x28, [sp, #80]
    mrs     x9, daif
    stp     x0, x9, [sp, #96]
    mov     x9, sp
    str     x9, [x0, #PROBE_SP]
    and     x10, x9, #~(STACK_SIZE - 1)
    ldr     x11, [x10]              /* probes nest */
    str     x11, [x0, #PROBE_OUTER]
    str     x0, [x10]
    mov     x9, x1
    mov     x0, x2
    mov     x1, x3
    mov     x2, x4
    blr     x9
    ldr     x9, [sp, #96]
    str     x0, [x9]                /* p->value */
    mov     x0, #1
probe_out:                          /* x9: the struct probe, x0: the answer */
    mov     x10, sp
    and     x10, x10, #~(STACK_SIZE - 1)
    ldr     x11, [x9, #PROBE_OUTER]
    str     x11, [x10]
    ldp     x27, x28, [sp, #80]
    ldp     x25, x26, [sp, #64]
    ldp     x23, x24, [sp, #48]
    ldp     x21, x22, [sp, #32]
    ldp     x19, x20, [sp, #16]
    ldp     x29, x30, [sp], #112
    ret

/* Leaves the exception handler and the probed call; x0: the struct probe. */
    .global probe_abandon
probe_abandon:
    mov     x9, x0
    ldr     x10, [x9, #PROBE_SP]
    mov     sp, x10
    ldr     x10, [sp, #104]
    msr     daif, x10
    mov     x0, #0
    b       probe_out
