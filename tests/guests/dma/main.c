/* SPDX-License-Identifier: MIT */
/*
 * Has QEMU's PCIe device "edu" of the board (docs/specs/edu.rst of QEMU) and tries what a hostile
 * driver may: configuration registers that are not its business, DMA to where it has no memory,
 * messages that are nobody's; between that, that all works that should.
 * Boot arguments: outside=ADDRESS, where it has no memory; status=1: the device is virtio's, and
 * all that is done is to say what its status is (VIRTIO 1.2 §4.1.4.3), and to leave another.
 */
#include "tests/guests/lib/bootargs.h"
#include "tests/guests/lib/exception.h"
#include "tests/guests/lib/gic.h"
#include "tests/guests/lib/io.h"
#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/psci.h"
#include "tests/guests/lib/runtime.h"
#include "tests/guests/lib/sysreg.h"
#include "tests/guests/lib/test.h"
#include "tests/guests/lib/timer.h"

/* The machine, as the tree has it */
#define ECAM  0x3f000000ull
#define BAR   0x10000000ull
#define FRAME 0x08020000ull /* takes messages */

enum {
    FIRST_INTID = 112,
    INTIDS = 64,
    SLOTS = 256, /* of the bus, with functions */
    SLOT = 0x1000,
    OURS = 8, /* device 1 */
    FRAME_TYPER = 8,
    FRAME_SET = 0x40,
};

/* Configuration space (PCI 3.0 §6.1) */
enum {
    ID = 0x00,
    COMMAND = 0x04,
    BAR0 = 0x10,
    ROM = 0x30,
    SUBSYSTEM = 0x2c,
    CAPS = 0x34,
    PIN = 0x3d,
    EXTENDED = 0x100,
    EDU_ID = 0x11e81234,
    MEM = 2,
    MASTER = 4,
    COMMAND_BITS = 0x406, /* MEM, MASTER; INTx is off for good */
    NO_INTX = 0x400,
    CAP_MSI = 5,
    MSI_ADDRESS = 4,
    MSI_DATA = 12,
    MSI_ENABLE = 1,
};

/* edu */
enum {
    IDENT = 0x00,
    IDENT_VALUE = 0x010000ed,
    PENDING = 0x24,
    RAISE = 0x60,
    ACK = 0x64,
    SOURCE = 0x80,
    TARGET = 0x88,
    COUNT = 0x90,
    RUN = 0x98,
    RUN_START = 1,
    RUN_FROM_DEVICE = 2,
    BUFFER = 0x40000,
    WORDS = 2, /* of 4 bytes: edu writes one at a time, and each may be blocked */
    ROOM = 1024,
};

enum { WAIT_US = 10000000, CUT_US = 30000000, QUIET_US = 5000, MARK = 0x40000000 };

static const uint64_t config = ECAM + OURS * SLOT;
static uint64_t outside;
static uint64_t memory; /* a page of ours */
static uint32_t msi;
static volatile uint32_t taken[INTIDS], others;

static void take_irq(uint64_t entry_time)
{
    uint32_t iar = gic_ack(), n = gic_intid(iar) - FIRST_INTID;

    (void)entry_time;
    if (n < INTIDS) {
        taken[n]++;
    } else if (gic_intid(iar) < GIC_SPURIOUS - 3) {
        others++;
    }
    gic_eoi(iar);
}

static uint32_t all_taken(void)
{
    uint32_t sum = others;

    for (uint32_t i = 0; i < INTIDS; i++) {
        sum += taken[i];
        taken[i] = 0;
    }
    others = 0;
    return sum;
}

static void listen(void)
{
    exception_irq_hook = take_irq;
    for (uint32_t i = FIRST_INTID; i < FIRST_INTID + INTIDS; i++) {
        gic_set_edge(i, true);
        gic_set_priority(i, 0x80);
        gic_route(i, 0);
        gic_enable(i);
    }
    irq_unmask();
}

/* The message n comes once, and nothing else does; n INTIDS: nothing at all. */
static void expect(const char *what, uint32_t n)
{
    uint64_t end = timer_now() + timer_ticks(WAIT_US);
    uint32_t got;

    while (n < INTIDS && taken[n] == 0 && timer_now() < end) {
        yield_cpu();
    }
    timer_delay(QUIET_US);
    got = n < INTIDS ? taken[n] : 0;
    test_equal(what, got, n < INTIDS ? 1 : 0);
    test_equal("messages in all", all_taken(), got);
}

/* --- the device --- */

static void set_command(uint32_t bits)
{
    io_write16(config + COMMAND, (uint16_t)bits);
}

static void set_message(uint64_t address, uint32_t data)
{
    io_write32(config + msi + MSI_ADDRESS, (uint32_t)address);
    io_write32(config + msi + MSI_ADDRESS + 4, (uint32_t)(address >> 32));
    io_write16(config + msi + MSI_DATA, (uint16_t)data);
    io_write16(config + msi + 2, MSI_ENABLE);
}

