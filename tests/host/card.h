/* SPDX-License-Identifier: MIT */
/*
 * A board with one PCIe function, 00:02.0, and a VM that was given it: for tests of core/pci.c. The
 * function keeps what is written to it; asserts that DMA is never on in it while its stream of the
 * SMMU is closed, and that nobody else's function is written to.
 */
#ifndef TESTS_HOST_CARD_H
#define TESTS_HOST_CARD_H

#include "core/pci.h"
#include "core/vm.h"

#define CARD_WINDOW  0x20000000ull
#define CARD_BUS     0x80080000ull /* what the bus calls the window: not aligned like it */
#define CARD_STREAM  0x10u
#define CARD_GUEST   (PCI_ECAM + 0x8000) /* where the guest finds the function */
#define CARD_GICD    0x08000000ull
#define CARD_COMMAND 0x04u
#define CARD_MASTER  4u
#define CARD_MSI     0x50u
#define CARD_MSIX    0x70u

struct card {
    struct vm *vm;
    u32 reg[1024], writes[1024], sizes[6]; /* words of its configuration space */
    bool open;                             /* its stream */
    u32 stream, first, count;              /* what was attached */
    u64 frame;
    u32 intid, rises; /* messages that the VM got */
    struct {
        u64 ipa, pa, size;
        u32 perm;
    } mapped[8];
    u32 nmapped;
};
extern struct card card;

/* Once. False: the VM's bridge can't be made. */
bool card_init(void);

/* The VM starts, or starts anew. */
void card_start(void);

/* An access of the guest; the value read. */
u64 card_access(u64 addr, u32 size, bool write, u64 value);

#endif
