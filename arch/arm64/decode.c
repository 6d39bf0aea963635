/* SPDX-License-Identifier: MIT */
/* A64 loads and stores (Arm ARM C4.1.94): encodings to struct ldst, and struct ldst to accesses. */
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
    d->rt2 = (u8)bits(insn, 14, 10);
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
    return !(d->load && d->rt == d->rt2);
}

/* A base that changes and is data too: CONSTRAINED UNPREDICTABLE. */
static bool clashes(const struct ldst *d)
{
    return d->indexed && !d->simd && d->rn != 31 &&
           (d->rn == d->rt || (d->count == 2 && d->rn == d->rt2));
}

bool decode_ldst(u32 insn, struct ldst *d)
{
    u32 group = bits(insn, 29, 27);
    bool known;

    *d = (struct ldst){
        .rt = (u8)bits(insn, 4, 0),
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

static u64 base_of(const struct ldst *d, const struct ldst_cpu *cpu)
{
    return d->rn == 31 ? *cpu->sp : cpu->x[d->rn];
}

u64 ldst_address(const struct ldst *d, const struct ldst_cpu *cpu)
{
    u64 base = base_of(d, cpu), m;

    if (!d->reg_offset) {
        return base + (u64)(s64)d->offset;
    }
    m = d->rm == 31 ? 0 : cpu->x[d->rm];
    if (d->extend == 2) { /* UXTW */
        m = (u32)m;
    } else if (d->extend == 6) { /* SXTW */
        m = (u64)(s64)(s32)m;
    }
    return base + (m << d->shift);
}

static void data_get(const struct ldst *d, const struct ldst_cpu *cpu, u32 n, u64 value[2])
{
    if (d->simd) {
        cpu->get_q(n, value);
    } else {
        value[0] = n == 31 ? 0 : cpu->x[n];
    }
}

static u64 extend(const struct ldst *d, u64 value)
{
    u32 unused = 64 - 8 * d->size;

    if (!d->sign) {
        return value;
    }
    value = (u64)((s64)(value << unused) >> unused);
    return d->wide ? value : (u32)value;
}

static void data_set(const struct ldst *d, const struct ldst_cpu *cpu, u32 n, const u64 value[2])
{
    if (d->simd) {
        cpu->set_q(n, value);
    } else if (n != 31) {
        cpu->x[n] = extend(d, value[0]);
    }
}

/* What a register has (stores) from or (loads) for memory, the other way round. */
static void data_swap(const struct ldst *d, u64 value[2])
{
    u64 low = value[0];

    if (d->size == 16) {
        value[0] = ldst_swap(value[1], 8);
        value[1] = ldst_swap(low, 8);
    } else {
        value[0] = ldst_swap(low, d->size);
    }
}

/* One register's accesses. */
static int data_access(const struct ldst *d, u32 at, ldst_access_fn *access, void *ctx,
                       u64 value[2])
{
    u32 piece = MIN(d->size, 8u);
    int result = 0;

    if (!d->load && piece < 8) {
        value[0] &= BIT64(8 * piece) - 1;
    }
    for (u32 i = 0; i < d->size && result == 0; i += piece) {
        result = access(ctx, at + i, piece, !d->load, &value[i / 8]);
    }
    return result;
}

int ldst_run(const struct ldst *d, const struct ldst_cpu *cpu, ldst_access_fn *access, void *ctx)
{
    const u8 reg[2] = {d->rt, d->rt2};
    u64 data[2][2] = {{0}};

    for (u32 i = 0; i < d->count; i++) {
        int result;

        if (!d->load) {
            data_get(d, cpu, reg[i], data[i]);
        }
        if (!d->load && cpu->big_endian) {
            data_swap(d, data[i]);
        }
        result = data_access(d, i * d->size, access, ctx, data[i]);
        if (result != 0) {
            return result;
        }
        if (d->load && cpu->big_endian) {
            data_swap(d, data[i]);
        }
    }
    for (u32 i = 0; d->load && i < d->count; i++) {
        data_set(d, cpu, reg[i], data[i]);
    }
    if (d->indexed) {
        u64 *base = d->rn == 31 ? cpu->sp : &cpu->x[d->rn];

        *base += (u64)(s64)d->step;
    }
    return 0;
}