/* edu sends a message only for what was not pending before. */
static void raise(void)
{
    io_write32(BAR + RAISE, 1);
    io_write32(BAR + ACK, 1);
}

static void run(uint64_t source, uint64_t target, uint32_t length, uint32_t how)
{
    uint64_t end = timer_now() + timer_ticks(WAIT_US);

    dsb();
    io_write64(BAR + SOURCE, source);
    io_write64(BAR + TARGET, target);
    io_write64(BAR + COUNT, length);
    io_write64(BAR + RUN, how | RUN_START);
    while ((io_read64(BAR + RUN) & RUN_START) != 0 && timer_now() < end) {
        yield_cpu();
    }
    test_check((io_read64(BAR + RUN) & RUN_START) == 0, "the transfer doesn't end");
    dsb();
}

static void to_device(uint64_t from)
{
    run(from, BUFFER, 4 * WORDS, 0);
}

static void from_device(uint64_t to)
{
    run(BUFFER, to, 4 * WORDS, RUN_FROM_DEVICE);
}

/* True if what is at `from` arrives at `to` by way of the device. */
static bool transfers(uint64_t value)
{
    volatile uint64_t *p = (volatile uint64_t *)memory;

    p[0] = value;
    p[64] = 0;
    to_device(memory);
    from_device(memory + 64 * sizeof(*p));
    return p[64] == value;
}

/* Muntin hears of what was blocked by an interrupt, maybe on a CPU that is busy. */
static bool is_cut(void)
{
    uint64_t end = timer_now() + timer_ticks(CUT_US);
    uint64_t value = 0x9999;

    while (transfers(++value) && timer_now() < end) {
        yield_cpu();
    }
    return !transfers(++value);
}

/* --- cases --- */

/* Before anything else: what the start before has left. */
static void case_restarted(void)
{
    if ((io_read32(BAR + PENDING) & MARK) == 0) {
        test_skip("it's the first start");
        return;
    }
    test_equal("command", io_read16(config + COMMAND), NO_INTX);
    set_command(MEM | MASTER);
    test_check(transfers(0x5555), "cut off for ever");
    set_command(0);
}

static void case_bus(void)
{
    for (uint32_t i = 0; i < SLOTS; i++) {
        test_equal("id", io_read32(ECAM + (uint64_t)i * SLOT), i == OURS ? EDU_ID : UINT32_MAX);
    }
    test_equal("a byte of it", io_read8(config + 1), EDU_ID >> 8 & 0xff);
    test_equal("a halfword of it", io_read16(config + 2), EDU_ID >> 16);
    test_equal("8 bytes", io_read64(config), UINT64_MAX);
    test_equal("edu", io_read32(BAR + IDENT), IDENT_VALUE);
}

/* All ones tell the size; another address is not taken up. */
static void case_bar(void)
{
    test_equal("BAR 0", io_read32(config + BAR0), BAR);
    io_write32(config + BAR0, UINT32_MAX);
    test_equal("its size", io_read32(config + BAR0), 0xfff00000);
    io_write32(config + BAR0, (uint32_t)BAR + 0x100000);
    test_equal("edu", io_read32(BAR + IDENT), IDENT_VALUE);
    io_write32(config + BAR0, (uint32_t)BAR);
    for (uint32_t i = 1; i < 6; i++) {
        io_write32(config + BAR0 + 4 * i, UINT32_MAX);
        test_equal("another BAR", io_read32(config + BAR0 + 4 * i), 0);
    }
}

static void case_denied(void)
{
    uint32_t subsystem = io_read32(config + SUBSYSTEM), pointer = io_read32(config + CAPS);

    io_write32(config + ID, 0);
    io_write32(config + SUBSYSTEM, ~subsystem);
    io_write32(config + CAPS, 0);
    io_write32(config + ROM, UINT32_MAX);
    io_write8(config + PIN, 3);
    io_write32(config + EXTENDED, UINT32_MAX);
    io_write32(config + SLOT, UINT32_MAX);
    io_write64(config, UINT64_MAX);
    test_equal("id", io_read32(config + ID), EDU_ID);
    test_equal("subsystem", io_read32(config + SUBSYSTEM), subsystem);
    test_equal("capabilities", io_read32(config + CAPS), pointer);
    test_equal("ROM", io_read32(config + ROM), 0);
    test_equal("interrupt pin", io_read8(config + PIN), 0);
    test_equal("extended", io_read32(config + EXTENDED), 0);
    set_command(0xffff);
    test_equal("bits of the command", io_read16(config + COMMAND) & ~COMMAND_BITS, 0);
    set_command(0);
    test_equal("command", io_read16(config + COMMAND), NO_INTX);
    test_equal("edu without memory space", io_read32(BAR + IDENT), IDENT_VALUE);
}

