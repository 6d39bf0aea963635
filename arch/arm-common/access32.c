/* SPDX-License-Identifier: MIT */
/*
 * See access32.h. The guest may change the instruction meanwhile: then it gets what it wrote, if
 * that can be what the abort is about, bounded like any other access.
 */
#include "arch/arm-common/access32.h"

#include "arch/arm-common/decode32.h"
#include "core/gmem.h"
#include "core/vm.h"

/* Two bytes at a time: a T32 instruction may be on two pages, at any two addresses. */
static bool fetch_half(const struct access32 *a, u32 va, u32 *half)
{
    const guest_t *p;
    u64 ipa;

    if (!a->translate(va, (a->spsr & SPSR32_MODE) == MODE_USR, &ipa)) {
        return false;
    }
    p = gmem_span(&a->vcpu->vm->mem, gpa(ipa), 2, false);
    if (p == NULL || (ipa & 1) != 0) {
        return false;
    }
    *half = gmem_load16(p);
    return true;
}

static bool fetch(const struct access32 *a, u32 *insn, u32 *length)
{
    u32 first, second;

    if (!fetch_half(a, a->pc, &first)) {
        return false;
    }
    *insn = first;
    *length = decode32_length(first, a->spsr);
    if (*length == 2) {
        return true;
    }
    if (!fetch_half(a, a->pc + 2, &second)) {
        return false;
    }
    *insn = (a->spsr & SPSR32_T) != 0 ? first << 16 | second : second << 16 | first;
    return true;
}

static struct ldst_cpu cpu_of(struct access32 *a)
{
    return (struct ldst_cpu){.x = a->r, .big_endian = (a->spsr & SPSR32_E) != 0};
}

enum mmio_result access32_go_on(struct access32 *a)
{
    struct ldst_cpu cpu = cpu_of(a);

    return ldst_emulate(a->op, &cpu, a->vcpu, a->wanted);
}

enum mmio_result access32_run(struct access32 *a)
{
    struct ldst_cpu cpu = cpu_of(a);
    struct ldst_op *op = a->op;
    u32 insn;

    op->next = 0;
    if (!fetch(a, &insn, &op->length) || !decode32_ldst(insn, a->spsr, a->r, &op->d) ||
        !ldst_is_cause(&op->d, &cpu, &op->abort)) {
        return MMIO_ABORT;
    }
    return access32_go_on(a);
}
