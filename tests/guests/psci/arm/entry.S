/* SPDX-License-Identifier: MIT */
/* See struct entry_record in psci_test.h: the lower halves. */
    .arch   armv7ve
    .arm
    .text
    .global entry_recording
entry_recording:
    mrs     r1, cpsr
    and     r2, r1, #0x1f
    cmp     r2, #0x1a                   /* Hyp */
    moveq   r2, #2
    movne   r2, #1
    and     r1, r1, #0x1c0
    mrc     p15, 0, r3, c1, c0, 0       /* SCTLR */
    mrc     p15, 0, r4, c0, c0, 5       /* MPIDR */
    str     r0, [r0]
    str     r2, [r0, #8]
    str     r1, [r0, #16]
    str     r3, [r0, #24]
    str     r4, [r0, #32]
    mov     r5, #1
    str     r5, [r0, #48]
    dsb     sy
    ldr     r0, [r0, #40]
    b       secondary_entry
