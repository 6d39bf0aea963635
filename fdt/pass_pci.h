/* SPDX-License-Identifier: MIT */
/* Which stream and which DeviceID the functions that a config passes have. */
#ifndef FDT_PASS_PCI_H
#define FDT_PASS_PCI_H

#include "core/board.h"
#include "core/config.h"
#include "fdt/tree.h"

/* A node of the walk: if it's the host bridge of the board, fills in vm's functions. */
void pass_pci_look(struct vm_config *vm, const struct board *b, const struct tree *t,
                   const struct tree_node *n, struct diag *d);

/* A node of a passed device: its streams, if it's behind the SMMU. False: it isn't. */
bool pass_streams(struct vm_config *vm, const struct board *b, const struct tree *t,
                  const struct tree_node *n) MUST_CHECK;

#endif
