/* SPDX-License-Identifier: MIT */
/* Guest instructions that Muntin carries out: stage-2 data aborts onto devices. */
#ifndef ARCH_ARM64_ACCESS_H
#define ARCH_ARM64_ACCESS_H

#include "arch/arm64/arm64.h"

#define SPSR_BTYPE (3u << 10)
#define SPSR_SS    BIT(21)

/* Bytes of the trapped instruction: ESR_ELx.IL is bit 25. */
static inline u32 access_insn_len(u32 esr)
{
    return 2 + (esr >> 24 & 2);
}

/* Goes on behind the trapped instruction of `len` bytes. */
static inline void access_skip(struct arm64_vcpu *v, u32 len)
{
    u64 spsr = v->frame.spsr;

    v->frame.elr += len;
    /* BTYPE and SS: the instruction is done. Most often both are 0. AArch32 has other bits there */
    if (unlikely((spsr & SPSR_BTYPE) != 0 || (spsr & SPSR_SS) != 0) && (spsr & BIT(4)) == 0) {
        v->frame.spsr = spsr & ~(u64)(SPSR_BTYPE | SPSR_SS);
    }
}

static inline bool access_is_aarch32(const struct arm64_vcpu *v)
{
    return (v->frame.spsr & BIT(4)) != 0;
}

/*
 * A stage-2 data abort: emulated, or answered with an external abort. Never fails otherwise. The
 * end of its trap, too: what trap_return gives.
 */
struct frame *access_data_abort(struct arm64_vcpu *v, u32 esr);

#endif
