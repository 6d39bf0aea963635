/* SPDX-License-Identifier: MIT */
/* The learned table of a switch, and its tables' making. Lock: struct switch_table's. */
#include "vdev/net/switch_table.h"

#include "core/arch.h"
#include "core/random.h"

#define BUCKETS_SHIFT 56 /* 64 - log2(TABLE_BUCKETS) */
#define PORT_CAP      64 /* addresses that one port can teach */
#define TICK_SHIFT    30 /* 2^30 ns are about a second, without a division */

static u32 tick(void)
{
    return (u32)(arch_now_ns() >> TICK_SHIFT);
}

static bool expired(const struct switch_table *t, const struct learned_entry *e, u32 now)
{
    return now - e->seen > t->age;
}

/*
 * Where to put a new address of `port`: a free or aged place, else one of its own, the oldest; NULL
 * if all belong to others: then the address stays unknown, and frames to it are flooded.
 */
static struct learned_entry *learn_slot(struct switch_table *t, struct learned_entry *bucket,
                                        u32 port, u32 now)
{
    bool full = t->taught[port] >= PORT_CAP;
    struct learned_entry *own = NULL;

    for (u32 i = 0; i < TABLE_WAYS; i++) {
        struct learned_entry *e = &bucket[i];

        if (e->key != 0 && expired(t, e, now)) {
            t->taught[e->port]--;
            e->key = 0;
            full = t->taught[port] >= PORT_CAP;
        }
        if (e->key == 0 && !full) {
            return e;
        }
        if (e->key != 0 && e->port == port && (own == NULL || now - e->seen > now - own->seen)) {
            own = e;
        }
    }
    return own;
}

static void learn(struct switch_table *t, u64 key, u32 port, u32 now)
{
    struct learned_entry *bucket = t->learned[table_hash(t, key) >> BUCKETS_SHIFT];
    struct learned_entry *e = NULL;

    for (u32 i = 0; i < TABLE_WAYS; i++) {
        if (bucket[i].key == key) {
            e = &bucket[i];
        }
    }
    if (e != NULL && e->port != port) { /* forgotten there, learned here if there's room */
        t->taught[e->port]--;
        e->key = 0;
        e = NULL;
    }
    if (e == NULL) {
        e = learn_slot(t, bucket, port, now);
        if (e == NULL) {
            return;
        }
        t->taught[port] += e->key == 0;
    }
    *e = (struct learned_entry){.key = key, .port = port, .seen = now};
}

static u32 find_learned(const struct switch_table *t, u64 key, u32 now)
{
    const struct learned_entry *bucket = t->learned[table_hash(t, key) >> BUCKETS_SHIFT];

    for (u32 i = 0; i < TABLE_WAYS && key != 0; i++) {
        if (bucket[i].key == key && !expired(t, &bucket[i], now)) {
            return bucket[i].port;
        }
    }
    return NO_PORT;
}

static u64 key_of(u32 vlan, u64 mac)
{
    return (u64)vlan << 48 | mac;
}

u32 table_learn_and_find(struct switch_table *t, u32 vlan, u64 from, u32 number, u64 to)
{
    u32 now = tick(), port;

    spin_lock(&t->lock);
    if (from != 0) {
        learn(t, key_of(vlan, from), number, now);
    }
    port = find_learned(t, key_of(vlan, to), now);
    spin_unlock(&t->lock);
    return port;
}

void table_forget(struct switch_table *t, u32 number)
{
    spin_lock(&t->lock);
    for (u32 i = 0; i < TABLE_BUCKETS * TABLE_WAYS && t->taught[number] != 0; i++) {
        struct learned_entry *e = &t->learned[i / TABLE_WAYS][i % TABLE_WAYS];

        if (e->key != 0 && e->port == number) {
            e->key = 0;
            t->taught[number]--;
        }
    }
    spin_unlock(&t->lock);
}

/* --- boot ------------------------------------------------------------------------------------ */

/* A factor and an offset nobody can guess; where there's no entropy at least not twice the same. */
static void make_secret(struct switch_table *t)
{
    u64 r[2];

    if (!random_bytes(NULL, r, sizeof(r))) {
        r[0] = arch_now_ns() * 0x9e3779b97f4a7c15ull;
        r[1] = (r[0] ^ (uintptr_t)t) * 0xbf58476d1ce4e5b9ull;
    }
    t->factor = r[0] | 1; /* odd: no bit of the address is lost */
    t->offset = r[1];
}

void table_init(struct switch_table *t, u32 age_s)
{
    spin_init(&t->lock, LOCK_SWITCH);
    make_secret(t);
    t->age = (u32)(age_s * 1000000000ull >> TICK_SHIFT) + 1;
}

void table_add_static(struct switch_table *t, u64 mac, u32 port)
{
    t->statics[table_static(t, mac)] = (u64)port << 48 | mac;
}
