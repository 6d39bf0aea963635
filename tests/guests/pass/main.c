/* SPDX-License-Identifier: MIT */
/*
 * Devices of the board that the VM was given: a PL011, whose level-triggered interrupt goes through
 * all that a guest may do to one, and a virtio transport, which shares its page with others.
 * Words: uart=ADDRESS uartirq=INTID, virtio=ADDRESS, hole=ADDRESS; `hold` keeps a transport busy
 * instead.
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

/* PL011 (Arm DDI 0183 §3.2) */
enum {
    UARTDR = 0x00,
    UARTIBRD = 0x24,
    UARTCR = 0x30,
    UARTIMSC = 0x38,
    UARTRIS = 0x3c,
    UARTICR = 0x44,
    UARTPERIPHID0 = 0xfe0,
    CR_ON = 0x301,
    INT_TX = 0x20,
};

/* virtio-mmio (VIRTIO 1.2 §4.2.2) */
enum { MAGIC = 0x000, STATUS = 0x070, MAGIC_VALUE = 0x74726976, DRIVER = 3, SLOT = 0x200 };

enum { WAIT_US = 2000000, QUIET_US = 3000, HOLD_US = 1500000, MARK = 0x77 };

static uint64_t uart, transport;
static uint32_t intid;

static volatile uint32_t taken, others;
static void (*in_handler)(void);

static void take_irq(uint64_t entry_time)
{
    uint32_t iar = gic_ack();

    (void)entry_time;
    if (gic_intid(iar) >= GIC_SPURIOUS - 3) {
        return;
    }
    if (gic_intid(iar) != intid) {
        others++;
    } else {
        taken++;
        if (in_handler != 0) {
            in_handler();
        }
    }
    gic_eoi(iar);
}

static void line_low(void)
{
    io_write32(uart + UARTIMSC, 0);
    io_write32(uart + UARTICR, 0x7ff);
    (void)io_read32(uart + UARTRIS);
}

/* What was sent is out at once: "transmitter empty" is pending until it's cleared. */
static void line_high(void)
{
    io_write32(uart + UARTCR, CR_ON);
    io_write32(uart + UARTDR, '.');
    io_write32(uart + UARTIMSC, INT_TX);
    (void)io_read32(uart + UARTRIS);
}

static void begin(void (*handler)(void))
{
    irq_mask();
    exception_irq_hook = take_irq;
    gic_disable(intid);
    line_low();
    gic_set_bit(GICD_ICPENDR, intid);
    gic_set_bit(GICD_ICACTIVER, intid);
    gic_set_priority(intid, 0x80);
    gic_set_edge(intid, false);
    gic_route(intid, 0);
    in_handler = handler;
    taken = 0;
    others = 0;
}

/* Waits for `count` interrupts, and a little longer for one too many. */
static void expect(const char *what, uint32_t count)
{
    uint64_t end = timer_now() + timer_ticks(WAIT_US);

    irq_unmask();
    while (taken < count && timer_now() < end) {
        yield_cpu();
    }
    timer_delay(QUIET_US);
    irq_mask();
    test_equal(what, taken, count);
    test_equal("foreign interrupts", others, 0);
}

static void check_idle(void)
{
    test_check(!gic_bit(GICD_ISPENDR, intid), "still pending");
    test_check(!gic_bit(GICD_ISACTIVER, intid), "still active");
}

static void case_there(void)
{
    test_equal("UARTPeriphID0", io_read32(uart + UARTPERIPHID0), 0x11);
    test_equal("UARTPeriphID0 as a byte", io_read8(uart + UARTPERIPHID0), 0x11);
}

static void case_once(void)
{
    begin(line_low);
    gic_enable(intid);
    line_high();
    expect("interrupts", 1);
    check_idle();
    line_high();
    expect("with another one", 2);
    check_idle();
}

static void low_at_third(void)
{
    if (taken == 3) {
        line_low();
    }
}

/* A level that stays high interrupts again after each EOI. */
static void case_level(void)
{
    begin(low_at_third);
    gic_enable(intid);
    line_high();
    expect("interrupts of a level that stays", 3);
    check_idle();
}

