/* SPDX-License-Identifier: MIT */
/*
 * The packed virtqueue against drivers that lie. A test rule_N_… is about rule N of
 * docs/virtqueue-rules.md and fails when the check is taken out (tests/lint/mutate.py does). What
 * both formats share is tested in virtq_test.c.
 */
#define RING_ALLOC ring_alloc_packed
#include "tests/unit/virtq_words.h"

/* A chain of n descriptors in the driver's table, from `first` on. */
static void make_chain(u32 first, u32 n)
{
    for (u32 i = first; i < first + n; i++) {
        ring_desc(&r, i, buf + i, 1, i + 1 < first + n ? D_NEXT : 0, i + 1);
    }
}

/* Writes into the ring itself, without what ring_offer does for a well-behaved driver. */
static void put(u32 position, u64 addr, u32 len, u32 flags, u32 id)
{
    packed_put(&g, r.desc, position % r.size, addr, len, flags | ring_lap_flags(&r, position), id);
}

static void pop(void)
{
    assert_int_equal(virtq_pop(&q, &c), VIRTQ_OK);
}

/* --- what works ------------------------------------------------------------------------------ */

/* What was popped since it was last asked for is ready no more, however many laps it was. */
static void ready_after_laps(void **state)
{
    (void)state;
    start(8, false, false);
    for (u32 asked = 0; asked <= 8; asked++) {
        for (u32 n = 0; n < 40; n++) {
            for (u32 i = 0; i < asked; i++) {
                offer(i, buf, 1, 0);
            }
            assert_int_equal(virtq_ready(&q), asked);
            assert_int_equal(virtq_ready(&q), asked);
            for (u32 i = 0; i < asked; i++) {
                pop();
                assert_int_equal(virtq_ready(&q), asked - i - 1);
                virtq_push(&q, &c, 0);
                assert_true(virtq_publish(&q));
            }
            for (u32 i = 0; i < n; i++) { /* and of these nobody asks */
                offer(0, buf, 1, 0);
                pop();
                virtq_push(&q, &c, 0);
                assert_true(virtq_publish(&q));
            }
            assert_int_equal(virtq_ready(&q), 0);
        }
    }
}

/* What was undone is ready again. */
static void ready_after_undo(void **state)
{
    struct virtq_mark mark;

    (void)state;
    start(8, false, false);
    make_chain(0, 3);
    ring_offer(&r, 0);
    offer(4, buf, 1, 0);
    assert_int_equal(virtq_ready(&q), 4); /* slots */
    mark = virtq_mark(&q);
    pop();
    assert_int_equal(virtq_ready(&q), 1);
    pop();
    virtq_undo(&q, mark);
    assert_int_equal(virtq_ready(&q), 4);
}

static void chain_of_three(void **state)
{
    u8 text[32];
    u32 len;

    (void)state;
    start(8, false, false);
    ring_desc(&r, 5, buf, 4, D_NEXT, 2);
    ring_desc(&r, 2, buf + 100, 6, D_NEXT, 7);
    ring_desc(&r, 7, buf + 200, 10, D_WRITE, 0);
    assert_false(virtq_look(&q));
    ring_offer(&r, 5);
    assert_true(virtq_look(&q));
    assert_true(virtq_known(&q));
    memcpy(guest_ptr(&g, buf), "ABCD", 4);
    memcpy(guest_ptr(&g, buf + 100), "EFGHIJ", 6);
    pop();
    assert_int_equal(c.head, 5);
    assert_int_equal(c.slots, 3);
    assert_int_equal(c.count, 3);
    assert_int_equal(c.nreadable, 2);
    assert_int_equal(c.nwritable, 1);
    assert_int_equal(c.readable, 10);
    assert_int_equal(c.writable, 10);
    assert_int_equal(chain_read(&c, 0, text, 32), 10);
    assert_memory_equal(text, "ABCDEFGHIJ", 10);
    assert_false(virtq_known(&q));
    assert_int_equal(virtq_pop(&q, &c), VIRTQ_EMPTY);
    virtq_push(&q, &c, 7);
    assert_int_equal(ring_used(&r, &len), -1);
    assert_true(virtq_publish(&q));
    assert_int_equal(ring_used(&r, &len), 5);
    assert_int_equal(len, 7);
    assert_int_equal(ring_used(&r, &len), -1);
}

