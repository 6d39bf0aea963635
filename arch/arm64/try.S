/* SPDX-License-Identifier: MIT */
/*
 * Accesses to device registers that may be answered by an abort: a guest chooses where in a window
 * and how wide. Between try_start and try_end an exception of EL2 ends in try_failed (vectors.S).
 * No stack is used there and x30 is the caller's. What comes as an SError finds the guest whose
 * access it was (serror.h).
 */

    .text
    .global try_start, try_end, try_failed, try_read, try_write

try_start:

/* bool try_read(uintptr_t a, u32 size, u64 *value) */
try_read:
    cmp     w1, #2
    b.lo    1f
    b.eq    2f
    cmp     w1, #4
    b.eq    4f
    ldr     x3, [x0]
    b       8f
1:  ldrb    w3, [x0]
    b       8f
2:  ldrh    w3, [x0]
    b       8f
4:  ldr     w3, [x0]
8:  str     x3, [x2]
    mov     w0, #1
    ret

/* bool try_write(uintptr_t a, u32 size, u64 value) */
try_write:
    cmp     w1, #2
    b.lo    1f
    b.eq    2f
    cmp     w1, #4
    b.eq    4f
    str     x2, [x0]
    b       8f
1:  strb    w2, [x0]
    b       8f
2:  strh    w2, [x0]
    b       8f
4:  str     w2, [x0]
8:  mov     w0, #1
    ret

try_end:
try_failed:
    mov     w0, #0
    ret
