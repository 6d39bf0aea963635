/* SPDX-License-Identifier: MIT */
/*
 * The device tree of a guest: generated from its config and devices, then merged with the user's
 * (`fdt load`): a plain tree is the base that generated nodes are added to, an overlay is applied
 * on top. The same bytes on the target and from `muntin dtb`.
 */
#ifndef FDT_GUEST_H
#define FDT_GUEST_H

#include "core/board.h"
#include "core/check.h"
#include "core/config.h"

/*
 * Builds the tree into buf. `seed`, seed_len: for /chosen/rng-seed, 0 for none. Returns its size in
 * bytes, or 0 with an error in diag (user tree malformed, overlay doesn't apply, too large) that
 * names the load's line. image_tree_room bytes do for a config and its trees.
 */
u32 fdt_guest_build(const struct vm_config *vm, const struct image_plan *plan,
                    const struct board *board, const u8 *seed, u32 seed_len, void *buf, u32 size,
                    struct diag *diag) MUST_CHECK;

#endif
