/* SPDX-License-Identifier: MIT */
/* Instructions made at run time. */
#ifndef TESTS_GUESTS_LIB_INSN_H
#define TESTS_GUESTS_LIB_INSN_H

#include <stdbool.h>
#include <stdint.h>

#include "arch.h"
#include "tests/guests/lib/probe.h"

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
