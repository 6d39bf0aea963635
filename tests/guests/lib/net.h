/* SPDX-License-Identifier: MIT */
/*
 * Raw Ethernet frames over virtio-net, one NIC: no offloads, one buffer a frame.  CPU 0 only, with
 * interrupts masked but in net_sleep().
 */
#ifndef TESTS_GUESTS_LIB_NET_H
#define TESTS_GUESTS_LIB_NET_H

#include <stdbool.h>
#include <stdint.h>

enum { VIRTIO_ID_NET = 1, NET_HEADER = 12, NET_RX = 0, NET_TX = 1, NET_MAX_FRAME = 1514 };
#define VIRTIO_NET_F_MAC (1ull << 5)

extern uint8_t net_mac[6];

/* The first NIC of the device tree, with its interrupt; false if there is none. */
bool net_open(void);

/* Queues a copy; false if the device has not taken the frames before it in time. */
bool net_send(const void *frame, uint32_t len);

/* Copies the next frame that has come, its length as the result; 0 if there is none. */
uint32_t net_receive(void *frame, uint32_t max);

/* Sleeps in WFI until a frame or this virtual time comes, whichever is first. */
void net_sleep(uint64_t until);

/* The handler of the NIC's interrupt and of the virtual timer; net_open() installs it. */
void net_take_irq(uint64_t entry_time);

#endif
