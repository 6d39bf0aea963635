/* SPDX-License-Identifier: MIT */
/*
 * The attack guest: hostile virtqueues.  Features, sizes and addresses as wrong as they come; rings
 * with loops, wild indexes and descriptors out of RAM; contents that another CPU changes while the
 * device looks.  After each round a reset must give back a device that works.
 *
 * The device may write where a descriptor allows it: writable ones of ours lie in the scratch RAM,
 * or outside RAM.
 */
#include "tests/guests/attack/attack.h"
#include "tests/guests/lib/atomic.h"
#include "tests/guests/lib/cpu.h"
#include "tests/guests/lib/io.h"
#include "tests/guests/lib/net.h"
#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/string.h"
#include "tests/guests/lib/test.h"
#include "tests/guests/lib/timer.h"
#include "tests/guests/lib/virtio.h"

enum { ROUNDS = 60, KICKS = 40, QUEUES = 2, WORK_US = 5000000, FRAME = 64 };

static struct virtq *queues; /* two, in the scratch RAM */
static uint32_t flipping;
static uint64_t nic;

/* Somewhere in the scratch RAM behind the queues. */
static uint64_t own_buffer(struct prng *random)
{
    return attack_scratch() + SCRATCH_SIZE / 2 + prng_below(random, SCRATCH_SIZE / 4);
}

static uint64_t wild_address(struct prng *random)
{
    const struct region *ram = &platform.ram[0];

    switch (prng_below(random, 8)) {
    case 0:
        return attack_address(random);
    case 1:
        return ram->base + ram->size - prng_below(random, 64);
    case 2:
        return ~0ull - prng_below(random, 64);
    case 3:
        return ram->base - prng_below(random, 64);
    case 4:
        return 0;
    default:
        return own_buffer(random);
    }
}

static uint32_t wild_len(struct prng *random)
{
    switch (prng_below(random, 8)) {
    case 0:
        return 0;
    case 1:
        return 0xffffffff;
    case 2:
        return 1u << prng_below(random, 32);
    case 3:
        return 16 * prng_below(random, 200);
    default:
        return prng_below(random, 2000);
    }
}

/* Readable from anywhere, writable only where it hurts nobody but the device's manners. */
static struct virtq_desc wild_desc(struct prng *random)
{
    struct virtq_desc d = {wild_address(random), wild_len(random), (uint16_t)prng_below(random, 8),
                           (uint16_t)prng_below(random, VIRTQ_SIZE)};

    if (prng_below(random, 8) == 0) {
        d.next = (uint16_t)prng_next(random);
        d.flags = (uint16_t)(d.flags | prng_next(random));
    }
    if (d.flags & DESC_INDIRECT) {
        d.addr = prng_below(random, 4) ? (uint64_t)queues[0].desc : d.addr;
    }
    if (d.flags & DESC_WRITE && platform_is_ram(d.addr, d.len)) {
        d.addr = own_buffer(random);
        d.len = prng_below(random, SCRATCH_SIZE / 4);
    }
    return d;
}

static void fill(struct virtq *q, struct prng *random)
{
    for (uint32_t i = 0; i < VIRTQ_SIZE; i++) {
        q->desc[i] = wild_desc(random);
        q->avail.ring[i] =
            (uint16_t)(prng_below(random, 8) ? prng_below(random, VIRTQ_SIZE) : prng_next(random));
    }
    q->avail.flags = (uint16_t)prng_below(random, 3);
    q->avail.used_event = (uint16_t)prng_next(random);
}

/* Mostly right, so that the rings behind it are reached; else wrong in one way. */
static void set_up_queue(uint32_t index, struct prng *random)
{
    struct virtq *q = &queues[index];
    uint64_t area[3] = {(uint64_t)q->desc, (uint64_t)&q->avail, (uint64_t)&q->used};
    uint32_t size = VIRTQ_SIZE;

    switch (prng_below(random, 8)) {
    case 0:
        size = (uint32_t)attack_value(random);
        break;
    case 1:
        area[prng_below(random, 3)] = attack_address(random);
        break;
    case 2:
        area[prng_below(random, 3)] += 1 + prng_below(random, 3);
        break;
    case 3:
        area[2] = area[prng_below(random, 2)]; /* overlapping, the device writes over its input */
        break;
    case 4:
        area[prng_below(random, 3)] = platform.ram[0].base + platform.ram[0].size - 16;
        break;
    default:
        break;
    }
    io_write32(nic + VIRTIO_QUEUE_SEL,
               prng_below(random, 16) ? index : (uint32_t)prng_next(random));
    io_write32(nic + VIRTIO_QUEUE_SIZE, size);
    virtio_queue_addresses(nic, area[0], area[1], area[2]);
    io_write32(nic + VIRTIO_QUEUE_READY, 1);
}

