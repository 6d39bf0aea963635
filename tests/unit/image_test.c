/* SPDX-License-Identifier: MIT */
/* Where images go, what is refused and why, and that the right bytes arrive there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/elf.h"
#include "core/image.h"
#include "core/str.h"
#include "tests/host/configs.h"

static u8 buffer[1 << 16];

static void add_linux(struct configs *c, const char *name, u64 text_offset, u64 image_size)
{
    configs_linux(buffer, 4096, text_offset, image_size);
    configs_file(c, name, buffer, 4096);
}

static void add_elf(struct configs *c, const char *name, bool is64, u32 type, u64 entry,
                    const struct elf_part *part, u32 parts)
{
    configs_file(c, name, buffer, configs_elf(buffer, is64, type, entry, part, parts));
}

static void add_magic(struct configs *c, const char *name, u32 at, const char *magic)
{
    memset(buffer, 'x', 256);
    memcpy(buffer + at, magic, strlen(magic));
    configs_file(c, name, buffer, 256);
}

/* Two segments with different virtual and physical addresses, the entry in the second. */
static const struct elf_part rtos[] = {
    {0xffff000000000000, 0x40100000, 100, 0x1000},
    {0xffff000000010000, 0x40110000, 5000, 0x3000},
};
static const struct elf_part two_areas[] = {{0x1000, 0x1000, 64, 64},
                                            {0x40000000, 0x40000000, 0, 0x100}};
static const struct elf_part at_zero[] = {{0, 0, 1000, 0x2000}};
static const struct elf_part far_away[] = {{0, 0x800000000000, 10, 10}};
static const struct elf_part wrapping[] = {{0, 0xffffffffffffff00, 10, 0x1000}};
static const struct elf_part huge[] = {{0, 0x40000000, 10, 0x8000000000000000}};

static void add_files(struct configs *c)
{
    u32 size;

    add_linux(c, "k", 0, 0x300000);
    add_linux(c, "k80", 0x80000, 0x300000);
    add_linux(c, "kold", 0, 0);
    add_linux(c, "kbig", 0, 0x10000000);
    add_linux(c, "kmad", 0, UINT64_MAX);
    add_linux(c, "koff", 0x300000, 0x1000);
    add_elf(c, "rtos.elf", true, 2, 0xffff000000010010, rtos, 2);
    add_elf(c, "rtos32.elf", false, 2, 0x1010, two_areas, 2);
    add_elf(c, "two.elf", true, 2, 0x1010, two_areas, 2);
    add_elf(c, "pie.elf", true, 3, 0x10, at_zero, 1);
    add_elf(c, "fixed0.elf", true, 2, 0x10, at_zero, 1);
    add_elf(c, "noentry.elf", true, 2, 0x5000, at_zero, 1);
    add_elf(c, "far.elf", true, 2, 0, far_away, 1);
    add_elf(c, "wrap.elf", true, 2, 0, wrapping, 1);
    add_elf(c, "huge.elf", true, 2, 0, huge, 1);
    add_elf(c, "object.elf", true, 1, 0, at_zero, 1);
    add_elf(c, "none.elf", true, 2, 0, at_zero, 0);
    size = configs_elf(buffer, true, 2, 0x10, at_zero, 1);
    configs_file(c, "short.elf", buffer, size - 1);
    configs_file(c, "header.elf", buffer, 63);
    configs_file(c, "phdrs.elf", buffer, 70);
    buffer[18] = 62;
    configs_file(c, "x86.elf", buffer, size);
    add_magic(c, "gz", 0, "\x1f\x8b");
    add_magic(c, "zboot", 4, "zimg");
    add_magic(c, "zImage", 0x24, "\x18\x28\x6f\x01");
    add_magic(c, "pe", 0, "MZ");
    add_magic(c, "cpio", 0, "070701");
    add_magic(c, "dtb", 0, "\xd0\x0d\xfe\xed");
    add_magic(c, "raw", 0, "abc");
    memset(buffer, 'r', 5000);
    configs_file(c, "rd", buffer, 5000);
    configs_file(c, "tree", buffer, 100);
}

#define K "ram 32M load k "

