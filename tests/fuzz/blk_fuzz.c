/* SPDX-License-Identifier: MIT */
/*
 * virtio-blk against a model of it: requests of any type, place and length, cut into buffers of any
 * size, each answered as the model says, with the same bytes on the disk and in the guest's RAM
 * afterwards. In between the driver turns hostile: registers, descriptors and rings of any kind,
 * after which only what must always hold is checked, and the model takes the disk as it is.
 */
#include "core/log.h"
#include "core/panic.h"
#include "tests/fuzz/input.h"
#include "tests/host/blk.h"
#include "vdev/virtio/blk_dev.h"

#include <string.h>

#define STEPS  200
#define QSIZE  64
#define PAGES  12u
#define BYTES  (PAGES * PAGE_SIZE - 1536u) /* the last page is not whole */
#define ROOM   5u                          /* pages of the first disk that can be written */
#define ARENA  (64u * KIB)                 /* of b->data: where buffers are */
#define DISKS  4
#define PIECES 20u /* buffers of a request */

enum where { IN_FILE, ZERO, IN_RAM }; /* a page of the model */

static struct model {
    struct blk_driver b;
    u8 bytes[BYTES];
    u8 page[PAGES]; /* enum where */
    u32 room;       /* pages of RAM */
    bool readonly, ram;
} disks[DISKS];

static u8 file[BYTES], before[BYTES], arena[ARENA];

/* --- the disk as it should be ------------------------------------------------------------------
 */

static u32 ram_pages(const struct model *m)
{
    u32 n = 0;

    for (u32 i = 0; i < PAGES; i++) {
        n += m->page[i] == IN_RAM;
    }
    return n;
}

/* The page can be written: it has RAM, or gets some. */
static bool obtain(struct model *m, u64 page)
{
    if (m->page[page] != IN_RAM && ram_pages(m) == m->room) {
        return false;
    }
    m->page[page] = IN_RAM;
    return true;
}

static bool model_write(struct model *m, u64 off, const u8 *from, u32 len)
{
    for (u32 i = 0; i < len; i++) {
        if (!obtain(m, (off + i) / PAGE_SIZE)) {
            return false;
        }
        m->bytes[off + i] = from[i];
    }
    return true;
}

static bool model_zero(struct model *m, u64 off, u32 len, bool discard, bool release)
{
    u64 page = off / PAGE_SIZE;
    bool whole = off % PAGE_SIZE == 0 && (len == PAGE_SIZE || off + len == BYTES);

    if (discard && !whole) {
        return true;
    }
    if (whole && (release || m->page[page] != IN_RAM)) {
        m->page[page] = ZERO;
    } else if (m->page[page] == IN_FILE && !m->ram && !obtain(m, page)) {
        return false;
    }
    memset(m->bytes + off, 0, len);
    return true;
}

static u8 model_range(struct model *m, u32 type, const struct blk_range *r)
{
    u64 capacity = BYTES / 512, off, end;

    if (r->flags > 1 || (type == BLK_T_DISCARD && r->flags != 0)) {
        return BLK_UNSUPP;
    }
    if (r->sector > capacity || r->sectors > capacity - r->sector) {
        return BLK_IOERR;
    }
    end = (r->sector + r->sectors) * 512;
    for (off = r->sector * 512; off < end;) {
        u32 len = (u32)MIN(end - off, PAGE_SIZE - off % PAGE_SIZE);

        if (!model_zero(m, off, len, type == BLK_T_DISCARD,
                        type == BLK_T_DISCARD || r->flags != 0)) {
            return BLK_IOERR;
        }
        off += len;
    }
    return BLK_OK;
}

static void check_disk(struct model *m)
{
    struct blk *b = container_of(m->b.g.vm.devs, struct blk, virtio.dev);
    struct disk *d = &b->disk;

    assert(d->size == BYTES && d->used <= d->room && d->freed <= d->room);
    for (u64 off = 0; off < BYTES; off += disk_piece(off)) {
        disk_read(d, off, (guest_t *)(before + off), (u32)MIN((u64)disk_piece(off), BYTES - off));
    }
    for (u32 i = 0; i < BYTES; i++) {
        assert(file[i] == (u8)(i * 5 + i / 512 + 1));
    }
}

