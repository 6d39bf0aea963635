/* SPDX-License-Identifier: MIT */
/* What is passed to a VM, carried out: mappings, parts of pages, interrupts, quiet devices. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arch/host/arch.h"
#include "core/arch.h"
#include "core/config.h"
#include "core/dma.h"
#include "core/log.h"
#include "core/mmio.h"
#include "core/page.h"
#include "core/pass.h"
#include "core/vm.h"

/* --- the CPU, the board's GIC, the VM's ----------------------------------------------------------
 */

static char told[4096]; /* what was asked of them, in order */
static size_t told_len;
static bool fail_access, fail_map, fail_stage2, no_irq;

static void tell(const char *fmt, ...) PRINTF(1, 2);
static void tell(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    told_len += (size_t)fmt_vprint(told + told_len, sizeof(told) - told_len, fmt, ap);
    va_end(ap);
}

static void forget(void)
{
    told_len = 0;
    told[0] = '\0';
}

#define X(v) ((unsigned long long)(v))

static bool map_device(hpa_t base, u64 size)
{
    tell("map %llx+%llx\n", X(base), X(size));
    return !fail_map;
}

static bool map_memory(hpa_t base, u64 size)
{
    tell("memory %llx+%llx\n", X(base), X(size));
    return !fail_map;
}

static bool irq_setup(u32 intid, bool edge)
{
    tell("setup %u %s\n", intid, edge ? "edge" : "level");
    return !no_irq;
}

static bool hw_read(hpa_t a, u32 size, u64 *value)
{
    tell("read%u %llx\n", size, X(a));
    *value = 0x1122334455667788;
    return !fail_access;
}

static bool hw_write(hpa_t a, u32 size, u64 value)
{
    tell("write%u %llx=%llx\n", size, X(a), X(value));
    return !fail_access;
}

static void irq_enable(u32 intid, bool on)
{
    tell("%s %u\n", on ? "enable" : "mask", intid);
}

static void irq_quiet(u32 intid)
{
    tell("quiet %u\n", intid);
}

static bool dma_attach(struct vm *of, u32 stream, u64 frame)
{
    tell("%s: stream %u, frame %llx, %u regions\n", of->name, stream, X(frame), of->mem.count);
    return true;
}

static void hw_open(u32 stream, bool open)
{
    tell("%s stream %u\n", open ? "open" : "close", stream);
}

static const struct pass_hw hw = {
    .map_device = map_device,
    .map_memory = map_memory,
    .irq_setup = irq_setup,
    .read = hw_read,
    .write = hw_write,
    .irq_enable = irq_enable,
    .irq_quiet = irq_quiet,
    .dma_attach = dma_attach,
    .dma_open = hw_open,
};

static void inject(struct vm *to, struct vcpu *v, u32 intid, u32 pintid)
{
    assert_null(v);
    tell("%s: inject %u=%u\n", to->name, intid, pintid);
}

static void link_irq(struct vm *of, u32 intid, u32 pintid, bool level)
{
    (void)of;
    tell("link %u=%u %s\n", intid, pintid, level ? "level" : "edge");
}

static const struct irqchip chip = {.inject_hw = inject, .link = link_irq};

static bool map_stage2(struct vm *v, u64 ipa, hpa_t pa, u64 size, u32 perm)
{
    static const char *const name[] = {
        [S2_RWX] = "rwx", [S2_RX] = "rx",         [S2_RW] = "rw",
        [S2_RO] = "ro",   [S2_DEVICE] = "device", [S2_DEVICE_RO] = "device-ro"};

    (void)v;
    tell("stage2 %llx=%llx+%llx %s\n", X(ipa), X(pa), X(size), name[perm]);
    return !fail_stage2;
}

static struct vm vm;
static struct vm_config cfg;
static struct vcpu cpu = {.vm = &vm};

static struct vm *fresh(void)
{
    static _Alignas(PAGE_SIZE) u8 memory[64 * PAGE_SIZE];
    static bool added;

    if (!added) {
        page_add((hpa_t)(uintptr_t)memory, sizeof(memory));
        added = true;
    }
    pass_hw = &hw;
    host_s2_map = map_stage2;
    memset(&vm, 0, sizeof(vm));
    memset(&cfg, 0, sizeof(cfg));
    vm.cfg = &cfg;
    vm.irqchip = &chip;
    cpu.mmio_last = NULL;
    fmt_print(vm.name, sizeof(vm.name), "a");
    fail_access = false;
    fail_map = false;
    fail_stage2 = false;
    no_irq = false;
    forget();
    return &vm;
}

static void window(u64 base, u64 size, u64 host, u8 flags)
{
    cfg.pass.window[cfg.pass.nwindows++] =
        (struct cfg_window){.base = base, .size = size, .host = host, .flags = flags};
}

