/* SPDX-License-Identifier: MIT */
/*
 * The benchmark guest: requests of a virtio-blk, at random places of a disk in RAM, each done when
 * the doorbell returns or, the large ones, in pieces afterwards.
 */
#include "tests/bench/bench.h"

#include "tests/guests/lib/io.h"
#include "tests/guests/lib/prng.h"
#include "tests/guests/lib/test.h"
#include "tests/guests/lib/virtio.h"

enum { VIRTIO_ID_BLK = 2, BLK_IN = 0, BLK_OUT = 1, SECTOR = 512 };
enum { PAGE = 4096, LARGE = 65536, MEGABYTE = 1 << 20, BURST = 16, LARGE_SAMPLES = 64 };

struct header {
    uint32_t type, ioprio;
    uint64_t sector;
};

static struct virtq queue;
static struct header headers[BURST];
static uint8_t status[BURST];
static uint8_t data[MEGABYTE] __attribute__((aligned(4096)));
static uint64_t disk, pages; /* of the disk */
static struct prng prng = {1};

/* Request `slot` with so many bytes, at that page or further in front; not offered yet. */
static void put(uint16_t slot, uint32_t type, uint64_t page, uint32_t len)
{
    struct virtq_desc *d = &queue.desc[3 * slot];
    uint64_t last = pages - len / PAGE;

    headers[slot] = (struct header){type, 0, (page < last ? page : last) * (PAGE / SECTOR)};
    status[slot] = 0xff;
    d[0] = (struct virtq_desc){(uint64_t)&headers[slot], sizeof(struct header), DESC_NEXT,
                               (uint16_t)(3 * slot + 1)};
    d[1] = (struct virtq_desc){(uint64_t)data + (slot * PAGE) % sizeof(data), len,
                               (uint16_t)(DESC_NEXT | (type == BLK_IN ? DESC_WRITE : 0)),
                               (uint16_t)(3 * slot + 2)};
    d[2] = (struct virtq_desc){(uint64_t)&status[slot], 1, DESC_WRITE, 0};
    virtq_offer(&queue, (uint16_t)(3 * slot));
}

/* Times doorbells with so many requests behind them, until all are done. In order if !random. */
static void row(const char *name, uint32_t type, uint32_t len, uint16_t burst, bool random)
{
    uint32_t samples = len > PAGE ? LARGE_SAMPLES : SAMPLES;
    bool good = true;

    for (uint32_t sample = 0; sample < samples; sample++) {
        uint64_t begin, give_up;

        for (uint16_t i = 0; i < burst; i++) {
            put(i, type, random ? prng_below(&prng, (uint32_t)pages) : sample, len);
        }
        begin = timer_now();
        give_up = begin + timer_hz();
        io_write32(disk + VIRTIO_QUEUE_NOTIFY, 0);
        while (atomic_load(&queue.used.idx) != queue.avail.idx && timer_now() < give_up) {
        }
        bench_sample[sample] = timer_now() - begin;
        for (uint16_t i = 0; i < burst; i++) {
            good = good && atomic_load(&status[i]) == 0;
        }
    }
    if (good) {
        bench_report(name, samples, burst);
    } else {
        test_note("%s: the disk failed", name);
    }
}

void bench_disk_rows(void)
{
    disk = virtio_find(VIRTIO_ID_BLK, 0);
    if (!disk || !virtio_negotiate(disk, VIRTIO_F_VERSION_1) ||
        !virtio_queue_start(disk, 0, &queue)) {
        test_note("no virtio-blk device of version 2");
        return;
    }
    queue.avail.flags = AVAIL_NO_INTERRUPT;
    virtio_drive(disk);
    pages = io_read32(disk + VIRTIO_CONFIG) / (PAGE / SECTOR);
    row("disk_write_first_4k", BLK_OUT, PAGE, 1, false);
    for (uint64_t page = 0; page < pages; page += MEGABYTE / PAGE) { /* all of it has RAM now */
        put(0, BLK_OUT, page, MEGABYTE);
        io_write32(disk + VIRTIO_QUEUE_NOTIFY, 0);
        while (atomic_load(&queue.used.idx) != queue.avail.idx) {
        }
    }
    row("disk_read_4k", BLK_IN, PAGE, 1, true);
    row("disk_write_4k", BLK_OUT, PAGE, 1, true);
    row("disk_read_burst", BLK_IN, PAGE, BURST, true);
    row("disk_write_burst", BLK_OUT, PAGE, BURST, true);
    row("disk_read_64k", BLK_IN, LARGE, 1, true);
    row("disk_write_64k", BLK_OUT, LARGE, 1, true);
    row("disk_read_1m", BLK_IN, MEGABYTE, 1, true);
    row("disk_write_1m", BLK_OUT, MEGABYTE, 1, true);
    io_write32(disk + VIRTIO_STATUS, 0);
}