/* Every size, also ones that are no power of two; chains of one to three; many laps. */
static void laps(void **state)
{
    static const u16 sizes[] = {1, 2, 3, 5, 7, 8, 100, 255, 256};
    u32 len;

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
        start(sizes[i], false, false);
        for (u32 n = 0; n < 2000; n++) {
            u32 slots = MIN(1 + n % 3, (u32)sizes[i]);

            make_chain(0, slots);
            ring_offer(&r, 0);
            pop();
            assert_int_equal(c.readable, slots);
            assert_int_equal(virtq_pop(&q, &c), VIRTQ_EMPTY);
            virtq_push(&q, &c, n % 9);
            assert_true(virtq_publish(&q));
            assert_int_equal(ring_used(&r, &len), 0);
            assert_int_equal(len, n % 9);
        }
    }
}

static void full_ring(void **state)
{
    (void)state;
    start(7, false, false);
    for (u32 lap = 0; lap < 5; lap++) {
        for (u32 i = 0; i < 7; i++) {
            offer(i, buf, 8, 0);
        }
        for (u32 i = 0; i < 7; i++) {
            pop();
            assert_int_equal(c.head, i);
        }
        assert_int_equal(virtq_pop(&q, &c), VIRTQ_EMPTY);
        for (u32 i = 0; i < 7; i++) {
            virtq_push_id(&q, (u16)i, 1, 0);
        }
        assert_true(virtq_publish(&q));
        for (u32 i = 0; i < 7; i++) {
            assert_int_equal(ring_used(&r, NULL), i);
        }
    }
}

static void undone_is_as_if_never_taken(void **state)
{
    struct virtq_mark mark;

    (void)state;
    start(5, false, false);
    for (u32 lap = 0; lap < 9; lap++) { /* across the ring's end, too */
        offer(0, buf, 8, D_WRITE);
        make_chain(1, 2);
        ring_offer(&r, 1);
        offer(3, buf, 8, D_WRITE);
        pop();
        virtq_push(&q, &c, 1);
        mark = virtq_mark(&q);
        pop();
        pop();
        assert_int_equal(c.head, 3);
        assert_false(virtq_known(&q));
        virtq_undo(&q, mark);
        assert_true(virtq_known(&q));
        pop();
        assert_int_equal(c.head, 1);
        virtq_push(&q, &c, 2);
        pop();
        virtq_push(&q, &c, 3);
        assert_true(virtq_publish(&q));
        assert_int_equal(ring_used(&r, NULL), 0);
        assert_int_equal(ring_used(&r, NULL), 1);
        assert_int_equal(ring_used(&r, NULL), 3);
        assert_int_equal(ring_used(&r, NULL), -1);
    }
}

static void returned_in_any_order(void **state)
{
    u16 id[3], slots[3];
    u32 len;

    (void)state;
    start(7, false, false);
    for (u32 lap = 0; lap < 20; lap++) {
        for (u32 i = 0; i < 3; i++) {
            make_chain(2 * i, i + 1 == 3 ? 1 : i + 1);
            ring_offer(&r, 2 * i);
            pop();
            id[i] = c.head;
            slots[i] = c.slots;
        }
        assert_int_equal(slots[1], 2);
        for (u32 i = 3; i-- > 0;) {
            virtq_push_id(&q, id[i], slots[i], i);
        }
        assert_true(virtq_publish(&q));
        for (u32 i = 3; i-- > 0;) {
            assert_int_equal(ring_used(&r, &len), id[i]);
            assert_int_equal(len, i);
        }
    }
}

