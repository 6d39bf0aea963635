/* SPDX-License-Identifier: MIT */
/* A64 loads and stores (Arm ARM C4.1.94): encodings to struct ldst. */
#include "arch/arm64/decode.h"

static u32 bits(u32 insn, u32 high, u32 low)
{
    return (insn >> low) & (u32)(BIT64(high - low + 1) - 1);
}

/* The signed field insn[high:low]. */
static s32 signed_bits(u32 insn, u32 high, u32 low)
{
    return (s32)(insn << (31 - high)) >> (31 - high + low);
}

/* SIMD: log2 of the size is opc<1>:size. False: a general register's prefetch, or unallocated. */
static bool kind_single(u32 insn, struct ldst *d)
{
    u32 size = bits(insn, 31, 30), opc = bits(insn, 23, 22);

    if (d->simd) {
        size |= (opc >> 1) << 2;
        d->load = (opc & 1) != 0;
        d->size = (u8)(1u << size);
        return size <= 4;
    }
    d->size = (u8)(1u << size);
    d->load = opc != 0;
    d->sign = opc >= 2;
    d->wide = opc == 2;
    /* 64 bits have no sign to extend (that is PRFM), 32 bits none within 32 */
    return opc < 2 || size + (opc & 1) < 3;
}

static bool single(u32 insn, struct ldst *d)
{
    u32 mode = bits(insn, 11, 10);

    d->count = 1;
    if (!kind_single(insn, d)) {
        return false;
    }
    if (bits(insn, 25, 24) == 1) { /* unsigned offset, in units of the size */
        d->offset = (s32)(bits(insn, 21, 10) * d->size);
        return true;
    }
    if (bits(insn, 21, 21) == 1) {
        d->reg_offset = mode == 2; /* the others: atomics, LDRAA */
        d->rm = (u8)bits(insn, 20, 16);
        d->extend = (u8)bits(insn, 15, 13);
        d->shift = bits(insn, 12, 12) != 0 ? (u8)__builtin_ctz(d->size) : 0;
        return mode == 2 && (d->extend & 2) != 0; /* UXTW, LSL, SXTW, SXTX */
    }
    d->step = signed_bits(insn, 20, 12);
    d->indexed = (mode & 1) != 0; /* 0: unscaled; 2: unprivileged */
    d->post = mode == 1;
    d->offset = d->post ? 0 : d->step;
    return mode != 2 || !d->simd;
}

static bool pair(u32 insn, struct ldst *d)
{
    u32 opc = bits(insn, 31, 30), mode = bits(insn, 24, 23);

    if (opc == 3) {
        return false;
    }
    d->count = 2;
    d->reg[1] = (u8)bits(insn, 14, 10);
    d->load = bits(insn, 22, 22) != 0;
    if (d->simd) {
        d->size = (u8)(4u << opc);
    } else {
        d->size = opc == 2 ? 8 : 4;
        d->sign = d->wide = opc == 1; /* LDPSW; as a store, STGP, or without allocation: others */
        if (opc == 1 && (!d->load || mode == 0)) {
            return false;
        }
    }
    d->step = signed_bits(insn, 21, 15) * d->size;
    d->indexed = (mode & 1) != 0; /* 0: no allocation; 2: offset */
    d->post = mode == 1;
    d->offset = d->post ? 0 : d->step;
    /* the same register twice: CONSTRAINED UNPREDICTABLE */
    return !(d->load && d->reg[0] == d->reg[1]);
}

/* A base that changes and is data too: CONSTRAINED UNPREDICTABLE. */
static bool clashes(const struct ldst *d)
{
    return d->indexed && !d->simd && d->rn != 31 &&
           (d->rn == d->reg[0] || (d->count == 2 && d->rn == d->reg[1]));
}

bool decode_ldst(u32 insn, struct ldst *d)
{
    u32 group = bits(insn, 29, 27);
    bool known;

    *d = (struct ldst){
        .reg = {(u8)bits(insn, 4, 0)},
        .rn = (u8)bits(insn, 9, 5),
        .simd = bits(insn, 26, 26) != 0,
    };
    if (group == 5 && bits(insn, 25, 25) == 0) {
        known = pair(insn, d);
    } else if (group == 7 && bits(insn, 25, 25) == 0) {
        known = single(insn, d);
    } else {
        return false;
    }
    return known && !clashes(d);
}
