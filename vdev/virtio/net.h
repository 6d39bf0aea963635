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
    u32 mtu;
    u32 peerfeats;
    u32 bind_mode;
    u32 mac_spoof; /* enum net_spoof */
    bool legacy;
    u32 unused_number; /* what options without effect store */
    struct str unused_text;
};

enum net_spoof { SPOOF_DENY, SPOOF_ALLOW };

extern const struct vdev_type virtio_net_type;

/* For the type's table: an instance, joined to its network. NULL: no memory or no window. */
struct vdev *net_create(struct vm *vm, const struct vdev_conf *conf);

#endif
