/* SPDX-License-Identifier: MIT */
/*
 * The traps guest: every form of access to a device.  The device is the PL011, whose
 * identification registers read 11 10 x4 00 0d f0 05 b1 and whose baud-rate registers hold 16 and
 * 6 bits.  A form is emulated in full, or it ends in an external abort; half-done is a failure.
 */
#include <stddef.h>

#include "tests/guests/lib/forms.h"
#include "tests/guests/lib/insn.h"
#include "tests/guests/lib/io.h"
#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/probe.h"
#include "tests/guests/lib/test.h"
#include "tests/guests/traps/traps_test.h"

enum { UARTIBRD = 0x24, UARTFBRD = 0x28 };
enum { PERIPH_ID0 = 0xfe0, PCELL_ID3 = 0xffc };
enum { OLD_IBRD = 0x0777, OLD_FBRD = 0x2a, NEW_IBRD = 0x1234, NEW_FBRD = 0x15 };
enum { FSC_EXCLUSIVE = 0x35 };
#define ANY_VALUE 0x5a5a5a5a5a5a5a5aull

static uint32_t emulated;
static uint32_t aborted;

/* What register number index of the form would load from these bytes. */
static uint64_t extract(const uint8_t *bytes, const struct form *f, uint32_t index)
{
    uint64_t value = 0;

    for (uint32_t i = f->bytes; i-- > 0;) {
        value = value << 8 | bytes[index * f->bytes + i];
    }
    if (f->kind == FORM_LOAD_SIGNED && value >> (8 * f->bytes - 1)) {
        value |= ~0ull << (8 * f->bytes - 1);
    }
    return value;
}

/* An external abort that names the access, or, for what devices need not bear, another one. */
static void check_abort(const struct form *f, const struct probe *p, uint64_t addr)
{
    uint32_t code = (uint32_t)p->esr & FSC_MASK;
    bool picky = f->kind == FORM_ATOMIC || f->kind == FORM_OTHER || addr % (f->bytes * f->count);

    aborted++;
    test_check(
        probe_class(p) == EC_DATA_ABORT &&
            (code == FSC_EXTERNAL || (picky && (code == FSC_ALIGNMENT || code == FSC_EXCLUSIVE))),
        "%s: esr 0x%lx", f->name, p->esr);
    test_check(!f->step || p->x9 == addr, "%s: aborted, but the address moved by %ld", f->name,
               (int64_t)(p->x9 - addr));
    test_check((p->far & ~0xfull) == (addr & ~0xfull) || picky, "%s: far 0x%lx", f->name, p->far);
}

static void check_load(const struct form *f, uint64_t addr, const uint8_t *bytes)
{
    struct form_regs regs = {{ANY_VALUE, ANY_VALUE}, 0};
    struct probe p;

    if (!form_run(&p, f, addr, &regs)) {
        check_abort(f, &p, addr);
        return;
    }
    emulated++;
    for (uint32_t i = 0; i < f->count; i++) {
        test_check(regs.value[i] == extract(bytes, f, i), "%s: loaded 0x%lx, expected 0x%lx",
                   f->name, regs.value[i], extract(bytes, f, i));
    }
    test_check(regs.base == addr + (uint64_t)(int64_t)f->step, "%s: the address moved by %ld",
               f->name, (int64_t)(regs.base - addr));
}

void devices_loads(void)
{
    uint64_t addr = platform.uart + PERIPH_ID0;
    uint8_t bytes[16];
    uint8_t negative[4];

    for (uint32_t i = 0; i < 4; i++) {
        uint32_t word = io_read32(addr + 4 * i);

        for (uint32_t j = 0; j < 4; j++) {
            bytes[4 * i + j] = (uint8_t)(word >> 8 * j);
            negative[j] = (uint8_t)(io_read32(platform.uart + PCELL_ID3) >> 8 * j);
        }
    }
    test_equal("first identification register", bytes[0], 0x11);
    test_equal("last identification register", negative[0], 0xb1);
    emulated = aborted = 0;
    for (const struct form *f = forms; f < forms_end; f++) {
        if ((f->kind == FORM_LOAD || f->kind == FORM_LOAD_SIGNED) && form_exists(f)) {
            check_load(f, addr, bytes);
            if (f->bytes == 1 && f->count == 1) {
                check_load(f, platform.uart + PCELL_ID3, negative);
            }
        }
    }
    test_note("loads from a device: %u done, %u aborted", emulated, aborted);
}

static void check_store(const struct form *f)
{
    uint64_t addr = platform.uart + UARTIBRD;
    struct form_regs regs = {{NEW_IBRD, NEW_FBRD}, 0};
    uint32_t ibrd = NEW_IBRD;
    uint32_t fbrd = f->count == 2 ? NEW_FBRD : OLD_FBRD;
    struct probe p;

    io_write32(platform.uart + UARTIBRD, OLD_IBRD);
    io_write32(platform.uart + UARTFBRD, OLD_FBRD);
    if (!form_run(&p, f, addr, &regs)) {
        check_abort(f, &p, addr);
        ibrd = OLD_IBRD;
        fbrd = OLD_FBRD;
    } else {
        emulated++;
        test_check(regs.base == addr + (uint64_t)(int64_t)f->step, "%s: the address moved by %ld",
                   f->name, (int64_t)(regs.base - addr));
    }
    test_check(
        io_read32(platform.uart + UARTIBRD) == ibrd && io_read32(platform.uart + UARTFBRD) == fbrd,
        "%s: stored 0x%x 0x%x, expected 0x%x 0x%x", f->name, io_read32(platform.uart + UARTIBRD),
        io_read32(platform.uart + UARTFBRD), ibrd, fbrd);
}

void devices_stores(void)
{
    emulated = aborted = 0;
    for (const struct form *f = forms; f < forms_end; f++) {
        if (f->kind == FORM_STORE && form_exists(f)) {
            check_store(f);
        }
    }
    test_note("stores to a device: %u done, %u aborted", emulated, aborted);
}

/* Atomics, exclusives, cache operations: any answer will do, but one, and the UART still works. */
void devices_other(void)
{
    emulated = aborted = 0;
    for (const struct form *f = forms; f < forms_end; f++) {
        uint64_t addr = platform.uart + (f->kind == FORM_ATOMIC ? UARTIBRD : PERIPH_ID0 - 0x20);
        struct form_regs regs = {{NEW_IBRD, NEW_FBRD}, 0};
        struct probe p;

        if ((f->kind != FORM_ATOMIC && f->kind != FORM_OTHER) || !form_exists(f)) {
            continue;
        }
        if (form_run(&p, f, addr, &regs)) {
            emulated++;
        } else {
            check_abort(f, &p, addr);
        }
    }
    test_note("other accesses to a device: %u done, %u aborted", emulated, aborted);
    test_equal("identification afterwards", io_read32(platform.uart + PERIPH_ID0), 0x11);
}

/* Plain accesses of every size to the first registers of every device. */
void devices_sizes(void)
{
    uint64_t pages[] = {platform.uart, platform.gicd.base, platform.virtio[0].base};
    uint32_t aborts = 0;
    struct probe p;

    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        for (uint64_t offset = 4; pages[i] && offset < 0x100; offset += 4) {
            for (uint32_t size = 1; size <= 8; size *= 2) {
                if (offset % size == 0) {
                    aborts += !probe_read(&p, pages[i] + offset, size);
                }
            }
        }
    }
    test_note("sizes: %u aborts", aborts);
    test_equal("identification afterwards", io_read32(platform.uart + PERIPH_ID0), 0x11);
}
