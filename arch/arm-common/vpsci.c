/* SPDX-License-Identifier: MIT */
/* Answers a guest's firmware calls: a table by function id, defaults to NOT_SUPPORTED. */
#include "arch/arm-common/vpsci.h"

#include "core/arch.h"
#include "core/atomic.h"
#include "core/random.h"
#include "core/vcpu.h"
#include "core/vm.h"

/* Results of SMCCC, PSCI and TRNG: the same numbers mean the same where they overlap */
enum {
    SUCCESS = 0,
    NOT_SUPPORTED = -1,
    INVALID_PARAMETERS = -2,
    INVALID_ADDRESS = -9,
};

#define SMC64             BIT(30) /* of a function id: 64-bit arguments (DEN 0028 §2.5) */
#define SMCCC_VERSION_1_2 0x10002
#define PSCI_VERSION_1_1  0x10001
#define TRNG_VERSION_1_0  0x10000
#define NO_TRUSTED_OS     2 /* MIGRATE_INFO_TYPE: nothing to migrate */
#define AFFINITY_ON       0
#define AFFINITY_OFF      1
#define AFFINITY_PENDING  2

static struct vpsci_host host = {
    .workaround1 = NOT_SUPPORTED,
    .workaround2 = NOT_SUPPORTED,
    .workaround3 = NOT_SUPPORTED,
};

void vpsci_set_host(const struct vpsci_host *h)
{
    host = *h;
}

/*
 * A function: reads its arguments from x[1..3]; its return value becomes x[0], sign-extended. It
 * may change x[1..3], which are results too.
 */
typedef s64 vpsci_fn(struct vcpu *v, u64 x[4]);

enum forms { CALL32 = 1, CALL64 = 2, BOTH = 3 };

struct function {
    u32 id;        /* without SMC64 */
    u8 forms;      /* enum forms: ids of which size exist */
    bool features; /* PSCI_FEATURES knows it */
    vpsci_fn *fn;
};

static const struct function *find(const struct vcpu *v, u32 id);

/* --- SMCCC --- */

static s64 smccc_version(struct vcpu *v, u64 x[4])
{
    (void)v;
    (void)x;
    return SMCCC_VERSION_1_2;
}

static s64 arch_features(struct vcpu *v, u64 x[4])
{
    (void)v;
    switch ((u32)x[1]) {
    case 0x80000000: /* SMCCC_VERSION */
    case 0x80000001: /* SMCCC_ARCH_FEATURES */
        return SUCCESS;
    case VPSCI_WORKAROUND_1:
        return host.workaround1;
    case VPSCI_WORKAROUND_2:
        return host.workaround2;
    case VPSCI_WORKAROUND_3:
        return host.workaround3;
    default:
        return NOT_SUPPORTED;
    }
}

static s64 forward(s32 known, u32 id, u64 arg)
{
    if (known < 0) {
        return NOT_SUPPORTED;
    }
    host.forward(id, arg);
    return SUCCESS;
}

static s64 workaround1(struct vcpu *v, u64 x[4])
{
    (void)v;
    return forward(host.workaround1, VPSCI_WORKAROUND_1, x[1]);
}

static s64 workaround2(struct vcpu *v, u64 x[4])
{
    (void)v;
    return forward(host.workaround2, VPSCI_WORKAROUND_2, x[1]);
}

static s64 workaround3(struct vcpu *v, u64 x[4])
{
    (void)v;
    return forward(host.workaround3, VPSCI_WORKAROUND_3, x[1]);
}

/* "Muntin" as a UUID, our own: 6d756e74-696e-4d75-8e74-696e00000001; word by word in x0 to x3. */
static s64 vendor_uid(struct vcpu *v, u64 x[4])
{
    (void)v;
    x[1] = 0x754d6e69;
    x[2] = 0x6e69748e;
    x[3] = 0x01000000;
    return 0x746e756d;
}

/* --- PSCI --- */

static s64 psci_version(struct vcpu *v, u64 x[4])
{
    (void)v;
    (void)x;
    return PSCI_VERSION_1_1;
}

static s64 psci_features(struct vcpu *v, u64 x[4])
{
    const struct function *f = find(v, (u32)x[1]);

    return f != NULL && f->features ? SUCCESS : NOT_SUPPORTED;
}

/* Standby whatever the power state asks for: allowed for power-down states too (DEN 0022 §5.1.2).
 */
static s64 cpu_suspend(struct vcpu *v, u64 x[4])
{
    (void)x;
    vcpu_wfi(v);
    return SUCCESS;
}

static s64 cpu_off(struct vcpu *v, u64 x[4])
{
    (void)x;
    vm_cpu_off(v);
    return SUCCESS;
}

/* Bit 0 of a 32-bit guest's address stands for Thumb, whose instructions have halves of words. */
static bool is_misaligned(const struct vm *vm, u64 entry)
{
    if (vm->aarch32 && (entry & 1) != 0) {
        return false;
    }
    return (entry & 3) != 0;
}

static s64 cpu_on(struct vcpu *v, u64 x[4])
{
    struct vcpu *t = vm_find_vcpu(v->vm, x[1]); /* bits beside affinity: nobody has them */

    if (t == NULL) {
        return INVALID_PARAMETERS;
    }
    if (is_misaligned(v->vm, x[2]) || gmem_span(&v->vm->mem, gpa(x[2] & ~1ull), 2, false) == NULL) {
        return INVALID_ADDRESS;
    }
    return vm_cpu_on(v->vm, t->id, x[2], x[3]);
}

