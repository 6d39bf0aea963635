/* SPDX-License-Identifier: MIT */
/* A guest's PCIe bridge: what of a function's configuration space it may reach, and when DMA runs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/host/arch.h"
#include "core/arch.h"
#include "core/board.h"
#include "core/config.h"
#include "core/dma.h"
#include "core/mmio.h"
#include "core/page.h"
#include "core/pass.h"
#include "core/pci.h"
#include "core/vm.h"

/* --- a board with one function, 00:02.0 ---------------------------------------------------------
 */

#define ECAM    0x4010000000ull
#define DEVICE  (ECAM + 0x10000)
#define WINDOW  0x20000000ull
#define STREAM  0x10
#define WORDS   1024
#define GUEST   (PCI_ECAM + 0x8000) /* 00:01.0 of the guest */
#define MSI     0x50
#define MSIX    0x70
#define COMMAND 0x04
#define MASTER  4u
#define MEM     2u
#define NO_INTX 0x400u

static u32 reg[WORDS], writes[WORDS], sizes[6];
static bool stuck; /* BAR 0 doesn't take a value */
static u32 strays; /* writes to where no function is */
static bool open_now;
static u32 attached_stream, first_event, events;
static u64 frame_at;

static u32 read_bar(u32 n)
{
    if (stuck && n == 0) {
        return 0xfffe0000;
    }
    return reg[4 + n] & sizes[n];
}

static bool hw_read(hpa_t a, u32 size, u64 *value)
{
    u32 offset = (u32)(a - DEVICE);

    assert_int_equal(size, 4);
    if (a < DEVICE || a >= DEVICE + 4096) {
        *value = UINT32_MAX;
        return true;
    }
    *value = offset >= 0x10 && offset < 0x28 ? read_bar((offset - 0x10) / 4) : reg[offset / 4];
    return true;
}

/* As the hardware: ids and capability headers are read-only. */
static bool hw_write(hpa_t a, u32 size, u64 value)
{
    u32 offset = (u32)(a - DEVICE);

    assert_int_equal(size, 4);
    if (a < DEVICE || a >= DEVICE + 4096) {
        strays++;
    } else {
        /* DMA is never on in the device while its stream is closed */
        assert_false(offset == COMMAND && (value & MASTER) != 0 && !open_now);
        writes[offset / 4]++;
        reg[offset / 4] =
            offset == COMMAND ? 0x00100000 | (value & 0xffff) : (u32)value; /* with capabilities */
    }
    return true;
}

static bool map_device(hpa_t base, u64 size)
{
    (void)size;
    return base != 0;
}

static bool dma_attach(struct vm *vm, u32 stream, u64 frame)
{
    (void)vm;
    attached_stream = stream;
    frame_at = frame;
    return true;
}

static bool message_attach(struct vm *vm, u32 stream, u32 id, u32 first, u32 count)
{
    assert_int_equal(stream, STREAM);
    (void)vm;
    assert_int_equal(id, 0x77);
    first_event = first;
    events = count;
    return true;
}

static void hw_open(u32 stream, bool open)
{
    assert_int_equal(stream, STREAM);
    open_now = open;
}

static const struct pass_hw hw = {
    .map_device = map_device,
    .read = hw_read,
    .write = hw_write,
    .dma_attach = dma_attach,
    .message_attach = message_attach,
    .dma_open = hw_open,
};

static u32 messages[2]; /* the last one, how many rises */

static void set_line(struct vm *vm, struct vcpu *v, u32 intid, bool level)
{
    (void)vm;
    assert_null(v);
    messages[0] = intid;
    messages[1] += level;
}

static const struct irqchip chip = {.set_line = set_line};

static struct board board;
static struct vm_config config;
static struct vm *vm;
static struct {
    u64 ipa, pa, size;
    u32 perm;
} mapped[8];
static u32 nmapped;

static bool map_stage2(struct vm *v, u64 ipa, hpa_t pa, u64 size, u32 perm)
{
    (void)v;
    mapped[nmapped].ipa = ipa;
    mapped[nmapped].pa = pa;
    mapped[nmapped].size = size;
    mapped[nmapped++].perm = perm;
    return true;
}

