/* SPDX-License-Identifier: MIT */
/*
 * The split virtqueue against drivers that lie. A test rule_N_… is about rule N of
 * docs/virtqueue-rules.md and fails when the check is taken out (tests/lint/mutate.py does).
 */
#define RING_ALLOC ring_alloc
#include "tests/unit/virtq_words.h"

/* --- what works ------------------------------------------------------------------------------ */

static void chain_of_three(void **state)
{
    u8 text[32];

    (void)state;
    start(8, false, false);
    ring_desc(&r, 5, buf, 4, D_NEXT, 2);
    ring_desc(&r, 2, buf + 100, 6, D_NEXT, 7);
    ring_desc(&r, 7, buf + 200, 10, D_WRITE, 0);
    ring_offer(&r, 5);
    memcpy(guest_ptr(&g, buf), "ABCD", 4);
    memcpy(guest_ptr(&g, buf + 100), "EFGHIJ", 6);
    assert_int_equal(virtq_pop(&q, &c), VIRTQ_OK);
    assert_int_equal(c.head, 5);
    assert_int_equal(c.nreadable, 2);
    assert_int_equal(c.nwritable, 1);
    assert_int_equal(c.readable, 10);
    assert_int_equal(c.writable, 10);
    assert_int_equal(chain_read(&c, 0, text, 32), 10);
    assert_memory_equal(text, "ABCDEFGHIJ", 10);
    assert_int_equal(chain_read(&c, 3, text, 4), 4);
    assert_memory_equal(text, "DEFG", 4);
    assert_int_equal(chain_read(&c, 10, text, 4), 0);
    assert_int_equal(chain_write(&c, 2, "xyz", 3), 3);
    assert_memory_equal(guest_ptr(&g, buf + 202), "xyz", 3);
    assert_int_equal(virtq_pop(&q, &c), VIRTQ_EMPTY);
}

static void copy_across_spans(void **state)
{
    static const u32 cut_from[] = {3, 1, 7}, cut_to[] = {5, 2, 2, 9};
    struct chain to;
    u8 *p = guest_ptr(&g, buf);

    (void)state;
    start(16, false, false);
    for (u32 i = 0, at = 0; i < 3; at += cut_from[i++]) {
        ring_desc(&r, i, buf + at * 16, cut_from[i], i < 2 ? D_NEXT : 0, i + 1);
    }
    for (u32 i = 0, at = 0; i < 4; at += cut_to[i++]) {
        ring_desc(&r, 8 + i, buf + 4096 + at * 16, cut_to[i], D_WRITE | (i < 3 ? D_NEXT : 0),
                  9 + i);
    }
    memcpy(p, "abc", 3);
    memcpy(p + 3 * 16, "d", 1);
    memcpy(p + 4 * 16, "efghijk", 7);
    ring_offer(&r, 0);
    ring_offer(&r, 8);
    assert_int_equal(virtq_pop(&q, &c), VIRTQ_OK);
    assert_int_equal(virtq_pop(&q, &to), VIRTQ_OK);
    assert_int_equal(chain_copy(&to, 4, &c, 1, 100), 10);
    assert_memory_equal(p + 4096 + 4, "b", 1);
    assert_memory_equal(p + 4096 + 5 * 16, "cd", 2);
    assert_memory_equal(p + 4096 + 7 * 16, "ef", 2);
    assert_memory_equal(p + 4096 + 9 * 16, "ghijk", 5);
}

static void used_entries_wrap(void **state)
{
    u32 len;

    (void)state;
    start(4, false, false);
    for (u32 i = 0; i < 70000; i++) {
        offer(i % 4, buf, 8, D_WRITE);
        assert_int_equal(virtq_pop(&q, &c), VIRTQ_OK);
        virtq_push(&q, &c, i % 9);
        assert_true(virtq_publish(&q));
        assert_int_equal(ring_used(&r, &len), i % 4);
        assert_int_equal(len, i % 9);
    }
}

