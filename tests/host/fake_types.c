/* SPDX-License-Identifier: MIT */
/* Two device types with an option of each kind; none can be created. */
#include "tests/host/fake_types.h"

#include "core/config.h"

static bool parse_hostdev(void *opts, struct str arg, const char **why)
{
    struct uart_opts *o = opts;

    if (o->count == 2) {
        *why = "two are enough";
        return false;
    }
    o->hostdev[o->count++] = arg;
    return true;
}

static const struct opt uart_options[] = {
    {.name = "hostdev", .type = OPT_CUSTOM, .arg = "PATH", .parse = parse_hostdev},
    {.name = "batch",
     .type = OPT_U32,
     .offset = offsetof(struct uart_opts, batch),
     .ignored = true},
    {.name = NULL},
};

static const char *const uart_aliases[] = {"serial", NULL};

static const struct vdev_type uart_type = {
    .name = "pl011",
    .aliases = uart_aliases,
    .help = "A UART.",
    .opts = uart_options,
    .opts_size = sizeof(struct uart_opts),
    .node = "pl011",
    .compatible = "arm,pl011",
    .compatible_len = sizeof("arm,pl011"),
    .mmio_size = 4096,
    .level = true,
    .default_loc = 0x09000000,
    .default_intid = 33,
};

static void nic_defaults(void *opts)
{
    struct nic_opts *o = opts;

    o->mtu = 1500;
    o->bind_mode = 0660;
}

static bool nic_check(const struct vm_config *vm, struct vdev_conf *conf, struct diag *diag)
{
    const struct nic_opts *o = conf->opts;

    (void)vm;
    (void)diag;
    return !o->legacy;
}

static const char *const spoof_words[] = {"deny", "allow", NULL};

#define FIELD(f) offsetof(struct nic_opts, f)

static const struct opt nic_options[] = {
    {.name = "peer", .type = OPT_STR, .offset = FIELD(peer), .arg = "PATH"},
    {.name = "switch", .type = OPT_STR, .offset = FIELD(network), .arg = "NAME"},
    {.name = "storm", .type = OPT_U32, .offset = FIELD(storm), .arg = "N"},
    {.name = "mac", .type = OPT_MAC, .offset = FIELD(mac), .arg = "MAC"},
    {.name = "mtu", .type = OPT_U32, .offset = FIELD(mtu), .min = 68, .max = 65535, .dflt = "1500"},
    {.name = "bind-mode", .type = OPT_OCT, .offset = FIELD(bind_mode), .max = 0777},
    {.name = "mac-spoof", .type = OPT_ENUM, .offset = FIELD(spoof), .words = spoof_words},
    {.name = "rate", .type = OPT_SIZE, .offset = FIELD(rate), .example = "rate 10M"},
    {.name = "peerfeats", .type = OPT_U64, .offset = FIELD(features)},
    {.name = "hairpin", .type = OPT_BOOL, .offset = FIELD(hairpin)},
    {.name = "isolate", .type = OPT_FLAG, .offset = FIELD(isolate)},
    {.name = "vlan", .type = OPT_VLAN, .offset = FIELD(vlan), .arg = "VLANS"},
    {.name = "static", .type = OPT_MACS, .offset = FIELD(statics), .arg = "MAC"},
    {.name = "legacy", .type = OPT_FLAG, .offset = FIELD(legacy), .help = "Old."},
    {.name = "boot", .type = OPT_FILE, .offset = FIELD(boot), .arg = "[<]PATH"},
    {.name = NULL},
};

static const struct vdev_type nic_type = {
    .name = "virtio-net",
    .help = "A NIC.",
    .opts = nic_options,
    .opts_size = sizeof(struct nic_opts),
    .defaults = nic_defaults,
    .check = nic_check,
    .node = "virtio_mmio",
    .compatible = "virtio,mmio",
    .compatible_len = sizeof("virtio,mmio"),
    .mmio_size = 4096,
    .level = true,
};

const struct vdev_type *const test_types[] = {&uart_type, &nic_type, NULL};
