/* SPDX-License-Identifier: MIT */
/* The benchmark guest: a virtio register, the doorbell of an idle queue, a frame sent. */
#include "tests/bench/bench.h"

#include "tests/guests/lib/io.h"
#include "tests/guests/lib/net.h"
#include "tests/guests/lib/string.h"
#include "tests/guests/lib/test.h"
#include "tests/guests/lib/virtio.h"

enum { FRAME = 64 };

static struct virtq tx;
static uint8_t buffer[NET_HEADER + FRAME];

void bench_virtio_rows(void)
{
    uint64_t nic = virtio_find(VIRTIO_ID_NET, 0);
    uint64_t give_up;

    if (!nic) {
        test_note("no virtio-net device of version 2");
        return;
    }
    BENCH("virtio_reg_read", SAMPLES, BATCH, io_read32(nic));
    if (!virtio_negotiate(nic, VIRTIO_F_VERSION_1 | (virtio_features(nic) & VIRTIO_NET_F_MAC)) ||
        !virtio_queue_start(nic, NET_TX, &tx)) {
        test_note("the NIC refuses its driver");
        return;
    }
    tx.avail.flags = AVAIL_NO_INTERRUPT;
    virtio_drive(nic);
    BENCH("virtio_notify", SAMPLES, BATCH, io_write32(nic + VIRTIO_QUEUE_NOTIFY, NET_TX));

    memset(buffer + NET_HEADER, 0xff, 6); /* to everybody, from the NIC, experimental type */
    for (uint32_t i = 0; i < 6; i++) {
        buffer[NET_HEADER + 6 + i] = io_read8(nic + VIRTIO_CONFIG + i);
    }
    buffer[NET_HEADER + 12] = 0x88;
    buffer[NET_HEADER + 13] = 0xb5;
    tx.desc[0] = (struct virtq_desc){(uint64_t)buffer, sizeof(buffer), 0, 0};
    give_up = timer_now() + timer_hz(); /* a peer may never take the frame */
    BENCH(
        "virtio_tx_64", SAMPLES, 1, virtq_offer(&tx, 0);
        io_write32(nic + VIRTIO_QUEUE_NOTIFY, NET_TX); while (
            atomic_load(&tx.used.idx) != tx.avail.idx && timer_now() < give_up) { yield_cpu(); });
    io_write32(nic + VIRTIO_STATUS, 0);
}
