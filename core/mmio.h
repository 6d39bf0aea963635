/* SPDX-License-Identifier: MIT */
/*
 * Guest accesses to device registers: from a stage-2 fault to the device that owns the address.
 * The table of a VM is filled while the VM is created and frozen before it starts, so that look-up
 * takes no lock.
 */
#ifndef CORE_MMIO_H
#define CORE_MMIO_H

#include "core/types.h"
#include "core/vcpu.h"
#include "core/vdev.h"

struct vm;

#define MMIO_WINDOWS 64

/* One access, as the CPU described it. Little-endian; sign extension is the caller's business. */
struct mmio {
    u64 addr;  /* guest-physical */
    u64 value; /* written, or where the value read is returned, zero-extended */
    u8 size;   /* 1, 2, 4 or 8 bytes; addr is NOT necessarily aligned to it */
    bool write;
};

struct mmio_window {
    u64 base;
    u64 size;
    struct vdev *dev;
    u32 region; /* the device's own number of this window (GICD, GICR …), handed to its handlers */
};

struct mmio_map {
    struct mmio_window window[MMIO_WINDOWS]; /* sorted by base once frozen */
    u32 count;
    bool frozen;
};

enum mmio_result {
    MMIO_DONE,  /* value is valid: go on behind the instruction */
    MMIO_ABORT, /* give the guest an external abort */
    MMIO_STOP,  /* the VM was told to end: config says `unsupported reference abort` */
    MMIO_LATER, /* never of mmio_access: an instruction of several has yet to do the rest */
};

/* Creation only. False if the window overlaps another or the table is full. */
bool mmio_add(struct mmio_map *map, u64 base, u64 size, struct vdev *dev, u32 region) MUST_CHECK;
void mmio_freeze(struct mmio_map *map);

/* The window that holds all of [addr, addr + size), or NULL. */
const struct mmio_window *mmio_find(const struct mmio_map *map, u64 addr, u32 size);

/*
 * Carries out one access of v. An access to no device, or that straddles a window's end, follows
 * the VM's `unsupported reference` policy: ignore (reads all ones), fail or abort. No lock held.
 */
static inline enum mmio_result mmio_access(struct vcpu *v, struct mmio *m) MUST_CHECK;

/* For mmio_access: the window of an access that isn't in the one before, or NULL. */
const struct mmio_window *mmio_look_up(struct vcpu *v, u64 addr, u32 size);
/* … and what comes of an access where nothing is. m is a copy, so that a caller's need not be in
 * memory. */
enum mmio_result mmio_nothing(struct vm *vm, struct mmio m);

static inline u64 mmio_mask(u32 size)
{
    return UINT64_MAX >> ((64 - 8 * size) & 63);
}

static inline __attribute__((always_inline)) enum mmio_result mmio_access(struct vcpu *v,
                                                                          struct mmio *m)
{
    const struct mmio_window *w = v->mmio_last; /* accesses come in runs to one device */
    u64 mask = mmio_mask(m->size);

    if (unlikely(w == NULL || !range_within(m->addr, m->size, w->base, w->size))) {
        w = mmio_look_up(v, m->addr, m->size);
        if (w == NULL) {
            m->value = m->write ? m->value : mask;
            return mmio_nothing(v->vm, *m);
        }
    }
    if (m->write) {
        w->dev->ops->write(w->dev, v, w->region, m->addr - w->base, m->size, m->value & mask);
    } else {
        m->value = w->dev->ops->read(w->dev, v, w->region, m->addr - w->base, m->size) & mask;
    }
    return MMIO_DONE;
}

#endif
