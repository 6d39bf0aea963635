/* SPDX-License-Identifier: MIT */
/*
 * The device's side of a split virtqueue (VIRTIO 1.2 §2.7): takes chains out of the available ring,
 * validates them, gives them back through the used ring. It knows no device, and of memory only
 * core/gmem.h. The driver is assumed to be hostile and to change its rings while we look:
 * everything is loaded once.
 * Lock: the queue's own, held by the caller.
 */
#include "core/atomic.h"
#include "vdev/virtio/virtq_ring.h"

/* VIRTIO 1.2 §2.7.6, §2.7.8 */
enum ring_layout {
    RING_FLAGS = 0,
    RING_IDX = 2,
    RING_ENTRIES = 4,
    AVAIL_ENTRY = 2, /* bytes */
    USED_ENTRY = 8,
    EVENT_SIZE = 2, /* used_event, avail_event: behind the entries */
};

enum { AVAIL_NO_INTERRUPT = 1, USED_NO_NOTIFY = 1 };

/* A walk along a chain: through the queue's descriptor table, then perhaps an indirect one. */
struct walk {
    struct table table;
    bool indirect;
    bool writing; /* a writable descriptor was seen */
};

static guest_t *used_event(const struct virtq *q)
{
    return gmem_at(q->avail, RING_ENTRIES + AVAIL_ENTRY * (size_t)q->size);
}

static guest_t *avail_event(const struct virtq *q)
{
    return gmem_at(q->used, RING_ENTRIES + USED_ENTRY * (size_t)q->size);
}

/* --- set-up --------------------------------------------------------------------------------- */

bool virtq_split_activate(struct virtq *q)
{
    u64 n = q->size;
    guest_t *desc, *avail, *used;

    if (!is_pow2(n)) { /* rule 2 */
        return false;
    }
    if (!virtq_aligned(q->desc_addr, DESC_SIZE) || !virtq_aligned(q->avail_addr, AVAIL_ENTRY) ||
        !virtq_aligned(q->used_addr, 4)) { /* rule 3 */
        return false;
    }
    desc = gmem_span(q->mem, gpa(q->desc_addr), DESC_SIZE * n, false);
    avail =
        gmem_span(q->mem, gpa(q->avail_addr), RING_ENTRIES + AVAIL_ENTRY * n + EVENT_SIZE, false);
    used = gmem_span(q->mem, gpa(q->used_addr), RING_ENTRIES + USED_ENTRY * n + EVENT_SIZE, true);
    if (desc == NULL || avail == NULL || used == NULL) { /* rule 4 */
        return false;
    }
    q->desc = desc;
    q->avail = avail;
    q->used = used;
    return true;
}

/* --- taking a chain -------------------------------------------------------------------------- */

static inline struct desc read_desc(guest_t *table, u32 i)
{
    u64 raw[2];

    gmem_read_pair(raw, gmem_at(table, DESC_SIZE * (size_t)i)); /* rule 12 */
    return (struct desc){raw[0], (u32)raw[1], (u16)(raw[1] >> 32), (u16)(raw[1] >> 48)};
}

static const char *enter_indirect(const struct virtq *q, struct walk *w, const struct desc *d)
{
    if (w->indirect) { /* rule 15 */
        return "an indirect descriptor in an indirect table";
    }
    w->indirect = true;
    return virtq_table(q, &w->table, d);
}

/* Follows the chain that starts with d. NULL, or the rule that it breaks. */
static NOINLINE const char *walk_chain(const struct virtq *q, struct chain *c, struct desc d)
{
    struct walk w = {.table = {q->desc, q->size}};
    u32 limit = MIN((u32)q->size, (u32)VIRTQ_SEGMENTS); /* rules 13, 21 */
    const char *why;

    chain_clear(c);
    while (c->count < limit) {
        bool write;

        if (d.flags & DESC_INDIRECT) {
            why = enter_indirect(q, &w, &d); /* at most once: no budget needed */
            if (why != NULL) {
                return why;
            }
            d = read_desc(w.table.p, 0);
            continue;
        }
        write = (d.flags & DESC_WRITE) != 0;
        if (w.writing && !write) { /* rule 17 */
            return "a readable descriptor behind a writable one";
        }
        w.writing = write;
        why = chain_add(q, c, &d);
        if (why != NULL || !(d.flags & DESC_NEXT)) {
            return why;
        }
        if (d.name >= w.table.entries) { /* rule 14 */
            return "a next descriptor beyond the table";
        }
        d = read_desc(w.table.p, index_nospec(d.name, w.table.entries));
    }
    return "a chain with too many descriptors";
}

bool virtq_split_look(struct virtq *q)
{
    u16 idx;

    if (!q->ready || q->broken) {
        return q->broken;
    }
    idx = gmem_load16_acquire(gmem_at(q->avail, RING_IDX)); /* rule 9 */
    if ((u16)(idx - q->avail_next) > q->size) {             /* rule 10 */
        return virtq_break(q, "avail.idx jumped by more than the queue's size");
    }
    if ((u16)(idx - q->used_published) > q->size) { /* rule 22 */
        return virtq_break(q, "more buffers in flight than the queue has");
    }
    q->avail_seen = idx;
    q->most = MAX(q->most, (u16)(idx - q->avail_next));
    return idx != q->avail_next;
}

