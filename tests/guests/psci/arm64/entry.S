/* SPDX-License-Identifier: MIT */
/* See struct entry_record in psci_test.h. */
    .text
    .global entry_recording
entry_recording:
    mrs     x1, CurrentEL
    lsr     x1, x1, #2
    mrs     x2, daif
    mrs     x3, sctlr_el1
    mrs     x4, mpidr_el1
    stp     x0, x1, [x0]
    stp     x2, x3, [x0, #16]
    str     x4, [x0, #32]
    mov     x5, #1
    str     x5, [x0, #48]
    dsb     sy
    ldr     x0, [x0, #40]
    b       secondary_entry
