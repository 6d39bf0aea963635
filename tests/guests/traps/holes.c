/* SPDX-License-Identifier: MIT */
/*
 * The traps guest: accesses to addresses that have neither RAM nor a device.  hole-policy=ignore
 * (the default: reads all ones, drops writes) or fail (external abort) in the boot arguments says
 * what is expected of data; fetches and table walks abort under both.
 */
#include <stddef.h>

#include "tests/guests/lib/bootargs.h"
#include "tests/guests/lib/forms.h"
#include "tests/guests/lib/mmu.h"
#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/probe.h"
#include "tests/guests/lib/sysreg.h"
#include "tests/guests/lib/test.h"
#include "tests/guests/traps/traps_test.h"

enum { FSC_WALK_EXTERNAL = 0x14, FSC_WALK_LEVEL = 3 };
enum { WALK_GIB = MMU_ROOT_ENTRIES - 1 }; /* a GiB of addresses where nothing is */

static bool expect_aborts(void)
{
    return bootargs_lists("hole-policy", "fail");
}

uint64_t traps_hole(void)
{
    return bootargs_number("hole", 0x0b000000);
}

static uint64_t ones(uint32_t bytes)
{
    return bytes == 8 ? ~0ull : (1ull << 8 * bytes) - 1;
}

void holes_sizes(void)
{
    struct probe p;

    for (uint32_t size = 1; size <= 8; size *= 2) {
        for (uint64_t addr = traps_hole(); addr < traps_hole() + 0x2000; addr += 0xff8) {
            bool read = probe_read(&p, addr, size);

            if (expect_aborts()) {
                test_check(!read && probe_external_abort(&p) && p.far == addr,
                           "read of %u bytes: esr 0x%lx far 0x%lx", size, p.esr, p.far);
            } else {
                test_check(read && p.value == ones(size), "read of %u bytes: 0x%lx (esr 0x%lx)",
                           size, p.value, p.esr);
            }
            test_check(probe_write(&p, addr, size, 0) != expect_aborts(), "write of %u bytes",
                       size);
        }
    }
}

static void check_form(const struct form *f, uint32_t *done)
{
    struct form_regs regs = {{0}, 0};
    struct probe p;

    if (!form_run(&p, f, traps_hole(), &regs)) {
        test_check(probe_class(&p) == EC_DATA_ABORT, "%s: esr 0x%lx", f->name, p.esr);
        test_check(probe_external_abort(&p) || f->kind == FORM_ATOMIC || f->kind == FORM_OTHER,
                   "%s: esr 0x%lx", f->name, p.esr);
        return;
    }
    ++*done;
    if (f->kind == FORM_LOAD || f->kind == FORM_LOAD_SIGNED) {
        uint64_t expected = f->kind == FORM_LOAD ? ones(f->bytes) : ~0ull;

        test_check(!expect_aborts(), "%s: no abort", f->name);
        test_check(regs.value[0] == expected && (f->count == 1 || regs.value[1] == expected),
                   "%s: loaded 0x%lx 0x%lx", f->name, regs.value[0], regs.value[1]);
    }
    if (f->kind != FORM_OTHER) {
        test_check(regs.base == traps_hole() + (uint64_t)(int64_t)f->step,
                   "%s: the address moved by %ld", f->name, (int64_t)(regs.base - traps_hole()));
    }
}

/* As device memory, and as normal memory, which lets more forms out to stage 2. */
void holes_forms(void)
{
    uint32_t done = 0;

    for (const struct form *f = forms; f < forms_end; f++) {
        if (form_exists(f)) {
            check_form(f, &done);
        }
    }
    test_note("forms on a hole as device memory: %u done", done);
    done = 0;
    mmu_set(traps_hole(), MMU_NORMAL_NC);
    for (const struct form *f = forms; f < forms_end; f++) {
        if (form_exists(f)) {
            check_form(f, &done);
        }
    }
    mmu_set(traps_hole(), MMU_DEVICE);
    test_note("forms on a hole as normal memory: %u done", done);
}

static void check_fetch(const char *what, uint64_t addr)
{
    struct probe p;

    mmu_set(addr, MMU_NORMAL);
    test_check(!probe_run(&p, (uint64_t(*)(uint64_t, uint64_t, uint64_t))addr, 0, 0, 0) &&
                   probe_class(&p) == EC_INSTR_ABORT && probe_external_abort(&p) && p.far == addr,
               "fetch from %s: esr 0x%lx far 0x%lx", what, p.esr, p.far);
    mmu_set(addr, MMU_DEVICE);
}

void holes_fetch(void)
{
    check_fetch("a hole", traps_hole());
    check_fetch("a device", platform.uart);
}

/* Stage-1 tables in a hole: the walk aborts, whatever the policy for data. */
void holes_walk(void)
{
    uint64_t addr = (uint64_t)WALK_GIB << 30;
    struct probe p;

    mmu_set_table(WALK_GIB, traps_hole());
    test_check(!probe_read(&p, addr, 4), "read: 0x%lx", p.value);
    test_check(probe_class(&p) == EC_DATA_ABORT &&
                   ((p.esr & FSC_MASK & ~(uint64_t)FSC_WALK_LEVEL) == FSC_WALK_EXTERNAL ||
                    probe_external_abort(&p)),
               "read: esr 0x%lx", p.esr);
    test_check(!probe_write(&p, addr, 4, 0), "write");
    test_check(!probe_run(&p, (uint64_t(*)(uint64_t, uint64_t, uint64_t))addr, 0, 0, 0) &&
                   probe_class(&p) == EC_INSTR_ABORT,
               "fetch: esr 0x%lx", p.esr);
    mmu_set_table(WALK_GIB, 0);
}

/* The last bytes of RAM are there, the next ones are a hole; an access across gets an answer. */
void holes_after_ram(void)
{
    const struct region *ram = &platform.ram[0];
    uint64_t end = ram->base + ram->size;
    struct form_regs regs = {{0}, 0};
    struct probe p;

    if (end >= 4ull << 30) {
        test_skip("RAM reaches 4 GiB");
        return;
    }
    test_check(probe_write(&p, end - 8, 8, 0x1122334455667788) && probe_read(&p, end - 8, 8) &&
                   p.value == 0x1122334455667788,
               "last bytes of RAM: 0x%lx", p.value);
    test_check(probe_read(&p, end, 8) ? p.value == ~0ull && !expect_aborts() : expect_aborts(),
               "first bytes after RAM: 0x%lx", p.value);
    mmu_set(end, MMU_NORMAL);
    for (const struct form *f = forms; f < forms_end; f++) {
        if (form_exists(f)) {
            form_run(&p, f, end - 4, &regs);
        }
    }
    mmu_set(end, MMU_DEVICE);
    probe_write(&p, end - 8, 8, 0x55);
    test_check(probe_read(&p, end - 8, 8) && p.value == 0x55, "RAM afterwards: 0x%lx", p.value);
}
