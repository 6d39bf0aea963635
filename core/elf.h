/* SPDX-License-Identifier: MIT */
/* ELF executables, 32 and 64 bits, little-endian, as bytes in memory that may be malformed. */
#ifndef CORE_ELF_H
#define CORE_ELF_H

#include "core/types.h"

#define ELF_SEGMENTS 32

struct elf {
    const u8 *data;
    u64 size;
    bool is64;    /* AArch64; else 32-bit Arm */
    bool dynamic; /* ET_DYN: may be moved */
    u64 entry;    /* virtual */
    u64 phoff;
    u32 phentsize, phnum;
};

struct elf_segment {
    u64 paddr, vaddr, mem_size;
    u64 offset, file_size; /* within the file; file_size <= mem_size */
};

/* False: *why says what is wrong with it; every program header has been looked at. */
bool elf_open(struct elf *e, const u8 *data, u64 size, const char **why) MUST_CHECK;

/* Program header i < phnum. False: it loads nothing. */
bool elf_segment(const struct elf *e, u32 i, struct elf_segment *s) MUST_CHECK;

/* The lowest physical address, and how many bytes lie between it and the highest. */
void elf_extent(const struct elf *e, u64 *lowest, u64 *bytes);

/* The entry point as a physical address; false: no segment contains it. */
bool elf_entry(const struct elf *e, u64 *entry) MUST_CHECK;

#endif
