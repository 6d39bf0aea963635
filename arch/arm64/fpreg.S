/* SPDX-License-Identifier: MIT */
/* Q registers by number: a jump into a row of two-instruction entries. C isn't compiled with FP. */

    .macro all_of insn
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, \
            24, 25, 26, 27, 28, 29, 30, 31
    \insn   q\n, [x1]
    ret
    .endr
    .endm

    .text
    .arch_extension fp
/* void fpreg_get(u32 n, u64 q[2]) */
    .global fpreg_get
fpreg_get:
    adr     x2, 1f
    and     w0, w0, #31
    add     x2, x2, w0, uxtw #3
    br      x2
1:  all_of  str

/* void fpreg_set(u32 n, const u64 q[2]) */
    .global fpreg_set
fpreg_set:
    adr     x2, 1f
    and     w0, w0, #31
    add     x2, x2, w0, uxtw #3
    br      x2
1:  all_of  ldr
