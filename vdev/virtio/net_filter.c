/* SPDX-License-Identifier: MIT */
/* The receive filter of virtio-net; see net_filter.h. */
#include "vdev/virtio/net_filter.h"

#include "core/atomic.h"
#include "core/check.h"

void filter_init(struct net_filter *f)
{
    spin_init(&f->lock, LOCK_DEVICE);
}

void filter_start(struct net_filter *f, u32 on, u64 own)
{
    spin_lock(&f->lock);
    f->uni.n = 0;
    f->multi.n = 0;
    __builtin_memset(f->vlan, 0, sizeof(f->vlan));
    atomic_store(&f->own, own);
    atomic_store(&f->mode, on);
    spin_unlock(&f->lock);
}

void filter_mode(struct net_filter *f, u32 bit, bool on)
{
    spin_lock(&f->lock);
    atomic_store(&f->mode, on ? f->mode | bit : f->mode & ~bit);
    spin_unlock(&f->lock);
}

void filter_lists(struct net_filter *f, const struct filter_list *uni,
                  const struct filter_list *multi, bool many_uni, bool many_multi)
{
    spin_lock(&f->lock);
    f->uni = *uni;
    f->multi = *multi;
    atomic_store(&f->mode, (f->mode & ~(FILTER_MANY_UNI | FILTER_MANY_MULTI)) |
                               (many_uni ? FILTER_MANY_UNI : 0) |
                               (many_multi ? FILTER_MANY_MULTI : 0));
    spin_unlock(&f->lock);
}

void filter_vlan(struct net_filter *f, u32 vid, bool wanted)
{
    u32 word = index_nospec(vid / 64, ARRAY_SIZE(f->vlan));

    spin_lock(&f->lock);
    if (wanted) {
        f->vlan[word] |= BIT64(vid % 64);
    } else {
        f->vlan[word] &= ~BIT64(vid % 64);
    }
    spin_unlock(&f->lock);
}

static bool listed(struct net_filter *f, const struct filter_list *list, u64 mac)
{
    bool found = false;

    spin_lock(&f->lock);
    for (u32 i = 0; i < list->n && !found; i++) {
        found = list->mac[i] == mac;
    }
    spin_unlock(&f->lock);
    return found;
}

static bool wants_address(struct net_filter *f, u64 to, u32 mode)
{
    if ((mode & FILTER_ON) == 0 || (mode & FILTER_PROMISC) != 0) {
        return true;
    }
    if (to == MAC_BROADCAST) {
        return (mode & FILTER_NOBCAST) == 0;
    }
    if ((to & MAC_MULTICAST) != 0) {
        return (mode & FILTER_NOMULTI) == 0 &&
               ((mode & (FILTER_ALLMULTI | FILTER_MANY_MULTI)) != 0 || listed(f, &f->multi, to));
    }
    return (mode & FILTER_NOUNI) == 0 &&
           (to == atomic_load(&f->own) || (mode & (FILTER_ALLUNI | FILTER_MANY_UNI)) != 0 ||
            listed(f, &f->uni, to));
}

/*
 * Untagged frames and priority tags (VID 0) are always wanted: the list is about VLANs; about those
 * of customers' tags alone, as drivers don't list others (Linux has them filtered apart).
 */
static bool wants_tag(struct net_filter *f, const struct net_frame *frame)
{
    u32 vid;
    bool wanted;

    if (frame_type(frame) != NET_VLAN || frame->head_len < NET_ETHERNET + 2) {
        return true;
    }
    vid = frame_control(frame) & 0xfff;
    spin_lock(&f->lock);
    wanted = vid == 0 || (f->vlan[vid / 64] >> vid % 64 & 1) != 0;
    spin_unlock(&f->lock);
    return wanted;
}

bool filter_looks_up(struct net_filter *f, const struct net_frame *frame, u32 mode)
{
    return wants_address(f, frame_to(frame), mode) &&
           ((mode & FILTER_VLAN) == 0 || wants_tag(f, frame));
}
