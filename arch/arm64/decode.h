/* SPDX-License-Identifier: MIT */
/*
 * Loads and stores whose stage-2 abort has no valid syndrome (ISV 0, Arm ARM D17.2.40): what the
 * instruction says, and carrying it out piece by piece. Portable, no state.
 *
 * Decoded: LDR, STR, LDRS*, LDUR, LDTR with any addressing mode but PC-relative, LDP, STP, LDNP,
 * STNP, LDPSW, and the SIMD&FP forms of all of these. Not: exclusives, atomics, load-acquire,
 * structures (LD1 …), tags, PAC, SVE; DC ZVA; forms that are CONSTRAINED UNPREDICTABLE. Those get
 * an external abort: no device bears them.
 */
#ifndef ARCH_ARM64_DECODE_H
#define ARCH_ARM64_DECODE_H

#include "core/types.h"

struct ldst {
    u8 rt, rt2; /* data registers; 31: zero; SIMD: q0 to q31 */
    u8 rn;      /* base; 31: SP */
    u8 count;   /* data registers: 1 or 2 */
    u8 size;    /* bytes of each in memory: 1, 2, 4, 8 or 16 (SIMD) */
    bool load, simd;
    bool sign;       /* loads: sign-extend … */
    bool wide;       /* … to 64 bits, else to 32 */
    bool indexed;    /* the base register changes by `step` */
    bool post;       /* … after the access, which is at the old value */
    bool reg_offset; /* address is base + Rm, extended and shifted; `offset` isn't used */
    u8 rm, extend, shift;
    s32 offset; /* of the access from the base's old value */
    s32 step;
};

/* False: not one of the above. `insn` is what the guest's memory holds now: check it against what
 * the abort says (WnR, FAR) before it's carried out. */
bool decode_ldst(u32 insn, struct ldst *out) MUST_CHECK;

/* What an instruction works on. */
struct ldst_cpu {
    u64 *x;  /* x0 to x30 */
    u64 *sp; /* the stack pointer in use */
    void (*get_q)(u32 n, u64 q[2]);
    void (*set_q)(u32 n, const u64 q[2]);
    bool big_endian; /* its data in memory */
};

/* The low `size` bytes (1, 2, 4, 8) of value in reverse order, zero-extended. */
static inline u64 ldst_swap(u64 value, u32 size)
{
    return __builtin_bswap64(value) >> (64 - 8 * size);
}

/* The virtual address of its first byte. */
u64 ldst_address(const struct ldst *d, const struct ldst_cpu *cpu);

/*
 * One access of `size` bytes (1, 2, 4, 8), `at` bytes behind the first: reads *value,
 * zero-extended, or writes it, as little-endian data: the device's. 0, or what ldst_run is to
 * return.
 */
typedef int ldst_access_fn(void *ctx, u32 at, u32 size, bool write, u64 *value);

/*
 * Carries it out: reads all, then changes registers, so that nothing has changed if an access
 * fails. 16-byte registers are accessed as two halves. 0 or the first result of `access` that
 * isn't.
 */
int ldst_run(const struct ldst *d, const struct ldst_cpu *cpu, ldst_access_fn *access,
             void *ctx) MUST_CHECK;

#endif
