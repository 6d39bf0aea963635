/* SPDX-License-Identifier: MIT */
/*
 * The guest's VFP and Advanced SIMD registers (DDI 0406 A2.6), struct vfp_regs; Muntin itself is
 * compiled without. FPEXC.EN has to be set for the others to be reached.
 */
#define VFP_D16   128
#define VFP_FPSCR 256
#define VFP_FPEXC 260
#define EN        0x40000000

    .syntax unified
    .arch armv7ve
    .fpu neon
    .arm
    .text

/* void vfp_save(struct vfp_regs *v, bool d32) */
    .global vfp_save
    .type   vfp_save, %function
vfp_save:
    vmrs    r2, fpexc
    str     r2, [r0, #VFP_FPEXC]
    orr     r2, r2, #EN
    vmsr    fpexc, r2
    isb                             // enabled before it's used
    vmrs    r2, fpscr
    str     r2, [r0, #VFP_FPSCR]
    vstm    r0!, {d0-d15}
    cmp     r1, #0
    bxeq    lr
    vstm    r0, {d16-d31}
    bx      lr

/* void vfp_load(const struct vfp_regs *v, bool d32) */
    .global vfp_load
    .type   vfp_load, %function
vfp_load:
    vmrs    r2, fpexc
    orr     r2, r2, #EN
    vmsr    fpexc, r2
    isb
    ldr     r2, [r0, #VFP_FPSCR]
    vmsr    fpscr, r2
    ldr     r3, [r0, #VFP_FPEXC]
    vldm    r0!, {d0-d15}
    cmp     r1, #0
    beq     1f
    vldm    r0, {d16-d31}
1:  vmsr    fpexc, r3
    bx      lr
