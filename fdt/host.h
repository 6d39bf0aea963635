/* SPDX-License-Identifier: MIT */
/*
 * The board's device tree to struct board. The tree comes from firmware: trusted to describe the
 * board, not to be well-formed; every property is checked for length before it's read.
 */
#ifndef FDT_HOST_H
#define FDT_HOST_H

#include "core/board.h"

/* Bytes of the tree if there's one at p (magic, sane size), else 0. Reads only the header. */
u32 fdt_host_probe(const void *p);

/*
 * Fills *b. Boot-time only; takes 6 KiB of stack. False if the tree can't be read at all; what is
 * missing in it is left zero, for board_usable to name.
 */
bool fdt_host_read(const void *dtb, struct board *b) MUST_CHECK;

#endif
