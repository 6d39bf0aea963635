/* SPDX-License-Identifier: MIT */
/*
 * Exception vectors of EL2 and the way back into the guest. From a guest SP_EL2 points to its frame
 * (frame.h): registers go there, then SP becomes the physical CPU's stack. C returns the frame of
 * the guest to enter, which need not be the one that left.
 */
#include "arch/arm64/frame.h"

    .macro save_guest
    stp     x0, x1, [sp, #0]
    stp     x2, x3, [sp, #16]
    stp     x4, x5, [sp, #32]
    stp     x6, x7, [sp, #48]
    stp     x8, x9, [sp, #64]
    stp     x10, x11, [sp, #80]
    stp     x12, x13, [sp, #96]
    stp     x14, x15, [sp, #112]
    stp     x16, x17, [sp, #128]
    stp     x18, x19, [sp, #144]
    stp     x20, x21, [sp, #160]
    stp     x22, x23, [sp, #176]
    stp     x24, x25, [sp, #192]
    stp     x26, x27, [sp, #208]
    stp     x28, x29, [sp, #224]
    mrs     x1, elr_el2
    stp     x30, x1, [sp, #240]
    mrs     x2, spsr_el2
    ldr     x3, [sp, #FRAME_STACK]
    str     x2, [sp, #FRAME_SPSR]
    mov     x0, sp
    mov     sp, x3
    .endm

    .macro from_guest handler
    .balign 128
    save_guest
    bl      \handler
    b       guest_enter
    .endm

    /*
     * An interrupt most often ends where it began, and never looks at the guest's registers: only
     * those are kept that a C function may change. ELR_EL2 and SPSR_EL2 stay as they are, since
     * nothing interrupts EL2. C returns the frame, with bit 0 set where there's more to do. x18
     * isn't C's (-ffixed-x18).
     */
    .macro irq_from_guest
    .balign 128
    stp     x0, x1, [sp, #0]
    stp     x2, x3, [sp, #16]
    stp     x4, x5, [sp, #32]
    stp     x6, x7, [sp, #48]
    stp     x8, x9, [sp, #64]
    stp     x10, x11, [sp, #80]
    stp     x12, x13, [sp, #96]
    stp     x14, x15, [sp, #112]
    stp     x16, x17, [sp, #128]
    ldr     x3, [sp, #FRAME_STACK]
    str     x30, [sp, #240]
    mov     x0, sp
    mov     sp, x3
    bl      trap_irq
    tbnz    x0, #0, irq_attention_wanted
    ldr     x30, [x0, #240]
    mov     sp, x0
    ldp     x2, x3, [sp, #16]
    ldp     x4, x5, [sp, #32]
    ldp     x6, x7, [sp, #48]
    ldp     x8, x9, [sp, #64]
    ldp     x10, x11, [sp, #80]
    ldp     x12, x13, [sp, #96]
    ldp     x14, x15, [sp, #112]
    ldp     x16, x17, [sp, #128]
    ldp     x0, x1, [sp, #0]
    eret
    dsb     nsh                     // nothing behind an ERET may be run speculatively
    isb
    .endm

    /*
     * An exception of EL2 itself is the end. x18 is never used by the compiler (-ffixed-x18), so it
     * can carry the old SP while we move to a stack that is surely there.
     */
    .macro from_el2 kind
    .balign 128
    mov     x18, sp
    mov     x0, #\kind
    b       el2_fatal
    .endm

    /*
     * An SError of EL2, which is let in by serror_take alone: back to there with its syndrome, and
     * PSTATE.A set again, so that it's no more than one. x0 and the flags are serror_take's to
     * change. Anywhere else it's the end.
     */
    .macro serror_of_el2
    .balign 128
    mrs     x18, elr_el2
    adr     x0, serror_window
    sub     x18, x18, x0
    cmp     x18, #4                 // before the isb, or behind it
    b.hi    1f
    mrs     x18, spsr_el2
    orr     x18, x18, #0x100        // A
    msr     spsr_el2, x18
    mrs     x0, esr_el2
    eret
    dsb     nsh                     // nothing behind an ERET may be run speculatively
    isb
1:  mov     x18, sp
    mov     x0, #7
    b       el2_fatal
    .endm

    /*
     * A synchronous exception of EL2: of an access that may fail (try.S), or the end. x0 and x1 are
     * changed in either case.
     */
    .macro sync_of_el2
    .balign 128
    mrs     x18, elr_el2
    adr     x0, try_start
    adr     x1, try_end
    cmp     x18, x0
    ccmp    x18, x1, #2, hs         // below try_start: as if above
    b.hs    1f
    adr     x0, try_failed
    msr     elr_el2, x0
    eret
    dsb     nsh                     // nothing behind an ERET may be run speculatively
    isb
1:  mov     x18, sp
    mov     x0, #4
    b       el2_fatal
    .endm

    .section .vectors, "ax"
    .balign 2048
    .global vectors
vectors:
    from_el2 0                      // current EL, SP_EL0: never in use
    from_el2 1
    from_el2 2
    from_el2 3
    sync_of_el2                     // current EL: sync, IRQ, FIQ, SError
    from_el2 5
    from_el2 6
    serror_of_el2
    from_guest trap_sync            // AArch64 guest
    irq_from_guest
    irq_from_guest
    from_guest trap_serror
    from_guest trap_sync            // AArch32 guest
    irq_from_guest
    irq_from_guest
    from_guest trap_serror

    /*
     * bool start_virq(void): see start.h. EL1 has its MMU off, no stage 2, no stack, and comes back
     * through a table that only it can get to.
     */
    .balign 2048
    .global start_virq
start_virq:
    mrs     x1, vbar_el2
    mrs     x2, sctlr_el1
    adr     x3, start_virq
    msr     vbar_el2, x3
    movz    x3, #0x30d0, lsl #16    // SCTLR_EL1: RES1
    movk    x3, #0x0800
    msr     sctlr_el1, x3
    adr     x3, 1f
    msr     elr_el2, x3
    mov     x3, #0x3c5              // EL1h, everything masked
    msr     spsr_el2, x3
    eret
    dsb     nsh                     // nothing behind an ERET may be run speculatively
    isb
1:  mov     x3, #1000               // the GIC may need a moment
2:  mrs     x0, isr_el1             // what is pending for EL1: with HCR_EL2.IMO, virtual IRQs
    tbnz    x0, #7, 3f
    sub     x3, x3, #1
    cbnz    x3, 2b
3:  hvc     #0
4:  msr     vbar_el2, x1
    msr     sctlr_el1, x2
    isb
    ubfx    x0, x0, #7, #1
    ret
    .org    start_virq + 0x400      // from a lower level, AArch64: sync, IRQ, FIQ, SError
    .rept   4
    .balign 128
    b       4b
    .endr

    .text
    /* The guest may not be the next to run: what the vector left out is saved, too. */
irq_attention_wanted:
    and     x0, x0, #~1
    stp     x18, x19, [x0, #144]
    stp     x20, x21, [x0, #160]
    stp     x22, x23, [x0, #176]
    stp     x24, x25, [x0, #192]
    stp     x26, x27, [x0, #208]
    stp     x28, x29, [x0, #224]
    mrs     x1, elr_el2
    mrs     x2, spsr_el2
    str     x1, [x0, #FRAME_ELR]
    str     x2, [x0, #FRAME_SPSR]
    bl      trap_leave
    b       guest_enter

el2_fatal:
    adrp    x1, emergency_stack + 4096
    add     x1, x1, :lo12:emergency_stack + 4096
    mov     sp, x1
    stp     x29, x30, [sp, #-16]!
    mov     x1, x18
    mov     x2, x30
    mov     x3, x29
    b       trap_fatal

/* x0: frame of the guest to enter */
    .global guest_enter
guest_enter:
    ldp     x30, x1, [x0, #240]
    ldr     x2, [x0, #FRAME_SPSR]
    mov     sp, x0
    msr     elr_el2, x1
    msr     spsr_el2, x2
    ldp     x2, x3, [sp, #16]
    ldp     x4, x5, [sp, #32]
    ldp     x6, x7, [sp, #48]
    ldp     x8, x9, [sp, #64]
    ldp     x10, x11, [sp, #80]
    ldp     x12, x13, [sp, #96]
    ldp     x14, x15, [sp, #112]
    ldp     x16, x17, [sp, #128]
    ldp     x18, x19, [sp, #144]
    ldp     x20, x21, [sp, #160]
    ldp     x22, x23, [sp, #176]
    ldp     x24, x25, [sp, #192]
    ldp     x26, x27, [sp, #208]
    ldp     x28, x29, [sp, #224]
    ldp     x0, x1, [sp, #0]
    eret
    dsb     nsh                     // nothing behind an ERET may be run speculatively
    isb

/* u64 serror_take(void): see serror.h */
    .global serror_take
serror_take:
    mov     x0, #0
    msr     daifclr, #4
serror_window:
    isb                             // what is pending is taken here at the latest
    msr     daifset, #4
    ret

    .section .bss.emergency, "aw", @nobits
    .balign 4096
emergency_stack:
    .space 4096
