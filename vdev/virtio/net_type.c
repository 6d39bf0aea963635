/* SPDX-License-Identifier: MIT */
/*
 * virtio-net as a config line: its options, what is wrong with them, its device-tree node. Knows
 * nothing of how the device works. No lock: data.
 */
#include "vdev/virtio/net.h"

#include "core/config.h"

#include <string.h>

static void net_defaults(void *opts)
{
    struct net_opts *o = opts;

    o->mtu = 1500;
    o->bind_mode = 0660;
    o->peerfeats = UINT32_MAX;
}

static bool net_check(const struct vm_config *vm, struct vdev_conf *conf, struct diag *diag)
{
    const struct net_opts *o = conf->opts;
    static const u8 none[6];
    bool ok = true;

    (void)vm;
    if (o->legacy) {
        diag_error(diag, conf->place, "virtio-net: `legacy` is not supported yet");
        ok = false;
    }
    if (o->mac.set && ((o->mac.b[0] & 1) != 0 || memcmp(o->mac.b, none, sizeof(none)) == 0)) {
        diag_error(diag, conf->place, "virtio-net: mac is a group address or all zero");
        ok = false;
    }
    if (o->peer.len == 0 && o->network.len == 0) {
        diag_warn(diag, conf->place,
                  "virtio-net without `peer` or `switch`: it stays without carrier");
    }
    return ok;
}

static const char *const spoof_words[] = {"deny", "allow", NULL};

#define FIELD(f) offsetof(struct net_opts, f)

static const struct opt net_options[] = {
    {
        .name = "peer",
        .type = OPT_STR,
        .offset = FIELD(peer),
        .arg = "PATH",
        .help =
            MANUAL("The other side: /dev/qvm/SYSTEM/NAME is a private link to that NIC, which must "
                   "name this one back; the last component of any other path names a switch."),
        .example = MANUAL("peer /dev/vdevpeer/vp_lv"),
    },
    {
        .name = "switch",
        .type = OPT_STR,
        .offset = FIELD(network),
        .arg = "NAME",
        .help = MANUAL("The switch of that name; wins over `peer`."),
        .example = MANUAL("switch backbone"),
    },
    {
        .name = "mac",
        .type = OPT_MAC,
        .offset = FIELD(mac),
        .arg = "MAC",
        .dflt = MANUAL("02:… from a hash of system and name"),
        .help = MANUAL("The NIC's address; unique among all VMs."),
        .example = MANUAL("mac aa:aa:aa:aa:aa:b1"),
    },
    {
        .name = "mtu",
        .type = OPT_U32,
        .offset = FIELD(mtu),
        .min = 68,
        .max = 65535,
        .arg = "N",
        .dflt = MANUAL("1500"),
        .help =
            MANUAL("Largest packet in bytes, without Ethernet header; larger ones are dropped."),
        .example = MANUAL("mtu 9000"),
    },
    {
        .name = "mac-spoof",
        .type = OPT_ENUM,
        .offset = FIELD(mac_spoof),
        .words = spoof_words,
        .arg = "deny|allow",
        .dflt = MANUAL("deny"),
        .help = MANUAL(
            "Whether frames may leave with a source address other than the NIC's own; a guest "
            "that bridges needs `allow`."),
        .example = MANUAL("mac-spoof allow"),
    },
    {
        .name = "bind-mode",
        .type = OPT_OCT,
        .offset = FIELD(bind_mode),
        .min = 0,
        .max = 0777,
        .arg = "OCT",
        .dflt = MANUAL("0660"),
        .help = MANUAL(
            "Who may be on the same switch: 0600 only NICs of this VM, 0660 those of VMs with "
            "the same `group`, 0666 any."),
        .example = MANUAL("bind-mode 0660"),
    },
    {
        .name = "peerfeats",
        .type = OPT_U32,
        .offset = FIELD(peerfeats),
        .min = 0,
        .max = 0x7fc3,
        .arg = "MASK",
        .dflt = MANUAL("all"),
        .help = MANUAL(
            "Offload features that may be offered to the driver, as virtio-net feature bits. "
            "None is offered yet."),
        .example = MANUAL("peerfeats 0"),
    },
    {
        .name = "legacy",
        .type = OPT_FLAG,
        .offset = FIELD(legacy),
        .help = MANUAL("virtio 0.9.5 register layout. Not supported yet."),
        .example = MANUAL("legacy"),
    },
    {
        .name = "sched",
        .type = OPT_U32,
        .offset = FIELD(unused_number),
        .arg = "PRIO",
        .help = MANUAL("Priority of QNX's device thread. There's none here."),
        .ignored = true,
    },
    {
        .name = "delayed",
        .type = OPT_STR,
        .offset = FIELD(unused_text),
        .arg = "SECONDS|forever",
        .help = MANUAL("When QNX opens its host device. There's none here."),
        .ignored = true,
    },
    {
        .name = "hostdev",
        .type = OPT_STR,
        .offset = FIELD(unused_text),
        .arg = "PATH",
        .help = MANUAL("A device of QNX's host. There's none here; see `peer`."),
        .ignored = true,
    },
    {
        .name = "tapdev",
        .type = OPT_STR,
        .offset = FIELD(unused_text),
        .arg = "NAME",
        .help = MANUAL("Deprecated in QNX; see `peer`."),
        .ignored = true,
    },
    {.name = NULL},
};

static const struct vdev_prop net_props[] = {
    {.name = "dma-coherent", .kind = PROP_EMPTY},
    {.name = NULL},
};

static const char compatible[] = "virtio,mmio";

const struct vdev_type virtio_net_type = {
    .name = "virtio-net",
    .help = MANUAL("A network card: virtio-net over virtio-mmio."),
    .opts = net_options,
    .opts_size = sizeof(struct net_opts),
    .defaults = net_defaults,
    .check = net_check,
    .node = "virtio_mmio",
    .compatible = compatible,
    .compatible_len = sizeof(compatible),
    .props = net_props,
    .mmio_size = 0x1000,
    .level = true,
    .create = net_create,
};
