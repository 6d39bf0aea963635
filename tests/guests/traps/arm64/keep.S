/* SPDX-License-Identifier: MIT */
/* See misc.c. */
    .text

/* void keep_registers(before, after, device, function): x0 to x30 and NZCV around traps. */
    .global keep_registers
keep_registers:
    stp     x29, x30, [sp, #-128]!
    stp     x19, x20, [sp, #16]
    stp     x21, x22, [sp, #32]
    stp     x23, x24, [sp, #48]
    stp     x25, x26, [sp, #64]
    stp     x27, x28, [sp, #80]
    stp     x1, x2, [sp, #96]
    str     x3, [sp, #112]
    ldr     x4, [x0, #248]
    msr     nzcv, x4
    ldp     x4, x5, [x0, #32]
    ldp     x6, x7, [x0, #48]
    ldp     x8, x9, [x0, #64]
    ldp     x10, x11, [x0, #80]
    ldp     x12, x13, [x0, #96]
    ldp     x14, x15, [x0, #112]
    ldp     x16, x17, [x0, #128]
    ldp     x18, x19, [x0, #144]
    ldp     x20, x21, [x0, #160]
    ldp     x22, x23, [x0, #176]
    ldp     x24, x25, [x0, #192]
    ldp     x26, x27, [x0, #208]
    ldp     x28, x29, [x0, #224]
    ldr     x30, [x0, #240]
    ldr     x0, [sp, #112]
    hvc     #0
    ldr     x1, [sp, #104]
    ldr     w2, [x1]
    ldr     w3, [x1, #4]
    mrs     x2, id_aa64isar0_el1
    ldr     x0, [sp, #96]
    stp     x4, x5, [x0, #32]
    stp     x6, x7, [x0, #48]
    stp     x8, x9, [x0, #64]
    stp     x10, x11, [x0, #80]
    stp     x12, x13, [x0, #96]
    stp     x14, x15, [x0, #112]
    stp     x16, x17, [x0, #128]
    stp     x18, x19, [x0, #144]
    stp     x20, x21, [x0, #160]
    stp     x22, x23, [x0, #176]
    stp     x24, x25, [x0, #192]
    stp     x26, x27, [x0, #208]
    stp     x28, x29, [x0, #224]
    str     x30, [x0, #240]
    mrs     x4, nzcv
    str     x4, [x0, #248]
    ldp     x27, x28, [sp, #80]
    ldp     x25, x26, [sp, #64]
    ldp     x23, x24, [sp, #48]
    ldp     x21, x22, [sp, #32]
    ldp     x19, x20, [sp, #16]
    ldp     x29, x30, [sp], #128
    ret

/* q0 to q31 from or to the 512 bytes at x0. */
    .macro  quad_of insn, a, b, c, d, at
    \insn   q\a, q\b, [x0, #\at]
    \insn   q\c, q\d, [x0, #\at + 32]
    .endm

    .macro  all_of insn
    quad_of \insn, 0, 1, 2, 3, 0
    quad_of \insn, 4, 5, 6, 7, 64
    quad_of \insn, 8, 9, 10, 11, 128
    quad_of \insn, 12, 13, 14, 15, 192
    quad_of \insn, 16, 17, 18, 19, 256
    quad_of \insn, 20, 21, 22, 23, 320
    quad_of \insn, 24, 25, 26, 27, 384
    quad_of \insn, 28, 29, 30, 31, 448
    .endm

    .global keep_fp_load
keep_fp_load:
    all_of  ldp
    ret

    .global keep_fp_store
keep_fp_store:
    all_of  stp
    ret
