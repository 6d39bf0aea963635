/* SPDX-License-Identifier: MIT */
/*
 * The guest's tree: generated, then joined with the trees of the config's `fdt load` lines. Boot
 * and VM start, one CPU: no lock.
 */
#include "fdt/guest.h"

#include "fdt/gen.h"

#define ROOM_STEP 4096u

u32 fdt_guest_room(const struct vm_config *vm)
{
    return ALIGN_UP(gen_bound(vm), ROOM_STEP);
}

u32 fdt_guest_build(const struct vm_config *vm, const struct image_plan *plan,
                    const struct board *board, const u8 *seed, u32 seed_len, void *buf, u32 size,
                    struct diag *diag)
{
    struct gen_input in = {
        .vm = vm,
        .plan = plan,
        .board = board,
        .seed = seed,
        .seed_len = seed_len,
        .address_cells = 2,
        .size_cells = 2,
        .gic_phandle = 1,
        .clock_phandle = 2,
        .free_phandle = 3,
    };
    u32 used = gen_build(&in, buf, size);

    if (used == 0) {
        diag_error(diag, vm->place, "the device tree of '%.*s' doesn't fit in %u bytes",
                   (int)vm->name.len, vm->name.p, size);
    }
    return used;
}