static u64 access_to(u64 addr, u32 size, bool write, u64 value)
{
    static struct vcpu cpu;
    struct mmio m = {.addr = addr, .size = (u8)size, .write = write, .value = value};

    cpu = (struct vcpu){.vm = vm};
    assert_int_equal(mmio_access(&cpu, &m), MMIO_DONE);
    return m.value;
}

static u64 get(u32 offset, u32 size)
{
    return access_to(GUEST + offset, size, false, 0);
}

static void set(u32 offset, u32 size, u64 value)
{
    (void)access_to(GUEST + offset, size, true, value);
}

static int setup(void **state)
{
    static _Alignas(PAGE_SIZE) u8 memory[16 * PAGE_SIZE];
    static struct vm one;

    (void)state;
    page_add((hpa_t)(uintptr_t)memory, sizeof(memory));
    board.pci.ecam = (struct range){ECAM, 0x10000000};
    board.pci.mem = (struct range){WINDOW, 0x1000000};
    board.pci.mem_bus = 0x80080000; /* not aligned like the CPU's address */
    config.gicd = 0x08000000;
    config.pass.npci = 1;
    config.pass.pci[0] = (struct cfg_pci){.function = 2 << 3, .stream = STREAM, .message = 0x77};
    vm = &one;
    vm->cfg = &config;
    vm->irqchip = &chip;
    reg[0] = 0x12345678;
    reg[COMMAND / 4] = 0x00100007; /* the boot loader left it on */
    reg[3] = 0x00800010;
    reg[4] = 0;
    sizes[0] = 0xfff00000; /* 1 MiB */
    sizes[2] = 0xffffff00; /* 256 bytes of 64-bit space, prefetchable */
    sizes[3] = 0xffffffff;
    reg[6] = 0xc;
    sizes[2] |= 0xc;
    reg[0x2c / 4] = 0xabcd;
    reg[0x34 / 4] = MSI;
    reg[0x3c / 4] = 0x01ff;
    reg[MSI / 4] = MSIX << 8 | 0x05 | 0x00800000; /* 64-bit address */
    reg[MSIX / 4] = 0x11;
    reg[0x100 / 4] = 0x0001000f; /* ATS */
    pass_hw = &hw;
    pci_board = &board;
    host_s2_map = map_stage2;
    if (!pci_create(vm)) {
        return -1;
    }
    mmio_freeze(&vm->mmio);
    return 0;
}

static int begin(void **state)
{
    (void)state;
    vm->devs->ops->reset(vm->devs);
    memset(writes, 0, sizeof(writes));
    memset(messages, 0, sizeof(messages));
    strays = 0;
    return 0;
}

/* --- tests --------------------------------------------------------------------------------------
 */

static void test_created(void **state)
{
    (void)state;
    assert_int_equal(nmapped, 2);
    assert_int_equal(mapped[0].ipa, PCI_MEM);
    assert_int_equal(mapped[0].pa, WINDOW + 0x80000);
    assert_int_equal(mapped[0].size, 0x100000);
    assert_int_equal(mapped[0].perm, S2_DEVICE);
    assert_int_equal(mapped[1].size, PAGE_SIZE); /* nobody else is in the page of a small one */
    assert_int_equal(mapped[1].ipa, PCI_MEM + 0x100000);
    assert_int_equal(reg[4], 0x80100000); /* what the bus calls the window */
    assert_int_equal(reg[6] & ~0xfu, 0x80200000);
    assert_int_equal(attached_stream, STREAM);
    assert_int_equal(frame_at, 0x08020000);
    assert_int_equal(first_event, PCI_INTID);
    assert_int_equal(events, PCI_INTIDS);
}

static void test_bus(void **state)
{
    (void)state;
    assert_int_equal(get(0, 4), 0x12345678);
    assert_int_equal(get(1, 1), 0x56);
    assert_int_equal(get(2, 2), 0x1234);
    assert_int_equal(get(0, 8), UINT64_MAX);
    assert_int_equal(get(1, 2), 0xffff);
    assert_int_equal(get(0x0c, 4), 0x10); /* not a device of several functions */
    assert_int_equal(get(0x3c, 4), 0xff); /* no interrupt pin */
    assert_int_equal(get(0x100, 4), 0);   /* no ATS, no SR-IOV */
    assert_int_equal(access_to(PCI_ECAM, 4, false, 0), UINT32_MAX);
    assert_int_equal(access_to(GUEST + 0x1000, 4, false, 0), UINT32_MAX);
    assert_int_equal(access_to(GUEST + 0x8000, 4, false, 0), UINT32_MAX);
    assert_int_equal(access_to(GUEST + 0x8010, 4, false, 0), UINT32_MAX);
    (void)access_to(GUEST + 0x8000, 4, true, 0);
    (void)access_to(PCI_ECAM + PCI_ECAM_SIZE - 4, 4, true, 0);
    assert_int_equal(strays, 0);
}

