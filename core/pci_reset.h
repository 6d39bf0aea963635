/* SPDX-License-Identifier: MIT */
/*
 * The reset of a VM's PCIe functions before it starts, in steps with waits in between that PCIe
 * demands. The functions are off, and their streams closed.
 */
#ifndef CORE_PCI_RESET_H
#define CORE_PCI_RESET_H

#include "core/pci.h"
#include "core/pci_bus.h"

/* Zeros: it has not begun. */
struct pci_progress {
    u32 step, tries;
};

/*
 * The next step for all of them. How many ns the one after it has to wait; 0: they're reset, and as
 * the firmware and the scan set them up, but still off; PCI_RESET_FAILED: one doesn't come back.
 */
u64 pci_reset_step(struct pci_progress *p, const struct pci_function *const *f, u32 count);

#endif
