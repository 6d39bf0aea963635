/* SPDX-License-Identifier: MIT */
/*
 * One driver, two rings: a script of chains, pops, pushes and notifications goes through a split
 * queue in one VM and a packed one in another. Both must come to the same chains, the same verdicts
 * on bad ones, the same used entries and the same interrupts. Chains keep to what both formats
 * have; what a driver can do wrong in one of them only is virtio_fuzz's.
 */
#include "core/panic.h"
#include "tests/fuzz/input.h"
#include "tests/host/queue.h"

#include <string.h>

#define STEPS  500
#define WIDTH  4u /* descriptors of a chain at most; head n owns those from n * WIDTH on */
#define CHAINS 32u
#define TABLES (GUEST_RAM_BASE + 0x20000) /* indirect tables, one for each head */
#define TABLE  0x800u
#define DATA   (GUEST_RAM_BASE + 0x40000)

struct side {
    struct guest g;
    struct ring r;
    struct virtq q;
    struct chain c;
};

static struct side split, packed;

/* The driver's view, and what the device has in its hands. */
static struct {
    u32 chains, width;
    bool busy[CHAINS];
    struct {
        u16 head, slots[2];
    } taken[CHAINS];
    u32 ntaken;
    bool events;
} now;

static void start_side(struct side *s, bool is_packed, u16 size, bool indirect)
{
    s->g.brk = GUEST_RAM_BASE;
    if (is_packed) {
        ring_alloc_packed(&s->r, &s->g, 0, 0, size);
    } else {
        ring_alloc(&s->r, &s->g, 0, 0, size);
    }
    queue_place(&s->q, &s->r, size);
    assert(queue_start(&s->q, &s->r, indirect, now.events));
}

static void start(struct input *in)
{
    u32 how = take(in, 1);
    u16 size = (u16)(1u << how % 8);

    memset(&now, 0, sizeof(now));
    now.width = MIN(WIDTH, (u32)size);
    now.chains = size / now.width;
    now.events = (how & 0x10) != 0;
    start_side(&split, false, size, (how & 0x20) != 0);
    start_side(&packed, true, size, (how & 0x20) != 0);
}

/* Mostly good; a rare one lies outside of RAM or at its edge. */
static u64 take_address(struct input *in)
{
    u32 how = take(in, 1);

    switch (how) {
    case 0:
        return GUEST_RAM_BASE + GUEST_RAM_SIZE - take(in, 1);
    case 1:
        return GUEST_ROM_BASE + take(in, 1);
    case 2:
        return (u64)take(in, 4) << 32 | take(in, 4);
    default:
        return DATA + how * 256 + take(in, 1);
    }
}

static u32 take_length(struct input *in)
{
    u32 how = take(in, 1);

    return how < 252 ? how * 5 : take(in, 4);
}

/* An indirect table, chained in the split format, by position in the packed one. */
static u32 put_table(struct input *in, u32 head)
{
    u32 entries = 1 + take(in, 1) % 100, writable_from = take(in, 1);

    for (u32 i = 0; i < entries; i++) {
        u64 addr = take_address(in), table = TABLES + head * TABLE;
        u32 len = take_length(in), flags = i >= writable_from % (entries + 1) ? D_WRITE : 0;

        desc_put(&split.g, table, i, addr, len, flags | (i + 1 < entries ? D_NEXT : 0), i + 1);
        packed_put(&packed.g, table, i, addr, len, flags, 0);
    }
    return entries;
}

static void put_desc(u32 i, u64 addr, u32 len, u32 flags, u32 next)
{
    ring_desc(&split.r, i, addr, len, flags, next);
    ring_desc(&packed.r, i, addr, len, flags, next);
}

static void offer(struct input *in)
{
    u32 n = take(in, 1), how = take(in, 1), head, count;

    n %= now.chains;
    head = n * now.width;
    if (now.busy[n]) {
        return;
    }
    if (how & 0x80) {
        u32 entries = put_table(in, n), odd = how & 0x40 ? take(in, 1) % 16 : 0;

        put_desc(head, TABLES + n * TABLE, entries * 16 + odd, D_INDIRECT, 0);
    } else {
        count = 1 + how % now.width;
        for (u32 i = 0; i < count; i++) {
            u32 flags = i + 1 < count ? D_NEXT : 0;

            flags |= how >> 2 & 1 || (how >> 3 & 1 && i > 0) ? D_WRITE : 0;
            flags ^= (how & 0x30) == 0x30 && i == 1 ? D_WRITE : 0; /* perhaps out of order */
            put_desc(head + i, take_address(in), take_length(in), flags, head + i + 1);
        }
    }
    now.busy[n] = true;
    ring_offer(&split.r, head);
    ring_offer(&packed.r, head);
}

