/* SPDX-License-Identifier: MIT */
/*
 * The firmware interface of guests, by vpsci_call alone, on a VM of core's own making: what a call
 * answers, and what it does to the VM's state.
 */
#include "arch/arm-common/vpsci.h"

#include "arch/host/arch.h"
#include "core/config.h"
#include "core/sched.h"
#include "core/vm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define RAM      0x40000000ull
#define RAM_SIZE 0x200000ull
#define ENTRY    (RAM + 0x80000)

enum {
    PSCI_VERSION = 0x84000000,
    CPU_SUSPEND = 0x84000001,
    CPU_OFF = 0x84000002,
    CPU_ON = 0x84000003,
    AFFINITY_INFO = 0x84000004,
    MIGRATE_INFO_TYPE = 0x84000006,
    SYSTEM_OFF = 0x84000008,
    SYSTEM_RESET = 0x84000009,
    PSCI_FEATURES = 0x8400000a,
    SYSTEM_RESET2 = 0x84000012,
    SMCCC_VERSION = 0x80000000,
    ARCH_FEATURES = 0x80000001,
    SOC_ID = 0x80000002,
    TRNG_VERSION = 0x84000050,
    TRNG_FEATURES = 0x84000051,
    TRNG_UUID = 0x84000052,
    TRNG_RND = 0x84000053,
    VENDOR_UID = 0x8600ff01,
    SMC64 = 0x40000000,
};

static struct vm vm;
static struct vcpu vcpus[3];
static bool interrupt_pending;
static u64 x[4];

static bool pending(struct vcpu *v)
{
    (void)v;
    return interrupt_pending;
}

static const struct irqchip irqchip = {.pending = pending};

static struct vm_config cfg;

static int setup(void **state)
{
    (void)state;
    memset(&vm, 0, sizeof(vm));
    memset(vcpus, 0, sizeof(vcpus));
    memset(pcpus, 0, sizeof(pcpus));
    sched_init(1);
    spin_init(&vm.lock, LOCK_VM);
    vm.state = VM_RUNNING;
    cfg = (struct vm_config){.on_reset.restart = true, .max_restarts = 1};
    vm.cfg = &cfg;
    vm.irqchip = &irqchip;
    vm.mem.count = 1;
    vm.mem.region[0] = (struct gmem_region){
        .base = RAM, .size = RAM_SIZE, .ptr = (guest_t *)(uintptr_t)0x1000, .writable = true};
    vm.nvcpus = 3;
    for (u32 i = 0; i < 3; i++) {
        vm.vcpu[i] = &vcpus[i];
        vcpus[i] = (struct vcpu){.vm = &vm, .pcpu = &pcpus[0], .id = i, .mpidr = i};
    }
    vcpus[2].mpidr = 0x0100000102; /* Aff3 1, Aff1 1, Aff0 2 */
    vm.running = 1;
    sched_ready(&vcpus[0]);
    interrupt_pending = false;
    random_create(&vm.random);
    random_init(NULL, 0);
    vpsci_set_host(&(struct vpsci_host){.workaround1 = -1, .workaround2 = -1, .workaround3 = -1});
    return 0;
}

/* One call of vCPU 0; its x0. */
static s64 call(u32 id, u64 a, u64 b, u64 c)
{
    x[0] = id;
    x[1] = a;
    x[2] = b;
    x[3] = c;
    vpsci_call(&vcpus[0], x);
    return (s64)x[0];
}

static s64 call1(u32 id, u64 a)
{
    return call(id, a, 0, 0);
}

/* --- discovery --- */

static void test_versions(void **state)
{
    (void)state;
    assert_int_equal(call1(PSCI_VERSION, 0), 0x10001);
    assert_int_equal(call1(SMCCC_VERSION, 0), 0x10002);
    assert_int_equal(call1(MIGRATE_INFO_TYPE, 0), 2);
    assert_int_equal(vm.smc_unknown, 0);
}