/* After what the model doesn't follow. */
static void resync(struct model *m)
{
    const struct disk *d = &container_of(m->b.g.vm.devs, struct blk, virtio.dev)->disk;

    check_disk(m);
    memcpy(m->bytes, before, BYTES);
    for (u32 i = 0; i < PAGES && d->table != NULL; i++) {
        m->page[i] = (u8)MIN(d->table[i], (u32)IN_RAM);
    }
}

/* --- a request ---------------------------------------------------------------------------------
 */

struct request {
    u8 out[32 * KIB]; /* header and data to the device, as one */
    u32 out_len, in_len;
    u32 type;
    u64 sector;
    struct {
        u32 at, len; /* in the arena */
        bool write;
    } piece[PIECES];
    u32 pieces;
};

/* Cuts `len` bytes into buffers that don't overlap; fewer bytes if there's no room. */
static u32 cut(struct request *q, struct input *in, u32 *at, u32 len, bool write)
{
    u32 done = 0, most = write ? PIECES : PIECES / 2;

    while (done < len && q->pieces < most && *at < ARENA) {
        u32 how = take(in, 1), n = how < 0x60 ? how : how * 64;

        n = MIN(MIN(q->pieces + 1 == most ? len : n, len - done), ARENA - *at);
        q->piece[q->pieces].at = *at;
        q->piece[q->pieces].len = n;
        q->piece[q->pieces++].write = write;
        *at += n + (how & 3);
        done += n;
    }
    return done;
}

static u64 take_sector(struct input *in)
{
    u32 how = take(in, 1);

    if (how < 0xc0) {
        return how % (BYTES / 512);
    }
    if (how < 0xe0) {
        return BYTES / 512 - 2 + how % 4;
    }
    return (u64)take(in, 4) << (how % 33);
}

static void take_ranges(struct request *q, struct input *in)
{
    u32 n = take(in, 1) % 19;

    for (u32 i = 0; i < n; i++) {
        u32 how = take(in, 1);
        struct blk_range r = {take_sector(in), take(in, 1) % 40, how < 0xf0 ? how & 1 : how};

        memcpy(q->out + q->out_len, &r, sizeof(r));
        q->out_len += (u32)sizeof(r);
    }
    q->out_len += n == 18 ? 5 : 0;
}

static void take_request(struct request *q, struct input *in)
{
    static const u32 types[] = {BLK_T_IN,     BLK_T_OUT,     BLK_T_OUT,          BLK_T_FLUSH,
                                BLK_T_GET_ID, BLK_T_DISCARD, BLK_T_WRITE_ZEROES, 0x55};
    u32 kind = take(in, 1), sectors = take(in, 1) % 40, at = 0;
    u32 data = sectors * 512 + (kind & 0x80 ? kind >> 3 & 7 : 0);

    memset(q, 0, sizeof(*q));
    q->type = types[kind % 8];
    q->sector = take_sector(in);
    memcpy(q->out, &q->type, 4);
    memcpy(q->out + 8, &q->sector, 8);
    q->out_len = 16;
    q->in_len = 1;
    if (q->type == BLK_T_OUT) {
        for (u32 i = 0; i < data; i++) {
            q->out[16 + i] = (u8)(kind + i + i / 512 * 3);
        }
        q->out_len += data;
    } else if (q->type == BLK_T_DISCARD || q->type == BLK_T_WRITE_ZEROES) {
        take_ranges(q, in);
    } else {
        q->in_len += data;
    }
    if (kind & 0x40) {
        at = take(in, 1);
        q->out_len = kind == 0xc0 ? at % 16 : q->out_len; /* without a header */
    }
    q->out_len = cut(q, in, &at, q->out_len, false);
    q->in_len = cut(q, in, &at, q->in_len, true);
}

