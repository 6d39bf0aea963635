/* SPDX-License-Identifier: MIT */
/* See net.h. */
#include "tests/guests/lib/net.h"

#include "tests/guests/lib/atomic.h"
#include "tests/guests/lib/exception.h"
#include "tests/guests/lib/gic.h"
#include "tests/guests/lib/io.h"
#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/string.h"
#include "tests/guests/lib/sysreg.h"
#include "tests/guests/lib/timer.h"
#include "tests/guests/lib/virtio.h"

enum { BUFFER = 2048, SEND_TIMEOUT_US = 1000000 };

uint8_t net_mac[6];

static uint64_t nic;
static uint32_t nic_irq;
static struct virtq rx;
static struct virtq tx;
static uint8_t rx_buffers[VIRTQ_SIZE][BUFFER] __attribute__((aligned(64)));
static uint8_t tx_buffers[VIRTQ_SIZE][BUFFER] __attribute__((aligned(64)));
static uint16_t rx_seen;

static void offer_rx(uint16_t i)
{
    rx.desc[i] = (struct virtq_desc){(uint64_t)rx_buffers[i], BUFFER, DESC_WRITE, 0};
    virtq_offer(&rx, i);
}

static void notify(const struct virtq *q, uint32_t index)
{
    if (!(atomic_load(&q->used.flags) & USED_NO_NOTIFY)) {
        io_write32(nic + VIRTIO_QUEUE_NOTIFY, index);
    }
}

static void route_irq(void)
{
    for (uint32_t i = 0; i < platform.virtio_count; i++) {
        if (platform.virtio[i].base == nic) {
            nic_irq = platform.virtio[i].irq;
            gic_set_edge(nic_irq, platform.virtio[i].edge);
        }
    }
    gic_set_priority(nic_irq, GIC_DEFAULT_PRIORITY);
    gic_route(nic_irq, 0);
    gic_enable(nic_irq);
    gic_enable(platform.vtimer_irq);
}

bool net_open(void)
{
    nic = virtio_find(VIRTIO_ID_NET, 0);
    if (!nic || !virtio_negotiate(nic, VIRTIO_F_VERSION_1 | VIRTIO_NET_F_MAC) ||
        !virtio_queue_start(nic, NET_RX, &rx) || !virtio_queue_start(nic, NET_TX, &tx)) {
        return false;
    }
    for (uint32_t i = 0; i < sizeof(net_mac); i++) {
        net_mac[i] = io_read8(nic + VIRTIO_CONFIG + i);
    }
    exception_irq_hook = net_take_irq;
    gic_init();
    route_irq();
    tx.avail.flags = AVAIL_NO_INTERRUPT;
    rx_seen = 0;
    virtio_drive(nic);
    for (uint16_t i = 0; i < VIRTQ_SIZE; i++) {
        offer_rx(i);
    }
    io_write32(nic + VIRTIO_QUEUE_NOTIFY, NET_RX);
    return true;
}

bool net_send(const void *frame, uint32_t len)
{
    uint64_t give_up = timer_now() + timer_ticks(SEND_TIMEOUT_US);
    uint16_t i = tx.avail.idx % VIRTQ_SIZE;

    while ((uint16_t)(tx.avail.idx - atomic_load(&tx.used.idx)) >= VIRTQ_SIZE) {
        if (timer_now() > give_up) {
            return false;
        }
        yield_cpu();
    }
    memset(tx_buffers[i], 0, NET_HEADER);
    memcpy(tx_buffers[i] + NET_HEADER, frame, len);
    tx.desc[i] = (struct virtq_desc){(uint64_t)tx_buffers[i], NET_HEADER + len, 0, 0};
    virtq_offer(&tx, i);
    notify(&tx, NET_TX);
    return true;
}

uint32_t net_receive(void *frame, uint32_t max)
{
    uint16_t id;
    uint32_t len;

    if (atomic_load(&rx.used.idx) == rx_seen) {
        return 0;
    }
    id = (uint16_t)(rx.used.ring[rx_seen % VIRTQ_SIZE].id % VIRTQ_SIZE);
    len = rx.used.ring[rx_seen % VIRTQ_SIZE].len;
    len = len < NET_HEADER || len > BUFFER ? 0 : len - NET_HEADER;
    len = len < max ? len : max;
    memcpy(frame, rx_buffers[id] + NET_HEADER, len);
    rx_seen++;
    offer_rx(id);
    notify(&rx, NET_RX);
    return len;
}

void net_take_irq(uint64_t entry_time)
{
    uint32_t iar = gic_ack();
    uint32_t intid = gic_intid(iar);

    (void)entry_time;
    if (intid == nic_irq) {
        io_write32(nic + VIRTIO_INTERRUPT_ACK, io_read32(nic + VIRTIO_INTERRUPT_STATUS));
    } else if (intid == platform.vtimer_irq) {
        sysreg_write("cntv_ctl_el0", 0);
        isb();
    }
    if (intid < GIC_SPURIOUS) {
        gic_eoi(iar);
    }
}

void net_sleep(uint64_t until)
{
    sysreg_write("cntv_cval_el0", until);
    sysreg_write("cntv_ctl_el0", TIMER_ENABLE);
    isb();
    if (atomic_load(&rx.used.idx) == rx_seen && timer_now() < until) {
        wfi();
    }
    irq_unmask();
    irq_mask();
}
