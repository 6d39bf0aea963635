/* SPDX-License-Identifier: MIT */
/*
 * See nic.h. Each direction has a ring of buffers that stay where they are; frames are copied in
 * and out. The device is asked for interrupts only right before sleeping, and notified only where
 * it asks for it: by EVENT_IDX if it has that, by the rings' flags otherwise (section 2.7.7).
 */
#include "guest-configs/netsvc/nic.h"

#include <string.h>

#include "guest-configs/netsvc/idle.h"
#include "lwip/etharp.h"
#include "lwip/netif.h"
#include "lwip/pbuf.h"
#include "tests/guests/lib/atomic.h"
#include "tests/guests/lib/io.h"
#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/virtio.h"

enum { DEVICE_NET = 1, RX = 0, TX = 1, NET_HEADER = 12, BUFFER = 2048, MTU = 1500, BURST = 64 };
enum { RING = 128 }; /* more than TCP_WND: what one sender may have under way */
enum { MAC_OFFSET = 6 };
#define NET_F_MAC (1ull << 5)

struct ring {
    VIRTQ_AREAS(RING);
} __attribute__((aligned(4096)));

static uint64_t base;
static bool event_idx;
static struct ring queues[2];
static uint16_t told[2]; /* each ring's avail.idx when the device was last told of it */
static uint16_t rx_seen;
static uint8_t buffers[2][RING][BUFFER] __attribute__((aligned(64)));
static uint8_t sender[ETH_HWADDR_LEN];
static struct nic_counters count;

/* Section 2.7.10: has the device asked to be told of one of the buffers added since last time? */
static void tell(unsigned queue)
{
    struct ring *q = &queues[queue];
    uint16_t idx = q->avail.idx;
    uint16_t added = (uint16_t)(idx - told[queue]);
    bool wanted;

    if (added == 0) {
        return;
    }
    atomic_fence();
    if (event_idx) {
        wanted = (uint16_t)(idx - atomic_load(&q->used.avail_event) - 1) < added;
    } else {
        wanted = (atomic_load(&q->used.flags) & USED_NO_NOTIFY) == 0;
    }
    told[queue] = idx;
    if (wanted) {
        io_write32(base + VIRTIO_QUEUE_NOTIFY, queue);
        count.notifies++;
    }
}

/* Makes the buffer with the descriptor of the same number available. */
static void offer(unsigned queue, uint16_t i, uint32_t len, uint16_t flags)
{
    struct ring *q = &queues[queue];

    q->desc[i] = (struct virtq_desc){(uint64_t)buffers[queue][i], len, flags, 0};
    q->avail.ring[q->avail.idx % RING] = i;
    atomic_store(&q->avail.idx, (uint16_t)(q->avail.idx + 1));
}

/* Asks for an interrupt at the next received frame, or for none. */
static void want_interrupt(bool yes)
{
    struct ring *q = &queues[RX];

    if (event_idx) {
        atomic_store(&q->avail.used_event, (uint16_t)(yes ? rx_seen : rx_seen - 1));
    } else {
        atomic_store(&q->avail.flags, (uint16_t)(yes ? 0 : AVAIL_NO_INTERRUPT));
    }
    atomic_fence();
}

static void take_irq(void)
{
    io_write32(base + VIRTIO_INTERRUPT_ACK, io_read32(base + VIRTIO_INTERRUPT_STATUS));
    count.interrupts++;
}

static void listen_to_device(void)
{
    for (uint32_t i = 0; i < platform.virtio_count; i++) {
        if (platform.virtio[i].base == base) {
            idle_listen(platform.virtio[i].irq, platform.virtio[i].edge, take_irq);
        }
    }
}

static bool start_queue(uint32_t index)
{
    struct ring *q = &queues[index];

    io_write32(base + VIRTIO_QUEUE_SEL, index);
    if (io_read32(base + VIRTIO_QUEUE_SIZE_MAX) < RING) {
        return false;
    }
    io_write32(base + VIRTIO_QUEUE_SIZE, RING);
    virtio_queue_addresses(base, (uint64_t)q->desc, (uint64_t)&q->avail, (uint64_t)&q->used);
    io_write32(base + VIRTIO_QUEUE_READY, 1);
    return io_read32(base + VIRTIO_QUEUE_READY) == 1;
}

