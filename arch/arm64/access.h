/* SPDX-License-Identifier: MIT */
/* Guest instructions that Muntin carries out: stage-2 data aborts onto devices. */
#ifndef ARCH_ARM64_ACCESS_H
#define ARCH_ARM64_ACCESS_H

#include "arch/arm-common/aarch32.h"
#include "arch/arm64/arm64.h"

#define SPSR_BTYPE (3u << 10)
#define SPSR_SS    BIT(21)
#define SPSR_32    BIT(4) /* AArch32 */

/* Bytes of the trapped instruction: ESR_ELx.IL is bit 25. */
static inline u32 access_insn_len(u32 esr)
{
    return 2 + (esr >> 24 & 2);
}

static inline bool access_is_aarch32(const struct arm64_vcpu *v)
{
    return (v->frame.spsr & SPSR_32) != 0;
}

/* What the state says of one instruction only: the next one has none of it. Most often it's 0. */
void access_next_insn(struct arm64_vcpu *v);

/* Goes on behind the trapped instruction of `len` bytes. */
static inline void access_skip(struct arm64_vcpu *v, u32 len)
{
    v->frame.elr += len;
    if (unlikely((v->frame.spsr & (SPSR_BTYPE | SPSR_SS | SPSR_32)) != 0)) {
        access_next_insn(v);
    }
}

/*
 * A stage-2 data abort: emulated, or answered with an external abort. Never fails otherwise. The
 * end of its trap, too: what trap_return gives.
 */
struct frame *access_data_abort(struct arm64_vcpu *v, u32 esr);

/* v, which is loaded and would be entered, has more to do for its instruction (v->op.later). */
void access_go_on(struct arm64_vcpu *v);

#endif