static void size_one(void **state)
{
    (void)state;
    start(1, false, false);
    for (u32 i = 0; i < 3; i++) {
        offer(0, buf, 8, 0);
        assert_int_equal(virtq_pop(&q, &c), VIRTQ_OK);
        virtq_push(&q, &c, 0);
        assert_true(virtq_publish(&q));
        assert_int_equal(ring_used(&r, NULL), 0);
    }
}

static void undone_is_as_if_never_taken(void **state)
{
    struct virtq_mark mark;

    (void)state;
    start(8, false, false);
    for (u32 i = 0; i < 3; i++) {
        offer(i, buf, 8, D_WRITE);
    }
    assert_int_equal(virtq_pop(&q, &c), VIRTQ_OK);
    virtq_push(&q, &c, 1);
    mark = virtq_mark(&q);
    assert_int_equal(virtq_pop(&q, &c), VIRTQ_OK);
    assert_int_equal(virtq_pop(&q, &c), VIRTQ_OK);
    assert_int_equal(c.head, 2);
    assert_false(virtq_known(&q));
    virtq_undo(&q, mark);
    assert_true(virtq_known(&q));
    assert_int_equal(virtq_pop(&q, &c), VIRTQ_OK);
    assert_int_equal(c.head, 1);
    assert_true(virtq_publish(&q));
    assert_int_equal(ring_used_idx(&r), 1);
}

static void returned_in_any_order(void **state)
{
    u16 head[3], slots[3];
    u32 len;

    (void)state;
    start(8, false, false);
    for (u32 i = 0; i < 3; i++) {
        offer(i, buf, 8, D_WRITE);
        assert_int_equal(virtq_pop(&q, &c), VIRTQ_OK);
        head[i] = c.head;
        slots[i] = c.slots;
    }
    for (u32 i = 3; i-- > 0;) {
        virtq_push_id(&q, head[i], slots[i], i);
    }
    assert_true(virtq_publish(&q));
    for (u32 i = 3; i-- > 0;) {
        assert_int_equal(ring_used(&r, &len), i);
        assert_int_equal(len, i);
    }
}

/* --- interrupts and notifications ------------------------------------------------------------- */

static bool use_one(void)
{
    offer(0, buf, 8, 0);
    assert_int_equal(virtq_pop(&q, &c), VIRTQ_OK);
    virtq_push(&q, &c, 0);
    return virtq_publish(&q);
}

static void interrupt_by_flag(void **state)
{
    (void)state;
    start(8, false, false);
    assert_true(use_one());
    ring_set_avail_flags(&r, 1);
    assert_false(use_one());
    ring_set_avail_flags(&r, 0);
    assert_true(use_one());
    assert_false(virtq_publish(&q)); /* nothing new */
}

static void interrupt_by_event(void **state)
{
    (void)state;
    start(8, false, true);
    ring_set_avail_flags(&r, 1); /* flags don't count */
    ring_set_used_event(&r, 0);
    assert_true(use_one()); /* 0 -> 1 passes 0 */
    assert_false(use_one());
    ring_set_used_event(&r, 3);
    assert_false(use_one());
    assert_true(use_one()); /* 3 -> 4 passes 3 */
    ring_set_used_event(&r, 5);
    for (u32 i = 0; i < 3; i++) {
        offer(i, buf, 8, 0);
        assert_int_equal(virtq_pop(&q, &c), VIRTQ_OK);
        virtq_push(&q, &c, 0);
    }
    assert_true(virtq_publish(&q)); /* 4 -> 7 passes 5 */
}

static bool stage(u32 count)
{
    for (u32 i = 0; i < count; i++) {
        offer(0, buf, 8, 0);
        assert_int_equal(virtq_pop(&q, &c), VIRTQ_OK);
        virtq_push(&q, &c, 0);
    }
    return virtq_publish_quiet(&q, 2);
}

