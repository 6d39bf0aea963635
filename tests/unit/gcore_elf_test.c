/* SPDX-License-Identifier: MIT */
/* Cores as ELF files of both widths, and RAM as the guest's kernel sees it. */
#include "arch/host/gcore.h"

#include "core/textline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RAM      0x40000000ull
#define RAM_SIZE (512 * KIB)
#define HIGH     0x100000000ull

static u64 num(const u8 *p, u32 n)
{
    u64 v = 0;

    for (u32 i = n; i > 0; i--) {
        v = v << 8 | p[i - 1];
    }
    return v;
}

static void elf64(void **state)
{
    static struct gcore g = {.nvcpus = 2, .nregions = 2, .has_vcpu = {true, true}};
    const u8 *ph, *note;
    size_t size;
    u8 *e;

    (void)state;
    for (u32 i = 0; i < 2; i++) {
        struct vcpu_regs *r = &g.vcpu[i];

        r->x[30] = 0x1111111100000000ull * (i + 1) + 30;
        r->sp_el1 = 0xffff800008123450;
        r->pc = 0xffff800008010000 + i * 4;
        r->pstate = 0x600003c5;
        r->v[31][1] = 0xabcdef;
        r->fpsr = 0x10;
        r->fpcr = 0x3000000;
    }
    g.region[0] = (struct gcore_region){.base = RAM, .size = RAM_SIZE};
    g.region[1] = (struct gcore_region){.base = HIGH, .size = PAGE_SIZE};
    e = gcore_elf(&g, &size);
    assert_memory_equal(e, "\177ELF\2\1\1", 7);
    assert_int_equal(num(e + 16, 2), 4);
    assert_int_equal(num(e + 18, 2), 183);
    assert_int_equal(num(e + 54, 2), 56);
    assert_int_equal(num(e + 56, 2), 3);
    assert_int_equal(size % PAGE_SIZE, 0);
    ph = e + num(e + 32, 8);
    assert_int_equal(num(ph, 4), 4);
    note = e + num(ph + 8, 8);
    assert_int_equal(num(ph + 32, 8), 2 * (20 + 392 + 20 + 528));
    assert_int_equal(num(note, 4), 5);
    assert_int_equal(num(note + 4, 4), 392);
    assert_int_equal(num(note + 8, 4), 1);
    assert_memory_equal(note + 12, "CORE", 5);
    note += 20 + 392 + 20 + 528; /* the second vCPU */
    assert_int_equal(num(note + 20 + 32, 4), 2);
    assert_int_equal(num(note + 20 + 112 + 8 * 30, 8), 0x2222222200000000ull + 30);
    assert_int_equal(num(note + 20 + 112 + 8 * 31, 8), 0xffff800008123450);
    assert_int_equal(num(note + 20 + 112 + 8 * 32, 8), 0xffff800008010004);
    assert_int_equal(num(note + 20 + 112 + 8 * 33, 8), 0x600003c5);
    note += 20 + 392;
    assert_int_equal(num(note + 8, 4), 2);
    assert_int_equal(num(note + 20 + 504, 8), 0xabcdef);
    assert_int_equal(num(note + 20 + 512, 4), 0x10);
    assert_int_equal(num(note + 20 + 516, 4), 0x3000000);
    for (u32 i = 0; i < 2; i++) {
        ph += 56;
        assert_int_equal(num(ph, 4), 1);
        assert_int_equal(num(ph + 8, 8), size + i * RAM_SIZE);
        assert_int_equal(num(ph + 24, 8), g.region[i].base);
        assert_int_equal(num(ph + 32, 8), g.region[i].size);
    }
    free(e);
}

static void put_entry(u8 *ram_, u64 at, u64 v)
{
    textline_put64(ram_ + (at - RAM), v);
}

