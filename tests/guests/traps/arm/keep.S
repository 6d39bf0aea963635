/* SPDX-License-Identifier: MIT */
/* See misc.c. */
    .arch   armv7ve
    .arch_extension virt
    .fpu    neon-vfpv4
    .arm
    .text

/* void keep_registers(before, after, u64 device, u64 function): r0 to r12 and NZCV around traps. */
    .global keep_registers
keep_registers:
    push    {r4-r11, lr}
    push    {r1, r2}                    /* after, device */
    ldr     r3, [sp, #44]               /* function */
    push    {r3, lr}
    ldr     r4, [r0, #52]
    msr     cpsr_f, r4
    add     r0, r0, #16
    ldm     r0, {r4-r12}
    ldr     r0, [sp]
    hvc     #0
    ldr     r1, [sp, #12]
    ldr     r2, [r1]
    ldr     r3, [r1, #4]
    mrc     p15, 0, r2, c0, c2, 0       /* ID_ISAR0 */
    ldr     r0, [sp, #8]
    add     r1, r0, #16
    stm     r1, {r4-r12}
    mrs     r4, cpsr
    str     r4, [r0, #52]
    add     sp, sp, #16
    pop     {r4-r11, pc}

/* d0 to d31 from or to the 256 bytes at r0. */
    .global keep_fp_load
keep_fp_load:
    vldm    r0!, {d0-d15}
    vldm    r0, {d16-d31}
    bx      lr

    .global keep_fp_store
keep_fp_store:
    vstm    r0!, {d0-d15}
    vstm    r0, {d16-d31}
    bx      lr
