/* SPDX-License-Identifier: MIT */
/*
 * The table of forms.h.  Each form: x9 is the address, x10 and x11 (or q0) what is stored or
 * loaded.
 */
    .arch   armv8-a+lse

#define LOAD 0
#define LOAD_SIGNED 1
#define STORE 2
#define ATOMIC 3
#define OTHER 4

/* form "name", kind, bytes, count, step, lse; the instructions follow, then done. */
    .macro  form name, kind, bytes, count, step, lse=0
    .section .rodata.form_names, "a"
.Lname\@:
    .asciz  "\name"
    .section .data.forms, "aw"
    .quad   .Lname\@, .Lrun\@
    .long   \kind, \bytes, \count, \step, \lse, 0
    .text
.Lrun\@:
    mov     x9, x0
    mov     x12, x1
    ldp     x10, x11, [x12]
    .endm

    .macro  done
    stp     x10, x11, [x12]
    str     x9, [x12, #16]
    ret
    .endm

/* One of a single instruction; and the same by way of q0. */
    .macro  xform name, kind, bytes, count, step, lse, insn:vararg
    form    "\name", \kind, \bytes, \count, \step, \lse
    \insn
    done
    .endm

    .macro  vform name, kind, bytes, count, step, insn:vararg
    form    "\name", \kind, \bytes, \count, \step
    ldr     q0, [x12]
    mov     v1.s[0], v0.s[2]
    \insn
    str     q0, [x12]
    ldp     x10, x11, [x12]
    done
    .endm

    .section .data.forms, "aw"
    .balign 8
    .global forms
forms:
    xform   "ldr w", LOAD, 4, 1, 0, 0, ldr w10, [x9]
    xform   "ldur w", LOAD, 4, 1, 0, 0, ldur w10, [x9]
    xform   "ldar w", LOAD, 4, 1, 0, 0, ldar w10, [x9]
    form    "ldr w, register offset", LOAD, 4, 1, 0, 0
    mov     x13, #1
    sub     x9, x9, #4
    ldr     w10, [x9, x13, lsl #2]
    add     x9, x9, #4
    done
    xform   "ldrb", LOAD, 1, 1, 0, 0, ldrb w10, [x9]
    xform   "ldrh", LOAD, 2, 1, 0, 0, ldrh w10, [x9]
    form    "ldrsb w", LOAD_SIGNED, 1, 1, 0, 0
    ldrsb   w10, [x9]
    sxtw    x10, w10
    done
    xform   "ldrsb x", LOAD_SIGNED, 1, 1, 0, 0, ldrsb x10, [x9]
    xform   "ldrsh x", LOAD_SIGNED, 2, 1, 0, 0, ldrsh x10, [x9]
    xform   "ldrsw", LOAD_SIGNED, 4, 1, 0, 0, ldrsw x10, [x9]
    xform   "ldr w, post-index", LOAD, 4, 1, 4, 0, ldr w10, [x9], #4
    form    "ldr w, pre-index", LOAD, 4, 1, 0, 0
    add     x9, x9, #8
    ldr     w10, [x9, #-8]!
    done
    xform   "ldrb, post-index", LOAD, 1, 1, 1, 0, ldrb w10, [x9], #1
    xform   "ldrh, post-index", LOAD, 2, 1, -2, 0, ldrh w10, [x9], #-2
    xform   "ldrsb x, post-index", LOAD_SIGNED, 1, 1, 1, 0, ldrsb x10, [x9], #1
    form    "ldrsw, pre-index", LOAD_SIGNED, 4, 1, 0, 0
    sub     x9, x9, #4
    ldrsw   x10, [x9, #4]!
    done
    xform   "ldp w", LOAD, 4, 2, 0, 0, ldp w10, w11, [x9]
    xform   "ldp w, post-index", LOAD, 4, 2, 8, 0, ldp w10, w11, [x9], #8
    form    "ldp w, pre-index", LOAD, 4, 2, 0, 0
    sub     x9, x9, #8
    ldp     w10, w11, [x9, #8]!
    done
    xform   "ldpsw", LOAD_SIGNED, 4, 2, 0, 0, ldpsw x10, x11, [x9]
    xform   "ldnp w", LOAD, 4, 2, 0, 0, ldnp w10, w11, [x9]
    xform   "ldp x", LOAD, 8, 2, 0, 0, ldp x10, x11, [x9]
    form    "ldxr w", LOAD, 4, 1, 0, 0
    ldxr    w10, [x9]
    clrex
    done
    form    "ldaxr w", LOAD, 4, 1, 0, 0
    ldaxr   w10, [x9]
    clrex
    done
    form    "ldxp w", LOAD, 4, 2, 0, 0
    ldxp    w10, w11, [x9]
    clrex
    done
    vform   "ldr b", LOAD, 1, 1, 0, ldr b0, [x9]
    vform   "ldr s", LOAD, 4, 1, 0, ldr s0, [x9]
    vform   "ldr d", LOAD, 8, 1, 0, ldr d0, [x9]
    vform   "ldr q", LOAD, 8, 2, 0, ldr q0, [x9]
    vform   "ldr s, post-index", LOAD, 4, 1, 4, ldr s0, [x9], #4
    vform   "ld1 4s", LOAD, 8, 2, 0, ld1 {v0.4s}, [x9]
    vform   "ld1 4s, post-index", LOAD, 8, 2, 16, ld1 {v0.4s}, [x9], #16
    vform   "ld1 16b", LOAD, 8, 2, 0, ld1 {v0.16b}, [x9]

    xform   "str w", STORE, 4, 1, 0, 0, str w10, [x9]
    xform   "stlr w", STORE, 4, 1, 0, 0, stlr w10, [x9]
    xform   "strh", STORE, 2, 1, 0, 0, strh w10, [x9]
    xform   "str w, post-index", STORE, 4, 1, 4, 0, str w10, [x9], #4
    form    "str w, pre-index", STORE, 4, 1, 0, 0
    add     x9, x9, #4
    str     w10, [x9, #-4]!
    done
    xform   "strh, post-index", STORE, 2, 1, 2, 0, strh w10, [x9], #2
    xform   "stp w", STORE, 4, 2, 0, 0, stp w10, w11, [x9]
    xform   "stp w, post-index", STORE, 4, 2, -8, 0, stp w10, w11, [x9], #-8
    xform   "stnp w", STORE, 4, 2, 0, 0, stnp w10, w11, [x9]
    vform   "str s", STORE, 4, 1, 0, str s0, [x9]
    vform   "st1 4s lane 0", STORE, 4, 1, 0, st1 {v0.s}[0], [x9]
    vform   "stp s", STORE, 4, 2, 0, stp s0, s1, [x9]

    form    "ldxr, stxr w", ATOMIC, 4, 1, 0, 0
    ldxr    w13, [x9]
    stxr    w14, w10, [x9]
    done
    form    "stxr without ldxr", OTHER, 4, 1, 0, 0
    clrex
    stxr    w14, w10, [x9]
    done
    xform   "swp w", ATOMIC, 4, 1, 0, 1, swp w10, w13, [x9]
    xform   "ldadd w", ATOMIC, 4, 1, 0, 1, ldadd w10, w13, [x9]
    xform   "stset w", ATOMIC, 4, 1, 0, 1, stset w10, [x9]
    xform   "cas w", ATOMIC, 4, 1, 0, 1, cas w13, w10, [x9]
    form    "casp w", ATOMIC, 4, 2, 0, 1
    mov     x15, x11
    mov     x14, x10
    mov     x2, #0
    mov     x3, #0
    casp    w2, w3, w14, w15, [x9]
    done
    xform   "dc zva", OTHER, 4, 1, 0, 0, dc zva, x9
    xform   "dc civac", OTHER, 4, 1, 0, 0, dc civac, x9
    xform   "dc ivac", OTHER, 4, 1, 0, 0, dc ivac, x9
    xform   "ic ivau", OTHER, 4, 1, 0, 0, ic ivau, x9
    xform   "prfm", OTHER, 4, 1, 0, 0, prfm pldl1keep, [x9]
    form    "at s1e1r", OTHER, 4, 1, 0, 0
    at      s1e1r, x9
    isb
    done
    form    "ldr w, unaligned", OTHER, 4, 1, 0, 0
    add     x9, x9, #1
    ldr     w10, [x9]
    done
    form    "ldr x, page crossing", OTHER, 4, 1, 0, 0
    orr     x9, x9, #0xff8
    add     x9, x9, #4
    ldr     x10, [x9]
    done
    form    "str x, page crossing", OTHER, 4, 1, 0, 0
    orr     x9, x9, #0xff8
    add     x9, x9, #4
    str     x10, [x9]
    done
    xform   "ld4 16b", OTHER, 8, 2, 0, 0, ld4 {v0.16b - v3.16b}, [x9]
    xform   "st4 16b", OTHER, 8, 2, 0, 0, st4 {v0.16b - v3.16b}, [x9]

    .section .data.forms, "aw"
    .global forms_end
forms_end:
