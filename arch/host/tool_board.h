/* SPDX-License-Identifier: MIT */
/* The board that configs are checked for: its device tree, or what is assumed. Part of
 * build/muntin. */
#ifndef ARCH_HOST_TOOL_BOARD_H
#define ARCH_HOST_TOOL_BOARD_H

#include "core/board.h"
#include "core/config.h"

/* --board: reads the tree, exits with a message if it's none; names in configs are looked up in it.
 */
const struct board *tool_board_read(const char *path);

/* Without it: a board as QEMU's virt is, with a Cortex-A57. cpus 0: nobody knows how many. */
const struct board *tool_board_assume(u32 gic, u32 cpus);

/*
 * Checks one VM alone against the board. Before the first one all RAM is given to core/page, for
 * those that need RAM with the board's addresses.
 */
void tool_board_check(struct vm_config *vm, const struct bundle *bundle, struct diag *d);

/* Warns of VMs for which the board's RAM is not enough, in the order in which they get it. */
void tool_board_room(struct vm_config *const *vm, u32 count, struct diag *d);

#endif