static void test_features(void **state)
{
    static const u32 known[] = {
        PSCI_VERSION,  CPU_SUSPEND,           CPU_SUSPEND | SMC64, CPU_OFF,
        CPU_ON,        CPU_ON | SMC64,        AFFINITY_INFO,       AFFINITY_INFO | SMC64,
        SYSTEM_OFF,    MIGRATE_INFO_TYPE,     SYSTEM_RESET,        PSCI_FEATURES,
        SYSTEM_RESET2, SYSTEM_RESET2 | SMC64, SMCCC_VERSION,
    };
    static const u32 unknown[] = {
        PSCI_VERSION | SMC64,
        CPU_OFF | SMC64,
        ARCH_FEATURES,
        0x84000005 /* MIGRATE */,
        0x8400000b /* CPU_FREEZE */,
        0x8400000e /* SYSTEM_SUSPEND */,
        TRNG_VERSION,
        0,
        0xffffffff,
    };

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(known); i++) {
        assert_int_equal(call1(PSCI_FEATURES, known[i]), 0);
    }
    for (u32 i = 0; i < ARRAY_SIZE(unknown); i++) {
        assert_int_equal(call1(PSCI_FEATURES, unknown[i]), -1);
    }
}

/* Nothing is logged; the counter tells. */
static void test_unknown(void **state)
{
    static const u32 ids[] = {0,          0x84000005, 0x8400000b, 0x8400000e, 0x8400001f,
                              0xc4000000, 0xc4000008, 0x82000001, 0xffffffff, 0x7fffffff};

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(ids); i++) {
        assert_int_equal(call(ids[i], 11, 22, 33), -1);
        assert_int_equal(x[1] * x[2] * x[3], 11 * 22 * 33);
    }
    assert_int_equal(vm.smc_unknown, ARRAY_SIZE(ids));
}

static void test_vendor(void **state)
{
    (void)state;
    assert_int_not_equal((u32)call1(VENDOR_UID, 0), UINT32_MAX);
    assert_true((x[0] | x[1] | x[2] | x[3]) >> 32 == 0);
    /* version 4, variant 1 of RFC 4122: bytes 6 and 8 */
    assert_int_equal(x[1] >> 16 & 0xf0, 0x40);
    assert_int_equal(x[2] & 0xc0, 0x80);
}

static u32 forwarded;
static u64 forwarded_arg;

static void forward(u32 function, u64 arg)
{
    forwarded = function;
    forwarded_arg = arg;
}

static void test_workarounds(void **state)
{
    struct vpsci_host host = {
        .workaround1 = 0, .workaround2 = 1, .workaround3 = -1, .forward = forward};

    (void)state;
    assert_int_equal(call1(ARCH_FEATURES, SMCCC_VERSION), 0);
    assert_int_equal(call1(ARCH_FEATURES, ARCH_FEATURES), 0);
    assert_int_equal(call1(ARCH_FEATURES, SOC_ID), -1);
    assert_int_equal(call1(ARCH_FEATURES, PSCI_VERSION), -1);
    assert_int_equal(call1(ARCH_FEATURES, VPSCI_WORKAROUND_1), -1);
    assert_int_equal(call1(VPSCI_WORKAROUND_1, 0), -1);
    vpsci_set_host(&host);
    assert_int_equal(call1(ARCH_FEATURES, VPSCI_WORKAROUND_1), 0);
    assert_int_equal(call1(ARCH_FEATURES, VPSCI_WORKAROUND_2), 1);
    assert_int_equal(call1(ARCH_FEATURES, VPSCI_WORKAROUND_3), -1);
    forwarded = 0;
    assert_int_equal(call1(VPSCI_WORKAROUND_1, 0), 0);
    assert_int_equal(forwarded, VPSCI_WORKAROUND_1);
    assert_int_equal(call1(VPSCI_WORKAROUND_2, 1), 0);
    assert_int_equal(forwarded, VPSCI_WORKAROUND_2);
    assert_int_equal(forwarded_arg, 1);
    assert_int_equal(call1(VPSCI_WORKAROUND_3, 0), -1);
    assert_int_equal(forwarded, VPSCI_WORKAROUND_2);
}

