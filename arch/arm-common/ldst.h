/* SPDX-License-Identifier: MIT */
/*
 * Loads and stores whose stage-2 abort has no valid syndrome (ISV 0, Arm ARM D17.2.40): what a
 * decoder made of the instruction, and carrying it out piece by piece. No state, no lock. The
 * decoders: arch/arm64/decode.h for A64, decode32.h for A32 and T32.
 */
#ifndef ARCH_ARM_COMMON_LDST_H
#define ARCH_ARM_COMMON_LDST_H

#include "core/mmio.h"
#include "core/types.h"

#define LDST_REGISTERS 15 /* the most that one instruction has */

struct ldst {
    u8 reg[LDST_REGISTERS]; /* data registers; A64: 31 is zero; SIMD: q0 to q31 */
    u8 rn;                  /* base; A64: 31 is SP */
    u8 count;               /* data registers: 1 to LDST_REGISTERS */
    u8 size;                /* bytes of each in memory: 1, 2, 4, 8 or 16 (SIMD) */
    bool load, simd;
    bool narrow;     /* A32, T32: addresses have 32 bits */
    bool sign;       /* loads: sign-extend … */
    bool wide;       /* … to 64 bits, else to 32 */
    bool indexed;    /* the base register changes by `step` */
    bool post;       /* … after the access, which is at the old value */
    bool reg_offset; /* address is base + Rm, extended and shifted; `offset` isn't used */
    u8 rm, extend, shift;
    s32 offset; /* of the access from the base's old value */
    s32 step;
};

/* What an instruction works on. */
struct ldst_cpu {
    u64 *x;  /* x0 to x30; A32, T32: r0 to r14 of the current mode, zero-extended */
    u64 *sp; /* A64: the stack pointer in use */
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

/* A stage-2 abort: of which byte, and of a write? */
struct ldst_abort {
    u64 va, ipa;
    bool write;
};

/* An instruction, and how far it got. */
struct ldst_op {
    struct ldst d;
    struct ldst_abort abort;
    u32 length; /* of the instruction, for who goes on behind it */
    u32 next;   /* data register whose turn it is; 0 to begin with */
    bool later; /* amid it: ldst_emulate is to be called again before the guest runs on */
    u64 data[LDST_REGISTERS][2]; /* what was read so far */
};

/*
 * Carries it out from op->next on: reads all, then changes registers, so that none has changed if
 * an access fails. 16-byte registers are accessed as two halves. 0 or the first result of `access`
 * that isn't; op->next is where that was.
 */
int ldst_run(struct ldst_op *op, const struct ldst_cpu *cpu, ldst_access_fn *access,
             void *ctx) MUST_CHECK;

/*
 * Is it what the abort is about? The instruction may be another by now. The byte must be its first,
 * and all must be in one page, since what follows is unknown.
 */
bool ldst_is_cause(const struct ldst *d, const struct ldst_cpu *cpu,
                   const struct ldst_abort *abort) MUST_CHECK;

/*
 * ldst_run on v's devices, from op->abort.ipa on. Each register's access may take what a device
 * may, so `wanted` is asked in front of each but the first of a call: where it takes an interrupt
 * that concerns anybody, the rest is for later (MMIO_LATER), when v would be entered again. v's
 * guest runs in between as little as it does amid an instruction; nothing is done twice. The
 * registers in cpu have changed with MMIO_DONE only.
 */
enum mmio_result ldst_emulate(struct ldst_op *op, const struct ldst_cpu *cpu, struct vcpu *v,
                              bool (*wanted)(struct vcpu *v)) MUST_CHECK;

#endif