static void held_from_the_event_on(void **state)
{
    (void)state;
    start(8, false, true);
    ring_set_used_event(&r, 0);
    assert_false(stage(1));
    assert_true(virtq_holds(&q));
    assert_int_equal(ring_used_idx(&r), 0);
    ring_set_used_event(&r, 1);
    assert_false(stage(1)); /* the entry in front of the event goes */
    assert_int_equal(ring_used_idx(&r), 1);
    assert_true(stage(2)); /* more than may be held: all go */
    assert_int_equal(ring_used_idx(&r), 4);
    assert_false(virtq_holds(&q));
    assert_false(virtq_publish_quiet(&q, 2));
    ring_set_used_event(&r, 2);
    assert_false(stage(3)); /* an event that was passed long ago */
    assert_int_equal(ring_used_idx(&r), 7);
    ring_set_used_event(&r, 7);
    assert_false(stage(2));
    assert_true(virtq_publish(&q)); /* in the end they have to go */
    assert_int_equal(ring_used_idx(&r), 9);
}

static void nothing_held_without_events(void **state)
{
    (void)state;
    start(8, false, false);
    assert_true(stage(1));
    ring_set_avail_flags(&r, 1);
    assert_false(stage(1));
    assert_int_equal(ring_used_idx(&r), 2);
    assert_false(virtq_holds(&q));
}

static void notify_by_flag(void **state)
{
    (void)state;
    start(8, false, false);
    assert_int_equal(ring_used_flags(&r), 0);
    offer(0, buf, 8, 0);
    assert_int_equal(virtq_pop(&q, &c), VIRTQ_OK);
    virtq_disable_notify(&q);
    assert_int_equal(ring_used_flags(&r), 1);
    assert_int_equal(virtq_pop(&q, &c), VIRTQ_EMPTY);
    offer(1, buf, 8, 0);
    assert_true(virtq_enable_notify(&q)); /* came in the meantime */
    assert_int_equal(virtq_pop(&q, &c), VIRTQ_OK);
    assert_int_equal(virtq_pop(&q, &c), VIRTQ_EMPTY);
    assert_false(virtq_enable_notify(&q));
    assert_int_equal(ring_used_flags(&r), 0);
}

static void notify_by_event(void **state)
{
    (void)state;
    start(8, false, true);
    assert_int_equal(ring_avail_event(&r), 0);
    for (u32 i = 0; i < 3; i++) {
        offer(i, buf, 8, 0);
        assert_int_equal(virtq_pop(&q, &c), VIRTQ_OK);
        virtq_disable_notify(&q);
    }
    assert_int_equal(ring_used_flags(&r), 0); /* must stay 0 */
    assert_int_equal(virtq_pop(&q, &c), VIRTQ_EMPTY);
    assert_int_equal(ring_avail_event(&r), 0);
    assert_false(virtq_enable_notify(&q));
    assert_int_equal(ring_avail_event(&r), 3);
    virtq_disable_notify(&q);
    offer(3, buf, 8, 0);
    assert_true(virtq_enable_notify(&q));
}

/* --- A: activation --------------------------------------------------------------------------- */

static void rule_2_size(void **state)
{
    static const u16 bad[] = {0, 3, 6, 255, 257, 512, 32768, 65535};

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
        place_ring(8);
        q.size = bad[i];
        assert_false(virtq_activate(&q, false));
        assert_false(q.ready);
    }
    for (u16 size = 1; size <= MAX_SIZE; size = (u16)(size * 2)) {
        place_ring(size);
        assert_true(virtq_activate(&q, false));
    }
}

static void rule_3_alignment(void **state)
{
    (void)state;
    place_ring(8);
    q.desc_addr = buf + 8;
    assert_false(virtq_activate(&q, false));
    place_ring(8);
    q.avail_addr = buf + 1;
    assert_false(virtq_activate(&q, false));
    place_ring(8);
    q.used_addr = buf + 2;
    assert_false(virtq_activate(&q, false));
    assert_false(q.ready);
}

