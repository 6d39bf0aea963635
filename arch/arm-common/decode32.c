/* SPDX-License-Identifier: MIT */
/*
 * A32 and T32 loads and stores: encodings to struct ldst. What both sets have is laid out alike: P,
 * U, W, L, Rn, and of LDM the list. Sections are of DDI 0406C.
 */
#include "arch/arm-common/decode32.h"

#define PC 15

static u32 bits(u32 insn, u32 high, u32 low)
{
    return (insn >> low) & (u32)(BIT64(high - low + 1) - 1);
}

static bool bit(u32 insn, u32 n)
{
    return (insn >> n & 1) != 0;
}

/* P: before the access, else behind it; U: added; W: the base changes, as it does without P. */
struct mode {
    bool p, u, w;
};

/* A32 and LDRD of T32 have it there. */
static struct mode mode_of(u32 insn)
{
    return (struct mode){bit(insn, 24), bit(insn, 23), bit(insn, 21)};
}

static void index_by(struct ldst *d, struct mode m, u32 offset)
{
    d->step = (s32)(m.u ? offset : 0 - offset);
    d->indexed = !m.p || m.w;
    d->post = !m.p;
    d->offset = m.p ? d->step : 0;
}

/* Rm, shifted by an immediate (A8.4.1, A8.4.3 Shift). False: Rm is the PC. */
static bool shifted(u32 insn, u32 spsr, const u64 *r, u32 *out)
{
    u32 by = bits(insn, 11, 7), rm = bits(insn, 3, 0), value;

    if (rm == PC) {
        return false;
    }
    value = (u32)r[rm];
    switch (bits(insn, 6, 5)) {
    case 0: /* LSL */
        *out = value << by;
        break;
    case 1: /* LSR; 0 stands for 32 */
        *out = by == 0 ? 0 : value >> by;
        break;
    case 2: /* ASR, likewise */
        *out = (u32)((s32)value >> (by == 0 ? 31 : by));
        break;
    default: /* ROR; 0: RRX, through C */
        *out = by == 0 ? (spsr >> 29 & 1) << 31 | value >> 1 : value >> by | value << (32 - by);
        break;
    }
    return true;
}

/* Load/store word and unsigned byte (A5.3). */
static bool a32_word_or_byte(u32 insn, u32 spsr, const u64 *r, struct ldst *d)
{
    u32 offset = bits(insn, 11, 0);

    if (bit(insn, 25) && (bit(insn, 4) || !shifted(insn, spsr, r, &offset))) {
        return false; /* bit 4: a media instruction */
    }
    d->size = bit(insn, 22) ? 1 : 4;
    index_by(d, mode_of(insn), offset);
    return true;
}

/* Extra load/store instructions (A5.2.8, A5.2.9): halves, signed ones, doublewords. */
static bool a32_extra(u32 insn, const u64 *r, struct ldst *d)
{
    u32 kind = bits(insn, 6, 5), offset = bits(insn, 11, 8) << 4 | bits(insn, 3, 0);
    struct mode m = mode_of(insn);

    if (!bit(insn, 22)) {
        if (bits(insn, 11, 8) != 0 || bits(insn, 3, 0) == PC) {
            return false;
        }
        offset = (u32)r[bits(insn, 3, 0)];
    }
    index_by(d, m, offset);
    d->size = kind == 2 ? 1 : 2;
    if (kind == 1 || d->load) {
        d->sign = kind != 1;
        return kind != 0; /* 0: multiply, SWP, exclusives */
    }
    d->load = kind == 2; /* LDRD, STRD: no bit L */
    d->size = 4;
    d->count = 2;
    d->reg[1] = d->reg[0] + 1;
    return kind >= 2 && (d->reg[0] & 1) == 0 && (m.p || !m.w) &&
           !(d->load && !bit(insn, 22) && bits(insn, 3, 0) / 2 == d->reg[0] / 2u);
}

/* LDM, STM (A5.5, A6.3.5): the lowest register at the lowest address. */
static bool multiple(u32 insn, struct ldst *d)
{
    struct mode m = mode_of(insn);
    u32 list = bits(insn, 15, 0);

    if (list == 0 || bit(list, PC) || bit(insn, 22)) { /* 22: user registers, exception return */
        return false;
    }
    d->size = 4;
    d->count = 0;
    for (u32 n = 0; n < PC; n++) {
        if (bit(list, n)) {
            d->reg[d->count++] = (u8)n;
        }
    }
    d->step = m.u ? 4 * d->count : -4 * d->count;
    d->indexed = m.w;
    d->offset = (m.u ? 0 : d->step) + (m.p == m.u ? 4 : 0); /* IB; DA */
    return true;
}

