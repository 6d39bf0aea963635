/* SPDX-License-Identifier: MIT */
/*
 * Entry of a test guest: a zImage that runs at any 4 KiB-aligned address below 2 GiB, in SVC mode (or
 * in Hyp mode, which it leaves at once), MMU off, r2 = device tree. What follows is as in lib/arm64.
 */
#include "tests/guests/lib/layout.h"

#define HYP_MODE 0x1a
#define SVC_MASKED 0x1d3                /* A, I, F */

    .arch   armv7ve
    .arch_extension virt
    .arm

/* Position independent. */
    .macro  lea reg, symbol
    ldr     \reg, .Lword\@
.Lat\@:
    add     \reg, pc, \reg
    b       .Lbehind\@
.Lword\@:
    .word   \symbol - (.Lat\@ + 8)
.Lbehind\@:
    .endm

    .section .head, "ax"
    .global _start
_start:
    .rept   8
    nop
    .endr
    b       entry
    .word   0x016f2818                  /* zImage */
    .word   0                           /* placed anywhere */
    .word   _image_size
    .word   0x04030201                  /* little endian */

    .text
entry:
    cpsid   aif
    mrrc    p15, 1, r8, r9, c14         /* CNTVCT, as early as possible: the benchmark reports it */
    mov     r7, r2
    bl      leave_hyp
    mov     r10, r0                     /* the EL we came from */
    lea     r0, vectors
    mcr     p15, 0, r0, c12, c0, 0      /* VBAR */
    isb

    lea     r0, _bss_start
    lea     r1, _bss_end
    mov     r2, #0
    mov     r3, #0
1:  strd    r2, r3, [r0], #8
    cmp     r0, r1
    blo     1b

    /* Pointers in data: R_ARM_RELATIVE (23), or NONE as padding; checked at link time. */
    lea     r0, _rela_start
    lea     r1, _rela_end
    lea     r2, _start
2:  cmp     r0, r1
    bhs     3f
    ldrd    r4, r5, [r0], #8
    cmp     r5, #23
    bne     2b
    ldr     r5, [r2, r4]
    add     r5, r5, r2
    str     r5, [r2, r4]
    b       2b

3:  lea     r0, stacks
    ldr     r1, =STACK_TOP
    add     sp, r0, r1
    mov     r0, r7
    mov     r2, r8
    mov     r3, r9
    mov     r11, #0
    push    {r10, r11}                  /* the third argument */
    bl      guest_prepare
    add     sp, sp, #8

    /* The MMU was off: what caches hold of our image is older than memory. */
    lea     r0, _start
    lea     r1, _bss_end
    mrc     p15, 0, r2, c0, c0, 1       /* CTR.DminLine */
    ubfx    r2, r2, #16, #4
    mov     r3, #4
    lsl     r3, r3, r2
4:  mcr     p15, 0, r0, c7, c6, 1       /* DCIMVAC */
    add     r0, r0, r3
    cmp     r0, r1
    blo     4b
    dsb     sy
    bl      mmu_enable
    b       guest_start

/* Where PSCI CPU_ON sends the other CPUs; r0: the struct cpu of this one. */
    .global secondary_entry
secondary_entry:
    cpsid   aif
    mov     r7, r0
    bl      leave_hyp
    lea     r0, vectors
    mcr     p15, 0, r0, c12, c0, 0
    ldr     r1, =STACK_TOP
    add     sp, r7, r1
    bl      mmu_enable
    mov     r0, r7
    b       secondary_start

/*
 * Turns on the MMU and the caches with the tables that mmu_build() made.  Touches no memory.
 * TTBCR: long descriptors, all addresses by TTBR0, inner shareable write-back walks.
 */
mmu_enable:
    ldr     r0, =0x000444ff             /* MAIR0, as in lib/arm64 */
    mcr     p15, 0, r0, c10, c2, 0
    ldr     r0, =0x80003500
    mcr     p15, 0, r0, c2, c0, 2
    lea     r0, mmu_root
    mov     r1, #0
    mcrr    p15, 0, r0, r1, c2          /* TTBR0 */
    isb
    mcr     p15, 0, r1, c8, c7, 0       /* TLBIALL */
    mcr     p15, 0, r1, c7, c5, 0       /* ICIALLU */
    mcr     p15, 0, r1, c7, c5, 6       /* BPIALL */
    dsb     sy
    isb
    mrc     p15, 0, r0, c1, c0, 0
    bic     r0, r0, #2                  /* alignment is not checked */
    orr     r0, r0, #0x1800             /* I, Z */
    orr     r0, r0, #0x0005             /* M, C */
    mcr     p15, 0, r0, c1, c0, 0
    isb
    bx      lr

/* Returns in SVC mode with r0 = the EL it was called at.  Keeps r7 to r10. */
leave_hyp:
    mrs     r0, cpsr
    and     r0, r0, #0x1f
    cmp     r0, #HYP_MODE
    mov     r0, #1
    bxne    lr
    mov     r1, #0
    mcr     p15, 4, r1, c1, c1, 0       /* HCR: nothing is trapped */
    mcrr    p15, 4, r1, r1, c14         /* CNTVOFF */
    mov     r1, #3
    mcr     p15, 4, r1, c14, c1, 0      /* CNTHCTL */
    ldr     r1, =SVC_MASKED
    msr     spsr_hyp, r1
    msr     elr_hyp, lr
    mov     r0, #2
    eret
    .ltorg

    .bss
    .balign STACK_SIZE
    .global stacks
stacks:
    .space  MAX_CPUS * STACK_SIZE