static void refuse_areas(u64 desc, u64 avail, u64 used)
{
    place_ring(8);
    q.desc_addr = desc != 0 ? desc : q.desc_addr;
    q.avail_addr = avail != 0 ? avail : q.avail_addr;
    q.used_addr = used != 0 ? used : q.used_addr;
    assert_false(virtq_activate(&q, false));
}

static void rule_4_areas_in_ram(void **state)
{
    static const u64 bad[] = {NOWHERE,          RAM_END,
                              RAM_END - 16,     16,
                              UINT64_MAX - 0xf, GUEST_RAM_BASE - 16,
                              1ull << 63,       GUEST_ROM_BASE + GUEST_ROM_SIZE};

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
        refuse_areas(bad[i], 0, 0);
        refuse_areas(0, bad[i], 0);
        refuse_areas(0, 0, bad[i]);
    }
    refuse_areas(0, 0, GUEST_ROM_BASE); /* the used ring is written */
    place_ring(8);
    q.desc_addr = GUEST_ROM_BASE; /* descriptors are only read */
    assert_true(virtq_activate(&q, false));
    place_ring(8); /* exactly to the end: 6 + 8 * 8 bytes */
    q.used_addr = RAM_END - 72;
    assert_true(virtq_activate(&q, false));
    refuse_areas(0, 0, RAM_END - 68);
}

