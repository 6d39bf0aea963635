/* SPDX-License-Identifier: MIT */
/* ELF headers (System V ABI, chapter 4 and 5). Reads bytes, never structs: files are unaligned. */
#include "core/elf.h"

#include <string.h>

#define PT_LOAD    1
#define ET_EXEC    2
#define ET_DYN     3
#define EM_ARM     40
#define EM_AARCH64 183

static u64 get(const u8 *p, u32 bytes)
{
    u64 v = 0;

    while (bytes-- > 0) {
        v = v << 8 | p[bytes];
    }
    return v;
}

static void read_segment(const struct elf *e, u32 i, struct elf_segment *s)
{
    const u8 *p = e->data + e->phoff + (u64)i * e->phentsize;

    if (e->is64) {
        *s = (struct elf_segment){.offset = get(p + 8, 8),
                                  .vaddr = get(p + 16, 8),
                                  .paddr = get(p + 24, 8),
                                  .file_size = get(p + 32, 8),
                                  .mem_size = get(p + 40, 8)};
    } else {
        *s = (struct elf_segment){.offset = get(p + 4, 4),
                                  .vaddr = get(p + 8, 4),
                                  .paddr = get(p + 12, 4),
                                  .file_size = get(p + 16, 4),
                                  .mem_size = get(p + 20, 4)};
    }
}

bool elf_segment(const struct elf *e, u32 i, struct elf_segment *s)
{
    if (get(e->data + e->phoff + (u64)i * e->phentsize, 4) != PT_LOAD) {
        return false;
    }
    read_segment(e, i, s);
    return s->mem_size > 0;
}

static bool check_segments(const struct elf *e, const char **why)
{
    struct elf_segment s;
    u32 loads = 0;

    for (u32 i = 0; i < e->phnum; i++) {
        if (!elf_segment(e, i, &s)) {
            continue;
        }
        loads++;
        if (s.file_size > s.mem_size || s.offset > e->size || s.file_size > e->size - s.offset) {
            *why = "is a truncated or malformed ELF file: a segment lies outside it";
            return false;
        }
        if (s.paddr + s.mem_size < s.paddr) {
            *why = "is a malformed ELF file: a segment wraps around the address space";
            return false;
        }
    }
    if (loads == 0) {
        *why = "is an ELF file without anything to load (an object file?)";
    }
    return loads > 0;
}

static bool read_header(struct elf *e, const char **why)
{
    const u8 *d = e->data;
    u64 type, machine = get(d + 18, 2);

    if (d[5] != 1 || (machine != EM_AARCH64 && machine != EM_ARM) ||
        e->is64 != (machine == EM_AARCH64)) {
        *why = "is an ELF file for another processor than little-endian Arm";
        return false;
    }
    type = get(d + 16, 2);
    e->dynamic = type == ET_DYN;
    if (type != ET_EXEC && type != ET_DYN) {
        *why = "is an ELF file, but no executable";
        return false;
    }
    e->entry = get(d + 24, e->is64 ? 8 : 4);
    e->phoff = get(d + (e->is64 ? 32 : 28), e->is64 ? 8 : 4);
    e->phentsize = (u32)get(d + (e->is64 ? 54 : 42), 2);
    e->phnum = (u32)get(d + (e->is64 ? 56 : 44), 2);
    return true;
}

bool elf_open(struct elf *e, const u8 *data, u64 size, const char **why)
{
    *e = (struct elf){.data = data, .size = size};
    if (size < 5 || memcmp(data, "\177ELF", 4) != 0) {
        *why = "is not an ELF file";
        return false;
    }
    e->is64 = data[4] == 2;
    if (size < (e->is64 ? 64u : 52u)) {
        *why = "is a truncated ELF file";
        return false;
    }
    if (!read_header(e, why)) {
        return false;
    }
    if (e->phentsize < (e->is64 ? 56u : 32u) || e->phnum > ELF_SEGMENTS || e->phoff > size ||
        (u64)e->phnum * e->phentsize > size - e->phoff) {
        *why = "is a truncated or malformed ELF file: its program headers lie outside it";
        return false;
    }
    return check_segments(e, why);
}

void elf_extent(const struct elf *e, u64 *lowest, u64 *bytes)
{
    struct elf_segment s;
    u64 highest = 0;

    *lowest = UINT64_MAX;
    for (u32 i = 0; i < e->phnum; i++) {
        if (elf_segment(e, i, &s)) {
            *lowest = MIN(*lowest, s.paddr);
            highest = MAX(highest, s.paddr + s.mem_size);
        }
    }
    *bytes = highest - *lowest;
}

bool elf_entry(const struct elf *e, u64 *entry)
{
    struct elf_segment s;

    for (u32 i = 0; i < e->phnum; i++) {
        if (elf_segment(e, i, &s) && range_within(e->entry, 1, s.vaddr, s.mem_size)) {
            *entry = e->entry - s.vaddr + s.paddr;
            return true;
        }
    }
    return false;
}