static void disable_first(void)
{
    if (taken == 1) {
        gic_disable(intid);
    } else {
        line_low();
    }
}

/* Disabled while active, ended with the line high: nothing comes until it's enabled again. */
static void case_disable_active(void)
{
    begin(disable_first);
    gic_enable(intid);
    line_high();
    expect("until it's disabled in its handler", 1);
    test_check(!gic_bit(GICD_ISACTIVER, intid), "still active after EOI");
    test_check(gic_bit(GICD_ISPENDR, intid), "the line is high, but it's not pending");
    expect("while it's disabled", 1);
    gic_enable(intid);
    expect("enabled again", 2);
    check_idle();
}

/* … and if the device was served meanwhile, nothing comes at all. */
static void case_served_disabled(void)
{
    begin(disable_first);
    gic_enable(intid);
    line_high();
    expect("until it's disabled in its handler", 1);
    line_low();
    test_check(!gic_bit(GICD_ISPENDR, intid), "pending with the line low");
    gic_enable(intid);
    expect("enabled after the device was served", 1);
    line_high();
    expect("with another one", 2);
    check_idle();
}

/* Pending, disabled before it was taken, served: it's gone when it's enabled. */
static void case_disable_pending(void)
{
    begin(line_low);
    gic_enable(intid);
    line_high();
    test_check(gic_bit(GICD_ISPENDR, intid), "not pending");
    gic_disable(intid);
    line_low();
    gic_enable(intid);
    expect("disabled and served before it was taken", 0);
    check_idle();
    line_high();
    gic_disable(intid);
    expect("disabled", 0);
    gic_enable(intid);
    expect("enabled with the line high", 1);
    check_idle();
}

/* Served by polling before it was taken. */
static void case_withdrawn(void)
{
    begin(line_low);
    gic_enable(intid);
    line_high();
    test_check(gic_bit(GICD_ISPENDR, intid), "not pending");
    line_low();
    test_check(!gic_bit(GICD_ISPENDR, intid), "pending with the line low");
    expect("served by polling", 0);
    line_high();
    expect("with another one", 1);
    check_idle();
}

/* Made inactive and not pending by registers, in its handler and before. */
static void clear_active(void)
{
    line_low();
    gic_set_bit(GICD_ICACTIVER, intid);
}

static void case_registers(void)
{
    begin(clear_active);
    gic_enable(intid);
    line_high();
    expect("made inactive in its handler", 1);
    line_high();
    expect("with another one", 2);
    gic_set_bit(GICD_ISPENDR, intid);
    expect("made pending by a write", 3);
    line_high();
    gic_set_bit(GICD_ICPENDR, intid);
    expect("ICPENDR with the line high", 4);
    check_idle();
}

static void case_mask(void)
{
    begin(line_low);
    gic_enable(intid);
    gic_set_mask(0x40);
    line_high();
    expect("below the mask", 0);
    gic_set_mask(0xf0);
    expect("above it", 1);
    check_idle();
}

/* --- parts of a page ---------------------------------------------------------------------------
 */

static void case_window(void)
{
    test_equal("magic", io_read32(transport + MAGIC), MAGIC_VALUE);
    io_write32(transport + STATUS, 0);
    io_write32(transport + STATUS, 1);
    test_equal("status", io_read32(transport + STATUS), 1);
    io_write32(transport + STATUS, 0);
    test_equal("status after a reset", io_read32(transport + STATUS), 0);
}

/* Whatever the page holds besides is not to be seen, nor to be written. */
static void case_neighbours(void)
{
    uint64_t page = transport & ~0xfffull;
    uint32_t seen = 0;

    for (uint64_t a = page; a < page + 0x1000; a += 4) {
        if (a - transport >= SLOT) {
            seen += io_read32(a) != UINT32_MAX;
            io_write32(a, 0);
        }
    }
    test_equal("words seen of the neighbours", seen, 0);
}

