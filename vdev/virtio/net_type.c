/* SPDX-License-Identifier: MIT */
/*
 * virtio-net as a config line: its options, what is wrong with them, its device-tree node. Knows
 * nothing of how the device works. No lock: data.
 */
#include "vdev/virtio/net.h"

#include "core/check.h"
#include "core/config.h"
#include "vdev/virtio/options.h"

#include <string.h>

static void net_defaults(void *opts)
{
    struct net_opts *o = opts;

    o->mtu = 1500;
    o->bind_mode = 0660;
    o->peerfeats = UINT64_MAX;
    o->storm = NET_STORM;
    o->qsize = VIRTIO_QSIZE_DEFAULT;
    o->speed = 10000;
}

/* What only a switch knows makes no sense on a private link. */
static bool check_link(const struct vdev_conf *conf, struct diag *diag)
{
    const struct net_opts *o = conf->opts;
    const char *const word = o->vlan.mode != VLAN_NONE ? "vlan"
                             : o->isolate              ? "isolate"
                             : o->monitor              ? "monitor"
                             : o->statics.n > 0        ? "static"
                                                       : NULL;

    if (word == NULL || config_nic_peer(conf).kind != NIC_LINK) {
        return true;
    }
    diag_error(diag, conf->place, "virtio-net: `%s` is only for a NIC on a switch", word);
    return false;
}

static bool check_statics(const struct vm_config *vm, const struct vdev_conf *conf,
                          struct diag *diag)
{
    const struct net_opts *o = conf->opts;
    u8 mac[6];

    for (u32 i = 0; i < o->statics.n; i++) {
        if (config_nic_mac(vm, conf, mac) && memcmp(o->statics.mac[i], mac, 6) == 0) {
            diag_error(diag, conf->place, "virtio-net: `static` repeats the NIC's own address");
            return false;
        }
    }
    return true;
}

