/* SPDX-License-Identifier: MIT */
/*
 * The device's side of a split virtqueue: takes chains out of the available ring, validates them,
 * gives them back through the used ring. It knows no device, and of memory only core/gmem.h. The
 * driver is assumed to be hostile and to change its rings while we look: everything is loaded once.
 * Lock: the queue's own, held by the caller.
 */
#include "vdev/virtio/virtq.h"

#include "core/atomic.h"
#include "core/panic.h"

/* VIRTIO 1.2 §2.7.5 to §2.7.8 */
enum desc_flag {
    DESC_NEXT = 1,
    DESC_WRITE = 2,
    DESC_INDIRECT = 4,
};

enum ring_layout {
    RING_FLAGS = 0,
    RING_IDX = 2,
    RING_ENTRIES = 4,
    AVAIL_ENTRY = 2, /* bytes */
    USED_ENTRY = 8,
    DESC_ENTRY = 16,
    EVENT_SIZE = 2, /* used_event, avail_event: behind the entries */
};

enum { AVAIL_NO_INTERRUPT = 1, USED_NO_NOTIFY = 1 };

/* A private copy of a descriptor: the one that every decision is made on. */
struct desc {
    u64 addr;
    u32 len;
    u16 flags;
    u16 next;
};

/* A walk along a chain: through the queue's descriptor table, then perhaps an indirect one. */
struct walk {
    guest_t *table;
    u32 entries; /* that the table has */
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

void virtq_init(struct virtq *q, const struct gmem *mem, u16 max, enum lock_rank rank)
{
    assert(max > 0 && max <= VIRTQ_SIZE_MAX);
    *q = (struct virtq){.mem = mem, .max = max, .size = max};
    spin_init(&q->lock, rank);
}

void virtq_deactivate(struct virtq *q)
{
    q->ready = false;
    q->broken = false;
    q->why = NULL;
    q->desc = NULL; /* rule 7 */
    q->avail = NULL;
    q->used = NULL;
    q->avail_next = 0;
    q->avail_seen = 0;
    q->used_next = 0;
    q->used_published = 0;
    q->notify_on = false;
}

void virtq_reset(struct virtq *q)
{
    virtq_deactivate(q);
    q->size = q->max;
    q->desc_addr = 0;
    q->avail_addr = 0;
    q->used_addr = 0;
    q->indirect = false;
    q->event_idx = false;
}

static bool aligned(u64 addr, u64 to)
{
    return (addr & (to - 1)) == 0;
}

bool virtq_activate(struct virtq *q)
{
    u64 n = q->size;
    guest_t *desc, *avail, *used;

    if (n > q->max || !is_pow2(n)) { /* rule 2 */
        return false;
    }
    if (!aligned(q->desc_addr, DESC_ENTRY) || !aligned(q->avail_addr, AVAIL_ENTRY) ||
        !aligned(q->used_addr, 4)) { /* rule 3 */
        return false;
    }
    desc = gmem_span(q->mem, gpa(q->desc_addr), DESC_ENTRY * n, false);
    avail =
        gmem_span(q->mem, gpa(q->avail_addr), RING_ENTRIES + AVAIL_ENTRY * n + EVENT_SIZE, false);
    used = gmem_span(q->mem, gpa(q->used_addr), RING_ENTRIES + USED_ENTRY * n + EVENT_SIZE, true);
    if (desc == NULL || avail == NULL || used == NULL) { /* rule 4 */
        return false;
    }
    q->desc = desc;
    q->avail = avail;
    q->used = used;
    q->ready = true;
    return true;
}

void virtq_start(struct virtq *q, bool indirect, bool event_idx)
{
    if (!q->ready) {
        return;
    }
    q->indirect = indirect;
    q->event_idx = event_idx;
    q->notify_on = true;
    gmem_store16(gmem_at(q->used, RING_FLAGS), 0);
    if (event_idx) {
        gmem_store16(avail_event(q), q->avail_next);
    }
}

/* --- taking a chain -------------------------------------------------------------------------- */

/* Returns true: virtq_look's answer. */
static bool rule_broken(struct virtq *q, const char *why)
{
    q->broken = true;
    q->why = why;
    q->avail_seen = q->avail_next; /* nothing more is known */
    return true;
}

static inline struct desc read_desc(guest_t *table, u32 i)
{
    u64 raw[2];

    gmem_read_pair(raw, gmem_at(table, DESC_ENTRY * (size_t)i)); /* rule 12 */
    return (struct desc){raw[0], (u32)raw[1], (u16)(raw[1] >> 32), (u16)(raw[1] >> 48)};
}

static const char *enter_indirect(const struct virtq *q, struct walk *w, const struct desc *d)
{
    if (!q->indirect) { /* rule 15 */
        return "an indirect descriptor was not negotiated";
    }
    if (w->indirect) { /* rule 15 */
        return "an indirect descriptor in an indirect table";
    }
    if (d->flags & DESC_NEXT) { /* rule 15 */
        return "an indirect descriptor with a next one";
    }
    if (d->len == 0 || d->len % DESC_ENTRY != 0) { /* rule 15 */
        return "an indirect table that isn't whole descriptors";
    }
    if (d->len / DESC_ENTRY > q->size) { /* rule 15 */
        return "an indirect table longer than the queue";
    }
    w->table = gmem_span(q->mem, gpa(d->addr), d->len, false);
    if (w->table == NULL) { /* rule 15 */
        return "an indirect table outside of RAM";
    }
    w->entries = d->len / DESC_ENTRY;
    w->indirect = true;
    return NULL;
}

static inline const char *add_span(const struct virtq *q, struct chain *c, const struct desc *d)
{
    bool write = (d->flags & DESC_WRITE) != 0;
    guest_t *p;

    c->count++;
    if (d->len == 0) { /* rule 19 */
        return NULL;
    }
    p = gmem_span(q->mem, gpa(d->addr), d->len, write);
    if (p == NULL) { /* rule 18 */
        return "a buffer outside of RAM";
    }
    if (d->len > UINT32_MAX - (c->readable + c->writable)) { /* rule 20 */
        return "a chain of more than 4 GiB";
    }
    c->span[c->nreadable + c->nwritable] = (struct span){p, d->len};
    if (write) {
        c->nwritable++;
        c->writable += d->len;
    } else {
        c->nreadable++;
        c->readable += d->len;
    }
    return NULL;
}

/* Follows the chain that starts with d. NULL, or the rule that it breaks. */
static NOINLINE const char *walk_chain(const struct virtq *q, struct chain *c, struct desc d)
{
    struct walk w = {.table = q->desc, .entries = q->size};
    u32 limit = MIN((u32)q->size, (u32)VIRTQ_SEGMENTS); /* rules 13, 21 */
    const char *why;

    c->count = 0;
    c->nreadable = 0;
    c->nwritable = 0;
    c->readable = 0;
    c->writable = 0;
    while (c->count < limit) {
        bool write;

        if (d.flags & DESC_INDIRECT) {
            why = enter_indirect(q, &w, &d); /* at most once: no budget needed */
            if (why != NULL) {
                return why;
            }
            d = read_desc(w.table, 0);
            continue;
        }
        write = (d.flags & DESC_WRITE) != 0;
        if (w.writing && !write) { /* rule 17 */
            return "a readable descriptor behind a writable one";
        }
        w.writing = write;
        why = add_span(q, c, &d);
        if (why != NULL || !(d.flags & DESC_NEXT)) {
            return why;
        }
        if (d.next >= w.entries) { /* rule 14 */
            return "a next descriptor beyond the table";
        }
        d = read_desc(w.table, index_nospec(d.next, w.entries));
    }
    return "a chain with too many descriptors";
}

bool virtq_look(struct virtq *q)
{
    u16 idx;

    if (!q->ready || q->broken) {
        return q->broken;
    }
    idx = gmem_load16_acquire(gmem_at(q->avail, RING_IDX)); /* rule 9 */
    if ((u16)(idx - q->avail_next) > q->size) {             /* rule 10 */
        return rule_broken(q, "avail.idx jumped by more than the queue's size");
    }
    if ((u16)(idx - q->used_published) > q->size) { /* rule 22 */
        return rule_broken(q, "more buffers in flight than the queue has");
    }
    q->avail_seen = idx;
    return idx != q->avail_next;
}

/* The common chain: one descriptor, not empty. Rules 13 to 17 and 19 to 21 say nothing about it. */
static inline const char *take_single(const struct virtq *q, struct chain *c, const struct desc *d)
{
    bool write = (d->flags & DESC_WRITE) != 0;
    guest_t *p = gmem_span(q->mem, gpa(d->addr), d->len, write);

    if (p == NULL) { /* rule 18 */
        return "the buffer is outside of RAM";
    }
    c->count = 1;
    c->nreadable = !write;
    c->nwritable = write;
    c->readable = write ? 0 : d->len;
    c->writable = write ? d->len : 0;
    c->span[0] = (struct span){p, d->len};
    return NULL;
}

enum virtq_result virtq_pop(struct virtq *q, struct chain *c)
{
    const char *why;
    struct desc d;
    u32 slot;
    u16 head;

