/* SPDX-License-Identifier: MIT */
/*
 * Nodes of passed devices in the generated tree: in /pass, copied from the board's tree with what
 * they refer to made the guest's own.
 */
#ifndef FDT_GEN_PASS_H
#define FDT_GEN_PASS_H

#include "core/board.h"
#include "core/config.h"

struct gen;

/*
 * Boot: the copies, made once and kept in buf (8-byte aligned, PASS_TREE_ROOM for each window), so
 * that no start of the VM goes through the board's tree, which may be long. False: no room.
 */
bool gen_pass_keep(struct vm_config *vm, const struct board *b, void *buf, u32 size) MUST_CHECK;

/* Nothing is passed, or no board is known, or a user's tree has the nodes: writes nothing. */
void gen_pass(struct gen *g);

#endif
