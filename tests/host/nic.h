/* SPDX-License-Identifier: MIT */
/*
 * A VM with one virtio-net and a minimal driver for it: for tests of the device, the switch and
 * private links. Descriptor i of each queue owns buffer i.
 */
#ifndef TESTS_HOST_NIC_H
#define TESTS_HOST_NIC_H

#include "tests/host/driver.h"
#include "vdev/net/port.h"
#include "vdev/virtio/net.h"

#define NIC_BASE    0x0a000000ull
#define NIC_INTID   48u
#define NIC_HDR     12u
#define NIC_BUFFER  2048u
#define NIC_MRG     (1ull << 15)
#define NIC_STATUS  (1ull << 16)
#define NIC_MAC_BIT (1ull << 5)
#define NIC_CTRL    (1ull << 17)
#define NIC_MQ      (1ull << 22)
#define NIC_USUAL   (F_VERSION_1 | NIC_MAC_BIT | NIC_STATUS | NIC_MRG)

struct nic {
    struct guest g;
    struct ring rx, tx;
    struct ring ctrl;     /* with NIC_CTRL */
    struct ring rx2, tx2; /* the second pair, with NIC_MQ */
    u64 rx_buf, tx_buf;   /* guest-physical */
    u64 rx2_buf, ctrl_buf;
    u64 features;
    u8 mac[6];
    struct net_port *port;
};

struct net_opts nic_options(const char *peer, u8 last_mac_byte);
/* Creates VM and device; the driver does nothing yet. */
void nic_init(struct nic *n, const char *system, const char *node, struct net_opts *opts);
void nic_free(struct nic *n);
/* Brings the driver up: rings of `size`, no receive buffers yet. */
void nic_start(struct nic *n, u64 features, u16 size);
/*
 * A command through the control queue: class, code, data, and one byte for the answer, which is
 * returned; asserts that it came back with that one byte.
 */
u8 nic_command(struct nic *n, u8 class, u8 code, const void *data, u32 len);
/* A reset, and up again with the same rings, empty; their memory isn't cleared. */
void nic_restart(struct nic *n, u64 features);
void nic_stop(struct nic *n); /* a reset */
/* Offers receive buffers first … first + count - 1, of `len` bytes each. */
void nic_fill(struct nic *n, u32 first, u32 count, u32 len);
/* A frame of len bytes: to, from, 0x0800, then a pattern that starts with `seed`. */
void nic_frame(u8 *frame, const u8 *to, const u8 *from, u32 len, u8 seed);
/* Offers receive buffers of the second pair. */
void nic_fill2(struct nic *n, u32 first, u32 count);
/* Puts a frame into TX buffer `slot` and offers it; no kick. */
void nic_queue(struct nic *n, u32 slot, const u8 *frame, u32 len);
/* Queues a frame in slot 0, kicks, takes it back; asserts that it came back. */
void nic_send(struct nic *n, const u8 *frame, u32 len);
/* The next frame received, without header; its length, or -1. Reposts the buffer if `repost`. */
int nic_recv(struct nic *n, u8 *frame, u32 max, bool repost);
u16 nic_link_status(struct nic *n);

#endif