/* --- CPUs --- */

static void test_cpu_on(void **state)
{
    (void)state;
    assert_int_equal(call1(AFFINITY_INFO, 1), 1);
    assert_int_equal(call(CPU_ON | SMC64, 1, ENTRY, 0x123456789abcdef0), 0);
    assert_int_equal(vcpus[1].state, VCPU_READY);
    assert_int_equal(vcpus[1].entry, ENTRY);
    assert_int_equal(vcpus[1].context, 0x123456789abcdef0);
    assert_int_equal(vcpus[1].attention, VCPU_INIT);
    assert_int_equal(vm.running, 2);
    assert_int_equal(call1(AFFINITY_INFO, 1), 2); /* pending: it hasn't taken its entry yet */
    assert_int_equal(call(CPU_ON | SMC64, 1, ENTRY, 0), -5);
    vcpus[1].attention = 0;
    assert_int_equal(call1(AFFINITY_INFO, 1), 0);
    assert_int_equal(call(CPU_ON | SMC64, 1, ENTRY, 0), -4);
    assert_int_equal(call(CPU_ON | SMC64, 0, ENTRY, 0), -4);
    assert_int_equal(call(CPU_ON | SMC64, 0x0100000102, ENTRY, 0), 0);
    assert_int_equal(vcpus[2].state, VCPU_READY);
}

static void test_cpu_on_32(void **state)
{
    (void)state;
    /* upper halves don't count in a 32-bit call */
    assert_int_equal(call(CPU_ON, 0xffffffff00000001, 0xeeeeeeee00000000 | ENTRY, ~0ull), 0);
    assert_int_equal(vcpus[1].entry, ENTRY);
    assert_int_equal(vcpus[1].context, 0xffffffff);
}

static void test_cpu_on_bad_target(void **state)
{
    static const u64 bad[] = {
        1ull << 31 | 1, 1ull << 24 | 1, 1ull << 30 | 1, 1ull << 40 | 1, 1ull << 63 | 1, 3,
        0x101,          0x10001,        0x0100000001,   0x0200000102,
    };

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
        assert_int_equal(call(CPU_ON | SMC64, bad[i], ENTRY, 0), -2);
        assert_int_equal(call(AFFINITY_INFO | SMC64, bad[i], 0, 0), -2);
    }
    assert_int_equal(vcpus[1].state, VCPU_OFF);
    assert_int_equal(vcpus[2].state, VCPU_OFF);
}

static void test_cpu_on_bad_entry(void **state)
{
    static const u64 bad[] = {ENTRY + 1,      ENTRY + 2,  0,     RAM - 4,
                              RAM + RAM_SIZE, 1ull << 40, ~3ull, 0xffffffff00000000ull | ENTRY};

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
        assert_int_equal(call(CPU_ON | SMC64, 1, bad[i], 0), -9);
    }
    assert_int_equal(vcpus[1].state, VCPU_OFF);
    assert_int_equal(call(CPU_ON | SMC64, 1, RAM + RAM_SIZE - 4, 0), 0);
}

/* A 32-bit guest: bit 0 of the entry says Thumb; 64-bit calls don't exist for it. */
static void test_cpu_on_thumb(void **state)
{
    (void)state;
    assert_int_equal(call(CPU_ON, 1, RAM + 1, 0), -9);
    vm.aarch32 = true;
    assert_int_equal(call(CPU_ON | SMC64, 1, RAM + 4, 0), -1);
    assert_int_equal(vm.smc_unknown, 1);
    assert_int_equal(call1(PSCI_FEATURES, CPU_ON | SMC64), -1);
    assert_int_equal(call1(PSCI_FEATURES, CPU_ON), 0);
    assert_int_equal(call(CPU_ON, 1, RAM + 2, 0), -9);
    assert_int_equal(call(CPU_ON, 1, RAM + RAM_SIZE + 1, 0), -9);
    assert_int_equal(call(CPU_ON, 1, RAM + RAM_SIZE - 1, 7), 0);
    assert_int_equal(vcpus[1].entry, RAM + RAM_SIZE - 1);
    assert_int_equal(vcpus[1].context, 7);
}

