/* SPDX-License-Identifier: MIT */
/*
 * Any instruction of an AArch32 program, with any registers, in any state: what must hold is that
 * it's one to fifteen accesses in a row, all in the page that the abort is about and no wider than
 * a word, that registers have 32 bits, and that a refusal changes none.
 *
 * Input: flags, PSR, where the code is, two halves of it, and registers as far as the input goes.
 */
#include "arch/arm-common/access32.h"

#include "arch/arm-common/decode32.h"
#include "core/config.h"
#include "core/panic.h"
#include "core/vm.h"

#include <string.h>

#define CODE 0x40000000u
#define PAGE 0x09000000u

/* The abort is about this instruction; the second of its accesses fails. */
enum { FLAG_MATCH = 1, FLAG_FAIL = 2, FLAG_WRITE = 4 };

struct head {
    u8 flags, at;
    u16 offset; /* of the abort in its page */
    u32 psr;
    u16 code[2];
};

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static _Alignas(PAGE_SIZE) u8 ram[2 * PAGE_SIZE];
static u32 accesses, window;
static u64 next;

static u64 dev_read(struct vdev *d, struct vcpu *v, u32 region, u64 offset, u32 size)
{
    (void)d;
    (void)v;
    (void)region;
    assert(size == 1 || size == 2 || size == 4);
    assert(offset + size <= window && (accesses == 0 || offset == next));
    accesses++;
    next = offset + size;
    return ~offset;
}

static void dev_write(struct vdev *d, struct vcpu *v, u32 region, u64 offset, u32 size, u64 value)
{
    (void)dev_read(d, v, region, offset, size);
    assert(value >> (8 * size) == 0);
}

/* Now and then the rest is for later. */
static bool wanted(struct vcpu *v)
{
    (void)v;
    assert(accesses >= 1);
    return accesses % 3 == 1;
}

static const struct vdev_ops ops = {.read = dev_read, .write = dev_write};
static struct vdev device = {.ops = &ops};

static bool translate(u64 va, bool user, u64 *ipa)
{
    (void)user;
    assert(va <= UINT32_MAX);
    *ipa = va;
    return va < CODE + PAGE_SIZE; /* the second page isn't mapped */
}

/* Where the instruction's first byte would be, if it's one that is carried out. */
static u64 match(const struct access32 *a, const struct head *h)
{
    bool thumb = (h->psr & SPSR32_T) != 0;
    u32 insn = thumb ? (u32)h->code[0] << 16 | h->code[1] : (u32)h->code[1] << 16 | h->code[0];
    struct ldst_cpu cpu = {.x = (u64 *)a->r};
    struct ldst d;

    if (decode32_length(h->code[0], h->psr) == 2) {
        insn = h->code[0];
    }
    return decode32_ldst(insn, h->psr, a->r, &d) ? ldst_address(&d, &cpu) : 0;
}

static void set_up(struct access32 *a, const struct head *h, const u8 *rest, size_t left)
{
    for (u32 n = 0; n < LDST_REGISTERS; n++) {
        u32 value = 0;

        memcpy(&value, rest, left < 4 ? left : 4);
        rest += left < 4 ? left : 4;
        left -= left < 4 ? left : 4;
        a->r[n] = value;
    }
    a->pc = CODE + PAGE_SIZE - 2 - 2u * h->at;
    a->spsr = h->psr;
    memcpy(ram + (a->pc - CODE), h->code, sizeof(h->code));
    a->op->abort.ipa = PAGE + h->offset % PAGE_SIZE;
    a->op->abort.write = (h->flags & FLAG_WRITE) != 0;
    a->op->abort.va = (h->flags & FLAG_MATCH) != 0 ? match(a, h) : PAGE + h->offset;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    static struct vm_config cfg = {.on_reference = POLICY_FAIL};
    struct vm vm = {.cfg = &cfg};
    struct vcpu vcpu = {.vm = &vm};
    struct ldst_op op = {.next = 7};
    struct access32 a = {.vcpu = &vcpu, .op = &op, .translate = translate, .wanted = wanted};
    struct access32 before;
    enum mmio_result result;
    struct head h;

    if (size < sizeof(h)) {
        return 0;
    }
    memcpy(&h, data, sizeof(h));
    vm.mem.region[0] = (struct gmem_region){CODE, sizeof(ram), 0, (guest_t *)ram, true};
    vm.mem.count = 1;
    window = (h.flags & FLAG_FAIL) != 0 ? h.offset % PAGE_SIZE + 4u : PAGE_SIZE;
    assert(mmio_add(&vm.mmio, PAGE, window, &device, 0));
    mmio_freeze(&vm.mmio);
    set_up(&a, &h, data + sizeof(h), size - sizeof(h));
    before = a;
    accesses = 0;
    result = access32_run(&a);
    while (result == MMIO_LATER) {
        assert(op.later && memcmp(&a, &before, sizeof(a)) == 0);
        result = access32_go_on(&a);
    }
    if (result != MMIO_DONE) {
        assert(result == MMIO_ABORT && memcmp(&a, &before, sizeof(a)) == 0);
        return 0;
    }
    assert((op.length == 2 || op.length == 4) && accesses >= 1 && accesses <= LDST_REGISTERS);
    for (u32 n = 0; n < LDST_REGISTERS; n++) {
        assert(a.r[n] <= UINT32_MAX);
    }
    return 0;
}
