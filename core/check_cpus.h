/* SPDX-License-Identifier: MIT */
/* Physical CPUs for vCPUs. Private to core/check_all.c. */
#ifndef CORE_CHECK_CPUS_H
#define CORE_CHECK_CPUS_H

#include "core/config.h"

/* Fills in cfg_cpu.pcpu of all VMs without errors; npcpus >= 1. */
void check_cpus(struct vm_config *const *vm, u32 count, u32 npcpus, struct diag *d);

#endif
