/* SPDX-License-Identifier: MIT */
/* $name{...} in configs, replaced before they're read. Part of build/muntin. */
#ifndef ARCH_HOST_TOOL_SUBST_H
#define ARCH_HOST_TOOL_SUBST_H

#include "core/config.h"

/*
 * Replaces $env{NAME} in *data, outside of comments; frees it and returns the new text,
 * NUL-terminated, with its size. What can't be replaced is an error of file `name`, and '?' stands
 * there.
 */
u8 *subst_text(struct str name, u8 *data, size_t *size, struct diag *d);

#endif
