/* SPDX-License-Identifier: MIT */
/* Device types for tests of the config language: one option of each kind. */
#ifndef TESTS_HOST_FAKE_TYPES_H
#define TESTS_HOST_FAKE_TYPES_H

#include "core/vdev.h"

struct uart_opts {
    struct str hostdev[2]; /* in the order given */
    u32 count;
    u32 batch;
};

struct nic_opts {
    struct str peer, network;
    u32 storm;
    struct opt_mac mac;
    u32 mtu, bind_mode, spoof;
    u64 rate, features;
    bool hairpin, isolate, legacy;
    struct opt_vlan vlan;
    struct opt_macs statics;
    struct opt_file boot;
};

/* "pl011" (also "serial") has a repeatable option, "virtio-net" all other kinds. */
extern const struct vdev_type *const test_types[];

#endif
