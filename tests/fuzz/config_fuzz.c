/* SPDX-License-Identifier: MIT */
/*
 * The config language: the input is up to four texts with NUL bytes between them, two VMs and the
 * files "x" and "y" for @FILE. They're parsed and checked as at boot, with a kernel, an ELF file
 * and an initrd at hand. Besides sanitizers: a VM without errors is sound (tests/host/configs.c).
 */
#include "core/board.h"
#include "core/str.h"
#include "tests/host/configs.h"

#include <stdlib.h>
#include <string.h>

#define TEXTS 4

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/* The board's reserved memory. */
static void list_areas(config_area *each, void *ctx)
{
    each(ctx, str_of("ram"), (struct range){0x60000000, MIB});
    each(ctx, str_of("x"), (struct range){0xffffffffffffffff, 0xffffffffffffffff});
}

static void add_files(struct configs *c)
{
    static const struct elf_part part = {0x40100000, 0x40100000, 300, 0x1000};
    u8 file[4096];

    configs_linux(file, sizeof(file), 0, 0x100000);
    configs_file(c, "k", file, sizeof(file));
    configs_file(c, "e", file, configs_elf(file, true, 2, 0x40100000, &part, 1));
    configs_file(c, "rd", file, 1000);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct configs *c = configs_new();
    char *text[TEXTS], *all = calloc(1, size + TEXTS);
    size_t at = 0;

    memcpy(all, data, size);
    for (u32 i = 0; i < TEXTS; i++) {
        text[i] = all + at;
        at += strnlen(all + at, size + TEXTS - 1 - at) + 1;
        at = MIN(at, size + TEXTS - 1);
    }
    add_files(c);
    if (size < 65536) {
        configs_file(c, "x", text[2], (u32)strlen(text[2]));
        configs_file(c, "y", text[3], (u32)strlen(text[3]));
    }
    configs_end(c);
    config_areas = list_areas;
    configs_parse(c, "a", text[0]);
    if (text[1][0] != '\0') {
        configs_parse(c, "b", text[1]);
    }
    configs_check(c, 3, 4);
    configs_sound(c);
    free(all);
    free(c);
    return 0;
}