/* What the driver sees afterwards: data into `data`, how much of it into *written. */
static u8 answer(struct model *m, const struct request *q, u8 *data, u32 *written)
{
    u32 bytes = q->type == BLK_T_IN ? q->in_len - 1 : q->out_len - 16;
    struct blk_range r;
    u8 status = BLK_OK;

    *written = 0;
    switch (q->type) {
    case BLK_T_IN:
    case BLK_T_OUT:
        if (m->readonly && q->type == BLK_T_OUT) {
            return BLK_IOERR;
        }
        if (bytes % 512 != 0 || q->sector > BYTES / 512 || bytes / 512 > BYTES / 512 - q->sector) {
            return BLK_IOERR;
        }
        if (q->type == BLK_T_IN) {
            memcpy(data, m->bytes + q->sector * 512, bytes);
            *written = bytes;
            return BLK_OK;
        }
        return model_write(m, q->sector * 512, q->out + 16, bytes) ? BLK_OK : BLK_IOERR;
    case BLK_T_FLUSH:
        return BLK_OK;
    case BLK_T_GET_ID:
        *written = MIN(q->in_len - 1, 20u);
        memset(data, 0, 20);
        memcpy(data, "root", 4);
        return BLK_OK;
    case BLK_T_DISCARD:
    case BLK_T_WRITE_ZEROES:
        if (m->readonly || bytes == 0 || bytes % 16 != 0 || bytes > 16 * 16) {
            return BLK_IOERR;
        }
        for (u32 i = 0; i < bytes && status == BLK_OK; i += 16) {
            memcpy(&r, q->out + 16 + i, 16);
            status = model_range(m, q->type, &r);
        }
        return status;
    default:
        return BLK_UNSUPP;
    }
}

/* Byte `i` of what the device may write, in the arena. */
static u32 in_place(const struct request *q, u32 i)
{
    for (u32 k = 0; k < q->pieces; k++) {
        if (q->piece[k].write && i < q->piece[k].len) {
            return q->piece[k].at + i;
        }
        i -= q->piece[k].write ? q->piece[k].len : 0;
    }
    panic("beyond the buffers");
}

static void put_request(struct model *m, const struct request *q)
{
    u32 done = 0;

    for (u32 k = 0; k < q->pieces; k++) {
        bool last = k + 1 == q->pieces;

        if (!q->piece[k].write) {
            memcpy(arena + q->piece[k].at, q->out + done, q->piece[k].len);
            done += q->piece[k].len;
        }
        ring_desc(&m->b.q[0], k, m->b.data + q->piece[k].at, q->piece[k].len,
                  (last ? 0 : D_NEXT) | (q->piece[k].write ? D_WRITE : 0), k + 1);
    }
    memcpy(guest_ptr(&m->b.g, m->b.data), arena, ARENA);
}

static bool running(struct model *m)
{
    return virtio_running(&container_of(m->b.g.vm.devs, struct blk, virtio.dev)->virtio);
}

static void start(struct model *m)
{
    u64 all = driver_offered(&m->b.g, BLK_BASE);

    blk_start(&m->b, all & ~(F_EVENT_IDX | F_DATA), QSIZE);
}

static void step_request(struct model *m, struct input *in)
{
    static struct request q;
    static u8 data[32 * KIB];
    u32 written, used;
    u8 status;

    take_request(&q, in);
    for (u32 i = 0; i < ARENA; i += 64) {
        arena[i] = (u8)i;
    }
    put_request(m, &q);
    ring_offer(&m->b.q[0], 0);
    ring_kick(&m->b.q[0]);
    (void)host_run_work(10000);
    if (q.out_len < 16 || q.in_len < 1) {
        assert(!running(m));
        start(m);
        return;
    }
    status = answer(m, &q, data, &written);
    assert(ring_used(&m->b.q[0], &used) == 0 && used == written + 1);
    for (u32 i = 0; i < written; i++) {
        arena[in_place(&q, i)] = data[i];
    }
    arena[in_place(&q, q.in_len - 1)] = status;
    assert(memcmp(arena, guest_ptr(&m->b.g, m->b.data), ARENA) == 0);
    check_disk(m);
    assert(memcmp(before, m->bytes, BYTES) == 0);
}

