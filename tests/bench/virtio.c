/* SPDX-License-Identifier: MIT */
/* The benchmark guest: a virtio register, the doorbell of an idle queue, frames between two NICs.
 */
#include "tests/bench/bench.h"

#include "tests/guests/lib/io.h"
#include "tests/guests/lib/net.h"
#include "tests/guests/lib/string.h"
#include "tests/guests/lib/test.h"
#include "tests/guests/lib/virtio.h"

enum { FRAME = 64, BURST = 32 };

static struct virtq tx, rx;
static uint8_t buffer[NET_HEADER + FRAME];
static uint8_t received[VIRTQ_SIZE][NET_HEADER + FRAME];

/* As a driver for one queue that wants no interrupts. */
static bool start(uint64_t nic, uint32_t index, struct virtq *q)
{
    if (!virtio_negotiate(nic, VIRTIO_F_VERSION_1 | (virtio_features(nic) & VIRTIO_NET_F_MAC)) ||
        !virtio_queue_start(nic, index, q)) {
        test_note("the NIC refuses its driver");
        return false;
    }
    q->avail.flags = AVAIL_NO_INTERRUPT;
    virtio_drive(nic);
    return true;
}

/* From the NIC, of an experimental type; to everybody, or to another NIC. */
static void make_frame(uint64_t from, uint64_t to)
{
    memset(buffer + NET_HEADER, 0xff, 6);
    for (uint32_t i = 0; i < 6; i++) {
        if (to) {
            buffer[NET_HEADER + i] = io_read8(to + VIRTIO_CONFIG + i);
        }
        buffer[NET_HEADER + 6 + i] = io_read8(from + VIRTIO_CONFIG + i);
    }
    buffer[NET_HEADER + 12] = 0x88;
    buffer[NET_HEADER + 13] = 0xb5;
}

/* Doorbells with so many frames behind them, for a NIC that has buffers: the doorbell alone. */
static void switch_row(const char *name, uint64_t nic, uint16_t frames)
{
    uint16_t lost = 0;

    for (uint32_t sample = 0; sample < SAMPLES; sample++) {
        uint64_t begin;

        for (uint16_t i = 0; i < frames; i++) {
            virtq_offer(&rx, i);
            virtq_offer(&tx, i);
        }
        begin = timer_now();
        io_write32(nic + VIRTIO_QUEUE_NOTIFY, NET_TX);
        bench_sample[sample] = timer_now() - begin;
        lost |= (uint16_t)(atomic_load(&rx.used.idx) ^ rx.avail.idx);
        lost |= (uint16_t)(atomic_load(&tx.used.idx) ^ tx.avail.idx);
    }
    if (lost == 0) {
        bench_report(name, SAMPLES, frames);
    }
}

static void switch_rows(uint64_t nic, uint64_t other)
{
    if (!start(nic, NET_TX, &tx) || !start(other, NET_RX, &rx)) {
        return;
    }
    make_frame(nic, other);
    for (uint32_t i = 0; i < VIRTQ_SIZE; i++) {
        tx.desc[i] = (struct virtq_desc){(uint64_t)buffer, sizeof(buffer), 0, 0};
        rx.desc[i] = (struct virtq_desc){(uint64_t)received[i], sizeof(received[i]), DESC_WRITE, 0};
    }
    switch_row("switch_alone", nic, 1);
    switch_row("switch_burst", nic, BURST);
    io_write32(nic + VIRTIO_STATUS, 0);
    io_write32(other + VIRTIO_STATUS, 0);
}

void bench_virtio_rows(void)
{
    uint64_t nic = virtio_find(VIRTIO_ID_NET, 0);
    uint64_t give_up;

    if (!nic) {
        test_note("no virtio-net device of version 2");
        return;
    }
    BENCH("virtio_reg_read", SAMPLES, BATCH, io_read32(nic));
    if (!start(nic, NET_TX, &tx)) {
        return;
    }
    BENCH("virtio_notify", SAMPLES, BATCH, io_write32(nic + VIRTIO_QUEUE_NOTIFY, NET_TX));

    make_frame(nic, 0);
    tx.desc[0] = (struct virtq_desc){(uint64_t)buffer, sizeof(buffer), 0, 0};
    give_up = timer_now() + timer_hz(); /* a peer may never take the frame */
    BENCH(
        "virtio_tx_64", SAMPLES, 1, virtq_offer(&tx, 0);
        io_write32(nic + VIRTIO_QUEUE_NOTIFY, NET_TX); while (
            atomic_load(&tx.used.idx) != tx.avail.idx && timer_now() < give_up) { yield_cpu(); });
    io_write32(nic + VIRTIO_STATUS, 0);
    if (virtio_find(VIRTIO_ID_NET, 1)) {
        switch_rows(nic, virtio_find(VIRTIO_ID_NET, 1));
    }
}