static void indirect_table(void **state)
{
    u64 table = guest_alloc(&g, 16 * 3 + 1, 16) + 1; /* need not be aligned */
    u64 even = guest_alloc(&g, 16 * 3, 16);

    (void)state;
    start(8, true, false);
    packed_put(&g, even, 0, buf, 5, 0xffff & ~D_WRITE, 77); /* flags but WRITE, and ids: ignored */
    packed_put(&g, even, 1, buf + 50, 6, D_WRITE | D_INDIRECT, 0);
    packed_put(&g, even, 2, buf + 60, 7, D_WRITE, 0);
    memcpy(guest_ptr(&g, table), guest_ptr(&g, even), 48);
    ring_desc(&r, 4, table, 48, D_INDIRECT | D_WRITE, 0);
    ring_offer(&r, 4);
    pop();
    assert_int_equal(c.head, 4);
    assert_int_equal(c.slots, 1);
    assert_int_equal(c.count, 3);
    assert_int_equal(c.readable, 5);
    assert_int_equal(c.writable, 13);
    virtq_push(&q, &c, 0);
    assert_true(virtq_publish(&q));
    assert_int_equal(ring_used(&r, NULL), 4);
}

static void any_id_comes_back(void **state)
{
    u64 meta;

    (void)state;
    start(4, false, false);
    put(0, buf, 8, D_WRITE, 0xffff); /* a name, nothing else */
    pop();
    assert_int_equal(c.head, 0xffff);
    virtq_push(&q, &c, 0x12345678);
    assert_true(virtq_publish(&q));
    memcpy(&meta, guest_ptr(&g, r.desc + 8), 8);
    assert_int_equal(meta, 0x12345678ull | 0xffffull << 32 | 0x8082ull << 48);
}

/* --- interrupts and notifications ------------------------------------------------------------- */

static bool use_one(void)
{
    offer(0, buf, 8, 0);
    pop();
    virtq_push(&q, &c, 0);
    return virtq_publish(&q);
}

static void interrupt_by_flag(void **state)
{
    (void)state;
    start(8, false, false);
    assert_true(use_one());
    ring_set_avail_flags(&r, EVENT_DISABLE);
    assert_false(use_one());
    ring_set_avail_flags(&r, EVENT_ENABLE);
    assert_true(use_one());
    assert_false(virtq_publish(&q)); /* nothing new */
    ring_set_used_event(&r, 7);      /* not negotiated: as if enabled */
    assert_true(use_one());
}

static void interrupt_by_event(void **state)
{
    (void)state;
    start(5, false, true);
    assert_true(use_one()); /* enabled: any */
    for (u32 n = 1; n < 40; n += 5) {
        ring_set_used_event(&r, (u16)(n + 1));
        assert_false(use_one()); /* n */
        assert_true(use_one());  /* n + 1 */
        assert_false(use_one()); /* n + 2 */
        ring_set_used_event(&r, (u16)(n + 4));
        for (u32 i = 0; i < 2; i++) {
            offer(i, buf, 8, 0);
            pop();
            virtq_push(&q, &c, 0);
        }
        assert_true(virtq_publish(&q)); /* a batch passes it */
    }
    ring_set_avail_flags(&r, EVENT_DISABLE);
    assert_false(use_one());
    ring_set_avail_flags(&r, 3); /* reserved */
    assert_true(use_one());
    *(u16 *)guest_ptr(&g, r.avail) = 0x7fff; /* beyond the ring */
    ring_set_avail_flags(&r, EVENT_DESC);
    assert_true(use_one());
}

static void notify_by_flag(void **state)
{
    (void)state;
    start(8, false, false);
    assert_int_equal(ring_used_flags(&r), EVENT_ENABLE);
    offer(0, buf, 8, 0);
    pop();
    virtq_disable_notify(&q);
    assert_int_equal(ring_used_flags(&r), EVENT_DISABLE);
    assert_int_equal(virtq_pop(&q, &c), VIRTQ_EMPTY);
    offer(1, buf, 8, 0);
    assert_true(virtq_enable_notify(&q)); /* came in the meantime */
    pop();
    assert_int_equal(virtq_pop(&q, &c), VIRTQ_EMPTY);
    assert_false(virtq_enable_notify(&q));
    assert_int_equal(ring_used_flags(&r), EVENT_ENABLE);
}

