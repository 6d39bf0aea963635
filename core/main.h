/* SPDX-License-Identifier: MIT */
/* Where the architecture hands over to the rest of Muntin. */
#ifndef CORE_MAIN_H
#define CORE_MAIN_H

#include "core/types.h"

#define MUNTIN_VERSION "0.1"

/*
 * The first CPU, with the MMU on over the image and the tree, a stack, and nothing else. dtb: the
 * board's device tree. boot_mpidr: affinity fields of this CPU.
 */
void muntin_main(const void *dtb, u64 boot_mpidr) NORETURN;

#endif