static void irq(u32 intid, u32 host, bool edge)
{
    cfg.pass.irq[cfg.pass.nirqs++] =
        (struct cfg_pass_irq){.intid = intid, .host = host, .edge = edge};
}

/* --- windows ---------------------------------------------------------------------------------- */

static void test_nothing(void **state)
{
    (void)state;
    assert_true(pass_create(fresh()));
    assert_null(vm.devs);
    assert_string_equal(told, "");
}

static void test_whole_pages(void **state)
{
    static const struct {
        u8 flags;
        const char *perm;
    } kinds[] = {{PASS_R | PASS_W, "device"},      {PASS_R, "device-ro"},
                 {PASS_R | PASS_C, "ro"},          {PASS_R | PASS_W | PASS_C, "rw"},
                 {PASS_R | PASS_X | PASS_C, "rx"}, {PASS_R | PASS_W | PASS_X | PASS_C, "rwx"}};
    char want[128];

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(kinds); i++) {
        fresh();
        window(0x9040000, 0x3000, 0x1c040000, kinds[i].flags);
        assert_true(pass_create(&vm));
        fmt_print(want, sizeof(want), "stage2 9040000=1c040000+3000 %s\n", kinds[i].perm);
        assert_string_equal(told, want);
        assert_int_equal(vm.mmio.count, 0);
        assert_int_equal(vm.mem.count, 0);
    }
}

static void test_ram(void **state)
{
    (void)state;
    fresh();
    window(0x50000000, 0x100000, 0x48000000, PASS_R | PASS_W | PASS_C | PASS_RAM);
    assert_true(pass_create(&vm));
    assert_string_equal(told, "stage2 50000000=48000000+100000 rw\nmemory 48000000+100000\n");
    assert_int_equal(vm.mem.count, 1);
    assert_int_equal(vm.mem.region[0].base, 0x50000000);
    assert_int_equal(vm.mem.region[0].host, 0x48000000);
    assert_true(vm.mem.region[0].writable);
}

static u64 access_to(u64 addr, u32 size, bool write, u64 value)
{
    struct mmio m = {.addr = addr, .size = (u8)size, .write = write, .value = value};

    assert_int_equal(mmio_access(&cpu, &m), MMIO_DONE);
    return m.value;
}

/* A window that begins and ends within pages: those two by trap, what is between mapped. */
static void test_parts(void **state)
{
    (void)state;
    fresh();
    cfg.on_reference = POLICY_IGNORE;
    window(0xa003e00, 0x1400, 0xb003e00, PASS_R | PASS_W);
    assert_true(pass_create(&vm));
    assert_string_equal(told, "map b003e00+200\nmap b005000+200\nstage2 a004000=b004000+1000 "
                              "device\n");
    mmio_freeze(&vm.mmio);
    forget();
    assert_int_equal(access_to(0xa003e00, 4, false, 0), 0x55667788);
    assert_int_equal(access_to(0xa003e01, 1, false, 0), 0x88);
    assert_int_equal(access_to(0xa003ffe, 2, false, 0), 0x7788);
    assert_int_equal(access_to(0xa003ff8, 8, false, 0), 0x1122334455667788);
    access_to(0xa005000, 2, true, 0x123456789);
    access_to(0xa0051fc, 4, true, 5);
    assert_string_equal(told, "read4 b003e00\nread1 b003e01\nread2 b003ffe\nread8 b003ff8\n"
                              "write2 b005000=6789\nwrite4 b0051fc=5\n");
    /* nothing beyond the window, nor across its ends */
    forget();
    assert_int_equal(access_to(0xa003dfc, 4, false, 0), UINT32_MAX);
    assert_true(access_to(0xa003dfc, 8, false, 0) == UINT64_MAX);
    assert_int_equal(access_to(0xa0051fe, 4, false, 0), UINT32_MAX);
    assert_int_equal(access_to(0xa005200, 1, false, 0), UINT8_MAX);
    access_to(0xa003dfc, 4, true, 0);
    access_to(0xa005200, 4, true, 0);
    assert_string_equal(told, "");
}

/* An access that the board answers with an abort reads all ones. */
static void test_parts_fail(void **state)
{
    (void)state;
    fresh();
    window(0xa003e00, 0x200, 0xa003e00, PASS_R | PASS_W);
    assert_true(pass_create(&vm));
    fail_access = true;
    assert_int_equal(access_to(0xa003e00, 4, false, 0), UINT32_MAX);
    access_to(0xa003e00, 4, true, 0);
}

static void test_parts_read_only(void **state)
{
    (void)state;
    fresh();
    window(0xa003e00, 0x200, 0xa003e00, PASS_R);
    assert_true(pass_create(&vm));
    forget();
    access_to(0xa003e00, 4, true, 1);
    assert_string_equal(told, "");
}

