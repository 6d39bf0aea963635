/* SPDX-License-Identifier: MIT */
/*
 * Writes cores of guests, a VM's registers and RAM, as text to the console (core/gcore_text.h): one
 * at a time, in pieces, as fast as the console takes it. When vCPUs stand still for that, and what
 * comes then, is core/vm_core.c's.
 */
#ifndef CORE_GCORE_H
#define CORE_GCORE_H

#include "core/types.h"

struct vm;

/* Boot: where the text goes, and how many bytes it takes now. Both from any CPU. */
void gcore_init(void (*write)(const char *s, size_t len), size_t (*room)(void));

/*
 * Writes vm's core, when those before it are done; no vCPU of it may run, nor may it start, until
 * vm_core_done (core/vm_end.h) is called for it. False: there's no console. Any CPU.
 */
bool gcore_start(struct vm *vm) MUST_CHECK;

/*
 * Leaves vm's core as far as it is. True: it was waiting or being written, and vm_core_done won't
 * come for it. Any CPU; LOCK_VM may be held.
 */
bool gcore_cancel(const struct vm *vm);

#endif
