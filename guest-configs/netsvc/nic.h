/* SPDX-License-Identifier: MIT */
/*
 * A virtio-net device (VIRTIO 1.2 section 5.1, modern virtio-mmio, split rings) as lwIP's network
 * interface: no offloads, so whatever reaches it is a plain frame with all its checksums. It runs
 * on one CPU with interrupts masked; one that is pending ends the sleep.
 */
#ifndef GUEST_CONFIGS_NETSVC_NIC_H
#define GUEST_CONFIGS_NETSVC_NIC_H

#include <stdbool.h>
#include <stdint.h>

#include "lwip/err.h"

struct netif;

struct nic_counters {
    uint64_t received;
    uint64_t sent;
    uint64_t received_bytes;
    uint64_t sent_bytes;
    uint64_t dropped; /* received without memory for it, or to be sent with the ring full */
    uint64_t notifies;
    uint64_t interrupts;
};

/* The first NIC of the device tree; false if there is none that works. Behind idle_open(). */
bool nic_open(void);

/* lwIP's netif_init_fn. */
err_t nic_attach(struct netif *netif);

/* Hands frames that have come to lwIP, a bounded number; false if there were none. */
bool nic_poll(struct netif *netif);

/* Tells the device of the frames that were sent since the last call. */
void nic_flush(void);

/* Asks for an interrupt (idle.h) at the next frame, until nic_poll() takes one. False: one has come
 * already. */
bool nic_arm(void);

/* Where the frame came from that lwIP is looking at. */
const uint8_t *nic_sender(void);

const struct nic_counters *nic_count(void);

#endif