/* Tables of 4 KiB pages and 48 bits: pages and blocks, in RAM, beyond it, and none. */
static void kernel_addresses(void **state)
{
    static u8 memory[RAM_SIZE];
    static struct gcore_view view[GCORE_VIEWS];
    static struct gcore g = {.nvcpus = 2, .nregions = 1, .has_vcpu = {true, true}};
    const u8 *ph;
    size_t size;
    u8 *e;

    (void)state;
    memset(memory, 0, sizeof(memory));
    g.region[0] = (struct gcore_region){.base = RAM, .size = RAM_SIZE, .ram = memory};
    g.vcpu[1].pstate = 0x3c5;
    g.vcpu[1].sctlr = 1;
    g.vcpu[1].tcr = 2ull << 30 | 16 << 16;
    g.vcpu[1].ttbr1 = (RAM + 0x1000) | 0x5000000000000001;
    put_entry(memory, RAM + 0x1000 + 8 * 256, (RAM + 0x2000) | 3);
    put_entry(memory, RAM + 0x1000 + 8 * 511, (RAM + 0x1000) | 3); /* into itself */
    put_entry(memory, RAM + 0x2000, (RAM + 0x3000) | 3);
    put_entry(memory, RAM + 0x3000, (RAM + 0x4000) | 3);
    put_entry(memory, RAM + 0x3000 + 8, RAM | 0x60000000000701); /* a block of 2 MiB */
    put_entry(memory, RAM + 0x3000 + 16, 0x80000000 | 0x701);    /* no RAM */
    put_entry(memory, RAM + 0x3000 + 24, 0x7000000000 | 3);      /* a table that isn't there */
    put_entry(memory, RAM + 0x4000, (RAM + 0x5000) | 0x703);
    put_entry(memory, RAM + 0x4000 + 8, (RAM + 0x6000) | 0x703);
    put_entry(memory, RAM + 0x4000 + 16, (RAM + 0x5000) | 0x703);
    put_entry(memory, RAM + 0x4000 + 24, (RAM + 0x6000) | 0x701); /* reserved */
    put_entry(memory, RAM + 0x4000 + 32, (RAM + RAM_SIZE) | 0x703);
    assert_true(gcore_views(&g, view) >= 3);
    assert_int_equal(view[0].va, 0xffff800000000000);
    assert_int_equal(view[0].pa, RAM + 0x5000);
    assert_int_equal(view[0].size, 0x2000);
    assert_int_equal(view[1].va, 0xffff800000002000);
    assert_int_equal(view[1].pa, RAM + 0x5000);
    assert_int_equal(view[1].size, 0x1000);
    assert_int_equal(view[2].va, 0xffff800000200000);
    assert_int_equal(view[2].pa, RAM);
    assert_int_equal(view[2].size, RAM_SIZE);
    e = gcore_elf(&g, &size);
    ph = e + 64 + 2 * 56; /* behind the note and the region */
    assert_int_equal(num(ph + 8, 8), size + 0x5000);
    assert_int_equal(num(ph + 16, 8), 0xffff800000000000);
    assert_int_equal(num(ph + 24, 8), RAM + 0x5000);
    assert_int_equal(num(ph + 40, 8), 0x2000);
    free(e);
    g.vcpu[1].tcr = 2ull << 30 | 63 << 16;
    assert_int_equal(gcore_views(&g, view), 0);
    g.vcpu[1].tcr = 16 << 16;
    assert_int_equal(gcore_views(&g, view), 0);
    g.vcpu[1].tcr = 3ull << 30 | 22 << 16; /* 64 KiB, 42 bits: other tables, the walk ends */
    (void)gcore_views(&g, view);
    g.vcpu[1].tcr = 2ull << 30 | 16 << 16;
    g.vcpu[1].sctlr = 0;
    assert_int_equal(gcore_views(&g, view), 0);
}

static void elf32(void **state)
{
    static struct gcore g = {.is32 = true, .nvcpus = 1, .nregions = 2, .has_vcpu = {true}};
    const u8 *ph, *note;
    size_t size;
    u8 *e;

    (void)state;
    g.vcpu[0].pc = 0xc0101234;
    g.vcpu[0].pstate = 0x60000013;
    g.vcpu[0].x[12] = 12;
    g.vcpu[0].x[18] = 0xc0001111; /* lr_svc, sp_svc */
    g.vcpu[0].x[19] = 0xc0002222;
    g.vcpu[0].v[15][1] = 0x1122334455667788;
    g.vcpu[0].fpsr = 9;
    g.region[0] = (struct gcore_region){.base = RAM, .size = RAM_SIZE};
    g.region[1] = (struct gcore_region){.base = HIGH, .size = PAGE_SIZE};
    assert_false(gcore_has(&g, &g.region[1]));
    e = gcore_elf(&g, &size);
    assert_memory_equal(e, "\177ELF\1\1\1", 7);
    assert_int_equal(num(e + 18, 2), 40);
    assert_int_equal(num(e + 42, 2), 32);
    assert_int_equal(num(e + 44, 2), 2);
    ph = e + num(e + 28, 4);
    note = e + num(ph + 4, 4);
    assert_int_equal(num(note + 4, 4), 148);
    assert_int_equal(num(note + 20 + 24, 4), 1);
    assert_int_equal(num(note + 20 + 72 + 4 * 12, 4), 12);
    assert_int_equal(num(note + 20 + 72 + 4 * 13, 4), 0xc0002222);
    assert_int_equal(num(note + 20 + 72 + 4 * 14, 4), 0xc0001111);
    assert_int_equal(num(note + 20 + 72 + 4 * 15, 4), 0xc0101234);
    assert_int_equal(num(note + 20 + 72 + 4 * 16, 4), 0x60000013);
    note += 20 + 148;
    assert_int_equal(num(note + 8, 4), 0x400);
    assert_memory_equal(note + 12, "LINUX", 6);
    assert_int_equal(num(note + 20 + 8 * 31, 8), 0x1122334455667788);
    assert_int_equal(num(note + 20 + 256, 4), 9);
    ph += 32;
    assert_int_equal(num(ph, 4), 1);
    assert_int_equal(num(ph + 4, 4), size);
    assert_int_equal(num(ph + 12, 4), RAM);
    assert_int_equal(num(ph + 16, 4), RAM_SIZE);
    free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elf64),
        cmocka_unit_test(kernel_addresses),
        cmocka_unit_test(elf32),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