static void test_no_room(void **state)
{
    (void)state;
    fresh();
    window(0xa003e00, 0x200, 0xa003e00, PASS_R);
    fail_map = true;
    assert_false(pass_create(&vm));
    fresh();
    window(0x50000000, 0x100000, 0x48000000, PASS_R | PASS_W | PASS_C | PASS_RAM);
    fail_map = true;
    assert_false(pass_create(&vm));
    fresh();
    window(0x50000000, 0x100000, 0x48000000, PASS_R | PASS_W | PASS_C | PASS_RAM);
    vm.mem.count = GMEM_REGIONS;
    assert_false(pass_create(&vm));
    fresh();
    window(0x50000000, 0x100000, 0x48000000, PASS_R);
    fail_stage2 = true;
    assert_false(pass_create(&vm));
}

/* --- interrupts, quiet --------------------------------------------------------------------------
 */

static void test_interrupts(void **state)
{
    (void)state;
    fresh();
    irq(40, 72, false);
    irq(41, 1019, true);
    assert_true(pass_create(&vm));
    assert_string_equal(told, "setup 72 level\nlink 40=72 level\nsetup 1019 edge\n"
                              "link 41=1019 edge\nmask 72\nmask 1019\nquiet 72\nquiet 1019\n");
    forget();
    assert_true(pass_irq(72));
    assert_true(pass_irq(1019));
    assert_false(pass_irq(40)); /* the guest's number means nothing on the board */
    assert_false(pass_irq(0));
    assert_false(pass_irq(1020));
    assert_false(pass_irq(UINT32_MAX));
    assert_string_equal(told, "a: inject 40=72\na: inject 41=1019\n");
}

static void test_interrupts_refused(void **state)
{
    (void)state;
    fresh();
    irq(40, 73, false);
    no_irq = true; /* the board's GIC has fewer */
    assert_false(pass_create(&vm));
    assert_false(pass_irq(73));
    fresh();
    irq(40, 74, false);
    assert_true(pass_create(&vm));
    fresh();
    irq(41, 74, false); /* has an owner already */
    assert_false(pass_create(&vm));
}

/* Masked first, and what the device raised while it was made quiet is gone at the end. */
static void test_quiet(void **state)
{
    static const char want[] = "mask 80\nwrite4 a003e70=0\nwrite4 9040038=0\nwrite4 9040048=0\n"
                               "write4 9040030=0\nwrite4 9040044=7ff\nquiet 80\n";

    (void)state;
    fresh();
    window(0x9040000, 0x1000, 0x9040000, PASS_R | PASS_W);
    irq(40, 80, false);
    cfg.pass.dev[0] = (struct cfg_pass_dev){0xa003e00, pass_quiet_find("virtio,mmio")};
    cfg.pass.dev[1] = (struct cfg_pass_dev){0x9040000, pass_quiet_find("arm,pl011")};
    cfg.pass.ndevs = 2;
    assert_true(pass_create(&vm));
    assert_non_null(strstr(told, want));
    forget();
    assert_non_null(vm.devs);
    vm.devs->ops->reset(vm.devs);
    assert_string_equal(told, want);
    assert_null(pass_quiet_find("acme,frobnicator"));
    assert_true(pass_quiet_find("cdns,gem")->dma);
    assert_true(pass_quiet_find("virtio,mmio")->dma);
    assert_false(pass_quiet_find("arm,pl031")->dma);
}

/* No DMA of the last life while memory is made ready for the next: open from its start only. */
static void test_streams(void **state)
{
    struct vm *v = fresh();

    (void)state;
    cfg.pass.nwindows = 1;
    cfg.pass.window[0] = (struct cfg_window){.base = 0x50000000,
                                             .size = 0x2000,
                                             .host = 0x90000000,
                                             .flags = PASS_R | PASS_W | PASS_X | PASS_C | PASS_RAM};
    cfg.pass.nstreams = 1;
    cfg.pass.stream[0] = 0x21;
    assert_true(pass_create(v));
    assert_non_null(strstr(told, "stream 33, frame 0, 1 regions\n")); /* memory that is passed */
    assert_null(strstr(told, "open"));
    forget();
    pass_start(v);
    assert_string_equal(told, "open stream 33\n");
    forget();
    for (u32 i = 0; i < DMA_BLOCKED_MAX; i++) {
        dma_blocked(0x21, 0, true);
    }
    assert_string_equal(told, "close stream 33\n");
    forget();
    pass_start(v); /* cut off */
    assert_null(strstr(told, "open"));
    forget();
    v->devs->ops->reset(v->devs);
    assert_string_equal(told, "close stream 33\n");
    forget();
    pass_start(v);
    assert_string_equal(told, "open stream 33\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_whole_pages),
        cmocka_unit_test(test_ram),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_parts_fail),
        cmocka_unit_test(test_parts_read_only),
        cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_interrupts),
        cmocka_unit_test(test_interrupts_refused),
        cmocka_unit_test(test_quiet),
        cmocka_unit_test(test_streams),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