static void test_cpu_on_while_stopping(void **state)
{
    (void)state;
    vm.state = VM_STOPPING;
    assert_int_equal(call(CPU_ON | SMC64, 1, ENTRY, 0), -3);
}

static void test_affinity_levels(void **state)
{
    (void)state;
    assert_int_equal(call(AFFINITY_INFO, 0, 0, 0), 0);
    assert_int_equal(call(AFFINITY_INFO, 0, 1, 0), -2);
    assert_int_equal(call(AFFINITY_INFO | SMC64, 0, 4, 0), -2);
    assert_int_equal(call(AFFINITY_INFO | SMC64, 0, 1ull << 32, 0), -2);
    assert_int_equal(call(AFFINITY_INFO, 0, 1ull << 32, 0), 0);
}

static void test_cpu_off(void **state)
{
    (void)state;
    call1(CPU_OFF, 0);
    assert_true((vcpus[0].attention & VCPU_STOP) != 0);
    assert_int_equal(vm.state, VM_RUNNING);
}

static void test_cpu_suspend(void **state)
{
    (void)state;
    interrupt_pending = true;
    assert_int_equal(call(CPU_SUSPEND, 0, 0, 0), 0);
    assert_int_equal(vcpus[0].state, VCPU_READY);
    interrupt_pending = false;
    assert_int_equal(call(CPU_SUSPEND | SMC64, 0x10000, ENTRY, 5), 0);
    assert_int_equal(vcpus[0].state, VCPU_BLOCKED);
}

/* --- the system --- */

static void test_system_off(void **state)
{
    (void)state;
    call1(SYSTEM_OFF, 0);
    assert_int_equal(vm.state, VM_STOPPING);
    assert_int_equal(vm.reason, VM_EXIT_OFF);
    assert_false(vm.restart);
    assert_true((vcpus[0].attention & VCPU_STOP) != 0);
}

static void test_system_reset(void **state)
{
    static const u32 ids[] = {SYSTEM_RESET, SYSTEM_RESET2, SYSTEM_RESET2 | SMC64};

    for (u32 i = 0; i < ARRAY_SIZE(ids); i++) {
        setup(state);
        call(ids[i], 0, ~0ull, 0);
        assert_int_equal(vm.state, VM_STOPPING);
        assert_true(vm.restart);
    }
}

/* `on-reset halt`: a reset ends the VM. */
static void test_system_reset_halts(void **state)
{
    (void)state;
    cfg.on_reset.restart = false;
    call1(SYSTEM_RESET, 0);
    assert_int_equal(vm.state, VM_STOPPING);
    assert_false(vm.restart);
    assert_int_equal(vm.reason, VM_EXIT_OFF);
    assert_string_equal(vm.why, "reset by its guest");
}

static void test_system_reset2_types(void **state)
{
    (void)state;
    assert_int_equal(call1(SYSTEM_RESET2 | SMC64, 1), -2);
    assert_int_equal(call1(SYSTEM_RESET2, 0x80000000), -2);
    assert_int_equal(vm.state, VM_RUNNING);
}

/* --- TRNG --- */

static void test_trng_none(void **state)
{
    (void)state;
    assert_int_equal(call1(TRNG_VERSION, 0), -1);
    assert_int_equal(call1(TRNG_FEATURES, TRNG_RND), -1);
    assert_int_equal(call1(TRNG_UUID, 0), -1);
    assert_int_equal(call1(TRNG_RND | SMC64, 64), -1);
    assert_true(x[1] == 0 && x[2] == 0 && x[3] == 0);
}

