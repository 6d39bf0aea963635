/* SPDX-License-Identifier: MIT */
/*
 * From reset or a boot loader to C. The image starts as a zImage does, so that boot loaders take it
 * for one (bootz), and runs at any 4 KiB-aligned address, from flash too: then it copies itself to
 * RAM first. Entered with the MMU off, r2 = device tree, or 0: then the tree is looked for at the
 * start of RAM, where QEMU puts it for firmware.
 *
 * Entered in SVC mode instead of Hyp mode the MMU is switched on all the same, so that C can read
 * the tree and say what is wrong.
 */
#include "arch/arm-common/start.h"
#include "arch/arm/frame.h"

#define FIRMWARE_RAM 0x40000000     /* QEMU virt */
#define FDT_MAGIC_LE 0xedfe0dd0

    .syntax unified
    .arch armv7ve
    .arm

    /* Its address, wherever we run. */
    .macro lea reg, sym
    ldr     \reg, 99f
98: add     \reg, pc, \reg
    b       97f
99: .word   \sym - 98b - 8
97:
    .endm

    .macro in_hyp reg               // EQ if so
    mrs     \reg, cpsr
    and     \reg, \reg, #0x1f
    cmp     \reg, #MODE_HYP
    .endm

    .section .head, "ax"
    .global _start
_start:
    .rept   8
    mov     r0, r0
    .endr
    b       entry
    .word   0x016f2818              // zImage magic, start, end, byte order
    .word   0
    .global header_size
header_size:
    .word   __image_end - _start    // .bss included, and an appended bundle
    .word   0x04030201

    .text
entry:
    in_hyp  r1
    beq     1f
    mrc     p15, 0, r1, c0, c0, 5   // secure without firmware, all CPUs come here; one speaks (MPIDR)
    tst     r1, #0xff
    bne     park