static void test_nothing_else_is_written(void **state)
{
    static const u32 allowed[] = {COMMAND, MSI, MSI + 4, MSI + 8, MSI + 12, MSIX};

    (void)state;
    for (u32 at = 0; at < 4096; at += 4) {
        bool may = false;

        for (u32 i = 0; i < ARRAY_SIZE(allowed); i++) {
            may |= at == allowed[i];
        }
        set(at, 4, at == COMMAND ? 0 : 0xffffffff);
        set(at, 8, 0xffffffffffffffff);
        if (!may) {
            assert_int_equal(writes[at / 4], 0);
        }
    }
    assert_int_equal(reg[MSI / 4], MSIX << 8 | 0x05 | 0x00f10000); /* enable, how many */
    assert_int_equal(reg[MSIX / 4], 0xc0000011);
}

static void test_bars(void **state)
{
    (void)state;
    assert_int_equal(get(0x10, 4), PCI_MEM);
    set(0x10, 4, 0xffffffff);
    assert_int_equal(get(0x10, 4), 0xfff00000);
    set(0x10, 4, PCI_MEM);
    set(0x18, 4, 0xffffffff);
    set(0x1c, 4, 0xffffffff);
    assert_int_equal(get(0x18, 4), 0xffffff0c);
    assert_int_equal(get(0x1c, 4), 0xffffffff);
    set(0x14, 4, 0xffffffff); /* there's none */
    assert_int_equal(get(0x14, 4), 0);
    set(0x30, 4, 0xffffffff);
    assert_int_equal(get(0x30, 4), 0);
}

static void test_command(void **state)
{
    (void)state;
    assert_int_equal(get(COMMAND, 2), NO_INTX);
    assert_int_equal(reg[1] & 0xffff, MEM | NO_INTX); /* it decodes: the window is the guest's */
    set(COMMAND, 2, 0xffff);
    assert_int_equal(reg[1] & 0xffff, MASTER | MEM | NO_INTX); /* no SERR, no parity errors */
    assert_int_equal(get(COMMAND, 2), MASTER | MEM | NO_INTX);
    set(COMMAND, 2, 0);
    assert_int_equal(get(COMMAND, 2), NO_INTX);
    assert_int_equal(reg[1] & 0xffff, MEM | NO_INTX);
}

static void test_dma_follows_the_bit(void **state)
{
    (void)state;
    assert_false(open_now);
    set(COMMAND, 2, MEM);
    assert_false(open_now);
    set(COMMAND, 1, MEM | MASTER);
    assert_true(open_now);
    set(COMMAND, 2, MEM);
    assert_false(open_now);
    set(COMMAND, 2, MASTER);
    vm->devs->ops->reset(vm->devs);
    assert_false(open_now);
    assert_int_equal(reg[1] & MASTER, 0);
}

static void test_cut_off(void **state)
{
    (void)state;
    set(COMMAND, 2, MASTER);
    for (u32 i = 1; i < DMA_BLOCKED_MAX; i++) {
        dma_blocked(STREAM, 0x50000000, true);
    }
    dma_blocked(STREAM + 1, 0, false); /* nobody's */
    assert_true(open_now);
    dma_blocked(STREAM, 0x50000000, false);
    assert_false(open_now);
    set(COMMAND, 2, 0);
    set(COMMAND, 2, MASTER);
    assert_false(open_now);
    assert_int_equal(get(COMMAND, 2) & MASTER, 0);
    vm->devs->ops->reset(vm->devs); /* its VM starts anew */
    set(COMMAND, 2, MASTER);
    assert_true(open_now);
}

