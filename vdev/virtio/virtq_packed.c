/* SPDX-License-Identifier: MIT */
/*
 * The device's side of a packed virtqueue (VIRTIO 1.2 §2.8): one ring of descriptors, which the
 * driver makes available and which we overwrite with used ones, each side going round in order. It
 * knows no device, and of memory only core/gmem.h. The driver is assumed to be hostile and to
 * change its ring while we look: everything is loaded once.
 * Lock: the queue's own, held by the caller.
 *
 * Positions count two laps, 0 to 2 * size - 1: one number for what the specification calls an
 * offset and a wrap counter. On the first lap the wrap counter is 1.
 */
#include "core/atomic.h"
#include "vdev/virtio/virtq_ring.h"

/* In a descriptor's flags. Available: as the driver's lap is. Used: both as the device's is. */
enum { DESC_AVAIL = 1 << 7, DESC_USED = 1 << 15 };

#define DESC_META 8u /* where length, id and flags are: one 64-bit word */

/* §2.8.14: offset and wrap counter in the lower half, how to read them in the upper. */
enum event_flag { EVENT_ENABLE, EVENT_DISABLE, EVENT_DESC, EVENT_MASK };

#define READY_LOOKS 64 /* of one virtq_ready */

#define EVENT_SIZE 4u
#define EVENT_WRAP (1u << 15)

/* --- positions -------------------------------------------------------------------------------- */

static inline bool first_lap(const struct virtq *q, u32 at)
{
    return at < q->size;
}

static inline u32 slot_of(const struct virtq *q, u32 at)
{
    return first_lap(q, at) ? at : at - q->size;
}

/* `n` slots further; n <= size. */
static inline u16 further(const struct virtq *q, u32 at, u32 n)
{
    at += n;
    return (u16)(at < 2u * q->size ? at : at - 2u * q->size);
}

/* Slots from one position on to another; both are less than two laps. */
static inline u32 distance(const struct virtq *q, u32 from, u32 to)
{
    return to >= from ? to - from : to + 2u * q->size - from;
}

static inline guest_t *entry(const struct virtq *q, u32 at)
{
    return gmem_at(q->desc, DESC_SIZE * (size_t)slot_of(q, at));
}

static inline bool is_available(const struct virtq *q, u32 at, u16 flags)
{
    return (flags & (DESC_AVAIL | DESC_USED)) == (first_lap(q, at) ? DESC_AVAIL : DESC_USED);
}

static inline struct desc unpack(u64 addr, u64 meta)
{
    return (struct desc){addr, (u32)meta, (u16)(meta >> 48), (u16)(meta >> 32)};
}

/* The flags are a part of what is loaded first: what they promise is loaded after them (rule 9). */
static inline struct desc read_entry(const struct virtq *q, u32 at)
{
    guest_t *e = entry(q, at);
    u64 meta = gmem_load64_acquire(gmem_at(e, DESC_META)); /* rule 12 */

    return unpack(gmem_load64(e), meta);
}

/* --- set-up ----------------------------------------------------------------------------------- */

bool virtq_packed_activate(struct virtq *q)
{
    guest_t *desc, *driver, *device;

    if (!virtq_aligned(q->desc_addr, DESC_SIZE) || !virtq_aligned(q->avail_addr, EVENT_SIZE) ||
        !virtq_aligned(q->used_addr, EVENT_SIZE)) { /* rule 3 */
        return false;
    }
    desc = gmem_span(q->mem, gpa(q->desc_addr), (u64)DESC_SIZE * q->size, true);
    driver = gmem_span(q->mem, gpa(q->avail_addr), EVENT_SIZE, false);
    device = gmem_span(q->mem, gpa(q->used_addr), EVENT_SIZE, true);
    if (desc == NULL || driver == NULL || device == NULL) { /* rule 4 */
        return false;
    }
    q->desc = desc;
    q->avail = driver;
    q->used = device;
    q->most = q->size;
    return true;
}

/* --- taking a chain --------------------------------------------------------------------------- */

bool virtq_packed_look(const struct virtq *q)
{
    guest_t *e;

    if (!q->ready || q->broken) {
        return q->broken;
    }
    e = entry(q, q->avail_next);
    return is_available(q, q->avail_next, (u16)(gmem_load64_acquire(gmem_at(e, DESC_META)) >> 48));
}

/* What was ready once is not looked at again, but for what was taken and undone. */
u32 virtq_packed_ready(struct virtq *q)
{
    u32 n = q->avail_seen;

    if (!q->ready || q->broken) {
        return 0;
    }
    for (u32 i = 0; i < READY_LOOKS && n < q->size; i++) {
        u32 at = further(q, q->avail_next, n);
        u64 meta = gmem_load64_acquire(gmem_at(entry(q, at), DESC_META));

        if (!is_available(q, at, (u16)(meta >> 48))) {
            break;
        }
        n++;
    }
    q->avail_seen = (u16)n;
    return n;
}

/* The pieces of an indirect table, one after the other; of their flags only WRITE counts. */
static const char *walk_table(const struct virtq *q, struct chain *c, const struct desc *d)
{
    struct table t;
    const char *why = virtq_table(q, &t, d);
    bool writing = false;

    if (why != NULL) {
        return why;
    }
    if (t.entries > VIRTQ_SEGMENTS) { /* rule 21 */
        return "a chain with too many descriptors";
    }
    for (u32 i = 0; i < t.entries; i++) {
        u64 raw[2];
        struct desc e;

        gmem_read_pair(raw, gmem_at(t.p, DESC_SIZE * (size_t)i)); /* rule 12 */
        e = unpack(raw[0], raw[1]);
        if (writing && !(e.flags & DESC_WRITE)) { /* rule 17 */
            return "a readable descriptor behind a writable one";
        }
        writing = (e.flags & DESC_WRITE) != 0;
        why = chain_add(q, c, &e);
        if (why != NULL) {
            return why;
        }
    }
    return NULL;
}

