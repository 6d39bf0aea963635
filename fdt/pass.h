/* SPDX-License-Identifier: MIT */
/*
 * What the board's tree says of what a config passes. A device is passed if all of its registers
 * (`reg`) lie in windows of the config.
 */
#ifndef FDT_PASS_H
#define FDT_PASS_H

#include "core/board.h"
#include "core/config.h"
#include "fdt/tree.h"

/*
 * After core's checks of the config, with a board that has a tree; does nothing if there were
 * errors. Fills in how the interrupts are
 * triggered and which devices are to be made quiet; errors for what must not be passed, warnings
 * for windows and interrupts that the tree doesn't know, notes about what a device's node loses.
 */
void fdt_pass_check(struct vm_config *vm, const struct board *b, struct diag *d);

/* --- for gen_pass.c --- */

/* Where the guest sees [r->base, r->base + r->size) of the board. False: not, or not all of it. */
bool pass_translate(const struct vm_config *vm, const struct range *r, u64 *guest) MUST_CHECK;

bool pass_is_device(const struct vm_config *vm, const struct tree_node *n);

/* The guest's INTID of the board's; 0: it isn't passed. */
u32 pass_guest_intid(const struct vm_config *vm, u32 host);

/* Specifiers of one node; more are passed over. */
#define PASS_SPECS 16

/* INTID of the node's interrupt `index` and its flags; 0: none of the GIC's. */
u32 pass_intid(const struct board *b, const struct tree_node *n, u32 index, u32 *flags);

/* What happens to a property of a passed device. */
enum pass_fate {
    PASS_KEEP,
    PASS_REWRITE, /* gen_pass.c writes it anew, or leaves it out without loss */
    PASS_NODE,    /* refers to one node: kept if that is passed, too */
    PASS_LOSE,    /* refers to what the guest hasn't got */
};
enum pass_fate pass_fate(const char *property);

/* Its offset for libfdt. */
int pass_offset(const struct board *b, const struct tree_node *n);

/* Entry `index` of `clocks`: false if there's none. *hz is 0 where the tree doesn't say it. */
bool pass_clock(const struct board *b, const struct tree_node *n, u32 index, u32 *hz) MUST_CHECK;

#endif
