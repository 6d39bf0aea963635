/* SPDX-License-Identifier: MIT */
/* Guest instructions that Muntin carries out: stage-2 data aborts onto devices. */
#ifndef ARCH_ARM64_ACCESS_H
#define ARCH_ARM64_ACCESS_H

#include "arch/arm64/arm64.h"

/* Bytes of the trapped instruction: ESR_ELx.IL is bit 25. */
static inline u32 access_insn_len(u32 esr)
{
    return 2 + (esr >> 24 & 2);
}

/* Goes on behind the trapped instruction of `len` bytes. */
static inline void access_skip(struct arm64_vcpu *v, u32 len)
{
    v->frame.elr += len;
    if ((v->frame.spsr & BIT(4)) == 0) {
        v->frame.spsr &= ~(u64)(3u << 10 | BIT(21)); /* BTYPE and SS: the instruction is done */
    }
}

static inline bool access_is_aarch32(const struct arm64_vcpu *v)
{
    return (v->frame.spsr & BIT(4)) != 0;
}

/* A stage-2 data abort: emulated, or answered with an external abort. Never fails otherwise. */
void access_data_abort(struct arm64_vcpu *v, u32 esr);

#endif
