/* SPDX-License-Identifier: MIT */
/*
 * The guest's tree as generated from its config, before any tree of the user's. Written front to
 * back, each byte once: this is on the way to the guest's first instruction.
 */
#ifndef FDT_GEN_H
#define FDT_GEN_H

#include "core/board.h"
#include "core/check.h"
#include "core/config.h"

#define GEN_PATH 96 /* room for the path of any node here */

struct gen_input {
    const struct vm_config *vm;
    const struct image_plan *plan;
    const struct board *board; /* may be NULL: host tools that know no board */
    const u8 *seed;
    u32 seed_len;

    /* What a tree that the result will be merged into asks for; without one, 2, 2, 1, 2, 3. */
    u32 address_cells, size_cells; /* of the root: 1 or 2 */
    u32 gic_phandle, clock_phandle;
    u32 free_phandle; /* this one and those above it are unused */
    bool symbols;     /* phandles and /__symbols__ for overlays to refer to */
    bool user_tree;   /* … and brings the nodes of passed devices himself */
};

/* Upper bound of what gen_build needs for this config. */
u32 gen_bound(const struct vm_config *vm);

/* Builds the tree into buf (8-byte aligned). Its size, or 0 if it doesn't fit. */
u32 gen_build(const struct gen_input *in, void *buf, u32 size) MUST_CHECK;

/* Path of a vdev's node; buf has GEN_PATH bytes. */
void gen_vdev_path(const struct vdev_conf *conf, char *buf);
#define GEN_REG 32 /* bytes of a `reg`: the registers and a window beside them */
/* Value of its `reg`, of its `interrupts` (at most as long). The length; 0: it has none. */
u32 gen_vdev_reg(const struct gen_input *in, const struct vdev_conf *conf, u8 *value);
u32 gen_vdev_interrupts(const struct vdev_conf *conf, u8 *value);

/* True for the devices that a console can be on. */
bool gen_is_uart(const struct vdev_conf *conf);

/* Paths of the nodes of the interrupt controller and of the devices' clock. */
void gen_gic_path(const struct vm_config *vm, char *buf);
#define GEN_CLOCK_PATH "/apb-pclk"

#endif