static void notify_by_event(void **state)
{
    (void)state;
    start(3, false, true);
    assert_int_equal(ring_used_flags(&r), EVENT_DESC);
    assert_int_equal(ring_avail_event(&r), 0x8000);
    for (u32 n = 1; n < 20; n++) {
        offer(0, buf, 8, 0);
        pop();
        virtq_disable_notify(&q);
        assert_int_equal(ring_used_flags(&r), EVENT_DISABLE);
        virtq_push(&q, &c, 0);
        assert_true(virtq_publish(&q));
        assert_int_equal(ring_used(&r, NULL), 0);
        assert_false(virtq_enable_notify(&q));
        assert_int_equal(ring_used_flags(&r), EVENT_DESC);
        assert_int_equal(ring_avail_event(&r), n % 3 | (n / 3 % 2 == 0 ? 0x8000 : 0));
    }
    virtq_disable_notify(&q);
    offer(1, buf, 8, 0);
    assert_true(virtq_enable_notify(&q));
    virtq_mute(&q);
    assert_int_equal(ring_used_flags(&r), EVENT_DISABLE);
}

/* --- A: activation --------------------------------------------------------------------------- */

static void rule_2_size(void **state)
{
    static const u16 bad[] = {0, 257, 512, 32768, 65535};

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
        place_ring(8);
        q.size = bad[i];
        assert_false(virtq_activate(&q, true));
        assert_false(q.ready);
    }
    for (u16 size = 1; size <= MAX_SIZE; size++) {
        g.brk = GUEST_RAM_BASE;
        place_ring(size);
        assert_true(virtq_activate(&q, true));
    }
}

static void rule_3_alignment(void **state)
{
    (void)state;
    place_ring(8);
    q.desc_addr = buf + 8;
    assert_false(virtq_activate(&q, true));
    place_ring(8);
    q.avail_addr = buf + 2;
    assert_false(virtq_activate(&q, true));
    place_ring(8);
    q.used_addr = buf + 2;
    assert_false(virtq_activate(&q, true));
    assert_false(q.ready);
}

static void refuse_areas(u64 desc, u64 avail, u64 used)
{
    place_ring(8);
    q.desc_addr = desc != 0 ? desc : q.desc_addr;
    q.avail_addr = avail != 0 ? avail : q.avail_addr;
    q.used_addr = used != 0 ? used : q.used_addr;
    assert_false(virtq_activate(&q, true));
}

static void rule_4_areas_in_ram(void **state)
{
    static const u64 bad[] = {NOWHERE,          RAM_END,    16,
                              UINT64_MAX - 0xf, 1ull << 63, GUEST_ROM_BASE + GUEST_ROM_SIZE};

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
        refuse_areas(bad[i], 0, 0);
        refuse_areas(0, bad[i], 0);
        refuse_areas(0, 0, bad[i]);
    }
    refuse_areas(RAM_END - 8 * 16 + 16, 0, 0);
    refuse_areas(GUEST_ROM_BASE, 0, 0); /* the ring is written */
    refuse_areas(0, 0, GUEST_ROM_BASE); /* so are our events */
    place_ring(8);
    q.avail_addr = GUEST_ROM_BASE; /* the driver's are only read */
    q.desc_addr = RAM_END - 8 * 16;
    assert_true(virtq_activate(&q, true));
}

static void rule_5_areas_may_overlap(void **state)
{
    u32 asked = 0;

    (void)state;
    place_ring(8);
    q.avail_addr = q.desc_addr + 12;
    q.used_addr = q.desc_addr + 28;
    assert_true(virtq_activate(&q, true));
    virtq_start(&q, true, true);
    for (u32 i = 0; i < 64; i++) { /* whatever it reads, it survives */
        memset(guest_ptr(&g, r.desc), (int)(i * 37), 128);
        if (virtq_pop(&q, &c) == VIRTQ_OK) {
            virtq_push(&q, &c, 0);
            asked += virtq_publish(&q);
        }
        asked += virtq_enable_notify(&q);
        virtq_disable_notify(&q);
        q.broken = false;
    }
    assert_in_range(asked, 0, 128);
}

static void rule_7_translation_is_dropped(void **state)
{
    (void)state;
    start(8, false, false);
    offer(0, buf, 8, 0);
    virtq_deactivate(&q);
    assert_null(q.desc);
    assert_false(virtq_look(&q));
    assert_int_equal(virtq_pop(&q, &c), VIRTQ_EMPTY);
    assert_false(virtq_enable_notify(&q));
    virtq_disable_notify(&q);
    virtq_reset(&q);
    assert_false(q.packed);
}

