/* SPDX-License-Identifier: MIT */
/* A guest's PCIe bridge: what of a function's configuration space it may reach, when DMA runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/host/arch.h"
#include "core/arch.h"
#include "core/dma.h"
#include "core/pci.h"
#include "core/vm.h"
#include "tests/host/card.h"

#define MEM     2u
#define NO_INTX 0x400u

static u64 get(u32 offset, u32 size)
{
    return card_access(CARD_GUEST + offset, size, false, 0);
}

static void set(u32 offset, u32 size, u64 value)
{
    (void)card_access(CARD_GUEST + offset, size, true, value);
}

static int setup(void **state)
{
    (void)state;
    return card_init() ? 0 : -1;
}

static int begin(void **state)
{
    (void)state;
    card_start();
    memset(card.writes, 0, sizeof(card.writes));
    card.rises = 0;
    return 0;
}

/* --- tests --------------------------------------------------------------------------------------
 */

static void test_created(void **state)
{
    (void)state;
    assert_int_equal(card.nmapped, 2);
    assert_int_equal(card.mapped[0].ipa, PCI_MEM);
    assert_int_equal(card.mapped[0].pa, CARD_WINDOW + 0x80000);
    assert_int_equal(card.mapped[0].size, 0x100000);
    assert_int_equal(card.mapped[0].perm, S2_DEVICE);
    assert_int_equal(card.mapped[1].size,
                     PAGE_SIZE); /* nobody else is in the page of a small one */
    assert_int_equal(card.mapped[1].ipa, PCI_MEM + 0x100000);
    assert_int_equal(card.reg[4], 0x80100000); /* what the bus calls the window */
    assert_int_equal(card.reg[6] & ~0xfu, 0x80200000);
    assert_int_equal(card.stream, CARD_STREAM);
    assert_int_equal(card.frame, 0x08020000);
    assert_int_equal(card.first, PCI_INTID);
    assert_int_equal(card.count, PCI_INTIDS);
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
    assert_int_equal(card_access(PCI_ECAM, 4, false, 0), UINT32_MAX);
    assert_int_equal(card_access(CARD_GUEST + 0x1000, 4, false, 0), UINT32_MAX);
    assert_int_equal(card_access(CARD_GUEST + 0x8000, 4, false, 0), UINT32_MAX);
    assert_int_equal(card_access(CARD_GUEST + 0x8010, 4, false, 0), UINT32_MAX);
    (void)card_access(CARD_GUEST + 0x8000, 4, true, 0);
    (void)card_access(PCI_ECAM + PCI_ECAM_SIZE - 4, 4, true, 0);
}

static void test_nothing_else_is_written(void **state)
{
    static const u32 allowed[] = {CARD_COMMAND, CARD_MSI,      CARD_MSI + 4,
                                  CARD_MSI + 8, CARD_MSI + 12, CARD_MSIX};

    (void)state;
    for (u32 at = 0; at < 4096; at += 4) {
        bool may = false;

        for (u32 i = 0; i < ARRAY_SIZE(allowed); i++) {
            may |= at == allowed[i];
        }
        set(at, 4, at == CARD_COMMAND ? 0 : 0xffffffff);
        set(at, 8, 0xffffffffffffffff);
        if (!may) {
            assert_int_equal(card.writes[at / 4], 0);
        }
    }
    assert_int_equal(card.reg[CARD_MSI / 4],
                     CARD_MSIX << 8 | 0x05 | 0x00f10000); /* enable, how many */
    assert_int_equal(card.reg[CARD_MSIX / 4], 0xc0000011);
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
    assert_int_equal(get(CARD_COMMAND, 2), NO_INTX);
    assert_int_equal(card.reg[1] & 0xffff,
                     MEM | NO_INTX); /* it decodes: the window is the guest's */
    set(CARD_COMMAND, 2, 0xffff);
    assert_int_equal(card.reg[1] & 0xffff,
                     CARD_MASTER | MEM | NO_INTX); /* no SERR, no parity errors */
    assert_int_equal(get(CARD_COMMAND, 2), CARD_MASTER | MEM | NO_INTX);
    set(CARD_COMMAND, 2, 0);
    assert_int_equal(get(CARD_COMMAND, 2), NO_INTX);
    assert_int_equal(card.reg[1] & 0xffff, MEM | NO_INTX);
}

static void test_dma_follows_the_bit(void **state)
{
    (void)state;
    assert_false(card.open);
    set(CARD_COMMAND, 2, MEM);
    assert_false(card.open);
    set(CARD_COMMAND, 1, MEM | CARD_MASTER);
    assert_true(card.open);
    set(CARD_COMMAND, 2, MEM);
    assert_false(card.open);
    set(CARD_COMMAND, 2, CARD_MASTER);
    card.vm->devs->ops->reset(card.vm->devs);
    assert_false(card.open);
    assert_int_equal(card.reg[1] & 0xffff, NO_INTX); /* until it starts, nothing decodes */
}

