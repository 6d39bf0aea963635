/* SPDX-License-Identifier: MIT */
/*
 * Every form of load and store whose stage-2 abort has no valid syndrome, and a few that have one:
 * as functions, so that what they read, wrote and left in the address register can be judged.
 */
#ifndef TESTS_GUESTS_LIB_FORMS_H
#define TESTS_GUESTS_LIB_FORMS_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/guests/lib/probe.h"

enum form_kind { FORM_LOAD, FORM_LOAD_SIGNED, FORM_STORE, FORM_ATOMIC, FORM_OTHER };

/* A row of the table in forms.S. */
struct form {
    const char *name;
    uint64_t (*run)(uint64_t addr, uint64_t regs, uint64_t unused);
    uint32_t kind;  /* enum form_kind */
    uint32_t bytes; /* in each register */
    uint32_t count; /* of registers */
    int32_t step;   /* what it adds to the address */
    uint32_t lse;   /* only with ID_AA64ISAR0_EL1.Atomic */
    uint32_t pad;
};

/* What a form stores, and what it has loaded (zero-extended, 64 bits per slot). */
struct form_regs {
    uint64_t value[2];
    uint64_t base;
};

extern const struct form forms[];
extern const struct form forms_end[];

/* Lets EL1 use the FP registers, as some forms do; once per CPU. */
void forms_enable_fp(void);

/* Can this CPU run it? */
bool form_exists(const struct form *f);

/* Runs one at addr.  False if it ended in an exception. */
bool form_run(struct probe *p, const struct form *f, uint64_t addr, struct form_regs *regs);

#endif