/* A driver that moderates its messages never gets there; one that doesn't hurts its VM alone. */
static void test_messages_without_end(void **state)
{
    (void)state;
    set(COMMAND, 2, MASTER);
    for (u32 window = 0; window < 3; window++) {
        for (u32 i = 0; i < DMA_MESSAGES_MAX; i++) {
            dma_message_from(STREAM, PCI_INTID);
        }
        host_now_ns += DMA_MESSAGES_NS;
    }
    assert_int_equal(messages[1], 3 * DMA_MESSAGES_MAX);
    dma_message_from(STREAM + 1, PCI_INTID); /* nobody's */
    for (u32 i = 0; i <= DMA_MESSAGES_MAX; i++) {
        assert_true(open_now);
        dma_message_from(STREAM, PCI_INTID);
    }
    assert_false(open_now);
    assert_int_equal(messages[1], 4 * DMA_MESSAGES_MAX);
    host_now_ns += DMA_MESSAGES_NS;
    dma_message_from(STREAM, PCI_INTID);
    assert_int_equal(messages[1], 4 * DMA_MESSAGES_MAX);
    vm->devs->ops->reset(vm->devs);
    set(COMMAND, 2, MASTER);
    dma_message_from(STREAM, PCI_INTID);
    assert_int_equal(messages[1], 4 * DMA_MESSAGES_MAX + 1);
}

static void test_messages_stop_at_a_reset(void **state)
{
    (void)state;
    set(MSI + 2, 2, 1);
    set(MSIX + 2, 2, 0x8000);
    assert_int_equal(reg[MSI / 4] & 0x10000, 0x10000);
    vm->devs->ops->reset(vm->devs);
    assert_int_equal(reg[MSI / 4] & 0x10000, 0);
    assert_int_equal(reg[MSIX / 4] & 0x80000000, 0);
}

static void test_bars_are_back_after_a_reset(void **state)
{
    (void)state;
    reg[4] = 0; /* the device's own reset */
    vm->devs->ops->reset(vm->devs);
    assert_int_equal(reg[4], 0x80100000);
    assert_int_equal(reg[1] & 0xffff, MEM | NO_INTX);
}

/* A BAR that is where it is for good. */
static void test_fixed_bar(void **state)
{
    static struct vm_config its;
    static struct vm other;

    (void)state;
    its = config;
    its.pass.pci[0].stream = STREAM + 1;
    other.cfg = &its;
    other.irqchip = &chip;
    stuck = true;
    assert_false(pci_create(&other));
    stuck = false;
    assert_int_equal(attached_stream, STREAM);
}

static void test_frame(void **state)
{
    u64 frame = config.gicd + PCI_FRAME;

    (void)state;
    assert_int_equal(access_to(frame + 8, 4, false, 0), PCI_INTID << 16 | PCI_INTIDS);
    assert_int_equal(access_to(frame + 0xfcc, 4, false, 0), 0);
    (void)access_to(frame + 0x40, 4, true, PCI_INTID + 3);
    assert_int_equal(messages[0], PCI_INTID + 3);
    assert_int_equal(messages[1], 1);
    (void)access_to(frame + 0x40, 4, true, PCI_INTID - 1);
    (void)access_to(frame + 0x40, 4, true, PCI_INTID + PCI_INTIDS);
    (void)access_to(frame + 0x40, 4, true, UINT32_MAX);
    (void)access_to(frame + 0x40, 2, true, PCI_INTID);
    (void)access_to(frame + 0x44, 4, true, PCI_INTID);
    assert_int_equal(messages[1], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_created, begin),
        cmocka_unit_test_setup(test_bus, begin),
        cmocka_unit_test_setup(test_nothing_else_is_written, begin),
        cmocka_unit_test_setup(test_bars, begin),
        cmocka_unit_test_setup(test_command, begin),
        cmocka_unit_test_setup(test_dma_follows_the_bit, begin),
        cmocka_unit_test_setup(test_cut_off, begin),
        cmocka_unit_test_setup(test_messages_without_end, begin),
        cmocka_unit_test_setup(test_messages_stop_at_a_reset, begin),
        cmocka_unit_test_setup(test_bars_are_back_after_a_reset, begin),
        cmocka_unit_test_setup(test_frame, begin),
        cmocka_unit_test_setup(test_fixed_bar, begin),
    };

    return cmocka_run_group_tests_name("pci", tests, setup, NULL);
}
