/* SPDX-License-Identifier: MIT */
/*
 * PCIe functions of the board in a VM: `pass loc pci:BUS:DEVICE.FUNCTION`. The guest sees a host
 * bridge of its own, with one bus and nothing on it but what it was given.
 */
#ifndef CORE_PCI_H
#define CORE_PCI_H

#include "core/types.h"

struct vm;

/*
 * The guest's side, where QEMU's virt has the same. A frame like GICv2m's takes messages: a store
 * of an INTID at PCI_FRAME_SET is that SPI. PCI_FRAME is an offset to the GIC's distributor.
 */
#define PCI_ECAM      0x3f000000ull
#define PCI_ECAM_SIZE ((u64)MIB)
#define PCI_MEM       0x10000000ull
#define PCI_MEM_SIZE  (128 * (u64)MIB)
#define PCI_FRAME     0x20000u
#define PCI_FRAME_SET 0x40u
#define PCI_INTID     112u
#define PCI_INTIDS    64u

struct board;
extern const struct board *pci_board; /* set once by core/main.c */

/* Boot: adds the bridge to vm, if its config passes any function. False, after a message. */
bool pci_create(struct vm *vm) MUST_CHECK;

/*
 * Before each start of vm, its devices reset, its memory not yet loaded: a step of the reset of its
 * functions. Call again after so many ns; 0: they're as at the first start, and decode;
 * PCI_RESET_FAILED: one doesn't work any more, after a message.
 */
#define PCI_RESET_FAILED UINT64_MAX
u64 pci_start(struct vm *vm) MUST_CHECK;

#endif
