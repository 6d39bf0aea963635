/* SPDX-License-Identifier: MIT */
/* The flood guest's NIC: one transmit ring that is always full, and one to receive.  See flood.h.
 */
#include "tests/guests/flood/flood.h"

#include "tests/guests/lib/atomic.h"
#include "tests/guests/lib/io.h"
#include "tests/guests/lib/net.h"
#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/string.h"
#include "tests/guests/lib/timer.h"

enum { RX_BUFFER = 2048, AREA = 1 << 22, LOOKS = 50 };

uint8_t nic_mac[6];
struct flood_queue *nic_tx;
uint32_t nic_tx_size;
struct flood_done done;

static uint64_t nic, sink;
static struct flood_queue *rx, *sink_rx;
static uint8_t *rx_buffers, *tx_buffers;
static uint16_t rx_seen, tx_seen;

bool nic_find(void)
{
    uint8_t *area = (uint8_t *)platform_free_ram(AREA, 1 << 21);

    nic = virtio_find(VIRTIO_ID_NET, 0);
    sink = virtio_find(VIRTIO_ID_NET, 1);
    nic_tx = (struct flood_queue *)area;
    rx = nic_tx + 1;
    sink_rx = nic_tx + 2;
    rx_buffers = area + (1 << 18);
    tx_buffers = area + (1 << 20);
    return nic && area;
}

uint8_t *nic_buffer(uint32_t i)
{
    return tx_buffers + i % FLOOD_BUFFERS * FLOOD_BUFFER;
}

void nic_entry(uint32_t i, const void *data, uint32_t len)
{
    nic_tx->desc[i] = (struct virtq_desc){(uint64_t)data, len, 0, 0};
    nic_tx->avail.ring[i] = (uint16_t)i;
}

static bool start_queue(uint64_t base, uint32_t index, struct flood_queue *q)
{
    uint32_t size;

    io_write32(base + VIRTIO_QUEUE_SEL, index);
    size = io_read32(base + VIRTIO_QUEUE_SIZE_MAX);
    size = size < FLOOD_QUEUE ? size : FLOOD_QUEUE;
    q->avail.idx = 0;
    q->avail.flags = AVAIL_NO_INTERRUPT;
    q->used.idx = 0;
    nic_tx_size = size;
    io_write32(base + VIRTIO_QUEUE_SIZE, size);
    virtio_queue_addresses(base, (uint64_t)q->desc, (uint64_t)&q->avail, (uint64_t)&q->used);
    io_write32(base + VIRTIO_QUEUE_READY, 1);
    return io_read32(base + VIRTIO_QUEUE_READY) == 1;
}

bool nic_restart(uint64_t features, bool receives)
{
    bool good;

    good = virtio_negotiate(nic, VIRTIO_F_VERSION_1 | VIRTIO_NET_F_MAC |
                                     (features ? features & virtio_features(nic) : 0)) &&
           start_queue(nic, NET_RX, rx) && start_queue(nic, NET_TX, nic_tx);
    rx_seen = 0;
    tx_seen = 0;
    for (uint32_t i = 0; i < sizeof(nic_mac); i++) {
        nic_mac[i] = io_read8(nic + VIRTIO_CONFIG + i);
    }
    for (uint32_t i = 0; receives && i < nic_tx_size; i++) {
        rx->desc[i] =
            (struct virtq_desc){(uint64_t)rx_buffers + i * RX_BUFFER, RX_BUFFER, DESC_WRITE, 0};
        rx->avail.ring[i] = (uint16_t)i;
    }
    rx->avail.idx = (uint16_t)(receives ? nic_tx_size : 0);
    virtio_drive(nic);
    done.resets++;
    return good;
}

/* All of one buffer, in one piece or in as many as there may be. */
static void sink_entry(uint32_t i, bool splinters)
{
    uint32_t piece = splinters ? RX_BUFFER / FLOOD_CHAIN : RX_BUFFER;
    bool last = !splinters || i % FLOOD_CHAIN == FLOOD_CHAIN - 1;

    sink_rx->desc[i] =
        (struct virtq_desc){(uint64_t)rx_buffers + i * RX_BUFFER, piece,
                            (uint16_t)(DESC_WRITE | (last ? 0 : DESC_NEXT)), (uint16_t)(i + 1)};
    sink_rx->avail.ring[i] =
        (uint16_t)(splinters ? i % (nic_tx_size / FLOOD_CHAIN) * FLOOD_CHAIN : i);
}

bool nic_sink_start(bool splinters)
{
    if (!sink) {
        return true;
    }
    if (!virtio_negotiate(sink, VIRTIO_F_VERSION_1 | VIRTIO_NET_F_MAC) ||
        !start_queue(sink, NET_RX, sink_rx)) {
        return false;
    }
    for (uint32_t i = 0; i < nic_tx_size; i++) {
        sink_entry(i, splinters);
    }
    sink_rx->avail.idx = (uint16_t)nic_tx_size;
    virtio_drive(sink);
    return true;
}

/* The time since the last look, if nothing but kicks was between. */
static uint64_t look(uint64_t before)
{
    uint64_t now = timer_now();

    done.longest = now - before > done.longest ? now - before : done.longest;
    return now;
}

void nic_offer(void)
{
    uint16_t used = atomic_load(&nic_tx->used.idx);

    atomic_store(&nic_tx->avail.idx, (uint16_t)(used + nic_tx_size));
}

void nic_kick(void)
{
    uint16_t used = atomic_load(&nic_tx->used.idx);
    uint64_t before;

    done.frames += (uint16_t)(used - tx_seen);
    tx_seen = used;
    atomic_store(&nic_tx->avail.idx, (uint16_t)(used + nic_tx_size));
    if (sink) {
        atomic_store(&sink_rx->avail.idx, (uint16_t)(sink_rx->used.idx + nic_tx_size));
    }
    before = timer_now();
    io_write32(nic + VIRTIO_QUEUE_NOTIFY, NET_TX);
    for (uint32_t i = 0; sink && i < LOOKS; i++) { /* what was put off comes now */
        before = look(before);
    }
    done.kicks++;
}

void nic_receive(void)
{
    while (atomic_load(&rx->used.idx) != rx_seen) {
        uint32_t id = rx->used.ring[rx_seen % nic_tx_size].id % nic_tx_size;
        const uint8_t *frame = rx_buffers + id * RX_BUFFER + NET_HEADER;

        done.received++;
        done.foreign += !(frame[0] & 1) && memcmp(frame, nic_mac, sizeof(nic_mac)) != 0;
        rx_seen++;
        rx->avail.ring[rx->avail.idx % nic_tx_size] = (uint16_t)id;
        atomic_store(&rx->avail.idx, (uint16_t)(rx->avail.idx + 1));
    }
}