/* The pieces of a chain in the ring, `limit` at most; d is the first. Its name is in the last. */
static const char *walk_ring(const struct virtq *q, struct chain *c, struct desc d, u32 limit)
{
    bool writing = false;
    u32 at = q->avail_next;

    for (u32 n = 1; n <= limit; n++) {
        const char *why;

        if (d.flags & DESC_INDIRECT) { /* rule 23 */
            return "an indirect descriptor behind a direct one";
        }
        if (writing && !(d.flags & DESC_WRITE)) { /* rule 17 */
            return "a readable descriptor behind a writable one";
        }
        writing = (d.flags & DESC_WRITE) != 0;
        why = chain_add(q, c, &d);
        if (why != NULL || !(d.flags & DESC_NEXT)) {
            c->slots = (u16)n;
            c->head = d.name;
            return why;
        }
        if (n < limit) {
            at = further(q, at, 1);
            d = read_entry(q, at);
            if (!is_available(q, at, d.flags)) { /* rule 23 */
                return "a chain goes on with a descriptor that isn't available";
            }
        }
    }
    return "a chain with too many descriptors";
}

static NOINLINE const char *walk_chain(const struct virtq *q, struct chain *c, struct desc d,
                                       u32 room)
{
    chain_clear(c);
    c->head = d.name;
    c->slots = 1;
    if (d.flags & DESC_INDIRECT) {
        return walk_table(q, c, &d);
    }
    return walk_ring(q, c, d, MIN(room, (u32)VIRTQ_SEGMENTS)); /* rules 13, 21 */
}

enum virtq_result virtq_packed_pop(struct virtq *q, struct chain *c)
{
    const char *why;
    struct desc d;
    u32 room;

    if (unlikely(!q->ready || q->broken)) {
        return q->broken ? VIRTQ_BROKEN : VIRTQ_EMPTY;
    }
    d = read_entry(q, q->avail_next);
    if (!is_available(q, q->avail_next, d.flags)) {
        return VIRTQ_EMPTY;
    }
    room = q->size - distance(q, q->used_published, q->avail_next);
    if (unlikely(room == 0)) { /* rule 22 */
        why = "more buffers in flight than the queue has";
    } else if (likely((d.flags & (DESC_NEXT | DESC_INDIRECT)) == 0 && d.len != 0)) {
        c->head = d.name;
        c->slots = 1;
        why = chain_single(q, c, &d);
    } else {
        why = walk_chain(q, c, d, room);
    }
    if (unlikely(why != NULL)) {
        virtq_break(q, why);
        return VIRTQ_BROKEN;
    }
    q->avail_next = further(q, q->avail_next, c->slots);
    q->avail_seen -= MIN(q->avail_seen, c->slots);
    return VIRTQ_OK;
}

/* --- giving it back --------------------------------------------------------------------------- */

void virtq_packed_push(struct virtq *q, u16 id, u16 slots, u32 written)
{
    u32 flags = first_lap(q, q->used_next) ? DESC_AVAIL | DESC_USED : 0;
    u64 meta;

    flags |= written != 0 ? DESC_WRITE : 0;
    meta = written | (u64)id << 32 | (u64)flags << 48;
    if (q->used_next == q->used_published) { /* rule 32 */
        q->held = meta; /* the first of a batch: the driver sees none before it sees this one */
    } else {
        gmem_store64(gmem_at(entry(q, q->used_next), DESC_META), meta);
    }
    q->used_next = further(q, q->used_next, slots);
}

bool virtq_packed_publish(struct virtq *q)
{
    u16 old = q->used_published, new = q->used_next;
    u32 event, at;

    if (old == new || q->broken) {
        return false;
    }
    /* Data and the entries behind it are visible before the first one: release (rule 31). */
    gmem_store64_release(gmem_at(entry(q, old), DESC_META), q->held);
    q->used_published = new;
    atomic_fence(); /* as in virtq_split_publish */
    event = gmem_load32(q->avail);
    switch (event >> 16 & EVENT_MASK) {
    case EVENT_DISABLE:
        return false;
    case EVENT_DESC:
        at = event & (EVENT_WRAP - 1);
        if (!q->event_idx || at >= q->size) { /* means nothing: rather too many interrupts */
            return true;
        }
        at += event & EVENT_WRAP ? 0 : q->size;
        return distance(q, old, at) < distance(q, old, new);
    default:
        return true;
    }
}

/* --- notifications ---------------------------------------------------------------------------- */

void virtq_packed_disable_notify(struct virtq *q)
{
    if (q->ready && q->notify_on) {
        q->notify_on = false;
        gmem_store32(q->used, EVENT_DISABLE << 16);
    }
}

bool virtq_packed_enable_notify(struct virtq *q)
{
    u32 event = EVENT_ENABLE << 16;

    if (!q->ready || q->broken || (q->notify_on && !q->event_idx)) {
        return false; /* as in virtq_split_enable_notify */
    }
    q->notify_on = true;
    if (q->event_idx) {
        event = EVENT_DESC << 16 | slot_of(q, q->avail_next);
        event |= first_lap(q, q->avail_next) ? EVENT_WRAP : 0;
    }
    gmem_store32(q->used, event);
    atomic_fence();
    return virtq_packed_look(q);
}