static void rule_5_areas_may_overlap(void **state)
{
    u32 asked = 0;

    (void)state;
    place_ring(8);
    q.avail_addr = q.desc_addr;
    q.used_addr = q.desc_addr;
    assert_true(virtq_activate(&q, false));
    virtq_start(&q, true, true);
    for (u32 i = 0; i < 64; i++) { /* whatever it reads, it survives */
        memset(guest_ptr(&g, r.desc), (int)(i * 37), 256);
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
    assert_null(q.avail);
    assert_null(q.used);
    assert_int_equal(virtq_pop(&q, &c), VIRTQ_EMPTY);
    assert_false(virtq_enable_notify(&q));
    virtq_disable_notify(&q);
    virtq_reset(&q);
    assert_int_equal(q.size, MAX_SIZE);
    assert_int_equal(q.desc_addr, 0);
}

/* --- B: taking a chain ------------------------------------------------------------------------ */

static void rule_10_avail_index_jump(void **state)
{
    (void)state;
    start(8, false, false);
    for (u32 i = 0; i < 8; i++) {
        offer(i, buf, 8, 0);
    }
    assert_int_equal(virtq_pop(&q, &c), VIRTQ_OK); /* a full ring is legal */
    start(8, false, false);
    for (u32 i = 0; i < 8; i++) {
        offer(i, buf, 8, 0);
    }
    ring_set_avail_idx(&r, 9);
    assert_broken("jumped");
    start(8, false, false);
    ring_set_avail_idx(&r, 0xffff); /* backwards */
    assert_broken("jumped");
}

static void rule_11_head(void **state)
{
    (void)state;
    start(8, false, false);
    ring_desc(&r, 7, buf, 8, 0, 0);
    ring_offer(&r, 7);
    assert_int_equal(virtq_pop(&q, &c), VIRTQ_OK);
    ring_offer(&r, 8);
    assert_broken("head");
    start(8, false, false);
    ring_offer(&r, 0xffff);
    assert_broken("head");
}

static void make_chain(u32 n, u64 table)
{
    for (u32 i = 0; i < n; i++) {
        desc_put(&g, table, i, buf + i, 1, i + 1 < n ? D_NEXT : 0, i + 1);
    }
}

/*
 * The chain that is filled in lies on top of the descriptor that is read: what was written of the
 * one has changed the other. Whoever looks at the descriptor twice sees it.
 */
static void rule_12_descriptor_is_copied_once(void **state)
{
    u64 target = GUEST_RAM_BASE + 0x20000; /* its low 16 bits are the head: 0 */
    struct chain *over;

    (void)state;
    start(128, false, false);
    over = guest_ptr(&g, r.desc);
    ring_desc(&r, 0, target, 100, D_WRITE, 0);
    ring_offer(&r, 0);
    assert_int_equal(virtq_pop(&q, over), VIRTQ_OK);
    assert_int_equal(over->writable, 100);
    assert_int_equal(over->readable, 0);
    assert_int_equal(over->span[0].len, 100);
    assert_ptr_equal(over->span[0].p, guest_ptr(&g, target));
}

static void rule_13_chain_length(void **state)
{
    u64 table = guest_alloc(&g, 8 * 16, 16);

    (void)state;
    start(8, true, false);
    make_chain(8, table);
    ring_desc(&r, 0, buf, 1, D_NEXT, 1);
    ring_desc(&r, 1, table, 8 * 16, D_INDIRECT, 0);
    ring_offer(&r, 0);
    assert_broken("too many"); /* nine */
    start(8, false, false);
    make_chain(8, r.desc); /* as long as the queue: legal */
    ring_offer(&r, 0);
    assert_int_equal(virtq_pop(&q, &c), VIRTQ_OK);
    assert_int_equal(c.nreadable, 8);
    start(8, false, false);
    make_chain(8, r.desc);
    ring_desc(&r, 7, buf, 1, D_NEXT, 0); /* a loop of eight */
    ring_offer(&r, 0);
    assert_broken("too many");
    start(8, false, false);
    ring_desc(&r, 3, buf, 1, D_NEXT, 3); /* a loop of one */
    ring_offer(&r, 3);
    assert_broken("too many");
}

static void rule_14_next(void **state)
{
    (void)state;
    start(8, false, false);
    ring_desc(&r, 0, buf, 1, D_NEXT, 8);
    ring_offer(&r, 0);
    assert_broken("next");
    start(8, false, false);
    ring_desc(&r, 0, buf, 1, 0, 0xffff); /* without NEXT it means nothing */
    ring_offer(&r, 0);
    assert_int_equal(virtq_pop(&q, &c), VIRTQ_OK);
}

static void rule_15_indirect_next_beyond_table(void **state)
{
    u64 table = guest_alloc(&g, 64, 16);

    (void)state;
    start(8, true, false);
    desc_put(&g, table, 0, buf, 1, D_NEXT, 2); /* < queue size, but not < table */
    ring_desc(&r, 0, table, 32, D_INDIRECT, 0);
    ring_offer(&r, 0);
    assert_broken("next");
}

static void rule_15_unknown_flags_are_ignored(void **state)
{
    (void)state;
    start(8, false, false);
    offer(0, buf, 8, 0xfff8);
    assert_int_equal(virtq_pop(&q, &c), VIRTQ_OK);
    assert_int_equal(c.nreadable, 1);
}

static void rule_15_indirect_not_negotiated(void **state)
{
    u64 table = guest_alloc(&g, 16, 16);

    (void)state;
    desc_put(&g, table, 0, buf, 8, 0, 0);
    start(8, false, false);
    ring_desc(&r, 0, table, 16, D_INDIRECT, 0);
    ring_offer(&r, 0);
    assert_broken("not negotiated");
}

static void rule_15_indirect_with_next(void **state)
{
    u64 table = guest_alloc(&g, 16, 16);

    (void)state;
    desc_put(&g, table, 0, buf, 8, 0, 0);
    refuse_indirect(table, 16, D_NEXT, "with a next");
}

static void rule_15_indirect_in_indirect(void **state)
{
    u64 table = guest_alloc(&g, 32, 16);

    (void)state;
    desc_put(&g, table, 0, table, 16, D_INDIRECT, 0); /* itself */
    refuse_indirect(table, 16, 0, "in an indirect");
    desc_put(&g, table, 0, buf, 8, D_NEXT, 1);
    desc_put(&g, table, 1, table, 32, D_INDIRECT, 0);
    refuse_indirect(table, 32, 0, "in an indirect");
}

static void rule_15_indirect_length(void **state)
{
    u64 table = guest_alloc(&g, 16 * 16, 16);

    (void)state;
    desc_put(&g, table, 0, buf, 8, 0, 0);
    refuse_indirect(table, 0, 0, "whole");
    refuse_indirect(table, 8, 0, "whole");
    refuse_indirect(table, 24, 0, "whole");
    refuse_indirect(table, 0xffffffff, 0, "whole");
}

static void rule_15_indirect_longer_than_queue(void **state)
{
    u64 table = guest_alloc(&g, 16 * 16, 16);

    (void)state;
    make_chain(8, table);
    start(8, true, false);
    ring_desc(&r, 0, table, 8 * 16, D_INDIRECT, 0);
    ring_offer(&r, 0);
    assert_int_equal(virtq_pop(&q, &c), VIRTQ_OK);
    assert_int_equal(c.nreadable, 8);
    assert_int_equal(q.size, 8); /* a table's length never becomes the queue's */
    make_chain(8, table);
    refuse_indirect(table, 9 * 16, 0, "longer");
    refuse_indirect(table, 0xfffffff0, 0, "longer");
}

static void rule_15_indirect_outside_of_ram(void **state)
{
    (void)state;
    refuse_indirect(NOWHERE, 16, 0, "table outside");
    refuse_indirect(RAM_END - 16, 32, 0, "table outside");
    refuse_indirect(UINT64_MAX - 15, 32, 0, "table outside");
}

static void rule_15_indirect_write_flag_is_ignored(void **state)
{
    u64 table = guest_alloc(&g, 17, 16) + 1; /* need not be aligned */

    (void)state;
    start(8, true, false);
    memcpy(guest_ptr(&g, table), guest_ptr(&g, r.desc), 16);
    ring_desc(&r, 1, buf, 8, 0, 0);
    memcpy(guest_ptr(&g, table), guest_ptr(&g, r.desc + 16), 16);
    ring_desc(&r, 0, table, 16, D_INDIRECT | D_WRITE, 0);
    ring_offer(&r, 0);
    assert_int_equal(virtq_pop(&q, &c), VIRTQ_OK);
    assert_int_equal(c.nreadable, 1);
}

static void rule_16_direct_then_indirect(void **state)
{
    u64 table = guest_alloc(&g, 32, 16);

    (void)state;
    start(8, true, false);
    ring_desc(&r, 4, buf, 5, D_NEXT, 6);
    ring_desc(&r, 6, table, 32, D_INDIRECT, 0);
    desc_put(&g, table, 0, buf + 50, 6, D_NEXT, 1);
    desc_put(&g, table, 1, buf + 60, 7, D_WRITE, 0);
    ring_offer(&r, 4);
    assert_int_equal(virtq_pop(&q, &c), VIRTQ_OK);
    assert_int_equal(c.head, 4);
    assert_int_equal(c.readable, 11);
    assert_int_equal(c.writable, 7);
}

static void rule_17_readable_behind_writable(void **state)
{
    (void)state;
    start(8, false, false);
    ring_desc(&r, 0, buf, 8, D_WRITE | D_NEXT, 1);
    ring_desc(&r, 1, buf, 8, 0, 0);
    ring_offer(&r, 0);
    assert_broken("behind a writable");
    start(8, false, false);
    ring_desc(&r, 0, buf, 0, D_WRITE | D_NEXT, 1); /* an empty one counts as well */
    ring_desc(&r, 1, buf, 8, 0, 0);
    ring_offer(&r, 0);
    assert_broken("behind a writable");
}

static void rule_18_buffer_in_ram(void **state)
{
    static const struct {
        u64 addr;
        u32 len;
    } bad[] = {
        {NOWHERE, 8},        {RAM_END, 1},           {RAM_END - 8, 9}, {UINT64_MAX, 1},
        {UINT64_MAX - 7, 8}, {UINT64_MAX - 7, 4096}, {0, 0xffffffff},  {GUEST_RAM_BASE - 1, 2},
    };

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
        start(8, false, false);
        offer(0, bad[i].addr, bad[i].len, 0);
        assert_broken("outside of RAM");
        start(8, false, false);
        offer(0, bad[i].addr, bad[i].len, D_WRITE);
        assert_broken("outside of RAM");
    }
    start(8, false, false);
    offer(0, RAM_END - 8, 8, D_WRITE);
    assert_int_equal(virtq_pop(&q, &c), VIRTQ_OK);
}