1:  mov     r4, r2                  // r4: tree, r5: image
    lea     r5, _start
    cmp     r4, #0
    bne     in_ram
    mov     r4, #FIRMWARE_RAM
    ldr     r1, [r4]
    ldr     r2, =FDT_MAGIC_LE
    cmp     r1, r2
    movne   r4, #0
    bne     in_ram
    cmp     r5, r4
    bhs     in_ram

    /* In flash: copy to the first 2 MiB boundary behind the tree and go on there. */
    ldr     r1, [r4, #4]            // totalsize, big-endian
    rev     r1, r1
    add     r1, r1, r4
    add     r1, r1, #0x200000
    lsr     r6, r1, #21
    lsl     r6, r6, #21
    ldr     r2, [r5, #(header_size - _start)]
    mov     r0, r5
    mov     r1, r6
1:  ldm     r0!, {r7, r8, r10, r11}
    stm     r1!, {r7, r8, r10, r11}
    subs    r2, r2, #16
    bhi     1b
    lea     r0, in_ram
    sub     r0, r0, r5
    add     r0, r0, r6
    mov     r5, r6
    dsb     sy
    mcr     p15, 0, r0, c7, c5, 0   // ICIALLU: what was copied will be executed
    mcr     p15, 0, r0, c7, c5, 6   // BPIALL
    dsb     sy
    isb
    bx      r0

in_ram:
    lea     r0, __bss
    lea     r1, __bss_end
    mov     r2, #0
    mov     r3, #0
1:  strd    r2, r3, [r0], #8
    cmp     r0, r1
    blo     1b

    lea     r0, __relocs            // a bit for each word (relocs.sh): is it a pointer?
    lea     r1, __relocs_end
    lea     r2, __pointers
1:  cmp     r0, r1
    bhs     4f
    ldr     r3, [r0], #4
    mov     r6, r2
    add     r2, r2, #32 * 4
2:  cmp     r3, #0
    beq     1b
    tst     r3, #1
    ldrne   r7, [r6]
    addne   r7, r7, r5
    strne   r7, [r6]
    add     r6, r6, #4
    lsr     r3, r3, #1
    b       2b

    /*
     * All of this was written past the caches: lines that a boot loader left for these addresses
     * must not come back once caches are on.
     */
4:  mov     r0, r5
    lea     r1, __image_end
    bl      invalidate
    lea     sp, boot_stack_top
    mov     r0, r4
    bl      boot_tables             // r0: root
    mov     r6, r0
    lea     r0, __bss               // the tables and the stack were written past the caches
    lea     r1, __bss_end
    bl      invalidate
    mov     r0, r6
    bl      boot_mmu
    in_hyp  r1
    bne     5f
    lea     r0, vectors
    mcr     p15, 4, r0, c12, c0, 0  // HVBAR
    isb
5:  mov     r0, r4
    bl      boot_main
park:
    wfi
    b       park

/* Invalidates [r0, r1) to the point of coherency. Changes r0, r2, r3. */
invalidate:
    mrc     p15, 0, r2, c0, c0, 1   // CTR
    ubfx    r2, r2, #16, #4
    mov     r3, #4
    lsl     r3, r3, r2
    dsb     sy
1:  mcr     p15, 0, r0, c7, c6, 1   // DCIMVAC
    add     r0, r0, r3
    cmp     r0, r1
    blo     1b
    dsb     sy
    bx      lr

/* r0: table root. MMU and caches on, in Hyp mode or, with sections of 1 MiB, in SVC. */
boot_mmu:
    lea     r1, boot_regs           // written with the caches off: MMU off, so is this read
    ldr     r2, [r1]                // HTCR
    ldr     r3, [r1, #4]            // HMAIR0
    mov     r12, #0
    in_hyp  r1
    bne     1f
    mcr     p15, 4, r3, c10, c2, 0
    mcr     p15, 4, r12, c10, c2, 1
    mcr     p15, 4, r2, c2, c0, 2
    mcrr    p15, 4, r0, r12, c2
    isb                             // the TLB walks with what was written
    mcr     p15, 4, r12, c8, c7, 0  // TLBIALLH
    dsb     nsh
    isb
    ldr     r1, =BOOT_HSCTLR
    mcr     p15, 4, r1, c1, c0, 0
    isb
    bx      lr
1:  mov     r1, #1
    mcr     p15, 0, r12, c2, c0, 2  // TTBCR: short descriptors, TTBR0 for all
    mcr     p15, 0, r1, c3, c0, 0   // DACR: domain 0 asks the descriptor
    orr     r0, r0, #0x4a           // shareable, write-back walks
    mcr     p15, 0, r0, c2, c0, 0
    isb
    mcr     p15, 0, r12, c8, c7, 0  // TLBIALL
    dsb     nsh
    isb
    mrc     p15, 0, r1, c1, c0, 0
    bic     r1, r1, #0x30000000     // AFE, TRE: descriptors as start.c makes them
    orr     r1, r1, #0x1000         // I
    orr     r1, r1, #5              // C, M
    mcr     p15, 0, r1, c1, c0, 0
    isb
    bx      lr

/* Here come CPUs that wait for an address in memory, in the mode of their loader's choice. */
    .global lone_entry
    .type   lone_entry, %function
lone_entry:
    in_hyp  r1
    bne     3f
    mrc     p15, 0, r1, c0, c0, 5   // MPIDR
    ldr     r2, =0x80ffffff
    and     r1, r1, r2
    lea     r0, cpu_starts
    mov     r3, #START_COUNT
2:  ldr     r2, [r0, #START_SELF]
    cmp     r1, r2
    beq     secondary_entry
    add     r0, r0, #START_SIZE
    subs    r3, r3, #1
    bne     2b
3:  wfi
    b       3b
    .ltorg

/* PSCI starts secondary CPUs here: r0 = struct cpu_start, cleaned to the point of coherency. */
    .global secondary_entry
    .type   secondary_entry, %function
secondary_entry:
    mov     r1, #BOOT_HCR           // it's UNKNOWN after a reset, or what firmware left
    mcr     p15, 4, r1, c1, c1, 0
    isb
    mov     r12, #0
    ldr     sp, [r0, #START_STACK]
    ldr     r4, [r0, #START_PCPU]
    mcr     p15, 4, r4, c13, c0, 2  // HTPIDR
    ldr     r1, [r0, #START_MAIR]
    mcr     p15, 4, r1, c10, c2, 0
    mcr     p15, 4, r12, c10, c2, 1
    ldr     r1, [r0, #START_TCR]
    mcr     p15, 4, r1, c2, c0, 2
    ldr     r1, [r0, #START_TTBR]
    mcrr    p15, 4, r1, r12, c2
    lea     r1, vectors
    mcr     p15, 4, r1, c12, c0, 0
    isb
    mcr     p15, 4, r12, c8, c7, 0  // TLBIALLH
    mcr     p15, 0, r12, c7, c5, 0  // ICIALLU
    mcr     p15, 0, r12, c7, c5, 6  // BPIALL
    dsb     nsh
    isb
    ldr     r1, =(BOOT_HSCTLR | 0x80000) // WXN
    mcr     p15, 4, r1, c1, c0, 0
    isb
    mov     r0, r4
    bl      secondary_main
1:  wfe
    b       1b
    .ltorg

    .section .bss.boot_stack, "aw", %nobits
    .balign 4096
    .global boot_stack_guard, boot_stack_top
boot_stack_guard:                   // stays unmapped
    .space  4096
    .space  STACK_SIZE
boot_stack_top:
