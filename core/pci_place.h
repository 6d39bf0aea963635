/* SPDX-License-Identifier: MIT */
/*
 * Where in the host bridge's windows the BARs of functions and bridges lie. Boot only, for
 * core/pci_bus.c: what is placed between a window's begin and its end lies in that window.
 */
#ifndef CORE_PCI_PLACE_H
#define CORE_PCI_PLACE_H

#include "core/types.h"

struct board;

struct pci_bar {
    u64 size;   /* a power of two; 0: there's none, or it's the upper half of the one before */
    u64 bus;    /* its address on the bus */
    hpa_t host; /* … and as the CPU has it */
    u32 type;   /* the bits below its address */
};

/* Both windows of this board are empty. */
void pci_place_init(const struct board *b);

/* True if there's a window of 64-bit addresses, for BARs that are prefetchable. */
bool pci_place_wide(void);

/*
 * Gives each BAR of a function, which must not decode, a place of whole pages; wide: all bridges
 * above have windows of 64 bits, too. NULL, or why it can't be; then nothing is taken.
 */
const char *pci_place_bars(hpa_t cfg, struct pci_bar *bar, u32 count, bool wide);

/* Writes their addresses. False: the function doesn't take them. Not at boot alone. */
bool pci_place_write(hpa_t cfg, const struct pci_bar *bar, u32 count) MUST_CHECK;

/* What is placed from now on … */
struct pci_window {
    u64 start[2];
};
void pci_window_begin(struct pci_window *w);

/* … until now lies behind this bridge. False: it doesn't take its registers' values. */
bool pci_window_end(hpa_t cfg, const struct pci_window *w, bool wide) MUST_CHECK;

/* Configuration registers; all ones if the board answers with an abort. */
u32 pci_read(hpa_t cfg, u32 offset);
void pci_write(hpa_t cfg, u32 offset, u32 value);

#endif