static void rule_18_in_a_longer_chain(void **state)
{
    static const u64 bad[] = {NOWHERE, RAM_END - 4, UINT64_MAX, GUEST_ROM_BASE};

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
        start(8, false, false);
        ring_desc(&r, 0, buf, 8, D_NEXT, 1);
        ring_desc(&r, 1, bad[i], 8, D_WRITE, 0);
        ring_offer(&r, 0);
        assert_broken("outside of RAM");
    }
}

static void rule_18_rom_is_not_written(void **state)
{
    (void)state;
    start(8, false, false);
    offer(0, GUEST_ROM_BASE, 8, 0);
    assert_int_equal(virtq_pop(&q, &c), VIRTQ_OK);
    offer(1, GUEST_ROM_BASE, 8, D_WRITE);
    assert_broken("outside of RAM");
}

static void rule_19_empty_descriptors(void **state)
{
    (void)state;
    start(8, false, false);
    ring_desc(&r, 0, NOWHERE, 0, D_NEXT, 1); /* nothing is read from there */
    ring_desc(&r, 1, buf, 3, D_NEXT, 2);
    ring_desc(&r, 2, buf, 0, D_WRITE, 0);
    ring_offer(&r, 0);
    assert_int_equal(virtq_pop(&q, &c), VIRTQ_OK);
    assert_int_equal(c.nreadable, 1);
    assert_int_equal(c.nwritable, 0);
    assert_int_equal(c.readable, 3);
    assert_int_equal(c.count, 3);
    start(8, false, false);
    offer(0, 0, 0, 0);
    assert_int_equal(virtq_pop(&q, &c), VIRTQ_OK);
    assert_int_equal(c.readable + c.writable, 0);
    start(8, false, false);
    ring_desc(&r, 0, buf, 0, D_NEXT, 0); /* a loop of nothing ends too */
    ring_offer(&r, 0);
    assert_broken("too many");
}

