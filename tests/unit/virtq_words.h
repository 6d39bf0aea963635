/* SPDX-License-Identifier: MIT */
/*
 * What tests of the virtqueue say over and over, for split and packed rings alike. Included once,
 * by a test that has defined RING_ALLOC: ring_alloc or ring_alloc_packed.
 */
#ifndef TESTS_UNIT_VIRTQ_WORDS_H
#define TESTS_UNIT_VIRTQ_WORDS_H

#include "tests/host/queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define MAX_SIZE 256
#define NOWHERE  0x10000000ull /* no memory there */
#define RAM_END  (GUEST_RAM_BASE + GUEST_RAM_SIZE)

static struct guest g;
static struct ring r;
static struct virtq q;
static struct chain c;
static u64 buf; /* some guest memory */

static inline int setup(void **state)
{
    (void)state;
    guest_init(&g, "alpha");
    buf = guest_alloc(&g, 64 * KIB, 64);
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    guest_free(&g);
    return 0;
}

static inline void place_ring(u16 size)
{
    RING_ALLOC(&r, &g, 0, 0, size);
    queue_place(&q, &r, MAX_SIZE);
}

static inline void start(u16 size, bool indirect, bool event_idx)
{
    place_ring(size);
    assert_true(queue_start(&q, &r, indirect, event_idx));
}

/* A chain of one descriptor. */
static inline void offer(u32 id, u64 addr, u32 len, u32 flags)
{
    ring_desc(&r, id, addr, len, flags, 0);
    ring_offer(&r, id);
}

static inline void assert_broken(const char *why)
{
    assert_int_equal(virtq_pop(&q, &c), VIRTQ_BROKEN);
    assert_non_null(q.why);
    assert_non_null(strstr(q.why, why));
    assert_true(virtq_look(&q));                       /* there is something to hear … */
    assert_int_equal(virtq_pop(&q, &c), VIRTQ_BROKEN); /* … and it stays so */
    assert_false(virtq_publish(&q));
    assert_false(virtq_enable_notify(&q));
}

/* The first of two descriptors refers to a table of len bytes. */
static inline void refuse_indirect(u64 table, u32 len, u32 flags, const char *why)
{
    start(8, true, false);
    ring_desc(&r, 0, table, len, D_INDIRECT | flags, 1);
    ring_desc(&r, 1, buf, 8, 0, 0);
    ring_offer(&r, 0);
    assert_broken(why);
}

#endif
