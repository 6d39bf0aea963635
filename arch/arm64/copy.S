/* SPDX-License-Identifier: MIT */
/*
 * arch_copy: large copies through SIMD registers, which halves the instructions of general ones.
 * They belong to the guest that is loaded: put aside first and back at the end. SVE's upper parts,
 * which this would clear, no guest has (CPTR_EL2.TZ).
 */
#define BLOCK 128 /* bytes: q0 to q7 */

    .arch_extension fp
    .arch_extension simd
    .section .text.arch_copy, "ax"
    .global arch_copy
    .type   arch_copy, %function

/* x0: to, x1: from, x2: length, at least BLOCK */
arch_copy:
    stp     q0, q1, [sp, #-BLOCK]!
    stp     q2, q3, [sp, #32]
    stp     q4, q5, [sp, #64]
    stp     q6, q7, [sp, #96]
    sub     x2, x2, #BLOCK
0:  ldp     q0, q1, [x1], #BLOCK
    ldp     q2, q3, [x1, #32 - BLOCK]
    ldp     q4, q5, [x1, #64 - BLOCK]
    ldp     q6, q7, [x1, #96 - BLOCK]
    stp     q0, q1, [x0], #BLOCK
    stp     q2, q3, [x0, #32 - BLOCK]
    stp     q4, q5, [x0, #64 - BLOCK]
    stp     q6, q7, [x0, #96 - BLOCK]
    subs    x2, x2, #BLOCK
    b.hs    0b
    /* x2 + BLOCK bytes are left: the last block again, as far back as it takes. */
    cmn     x2, #BLOCK
    b.eq    1f
    add     x1, x1, x2
    add     x0, x0, x2
    ldp     q0, q1, [x1]
    ldp     q2, q3, [x1, #32]
    ldp     q4, q5, [x1, #64]
    ldp     q6, q7, [x1, #96]
    stp     q0, q1, [x0]
    stp     q2, q3, [x0, #32]
    stp     q4, q5, [x0, #64]
    stp     q6, q7, [x0, #96]
1:  ldp     q6, q7, [sp, #96]
    ldp     q4, q5, [sp, #64]
    ldp     q2, q3, [sp, #32]
    ldp     q0, q1, [sp], #BLOCK
    ret
    .size   arch_copy, . - arch_copy
