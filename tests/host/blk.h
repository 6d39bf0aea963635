/* SPDX-License-Identifier: MIT */
/*
 * A VM with one virtio-blk and a minimal driver for it: for tests of the device. A request is three
 * descriptors from `first` on: header, data, status, each with memory of its own.
 */
#ifndef TESTS_HOST_BLK_H
#define TESTS_HOST_BLK_H

#include "tests/host/driver.h"
#include "vdev/virtio/blk.h"

#define BLK_BASE  0x0a000000ull
#define BLK_INTID 48u
#define BLK_DATA  (1u * MIB) /* room for the data of requests */

#define BLK_SEG_MAX      (1ull << 2)
#define BLK_RO           (1ull << 5)
#define BLK_SIZE         (1ull << 6)
#define BLK_FLUSH        (1ull << 9)
#define BLK_TOPOLOGY     (1ull << 10)
#define BLK_WCE          (1ull << 11)
#define BLK_MQ           (1ull << 12)
#define BLK_DISCARD      (1ull << 13)
#define BLK_WRITE_ZEROES (1ull << 14)
#define BLK_USUAL        (F_VERSION_1 | BLK_FLUSH | BLK_DISCARD | BLK_WRITE_ZEROES)

enum {
    BLK_T_IN = 0,
    BLK_T_OUT = 1,
    BLK_T_FLUSH = 4,
    BLK_T_GET_ID = 8,
    BLK_T_DISCARD = 11,
    BLK_T_WRITE_ZEROES = 13
};
enum { BLK_OK, BLK_IOERR, BLK_UNSUPP, BLK_NONE = 0xff /* no status was written */ };

struct blk_range {
    u64 sector;
    u32 sectors, flags;
};

struct blk_driver {
    struct guest g;
    struct ring q[2];
    u64 header, data, status; /* guest-physical: 16 bytes each, BLK_DATA, a byte each */
    u32 used_len;             /* of the last request that came back */
};

/* `file` is what hostdev names; NULL: what opts says. */
struct blk_opts blk_options(const void *file, u64 size);
bool blk_init(struct blk_driver *b, struct blk_opts *opts) MUST_CHECK;
void blk_free(struct blk_driver *b);
/* Brings the driver up: as many rings of `size` as the device has, at most two. */
void blk_start(struct blk_driver *b, u64 features, u16 size);

/*
 * Writes request `slot` of queue 0 as descriptors 3 * slot and so on, with `len` bytes of data in
 * front of b->data + at; not offered yet.
 */
void blk_put(struct blk_driver *b, u32 slot, u32 type, u64 sector, u32 at, u32 len);
/* The status of a slot. */
u8 blk_status(struct blk_driver *b, u32 slot);

/* One request, as a driver waits for it: data in b->data. The status. */
u8 blk_do(struct blk_driver *b, u32 type, u64 sector, u32 len);
/* Likewise, with data out of or into private memory. */
u8 blk_read(struct blk_driver *b, u64 sector, void *to, u32 len);
u8 blk_write(struct blk_driver *b, u64 sector, const void *from, u32 len);
u8 blk_ranges(struct blk_driver *b, u32 type, const struct blk_range *r, u32 count);

#endif