static bool a32(u32 insn, u32 spsr, const u64 *r, struct ldst *d)
{
    u32 group = bits(insn, 27, 25);

    if (insn >> 28 == 15 || !aarch32_holds(insn >> 28, spsr)) {
        return false;
    }
    if (group == 2 || group == 3) {
        return a32_word_or_byte(insn, spsr, r, d);
    }
    if (group == 0 && (insn & 0x90) == 0x90) {
        return a32_extra(insn, r, d);
    }
    return group == 4 && multiple(insn, d);
}

/* Load/store dual (A6.3.6). Neither P nor W: exclusives and table branches. */
static bool t32_dual(u32 insn, struct ldst *d)
{
    struct mode m = mode_of(insn);

    index_by(d, m, bits(insn, 7, 0) * 4);
    d->size = 4;
    d->count = 2;
    d->reg[1] = (u8)bits(insn, 11, 8);
    return (m.p || m.w) && !(d->load && d->reg[0] == d->reg[1]);
}

/* Store single data item, load byte, halfword, word (A6.3.7 to A6.3.10). */
static bool t32_single(u32 insn, const u64 *r, struct ldst *d)
{
    struct mode m = {bit(insn, 10), bit(insn, 9), bit(insn, 8)};

    d->size = (u8)(1u << bits(insn, 22, 21));
    d->sign = bit(insn, 24);
    if (d->size == 8 || (d->sign && (!d->load || d->size == 4))) {
        return false; /* SIMD structures, unallocated */
    }
    if (bit(insn, 23)) {
        d->offset = (s32)bits(insn, 11, 0);
        return true;
    }
    if (bit(insn, 11)) {
        index_by(d, m, bits(insn, 7, 0));
        return m.p || m.w;
    }
    d->offset = (s32)((u32)r[bits(insn, 3, 0) % PC] << bits(insn, 5, 4));
    return bits(insn, 10, 6) == 0 && bits(insn, 3, 0) != PC;
}

/* 16 bits: LDM, STM (A8.8.57, A8.8.199 T1), made those of 32. */
static bool t16(u32 insn, struct ldst *d)
{
    u32 list = bits(insn, 7, 0), wide = 0x00800000 | (insn & 0x0800) << 9 | list;

    d->rn = (u8)bits(insn, 10, 8);
    d->load = bit(insn, 11);
    return insn >> 12 == 0xc && multiple(d->load && bit(list, d->rn) ? wide : wide | BIT(21), d);
}

static bool t32(u32 insn, u32 spsr, const u64 *r, struct ldst *d)
{
    u32 it = aarch32_it(spsr);

    if ((it & 15) != 0 && !aarch32_holds(it >> 4, spsr)) {
        return false;
    }
    if (insn >> 16 == 0) {
        return t16(insn, d);
    }
    switch (insn >> 25) {
    case 0x74:
        if (bit(insn, 22)) {
            return t32_dual(insn, d);
        }
        return bit(insn, 24) != bit(insn, 23) && multiple(insn, d); /* else RFE, SRS */
    case 0x7c:
        return t32_single(insn, r, d);
    default:
        return false;
    }
}

/* What every form has in common: no PC, no base that changes and is data too. */
static bool is_sound(const struct ldst *d)
{
    bool clash = d->rn == PC;

    for (u32 i = 0; i < d->count; i++) {
        clash = clash || d->reg[i] == PC || (d->indexed && d->reg[i] == d->rn);
    }
    return !clash;
}

bool decode32_ldst(u32 insn, u32 spsr, const u64 *r, struct ldst *d)
{
    *d = (struct ldst){
        .reg = {(u8)bits(insn, 15, 12)},
        .rn = (u8)bits(insn, 19, 16),
        .count = 1,
        .load = bit(insn, 20),
        .narrow = true,
    };
    return ((spsr & SPSR32_T) != 0 ? t32(insn, spsr, r, d) : a32(insn, spsr, r, d)) && is_sound(d);
}
