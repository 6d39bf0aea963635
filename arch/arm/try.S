/* SPDX-License-Identifier: MIT */
/*
 * Accesses to device registers that may be answered by an abort: a guest chooses where in a window
 * and how wide. Between try_start and try_end a data abort of Hyp mode ends in try_failed
 * (vectors.S). No stack is used there and LR is the caller's.
 */
    .syntax unified
    .arch armv7ve
    .arm
    .text
    .global try_start, try_end, try_read, try_write
    .type   try_read, %function
    .type   try_write, %function

try_start:

/* bool try_read(uintptr_t a, u32 size, u64 *value) */
try_read:
    mov     r12, #0
    cmp     r1, #2
    ldrblo  r3, [r0]
    ldrheq  r3, [r0]
    ldrhi   r3, [r0]
    cmp     r1, #8
    ldreq   r12, [r0, #4]
    str     r3, [r2]
    str     r12, [r2, #4]
    mov     r0, #1
    bx      lr

/* bool try_write(uintptr_t a, u32 size, u64 value) */
try_write:
    cmp     r1, #2
    strblo  r2, [r0]
    strheq  r2, [r0]
    strhi   r2, [r0]
    cmp     r1, #8
    streq   r3, [r0, #4]
    mov     r0, #1
    bx      lr

try_end:
    mov     r0, #0
    bx      lr
