/* SPDX-License-Identifier: MIT */
/* From addresses to devices, and what is where no device is; memory of guests. */
#include "core/mmio.h"

#include "core/config.h"
#include "core/gmem.h"
#include "core/vdev.h"
#include "core/vm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct vm_config cfg;
static struct vm vm;
static struct vcpu vcpu;
static struct {
    struct vdev *dev;
    u64 offset, value;
    u32 region, size, calls;
} last;

static u64 dev_read(struct vdev *d, struct vcpu *v, u32 region, u64 offset, u32 size)
{
    (void)v;
    last.dev = d;
    last.region = region;
    last.offset = offset;
    last.size = size;
    last.calls++;
    return 0x1122334455667788;
}

static void dev_write(struct vdev *d, struct vcpu *v, u32 region, u64 offset, u32 size, u64 value)
{
    (void)dev_read(d, v, region, offset, size);
    last.value = value;
}

static const struct vdev_ops ops = {.read = dev_read, .write = dev_write};
static struct vdev a = {.ops = &ops}, b = {.ops = &ops};

static int setup(void **state)
{
    (void)state;
    cfg = (struct vm_config){.on_reference = POLICY_IGNORE};
    memset(&vm, 0, sizeof(vm));
    memset(&last, 0, sizeof(last));
    vm.cfg = &cfg;
    vcpu = (struct vcpu){.vm = &vm};
    return 0;
}

static enum mmio_result access_to(u64 addr, u8 size, bool write, u64 *value)
{
    struct mmio m = {.addr = addr, .size = size, .write = write, .value = *value};
    enum mmio_result r = mmio_access(&vcpu, &m);

    *value = m.value;
    return r;
}

static void test_add(void **state)
{
    (void)state;
    assert_true(mmio_add(&vm.mmio, 0x2000, 0x1000, &a, 0));
    assert_false(mmio_add(&vm.mmio, 0x2fff, 1, &b, 0));
    assert_false(mmio_add(&vm.mmio, 0x1fff, 2, &b, 0));
    assert_false(mmio_add(&vm.mmio, 0x1000, 0x4000, &b, 0));
    assert_false(mmio_add(&vm.mmio, 0x8000, 0, &b, 0));
    assert_false(mmio_add(&vm.mmio, UINT64_MAX - 1, 4, &b, 0));
    assert_true(mmio_add(&vm.mmio, 0x1fff, 1, &b, 0));
    assert_true(mmio_add(&vm.mmio, 0x3000, 1, &b, 0));
    for (u32 i = 3; i < MMIO_WINDOWS; i++) {
        assert_true(mmio_add(&vm.mmio, 0x10000 + 0x1000ull * i, 0x1000, &b, i));
    }
    assert_false(mmio_add(&vm.mmio, 0x100, 4, &b, 0));
}

/* Added in any order, each byte of each is found and none beside it. */
static void test_find(void **state)
{
    static const u64 order[] = {5, 0, 7, 3, 1, 6, 2, 4};

    (void)state;
    for (u32 i = 0; i < 8; i++) {
        assert_true(mmio_add(&vm.mmio, 0x1000 + order[i] * 0x100, 0x80, &a, (u32)order[i]));
    }
    mmio_freeze(&vm.mmio);
    for (u64 at = 0xf00; at < 0x1900; at++) {
        const struct mmio_window *w = mmio_find(&vm.mmio, at, 1);
        bool inside = at >= 0x1000 && at < 0x1800 && (at & 0xff) < 0x80;

        assert_int_equal(w != NULL, inside);
        assert_true(w == NULL || w->region == (at - 0x1000) / 0x100);
    }
    assert_non_null(mmio_find(&vm.mmio, 0x107c, 4));
    assert_null(mmio_find(&vm.mmio, 0x107d, 4)); /* beyond its end */
    assert_null(mmio_find(&vm.mmio, UINT64_MAX, 8));
}