/* entry, tree, initrd; then where each load went. */
static const struct {
    const char *text, *plan;
} plans[] = {
    {K, "40200000 tree 40000000 rd 0+0 [40200000+300000]"},
    {"ram 32M load k80", "40280000 tree 40000000 rd 0+0 [40280000+300000]"},
    {"ram 32M load kold", "40280000 tree 40000000 rd 0+0 [40280000+1000]"},
    {"ram 0x40100000,32M load k", "40400000 tree 40100000 rd 0+0 [40400000+300000]"},
    {"ram 0x80000000,32M ram 0x40000000,16M load k",
     "40200000 tree 40000000 rd 0+0 [40200000+300000]"},
    {"ram 0x100000000,32M load k", "100200000 tree 100000000 rd 0+0 [100200000+300000]"},
    {"ram 32M load 0x40000000,k", "40000000 tree 40400000 rd 0+0 [40000000+300000]"},
    {"ram 32M load 0x40080000,k80", "40080000 tree 40000000 rd 0+0 [40080000+300000]"},
    /* behind the kernel, page-aligned, whatever the order */
    {K "initrd load rd", "40200000 tree 40000000 rd 40500000+1388 [40200000+300000] "
                         "[40500000+1388]"},
    {"ram 32M initrd load rd load k", "40200000 tree 40000000 rd 40500000+1388 [40500000+1388] "
                                      "[40200000+300000]"},
    {K "data load rd initrd load rd", "40200000 tree 40000000 rd 40502000+1388 [40200000+300000] "
                                      "[40500000+1388] [40502000+1388]"},
    {"ram 5M load k initrd load rd", "40200000 tree 40000000 rd 40010000+1388 [40200000+300000] "
                                     "[40010000+1388]"},
    {K "initrd load 0x40000000,rd", "40200000 tree 40600000 rd 40000000+1388 [40200000+300000] "
                                    "[40000000+1388]"},
    /* the kernel makes way for what has an address */
    {K "data load 0x40300000,rd", "40400000 tree 40000000 rd 0+0 [40400000+300000] "
                                  "[40300000+1388]"},
    /* the tree: where the user says; with his own tree more room */
    {K "fdt load 0x41000000", "40200000 tree 41000000 rd 0+0 [40200000+300000] [0+0]"},
    {K "fdt load 0x41000000,tree", "40200000 tree 41000000 rd 0+0 [40200000+300000] [0+0]"},
    {K "fdt load tree", "40200000 tree 40000000 rd 0+0 [40200000+300000] [0+0]"},
    {K "fdt load 0x40200000", "40400000 tree 40200000 rd 0+0 [40400000+300000] [0+0]"},
    /* ELF: segments where they're linked, the entry as a physical address */
    {"ram 32M load rtos.elf", "40110010 tree 40000000 rd 0+0 [40100000+13000]"},
    {"ram 32M rom 0x1000,4K load two.elf", "1010 tree 40200000 rd 0+0 [1000+3ffff100]"},
    {"ram 32M load 0x40001000,pie.elf", "40001010 tree 40200000 rd 0+0 [40001000+2000]"},
    {"rom 0,64K ram 32M load fixed0.elf", "10 tree 40000000 rd 0+0 [0+2000]"},
    {"ram 32M rom 0x1000,4K load rtos32.elf", "1010 tree 40200000 rd 0+0 [1000+3ffff100] 32"},
    /* zImage: 32 MiB into RAM, or half of it; everything else behind that and it, below 4 GiB */
    {"ram 64M load zImage", "42000000 tree 42200000 rd 0+0 [42000000+100100] 32"},
    {"ram 16M load zImage initrd load rd",
     "40800000 tree 40a00000 rd 40901000+1388 [40800000+100100] [40901000+1388] 32"},
    {"ram 64M load 0x40100000,zImage data load rd",
     "40100000 tree 42200000 rd 0+0 [40100000+100100] [42101000+1388] 32"},
    {"ram 64M load 0x43000000,zImage data load rd",
     "43000000 tree 43200000 rd 0+0 [43000000+100100] [43101000+1388] 32"},
    {"ram 0xf0000000,256M ram 0x100000000,1M load zImage initrd load rd",
     "f2000000 tree f2200000 rd f2101000+1388 [f2000000+100100] [f2101000+1388] 32"},
    /* bytes */
    {"ram 32M load 0x40200000,raw", "40200000 tree 40000000 rd 0+0 [40200000+100] any"},
    {"ram 32M rom 0x0,4K load 0x0,raw", "0 tree 40000000 rd 0+0 [0+100] any"},
    {"ram 32M guest load 0x40200000,raw data load 0x40200100,raw",
     "40200000 tree 40000000 rd 0+0 [40200000+100] [40200100+100] any"},
    /* an entry of one's own: in the kernel, or in what is just data; ROM will do */
    {K "entry 0x40200040", "40200040 tree 40000000 rd 0+0 [40200000+300000]"},
    {"ram 32M rom 0,4K data load 0,raw entry 0x80", "80 tree 40000000 rd 0+0 [0+100] any"},
    /* bytes and bare entries are of 32 bits if the config says so; kernels have what they have */
    {"ram 32M load 0x40200000,raw set aarch32 on",
     "40200000 tree 40000000 rd 0+0 [40200000+100] 32"},
    {"ram 32M load 0x40200000,raw set aarch32 off", "40200000 tree 40000000 rd 0+0 [40200000+100]"},
    {"ram 32M rom 0,4K data load 0,raw entry 0x80 set aarch32 on",
     "80 tree 40000000 rd 0+0 [0+100] 32"},
    {"set aarch32 off " K, "40200000 tree 40000000 rd 0+0 [40200000+300000]"},
    {"ram 4G ram 16M load 0x40200000,raw set aarch32 on initrd load rd",
     "40200000 tree 40000000 rd 40201000+1388 [40200000+100] [40201000+1388] 32"},
    {K "data load rd entry 0x40501384", "40501384 tree 40000000 rd 0+0 [40200000+300000] "
                                        "[40500000+1388]"},
};

