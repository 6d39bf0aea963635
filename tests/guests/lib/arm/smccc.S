/* SPDX-License-Identifier: MIT */
/* See smccc.h. Eight registers of 32 bits; the upper halves are kept. */

    .arch   armv7ve
    .arch_extension sec
    .arch_extension virt
    .arm
    .macro  smccc_by name, insn
    .global \name
\name:
    push    {r0, r4-r8, r11, lr}
    mov     r12, r0
    ldr     r0, [r12]
    ldr     r1, [r12, #8]
    ldr     r2, [r12, #16]
    ldr     r3, [r12, #24]
    ldr     r4, [r12, #32]
    ldr     r5, [r12, #40]
    ldr     r6, [r12, #48]
    ldr     r7, [r12, #56]
    \insn   #0
    ldr     r12, [sp]
    str     r0, [r12]
    str     r1, [r12, #8]
    str     r2, [r12, #16]
    str     r3, [r12, #24]
    str     r4, [r12, #32]
    str     r5, [r12, #40]
    str     r6, [r12, #48]
    str     r7, [r12, #56]
    pop     {r0, r4-r8, r11, pc}
    .endm

    .text
    smccc_by smccc_hvc, hvc
    smccc_by smccc_smc, smc