bool nic_open(void)
{
    base = virtio_find(DEVICE_NET, 0);
    if (base == 0) {
        return false;
    }
    uint64_t features = virtio_features(base) & (NET_F_MAC | VIRTIO_F_EVENT_IDX);

    event_idx = (features & VIRTIO_F_EVENT_IDX) != 0;
    if ((features & NET_F_MAC) == 0 || !virtio_negotiate(base, features | VIRTIO_F_VERSION_1) ||
        !start_queue(RX) || !start_queue(TX)) {
        return false;
    }
    listen_to_device();
    virtio_drive(base);
    queues[TX].avail.flags = AVAIL_NO_INTERRUPT;
    queues[TX].avail.used_event = UINT16_MAX / 2;
    for (uint16_t i = 0; i < RING; i++) {
        offer(RX, i, BUFFER, DESC_WRITE);
    }
    want_interrupt(false);
    tell(RX);
    return true;
}

/* Buffers are used in turn, so the next one is free when not all are the device's. */
static bool has_room(const struct ring *q)
{
    return (uint16_t)(q->avail.idx - atomic_load(&q->used.idx)) < RING;
}

static err_t send_frame(struct netif *netif, struct pbuf *p)
{
    struct ring *q = &queues[TX];
    uint16_t i = q->avail.idx % RING;
    uint8_t *buffer = buffers[TX][i];

    (void)netif;
    if (!has_room(q)) {
        nic_flush();
    }
    if (p->tot_len > BUFFER - NET_HEADER || !has_room(q)) {
        count.dropped++;
        return ERR_MEM;
    }
    memset(buffer, 0, NET_HEADER);
    pbuf_copy_partial(p, buffer + NET_HEADER, p->tot_len, 0);
    q->avail.used_event = (uint16_t)(q->avail.idx + UINT16_MAX / 2); /* none, for long */
    offer(TX, i, NET_HEADER + (uint32_t)p->tot_len, 0);
    count.sent++;
    count.sent_bytes += p->tot_len;
    if (q->avail.idx - told[TX] >= RING / 2) {
        nic_flush();
    }
    return ERR_OK;
}

err_t nic_attach(struct netif *netif)
{
    netif->name[0] = 'e';
    netif->name[1] = 'n';
    netif->output = etharp_output;
    netif->linkoutput = send_frame;
    netif->mtu = MTU;
    netif->hwaddr_len = ETH_HWADDR_LEN;
    for (uint32_t i = 0; i < ETH_HWADDR_LEN; i++) {
        netif->hwaddr[i] = io_read8(base + VIRTIO_CONFIG + i);
    }
    netif->flags =
        NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_LINK_UP;
    return ERR_OK;
}

/* lwIP gets a copy: the buffer goes back into the ring at once. */
static void take_frame(struct netif *netif, const uint8_t *frame, uint16_t len)
{
    struct pbuf *p = pbuf_alloc(PBUF_RAW, len, PBUF_POOL);

    if (p == NULL) {
        count.dropped++;
        return;
    }
    pbuf_take(p, frame, len);
    memcpy(sender, frame + MAC_OFFSET, sizeof(sender));
    count.received++;
    count.received_bytes += len;
    if (netif->input(p, netif) != ERR_OK) {
        pbuf_free(p);
    }
}

bool nic_poll(struct netif *netif)
{
    struct ring *q = &queues[RX];
    uint16_t ready = (uint16_t)(atomic_load(&q->used.idx) - rx_seen);

    ready = ready < BURST ? ready : BURST;
    for (uint16_t n = 0; n < ready; n++, rx_seen++) {
        uint16_t id = (uint16_t)(q->used.ring[rx_seen % RING].id % RING);
        uint32_t len = q->used.ring[rx_seen % RING].len;

        if (len >= NET_HEADER + SIZEOF_ETH_HDR && len <= BUFFER) {
            take_frame(netif, buffers[RX][id] + NET_HEADER, (uint16_t)(len - NET_HEADER));
        }
        offer(RX, id, BUFFER, DESC_WRITE);
    }
    if (ready != 0) {
        want_interrupt(false);
        tell(RX);
    }
    return ready != 0;
}

void nic_flush(void)
{
    tell(TX);
}

bool nic_arm(void)
{
    want_interrupt(true);
    return atomic_load(&queues[RX].used.idx) == rx_seen;
}

const uint8_t *nic_sender(void)
{
    return sender;
}

const struct nic_counters *nic_count(void)
{
    return &count;
}