static void plan_text(const struct vm_config *vm, const struct image_plan *p, char *buf)
{
    buf += sprintf(buf, "%llx tree %llx rd %llx+%llx", (unsigned long long)p->entry,
                   (unsigned long long)p->dtb, (unsigned long long)p->initrd,
                   (unsigned long long)p->initrd_size);
    for (u32 i = 0; i < vm->nloads; i++) {
        buf += sprintf(buf, " [%llx+%llx]", (unsigned long long)p->addr[i],
                       (unsigned long long)p->mem_size[i]);
    }
    if (!p->is64 || p->any_width) {
        sprintf(buf, p->any_width ? " any" : " 32");
    }
}

static struct configs *check_text(const char *text)
{
    struct configs *c = configs_new();
    char config[512];

    snprintf(config, sizeof(config), "system a %s", text);
    add_files(c);
    configs_parse(c, "f", config);
    configs_check(c, 3, 0);
    return c;
}

static void test_plans(void **state)
{
    u32 wrong = 0;

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(plans); i++) {
        struct configs *c = check_text(plans[i].text);
        struct image_plan plan;
        char text[512] = "";

        if (c->diag.errors == 0 && image_plan(&c->vm[0], &plan, &c->diag)) {
            plan_text(&c->vm[0], &plan, text);
        }
        if (strcmp(text, plans[i].plan) != 0) {
            printf("of: %s\nexpected: %s\ngot:      %s\n%s", plans[i].text, plans[i].plan, text,
                   c->log);
            wrong++;
        }
        free(c);
    }
    assert_int_equal(wrong, 0);
}

