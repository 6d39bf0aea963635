/* SPDX-License-Identifier: MIT */
/* virtio-net (VIRTIO 1.2 §5.1): a NIC on a switch, or one end of a private link. */
#ifndef VDEV_VIRTIO_NET_H
#define VDEV_VIRTIO_NET_H

#include "core/types.h"
#include "core/vdev.h"

/* What a `vdev virtio-net` line says. */
struct net_opts {
    struct str peer;
    struct str network; /* `switch` */
    struct opt_mac mac;
    struct opt_macs statics; /* further addresses behind this NIC */
    u32 mtu;
    u32 bind_mode;
    u32 mac_spoof; /* enum net_spoof */
    struct opt_vlan vlan;
    bool isolate;           /* reaches no other isolated NIC of its switch */
    bool monitor;           /* gets a copy of each frame of its switch, sends none */
    u64 rate_bytes;         /* that it may send in a second; 0: no limit */
    u64 rate_packets;       /* frames, likewise */
    u32 storm;              /* frames to groups and to unknown addresses, likewise */
    u64 peerfeats;          /* of NET_OFFLOADS those that may be offered; other bits mean nothing */
    u32 queues;             /* pairs, 1..NET_QUEUES_MAX; 0: one per vCPU of the VM */
    u32 qsize;              /* of each queue, 1..NET_QSIZE_MAX; a power of two unless packed */
    bool packed;            /* packed rings are offered */
    bool legacy;            /* registers and rings of virtio 0.9.5; then not packed */
    u32 speed;              /* Mbit/s that the driver is told; 0: unknown */
    u64 capture;            /* bytes of RAM for captured frames; 0: none */
    struct str unused_text; /* what options without effect store */
};

#define NET_QUEUES_MAX 8
#define NET_QSIZE_MAX  1024
#define NET_STORM      2000 /* frames per second, by default */

/*
 * Feature bits that are offloads (VIRTIO 1.2 §5.1.3): CSUM, GUEST_CSUM, 6 (GSO, of old drivers),
 * GUEST_TSO4, GUEST_TSO6, GUEST_ECN, GUEST_UFO, HOST_TSO4, HOST_TSO6, HOST_ECN, HOST_UFO, and
 * GUEST_USO4, GUEST_USO6, HOST_USO.
 */
#define NET_OFFLOADS 0x01c0000000007fc3ull

enum net_spoof { SPOOF_DENY, SPOOF_ALLOW };

extern const struct vdev_type virtio_net_type;

/* For the type's table: an instance, joined to its network. NULL: no memory or no window. */
struct vdev *net_create(struct vm *vm, const struct vdev_conf *conf);

#endif
