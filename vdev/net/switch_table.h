/* SPDX-License-Identifier: MIT */
/*
 * Where addresses are: the two tables of a switch. The static one holds the configured addresses of
 * all ports; it is filled at boot and read without a lock, and with anti-spoofing on (the default)
 * it is all that is ever needed. An address in it is at its port in every VLAN, and nowhere else.
 * What ports with `mac-spoof allow` teach goes into the learned one, for each VLAN apart: fixed in
 * size, hashed with a secret of this boot, aged; no port can push out what another one taught.
 */
#ifndef VDEV_NET_SWITCH_TABLE_H
#define VDEV_NET_SWITCH_TABLE_H

#include "core/spinlock.h"
#include "core/types.h"
#include "vdev/net/port.h"

#define TABLE_STATICS       1024 /* a power of two; little more than half full at most */
#define TABLE_STATICS_SHIFT 54   /* 64 - log2(TABLE_STATICS) */
#define TABLE_WAYS          4
#define TABLE_BUCKETS       256
#define NO_PORT             UINT32_MAX
_Static_assert(NET_PORTS_MAX *(1 + OPT_MACS_MAX) <= TABLE_STATICS * 5 / 8, "free places are left");

struct learned_entry {
    u64 key; /* address and VLAN; 0: free */
    u32 port;
    u32 seen; /* tick */
};

struct switch_table {
    u64 factor, offset;         /* the secret of the hash */
    u64 statics[TABLE_STATICS]; /* port << 48 | address; 0: free */

    struct spinlock lock; /* LOCK_SWITCH, never held while a frame is delivered; covers the rest */
    u32 age;              /* ticks; constant */
    u32 taught[NET_PORTS_MAX];
    struct learned_entry learned[TABLE_BUCKETS][TABLE_WAYS];
};

static inline u64 table_hash(const struct switch_table *t, u64 key)
{
    u64 h = (key ^ t->offset) * t->factor;

    return (h ^ h >> 32) * t->factor; /* twice: addresses in a row spread too */
}

/* The place of `mac` in the static table, or the free one where it would be. */
static inline u32 table_static(const struct switch_table *t, u64 mac)
{
    u32 i = (u32)(table_hash(t, mac) >> TABLE_STATICS_SHIFT);

    while (t->statics[i] != 0 && (t->statics[i] & MAC_BROADCAST) != mac) {
        i = (i + 1) % TABLE_STATICS;
    }
    return i;
}

/* The port that `mac` is configured for, or NO_PORT. Any CPU. */
static inline u32 table_find_static(const struct switch_table *t, u64 mac)
{
    u64 e = t->statics[table_static(t, mac)];

    return likely(e != 0) ? (u32)(e >> 48) : NO_PORT;
}

/* Boot only. age_s: after so many seconds what was learned is forgotten. */
void table_init(struct switch_table *t, u32 age_s);
/* `mac`, not zero and not yet there, is at `port`. Boot only. */
void table_add_static(struct switch_table *t, u64 mac, u32 port);

/*
 * The port behind `to` in that VLAN, or NO_PORT. `from`, which port `number` may have invented, is
 * learned on the way, unless it is 0. Any CPU.
 */
u32 table_learn_and_find(struct switch_table *t, u32 vlan, u64 from, u32 number, u64 to);

/* What the port taught. Any CPU. */
void table_forget(struct switch_table *t, u32 number);

#endif