static const struct {
    const char *text, *log;
} refusals[] = {
    /* too large, or in the wrong place: with the numbers */
    {"ram 32M load kbig", "f:1:18: error: 'kbig' needs 262144 KiB, 2 MiB above the start of RAM at "
                          "0x40000000: there's no room\n"},
    {"ram 32M load 0x40200000,kbig",
     "f:1:18: error: 'kbig' needs 262144 KiB at 0x40200000, but ram ends at 0x42000000: 231424 KiB "
     "too small\n"},
    {"ram 32M load kmad",
     "f:1:18: error: 'kmad' is a malformed kernel: text_offset 0x0, image_size "
     "0xffffffffffffffff\n"},
    {"ram 32M load koff", "f:1:18: error: 'koff' is a malformed kernel: text_offset 0x300000, "
                          "image_size 0x1000\n"},
    {"ram 32M load 0x40100000,k",
     "f:1:18: error: 'k' is a Linux kernel that has to lie at a multiple of 2 MiB + 0x0, not at "
     "0x40100000: 0x40000000 would do\n"},
    {"ram 32M load 0x40000000,k80",
     "f:1:18: error: 'k80' is a Linux kernel that has to lie at a multiple of 2 MiB + 0x80000, not "
     "at 0x40000000: 0x40080000 would do\n"},
    {"ram 32M load 0x80000000,k",
     "f:1:18: error: 'k' goes to 0x80000000 (3072 KiB), where there is no RAM\n"},
    {"ram 32M load 0xfffffffffff00000,raw",
     "f:1:18: error: 'raw' goes to 0xfffffffffff00000 (1 KiB), where there is no memory\n"},
    {"ram 4M load 0x40000000,k initrd load 0x403ff000,rd",
     "f:1:42: error: 'rd' needs 5 KiB at 0x403ff000, but ram ends at 0x40400000: 1 KiB too "
     "small\n"},
    {K "initrd load 0x40201000,rd data load 0x42000000,rd",
     "f:1:56: error: 'rd' goes to 0x42000000 (5 KiB), where there is no memory\n"},
    {"ram 32M load 0x40200000,k initrd load 0x40201000,rd",
     "f:1:43: error: 'rd' at 0x40201000 (5 KiB) overlaps 'k' of line 1\n"},
    {"rom 0x1000,8K ram 32M load k initrd load 0x1000,rd",
     "f:1:46: error: 'rd' goes to 0x1000 (5 KiB), where there is no RAM\n"},
    {"ram 3M load 0x40000000,k initrd load rd",
     "f:1:42: error: 'rd' needs 5 KiB, which no place in RAM has left\n"
     "f:1:1: error: no room in RAM for the device tree (64 KiB)\n"},
    {K "fdt load 0x41fff000", "f:1:29: error: the device tree needs 64 KiB of RAM at 0x41fff000, a "
                              "multiple of 8: there's none\n"},
    {K "fdt load 0x40000004", "f:1:29: error: the device tree needs 64 KiB of RAM at 0x40000004, a "
                              "multiple of 8: there's none\n"},
    {"ram 32M load 0x40000000,k fdt load 0x40001000",
     "f:1:18: error: 'k' at 0x40000000 (3072 KiB) overlaps the device tree\n"},
    /* bits: what the kernel has, and where 32 of them reach */
    {K "set aarch32 on", "f:1:37: error: aarch32 is on, but 'k' of line 1 has 64 bits\n"},
    {"ram 64M load zImage\nset aarch32 off",
     "f:2:13: error: aarch32 is off, but 'zImage' of line 1 has 32 bits\n"},
    {"ram 0x100000000,4M set aarch32 on load 0x100000000,raw",
     "f:1:44: error: 'raw' is a 32-bit program and has to lie below 4 GiB, not at 0x100000000\n"},
    {"ram 0x100000000,4M set aarch32 on data load 0x100000000,raw entry 0x100000000",
     "f:1:70: error: entry 0x100000000 is above 4 GiB: not for 32 bits\n"
     "f:1:1: error: no room in RAM for the device tree (64 KiB)\n"},
    /* no kernel, and what it is */
    {"ram 32M load rd",
     "f:1:18: error: 'rd' is no kernel: neither an Image, a zImage nor an ELF file; "
     "bytes to be started "
     "as they are need an address: load ADDRESS,PATH\n"},
    {"ram 32M load gz", "f:1:18: error: 'gz' is compressed with gzip: unpack it first (gunzip)\n"},
    {"ram 32M load 0x40200000,gz",
     "f:1:18: error: 'gz' is compressed with gzip: unpack it first (gunzip)\n"},
    {"ram 32M load zboot", "f:1:18: error: 'zboot' is an EFI zboot kernel, which is compressed: "
                           "unpack it first\n"},
    {"ram 32M load 0x41fff000,zImage", "f:1:18: error: 'zImage' needs 1025 KiB at 0x41fff000, but "
                                       "ram ends at 0x42000000: 1021 KiB too "
                                       "small\n"},
    {"ram 1M load zImage", "f:1:17: error: 'zImage' needs 1025 KiB, 512 KiB above the start of RAM "
                           "at 0x40000000: there's no room\n"},
    {"ram 0x100000000,64M load zImage",
     "f:1:30: error: 'zImage' needs 1025 KiB, 32768 KiB above the start of RAM at 0x100000000: "
     "there's no room\n"},
    {"ram 0x100000000,64M load 0x102000000,zImage",
     "f:1:30: error: 'zImage' is a 32-bit program and has to lie below 4 GiB, not at "
     "0x102000000\n"},
    {"ram 64M load 0x42000000,zImage initrd load 0x42080000,rd",
     "f:1:48: error: 'rd' at 0x42080000 (5 KiB) overlaps 'zImage' of line 1\n"},
    {"ram 32M load pe", "f:1:18: error: 'pe' is a PE (EFI) program, no kernel\n"},
    {"ram 32M load cpio", "f:1:18: error: 'cpio' is a cpio archive, no kernel (initrd load?)\n"},
    {"ram 32M load dtb",
     "f:1:18: error: 'dtb' is a device tree or FIT image, no kernel (fdt load?)\n"},
    {"ram 32M load short.elf", "f:1:18: error: 'short.elf' is a truncated or malformed ELF file: a "
                               "segment lies outside it\n"},
    {"ram 32M load header.elf", "f:1:18: error: 'header.elf' is a truncated ELF file\n"},
    {"ram 32M load phdrs.elf", "f:1:18: error: 'phdrs.elf' is a truncated or malformed ELF file: "
                               "its program headers lie outside it\n"},
    {"ram 32M load x86.elf", "f:1:18: error: 'x86.elf' is an ELF file for another processor than "
                             "little-endian Arm\n"},
    {"ram 32M load object.elf", "f:1:18: error: 'object.elf' is an ELF file, but no executable\n"},
    {"ram 32M load none.elf",
     "f:1:18: error: 'none.elf' is an ELF file without anything to load (an "
     "object file?)\n"},
    {"ram 32M load wrap.elf", "f:1:18: error: 'wrap.elf' is a malformed ELF file: a segment wraps "
                              "around the address space\n"},
    {"ram 32M load huge.elf", "f:1:18: error: 'huge.elf' needs 9007199254740992 KiB at 0x40000000, "
                              "but ram ends at 0x42000000: 9007199254708224 KiB too small\n"},
    {"ram 32M load far.elf",
     "f:1:18: error: 'far.elf' goes to 0x800000000000 (1 KiB), where there is no memory\n"},
    {"ram 32M load fixed0.elf",
     "f:1:18: error: 'fixed0.elf' goes to 0x0 (8 KiB), where there is no memory\n"},
    {"ram 32M load 0x40001000,fixed0.elf",
     "f:1:18: error: 'fixed0.elf' is linked to 0x0 and can't be moved to 0x40001000\n"},
    {"ram 32M rom 0,64K load noentry.elf",
     "f:1:28: error: 'noentry.elf' has its entry point, 0x5000, in none of its segments\n"},
    /* what is right, but likely not meant */
    {K "rom 0,4K rom 0x1000,4K data load 0x1080,raw",
     "f:1:25: note: nothing is loaded into this rom: the guest reads zeros\n"},
    {K "initrd load rd\ninitrd load rd fdt load 0x41000000\nfdt load 0x41100000",
     "f:2:8: warning: the guest is told of this initrd only, not that of line 1\n"
     "f:3:5: warning: the device tree goes here, not where line 2 says\n"},
    {K "entry 0x8000000", "f:1:25: error: entry 0x8000000 is outside of RAM and ROM\n"},
    {K "entry 0x40500000", "f:1:25: error: nothing is loaded at entry 0x40500000\n"},
    {K "entry 0xfffffffffffffffc",
     "f:1:25: error: entry 0xfffffffffffffffc is outside of RAM and ROM\n"},
    {K "fdt load 0x41000000 entry 0x41000000",
     "f:1:45: error: nothing is loaded at entry 0x41000000\n"},
    {"ram 32M data load rd", "f:1:1: error: nothing to start: add `load PATH` of a kernel\n"},
};