static void rule_20_sum_of_lengths(void **state)
{
    struct gmem_region *big = &g.vm.mem.region[2];

    (void)state;
    /* 3 GiB of guest memory that nobody touches: addresses only. */
    *big = (struct gmem_region){
        .base = 1ull << 36, .size = 3ull << 30, .ptr = (guest_t *)g.ram, .writable = true};
    g.vm.mem.count = 3;
    start(8, false, false);
    ring_desc(&r, 0, big->base, 0xbfffffff, D_NEXT, 1);
    ring_desc(&r, 1, big->base, 0x40000000, 0, 0); /* 2^32 - 1 in all */
    ring_offer(&r, 0);
    assert_int_equal(virtq_pop(&q, &c), VIRTQ_OK);
    assert_int_equal(c.readable, 0xffffffff);
    start(8, false, false);
    ring_desc(&r, 0, big->base, 0x80000000, D_NEXT, 1);
    ring_desc(&r, 1, big->base, 0x80000000, D_WRITE, 0);
    ring_offer(&r, 0);
    assert_broken("4 GiB");
}

static void rule_21_segments(void **state)
{
    (void)state;
    start(128, false, false);
    make_chain(VIRTQ_SEGMENTS, r.desc);
    ring_offer(&r, 0);
    assert_int_equal(virtq_pop(&q, &c), VIRTQ_OK);
    assert_int_equal(c.nreadable, VIRTQ_SEGMENTS);
    start(128, false, false);
    make_chain(VIRTQ_SEGMENTS + 1, r.desc);
    ring_offer(&r, 0);
    assert_broken("too many");
}

