/* SPDX-License-Identifier: MIT */
/*
 * Trees of the user's (`fdt load`): taken in, checked, and joined with the generated one. They are
 * as trustworthy as the config that names them, but not to be well-formed: what libfdt doesn't
 * check itself is checked here before libfdt sees it.
 */
#ifndef FDT_USER_H
#define FDT_USER_H

#include "core/config.h"
#include "fdt/gen.h"
#include "fdt/tree.h"

#define USER_DEPTH 16 /* levels of nodes: libfdt recurses over them when it applies an overlay */

/* A load and where complaints about it go. */
struct user {
    const struct cfg_load *load;
    struct diag *diag;
};

void user_error(const struct user *u, const char *fmt, ...) PRINTF(2, 3);

/* Bytes of the tree in this file without padding; 0 if there's none. Cheap. */
u32 user_size(const struct bundle_file *f);

/*
 * Copies the load's tree to `copy` (8-byte aligned, user_size bytes) and checks it. Its size
 * without padding, or 0 after an error.
 */
u32 user_take(const struct user *u, void *copy) MUST_CHECK;

/* True if a tree that user_take took is an overlay: a fragment with `__overlay__`. */
bool user_is_overlay(const void *tree);

/*
 * Prepares a plain tree to be the base: what Muntin describes itself (memory, CPUs that the VM
 * hasn't got, interrupt controller, PSCI, architected timer) is removed, and *in is set to what
 * generated nodes have to respect. False after an error.
 */
bool user_strip(const struct user *u, void *base, struct gen_input *in) MUST_CHECK;

/*
 * Adds the generated tree to base, which has free space up to its totalsize. Properties that are
 * there win, except facts of the VM (docs/device-tree.md). False after an error.
 */
bool user_merge(const struct user *u, void *base, const void *generated) MUST_CHECK;

/* Applies an overlay, destroying it; base as above. False after an error: base is then useless. */
bool user_apply(const struct user *u, void *base, void *overlay) MUST_CHECK;

/*
 * Sets a property of a node that the user may not change; warns if his tree says otherwise.
 * 0 or libfdt's error.
 */
int user_force(const struct user *u, void *base, int node, const char *name,
               const struct tree_value *value) MUST_CHECK;

#endif
