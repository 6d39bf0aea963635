/* SPDX-License-Identifier: MIT */
/*
 * Names that the board's device tree gives to things: groups of CPUs and areas of reserved memory.
 * For what a config calls by name (`cluster`, $asinfo_start). The tree is trusted as in fdt/host.h.
 */
#ifndef FDT_NAMES_H
#define FDT_NAMES_H

#include "core/board.h"

/*
 * Calls `each` with each name of a group and each CPU of it, as a bit by its index in b->cpu_mpidr:
 * nodes `clusterN` of /cpus/cpu-map (of several sockets: all that are called so), and the CPUs'
 * kinds, which are their `compatible` without its vendor ("cortex-a72").
 */
void fdt_cluster_names(const struct board *b, void (*each)(void *ctx, struct str name, u32 cpus),
                       void *ctx);

/*
 * Calls `each` with the areas below /reserved-memory that have a place: by node name, without
 * its unit address, and again by label, if it has one.
 */
void fdt_reserved_names(const struct board *b,
                        void (*each)(void *ctx, struct str name, struct range area), void *ctx);

#endif
