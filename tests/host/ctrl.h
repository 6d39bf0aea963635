/* SPDX-License-Identifier: MIT */
/*
 * Two VMs on one switch, for tests of virtio-net's control queue and of what its commands do:
 * alpha sends, beta commands.
 */
#ifndef TESTS_HOST_CTRL_H
#define TESTS_HOST_CTRL_H

#include "tests/host/nic.h"
#include "vdev/virtio/net_dev.h"

#define CTRL_RING 64u /* entries of every ring, each with a buffer when beta receives */
#define CTRL_ALL                                                                                   \
    (NIC_USUAL | NIC_CTRL | NIC_MQ | BIT64(NET_F_CTRL_RX) | BIT64(NET_F_CTRL_RX_EXTRA) |           \
     BIT64(NET_F_CTRL_VLAN) | BIT64(NET_F_CTRL_MAC_ADDR) | BIT64(NET_F_GUEST_ANNOUNCE) |           \
     BIT64(NET_F_CTRL_GUEST_OFFLOADS) | BIT64(NET_F_GUEST_CSUM) | BIT64(NET_F_GUEST_TSO4) |        \
     BIT64(NET_F_NOTF_COAL))

/* Answers, classes, and the codes of classes RX and MAC, by their numbers in the specification. */
enum { OK, ERR };
enum { RX, MAC, VLAN, ANNOUNCE, MQ, OFFLOADS, COAL };
enum { PROMISC, ALLMULTI, ALLUNI, NOMULTI, NOUNI, NOBCAST };
enum { TABLE, ADDR };

extern struct nic alpha, beta;

/* Both VMs, with these peers; beta with so many pairs of queues, and any address. */
void ctrl_make(const char *alpha_peer, const char *beta_peer, u32 queues);
/* Brings beta up, ready to receive. */
void ctrl_start(u64 features);
/* For cmocka: both on a switch, alpha up, beta up with CTRL_ALL. */
int ctrl_setup(void **state);
/* Asserts that all work comes to an end. */
int ctrl_teardown(void **state);
/* A command of beta's; the answer. */
u8 ctrl_command(u8 class, u8 code, const void *data, u32 len);
/* The same with a number for data, of `len` bytes. */
u8 ctrl_set(u8 class, u8 code, u64 value, u32 len);
/* Whether a frame from alpha to `to` reaches beta; asserts that it came whole. */
bool ctrl_reaches(const u8 *to);

#endif
