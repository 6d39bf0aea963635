/* SPDX-License-Identifier: MIT */
/*
 * Start, exception vectors, and the instructions that traps32 tries, in ARM and Thumb state. A
 * handler notes what it was entered with and leaves probe_run; nothing returns to where it was.
 */
#include "tests/guests32/traps32.h"

    .syntax unified
    .arch_extension virt
    .arch_extension sec
    .fpu neon

    .section .head, "ax"
    .arm
    .global _start
_start:
    ldr     sp, =stack_top
    ldr     r0, =vectors_arm
    mcr     p15, 0, r0, c12, c0, 0          // VBAR
    mrc     p15, 0, r0, c1, c0, 2           // CPACR: FP, in privileged modes
    orr     r0, r0, #0xf << 20
    mcr     p15, 0, r0, c1, c0, 2
    isb
    bl      guest_main
    mov     r0, #0x84000000
    orr     r0, r0, #8                      // SYSTEM_OFF
    hvc     #0
1:  wfi
    b       1b

    .text

/* Each handler: sp is of no use, so r0 and r1 are lost to it. */
    .macro handler name, offset
\name:
    mrs     r0, cpsr
    setend  le
    ldr     r1, =probe
    str     r0, [r1, #PROBE_CPSR]
    str     lr, [r1, #PROBE_LR]
    mrs     r0, spsr
    str     r0, [r1, #PROBE_SPSR]
    mov     r0, #\offset
    str     r0, [r1, #PROBE_HIT]
    ldr     r0, =probe_leave
    bx      r0
    .endm

    .arm
    .align 5
    .global vectors_arm, vectors_thumb, vectors_end
vectors_arm:
    ldr     pc, =unexpected
    ldr     pc, =undef_arm
    ldr     pc, =unexpected
    ldr     pc, =prefetch_arm
    ldr     pc, =data_arm
    ldr     pc, =unexpected
    ldr     pc, =unexpected
    ldr     pc, =unexpected
    .ltorg
vectors_end:

    handler undef_arm, 4
    handler prefetch_arm, 12
    handler data_arm, 16
    handler unexpected, 99
    .ltorg

    .thumb
    .align 5
vectors_thumb:
    b.w     .
    b.w     undef_thumb
    b.w     .
    b.w     .
    b.w     .
    b.w     .
    b.w     .
    b.w     .
    .thumb_func
    handler undef_thumb, 4
    .ltorg

    .arm
    .global probe_run
probe_run:
    push    {r4-r11, lr}
    ldr     r3, =probe
    str     sp, [r3, #PROBE_SP]
    mov     r12, #0
    str     r12, [r3, #PROBE_HIT]
    ldr     r12, =SPSR_SVC_MARK
    msr     spsr_cxsf, r12
    ldr     r12, =SPSR_OTHER_MARK
    msr     spsr_abt, r12
    msr     spsr_und, r12
    mov     r12, r0
    mov     r0, r1
    mov     r1, r2
    blx     r12
    pop     {r4-r11, pc}
probe_leave:
    cpsid   aif, #0x13
    ldr     r3, =probe
    ldr     sp, [r3, #PROBE_SP]
    movw    r0, #0xdead
    pop     {r4-r11, pc}
    .ltorg

    .macro code name
    .balign 4
    .global \name
\name:
    .endm
    .macro mark name
    .global \name
\name:
    .endm

/* --- exceptions --------------------------------------------------------------------------- */
code arm_undef
    msr     cpsr_f, #0xa0000000             // N, C
mark arm_undef_at
    mrc     p15, 0, r0, c9, c12, 0          // PMCR
    bx      lr
    .thumb
code thumb_undef
    cmp     r0, r0                          // Z, C
    itt     eq
mark thumb_undef_at
    mrceq   p15, 0, r0, c9, c12, 0
    nopeq
    bx      lr
    .arm
code arm_ldm_user
mark arm_ldm_user_at
    ldm     r0, {r1, r2}^
    bx      lr
code arm_stm_user
mark arm_stm_user_at
    stm     r0, {r1, r2}^
    bx      lr
    .thumb
code thumb_ldrex
mark thumb_ldrex_at
    ldrex   r1, [r0]
    bx      lr

/* --- conditions: r0 is 7 unless something else is said ------------------------------------- */
    .arm
code arm_skipped
    mov     r0, #7
    cmp     r0, #8
    mrceq   p15, 0, r0, c9, c12, 0
    mrceq   p15, 0, r0, c0, c1, 0
    mcrreq  p15, 2, r0, r0, c14
    bx      lr
code arm_executed
    cmp     r0, #8
    mrceq   p15, 0, r0, c9, c12, 0
    mrcne   p15, 0, r0, c0, c2, 0           // ID_ISAR0
    bx      lr
code arm_smc_skipped
    mov     r0, #7
    cmp     r0, #8
    smceq   #0
    bx      lr
code arm_flags                              // DBGDSCRint to the flags: all clear
    msr     cpsr_f, #0xf0000000
    mrc     p14, 0, apsr_nzcv, c0, c1, 0
    mrs     r0, cpsr
    bx      lr
    .thumb
code thumb_skipped
    movs    r0, #7
    cmp     r0, #8
    itt     eq
    mrceq   p15, 0, r0, c9, c12, 0
    mrceq   p15, 0, r0, c0, c1, 0
    bx      lr
code thumb_executed
    cmp     r0, #8
    it      ne
    mrcne   p15, 0, r0, c0, c2, 0
    bx      lr
code thumb_block                            // each digit: an instruction that executed
    mov.w   r1, #0x1000
    cmp     r1, #8
    ittet   ne
    mrcne   p15, 0, r2, c0, c2, 0           // trapped: the block goes on with the next
    addne   r1, #0x1
    addeq   r1, #0x20
    addne   r1, #0x300
    mov     r0, r1
    bx      lr
code thumb_load_block
    mov.w   r1, #0x1000
    cmp     r1, #8
    itett   ne
    ldrne   r2, [r0]                        // of a device
    addeq   r1, #0x20
    addne   r1, #0x1
    ldrne   r2, [r0]
    add     r0, r1, r2
    bx      lr

/* --- what no syndrome describes: r0 is an address, r1 where r0 to r8 are to be stored -------- */
    .macro form name, insn:vararg
code \name
    mov     r12, r1
    mov     r1, #0x11
    mov     r2, #0x12
    mov     r3, #0x13
    mov     r4, #0x14
    mov     r5, #0x15
    mov     r6, #0x16
    mov     r7, #0x17
    mov     r8, #0x18
    \insn
    stm     r12, {r0-r8}
    bx      lr
    .endm
    .arm
form a_ldr_post, ldr r2, [r0], #4
form a_ldr_pre, ldr r2, [r0, #-4]!
form a_ldr_reg, ldr r2, [r0, r6, lsl #1]!
form a_ldrb, ldrb r2, [r0], #1
form a_ldrh, ldrh r2, [r0, #2]!
form a_ldrsb, ldrsb r2, [r0], -r6
form a_ldrd, ldrd r2, r3, [r0]
form a_ldrd_post, ldrd r4, r5, [r0], #-8
form a_ldmia, ldmia r0!, {r1-r8}
form a_ldmib, ldmib r0, {r1, r2, r3}
form a_ldmda, ldmda r0!, {r1, r2, r3}
form a_ldmdb, ldmdb r0, {r0, r1, r2}
form a_str_post, str r2, [r0], #4
form a_strh, strh r2, [r0, #-2]!
form a_strb, strb r2, [r0], r6
form a_strd, strd r2, r3, [r0, #8]!
form a_stmia, stmia r0!, {r2, r3}
form a_stmdb, stmdb r0!, {r2, r3}
form a_stmib, stmib r0, {r2, r3}
    .thumb
form t_ldr_post, ldr r2, [r0], #4
form t_ldr_pre, ldr r2, [r0, #-4]!
form t_ldrsh, ldrsh r2, [r0], #2
form t_ldrd, ldrd r2, r5, [r0, #4]!
form t_ldm16, ldm r0!, {r1-r7}
form t_ldm32, ldm.w r0!, {r1-r8}
form t_ldmdb, ldmdb r0!, {r1, r2, r3}
form t_str_pre, str r2, [r0, #4]!
form t_strb, strb r2, [r0], #-1
form t_strd, strd r2, r3, [r0], #8
form t_stm16, stm r0!, {r2, r3}
form t_stmdb, stmdb r0!, {r2, r3}

code t_in_block                             // each is executed, and only they
    mov     r12, r1
    mov     r4, #0
    cmp     r0, r0
    itete   eq
    ldreq   r2, [r0], #4
    addne   r4, #1
    ldmeq   r0!, {r2, r3}
    addne   r4, #2
    str     r0, [r12]
    str     r3, [r12, #4]
    mov     r0, r4
    bx      lr
    .arm
code in_user_mode                           // back by an exception: nothing here may be privileged
    mov     r12, r1
    cps     #0x10
    ldm     r0!, {r1-r8}
    stm     r12, {r0-r8}
    svc     #0

/* --- registers ------------------------------------------------------------------------------ */
    .arm
code arm_load
    ldr     r0, [r0]
    bx      lr
code arm_cntpct                             // CNTPCT - CNTVCT, both read before and after
    mrrc    p15, 1, r4, r5, c14
    mrrc    p15, 0, r6, r7, c14
    mrrc    p15, 1, r8, r9, c14
    subs    r10, r6, r4
    sbcs    r11, r7, r5
    movlo   r0, #1                          // before CNTVCT
    bxlo    lr
    subs    r10, r8, r6
    sbcs    r11, r9, r7
    movlo   r0, #2
    movhs   r0, #0
    bx      lr
code arm_cntp                               // CVAL holds what is written; TVAL far in the future
    mcrr    p15, 2, r0, r1, c14
    mrrc    p15, 2, r2, r3, c14
    cmp     r0, r2
    cmpeq   r1, r3
    movne   r0, #1
    bxne    lr
    mov     r2, #0
    mcr     p15, 0, r2, c14, c2, 1
    mrc     p15, 0, r0, c14, c2, 1
    bx      lr
code arm_set_way
    mov     r0, #0
    mcr     p15, 0, r0, c7, c6, 2
    mcr     p15, 0, r0, c7, c10, 2
    mcr     p15, 0, r0, c7, c14, 2
    mrc     p15, 0, r0, c1, c0, 1           // ACTLR
    bx      lr
code arm_ids                                // r0 is nonzero where nothing may be
    mrc     p15, 0, r0, c0, c4, 0
    mrc     p15, 0, r1, c0, c5, 0
    orr     r0, r0, r1
    mrc     p15, 0, r1, c0, c3, 0
    orr     r0, r0, r1
    mrc     p15, 0, r1, c0, c1, 2           // ID_DFR0: PMU 15, none
    eor     r1, r1, #0xf000000
    orr     r0, r0, r1
    bx      lr
code arm_mvfr
    mov     r0, #1 << 30
    vmsr    fpexc, r0
    vmrs    r0, mvfr0
    bx      lr
code arm_read_pmcr
    mrc     p15, 0, r0, c9, c12, 0
    bx      lr
code arm_read_l2ctlr
    mrc     p15, 1, r0, c9, c0, 2
    bx      lr
code arm_read_dbgbcr
    mrc     p14, 0, r0, c0, c0, 5
    bx      lr
code arm_write_oslar
    mcr     p14, 0, r0, c1, c0, 4
    bx      lr
code arm_write_id
    mcr     p15, 0, r0, c0, c1, 0
    bx      lr
code arm_read_dbgdidr
    mrc     p14, 0, r0, c0, c0, 0
    bx      lr
code arm_read_sre
    mrc     p15, 0, r0, c12, c12, 5
    bx      lr

    .balign 4
    .global mode_load
mode_load:
    push    {r4-r8, lr}
    mov     r8, #0x100
    mov     lr, #0x200
    mrs     r4, cpsr
    bic     r5, r4, #0x1f
    orr     r5, r5, r1
    msr     cpsr_c, r5
    ldr     lr, [r0]                        // trapped: this mode's, by the syndrome's number
    ldr     r8, [r0, #4]
    mov     r6, lr
    mov     r7, r8
    ldm     r0, {r8, lr}                    // without a syndrome
    teq     r8, r6
    teqeq   lr, r7
    movne   r7, #0
    mov     r8, r7
    mrc     p15, 0, lr, c0, c1, 4           // ID_MMFR0, trapped too
    cmp     lr, r6
    mvneq   r7, r7
    msr     cpsr_c, r4
    add     r0, r6, r7
    teq     r1, #0x13
    beq     1f
    teq     r1, #0x11                       // FIQ alone has an r8 of its own
    moveq   r2, #0x100
    movne   r2, r7
    teq     r8, r2
    teqeq   lr, #0x200
    orrne   r0, r0, #1 << 31
1:  pop     {r4-r8, pc}

/* r0 = seed + n for the n-th; r3 is the way to banked LR and SPSR (MRS, banked register). */
    .macro each_banked op
    \op     spsr_abt, 1
    \op     spsr_und, 2
    \op     spsr_irq, 3
    \op     spsr_fiq, 4
    \op     r8_fiq, 5
    \op     r12_fiq, 6
    \op     sp_fiq, 7
    \op     lr_fiq, 8
    \op     sp_irq, 9
    \op     lr_irq, 10
    \op     sp_abt, 11
    \op     lr_abt, 12
    \op     sp_und, 13
    \op     lr_und, 14
    \op     sp_usr, 15
    \op     lr_usr, 16
    .endm
    .macro set_banked reg, n
    add     r1, r0, #\n << 4
    msr     \reg, r1
    .endm
    .macro check_banked reg, n
    mrs     r2, \reg
    add     r1, r0, #\n << 4
    cmp     r1, r2
    addne   r3, r3, #1
    .endm
    .macro check_cp reg:vararg
    mrc     \reg
    cmp     r2, r0
    addne   r3, r3, #1
    .endm
    .global banked_fill, banked_wrong
banked_fill:
    bic     r0, r0, #0x1f
    orr     r0, r0, #0x13                   // as an SPSR, too
    each_banked set_banked
    mcr     p15, 0, r0, c3, c0, 0           // DACR
    mcr     p15, 0, r0, c5, c0, 0           // DFSR
    mcr     p15, 0, r0, c6, c0, 0           // DFAR
    mcr     p15, 0, r0, c6, c0, 2           // IFAR
    mcr     p15, 0, r0, c13, c0, 2          // TPIDRURW
    mcr     p15, 0, r0, c13, c0, 3          // TPIDRURO
    mcr     p15, 0, r0, c13, c0, 4          // TPIDRPRW
    mcr     p15, 0, r0, c5, c0, 1           // IFSR
    mov     r1, #1 << 30
    vmsr    fpexc, r1
    vmov    s0, r0
    vmov    d31, r0, r0
    bx      lr
banked_wrong:
    bic     r0, r0, #0x1f
    orr     r0, r0, #0x13
    mov     r3, #0
    each_banked check_banked
    check_cp p15, 0, r2, c3, c0, 0
    check_cp p15, 0, r2, c5, c0, 0
    check_cp p15, 0, r2, c6, c0, 0
    check_cp p15, 0, r2, c6, c0, 2
    check_cp p15, 0, r2, c13, c0, 2
    check_cp p15, 0, r2, c13, c0, 3
    check_cp p15, 0, r2, c13, c0, 4
    check_cp p15, 0, r2, c5, c0, 1
    vmrs    r2, fpexc
    cmp     r2, #1 << 30
    addne   r3, r3, #1
    vmov    r2, s0
    cmp     r2, r0
    addne   r3, r3, #1
    vmov    r1, r2, d31
    cmp     r2, r0
    addne   r3, r3, #1
    mov     r0, r3
    bx      lr

    .global smccc_hvc, smccc_smc
smccc_hvc:
    hvc     #0
    bx      lr
smccc_smc:
    smc     #0
    bx      lr

/* A CPU that was turned on in Thumb state; off again at once. */
    .thumb
    .thumb_func
    .global second_thumb
second_thumb:
    ldr     r1, =second_context
    str     r0, [r1]
    mrs     r0, cpsr
    mov     r2, pc                          // in ARM state this would not have come here
    ldr     r1, =second_cpsr
    orr     r0, r0, #0x20                   // MRS reads T as 0
    dmb     sy
    str     r0, [r1]
    dmb     sy
    movw    r0, #2                          // CPU_OFF
    movt    r0, #0x8400
    hvc     #0
    b       .
    .ltorg

    .bss
    .align 4
    .space 4096
stack_top:
