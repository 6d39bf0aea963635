/* SPDX-License-Identifier: MIT */
/*
 * Files to load. The input's first byte picks a config, the rest is the file "f" that it loads as
 * kernel, data, initrd or tree. A VM without errors is loaded into memory of its size, in steps of
 * an odd number of bytes; the sanitizer watches that it stays in there.
 */
#include "core/image.h"
#include "core/panic.h"
#include "tests/host/configs.h"

#include <stdlib.h>

#define STEP 4093

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static const char *const config[] = {
    "system a ram 8M load f",
    "system a ram 8M load 0x40080000,f",
    "system a ram 8M rom 0,64K load f",
    "system a ram 4M ram 4M load f initrd load f",
    "system a ram 8M load f data load 0x40700000,f fdt load f",
    "system a ram 8M load 0x40000000,f fdt load 0x40600000",
    "system a ram 8M load 0x40200000,f guest load f",
    "system a rom 0x40000000,64K ram 0x40010000,8M load f data load f",
};

static void load(struct configs *c)
{
    static struct image_plan plan;
    struct image_cursor cursor = {.load = 0};
    struct vm_config *vm = c->vms[0];
    struct gmem mem = {.count = vm->nmems};
    u32 steps = 0;

    assert(image_plan(vm, &plan, &c->diag));
    for (u32 i = 0; i < vm->nmems; i++) {
        mem.region[i] = (struct gmem_region){vm->mem[i].base, vm->mem[i].size, 0,
                                             calloc(1, (size_t)vm->mem[i].size), false};
    }
    while (!image_load_step(vm, &plan, &mem, &cursor, STEP)) {
        assert(++steps < 100000);
    }
    for (u32 i = 0; i < mem.count; i++) {
        free((void *)mem.region[i].ptr);
    }
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct configs *c;

    if (size < 1 || size > CONFIGS_CPIO / 2) {
        return 0;
    }
    c = configs_new();
    configs_file(c, "f", data + 1, (u32)size - 1);
    configs_parse(c, "a", config[data[0] % ARRAY_SIZE(config)]);
    configs_check(c, 3, 1);
    configs_sound(c);
    if (c->diag.errors == 0) {
        load(c);
    }
    free(c);
    return 0;
}
