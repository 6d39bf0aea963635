/* SPDX-License-Identifier: MIT */
/*
 * SPIs linked to interrupts of the board (vgic.hw). wi is the word of SPIs, from 1 on; vgic.lock is
 * held but in vgic_hw_link, which is struct irqchip's link.
 */
#ifndef VDEV_GIC_VGIC_HW_H
#define VDEV_GIC_VGIC_HW_H

#include "vdev/gic/vgic_state.h"

void vgic_hw_link(struct vm *vm, u32 intid, u32 pintid, bool level);

/* The guest enabled or disabled these of word wi; before vgic_changed. */
void vgic_hw_enable(struct vgic *g, u32 wi, u32 bits, bool on);
/* SPI index `spi`, which is linked, goes to this vCPU, or VGIC_NOBODY. */
void vgic_hw_route(struct vgic *g, u32 spi, u32 target);
/*
 * Those that the board's GIC has pending: they wait until they're enabled here, or the guest has
 * one active whose line is still high, or that had another edge. Before the word's own state is
 * read.
 */
u32 vgic_hw_pending(struct vgic *g, u32 wi);
/* Before those that could not be forwarded can be: levels that have gone since are forgotten. */
void vgic_hw_look(struct vgic *g);
/* The guest made these not pending. */
void vgic_hw_clear(struct vgic *g, u32 wi, u32 bits);

#endif