static void rule_22_in_flight(void **state)
{
    (void)state;
    start(4, false, false);
    for (u32 i = 0; i < 4; i++) {
        offer(i, buf, 8, 0);
        assert_int_equal(virtq_pop(&q, &c), VIRTQ_OK);
    }
    offer(0, buf, 8, 0); /* again, though it wasn't given back */
    assert_broken("in flight");
}

/* --- D: completion ---------------------------------------------------------------------------- */

static void rule_26_writes_end_with_the_chain(void **state)
{
    static u8 data[64];
    u8 *p = guest_ptr(&g, buf);

    (void)state;
    start(8, false, false);
    ring_desc(&r, 0, buf, 5, D_WRITE | D_NEXT, 1);
    ring_desc(&r, 1, buf + 10, 5, D_WRITE, 0);
    ring_offer(&r, 0);
    memset(p, 0xee, 64);
    memset(data, 0x11, sizeof(data));
    assert_int_equal(virtq_pop(&q, &c), VIRTQ_OK);
    assert_int_equal(chain_write(&c, 0, data, 64), 10);
    assert_int_equal(p[5], 0xee);
    assert_int_equal(p[15], 0xee);
    assert_int_equal(chain_write(&c, 8, data, 64), 2);
    assert_int_equal(chain_write(&c, 10, data, 64), 0);
    assert_int_equal(chain_write(&c, 0xffffffff, data, 64), 0);
}

static void rule_30_used_index_is_private(void **state)
{
    (void)state;
    start(8, false, false);
    assert_true(use_one());
    *(u16 *)guest_ptr(&g, r.used + 2) = 0x1234; /* the driver scribbles */
    offer(1, buf, 8, 0);
    assert_int_equal(virtq_pop(&q, &c), VIRTQ_OK);
    virtq_push(&q, &c, 0);
    assert_true(virtq_publish(&q));
    assert_int_equal(ring_used_idx(&r), 2);
}

static void rule_32_staged_is_invisible(void **state)
{
    (void)state;
    start(8, false, false);
    for (u32 i = 0; i < 3; i++) {
        offer(i, buf, 8, D_WRITE);
        assert_int_equal(virtq_pop(&q, &c), VIRTQ_OK);
        virtq_push(&q, &c, 8);
        assert_int_equal(ring_used_idx(&r), 0);
    }
    assert_true(virtq_publish(&q));
    assert_int_equal(ring_used_idx(&r), 3);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(chain_of_three),
        T(copy_across_spans),
        T(used_entries_wrap),
        T(size_one),
        T(undone_is_as_if_never_taken),
        T(returned_in_any_order),
        T(interrupt_by_flag),
        T(interrupt_by_event),
        T(held_from_the_event_on),
        T(nothing_held_without_events),
        T(notify_by_flag),
        T(notify_by_event),
        T(rule_2_size),
        T(rule_3_alignment),
        T(rule_4_areas_in_ram),
        T(rule_5_areas_may_overlap),
        T(rule_7_translation_is_dropped),
        T(rule_10_avail_index_jump),
        T(rule_11_head),
        T(rule_12_descriptor_is_copied_once),
        T(rule_13_chain_length),
        T(rule_14_next),
        T(rule_15_indirect_next_beyond_table),
        T(rule_15_unknown_flags_are_ignored),
        T(rule_15_indirect_not_negotiated),
        T(rule_15_indirect_with_next),
        T(rule_15_indirect_in_indirect),
        T(rule_15_indirect_length),
        T(rule_15_indirect_longer_than_queue),
        T(rule_15_indirect_outside_of_ram),
        T(rule_15_indirect_write_flag_is_ignored),
        T(rule_16_direct_then_indirect),
        T(rule_17_readable_behind_writable),
        T(rule_18_buffer_in_ram),
        T(rule_18_in_a_longer_chain),
        T(rule_18_rom_is_not_written),
        T(rule_19_empty_descriptors),
        T(rule_20_sum_of_lengths),
        T(rule_21_segments),
        T(rule_22_in_flight),
        T(rule_26_writes_end_with_the_chain),
        T(rule_30_used_index_is_private),
        T(rule_32_staged_is_invisible),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