static void test_access(void **state)
{
    u64 value = 0;

    (void)state;
    assert_true(mmio_add(&vm.mmio, 0x2000, 0x1000, &a, 7));
    assert_true(mmio_add(&vm.mmio, 0x3000, 0x1000, &b, 8));
    for (u32 size = 1; size <= 8; size *= 2) {
        u64 mask = size == 8 ? UINT64_MAX : (1ull << 8 * size) - 1;

        assert_int_equal(access_to(0x2010, (u8)size, false, &value), MMIO_DONE);
        assert_int_equal(value, 0x1122334455667788 & mask);
        assert_ptr_equal(last.dev, &a);
        assert_int_equal(last.region, 7);
        assert_int_equal(last.offset, 0x10);
        assert_int_equal(last.size, size);
        value = UINT64_MAX;
        assert_int_equal(access_to(0x3020, (u8)size, true, &value), MMIO_DONE);
        assert_int_equal(last.value, mask); /* no more of the register than is stored */
        assert_ptr_equal(last.dev, &b);
        assert_int_equal(last.offset, 0x20);
    }
    /* the window of the access before is no licence for what begins in it and ends outside */
    last.calls = 0;
    assert_int_equal(access_to(0x3ffe, 4, false, &value), MMIO_DONE);
    assert_int_equal(value, 0xffffffff);
    assert_int_equal(last.calls, 0);
    assert_int_equal(access_to(0x2ffe, 4, false, &value), MMIO_DONE); /* nor for two devices */
    assert_int_equal(last.calls, 0);
    assert_int_equal(vm.mmio_unknown, 2);
}

static void test_nothing_there(void **state)
{
    u64 value = 5;

    (void)state;
    assert_int_equal(access_to(0x9000, 2, false, &value), MMIO_DONE);
    assert_int_equal(value, 0xffff);
    assert_int_equal(access_to(0x9000, 2, true, &value), MMIO_DONE);
    cfg.on_reference = POLICY_FAIL;
    assert_int_equal(access_to(0x9000, 2, false, &value), MMIO_ABORT);
    cfg.on_reference = POLICY_ABORT;
    assert_int_equal(access_to(0x9000, 2, false, &value), MMIO_STOP);
    assert_int_equal(vm.mmio_unknown, 4);
}

/* --- gmem ------------------------------------------------------------------------------------ */

static u8 ram[0x2000], rom[0x1000];

static void make_memory(void)
{
    vm.mem.count = 2;
    vm.mem.region[0] = (struct gmem_region){
        .base = 0x40000000, .size = sizeof(ram), .ptr = (guest_t *)ram, .writable = true};
    vm.mem.region[1] = (struct gmem_region){
        .base = 0x40002000, .size = sizeof(rom), .ptr = (guest_t *)rom, .writable = false};
}

static void test_span(void **state)
{
    static const struct {
        u64 at, len;
        bool write;
        u8 *wanted;
    } cases[] = {
        {0x40000000, 1, true, ram},
        {0x40000000, 0x2000, true, ram},
        {0x40000000, 0x2001, false, NULL}, /* goes on in the next region: not one piece */
        {0x40001fff, 1, true, ram + 0x1fff},
        {0x40001fff, 2, false, NULL},
        {0x40002000, 0x1000, false, rom},
        {0x40002000, 1, true, NULL},
        {0x40003000, 1, false, NULL},
        {0x3fffffff, 1, false, NULL},
        {0x3fffffff, 2, false, NULL},
        {0x40000000, 0, false, NULL},
        {0x40000001, UINT64_MAX, false, NULL},
        {UINT64_MAX, 0x40000002, false, NULL},
        {0, UINT64_MAX, false, NULL},
    };

    (void)state;
    make_memory();
    for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_ptr_equal(gmem_span(&vm.mem, gpa(cases[i].at), cases[i].len, cases[i].write),
                         cases[i].wanted);
    }
}

static void test_copies(void **state)
{
    u8 buf[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    u64 pair[2];
    guest_t *p;

    (void)state;
    make_memory();
    memset(ram, 0, sizeof(ram));
    p = gmem_span(&vm.mem, gpa(0x40000101), 32, true);
    gmem_write(p, buf, 16);
    assert_memory_equal(ram + 0x101, buf, 16);
    gmem_copy(gmem_at(p, 4), p, 16); /* overlapping */
    assert_memory_equal(ram + 0x105, buf, 16);
    memset(buf, 0xff, sizeof(buf));
    gmem_read(buf, gmem_at(p, 4), 8);
    assert_memory_equal(buf, "\x01\x02\x03\x04\x05\x06\x07\x08", 8);
    assert_int_equal(buf[8], 0xff);
    gmem_read_pair(pair, gmem_at(p, 4)); /* at any address */
    assert_memory_equal(pair, ram + 0x105, 16);
    gmem_read_pair(pair, gmem_at(p, 7));
    assert_memory_equal(pair, ram + 0x108, 16);
}

#define T(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_add),           T(test_find), T(test_access),
        T(test_nothing_there), T(test_span), T(test_copies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