/* --- B: taking a chain ------------------------------------------------------------------------ */

/*
 * The chain that is filled in lies on top of the descriptor that is read: what was written of the
 * one has changed the other. Whoever looks at the descriptor twice sees it.
 */
static void rule_12_descriptor_is_copied_once(void **state)
{
    struct chain *over;

    (void)state;
    start(128, false, false);
    over = guest_ptr(&g, r.desc);
    offer(9, buf, 100, D_WRITE);
    assert_int_equal(virtq_pop(&q, over), VIRTQ_OK);
    assert_int_equal(over->head, 9);
    assert_int_equal(over->slots, 1);
    assert_int_equal(over->writable, 100);
    assert_int_equal(over->readable, 0);
    assert_int_equal(over->span[0].len, 100);
    assert_ptr_equal(over->span[0].p, guest_ptr(&g, buf));
}

/* The same with an indirect table: each span comes to lie on the descriptor that it came from. */
static void rule_12_table_is_copied_once(void **state)
{
    u64 at = guest_alloc(&g, sizeof(struct chain), 64);
    struct chain *over = guest_ptr(&g, at);
    u64 table = at + ALIGN_UP(offsetof(struct chain, span), 8);

    (void)state;
    start(8, true, false);
    packed_put(&g, table, 0, buf, 100, 0, 0);
    packed_put(&g, table, 1, buf + 100, 50, D_WRITE, 0);
    ring_desc(&r, 0, table, 32, D_INDIRECT, 0);
    ring_offer(&r, 0);
    assert_int_equal(virtq_pop(&q, over), VIRTQ_OK);
    assert_int_equal(over->readable, 100);
    assert_int_equal(over->writable, 50);
    assert_int_equal(over->span[0].len, 100);
    assert_int_equal(over->span[1].len, 50);
    assert_ptr_equal(over->span[1].p, guest_ptr(&g, buf + 100));
}

static void rule_13_chain_length(void **state)
{
    (void)state;
    start(8, false, false);
    make_chain(0, 8); /* as long as the queue: legal */
    ring_offer(&r, 0);
    pop();
    assert_int_equal(c.nreadable, 8);
    assert_int_equal(c.slots, 8);
    start(8, false, false);
    for (u32 i = 0; i < 8; i++) { /* it bites its tail, and is available all around */
        put(i, buf, 1, D_NEXT | D_AVAIL | D_USED, 0);
    }
    assert_int_equal(virtq_pop(&q, &c), VIRTQ_EMPTY);
    for (u32 i = 0; i < 8; i++) {
        put(i, buf, 1, D_NEXT, 0);
    }
    assert_broken("too many");
}

static void rule_13_chain_into_chains_in_flight(void **state)
{
    (void)state;
    start(4, false, false);
    offer(0, buf, 8, 0);
    pop();
    for (u32 i = 1; i < 5; i++) { /* the last one lies on the one that is in flight */
        put(i, buf, 1, i < 4 ? D_NEXT : 0, 0);
    }
    assert_broken("too many");
}

static void rule_15_indirect(void **state)
{
    u64 table = guest_alloc(&g, 16 * 16, 16);

    (void)state;
    for (u32 i = 0; i < 16; i++) {
        packed_put(&g, table, i, buf, 1, 0, 0);
    }
    start(8, false, false);
    ring_desc(&r, 0, table, 16, D_INDIRECT, 0);
    ring_offer(&r, 0);
    assert_broken("not negotiated");
    refuse_indirect(table, 16, D_NEXT, "with a next");
    refuse_indirect(table, 0, 0, "whole");
    refuse_indirect(table, 24, 0, "whole");
    refuse_indirect(table, 9 * 16, 0, "longer");
    refuse_indirect(table, 0xfffffff0, 0, "longer");
    refuse_indirect(NOWHERE, 16, 0, "table outside");
    refuse_indirect(RAM_END - 16, 32, 0, "table outside");
    start(8, true, false);
    ring_desc(&r, 0, table, 8 * 16, D_INDIRECT, 0);
    ring_offer(&r, 0);
    pop();
    assert_int_equal(c.nreadable, 8);
}