/* Of CPUs only: higher levels need not be answered since PSCI 1.0 (DEN 0022 §5.1.5). */
static s64 affinity_info(struct vcpu *v, u64 x[4])
{
    struct vcpu *t = vm_find_vcpu(v->vm, x[1]);

    if (t == NULL || x[2] != 0) {
        return INVALID_PARAMETERS;
    }
    if (atomic_load(&t->state) == VCPU_OFF) {
        return AFFINITY_OFF;
    }
    return (atomic_load(&t->attention) & VCPU_INIT) != 0 ? AFFINITY_PENDING : AFFINITY_ON;
}

static s64 migrate_info_type(struct vcpu *v, u64 x[4])
{
    (void)v;
    (void)x;
    return NO_TRUSTED_OS;
}

static s64 system_off(struct vcpu *v, u64 x[4])
{
    (void)x;
    vm_stop(v->vm, VM_EXIT_OFF);
    return SUCCESS;
}

static s64 system_reset(struct vcpu *v, u64 x[4])
{
    (void)x;
    vm_reset_by_guest(v->vm);
    return SUCCESS;
}

/* Architectural type 0, warm reset; the others are reserved or a vendor's. */
static s64 system_reset2(struct vcpu *v, u64 x[4])
{
    if ((u32)x[1] != 0) {
        return INVALID_PARAMETERS;
    }
    return system_reset(v, x);
}

/* --- TRNG --- */

/*
 * Without a source of entropy there's no TRNG at all: a guest's driver that found one would ask
 * again and again for what never comes.
 */
static bool has_entropy(void)
{
    return random_source() > RANDOM_NONE;
}

static s64 trng_version(struct vcpu *v, u64 x[4])
{
    (void)v;
    (void)x;
    return has_entropy() ? TRNG_VERSION_1_0 : NOT_SUPPORTED;
}

static s64 trng_features(struct vcpu *v, u64 x[4])
{
    u32 id = (u32)x[1], base = id & ~SMC64;
    bool known = base >= 0x84000050 && base <= 0x84000053 && find(v, id) != NULL;

    return known && has_entropy() ? SUCCESS : NOT_SUPPORTED;
}

/* Our own too: 6d756e74-696e-4d75-8e74-696e00000002. */
static s64 trng_uuid(struct vcpu *v, u64 x[4])
{
    (void)v;
    if (!has_entropy()) {
        return NOT_SUPPORTED;
    }
    x[1] = 0x754d6e69;
    x[2] = 0x6e69748e;
    x[3] = 0x02000000;
    return 0x746e756d;
}

/* x[1] bits of entropy, the lowest in x3, then x2, x1: registers of 32 or 64 bits. */
static s64 trng_rnd(struct vcpu *v, u64 x[4])
{
    u32 word = ((u32)x[0] & SMC64) != 0 ? 8 : 4;
    u64 bits = x[1];
    u8 random[24];
    u32 bytes;

    if (bits == 0 || bits > 24u * word) {
        return INVALID_PARAMETERS;
    }
    bytes = (u32)(bits + 7) / 8;
    if (!random_bytes(&v->vm->random, random, bytes)) {
        x[1] = x[2] = x[3] = 0;
        return NOT_SUPPORTED;
    }
    if (bits % 8 != 0) {
        random[bytes - 1] &= (u8)(BIT(bits % 8) - 1);
    }
    x[1] = x[2] = x[3] = 0;
    for (u32 i = 0; i < bytes; i++) {
        x[3 - i / word] |= (u64)random[i] << (8 * (i % word));
    }
    return SUCCESS;
}

/* Searched from the top: what guests call often comes first. */
static const struct function functions[] = {
    {VPSCI_WORKAROUND_1, CALL32, false, workaround1},
    {VPSCI_WORKAROUND_3, CALL32, false, workaround3},
    {0x84000000, CALL32, true, psci_version},
    {0x80000000, CALL32, true, smccc_version},
    {VPSCI_WORKAROUND_2, CALL32, false, workaround2},
    {0x84000001, BOTH, true, cpu_suspend},
    {0x84000053, BOTH, false, trng_rnd},
    {0x80000001, CALL32, false, arch_features},
    {0x84000002, CALL32, true, cpu_off},
    {0x84000003, BOTH, true, cpu_on},
    {0x84000004, BOTH, true, affinity_info},
    {0x84000006, CALL32, true, migrate_info_type},
    {0x84000008, CALL32, true, system_off},
    {0x84000009, CALL32, true, system_reset},
    {0x8400000a, CALL32, true, psci_features},
    {0x84000012, BOTH, true, system_reset2},
    {0x84000050, CALL32, false, trng_version},
    {0x84000051, CALL32, false, trng_features},
    {0x84000052, CALL32, false, trng_uuid},
    {0x8600ff01, CALL32, false, vendor_uid},
};

/* A 32-bit VM has no calls of 64 bits. */
static const struct function *find(const struct vcpu *v, u32 id)
{
    u32 base = id & ~SMC64;
    u32 form = (id & SMC64) != 0 ? CALL64 : CALL32;
    const struct function *end = functions + ARRAY_SIZE(functions);

    for (const struct function *f = functions; f < end; f++) {
        if (f->id == base) {
            return (f->forms & form) != 0 && (form == CALL32 || !v->vm->aarch32) ? f : NULL;
        }
    }
    return NULL;
}

void vpsci_call(struct vcpu *v, u64 x[4])
{
    u32 id = (u32)x[0];
    const struct function *f = find(v, id);

    if (f == NULL) {
        counter_inc(&v->vm->smc_unknown);
        x[0] = (u64)NOT_SUPPORTED;
        return;
    }
    if ((id & SMC64) == 0) {
        x[1] = (u32)x[1];
        x[2] = (u32)x[2];
        x[3] = (u32)x[3];
    }
    x[0] = (u64)f->fn(v, x);
}