u32 virtq_split_ready(struct virtq *q)
{
    (void)virtq_split_look(q);
    return (u16)(q->avail_seen - q->avail_next);
}

enum virtq_result virtq_split_pop(struct virtq *q, struct chain *c)
{
    const char *why;
    struct desc d;
    u32 slot;
    u16 head;

    if (q->avail_next == q->avail_seen) {
        if (!virtq_split_look(q)) {
            return VIRTQ_EMPTY;
        }
        if (q->broken) {
            return VIRTQ_BROKEN;
        }
    }
    slot = q->avail_next & (q->size - 1u);
    head = gmem_load16(gmem_at(q->avail, RING_ENTRIES + AVAIL_ENTRY * (size_t)slot));
    if (unlikely(head >= q->size)) { /* rule 11 */
        virtq_break(q, "a head beyond the descriptor table");
        return VIRTQ_BROKEN;
    }
    c->head = (u16)index_nospec(head, q->size);
    d = read_desc(q->desc, c->head);
    c->slots = 1;
    if (likely((d.flags & (DESC_NEXT | DESC_INDIRECT)) == 0 && d.len != 0)) {
        why = chain_single(q, c, &d);
    } else {
        why = walk_chain(q, c, d);
    }
    if (unlikely(why != NULL)) {
        virtq_break(q, why);
        return VIRTQ_BROKEN;
    }
    q->avail_next++;
    return VIRTQ_OK;
}

/* --- giving it back -------------------------------------------------------------------------- */

void virtq_split_push(struct virtq *q, u16 head, u32 written)
{
    u32 slot = q->used_next & (q->size - 1u);
    guest_t *e = gmem_at(q->used, RING_ENTRIES + USED_ENTRY * (size_t)slot);

    gmem_store32(e, head);
    gmem_store32(gmem_at(e, 4), written);
    q->used_next++; /* rule 30: the index in memory is never read back */
}

/* All that is staged in front of `new`. */
static bool publish_to(struct virtq *q, u16 new)
{
    u16 old = q->used_published;

    if (old == new || q->broken) {
        return false;
    }
    /* Data and entries are visible before the index: release (rule 31). */
    gmem_store16_release(gmem_at(q->used, RING_IDX), new);
    q->used_published = new;
    /*
     * The index is visible before we look whether the driver sleeps; the driver looks at the index
     * after it said that it sleeps. Without the fence both could miss each other.
     */
    atomic_fence();
    if (q->event_idx) {
        u16 event = gmem_load16(used_event(q));

        return (u16)(new - event - 1) < (u16)(new - old);
    }
    return (gmem_load16(gmem_at(q->avail, RING_FLAGS)) & AVAIL_NO_INTERRUPT) == 0;
}

bool virtq_split_unseen(struct virtq *q)
{
    return !q->event_idx || gmem_load16(used_event(q)) != q->used_published;
}

bool virtq_split_publish(struct virtq *q)
{
    return publish_to(q, q->used_next);
}

bool virtq_split_publish_quiet(struct virtq *q, u32 most)
{
    u16 new = q->used_next;

    if (q->event_idx && q->used_published != new) {
        u16 event = gmem_load16(used_event(q));
        u16 quiet = (u16)(event - q->used_published), staged = (u16)(new - q->used_published);

        if (quiet < staged && (u32)(staged - quiet) <= most) {
            new = event; /* an interrupt is due for the entry there, not for those in front */
        }
    }
    return publish_to(q, new);
}

/* --- notifications ---------------------------------------------------------------------------- */

void virtq_split_disable_notify(struct virtq *q)
{
    if (!q->ready || !q->notify_on) {
        return;
    }
    q->notify_on = false;
    if (!q->event_idx) { /* else avail_event just stays behind */
        gmem_store16(gmem_at(q->used, RING_FLAGS), USED_NO_NOTIFY);
    }
}

bool virtq_split_enable_notify(struct virtq *q)
{
    if (!q->ready || q->broken || (q->notify_on && !q->event_idx)) {
        return false; /* it was never off: whatever came is known, or a notification is under way */
    }
    q->notify_on = true;
    if (q->event_idx) {
        gmem_store16(avail_event(q), q->avail_next);
    } else {
        gmem_store16(gmem_at(q->used, RING_FLAGS), 0);
    }
    /* What we ask for is visible before we look again; the driver does it the other way round. */
    atomic_fence();
    return gmem_load16_acquire(gmem_at(q->avail, RING_IDX)) != q->avail_next;
}

void virtq_split_start(struct virtq *q)
{
    gmem_store16(gmem_at(q->used, RING_FLAGS), 0); /* and that's what it stays with events */
    (void)virtq_split_enable_notify(q);
}

void virtq_split_mute(struct virtq *q)
{
    if (q->ready && q->event_idx) {
        q->notify_on = false;
        gmem_store16(avail_event(q), q->avail_next + UINT16_MAX / 2); /* half a circle away */
        return;
    }
    virtq_split_disable_notify(q);
}
