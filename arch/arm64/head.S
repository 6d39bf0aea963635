/* SPDX-License-Identifier: MIT */
/*
 * From reset or a boot loader to C. The image starts with the arm64 Image header (Linux,
 * Documentation/arch/arm64/booting.rst) and runs at any 4 KiB-aligned address, from flash too: then
 * it copies itself to RAM first. Entered with the MMU off, x0 = device tree, or 0: then the tree is
 * looked for at the start of RAM, where QEMU puts it for firmware.
 *
 * The MMU is switched on at whatever level we were entered at, so that C can read the tree and say
 * what is wrong if that isn't EL2.
 */
#include "arch/arm-common/start.h"
#include "arch/arm64/frame.h"

#define FIRMWARE_RAM 0x40000000     /* QEMU virt */
#define FDT_MAGIC_LE 0xedfe0dd0

    .macro lea reg, sym
    adrp    \reg, \sym
    add     \reg, \reg, :lo12:\sym
    .endm

    .section .head, "ax"
    .global _start
_start:
    b       entry
    nop
    .quad   0                       // text_offset
    .global header_size
header_size:
    .quad   _image_size             // .bss included, and an appended bundle
    .quad   0xa                     // little-endian, 4 KiB pages, anywhere in RAM
    .quad   0, 0, 0
    .ascii  "ARM\x64"
    .long   0

    .text
entry:
    mov     x20, x0
    adr     x21, _start
    mrs     x1, CurrentEL
    cmp     x1, #12
    b.ne    1f
    mrs     x1, mpidr_el1           // EL3: after a cold reset all CPUs come here; one speaks
    and     x2, x1, #0xffffff
    ubfx    x1, x1, #32, #8
    orr     x1, x1, x2
    cbnz    x1, park
