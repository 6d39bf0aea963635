/* SPDX-License-Identifier: MIT */
/*
 * One request of a virtio-blk driver: see blk_request.h. Header and ranges are copied once, and
 * judged by the copy; data goes straight between the driver's buffers and the disk. How the driver
 * cuts a request into buffers means nothing (VIRTIO 1.2 §2.7.4): the status is the last writable
 * byte, data is what lies between.
 */
#include "vdev/virtio/blk_request.h"

#include "vdev/virtio/blk.h"

enum { T_IN = 0, T_OUT = 1, T_FLUSH = 4, T_GET_ID = 8, T_DISCARD = 11, T_WRITE_ZEROES = 13 };
enum { S_OK, S_IOERR, S_UNSUPP };
enum { RANGE_UNMAP = 1 };

struct blk_header {
    u32 type, ioprio;
    u64 sector;
};

struct blk_range {
    u64 sector;
    u32 sectors, flags;
};

_Static_assert(sizeof(struct blk_header) == 16 && sizeof(struct blk_range) == 16, "§5.2.6");

static void finish(struct blk_request *r, u8 status)
{
    r->status = status;
    r->left = 0;
    r->range = r->chain.readable;
}

/* r->pos and r->left become `bytes` from that sector on, if the disk has them. */
static bool place(struct blk_request *r, const struct disk *d, u64 sector, u64 bytes)
{
    if (sector > d->size / BLK_SECTOR || bytes > d->size - sector * BLK_SECTOR) { /* rule 28 */
        return false;
    }
    r->pos = sector * BLK_SECTOR;
    r->left = bytes;
    return true;
}

static void begin_copy(struct blk_request *r, const struct disk *d, u64 sector)
{
    bool in = r->type == T_IN;
    u32 bytes = in ? r->chain.writable - 1 : r->chain.readable - (u32)sizeof(struct blk_header);

    if (bytes % BLK_SECTOR != 0 || !place(r, d, sector, bytes)) { /* rule 28 */
        finish(r, S_IOERR);
        return;
    }
    r->at = in ? chain_writer(&r->chain, 0) : chain_reader(&r->chain, sizeof(struct blk_header));
}

static void begin_ranges(struct blk_request *r)
{
    u32 bytes = r->chain.readable - (u32)sizeof(struct blk_header);

    if (bytes == 0 || bytes % sizeof(struct blk_range) != 0 || /* rule 28 */
        bytes / sizeof(struct blk_range) > BLK_RANGES_MAX) {
        finish(r, S_IOERR);
        return;
    }
    r->range = sizeof(struct blk_header);
}

static void begin_id(struct blk_request *r, const char *id)
{
    r->written = chain_write(&r->chain, 0, id, MIN(r->chain.writable - 1, BLK_SERIAL_LEN));
    finish(r, S_OK);
}

static bool writes(u32 type)
{
    return type == T_OUT || type == T_DISCARD || type == T_WRITE_ZEROES;
}

static bool known(u32 type, const struct blk_rules *rules)
{
    switch (type) {
    case T_IN:
    case T_OUT:
    case T_GET_ID:
        return true;
    case T_FLUSH:
        return rules->flush;
    case T_DISCARD:
        return rules->discard;
    case T_WRITE_ZEROES:
        return rules->write_zeroes;
    default:
        return false;
    }
}

bool blk_request_begin(struct blk_request *r, const struct disk *d, const struct blk_rules *rules,
                       s32 *budget)
{
    struct blk_header h;

    *budget -= (s32)(BLK_COST_REQUEST + BLK_COST_BUFFER * r->chain.count);
    if (chain_read(&r->chain, 0, &h, sizeof(h)) < sizeof(h) || r->chain.writable == 0) {
        return false; /* rule 28 */
    }
    r->type = h.type;
    r->written = 0;
    finish(r, S_OK);
    if (writes(h.type) && rules->readonly) { /* rule 28 */
        finish(r, S_IOERR);
    } else if (!known(h.type, rules)) { /* rule 28 */
        finish(r, S_UNSUPP);
    } else if (h.type == T_GET_ID) {
        begin_id(r, rules->id);
    } else if (h.type == T_IN || h.type == T_OUT) {
        begin_copy(r, d, h.sector);
    } else if (h.type != T_FLUSH) { /* what was written is in RAM, which is as good as it gets */
        begin_ranges(r);
    }
    return true;
}

/* Between disk and buffers, as much as lies in one piece on both sides. */
static void copy_piece(struct blk_request *r, struct disk *d)
{
    u32 most = (u32)MIN(r->left, (u64)disk_piece(r->pos)), len;
    guest_t *p = cursor_take(&r->at, most, &len);

    if (r->type == T_IN) {
        disk_read(d, r->pos, p, len);
        r->written += len;
    } else if (!disk_write(d, r->pos, p, len)) {
        finish(r, S_IOERR); /* the disk is full */
        return;
    }
    r->pos += len;
    r->left -= len;
}

static u32 zero_piece(struct blk_request *r, struct disk *d)
{
    u32 len = (u32)MIN(r->left, (u64)disk_piece(r->pos));
    bool whole = r->pos % PAGE_SIZE == 0 && (len == PAGE_SIZE || r->pos + len == d->size);

    /* Of parts of pages nothing can be given back: to discard them does nothing. */
    if ((r->type == T_WRITE_ZEROES || whole) && !disk_zero(d, r->pos, len, r->release)) {
        finish(r, S_IOERR);
        return 0;
    }
    r->pos += len;
    r->left -= len;
    return r->release && whole ? 0 : PAGE_SIZE;
}

/* The next range of a DISCARD or WRITE_ZEROES. */
static void next_range(struct blk_request *r, const struct disk *d)
{
    struct blk_range range;
    u32 unmap;

    (void)chain_read(&r->chain, r->range, &range, sizeof(range));
    r->range += (u32)sizeof(range);
    unmap = range.flags & RANGE_UNMAP;
    if ((range.flags & ~(u32)RANGE_UNMAP) != 0 || (r->type == T_DISCARD && unmap != 0)) {
        finish(r, S_UNSUPP); /* rule 28 */
    } else if (!place(r, d, range.sector, (u64)range.sectors * BLK_SECTOR)) {
        finish(r, S_IOERR);
    }
    r->release = r->type == T_DISCARD || unmap != 0;
}

static u32 run_piece(struct blk_request *r, struct disk *d)
{
    u64 before = r->left;

    if (r->type == T_IN || r->type == T_OUT) {
        copy_piece(r, d);
        return (u32)(before - r->left);
    }
    if (before == 0) {
        next_range(r, d);
        return 0;
    }
    return zero_piece(r, d);
}

bool blk_request_run(struct blk_request *r, struct disk *d, s32 *budget)
{
    while (r->left > 0 || r->range < r->chain.readable) {
        if (*budget <= 0) { /* rule 40 */
            return false;
        }
        *budget -= (s32)(BLK_COST_PIECE + run_piece(r, d));
    }
    (void)chain_write(&r->chain, r->chain.writable - 1, &r->status, 1);
    r->written++;
    return true;
}