static void rule_17_readable_behind_writable(void **state)
{
    u64 table = guest_alloc(&g, 32, 16);

    (void)state;
    start(8, false, false);
    ring_desc(&r, 0, buf, 8, D_WRITE | D_NEXT, 1);
    ring_desc(&r, 1, buf, 8, 0, 0);
    ring_offer(&r, 0);
    assert_broken("behind a writable");
    packed_put(&g, table, 0, buf, 0, D_WRITE, 0); /* an empty one counts as well */
    packed_put(&g, table, 1, buf, 8, 0, 0);
    refuse_indirect(table, 32, 0, "behind a writable");
}

static void rule_18_buffer_in_ram(void **state)
{
    u64 table = guest_alloc(&g, 16, 16);

    (void)state;
    start(8, false, false);
    offer(0, RAM_END - 7, 8, 0);
    assert_broken("outside of RAM");
    start(8, false, false);
    offer(0, GUEST_ROM_BASE, 8, D_WRITE);
    assert_broken("outside of RAM");
    packed_put(&g, table, 0, NOWHERE, 1, 0, 0);
    refuse_indirect(table, 16, 0, "outside of RAM");
    start(8, false, false);
    ring_desc(&r, 0, buf, 8, D_NEXT, 1);
    ring_desc(&r, 1, NOWHERE, 8, 0, 0);
    ring_offer(&r, 0);
    assert_broken("outside of RAM");
}

static void rule_19_empty_descriptors(void **state)
{
    (void)state;
    start(8, false, false);
    ring_desc(&r, 0, NOWHERE, 0, D_NEXT, 1);
    ring_desc(&r, 1, buf, 3, D_NEXT, 2);
    ring_desc(&r, 2, buf, 0, D_WRITE, 0);
    ring_offer(&r, 0);
    pop();
    assert_int_equal(c.nreadable, 1);
    assert_int_equal(c.nwritable, 0);
    assert_int_equal(c.slots, 3); /* they have to be given back as well */
    offer(3, NOWHERE, 0, 0);
    pop();
    assert_int_equal(c.readable + c.writable, 0);
    assert_int_equal(c.slots, 1);
}

static void rule_21_segments(void **state)
{
    u64 table = guest_alloc(&g, 128 * 16, 16);

    (void)state;
    start(128, true, false);
    make_chain(0, VIRTQ_SEGMENTS);
    ring_offer(&r, 0);
    pop();
    assert_int_equal(c.nreadable, VIRTQ_SEGMENTS);
    start(128, true, false);
    make_chain(0, VIRTQ_SEGMENTS + 1);
    ring_offer(&r, 0);
    assert_broken("too many");
    for (u32 i = 0; i < 128; i++) {
        packed_put(&g, table, i, buf, i < VIRTQ_SEGMENTS ? 1 : 0, 0, 0);
    }
    start(128, true, false);
    ring_desc(&r, 0, table, VIRTQ_SEGMENTS * 16, D_INDIRECT, 0);
    ring_offer(&r, 0);
    pop();
    assert_int_equal(c.nreadable, VIRTQ_SEGMENTS);
    ring_desc(&r, 0, table, (VIRTQ_SEGMENTS + 1) * 16, D_INDIRECT, 0);
    ring_offer(&r, 0);
    assert_broken("too many");
}

static void rule_22_in_flight(void **state)
{
    (void)state;
    start(3, false, false);
    for (u32 i = 0; i < 3; i++) {
        offer(i, buf, 8, 0);
        pop();
    }
    virtq_push(&q, &c, 0); /* staged: the driver doesn't know */
    offer(0, buf, 8, 0);   /* again, though nothing was given back */
    assert_broken("in flight");
}

static void rule_23_rest_of_a_chain_is_available(void **state)
{
    (void)state;
    start(8, false, false);
    put(0, buf, 1, D_NEXT, 0); /* and nothing behind it */
    assert_broken("isn't available");
    start(8, false, false);
    put(1, buf, 1, D_AVAIL | D_USED, 0);
    put(0, buf, 1, D_NEXT, 0);
    assert_broken("isn't available");
}

