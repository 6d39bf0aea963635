/* SPDX-License-Identifier: MIT */
/* What `muntin check` prints. Part of build/muntin. */
#ifndef ARCH_HOST_TOOL_SHOW_H
#define ARCH_HOST_TOOL_SHOW_H

#include "core/config.h"

/* A VM without errors, after all checks; cpus: of the board, 0: unknown, none were chosen. */
void show_vm(struct vm_config *vm, u32 cpus, struct diag *diag);

/* All switches that a NIC is on. */
void show_switches(struct vm_config *const *vm, u32 count);

#endif
