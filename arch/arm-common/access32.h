/* SPDX-License-Identifier: MIT */
/*
 * A stage-2 data abort of an AArch32 program whose syndrome doesn't describe the access: fetches
 * the instruction through the guest's own tables, decodes it and carries it out. For the vCPU's own
 * CPU; no lock.
 */
#ifndef ARCH_ARM_COMMON_ACCESS32_H
#define ARCH_ARM_COMMON_ACCESS32_H

#include "arch/arm-common/ldst.h"

struct access32 {
    struct vcpu *vcpu;
    struct ldst_op *op;    /* with op->abort what it's about */
    u64 r[LDST_REGISTERS]; /* r0 to r14 of its mode, zero-extended; with MMIO_DONE: as they are
                              behind the instruction */
    u32 pc, spsr;
    /* IPA of va by the guest's stage 1, as its current mode may read it; false: there's none */
    bool (*translate)(u64 va, bool user, u64 *ipa);
    bool (*wanted)(struct vcpu *v); /* see ldst_emulate */
};

/*
 * MMIO_DONE: done, go on behind the instruction's a->op->length bytes. MMIO_ABORT: so, too, for
 * what can't be fetched or decoded. MMIO_LATER: access32_go_on is to be called with a like this,
 * but for pc and translate, which don't count then. At most LDST_REGISTERS accesses.
 */
enum mmio_result access32_run(struct access32 *a) MUST_CHECK;
enum mmio_result access32_go_on(struct access32 *a) MUST_CHECK;

#endif