static bool net_check(const struct vm_config *vm, struct vdev_conf *conf, struct diag *diag)
{
    const struct net_opts *o = conf->opts;
    static const u8 none[6];
    bool ok = check_link(conf, diag);

    ok &= virtio_check_rings(conf, o->qsize, o->packed, o->legacy, diag);
    ok &= check_statics(vm, conf, diag);
    if (o->peerfeats != UINT64_MAX && (o->peerfeats & ~NET_OFFLOADS) != 0) {
        diag_warn(diag, conf->place,
                  "virtio-net: `peerfeats`: the bits 0x%llx are no offloads and have no effect",
                  (unsigned long long)(o->peerfeats & ~NET_OFFLOADS));
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
        .dflt = MANUAL("none, no carrier"),
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
        .dflt = MANUAL("that of `peer`"),
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
        .unit = MANUAL("bytes"),
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
        .name = "static",
        .type = OPT_MACS,
        .offset = FIELD(statics),
        .dflt = MANUAL("none"),
        .arg = "MAC",
        .help = MANUAL(
            "A further address behind this NIC, of a guest that bridges: the switch need not learn "
            "it, nobody else can take it, and the NIC may send from it. Up to 8, one `static` "
            "each."),
        .example = MANUAL("static 02:00:00:00:01:07"),
    },
    {
        .name = "vlan",
        .type = OPT_VLAN,
        .offset = FIELD(vlan),
        .dflt = MANUAL("none"),
        .arg = "access:N|trunk:N,N-M...[,native:N]",
        .help = MANUAL(
            "VLANs of the NIC, 1 to 4094. `access:N`: all its frames are in VLAN N, and the guest "
            "sees no tags. `trunk:...`: frames with the tags of the list pass, and those without "
            "one are in VLAN `native` (which is not tagged, even if the list has it), or dropped "
            "if "
            "there is none. Without `vlan` tags mean nothing: the NIC reaches the others without "
            "`vlan`."),
        .example = MANUAL("vlan trunk:10,20-29,native:1"),
    },
    {
        .name = "isolate",
        .type = OPT_FLAG,
        .offset = FIELD(isolate),
        .help = MANUAL("The NIC can't talk to other isolated NICs of the switch."),
        .example = MANUAL("isolate"),
    },
    {
        .name = "monitor",
        .type = OPT_FLAG,
        .offset = FIELD(monitor),
        .help = MANUAL(
            "The NIC gets a copy of each frame that passes its switch, and may send nothing."),
        .example = MANUAL("monitor"),
    },
    {
        .name = "rate",
        .type = OPT_SIZE,
        .offset = FIELD(rate_bytes),
        .max = 1ull << 40,
        .unit = MANUAL("bytes per second"),
        .arg = "BYTES",
        .dflt = MANUAL("0, no limit"),
        .help = MANUAL("How many bytes the NIC may send in a second."),
        .example = MANUAL("rate 10M"),
    },
    {
        .name = "rate-packets",
        .type = OPT_U64,
        .offset = FIELD(rate_packets),
        .max = 1000000000,
        .unit = MANUAL("frames per second"),
        .arg = "N",
        .dflt = MANUAL("0, no limit"),
        .help = MANUAL("How many frames the NIC may send in a second."),
        .example = MANUAL("rate-packets 50000"),
    },
    {
        .name = "storm",
        .type = OPT_U32,
        .offset = FIELD(storm),
        .max = 1000000000,
        .unit = MANUAL("frames per second"),
        .arg = "N",
        .dflt = MANUAL("that of the switch, else 2000"),
        .help = MANUAL("How many frames to groups and to addresses that the switch doesn't know "
                       "the NIC may send in a second; 0: no limit."),
        .example = MANUAL("storm 500"),
    },
    {
        .name = "peerfeats",
        .type = OPT_U64,
        .offset = FIELD(peerfeats),
        .unit = MANUAL("feature bits"),
        .arg = "MASK",
        .dflt = MANUAL("all"),
        .help = MANUAL(
            "Offloads that may be offered to the driver, as virtio-net feature bits; 0: none. "
            "What one side uses and the other can't is done in software, so nothing needs to "
            "match."),
        .example = MANUAL("peerfeats 0x19c3"),
    },
    VIRTIO_OPT_QUEUES(struct net_opts, NET_QUEUES_MAX, "pairs",
                      "Pairs of queues that the driver may use at the same time."),
    VIRTIO_OPT_QSIZE(struct net_opts, 1, NET_QSIZE_MAX),
    VIRTIO_OPT_PACKED(struct net_opts),
    VIRTIO_OPT_LEGACY(struct net_opts),
    {
        .name = "speed",
        .type = OPT_U32,
        .offset = FIELD(speed),
        .max = 0x7fffffff,
        .unit = MANUAL("Mbit/s"),
        .arg = "MBITS",
        .dflt = MANUAL("10000"),
        .help = MANUAL("The speed that the driver is told, in Mbit/s; 0: none. It limits "
                       "nothing."),
        .example = MANUAL("speed 1000"),
    },
    {
        .name = "capture",
        .type = OPT_SIZE,
        .offset = FIELD(capture),
        .min = 4 * KIB,
        .max = 16 * MIB,
        .arg = "SIZE",
        .dflt = MANUAL("none"),
        .help = MANUAL("RAM for a capture of the NIC's frames, the last ones of which it keeps; "
                       "`net capture` at the prompt switches it on and prints it for `muntin "
                       "pcap`, or gives all frames to a port of a VM's virtio-console."),
        .example = MANUAL("capture 256K"),
    },
    {
        .name = "hostdev",
        .type = OPT_STR,
        .offset = FIELD(unused_text),
        .dflt = MANUAL("none"),
        .example = MANUAL("hostdev /dev/tap0"),
        .arg = "PATH",
        .help = MANUAL("A device of QNX's host. There's none here; see `peer`."),
        .ignored = true,
    },
    {
        .name = "tapdev",
        .type = OPT_STR,
        .offset = FIELD(unused_text),
        .dflt = MANUAL("none"),
        .example = MANUAL("tapdev tap0"),
        .arg = "NAME",
        .help = MANUAL("Deprecated in QNX; see `peer`."),
        .ignored = true,
    },
    {.name = NULL},
};

const struct vdev_type virtio_net_type = {
    .name = "virtio-net",
    .help = MANUAL("A network card: virtio-net over virtio-mmio."),
    .opts = net_options,
    .opts_size = sizeof(struct net_opts),
    .defaults = net_defaults,
    .check = net_check,
    VIRTIO_MMIO_TYPE,
    .create = net_create,
};
