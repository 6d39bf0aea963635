/* SPDX-License-Identifier: MIT */
/*
 * What lies behind a virtual disk: bytes of a file of the boot bundle, of RAM, or both: what is
 * written lands in pages of RAM, in front of the file's. It knows no device and no request. Its
 * memory is `guest_t`: what lies there some guest wrote, and nothing here looks at it.
 *
 * The contents stay as long as Muntin runs, over restarts of the VM, as those of a real disk do.
 *
 * All of its memory is taken when it is made. Several CPUs may be at it at the same time; what they
 * do to the same bytes at the same time is the guest's concern: it gets some mixture of its own
 * data. Lock: of its own (LOCK_DEVICE), around what changes the table of pages.
 */
#ifndef VDEV_DISK_H
#define VDEV_DISK_H

#include "core/gmem.h"
#include "core/spinlock.h"
#include "core/types.h"

#define DISK_SIZE_MAX (1ull << 43) /* bytes: pages have 31-bit numbers */

struct disk {
    u64 size;            /* bytes; fixed */
    u32 npages;          /* of 4 KiB, the last one may be a part of one */
    const guest_t *file; /* what it holds at first; NULL: zeroes */

    struct spinlock lock; /* covers what follows; the table is read without it, atomic */
    u32 *table;           /* of each page: where it is; NULL: read-only */
    guest_t *pages;       /* room for those that were written */
    u32 room;             /* how many there can be, fixed; */
    u32 used;             /* … how many of them were used so far … */
    u32 freed;            /* … and the first of those not used any more; room: none */
    u32 *next;            /* of each of these, the next one */
    u64 full;             /* statistics: writes that found no room; atomic */
};

/*
 * A disk of `size` bytes, a multiple of 512, that begins as the file (NULL: as zeroes). `ram` bytes
 * of it can be written; 0: none, it's read-only. Boot only; false: no memory, *d is no good.
 */
bool disk_init(struct disk *d, u64 size, const void *file, u64 ram) MUST_CHECK;

/*
 * Copies; [off, off + len) lies within the disk, and no more than disk_piece(off) bytes are done in
 * one go. Writing and zeroing are for disks that aren't read-only. False: there's no page left, and
 * nothing was done.
 */
void disk_read(struct disk *d, u64 off, guest_t *to, u32 len);
bool disk_write(struct disk *d, u64 off, const guest_t *from, u32 len) MUST_CHECK;

/* Zeroes. `release`: a whole page gives back the RAM that it takes. */
bool disk_zero(struct disk *d, u64 off, u32 len, bool release) MUST_CHECK;

/* Bytes from there to the end of its page: what one call may do. */
static inline u32 disk_piece(u64 off)
{
    return PAGE_SIZE - (u32)(off % PAGE_SIZE);
}

#endif
