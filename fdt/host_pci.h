/* SPDX-License-Identifier: MIT */
/* What the board's tree says of PCIe, and of the SMMU and ITS that keep a guest's devices to it. */
#ifndef FDT_HOST_PCI_H
#define FDT_HOST_PCI_H

#include "core/board.h"
#include "fdt/tree.h"

/* The first host bridge with ECAM, and its window for BARs of 32 bits. */
void host_pci(struct board *b, const struct tree *t, const struct tree_node *n);

/* The first SMMUv3; *event: which of its interrupts is the event queue's, -1: none. */
void host_smmu(struct board *b, const struct tree *t, const struct tree_node *n, int *event);

void host_its(struct board *b, const struct tree_node *n);

#endif
