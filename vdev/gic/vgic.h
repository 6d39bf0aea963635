/* SPDX-License-Identifier: MIT */
/*
 * The virtual GIC: distributor, redistributors and CPU-interface state as plain data, behind struct
 * irqchip (core/irq.h). Versions 2 and 3, up to 8 vCPUs, 32 private interrupts each and 256 SPIs.
 * Lock: LOCK_VGIC, one per VM, covers everything here; v->irq belongs to the CPU that runs v.
 */
#ifndef VDEV_GIC_VGIC_H
#define VDEV_GIC_VGIC_H

#include "core/irq.h"
#include "core/vm.h"

#define VGIC_SPIS 256 /* INTID 32 .. 287 */

/*
 * Makes the controller of vm (version 2 or 3), registers its windows at the places that vm->cfg
 * names (GICD; v3: GICR frames of all vCPUs. The GICv2 CPU interface is not ours: arch maps the
 * hardware's GICV there), sets vm->irqchip. False: out of memory or windows.
 */
bool vgic_create(struct vm *vm, u32 version) MUST_CHECK;

#endif
