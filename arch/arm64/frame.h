/* SPDX-License-Identifier: MIT */
/*
 * What the vectors save of a guest, and where: shared by assembly and C. While a guest runs, SP_EL2
 * points to its frame, so that an exception can store registers before it has any to spare.
 */
#ifndef ARCH_ARM64_FRAME_H
#define ARCH_ARM64_FRAME_H

#define FRAME_ELR   248
#define FRAME_SPSR  256
#define FRAME_STACK 264
#define FRAME_SIZE  272

/*
 * HCR_EL2 until the first guest: interrupts come to EL2 (AMO, IMO, FMO), RW; no stage 2, and not
 * the host extensions (E2H would give other registers other meanings).
 */
#define BOOT_HCR 0x80000038

#ifndef __ASSEMBLER__

#include "core/types.h"

struct frame {
    u64 x[31];
    u64 elr;
    u64 spsr;
    u64 stack; /* of the physical CPU: SP_EL2 while EL2 code runs */
};

_Static_assert(offsetof(struct frame, elr) == FRAME_ELR, "vectors.S");
_Static_assert(offsetof(struct frame, spsr) == FRAME_SPSR, "vectors.S");
_Static_assert(offsetof(struct frame, stack) == FRAME_STACK, "vectors.S");
_Static_assert(sizeof(struct frame) == FRAME_SIZE && FRAME_SIZE % 16 == 0, "SP alignment");

#endif
#endif