/* Widths that the device may answer with an abort. */
static void case_widths(void)
{
    struct probe p;

    for (uint32_t size = 1; size <= 8; size *= 2) {
        for (uint64_t at = 0; at < 0x100; at += size) {
            (void)probe_read(&p, transport + at, size);
        }
    }
    (void)probe_read(&p, transport + 1, 4);
    (void)probe_write(&p, transport + 6, 4, 0);
    test_equal("magic", io_read32(transport + MAGIC), MAGIC_VALUE);
}

/* A part of a page where the board has nothing: what aborts there is Muntin's access. */
static void case_hole(void)
{
    uint64_t hole = bootargs_number("hole", 0);

    if (hole == 0) {
        test_skip("no hole");
        return;
    }
    test_equal("a byte", io_read8(hole), UINT8_MAX);
    test_equal("2 bytes", io_read16(hole + 2), UINT16_MAX);
    test_equal("4 bytes", io_read32(hole + 4), UINT32_MAX);
    test_equal("8 bytes", io_read64(hole + 8), UINT64_MAX);
    io_write8(hole, 0);
    io_write16(hole + 2, 0);
    io_write32(hole + 4, 0);
    io_write64(hole + 8, 0);
    test_equal("after writes", io_read64(hole), UINT64_MAX);
}

/* Keeps its transport in a state that nobody else may change. */
static void case_hold(void)
{
    uint64_t end = timer_now() + timer_ticks(HOLD_US);
    uint32_t changed = 0;

    io_write32(transport + STATUS, 0);
    io_write32(transport + STATUS, DRIVER);
    test_note("HOLDING");
    while (timer_now() < end) {
        changed += io_read32(transport + STATUS) != DRIVER;
    }
    test_equal("times that the status was another", changed, 0);
}

/* --- a restart ---------------------------------------------------------------------------------
 */

static void reset_in_handler(void)
{
    psci_system_reset();
}

/*
 * The VM restarts with the interrupt active and its line high. A divisor, which nobody resets,
 * tells the second start from the first.
 */
static void case_restart(void)
{
    if (io_read32(uart + UARTIBRD) == MARK) {
        test_skip("it's the second start");
        return;
    }
    begin(reset_in_handler);
    io_write32(uart + UARTIBRD, MARK);
    gic_enable(intid);
    line_high();
    expect("a reset", 0);
}

/* The first thing that the second start does: all is as if nothing had been. */
static void case_restarted(void)
{
    if (io_read32(uart + UARTIBRD) != MARK) {
        test_skip("it's the first start");
        return;
    }
    test_equal("UARTIMSC", io_read32(uart + UARTIMSC), 0);
    test_check(!gic_bit(GICD_ISENABLER, intid), "enabled");
    check_idle();
    exception_irq_hook = take_irq;
    in_handler = line_low;
    gic_set_priority(intid, 0x80);
    gic_route(intid, 0);
    gic_enable(intid);
    expect("of the time before", 0);
    line_high();
    expect("interrupts", 1);
    check_idle();
}

static const struct test_case uart_cases[] = {
    {"restarted", case_restarted},
    {"there", case_there},
    {"once", case_once},
    {"level", case_level},
    {"disable-active", case_disable_active},
    {"served-disabled", case_served_disabled},
    {"disable-pending", case_disable_pending},
    {"withdrawn", case_withdrawn},
    {"registers", case_registers},
    {"mask", case_mask},
    {"restart", case_restart},
};

static const struct test_case virtio_cases[] = {
    {"window", case_window},
    {"neighbours", case_neighbours},
    {"widths", case_widths},
    {"hole", case_hole},
};

static const struct test_case hold_cases[] = {{"hold", case_hold}};

void guest_main(void)
{
    uart = bootargs_number("uart", 0);
    intid = (uint32_t)bootargs_number("uartirq", 40);
    transport = bootargs_number("virtio", 0);
    test_begin("pass");
    gic_init();
    gic_cpu_init();
    if (bootargs_has("hold")) {
        test_run(hold_cases, 1);
    } else if (transport != 0) {
        test_run(virtio_cases, sizeof(virtio_cases) / sizeof(virtio_cases[0]));
    } else {
        test_run(uart_cases, sizeof(uart_cases) / sizeof(uart_cases[0]));
    }
    test_end();
}
