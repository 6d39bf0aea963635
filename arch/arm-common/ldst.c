/* SPDX-License-Identifier: MIT */
/*
 * Loads and stores, carried out: struct ldst to accesses. Knows no encoding and, but for the last
 * function, no device.
 */
#include "arch/arm-common/ldst.h"

static u64 base_of(const struct ldst *d, const struct ldst_cpu *cpu)
{
    return d->rn == 31 ? *cpu->sp : cpu->x[d->rn];
}

/* An address, or what becomes of the base register. */
static u64 bounded(const struct ldst *d, u64 address)
{
    return d->narrow ? (u32)address : address;
}

u64 ldst_address(const struct ldst *d, const struct ldst_cpu *cpu)
{
    u64 base = base_of(d, cpu), m;

    if (!d->reg_offset) {
        return bounded(d, base + (u64)(s64)d->offset);
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

int ldst_run(struct ldst_op *op, const struct ldst_cpu *cpu, ldst_access_fn *access, void *ctx)
{
    const struct ldst *d = &op->d;

    for (; op->next < d->count; op->next++) {
        u64 *data = op->data[op->next];
        int result;

        if (!d->load) {
            data_get(d, cpu, d->reg[op->next], data);
        }
        if (!d->load && cpu->big_endian) {
            data_swap(d, data);
        }
        result = data_access(d, op->next * d->size, access, ctx, data);
        if (result != 0) {
            return result;
        }
        if (d->load && cpu->big_endian) {
            data_swap(d, data);
        }
    }
    for (u32 i = 0; d->load && i < d->count; i++) {
        data_set(d, cpu, d->reg[i], op->data[i]);
    }
    if (d->indexed) {
        u64 *base = d->rn == 31 ? cpu->sp : &cpu->x[d->rn];

        *base = bounded(d, *base + (u64)(s64)d->step);
    }
    return 0;
}

bool ldst_is_cause(const struct ldst *d, const struct ldst_cpu *cpu, const struct ldst_abort *abort)
{
    return d->load != abort->write && ldst_address(d, cpu) == abort->va &&
           (abort->ipa & 0xfff) + (u64)d->size * d->count <= 0x1000;
}

struct target {
    struct vcpu *v;
    u64 ipa;   /* of the instruction's first byte */
    u32 first; /* offset of the first access of this call */
    u32 size;  /* of a register */
    bool (*wanted)(struct vcpu *v);
};

static int access_piece(void *ctx, u32 at, u32 size, bool write, u64 *value)
{
    const struct target *t = ctx;
    struct mmio m = {.addr = t->ipa + at, .value = *value, .size = (u8)size, .write = write};
    int result;

    if (at != t->first && (at & (t->size - 1)) == 0 && t->wanted(t->v)) {
        return MMIO_LATER;
    }
    result = (int)mmio_access(t->v, &m);
    *value = m.value;
    return result;
}

enum mmio_result ldst_emulate(struct ldst_op *op, const struct ldst_cpu *cpu, struct vcpu *v,
                              bool (*wanted)(struct vcpu *v))
{
    struct target t = {v, op->abort.ipa, op->next * op->d.size, op->d.size, wanted};
    enum mmio_result result = (enum mmio_result)ldst_run(op, cpu, access_piece, &t);

    op->later = result == MMIO_LATER;
    return result;
}
