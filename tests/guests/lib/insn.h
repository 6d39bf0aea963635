/* SPDX-License-Identifier: MIT */
/* Instructions made at run time. */
#ifndef TESTS_GUESTS_LIB_INSN_H
#define TESTS_GUESTS_LIB_INSN_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/guests/lib/probe.h"

enum { INSN_MAX = 15 };

#define INSN_RET 0xd65f03c0u

/* A system register as op0 (2 or 3), op1, CRn, CRm, op2. */
#define SYSREG(op0, op1, crn, crm, op2)                                                            \
    ((uint32_t)(op0) << 19 | (uint32_t)(op1) << 16 | (uint32_t)(crn) << 12 |                       \
     (uint32_t)(crm) << 8 | (uint32_t)(op2) << 5)

/* MRS x0, register and MSR register, x0. */
#define INSN_MRS(sysreg) (0xd5200000u | (sysreg))
#define INSN_MSR(sysreg) (0xd5000000u | (sysreg))

/* HVC and SMC with an immediate. */
#define INSN_HVC(imm) (0xd4000002u | (uint32_t)(imm) << 5)
#define INSN_SMC(imm) (0xd4000003u | (uint32_t)(imm) << 5)

/*
 * Runs the words on this CPU, with x0 = a and x1 = b; p->value is x0 at the end.  False if an
 * exception ended them.
 */
bool insn_run(struct probe *p, const uint32_t *words, uint32_t count, uint64_t a, uint64_t b);

/*
 * Many instructions written at once, to be run one by one with x0 = a: under emulation the writing
 * is what costs.  index < count <= INSN_BATCH.
 */
enum { INSN_BATCH = 512 };
void insn_prepare(const uint32_t *words, uint32_t count);
bool insn_run_prepared(struct probe *p, uint32_t index, uint64_t a);

/* The same with one word. */
bool insn_run1(struct probe *p, uint32_t word, uint64_t a);

#endif
