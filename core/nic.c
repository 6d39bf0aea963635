/* SPDX-License-Identifier: MIT */
/*
 * What core says about network devices, which it knows by their options' names only: their
 * addresses, and what `peer` means. Pure functions.
 */
#include "core/check.h"
#include "core/str.h"

#define FNV_BASIS 0xcbf29ce484222325ull
#define FNV_PRIME 0x100000001b3ull

const struct opt *opt_find(const struct vdev_type *type, const char *name)
{
    for (const struct opt *o = type->opts; o != NULL && o->name != NULL; o++) {
        if (strcmp(o->name, name) == 0) {
            return o;
        }
    }
    return NULL;
}

/* FNV-1a, with the byte 0 behind each text: "ab" "c" and "a" "bc" differ. */
static u64 hash_str(u64 h, struct str s)
{
    for (u32 i = 0; i < s.len; i++) {
        h = (h ^ (u8)s.p[i]) * FNV_PRIME;
    }
    return h * FNV_PRIME;
}

void config_mac(struct str system, struct str name, u32 index, u8 mac[6])
{
    u64 h = hash_str(hash_str(FNV_BASIS, system), name);

    if (name.len == 0) {
        h = (h ^ (index + 1)) * FNV_PRIME;
    }
    h ^= h >> 40; /* the upper bits are the better ones */
    mac[0] = 0x02;
    for (u32 i = 1; i < 6; i++) {
        mac[i] = (u8)(h >> (8 * (5 - i)));
    }
}

bool config_nic_mac(const struct vm_config *vm, const struct vdev_conf *conf, u8 mac[6])
{
    const struct opt *o = opt_find(conf->type, "mac");
    const struct opt_mac *m;

    if (o == NULL || o->type != OPT_MAC) {
        return false;
    }
    m = (const void *)((const char *)conf->opts + o->offset);
    if (m->set) {
        memcpy(mac, m->b, 6);
    } else {
        config_mac(vm->name, conf->name, (u32)(conf - vm->vdev), mac);
    }
    return true;
}

const struct opt_macs *config_nic_statics(const struct vdev_conf *conf)
{
    const struct opt *o = opt_find(conf->type, "static");

    if (o == NULL || o->type != OPT_MACS) {
        return NULL;
    }
    return (const void *)((const char *)conf->opts + o->offset);
}

static struct str text_option(const struct vdev_conf *conf, const char *name)
{
    const struct opt *o = opt_find(conf->type, name);

    if (o == NULL || o->type != OPT_STR) {
        return (struct str){"", 0};
    }
    return *(const struct str *)(const void *)((const char *)conf->opts + o->offset);
}

struct nic_peer config_nic_peer(const struct vdev_conf *conf)
{
    static const char prefix[] = "/dev/qvm/";
    struct str path = text_option(conf, "peer");
    struct nic_peer peer = {NIC_SWITCH, {"", 0}, text_option(conf, "switch")};

    if (peer.name.len > 0) {
        return peer;
    }
    if (str_starts(path, prefix)) {
        peer.kind = NIC_LINK;
        peer.system = str_cut(str_after(path, sizeof(prefix) - 1), '/', &peer.name);
        return peer;
    }
    peer.name = str_basename(path);
    peer.kind = peer.name.len > 0 ? NIC_SWITCH : NIC_ALONE;
    return peer;
}
