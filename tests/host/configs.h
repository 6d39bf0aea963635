/* SPDX-License-Identifier: MIT */
/* Configs, files and bundles for tests: texts in, struct vm_config and all messages out. */
#ifndef TESTS_HOST_CONFIGS_H
#define TESTS_HOST_CONFIGS_H

#include "core/check.h"
#include "core/config.h"

#define CONFIGS_VMS  10
#define CONFIGS_LOG  16384
#define CONFIGS_CPIO (1u << 20)

struct configs {
    struct diag diag;
    char log[CONFIGS_LOG]; /* every message, a line each */
    u32 log_len;
    struct cfg_arena arena;
    _Alignas(8) u8 arena_data[1 << 18];
    u8 cpio[CONFIGS_CPIO];
    u32 cpio_len;
    struct bundle bundle;
    struct cfg_bundle_source source;
    struct vm_config vm[CONFIGS_VMS], *vms[CONFIGS_VMS];
    u32 count;
};

/* To be freed with free(). */
struct configs *configs_new(void);

/* Adds a file to the bundle; configs_end closes and opens it. */
void configs_file(struct configs *c, const char *name, const void *data, u32 size);
void configs_entry(struct configs *c, const char *name, u32 mode, const void *data, u32 size);
void configs_end(struct configs *c);

/* Parses text as one more VM, with @FILE from the bundle if there's one and the fake types. */
struct vm_config *configs_parse(struct configs *c, const char *name, const char *text);
struct vm_config *configs_parse_str(struct configs *c, const char *name, struct str text);
/* Checks all parsed VMs; opens the bundle if that wasn't done. */
void configs_check(struct configs *c, u32 gic_version, u32 npcpus);

/* What must hold of every VM that was checked and has no errors; panics. */
void configs_sound(const struct configs *c);

/* What a VM says, without places in files, as text into buf. */
void configs_dump(const struct vm_config *vm, char *buf, u32 size);

/* An arm64 Image header: magic, text_offset, image_size; the rest of size bytes counts up. */
void configs_linux(u8 *image, u32 size, u64 text_offset, u64 image_size);

struct elf_part {
    u64 vaddr, paddr, file_size, mem_size;
};
/* An ELF file with these segments, whose bytes count up; returns its size. */
u32 configs_elf(u8 *elf, bool is64, u32 type, u64 entry, const struct elf_part *part, u32 parts);

#endif
