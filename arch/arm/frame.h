/* SPDX-License-Identifier: MIT */
/*
 * What the vectors save of a guest, and where: shared by assembly and C. While a guest runs, SP_hyp
 * points to its frame, so that an exception can store registers before it has any to spare.
 */
#ifndef ARCH_ARM_FRAME_H
#define ARCH_ARM_FRAME_H

#define FRAME_LR    52
#define FRAME_PC    56
#define FRAME_CPSR  60
#define FRAME_STACK 64
#define FRAME_SIZE  72

/* HCR until the first guest: interrupts and asynchronous aborts come to Hyp mode (AMO, IMO, FMO).
 */
#define BOOT_HCR 0x38

/* HSCTLR: RES1 bits, CP15BEN, I, C, M; exceptions in A32, little-endian (DDI 0406 B4.1.72) */
#define BOOT_HSCTLR 0x30c5187d

#define MODE_SVC 0x13
#define MODE_HYP 0x1a

#ifndef __ASSEMBLER__

#include "core/types.h"

/* Registers as User mode has them, where they are banked: other modes' are in struct banked. */
struct frame {
    u32 r[13];
    u32 lr;
    u32 pc;
    u32 cpsr;
    u32 stack; /* of the physical CPU: SP_hyp while Muntin runs */
    u32 unused;
};

_Static_assert(offsetof(struct frame, lr) == FRAME_LR, "vectors.S");
_Static_assert(offsetof(struct frame, pc) == FRAME_PC, "vectors.S");
_Static_assert(offsetof(struct frame, cpsr) == FRAME_CPSR, "vectors.S");
_Static_assert(offsetof(struct frame, stack) == FRAME_STACK, "vectors.S");
_Static_assert(sizeof(struct frame) == FRAME_SIZE && FRAME_SIZE % 8 == 0, "SP alignment");

#endif
#endif
