/* SPDX-License-Identifier: MIT */
/* See card.h. */
#include "tests/host/card.h"

#include "arch/host/arch.h"
#include "core/arch.h"
#include "core/board.h"
#include "core/config.h"
#include "core/mmio.h"
#include "core/page.h"
#include "core/panic.h"
#include "core/pass.h"
#include "core/pci_bus.h"

#define ECAM    0x4010000000ull
#define DEVICE  (ECAM + 0x10000)
#define SIZE    4096u
#define MESSAGE 0x77u /* its DeviceID */
#define CAPS    0x00100000u

struct card card;

static struct board board;
static struct vm_config config;

static u32 read_bar(u32 n)
{
    return card.reg[4 + n] & card.sizes[n];
}

static bool hw_read(hpa_t a, u32 size, u64 *value)
{
    u32 word = (u32)(a - DEVICE) / 4;

    assert(size == 4);
    if (a < DEVICE || a >= DEVICE + SIZE) {
        *value = UINT32_MAX;
    } else {
        *value = word - 4 < BARS ? read_bar(word - 4) : card.reg[word];
    }
    return true;
}

static bool hw_write(hpa_t a, u32 size, u64 value)
{
    u32 offset = (u32)(a - DEVICE);

    assert(size == 4 && a >= DEVICE && a < DEVICE + SIZE);
    assert(offset != CARD_COMMAND || (value & CARD_MASTER) == 0 || card.open);
    card.writes[offset / 4]++;
    card.reg[offset / 4] = offset == CARD_COMMAND ? CAPS | (value & 0xffff) : (u32)value;
    return true;
}

static bool map_device(hpa_t base, u64 size)
{
    return base == ECAM && size == PCI_ECAM_SIZE;
}

static void no_message(struct diag *d, int level, const char *text)
{
    (void)d;
    (void)level;
    (void)text;
}

static bool dma_attach(struct vm *vm, u32 stream, u64 frame)
{
    (void)vm;
    card.stream = stream;
    card.frame = frame;
    return true;
}

static bool message_attach(struct vm *vm, u32 stream, u32 id, u32 first, u32 count)
{
    (void)vm;
    assert(stream == card.stream && id == MESSAGE);
    card.first = first;
    card.count = count;
    return true;
}

static void dma_gate(u32 stream, bool open)
{
    assert(stream == CARD_STREAM);
    card.open = open;
}

static const struct pass_hw hw = {
    .map_device = map_device,
    .read = hw_read,
    .write = hw_write,
    .dma_attach = dma_attach,
    .message_attach = message_attach,
    .dma_open = dma_gate,
};

static void set_line(struct vm *vm, struct vcpu *v, u32 intid, bool level)
{
    (void)vm;
    assert(v == NULL);
    card.intid = intid;
    card.rises += level;
}

static const struct irqchip chip = {.set_line = set_line};

static bool map_stage2(struct vm *v, u64 ipa, hpa_t pa, u64 size, u32 perm)
{
    (void)v;
    card.mapped[card.nmapped].ipa = ipa;
    card.mapped[card.nmapped].pa = pa;
    card.mapped[card.nmapped].size = size;
    card.mapped[card.nmapped++].perm = perm;
    return true;
}

/* What the boot loader left: the device is on, its BARs are anywhere. */
static void power_on(void)
{
    card.reg[0] = 0x12345678;
    card.reg[CARD_COMMAND / 4] = CAPS | 7;
    card.reg[3] = 0x00800010;
    card.sizes[0] = 0xfff00000;       /* 1 MiB */
    card.sizes[2] = 0xffffff00 | 0xc; /* 256 bytes of 64-bit space, prefetchable */
    card.sizes[3] = UINT32_MAX;
    card.reg[6] = 0xc;
    card.reg[0x2c / 4] = 0xabcd;
    card.reg[0x34 / 4] = CARD_MSI;
    card.reg[0x3c / 4] = 0x01ff;
    card.reg[CARD_MSI / 4] = CARD_MSIX << 8 | 0x05 | 0x00800000; /* 64-bit address */
    card.reg[CARD_MSIX / 4] = 0x11;
    card.reg[0x100 / 4] = 0x0001000f; /* ATS */
}

bool card_init(void)
{
    static _Alignas(PAGE_SIZE) u8 memory[16 * PAGE_SIZE];
    static struct vm_config *configs[] = {&config};
    static struct diag d = {.emit = no_message};
    static struct vm one;

    page_add((hpa_t)(uintptr_t)memory, sizeof(memory));
    board.pci.ecam = (struct range){ECAM, 0x10000000};
    board.pci.buses = 1;
    board.pci.mem = (struct range){CARD_WINDOW, 0x1000000};
    board.pci.mem_bus = CARD_BUS;
    config.gicd = CARD_GICD;
    config.pass.npci = 1;
    config.pass.pci[0] =
        (struct cfg_pci){.function = 2 << 3, .stream = CARD_STREAM, .message = MESSAGE};
    one.cfg = &config;
    one.irqchip = &chip;
    card.vm = &one;
    pass_hw = &hw;
    pci_board = &board;
    host_s2_map = map_stage2;
    power_on();
    pci_scan(&board, configs, 1, &d);
    if (!pci_create(&one)) {
        return false;
    }
    mmio_freeze(&one.mmio);
    card_start();
    return true;
}

void card_start(void)
{
    u64 wait;

    card.vm->devs->ops->reset(card.vm->devs);
    while ((wait = pci_start(card.vm)) != 0) {
        assert(wait != PCI_RESET_FAILED);
        host_now_ns += wait;
    }
}

u64 card_access(u64 addr, u32 size, bool write, u64 value)
{
    struct vcpu cpu = {.vm = card.vm};
    struct mmio m = {.addr = addr, .size = (u8)size, .write = write, .value = value};

    assert(mmio_access(&cpu, &m) == MMIO_DONE);
    return m.value;
}