    if (!virtq_known(q)) {
        if (!virtq_look(q)) {
            return VIRTQ_EMPTY;
        }
        if (q->broken) {
            return VIRTQ_BROKEN;
        }
    }
    slot = q->avail_next & (q->size - 1u);
    head = gmem_load16(gmem_at(q->avail, RING_ENTRIES + AVAIL_ENTRY * (size_t)slot));
    if (unlikely(head >= q->size)) { /* rule 11 */
        rule_broken(q, "a head beyond the descriptor table");
        return VIRTQ_BROKEN;
    }
    c->head = (u16)index_nospec(head, q->size);
    d = read_desc(q->desc, c->head);
    c->slots = 1;
    if (likely((d.flags & (DESC_NEXT | DESC_INDIRECT)) == 0 && d.len != 0)) {
        why = take_single(q, c, &d);
    } else {
        why = walk_chain(q, c, d);
    }
    if (unlikely(why != NULL)) {
        rule_broken(q, why);
        return VIRTQ_BROKEN;
    }
    q->avail_next++;
    return VIRTQ_OK;
}

void virtq_rewind(struct virtq *q, u16 popped, u16 pushed)
{
    q->used_next = (u16)(q->used_next - pushed);
    q->avail_next = (u16)(q->avail_next - popped);
}

/* --- giving it back -------------------------------------------------------------------------- */

void virtq_push_id(struct virtq *q, u16 head, u16 slots, u32 written)
{
    u32 slot = q->used_next & (q->size - 1u);
    guest_t *e = gmem_at(q->used, RING_ENTRIES + USED_ENTRY * (size_t)slot);

    (void)slots; /* an entry each, whatever the chain's length */
    gmem_store32(e, head);
    gmem_store32(gmem_at(e, 4), written);
    q->used_next++; /* rule 30: the index in memory is never read back */
}

bool virtq_publish(struct virtq *q)
{
    u16 old = q->used_published, new = q->used_next;

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

/* --- notifications ---------------------------------------------------------------------------- */

void virtq_disable_notify(struct virtq *q)
{
    if (!q->ready || !q->notify_on) {
        return;
    }
    q->notify_on = false;
    if (!q->event_idx) { /* else avail_event just stays behind */
        gmem_store16(gmem_at(q->used, RING_FLAGS), USED_NO_NOTIFY);
    }
}

bool virtq_enable_notify(struct virtq *q)
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