static void test_refusals(void **state)
{
    u32 wrong = 0;

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(refusals); i++) {
        struct configs *c = check_text(refusals[i].text);

        if (strcmp(c->log, refusals[i].log) != 0 || c->vm[0].errors != c->diag.errors) {
            printf("of: %s\nexpected:\n%s\ngot:\n%s\n", refusals[i].text, refusals[i].log, c->log);
            wrong++;
        }
        free(c);
    }
    assert_int_equal(wrong, 0);
}

/* Guest memory of the size of each ram and rom, zeroed. */
static void make_memory(const struct vm_config *vm, struct gmem *mem)
{
    mem->count = vm->nmems;
    for (u32 i = 0; i < vm->nmems; i++) {
        const struct cfg_mem *m = &vm->mem[i];

        mem->region[i] = (struct gmem_region){.base = m->base,
                                              .size = m->size,
                                              .ptr = calloc(1, (size_t)m->size),
                                              .writable = m->kind == MEM_RAM};
        assert_non_null(mem->region[i].ptr);
    }
}

static void free_memory(struct gmem *mem)
{
    for (u32 i = 0; i < mem->count; i++) {
        free((void *)mem->region[i].ptr);
    }
}

/* `len` bytes at guest address a, to compare. */
static const u8 *look(const struct gmem *mem, u64 a, u32 len)
{
    static u8 copy[8192];
    const guest_t *p = gmem_span(mem, gpa(a), len, false);

    assert_non_null(p);
    assert_true(len <= sizeof(copy));
    gmem_read(copy, p, len);
    return copy;
}