static void seed_trng(void)
{
    random_init("sixteen bytes of", RANDOM_SEED_MIN);
    random_seed(&vm.random, "vm", 0);
}

/* The `len` bytes that the VM's generator gives next. */
static const u8 *next_bytes(u32 len)
{
    static u8 buf[24];
    struct random copy = vm.random;

    memset(buf, 0, sizeof(buf));
    assert_true(random_bytes(&copy, buf, len));
    return buf;
}

static void test_trng(void **state)
{
    u64 word[3];
    u32 half[3];

    (void)state;
    seed_trng();
    assert_int_equal(call1(TRNG_VERSION, 0), 0x10000);
    assert_int_equal(call1(TRNG_FEATURES, TRNG_RND), 0);
    assert_int_equal(call1(TRNG_FEATURES, TRNG_RND | SMC64), 0);
    assert_int_equal(call1(TRNG_FEATURES, TRNG_VERSION | SMC64), -1);
    assert_int_equal(call1(TRNG_FEATURES, PSCI_VERSION), -1);
    assert_int_not_equal((u32)call1(TRNG_UUID, 0), UINT32_MAX);

    memcpy(word, next_bytes(24), sizeof(word));
    assert_int_equal(call1(TRNG_RND | SMC64, 192), 0);
    assert_true(x[3] == word[0] && x[2] == word[1] && x[1] == word[2]);
    memcpy(half, next_bytes(12), sizeof(half));
    assert_int_equal(call1(TRNG_RND, 96), 0);
    assert_true(x[3] == half[0] && x[2] == half[1] && x[1] == half[2]);
    /* exactly as many bits as asked for, the rest 0 */
    memcpy(word, next_bytes(9), sizeof(word));
    assert_int_equal(call(TRNG_RND | SMC64, 67, ~0ull, ~0ull), 0);
    assert_true(x[3] == word[0] && x[2] == (word[1] & 7) && x[1] == 0);
    memcpy(half, next_bytes(1), sizeof(half));
    assert_int_equal(call(TRNG_RND, 5, ~0ull, ~0ull), 0);
    assert_true(x[3] == (half[0] & 0x1f) && x[2] == 0 && x[1] == 0);
    random_init(NULL, 0); /* what is forgotten is forgotten for all questions alike */
    assert_int_equal(call1(TRNG_VERSION, 0), -1);
}

static void test_trng_sizes(void **state)
{
    (void)state;
    seed_trng();
    assert_int_equal(call1(TRNG_RND, 0), -2);
    assert_int_equal(call1(TRNG_RND, 97), -2);
    assert_int_equal(call1(TRNG_RND | SMC64, 0), -2);
    assert_int_equal(call1(TRNG_RND | SMC64, 193), -2);
    assert_int_equal(call1(TRNG_RND | SMC64, 1ull << 32), -2);
    assert_int_equal(call1(TRNG_RND | SMC64, ~0ull), -2);
    assert_int_equal(call1(TRNG_RND, 1ull << 32 | 8), 0);
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_versions),
        TEST(test_features),
        TEST(test_unknown),
        TEST(test_vendor),
        TEST(test_workarounds),
        TEST(test_cpu_on),
        TEST(test_cpu_on_32),
        TEST(test_cpu_on_bad_target),
        TEST(test_cpu_on_bad_entry),
        TEST(test_cpu_on_thumb),
        TEST(test_cpu_on_while_stopping),
        TEST(test_affinity_levels),
        TEST(test_cpu_off),
        TEST(test_cpu_suspend),
        TEST(test_system_off),
        TEST(test_system_reset),
        TEST(test_system_reset_halts),
        TEST(test_system_reset2_types),
        TEST(test_trng_none),
        TEST(test_trng),
        TEST(test_trng_sizes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
