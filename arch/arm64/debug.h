/* SPDX-License-Identifier: MIT */
/*
 * The hardware's debug registers on behalf of guests: single step, breakpoints and watchpoints of
 * the vCPU that is loaded. All guest accesses trap (vsysreg.c), so hardware is only ever written.
 */
#ifndef ARCH_ARM64_DEBUG_H
#define ARCH_ARM64_DEBUG_H

struct vsysreg;

/*
 * When a vCPU is loaded, and before the guest runs on after vsysreg_access left debug_dirty set.
 * Takes effect with the exception return. Clears debug_dirty.
 */
void debug_load(struct vsysreg *s);

#endif