static void same_chain(const struct chain *a, const struct chain *b)
{
    assert(a->head == b->head && a->count == b->count);
    assert(a->nreadable == b->nreadable && a->nwritable == b->nwritable);
    assert(a->readable == b->readable && a->writable == b->writable);
    for (u32 i = 0; i < a->nreadable + a->nwritable; i++) {
        const struct gmem *m = &split.g.vm.mem, *n = &packed.g.vm.mem;
        u32 region = (u8 *)a->span[i].p - split.g.ram < (ptrdiff_t)GUEST_RAM_SIZE &&
                             (u8 *)a->span[i].p >= split.g.ram
                         ? 0
                         : 1;

        assert(a->span[i].len == b->span[i].len);
        assert((u8 *)a->span[i].p - (u8 *)m->region[region].ptr ==
               (u8 *)b->span[i].p - (u8 *)n->region[region].ptr);
    }
}

/* True: both queues are dead. */
static bool pop_one(void)
{
    enum virtq_result a, b;

    assert(virtq_look(&split.q) == virtq_look(&packed.q));
    a = virtq_pop(&split.q, &split.c);
    b = virtq_pop(&packed.q, &packed.c);
    assert(a == b);
    if (a == VIRTQ_OK) {
        same_chain(&split.c, &packed.c);
        assert(now.ntaken < CHAINS);
        now.taken[now.ntaken].head = split.c.head;
        now.taken[now.ntaken].slots[0] = split.c.slots;
        now.taken[now.ntaken++].slots[1] = packed.c.slots;
    }
    return a == VIRTQ_BROKEN;
}

/* Takes some, and perhaps thinks better of it. */
static bool pop_some(struct input *in)
{
    u32 how = take(in, 1), before = now.ntaken;
    struct virtq_mark a = virtq_mark(&split.q), b = virtq_mark(&packed.q);

    for (u32 i = 0; i < how % 4 + 1; i++) {
        if (pop_one()) {
            return true;
        }
    }
    if (how & 0x80) {
        virtq_undo(&split.q, a);
        virtq_undo(&packed.q, b);
        now.ntaken = before;
        assert(virtq_look(&split.q) == virtq_look(&packed.q));
    }
    return false;
}

static void push(struct input *in)
{
    u32 which = take(in, 1), written = take_length(in);

    if (now.ntaken == 0) {
        return;
    }
    which %= now.ntaken;
    virtq_push_id(&split.q, now.taken[which].head, now.taken[which].slots[0], written);
    virtq_push_id(&packed.q, now.taken[which].head, now.taken[which].slots[1], written);
    now.taken[which] = now.taken[--now.ntaken];
}

static void publish(void)
{
    bool a = virtq_publish(&split.q), b = virtq_publish(&packed.q);

    assert(now.events || a == b); /* events count chains in one, slots in the other */
}

static void collect(void)
{
    for (u32 i = 0; i < CHAINS; i++) {
        u32 a_len = 0, b_len = 0;
        int a = ring_used(&split.r, &a_len), b = ring_used(&packed.r, &b_len);

        assert(a == b);
        if (a < 0) {
            return;
        }
        assert(a_len == b_len);
        assert(now.busy[(u32)a / now.width]);
        now.busy[(u32)a / now.width] = false;
    }
}

static void notifications(struct input *in)
{
    u32 how = take(in, 1);

    ring_set_avail_flags(&split.r, how & 1);
    ring_set_avail_flags(&packed.r, how & 1 ? EVENT_DISABLE : EVENT_ENABLE);
    if (how & 2) {
        virtq_disable_notify(&split.q);
        virtq_disable_notify(&packed.q);
    } else {
        bool a = virtq_enable_notify(&split.q), b = virtq_enable_notify(&packed.q);

        assert(a == b);
    }
    if (!now.events) {
        assert(ring_used_flags(&split.r) == ring_used_flags(&packed.r));
    }
}

/* True: it's over. */
static bool step(struct input *in)
{
    u32 op = take(in, 1);

    switch (op % 8) {
    case 0:
    case 1:
    case 2:
        offer(in);
        return false;
    case 3:
    case 4:
        return pop_some(in);
    case 5:
        push(in);
        return false;
    case 6:
        publish();
        collect();
        return false;
    default:
        notifications(in);
        return false;
    }
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct input in = {data, data + size};

    if (split.g.ram == NULL) {
        guest_init(&split.g, "split");
        guest_init(&packed.g, "packed");
    }
    start(&in);
    for (u32 i = 0; i < STEPS && in.p < in.end; i++) {
        if (step(&in)) {
            assert(split.q.broken && packed.q.broken);
            return 0;
        }
    }
    return 0;
}
