/* SPDX-License-Identifier: MIT */
/*
 * A guest's PCIe bridge: any accesses to its configuration space and to the frame for messages,
 * blocked DMA, messages, restarts. What must hold at any time is in tests/host/card.c (DMA is never
 * on in the device while its stream is closed; nothing but the function is written to), and below:
 * the registers that a guest has no business with stay as they are, the device decodes where Muntin
 * put it, and messages are those of the VM.
 */
#include "core/dma.h"
#include "core/panic.h"
#include "core/vdev.h"
#include "tests/fuzz/input.h"
#include "tests/host/card.h"

#include <string.h>

#define STEPS      300
#define ECAM_BITS  0xfffffu
#define FRAME_BITS 0xfffu

static u32 before[1024];

/* May the guest change this word of the function? */
static bool is_guests(u32 offset)
{
    return offset == CARD_COMMAND || offset == CARD_MSIX ||
           (offset >= CARD_MSI && offset < CARD_MSI + 16);
}

static void check(void)
{
    u32 command = card.reg[CARD_COMMAND / 4] & 0xffff;

    for (u32 i = 0; i < ARRAY_SIZE(before); i++) {
        assert(card.reg[i] == before[i] || is_guests(4 * i));
    }
    assert((command & ~(CARD_MASTER | 0x400u)) == 2); /* decodes; no ports, no errors of its own */
    assert((card.reg[CARD_MSI / 4] & 0xff8effff) == (before[CARD_MSI / 4] & 0xff8effff));
    assert((card.reg[CARD_MSIX / 4] & 0x3fffffff) == (before[CARD_MSIX / 4] & 0x3fffffff));
    assert(card.rises == 0 || card.intid - PCI_INTID < PCI_INTIDS);
}

static void step(struct input *in)
{
    u32 what = take(in, 1), at = take(in, 3), size = 1u << (what >> 4 & 3);
    u64 value = take(in, 4);

    switch (what & 7) {
    case 0:
        (void)card_access(CARD_GUEST + (at & 0xfff & ~(size - 1)), size, true, value << 32 | value);
        break;
    case 1:
        (void)card_access(PCI_ECAM + MIN(at & ECAM_BITS, ECAM_BITS - 8), size, true, value);
        break;
    case 2:
        (void)card_access(PCI_ECAM + MIN(at & ECAM_BITS, ECAM_BITS - 8), size, false, 0);
        break;
    case 3:
        (void)card_access(CARD_GICD + PCI_FRAME + MIN(at & FRAME_BITS, FRAME_BITS - 8), size, true,
                          value);
        break;
    case 4:
        (void)card_access(CARD_GICD + PCI_FRAME + 0x40, 4, true, PCI_INTID + value % 80);
        break;
    case 5:
        dma_blocked(CARD_STREAM + (at & 1), value, (what & 0x80) != 0);
        break;
    case 6:
        dma_message_from(CARD_STREAM + (at & 1), PCI_INTID + (u32)value % PCI_INTIDS);
        break;
    default:
        card_start();
        assert(!card.open);
        break;
    }
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct input in = {data, data + size};
    static bool ready;

    if (!ready) {
        assert(card_init());
        ready = true;
    }
    card_start();
    card.rises = 0;
    memcpy(before, card.reg, sizeof(before));
    for (u32 i = 0; i < STEPS && in.p < in.end; i++) {
        step(&in);
        check();
    }
    return 0;
}
