/* SPDX-License-Identifier: MIT */
/*
 * Whose an SError is. A guest's access may end in an error long after the guest left: EL2 runs with
 * PSTATE.A set, so that the error waits until a guest is entered, and that may be another VM's.
 */
#ifndef ARCH_ARM64_SERROR_H
#define ARCH_ARM64_SERROR_H

#include "core/types.h"

struct arm64_vcpu;

#define DISR_A        BIT64(31)                   /* an SError was deferred by an ESB */
#define DISR_SYNDROME 0x1ffffffull                /* IDS, AET, EA, DFSC, where ESR_EL2 has them */
#define ISR_SERROR    BIT64(8)                    /* at EL2: a physical SError is pending */
#define ESR_SERROR    (0x2full << 26 | BIT64(25)) /* EC and IL of an SError */

/* What was found behind the barriers of serror_leave. */
enum serror_found {
    SERROR_NONE,
    SERROR_DEFERRED, /* in DISR_EL1, and no longer pending */
    SERROR_PENDING,  /* has to be taken */
};

/*
 * disr: DISR_EL1 behind an ESB, 0 on a CPU without FEAT_RAS; isr: ISR_EL1. An SError that the ESB
 * didn't synchronize (it need not, if an implementation defines it so) is pending as ever.
 */
static inline enum serror_found serror_find(u64 disr, u64 isr)
{
    if ((disr & DISR_A) != 0) {
        return SERROR_DEFERRED;
    }
    return (isr & ISR_SERROR) != 0 ? SERROR_PENDING : SERROR_NONE;
}

/* The deferred one as ESR_EL2 would have had it. */
static inline u64 serror_esr(u64 disr)
{
    return ESR_SERROR | (disr & DISR_SYNDROME);
}

/* Each CPU, before its first guest: what the firmware left pending is nobody's. */
void serror_cpu_init(void);

/*
 * v is about to be unloaded from this CPU, HCR_EL2 still its own: an SError that is due to it stops
 * its VM here, rather than the next one's on this CPU. No lock is held.
 */
void serror_leave(struct arm64_vcpu *v);

/* The end of v's VM, because of an SError with this ESR_EL2. No lock is held. */
void serror_blame(struct arm64_vcpu *v, u64 esr);

/* vectors.S: takes the SError that is pending, with PSTATE.A set before and behind; its ESR_EL2, 0
 * if none came. Changes ELR_EL2 and SPSR_EL2. */
u64 serror_take(void);

#endif
