/* SPDX-License-Identifier: MIT */
/*
 * The table of forms.h.  Each form: r9 is the address, r10 and r11 (or d0) what is stored or
 * loaded; r12 points to the struct form_regs.
 */
    .arch   armv7ve
    .fpu    neon-vfpv4
    .arm

#define LOAD 0
#define LOAD_SIGNED 1
#define STORE 2
#define ATOMIC 3
#define OTHER 4

/* form "name", kind, bytes, count, step; the instructions follow, then done. */
    .macro  form name, kind, bytes, count, step
    .section .rodata.form_names, "a"
.Lname\@:
    .asciz  "\name"
    .section .data.forms, "aw"
    .word   .Lname\@, .Lrun\@
    .word   \kind, \bytes, \count, \step, 0, 0
    .text
.Lrun\@:
    mov     r9, r0
    mov     r12, r2
    ldr     r10, [r12]
    ldr     r11, [r12, #8]
    .endm

/* Zero-extends what was loaded, sign-extends it, or takes both registers for one. */
    .macro  done
    mov     r0, #0
    str     r10, [r12]
    str     r0, [r12, #4]
    b       finish
    .endm

    .macro  done_signed
    asr     r0, r10, #31
    str     r10, [r12]
    str     r0, [r12, #4]
    b       finish
    .endm

    .macro  done_wide
    str     r10, [r12]
    str     r11, [r12, #4]
    b       finish
    .endm

    .macro  xform name, kind, bytes, count, step, insn:vararg
    form    "\name", \kind, \bytes, \count, \step
    \insn
    done
    .endm

    .macro  sform name, bytes, step, insn:vararg
    form    "\name", LOAD_SIGNED, \bytes, 1, \step
    \insn
    done_signed
    .endm

    .macro  vform name, kind, bytes, count, step, insn:vararg
    form    "\name", \kind, \bytes, \count, \step
    vmov    d0, r10, r11
    \insn
    vmov    r10, r11, d0
    done
    .endm

    .section .data.forms, "aw"
    .balign 8
    .global forms
forms:
    xform   "ldr", LOAD, 4, 1, 0, ldr r10, [r9]
    form    "ldr, register offset", LOAD, 4, 1, 0
    mov     r8, #1
    sub     r9, r9, #4
    ldr     r10, [r9, r8, lsl #2]
    add     r9, r9, #4
    done
    xform   "ldrb", LOAD, 1, 1, 0, ldrb r10, [r9]
    xform   "ldrh", LOAD, 2, 1, 0, ldrh r10, [r9]
    sform   "ldrsb", 1, 0, ldrsb r10, [r9]
    sform   "ldrsh", 2, 0, ldrsh r10, [r9]
    xform   "ldr, post-index", LOAD, 4, 1, 4, ldr r10, [r9], #4
    form    "ldr, pre-index", LOAD, 4, 1, 0
    add     r9, r9, #8
    ldr     r10, [r9, #-8]!
    done
    xform   "ldrb, post-index", LOAD, 1, 1, 1, ldrb r10, [r9], #1
    xform   "ldrh, post-index", LOAD, 2, 1, -2, ldrh r10, [r9], #-2
    sform   "ldrsb, post-index", 1, 1, ldrsb r10, [r9], #1
    sform   "ldrsh, post-index", 2, 2, ldrsh r10, [r9], #2
    xform   "ldrd", LOAD, 4, 2, 0, ldrd r10, r11, [r9]
    xform   "ldrd, post-index", LOAD, 4, 2, 8, ldrd r10, r11, [r9], #8
    xform   "ldm", LOAD, 4, 2, 0, ldm r9, {r10, r11}
    xform   "ldm, write-back", LOAD, 4, 2, 8, ldm r9!, {r10, r11}
    form    "ldrex", LOAD, 4, 1, 0
    ldrex   r10, [r9]
    clrex
    done
    form    "ldrexb", LOAD, 1, 1, 0
    ldrexb  r10, [r9]
    clrex
    done
    form    "ldrexd", LOAD, 4, 2, 0
    ldrexd  r10, r11, [r9]
    clrex
    done
    vform   "vldr s", LOAD, 4, 1, 0, vldr s0, [r9]
    form    "vldr d", LOAD, 8, 1, 0
    vldr    d0, [r9]
    vmov    r10, r11, d0
    done_wide
    vform   "vldm", LOAD, 4, 2, 8, vldm r9!, {s0, s1}
    vform   "vld1.32", LOAD, 4, 2, 0, vld1.32 {d0}, [r9]

    xform   "str", STORE, 4, 1, 0, str r10, [r9]
    xform   "strh", STORE, 2, 1, 0, strh r10, [r9]
    xform   "str, post-index", STORE, 4, 1, 4, str r10, [r9], #4
    form    "str, pre-index", STORE, 4, 1, 0
    add     r9, r9, #4
    str     r10, [r9, #-4]!
    done
    xform   "strh, post-index", STORE, 2, 1, 2, strh r10, [r9], #2
    xform   "strd", STORE, 4, 2, 0, strd r10, r11, [r9]
    xform   "strd, post-index", STORE, 4, 2, -8, strd r10, r11, [r9], #-8
    xform   "stm", STORE, 4, 2, 0, stm r9, {r10, r11}
    xform   "stm, write-back", STORE, 4, 2, 8, stm r9!, {r10, r11}
    vform   "vstr s", STORE, 4, 1, 0, vstr s0, [r9]
    vform   "vstr d", STORE, 4, 2, 0, vstr d0, [r9]
    vform   "vst1.32, lane 0", STORE, 4, 1, 0, vst1.32 {d0[0]}, [r9]

    form    "ldrex, strex", ATOMIC, 4, 1, 0
    ldrex   r7, [r9]
    strex   r8, r10, [r9]
    done
    form    "strex without ldrex", OTHER, 4, 1, 0
    clrex
    strex   r8, r10, [r9]
    done
    xform   "dccimvac", OTHER, 4, 1, 0, mcr p15, 0, r9, c7, c14, 1
    xform   "dcimvac", OTHER, 4, 1, 0, mcr p15, 0, r9, c7, c6, 1
    xform   "icimvau", OTHER, 4, 1, 0, mcr p15, 0, r9, c7, c5, 1
    xform   "pld", OTHER, 4, 1, 0, pld [r9]
    form    "ats1cpr", OTHER, 4, 1, 0
    mcr     p15, 0, r9, c7, c8, 0
    isb
    done
    form    "ldr, unaligned", OTHER, 4, 1, 0
    add     r9, r9, #1
    ldr     r10, [r9]
    done
    form    "ldrd, page crossing", OTHER, 4, 1, 0
    orr     r9, r9, #0xf00
    orr     r9, r9, #0x0fc
    ldrd    r10, r11, [r9]
    done
    form    "strd, page crossing", OTHER, 4, 1, 0
    orr     r9, r9, #0xf00
    orr     r9, r9, #0x0fc
    strd    r10, r11, [r9]
    done
    form    "ldm of eight", OTHER, 4, 1, 0
    ldm     r9, {r0-r7}
    done
    xform   "vld4.8", OTHER, 8, 2, 0, vld4.8 {d0-d3}, [r9]
    xform   "vst4.8", OTHER, 8, 2, 0, vst4.8 {d0-d3}, [r9]

    .section .data.forms, "aw"
    .global forms_end
forms_end:

    .text
finish:
    mov     r0, #0
    str     r11, [r12, #8]
    str     r0, [r12, #12]
    str     r9, [r12, #16]
    str     r0, [r12, #20]
    bx      lr
