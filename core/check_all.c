/* SPDX-License-Identifier: MIT */
/*
 * Checks of all VMs together: names, MAC addresses, private links, switches, shared CPUs. Who takes
 * part in a conflict gets an error of its own, which names the other's line.
 */
#include "core/check.h"
#include "core/check_cpus.h"
#include "core/check_pass.h"
#include "core/check_switch.h"
#include "core/log.h"
#include "core/place.h"
#include "core/sched.h"
#include "core/str.h"

const char *place_text(const struct diag *d, struct place p, char *buf, size_t size)
{
    struct str file = p.file < d->files ? d->file_name[p.file] : (struct str){"?", 1};

    fmt_print(buf, size, "%.*s:%u", STR_ARG(file), p.line);
    return buf;
}

static void check_names(struct vm_config *a, struct vm_config *b, struct diag *d)
{
    char at[96];

    if (a->name.len == 0 || !str_same(a->name, b->name)) {
        return;
    }
    diag_error(d, a->place, "another VM is called '%.*s', too: %s", STR_ARG(a->name),
               place_text(d, b->place, at, sizeof(at)));
    diag_error(d, b->place, "another VM is called '%.*s', too: %s", STR_ARG(b->name),
               place_text(d, a->place, at, sizeof(at)));
    a->errors++;
    b->errors++;
}

static void mac_error(struct vm_config *vm, const struct vdev_conf *c, const u8 mac[6],
                      struct place other, struct diag *d)
{
    char at[96];

    diag_error(d, c->place, "MAC %02x:%02x:%02x:%02x:%02x:%02x is also that of the device at %s",
               mac[0], mac[1], mac[2], mac[3], mac[4], mac[5],
               place_text(d, other, at, sizeof(at)));
    vm->errors++;
}

static void check_macs(struct vm_config *a, struct vm_config *b, struct diag *d)
{
    u8 ma[6], mb[6];

    for (u32 i = 0; i < a->nvdevs; i++) {
        if (!config_nic_mac(a, &a->vdev[i], ma)) {
            continue;
        }
        for (u32 j = 0; j < b->nvdevs; j++) {
            if (config_nic_mac(b, &b->vdev[j], mb) && memcmp(ma, mb, 6) == 0) {
                mac_error(a, &a->vdev[i], ma, b->vdev[j].place, d);
                mac_error(b, &b->vdev[j], mb, a->vdev[i].place, d);
            }
        }
    }
}

static const struct vdev_conf *find_nic(const struct vm_config *vm, struct str name)
{
    for (u32 i = 0; i < vm->nvdevs; i++) {
        if (opt_find(vm->vdev[i].type, "peer") != NULL && str_same(vm->vdev[i].name, name)) {
            return &vm->vdev[i];
        }
    }
    return NULL;
}

static const struct vm_config *find_vm(struct vm_config *const *all, u32 count, struct str name)
{
    for (u32 i = 0; i < count; i++) {
        if (str_same(all[i]->name, name)) {
            return all[i];
        }
    }
    return NULL;
}

/* `peer /dev/qvm/SYSTEM/NAME`: only ever a private link, with one far end that names us back. */
static void check_link(struct vm_config *vm, const struct vdev_conf *c,
                       const struct vm_config *far_vm, struct diag *d)
{
    const struct nic_peer peer = config_nic_peer(c);
    const struct vdev_conf *far = far_vm != NULL ? find_nic(far_vm, peer.name) : NULL;
    struct nic_peer back;
    char at[96];
    u32 before = d->errors;

    if (peer.system.len == 0 || peer.name.len == 0) {
        diag_error(d, c->place, "a private link is `peer /dev/qvm/SYSTEM/NAME`");
    } else if (c->name.len == 0) {
        diag_error(d, c->place, "a private link needs a `name` for its far end to name");
    } else if (far == c) {
        diag_error(d, c->place, "this device is its own peer");
    } else if (far == NULL) {
        diag_warn(d, c->place, "no device '%.*s' in a VM '%.*s': the link stays down",
                  STR_ARG(peer.name), STR_ARG(peer.system));
    } else {
        back = config_nic_peer(far);
        if (back.kind != NIC_LINK || !str_same(back.system, vm->name) ||
            !str_same(back.name, c->name)) {
            diag_error(d, c->place,
                       "the far end, %s, does not name this device: it needs `peer "
                       "/dev/qvm/%.*s/%.*s`",
                       place_text(d, far->place, at, sizeof(at)), STR_ARG(vm->name),
                       STR_ARG(c->name));
        } else if (far_vm->errors > 0) {
            diag_warn(d, c->place, "VM '%.*s' has errors: the link to it stays down",
                      STR_ARG(peer.system));
        }
    }
    vm->errors += d->errors - before;
}

static u32 count_ports(struct vm_config *const *all, u32 count, struct str name)
{
    u32 ports = 0;

    for (u32 i = 0; i < count; i++) {
        for (u32 j = 0; j < all[i]->nvdevs; j++) {
            struct nic_peer peer = config_nic_peer(&all[i]->vdev[j]);

            ports += peer.kind == NIC_SWITCH && str_same(peer.name, name);
        }
    }
    return ports;
}

static void check_peers(struct vm_config *vm, struct vm_config *const *all, u32 count,
                        struct diag *d)
{
    for (u32 i = 0; i < vm->nvdevs; i++) {
        const struct vdev_conf *c = &vm->vdev[i];
        struct nic_peer peer = config_nic_peer(c);

        if (peer.kind == NIC_LINK) {
            check_link(vm, c, find_vm(all, count, peer.system), d);
        } else if (peer.kind == NIC_SWITCH && count_ports(all, count, peer.name) == 1) {
            diag_warn(d, c->place, "switch '%.*s' has no other port: is its name right?",
                      STR_ARG(peer.name));
        }
    }
}

/* No device before number `vdev` of vm[i] is of its type. */
static bool is_first(struct vm_config *const *vm, u32 i, u32 vdev)
{
    for (u32 v = 0; v <= i; v++) {
        for (u32 k = 0; k < (v == i ? vdev : vm[v]->nvdevs); k++) {
            if (vm[v]->vdev[k].type == vm[i]->vdev[vdev].type) {
                return false;
            }
        }
    }
    return true;
}

/* What a type has to say of all its devices. */
static void check_types(struct vm_config *const *vm, u32 count, struct diag *diag)
{
    for (u32 i = 0; i < count; i++) {
        for (u32 k = 0; k < vm[i]->nvdevs; k++) {
            const struct vdev_type *type = vm[i]->vdev[k].type;

            if (type->check_all != NULL && is_first(vm, i, k)) {
                type->check_all(vm, count, diag);
            }
        }
    }
    for (u32 i = 0; i < count; i++) {
        place_windows(vm[i], diag);
    }
}

void check_all(struct vm_config *const *vm, u32 count, u32 npcpus, struct diag *diag)
{
    for (u32 i = 0; i < count; i++) {
        for (u32 j = i + 1; j < count; j++) {
            check_names(vm[i], vm[j], diag);
            check_macs(vm[i], vm[j], diag);
            check_pass_pair(vm[i], vm[j], diag);
        }
    }
    for (u32 i = 0; i < count; i++) {
        check_peers(vm[i], vm, count, diag);
    }
    check_switches(vm, count, npcpus, diag);
    check_types(vm, count, diag);
    check_cpus(vm, count, npcpus != 0 ? npcpus : PCPU_MAX, diag);
}