static const u8 *file_data(struct configs *c, const char *name)
{
    struct bundle_file f;

    assert_true(bundle_find(&c->bundle, str_of(name), &f));
    return f.data;
}

/* Every budget gives the same bytes, none more than the budget a step. */
static void test_load(void **state)
{
    static const u64 budgets[] = {1, 7, 4096, 1 << 20};
    static const u8 zeros[8192];

    (void)state;
    for (u32 b = 0; b < ARRAY_SIZE(budgets); b++) {
        struct configs *c =
            check_text("rom 0x1000,8K ram 32M load k data load 0x1000,raw initrd load rd load "
                       "rtos.elf fdt load tree data load 0x41000000,text");
        struct image_cursor cursor = {.load = 0};
        struct image_plan plan;
        struct gmem mem;
        u32 steps = 1;

        assert_string_equal(c->log, "f:1:108: error: file 'text' not found\n");
        c->vm[0].nloads--;
        c->vm[0].errors = 0;
        assert_true(image_plan(&c->vm[0], &plan, &c->diag));
        make_memory(&c->vm[0], &mem);
        while (!image_load_step(&c->vm[0], &plan, &mem, &cursor, budgets[b])) {
            steps++;
        }
        /* 4096 of the kernel, 256 raw, 5000 of the initrd, 100 and 5000 of the ELF */
        assert_true(steps >= 14452 / budgets[b] && steps <= 14452 / budgets[b] + 2);
        assert_memory_equal(look(&mem, 0x40200000, 4096), file_data(c, "k"), 4096);
        assert_memory_equal(look(&mem, 0x1000, 256), file_data(c, "raw"), 256);
        assert_memory_equal(look(&mem, plan.initrd, 5000), file_data(c, "rd"), 5000);
        assert_memory_equal(look(&mem, 0x40100000, 100), file_data(c, "rtos.elf") + 176, 100);
        assert_memory_equal(look(&mem, 0x40110000, 5000), file_data(c, "rtos.elf") + 276, 5000);
        assert_memory_equal(look(&mem, 0x40100000 + 100, 4000), zeros, 4000);
        assert_memory_equal(look(&mem, 0x40000000, 8192), zeros, 8192);
        free_memory(&mem);
        free(c);
    }
}

/* A file cut off anywhere is refused or stays within itself. */
static void test_elf_truncated(void **state)
{
    u32 size = configs_elf(buffer, true, 2, 0xffff000000010010, rtos, 2);

    (void)state;
    for (u32 len = 0; len < size; len++) {
        u8 *copy = malloc(len + (len == 0));
        const char *why = NULL;
        struct elf e;

        memcpy(copy, buffer, len);
        assert_false(elf_open(&e, copy, len, &why));
        assert_non_null(why);
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plans),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_load),
        cmocka_unit_test(test_elf_truncated),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