static void rule_23_indirect_behind_direct(void **state)
{
    u64 table = guest_alloc(&g, 16, 16);

    (void)state;
    packed_put(&g, table, 0, buf, 8, 0, 0);
    start(8, true, false);
    ring_desc(&r, 0, buf, 5, D_NEXT, 1);
    ring_desc(&r, 1, table, 16, D_INDIRECT, 0);
    ring_offer(&r, 0);
    assert_broken("behind a direct");
}

static void rule_23_availability(void **state)
{
    (void)state;
    start(2, false, false);
    for (u32 lap = 0; lap < 6; lap++) {
        u32 mine = lap % 2 == 0 ? D_AVAIL : D_USED;

        for (u32 flags = 0; flags <= 3; flags++) {
            u32 f = (flags & 1 ? D_AVAIL : 0) | (flags & 2 ? D_USED : 0);

            packed_put(&g, r.desc, 1, buf, 8, 0, 0);
            packed_put(&g, r.desc, 0, buf, 8, f, 0);
            assert_int_equal(virtq_look(&q), f == mine);
            if (f != mine) {
                assert_int_equal(virtq_pop(&q, &c), VIRTQ_EMPTY);
            }
        }
        r.avail_idx = (u16)(lap % 2 * 2);
        offer(0, buf, 8, 0);
        offer(1, buf, 8, 0);
        pop();
        virtq_push(&q, &c, 0);
        pop();
        virtq_push(&q, &c, 0);
        assert_true(virtq_publish(&q));
    }
}

/* --- D: completion ---------------------------------------------------------------------------- */

static void rule_30_ring_is_not_read_back(void **state)
{
    u32 len;

    (void)state;
    start(4, false, false);
    for (u32 i = 0; i < 3; i++) {
        offer(i, buf, 8, 0);
        pop();
        memset(guest_ptr(&g, r.desc), 0xff, 4 * 16); /* the driver scribbles */
        virtq_push_id(&q, c.head, c.slots, 5);
        assert_true(virtq_publish(&q));
        assert_int_equal(ring_used(&r, &len), i);
        assert_int_equal(len, 5);
        memset(guest_ptr(&g, r.desc), 0xff, 4 * 16);
    }
}

static void rule_32_staged_is_invisible(void **state)
{
    (void)state;
    start(8, false, false);
    for (u32 lap = 0; lap < 5; lap++) {
        for (u32 i = 0; i < 3; i++) {
            offer(i, buf, 8, D_WRITE);
            pop();
            virtq_push(&q, &c, 8);
            assert_int_equal(ring_used_idx(&r), r.used_idx);
        }
        assert_true(virtq_publish(&q));
        for (u32 i = 0; i < 3; i++) {
            assert_int_equal(ring_used(&r, NULL), i);
        }
    }
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(ready_after_laps),
        T(ready_after_undo),
        T(chain_of_three),
        T(laps),
        T(full_ring),
        T(undone_is_as_if_never_taken),
        T(returned_in_any_order),
        T(indirect_table),
        T(any_id_comes_back),
        T(interrupt_by_flag),
        T(interrupt_by_event),
        T(notify_by_flag),
        T(notify_by_event),
        T(rule_2_size),
        T(rule_3_alignment),
        T(rule_4_areas_in_ram),
        T(rule_5_areas_may_overlap),
        T(rule_7_translation_is_dropped),
        T(rule_12_descriptor_is_copied_once),
        T(rule_12_table_is_copied_once),
        T(rule_13_chain_length),
        T(rule_13_chain_into_chains_in_flight),
        T(rule_15_indirect),
        T(rule_17_readable_behind_writable),
        T(rule_18_buffer_in_ram),
        T(rule_19_empty_descriptors),
        T(rule_21_segments),
        T(rule_22_in_flight),
        T(rule_23_rest_of_a_chain_is_available),
        T(rule_23_indirect_behind_direct),
        T(rule_23_availability),
        T(rule_30_ring_is_not_read_back),
        T(rule_32_staged_is_invisible),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
