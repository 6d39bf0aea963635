/* SPDX-License-Identifier: MIT */
/*
 * Nodes of passed devices in the generated tree: in /pass, copied from the board's tree with what
 * they refer to made the guest's own.
 */
#ifndef FDT_GEN_PASS_H
#define FDT_GEN_PASS_H

struct gen;

/* Nothing is passed, or no board is known, or a user's tree has the nodes: writes nothing. */
void gen_pass(struct gen *g);

#endif
