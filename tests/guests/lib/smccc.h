/* SPDX-License-Identifier: MIT */
/* SMC Calling Convention (Arm DEN 0028): calls with all their registers. */
#ifndef TESTS_GUESTS_LIB_SMCCC_H
#define TESTS_GUESTS_LIB_SMCCC_H

#include <stdint.h>

enum { SMCCC_REGS = 18 };

/* x0 to x17: arguments before the call, results after it. */
struct smccc {
    uint64_t x[SMCCC_REGS];
};

/* One instruction with immediate 0. */
void smccc_hvc(struct smccc *regs);
void smccc_smc(struct smccc *regs);

/* By the conduit of the device tree; x0 of the answer. */
uint64_t smccc_call(uint64_t function, uint64_t a, uint64_t b, uint64_t c);

#endif