1:
    cbnz    x20, in_ram
    mov     x20, #FIRMWARE_RAM
    ldr     w1, [x20]
    ldr     w2, =FDT_MAGIC_LE
    cmp     w1, w2
    csel    x20, x20, xzr, eq
    b.ne    in_ram
    cmp     x21, x20
    b.hs    in_ram

    /* In flash: copy to the first 2 MiB boundary behind the tree and go on there. */
    ldr     w1, [x20, #4]           // totalsize, big-endian
    rev     w1, w1
    add     x1, x1, x20
    add     x1, x1, #0x200000
    and     x22, x1, #~0x1fffff
    ldr     x2, header_size
    mov     x3, x21
    mov     x4, x22
1:  ldp     x5, x6, [x3], #16
    stp     x5, x6, [x4], #16
    subs    x2, x2, #16
    b.hi    1b
    adr     x5, in_ram
    sub     x5, x5, x21
    add     x5, x5, x22
    mov     x21, x22
    dsb     sy
    ic      iallu                   // what was copied will be executed (Arm ARM B2.4.4)
    dsb     sy
    isb
    br      x5

in_ram:                             // x20 tree, x21 image
    lea     x0, __bss
    lea     x1, __bss_end
1:  stp     xzr, xzr, [x0], #16
    cmp     x0, x1
    b.lo    1b

    lea     x0, __relocs            // a bit for each 8 bytes (relocs.sh): is it a pointer?
    lea     x1, __relocs_end
    lea     x2, __pointers
1:  cmp     x0, x1
    b.hs    4f
    ldr     x3, [x0], #8
    mov     x4, x2
    add     x2, x2, #64 * 8
2:  cbz     x3, 1b
    tbz     x3, #0, 3f
    ldr     x5, [x4]
    add     x5, x5, x21
    str     x5, [x4]
3:  add     x4, x4, #8
    lsr     x3, x3, #1
    b       2b

    /*
     * All of this was written past the caches: lines that a boot loader left for these addresses
     * must not come back once caches are on (booting.rst promises that the image is clean).
     */
4:  mov     x0, x21
    lea     x1, __image_end
    bl      invalidate
    lea     x0, boot_stack_top
    mov     sp, x0
    mov     x29, xzr
    mov     x0, x20
    bl      boot_tables             // x0: root
    mov     x23, x0
    lea     x0, __bss               // the tables and the stack were written past the caches
    lea     x1, __bss_end
    bl      invalidate
    mov     x0, x23
    bl      boot_mmu
    lea     x0, vectors
    mrs     x1, CurrentEL
    cmp     x1, #8
    b.ne    4f
    msr     vbar_el2, x0
    isb
4:  mov     x0, x20
    bl      boot_main
park:
    wfi
    b       park

/* Invalidates [x0, x1) to the point of coherency. Changes x0, x2, x3. */
invalidate:
    mrs     x2, ctr_el0
    ubfx    x2, x2, #16, #4
    mov     x3, #4
    lsl     x3, x3, x2
    dsb     sy
1:  dc      ivac, x0
    add     x0, x0, x3
    cmp     x0, x1
    b.lo    1b
    dsb     sy
    ret

    /* SCTLR_ELx: RES1 bits of all levels, I, C, M, SA */
    .macro load_sctlr reg
    movz    \reg, #0x30c5, lsl #16
    movk    \reg, #0x183d
    .endm

/* x0: table root. MMU and caches on, at EL1, 2 or 3. boot_tcr fits all of them (see boot.c). */
boot_mmu:
    lea     x1, boot_regs           // written with the caches off: MMU off, so is this read
    ldp     x2, x3, [x1]            // TCR, MAIR
    load_sctlr x4
    mrs     x1, CurrentEL
    cmp     x1, #8
    b.lo    1f
    b.hi    3f
    msr     mair_el2, x3
    msr     tcr_el2, x2
    msr     ttbr0_el2, x0
    isb                             // the TLB walks with what was written (D8.16)
    tlbi    alle2
    dsb     nsh
    isb
    msr     sctlr_el2, x4
    isb
    ret
1:  msr     mair_el1, x3
    msr     tcr_el1, x2
    msr     ttbr0_el1, x0
    isb
    tlbi    vmalle1
    dsb     nsh
    isb
    msr     sctlr_el1, x4
    isb
    ret
3:  msr     mair_el3, x3
    msr     tcr_el3, x2
    msr     ttbr0_el3, x0
    isb
    tlbi    alle3
    dsb     nsh
    isb
    msr     sctlr_el3, x4
    isb
    ret

/* Here come CPUs that wait for an address in memory, at the level of their loader's choice. */
    .global lone_entry
lone_entry:
    mrs     x1, CurrentEL
    cmp     x1, #8
    b.ne    park
    mrs     x1, mpidr_el1
    movz    x2, #0xff, lsl #32
    movk    x2, #0x80ff, lsl #16
    movk    x2, #0xffff
    and     x1, x1, x2
    lea     x0, cpu_starts
    mov     x3, #START_COUNT
1:  ldr     x2, [x0, #START_SELF]
    cmp     x1, x2
    b.eq    secondary_entry
    add     x0, x0, #START_SIZE
    subs    x3, x3, #1
    b.ne    1b
    b       park

/* PSCI starts secondary CPUs here: x0 = struct cpu_start, cleaned to the point of coherency. */
    .global secondary_entry
secondary_entry:
    movz    x1, #BOOT_HCR >> 16, lsl #16
    movk    x1, #BOOT_HCR & 0xffff  // it's UNKNOWN after a reset, or what firmware left
    msr     hcr_el2, x1
    isb
    ldp     x1, x2, [x0, #START_STACK]
    ldp     x3, x4, [x0, #START_TTBR]
    ldr     x5, [x0, #START_MAIR]
    mov     sp, x1
    mov     x29, xzr
    msr     tpidr_el2, x2
    msr     mair_el2, x5
    msr     tcr_el2, x4
    msr     ttbr0_el2, x3
    lea     x1, vectors
    msr     vbar_el2, x1
    isb
    tlbi    alle2
    ic      iallu
    dsb     nsh
    isb
    load_sctlr x1
    movz    x3, #0x8, lsl #16       // WXN
    orr     x1, x1, x3
    msr     sctlr_el2, x1
    isb
    mov     x0, x2
    bl      secondary_main
1:  wfe
    b       1b

    .section .bss.boot_stack, "aw", @nobits
    .balign 4096
    .global boot_stack_guard, boot_stack_top
boot_stack_guard:                   // stays unmapped
    .space  4096
    .space  STACK_SIZE
boot_stack_top:
