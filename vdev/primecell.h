/* SPDX-License-Identifier: MIT */
/*
 * What Arm's PrimeCell peripherals have in common: a page of 32-bit registers whose last eight say
 * which one it is, and one interrupt line. A device embeds struct primecell as its first member and
 * gives three functions; accesses of other sizes, the lock and the line are done here.
 */
#ifndef VDEV_PRIMECELL_H
#define VDEV_PRIMECELL_H

#include "core/spinlock.h"
#include "core/vdev.h"

#define PRIMECELL_SIZE 0x1000 /* of the window */

struct primecell;

struct primecell_type {
    struct vdev_ops ops; /* read and write are primecell_read and primecell_write */
    u32 id;              /* PeriphID3..0, a byte each: configuration, revision, designer, part */

    /* With p->lock. offset is a multiple of 4 below PRIMECELL_ID; what isn't there reads 0. */
    u32 (*read)(struct primecell *p, u32 offset);
    void (*write)(struct primecell *p, u32 offset, u32 value);
    /* With p->lock: the level of the interrupt line, from the registers. */
    bool (*pending)(struct primecell *p);
};

struct primecell {
    struct vdev dev;
    const struct primecell_type *type;
    struct spinlock lock; /* LOCK_DEVICE: covers the device's registers and the field below */
    bool line;            /* level of the interrupt */
};

#define PRIMECELL_ID 0xfe0 /* PeriphID0-3, PCellID0-3 */

/* For the types' ops. The bus is 32 bits wide: see primecell.c for what is narrower or wider. */
u64 primecell_read(struct vdev *d, struct vcpu *v, u32 region, u64 offset, u32 size);
void primecell_write(struct vdev *d, struct vcpu *v, u32 region, u64 offset, u32 size, u64 value);

/* With p->lock, after registers changed in any other way than by the guest's access. */
void primecell_update(struct primecell *p);

/* Fills p in, and registers its window; the rest of the device is ready. False: no room. */
bool primecell_init(struct primecell *p, const struct primecell_type *type, struct vm *vm,
                    const struct vdev_conf *conf) MUST_CHECK;

#endif
