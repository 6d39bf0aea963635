/* SPDX-License-Identifier: MIT */
/* `cluster NAME` of vCPUs, before anything else is checked. For the composition roots. */
#ifndef CORE_CHECK_CLUSTER_H
#define CORE_CHECK_CLUSTER_H

#include "core/config.h"

/* What a board has: calls `each` with a name and the CPUs (bits) of it; names may come again. */
typedef void cluster_each(void *ctx, struct str name, u32 cpus);
typedef void cluster_list(cluster_each *each, void *ctx);

/*
 * Turns each vCPU's `cluster` into its runmask; an error, counted into vm->errors, if the board has
 * none of that name. list NULL: the board isn't known; then a warning. npcpus 0: unknown, too.
 */
void check_clusters(struct vm_config *vm, cluster_list *list, u32 npcpus, struct diag *d);

#endif