static void case_dma(void)
{
    set_command(MEM);
    test_check(!transfers(0x1111), "without bus mastering");
    set_command(MEM | MASTER);
    test_check(transfers(0x2222), "with bus mastering");
    set_command(MEM);
    test_check(!transfers(0x3333), "without it again");
    set_command(MEM | MASTER);
    test_check(transfers(0x4444), "with it again");
}

static void case_messages(void)
{
    uint32_t typer = io_read32(FRAME + FRAME_TYPER);

    test_equal("MSI_TYPER", typer, FIRST_INTID << 16 | INTIDS);
    set_command(MEM | MASTER);
    for (uint32_t n = 0; n < INTIDS; n += 21) {
        set_message(FRAME + FRAME_SET, FIRST_INTID + n);
        raise();
        expect("a message", n);
    }
    io_write16(config + msi + 2, 0);
    raise();
    expect("with MSI off", INTIDS);
}

/* EventIDs next to ours, and those of SPIs that devices of ours have. */
static void case_foreign_messages(void)
{
    static const uint32_t data[] = {0, 33, FIRST_INTID - 1, FIRST_INTID + INTIDS, 511, 512, 0xffff};

    set_command(MEM | MASTER);
    for (uint32_t i = 0; i < sizeof(data) / sizeof(data[0]); i++) {
        set_message(FRAME + FRAME_SET, data[i]);
        raise();
        expect("a message that is nobody's", INTIDS);
    }
    set_message(FRAME + FRAME_SET, FIRST_INTID + 1);
    raise();
    expect("and one of ours", 1);
}

/* A store of the CPU's does what a message does. */
static void case_frame(void)
{
    io_write32(FRAME + FRAME_SET, FIRST_INTID + 5);
    expect("a store", 5);
    io_write32(FRAME + FRAME_SET, FIRST_INTID - 1);
    io_write32(FRAME + FRAME_SET, FIRST_INTID + INTIDS);
    io_write32(FRAME + FRAME_SET, UINT32_MAX);
    io_write16(FRAME + FRAME_SET, FIRST_INTID);
    io_write32(FRAME, FIRST_INTID);
    expect("stores that mean nothing", INTIDS);
}

/* The last case of the first start: what is blocked hurts nobody; so much of it, and all is. */
static void case_outside(void)
{
    set_command(MEM | MASTER);
    if ((io_read32(BAR + PENDING) & MARK) != 0) {
        test_check(transfers(0x6666), "own memory");
        return;
    }
    to_device(memory);
    from_device(outside);
    test_check(transfers(0x7777), "own memory, after something else");
    to_device(outside); /* then the device's buffer isn't ours to know */
    from_device(BAR);
    from_device(FRAME & ~0xffffull);
    test_check(transfers(0x8888), "own memory, after a few");
    run(BUFFER, outside, ROOM, RUN_FROM_DEVICE);
    test_check(is_cut(), "own memory, cut off");
    set_command(MEM);
    set_command(MEM | MASTER);
    test_check(!transfers(0xaaaa), "own memory, after bus mastering was off");
    io_write32(BAR + RAISE, MARK);
    psci_system_reset();
}

static const struct test_case cases[] = {
    {"restarted", case_restarted},
    {"bus", case_bus},
    {"bar", case_bar},
    {"denied", case_denied},
    {"dma", case_dma},
    {"messages", case_messages},
    {"foreign-messages", case_foreign_messages},
    {"frame", case_frame},
    {"outside", case_outside},
};

enum { BAR4 = 0x20, BAR_BITS = 0xfffffff0, STATUS = 0x14, STATUS_DRIVER = 3 };

static void tell_status(void)
{
    uint64_t status = (io_read32(config + BAR4) & BAR_BITS) + STATUS;
    uint32_t before = io_read8(status);

    io_write8(status, STATUS_DRIVER);
    test_note("status=%u then=%u", before, io_read8(status));
    for (;;) {
        wfi();
    }
}

static uint32_t find_msi(void)
{
    uint32_t at = io_read8(config + CAPS) & 0xfcu;

    while (at != 0 && io_read8(config + at) != CAP_MSI) {
        at = io_read8(config + at + 1) & 0xfcu;
    }
    return at;
}

void guest_main(void)
{
    outside = bootargs_number("outside", 0);
    memory = platform_free_ram(4096, 4096);
    test_begin("dma");
    if (bootargs_number("status", 0) != 0) {
        tell_status();
    }
    gic_init();
    gic_cpu_init();
    msi = find_msi();
    if (msi == 0 || memory == 0) {
        test_panic("no MSI capability, or no memory");
    }
    listen();
    test_run(cases, sizeof(cases) / sizeof(cases[0]));
    test_end();
}
