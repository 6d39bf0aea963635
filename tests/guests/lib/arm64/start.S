/* SPDX-License-Identifier: MIT */
/*
 * Entry of a test guest: an arm64 Image that runs at any 4 KiB-aligned address, at EL1 (or at EL2,
 * which it leaves at once), MMU off, x0 = device tree.  Everything after guest_prepare() and
 * mmu_enable runs in C with the MMU on.
 */
#include "tests/guests/lib/layout.h"

    .macro  lea reg, symbol
    adrp    \reg, \symbol
    add     \reg, \reg, :lo12:\symbol
    .endm

    .section .head, "ax"
    .global _start
_start:
    b       entry
    nop
    .quad   0                       /* text_offset */
    .quad   _image_size
    .quad   0xa                     /* little endian, 4 KiB pages, placed anywhere */
    .quad   0, 0, 0
    .ascii  "ARM\x64"
    .long   0

    .text
entry:
    msr     daifset, #0xf
    mrs     x21, cntvct_el0         /* as early as possible: the benchmark reports it */
    mov     x19, x0
    bl      leave_el2
    mov     x22, x0                 /* the EL we came from */
    lea     x9, vectors
    msr     vbar_el1, x9
    isb

    lea     x0, _bss_start
    lea     x1, _bss_end
1:  stp     xzr, xzr, [x0], #16
    cmp     x0, x1
    b.lo    1b

    /* Pointers in data: R_AARCH64_RELATIVE (1027), or NONE as padding; checked at link time. */
    lea     x0, _rela_start
    lea     x1, _rela_end
    lea     x2, _start
2:  cmp     x0, x1
    b.hs    3f
    ldp     x3, x4, [x0]
    ldr     x5, [x0, #16]
    add     x0, x0, #24
    cmp     x4, #1027
    b.ne    2b
    add     x5, x5, x2
    str     x5, [x2, x3]
    b       2b

3:  lea     x20, stacks
    mov     x9, #STACK_TOP
    add     x9, x20, x9
    mov     sp, x9
    mov     x0, x19
    mov     x1, x21
    mov     x2, x22
    bl      guest_prepare

    /* The MMU was off: what caches hold of our image is older than memory. */
    lea     x0, _start
    lea     x1, _bss_end
    mrs     x2, ctr_el0
    ubfx    x2, x2, #16, #4
    mov     x3, #4
    lsl     x3, x3, x2
4:  dc      ivac, x0
    add     x0, x0, x3
    cmp     x0, x1
    b.lo    4b
    dsb     sy
    bl      mmu_enable
    b       guest_start

/* Where PSCI CPU_ON sends the other CPUs; x0: the struct cpu of this one. */
    .global secondary_entry
secondary_entry:
    msr     daifset, #0xf
    mov     x19, x0
    bl      leave_el2
    lea     x9, vectors
    msr     vbar_el1, x9
    mov     x9, #STACK_TOP
    add     x9, x19, x9
    mov     sp, x9
    bl      mmu_enable
    mov     x0, x19
    b       secondary_start

/*
 * Turns on the MMU and the caches with the tables that mmu_build() made.  Touches no memory.
 * TCR_EL1: 39-bit addresses, 4 KiB granule, inner shareable write-back walks, TTBR1 off.
 */
mmu_enable:
    mov     x0, #0x44ff             /* attribute 0: normal write-back; 1: normal non-cacheable; */
    movk    x0, #0x0004, lsl #16    /* 2: device nGnRE */
    msr     mair_el1, x0
    movz    x0, #0x0080, lsl #16
    movk    x0, #0x3519
    mrs     x1, id_aa64mmfr0_el1
    and     x1, x1, #7
    mov     x2, #5                  /* 48 bits of output suffice, and 52 need other tables */
    cmp     x1, x2
    csel    x1, x1, x2, lo
    bfi     x0, x1, #32, #3
    msr     tcr_el1, x0
    adrp    x0, mmu_root
    msr     ttbr0_el1, x0
    isb
    tlbi    vmalle1
    ic      iallu
    dsb     sy
    isb
    movz    x0, #0x30d0, lsl #16
    movk    x0, #0x1805             /* M, C, I */
    msr     sctlr_el1, x0
    isb
    ret

/* Returns at EL1 with x0 = the EL it was called at.  Keeps x19 and up. */
leave_el2:
    mrs     x0, CurrentEL
    lsr     x0, x0, #2
    cmp     x0, #2
    b.ne    1f
    mov     x9, #1 << 31            /* EL1 is AArch64; nothing is trapped */
    msr     hcr_el2, x9
    mov     x9, #3
    msr     cnthctl_el2, x9
    msr     cntvoff_el2, xzr
    mrs     x9, midr_el1
    msr     vpidr_el2, x9
    mrs     x9, mpidr_el1
    msr     vmpidr_el2, x9
    mrs     x9, id_aa64pfr0_el1
    tst     x9, #0xf << 24
    b.eq    2f
    mov     x9, #0xf
    msr     S3_4_C12_C9_5, x9       /* ICC_SRE_EL2 */
2:  movz    x9, #0x30d0, lsl #16
    movk    x9, #0x0800
    msr     sctlr_el1, x9
    mov     x9, #0x3c5              /* EL1h, all masked */
    msr     spsr_el2, x9
    msr     elr_el2, x30
    eret
1:  ret

    .bss
    .balign STACK_SIZE
    .global stacks
stacks:
    .space  MAX_CPUS * STACK_SIZE
