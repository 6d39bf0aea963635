/* SPDX-License-Identifier: MIT */
/* Checks of `pass` and `ram identity`. */
#ifndef CORE_CHECK_PASS_H
#define CORE_CHECK_PASS_H

#include "core/board.h"
#include "core/check.h"

/*
 * Before check_vm, with the board's free RAM known to core/page.c: finds and takes RAM for
 * `ram identity`, so that its addresses are known to everything else. The host tool, which can't
 * know what will be free, does the same with what the board has. Says what it trusts.
 */
void check_identity(struct vm_config *vm, struct diag *d);

/* Part of check_vm: what can be said without the board. Its caller counts errors. */
void check_pass(struct vm_config *vm, struct diag *d);

/*
 * After check_vm: windows and interrupts that the board has, and that aren't Muntin's own. What
 * the board's tree says of them is for fdt/pass.h. Counts into vm->errors.
 */
void check_pass_board(struct vm_config *vm, const struct board *b, struct diag *d);

/* Part of check_all: what both claim. Counts into both. */
void check_pass_pair(struct vm_config *a, struct vm_config *b, struct diag *d);

#endif
