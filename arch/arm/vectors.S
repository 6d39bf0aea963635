/* SPDX-License-Identifier: MIT */
/*
 * Exception vectors of Hyp mode and the way back into the guest. From a guest SP_hyp points to its
 * frame (frame.h): registers go there, then SP becomes the physical CPU's stack. C returns the
 * frame of the guest to enter, which need not be the one that left. LR is User mode's here: Hyp mode
 * has none of its own.
 */
#include "arch/arm/frame.h"

    .syntax unified
    .arch armv7ve
    .arm

    .macro from_guest handler
    stm     sp, {r0-r12}
    str     lr, [sp, #FRAME_LR]
    mrs     r1, elr_hyp
    mrs     r2, spsr
    str     r1, [sp, #FRAME_PC]
    str     r2, [sp, #FRAME_CPSR]
    mov     r0, sp
    ldr     sp, [sp, #FRAME_STACK]
    bl      \handler
    b       guest_enter
    .endm

    /* An exception of Hyp mode itself is the end. r9 is never used by the compiler (-ffixed-r9). */
    .macro from_hyp kind
    mov     r9, sp
    mov     r0, #\kind
    b       hyp_fatal
    .endm

    .text
    .balign 32
    .global vectors
vectors:
    b       hyp_reset
    b       hyp_undefined
    b       hyp_svc
    b       hyp_prefetch_abort
    b       hyp_data_abort
    b       guest_trap
    b       guest_irq
guest_irq:                          // FIQ, which is never enabled, too
    from_guest trap_irq
guest_trap:
    from_guest trap_sync
hyp_reset:
    from_hyp 0
hyp_undefined:
    from_hyp 1
hyp_svc:
    from_hyp 2
hyp_prefetch_abort:
    from_hyp 3

    /*
     * A data abort, or the asynchronous one that abort_take lets in: back to there with its
     * syndrome, and CPSR.A set again.
     */
hyp_data_abort:
    mrs     r9, elr_hyp
    adr     r0, abort_window
    sub     r9, r9, r0
    cmp     r9, #4                  // before the isb, or behind it
    bhi     1f
    mrs     r9, spsr
    orr     r9, r9, #0x100          // A
    msr     spsr_cxsf, r9
    mrc     p15, 4, r0, c5, c2, 0   // HSR
    eret
1:  mrs     r9, elr_hyp             // of an access that may fail (try.S), or the end
    ldr     r0, 4f
3:  add     r0, pc, r0              // try_start
    cmp     r9, r0
    blo     5f
    ldr     r0, 4f + 4
6:  add     r0, pc, r0              // try_end, where it goes on if it failed
    cmp     r9, r0
    bhs     5f
    msr     elr_hyp, r0
    eret
4:  .word   try_start - 3b - 8
    .word   try_end - 6b - 8
5:  from_hyp 4

hyp_fatal:
    ldr     r1, 2f
1:  add     sp, pc, r1
    push    {r9, lr}
    mov     r1, r9
    mov     r2, lr
    b       trap_fatal
2:  .word   emergency_stack + 4096 - 1b - 8

    /* r0: frame of the guest to enter */
    .global guest_enter
    .type   guest_enter, %function
guest_enter:
    ldr     r1, [r0, #FRAME_PC]
    ldr     r2, [r0, #FRAME_CPSR]
    mov     sp, r0
    msr     elr_hyp, r1
    msr     spsr_cxsf, r2
    ldr     lr, [sp, #FRAME_LR]
    clrex                           // an exception return need not (DDI 0406 A3.4.1)
    ldm     sp, {r0-r12}
    eret
    dsb     nsh                     // nothing behind an ERET may be run speculatively
    isb

/*
 * bool start_virq(void): see start.h. SVC mode has its MMU off, no stage 2, no stack, and comes back
 * through a table of its own.
 */
    .global start_virq
    .type   start_virq, %function
start_virq:
    mrc     p15, 4, r1, c12, c0, 0  // HVBAR
    mrc     p15, 0, r2, c1, c0, 0   // SCTLR
    adr     r3, 5f
    mcr     p15, 4, r3, c12, c0, 0
    bic     r3, r2, #0x1000         // I
    bic     r3, r3, #5              // C, M
    mcr     p15, 0, r3, c1, c0, 0
    adr     r3, 1f
    msr     elr_hyp, r3
    movw    r3, #0x1d3              // SVC, everything masked
    msr     spsr_cxsf, r3
    eret
    dsb     nsh                     // nothing behind an ERET may be run speculatively
    isb
1:  mov     r3, #1000               // the GIC may need a moment
2:  mrc     p15, 0, r0, c12, c1, 0  // ISR: with HCR.IMO, virtual IRQs
    tst     r0, #0x80
    bne     3f
    subs    r3, r3, #1
    bne     2b
3:  hvc     #0
4:  mcr     p15, 4, r1, c12, c0, 0
    mcr     p15, 0, r2, c1, c0, 0
    isb
    ubfx    r0, r0, #7, #1
    bx      lr
    .balign 32
5:  .rept   8
    b       4b
    .endr

/* u32 abort_take(void): see arm.h. r0 and the flags are the caller's to lose. */
    .global abort_take
    .type   abort_take, %function
abort_take:
    mov     r0, #0
    cpsie   a
abort_window:
    isb                             // what is pending is taken here at the latest
    cpsid   a
    bx      lr

    .section .bss.emergency, "aw", %nobits
    .balign 4096
emergency_stack:
    .space 4096