static void test_cut_off(void **state)
{
    (void)state;
    set(CARD_COMMAND, 2, CARD_MASTER);
    for (u32 i = 1; i < DMA_BLOCKED_MAX; i++) {
        dma_blocked(CARD_STREAM, 0x50000000, true);
    }
    dma_blocked(CARD_STREAM + 1, 0, false); /* nobody's */
    assert_true(card.open);
    dma_blocked(CARD_STREAM, 0x50000000, false);
    assert_false(card.open);
    set(CARD_COMMAND, 2, 0);
    set(CARD_COMMAND, 2, CARD_MASTER);
    assert_false(card.open);
    assert_int_equal(get(CARD_COMMAND, 2) & CARD_MASTER, 0);
    card_start();
    set(CARD_COMMAND, 2, CARD_MASTER);
    assert_true(card.open);
}

/* A driver that moderates its messages never gets there; one that doesn't hurts its VM alone. */
static void test_messages_without_end(void **state)
{
    (void)state;
    set(CARD_COMMAND, 2, CARD_MASTER);
    for (u32 window = 0; window < 3; window++) {
        for (u32 i = 0; i < DMA_MESSAGES_MAX; i++) {
            dma_message_from(CARD_STREAM, PCI_INTID);
        }
        host_now_ns += DMA_MESSAGES_NS;
    }
    assert_int_equal(card.rises, 3 * DMA_MESSAGES_MAX);
    dma_message_from(CARD_STREAM + 1, PCI_INTID); /* nobody's */
    for (u32 i = 0; i <= DMA_MESSAGES_MAX; i++) {
        assert_true(card.open);
        dma_message_from(CARD_STREAM, PCI_INTID);
    }
    assert_false(card.open);
    assert_int_equal(card.rises, 4 * DMA_MESSAGES_MAX);
    host_now_ns += DMA_MESSAGES_NS;
    dma_message_from(CARD_STREAM, PCI_INTID);
    assert_int_equal(card.rises, 4 * DMA_MESSAGES_MAX);
    card.vm->devs->ops->reset(card.vm->devs);
    set(CARD_COMMAND, 2, CARD_MASTER);
    dma_message_from(CARD_STREAM, PCI_INTID);
    assert_int_equal(card.rises, 4 * DMA_MESSAGES_MAX + 1);
}

static void test_messages_stop_at_a_reset(void **state)
{
    (void)state;
    set(CARD_MSI + 2, 2, 1);
    set(CARD_MSIX + 2, 2, 0x8000);
    assert_int_equal(card.reg[CARD_MSI / 4] & 0x10000, 0x10000);
    card.vm->devs->ops->reset(card.vm->devs);
    assert_int_equal(card.reg[CARD_MSI / 4] & 0x10000, 0);
    assert_int_equal(card.reg[CARD_MSIX / 4] & 0x80000000, 0);
}

static void test_bars_are_back_after_a_reset(void **state)
{
    (void)state;
    card.reg[4] = 0; /* the device's own reset */
    card.reg[0x30 / 4] = 1;
    card_start();
    assert_int_equal(card.reg[4], 0x80100000);
    assert_int_equal(card.reg[0x30 / 4], 0);
    assert_int_equal(card.reg[1] & 0xffff, MEM | NO_INTX);
}

/* Another device in its place: its VM isn't started, and it stays off. */
static void test_gone(void **state)
{
    u64 wait = 1;

    (void)state;
    card.vm->devs->ops->reset(card.vm->devs);
    card.reg[0]++;
    for (u32 i = 0; i < 100 && wait != PCI_RESET_FAILED; i++) {
        wait = pci_start(card.vm);
        assert_int_not_equal(wait, 0);
        assert_int_equal(card.reg[1] & MEM, 0);
    }
    card.reg[0]--;
    assert_true(wait == PCI_RESET_FAILED);
}

static void test_frame(void **state)
{
    u64 frame = CARD_GICD + PCI_FRAME;

    (void)state;
    assert_int_equal(card_access(frame + 8, 4, false, 0), PCI_INTID << 16 | PCI_INTIDS);
    assert_int_equal(card_access(frame + 0xfcc, 4, false, 0), 0);
    (void)card_access(frame + 0x40, 4, true, PCI_INTID + 3);
    assert_int_equal(card.intid, PCI_INTID + 3);
    assert_int_equal(card.rises, 1);
    (void)card_access(frame + 0x40, 4, true, PCI_INTID - 1);
    (void)card_access(frame + 0x40, 4, true, PCI_INTID + PCI_INTIDS);
    (void)card_access(frame + 0x40, 4, true, UINT32_MAX);
    (void)card_access(frame + 0x40, 2, true, PCI_INTID);
    (void)card_access(frame + 0x44, 4, true, PCI_INTID);
    assert_int_equal(card.rises, 1);
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
        cmocka_unit_test_setup(test_gone, begin),
    };

    return cmocka_run_group_tests_name("pci", tests, setup, NULL);
}
