/* SPDX-License-Identifier: MIT */
/* A VM with one virtio-blk and a minimal driver for it: see blk.h. */
#include "tests/host/blk.h"

#include "core/panic.h"

#include <string.h>

#define SLOTS 340u

struct blk_opts blk_options(const void *file, u64 size)
{
    struct blk_opts o = {0};

    virtio_blk_type.defaults(&o);
    if (file != NULL) {
        o.hostdev.path = (struct str){"disk.img", 8};
        o.hostdev.file = (struct bundle_file){o.hostdev.path, file, size};
    } else {
        o.ramdisk = size;
    }
    return o;
}

bool blk_init(struct blk_driver *b, struct blk_opts *opts)
{
    memset(b, 0, sizeof(*b));
    guest_init(&b->g, "alpha");
    return guest_add(&b->g, &virtio_blk_type, BLK_BASE, BLK_INTID, "root", opts) != NULL;
}

void blk_free(struct blk_driver *b)
{
    guest_free(&b->g);
}

static void make_ring(struct blk_driver *b, u32 index, u16 size, u64 features)
{
    struct ring *r = &b->q[index];

    if (reg_read(&b->g, BLK_BASE, VMMIO_VERSION) == 1) {
        ring_alloc_legacy(r, &b->g, BLK_BASE, index, size);
    } else if (features & F_PACKED) {
        ring_alloc_packed(r, &b->g, BLK_BASE, index, size);
    } else {
        ring_alloc(r, &b->g, BLK_BASE, index, size);
    }
    assert(ring_enable(r));
}

void blk_start(struct blk_driver *b, u64 features, u16 size)
{
    u32 queues = (u32)guest_read(&b->g, BLK_BASE + VMMIO_CONFIG + 34, 2);
    u32 status = driver_begin(&b->g, BLK_BASE, features);

    assert((status & S_FEATURES_OK) || (features & F_VERSION_1) == 0);
    b->g.brk = GUEST_RAM_BASE;
    b->header = guest_alloc(&b->g, 16 * SLOTS, 16);
    b->status = guest_alloc(&b->g, SLOTS, 16);
    b->data = guest_alloc(&b->g, BLK_DATA, PAGE_SIZE);
    memset(guest_ptr(&b->g, b->status), BLK_NONE, SLOTS);
    for (u32 i = 0; i < MIN(queues, 2u); i++) {
        make_ring(b, i, size, features);
    }
    driver_ok(&b->g, BLK_BASE);
}

void blk_put(struct blk_driver *b, u32 slot, u32 type, u64 sector, u32 at, u32 len)
{
    u64 header = b->header + 16ull * slot;
    u32 d = 3 * slot, write = type == BLK_T_IN || type == BLK_T_GET_ID ? D_WRITE : 0;
    u8 *h = guest_ptr(&b->g, header);

    memcpy(h, &type, 4);
    memset(h + 4, 0xee, 4); /* ioprio */
    memcpy(h + 8, &sector, 8);
    *(u8 *)guest_ptr(&b->g, b->status + slot) = BLK_NONE;
    ring_desc(&b->q[0], d, header, 16, D_NEXT, d + 1);
    ring_desc(&b->q[0], d + 1, b->data + at, len, D_NEXT | write, d + 2);
    ring_desc(&b->q[0], d + 2, b->status + slot, 1, D_WRITE, 0);
}

u8 blk_status(struct blk_driver *b, u32 slot)
{
    return *(u8 *)guest_ptr(&b->g, b->status + slot);
}

u8 blk_do(struct blk_driver *b, u32 type, u64 sector, u32 len)
{
    blk_put(b, 0, type, sector, 0, len);
    ring_offer(&b->q[0], 0);
    ring_kick(&b->q[0]);
    (void)host_run_work(100000);
    assert(ring_used(&b->q[0], &b->used_len) == 0);
    return blk_status(b, 0);
}

u8 blk_read(struct blk_driver *b, u64 sector, void *to, u32 len)
{
    u8 status = blk_do(b, BLK_T_IN, sector, len);

    memcpy(to, guest_ptr(&b->g, b->data), len);
    return status;
}

u8 blk_write(struct blk_driver *b, u64 sector, const void *from, u32 len)
{
    memcpy(guest_ptr(&b->g, b->data), from, len);
    return blk_do(b, BLK_T_OUT, sector, len);
}

u8 blk_ranges(struct blk_driver *b, u32 type, const struct blk_range *r, u32 count)
{
    memcpy(guest_ptr(&b->g, b->data), r, count * sizeof(*r));
    return blk_do(b, type, 0, count * (u32)sizeof(*r));
}