/* --- anything ----------------------------------------------------------------------------------
 */

static void wild_desc(struct model *m, struct input *in)
{
    u32 i = take(in, 1), how = take(in, 1), len = take(in, 1) * (how & 0x20 ? 4096u : 1u);
    u64 addr = m->b.data + take(in, 2);

    if (how & 0x40) {
        addr = how & 0x80 ? GUEST_ROM_BASE + i : (u64)take(in, 4) << (how & 31);
    }
    ring_desc(&m->b.q[0], i % QSIZE, addr, len, how & 7, take(in, 1) % (QSIZE + 2));
}

static void wild_step(struct model *m, struct input *in)
{
    u32 op = take(in, 1), a = take(in, 1);

    switch (op % 8) {
    case 0:
        guest_write(&m->b.g, BLK_BASE + a * 4, 4, take(in, 1));
        break;
    case 1:
    case 2:
        wild_desc(m, in);
        break;
    case 3:
        ring_offer(&m->b.q[0], a % QSIZE);
        break;
    case 4:
        ring_kick(&m->b.q[0]);
        break;
    case 5:
        *(u32 *)guest_ptr(&m->b.g, m->b.header + a * 4) = take(in, 2);
        break;
    case 6:
        (void)host_run_work(1 + a % 4);
        break;
    default:
        (void)guest_read(&m->b.g, BLK_BASE + VMMIO_CONFIG + a, 1u << op / 8 % 4);
        break;
    }
}

static void wild(struct model *m, struct input *in)
{
    u32 count = take(in, 1) % 32;

    while (count-- > 0) {
        wild_step(m, in);
    }
    (void)host_run_work(100000);
    for (u32 i = 0; i < GUEST_ROM_SIZE; i += 512) {
        assert(m->b.g.rom[i] == 0x5a);
    }
    resync(m);
    start(m);
}

/* --- all of them -------------------------------------------------------------------------------
 */

static void make(struct model *m, u32 i)
{
    struct blk_opts o = blk_options(i == 2 ? NULL : file, BYTES);

    m->ram = i == 2;
    m->readonly = i == 1;
    m->room = i == 0 ? ROOM : PAGES;
    o.cow = i == 0 ? ROOM * PAGE_SIZE : 0;
    o.hostdev.mark = i == 1 ? '<' : 0;
    o.packed = i == 3;
    assert(blk_init(&m->b, &o));
    memset(m->b.g.rom, 0x5a, GUEST_ROM_SIZE);
}

/* As it was made. */
static void refresh(struct model *m)
{
    struct disk *d = &container_of(m->b.g.vm.devs, struct blk, virtio.dev)->disk;

    if (d->table != NULL) {
        memset(d->table, 0, d->npages * sizeof(d->table[0]));
        memset((void *)d->pages, 0xa5, (size_t)d->room * PAGE_SIZE);
    }
    d->used = 0;
    d->freed = d->room;
    start(m);
    resync(m);
    assert(memcmp(m->bytes, m->ram ? (const u8 *)before : file, BYTES) == 0);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct input in = {data, data + size};
    static bool made;
    struct model *m;

    log_threshold = LOG_ERR;
    for (u32 i = 0; i < DISKS && !made; i++) {
        for (u32 k = 0; k < BYTES; k++) {
            file[k] = (u8)(k * 5 + k / 512 + 1);
        }
        make(&disks[i], i);
    }
    made = true;
    m = &disks[take(&in, 1) % DISKS];
    refresh(m);
    for (u32 i = 0; i < STEPS && in.p < in.end; i++) {
        if (take(&in, 1) % 8 == 0) {
            wild(m, &in);
        } else {
            step_request(m, &in);
        }
    }
    m->b.g.vm.devs->ops->reset(m->b.g.vm.devs);
    assert(host_run_work(100) < 100);
    return 0;
}
