/* SPDX-License-Identifier: MIT */
/* What Muntin would make of a board. Part of build/muntin. */
#ifndef ARCH_HOST_TOOL_PROBE_H
#define ARCH_HOST_TOOL_PROBE_H

#include "core/board.h"

/*
 * Prints what `probe` would show of the board's tree, and what keeps VMs from starting there, as
 * far as the tree tells. False: something does.
 */
bool probe_board(const struct board *board);

#endif
