/* SPDX-License-Identifier: MIT */
/*
 * The board's PCIe buses: which functions there are of those that configs pass, where they are
 * reached, and which of them may reach each other without the SMMU. All is found out once, at boot.
 */
#ifndef CORE_PCI_BUS_H
#define CORE_PCI_BUS_H

#include "core/pci_place.h"
#include "core/pci_regs.h"
#include "core/types.h"

struct board;
struct diag;
struct vm_config;

#define PCI_BRIDGES   32 /* of the board, the host bridge too */
#define PCI_FUNCTIONS 32 /* that are passed, of all VMs; as many as there are streams */

enum pci_reset { PCI_RESET_NONE, PCI_RESET_FLR, PCI_RESET_AF, PCI_RESET_POWER, PCI_RESET_PORT };

struct pci_function {
    u16 id;      /* bus << 8 | device << 3 | function: its Requester ID */
    u8 upstream; /* its bus: pci_bus.c's */
    bool found;
    hpa_t cfg;           /* its configuration space */
    u32 ident;           /* what REG_ID reads */
    const char *refused; /* why it can't be passed; NULL: it can */
    struct pci_bar bar[BARS];
    u8 pm, msi, msix, express, af; /* its capabilities; 0: it hasn't got it */
    u8 msi_words;
    u32 control;          /* of the express capability, as the firmware left it */
    enum pci_reset reset; /* how it forgets what it was told */
    hpa_t port;           /* the port that has it alone on its link; 0: none */
};

/*
 * Boot: looks through the buses of b for what these configs pass, those that have no errors yet.
 * From here on nothing there masters its bus but bridges, which have their numbers and windows.
 * Functions that can't be passed are errors of their config.
 */
void pci_scan(const struct board *b, struct vm_config *const *vms, u32 count, struct diag *d);

/* One that some config passes and that can be; else NULL. */
const struct pci_function *pci_find(u16 id);

/*
 * What all functions have in common that may reach each other without the SMMU: the id of a device
 * or of the bridge above them. Without a scan, as on the host, the device.
 */
u16 pci_group(u16 id);

#endif
