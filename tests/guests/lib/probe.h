/* SPDX-License-Identifier: MIT */
/*
 * Calls that may end in an exception: the exception is recorded instead of being fatal.  The
 * called code may spoil any general register but sp.
 */
#ifndef TESTS_GUESTS_LIB_PROBE_H
#define TESTS_GUESTS_LIB_PROBE_H

#include <stdbool.h>
#include <stdint.h>

/* ESR_EL1.EC (Arm ARM D24.2.37) */
enum {
    EC_UNKNOWN = 0x00,
    EC_WFX = 0x01,
    EC_FP = 0x07,
    EC_ILLEGAL = 0x0e,
    EC_HVC = 0x16,
    EC_SMC = 0x17,
    EC_SYSREG = 0x18,
    EC_SVE = 0x19,
    EC_INSTR_ABORT = 0x21,
    EC_PC_ALIGNMENT = 0x22,
    EC_DATA_ABORT = 0x25,
};

/* Fault status codes */
enum { FSC_MASK = 0x3f, FSC_EXTERNAL = 0x10, FSC_ALIGNMENT = 0x21 };

struct probe {
    uint64_t value; /* what the call returned, if it did */
    uint64_t esr;   /* the exception's syndrome, if it did not */
    uint64_t far;
    uint64_t elr;
    uint64_t x9; /* the register at the exception: lib/forms.S keeps the address there */
    uint64_t sp; /* vectors.S: stack and outer probe */
    struct probe *outer;
};

/* Calls fn(a, b, c) on this CPU.  False if an exception ended it. */
bool probe_run(struct probe *p, uint64_t (*fn)(uint64_t, uint64_t, uint64_t), uint64_t a,
               uint64_t b, uint64_t c);

static inline uint32_t probe_class(const struct probe *p)
{
    return (uint32_t)(p->esr >> 26) & 0x3f;
}

/* Did an abort end it that the memory system reported (not stage 1, not alignment)? */
static inline bool probe_external_abort(const struct probe *p)
{
    uint32_t class = probe_class(p);

    return (class == EC_DATA_ABORT || class == EC_INSTR_ABORT) &&
           (p->esr & FSC_MASK) == FSC_EXTERNAL;
}

/* A load or store of 1, 2, 4 or 8 bytes. */
bool probe_read(struct probe *p, uint64_t addr, uint32_t size);
bool probe_write(struct probe *p, uint64_t addr, uint32_t size, uint64_t value);

#endif