static void kick(struct prng *random)
{
    struct virtq *q = &queues[prng_below(random, QUEUES)];
    uint16_t step = (uint16_t)(prng_below(random, 8) ? prng_below(random, 8) : prng_next(random));

    atomic_store(&q->avail.idx, (uint16_t)(q->avail.idx + step));
    io_write32(nic + VIRTIO_QUEUE_NOTIFY,
               prng_below(random, 16) ? prng_below(random, QUEUES) : (uint32_t)prng_next(random));
    if (prng_below(random, 16) == 0) {
        io_write32(nic + (prng_next(random) & 0x1fc), (uint32_t)attack_value(random));
    }
    if (prng_below(random, 8) == 0) {
        fill(q, random);
    }
}

/* On CPU 1: the descriptors and indexes change under the device's eyes. */
static void flip(uint64_t seed)
{
    struct prng random = {seed};

    while (atomic_load(&flipping)) {
        struct virtq *q = &queues[prng_below(&random, QUEUES)];

        q->desc[prng_below(&random, VIRTQ_SIZE)] = wild_desc(&random);
        q->avail.ring[prng_below(&random, VIRTQ_SIZE)] = (uint16_t)prng_next(&random);
        if (prng_below(&random, 16) == 0) {
            atomic_store(&q->avail.idx, (uint16_t)prng_next(&random));
        }
    }
}

/* A device that has been reset does its work, whatever came before. */
static void check_works(void)
{
    static struct virtq tx;
    static uint8_t buffer[NET_HEADER + FRAME];
    uint64_t give_up = timer_now() + timer_ticks(WORK_US);

    if (!test_check(virtio_negotiate(nic, VIRTIO_F_VERSION_1), "features are refused") ||
        !test_check(virtio_queue_start(nic, NET_TX, &tx), "the queue is refused")) {
        return;
    }
    virtio_drive(nic);
    memset(buffer, 0, NET_HEADER);
    memset(buffer + NET_HEADER, 0xff, 6);
    for (uint32_t i = 0; i < 6; i++) {
        buffer[NET_HEADER + 6 + i] = io_read8(nic + VIRTIO_CONFIG + i);
    }
    tx.desc[0] = (struct virtq_desc){(uint64_t)buffer, sizeof(buffer), 0, 0};
    virtq_offer(&tx, 0);
    io_write32(nic + VIRTIO_QUEUE_NOTIFY, NET_TX);
    while (atomic_load(&tx.used.idx) != 1 && timer_now() < give_up) {
        yield_cpu();
    }
    test_equal("frames done after a reset", tx.used.idx, 1);
    io_write32(nic + VIRTIO_STATUS, 0);
}

static void one_round(struct prng *random, bool flips)
{
    uint64_t features = virtio_features(nic);

    memset(queues, 0, QUEUES * sizeof(*queues));
    virtio_negotiate(nic, prng_below(random, 8) ? features & (prng_next(random) | 1ull << 32)
                                                : prng_next(random));
    for (uint32_t i = 0; i < QUEUES; i++) {
        fill(&queues[i], random);
        set_up_queue(i, random);
    }
    io_write32(nic + VIRTIO_STATUS, prng_below(random, 16) ? 0xf : (uint32_t)prng_next(random) | 1);
    if (flips) {
        atomic_store(&flipping, 1);
        cpu_run(1, flip, prng_next(random) | 1);
    }
    for (uint32_t i = 0; i < KICKS; i++) {
        kick(random);
        attack_breathe();
    }
    if (flips) {
        atomic_store(&flipping, 0);
        cpu_wait(1);
    }
    io_write32(nic + VIRTIO_STATUS, 0);
}

void attack_rings(struct prng *random)
{
    queues = (struct virtq *)attack_scratch();
    for (uint32_t nth = 0; (nic = virtio_find(VIRTIO_ID_NET, nth)) != 0; nth++) {
        for (uint32_t i = 0; i < ROUNDS * attack_rounds(); i++) {
            one_round(random, platform.cpu_count > 1 && i % 2);
            if (i % 8 == 7) {
                check_works();
            }
        }
    }
    test_check(true, "no NIC");
}
