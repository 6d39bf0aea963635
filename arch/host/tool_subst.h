/* SPDX-License-Identifier: MIT */
/* $name{...} in configs, replaced before they're read. Part of build/muntin. */
#ifndef ARCH_HOST_TOOL_SUBST_H
#define ARCH_HOST_TOOL_SUBST_H

#include "core/board.h"
#include "core/config.h"

/*
 * Replaces $env{NAME}, $asinfo_start{NAME} and $asinfo_length{NAME} in *data, outside of comments;
 * frees it and returns the new text, NUL-terminated, with its size. What can't be replaced is an
 * error of file `name`, and '?' stands there. board->dtb NULL: there's no board's tree.
 */
u8 *subst_text(struct str name, u8 *data, size_t *size, const struct board *board, struct diag *d);

#endif
