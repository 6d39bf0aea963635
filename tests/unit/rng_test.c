/* SPDX-License-Identifier: MIT */
/* virtio-rng through its registers and its queue, as a driver uses it, or abuses it. */
#include "vdev/virtio/rng.h"

#include "arch/host/arch.h"
#include "core/config.h"
#include "core/random.h"
#include "tests/host/driver.h"
#include "tests/host/run.h"
#include "tests/host/said.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define BASE  0x0a000000ull
#define INTID 48u
#define SIZE  16u
#define MS    1000000ull

static struct guest g;
static struct ring ring;

static void seed(void)
{
    random_init("sixteen bytes of", RANDOM_SEED_MIN);
    random_seed(&g.vm.random, "vm", 0);
}

static void start(u64 features)
{
    driver_begin(&g, BASE, F_VERSION_1 | features);
    ring_alloc(&ring, &g, BASE, 0, SIZE);
    assert_true(ring_enable(&ring));
    driver_ok(&g, BASE);
}

static int setup(void **state)
{
    (void)state;
    host_init();
    guest_init(&g, "vm");
    random_create(&g.vm.random);
    seed();
    assert_non_null(guest_add(&g, &virtio_rng_type, BASE, INTID, "", NULL));
    start(0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    assert_true(run_all());
    guest_free(&g);
    return 0;
}

/* Offers `len` writable bytes as chain `head`; where they are. */
static u8 *offer(u32 head, u32 len)
{
    u64 at = guest_alloc(&g, len, 8);

    ring_desc(&ring, head, at, len, D_WRITE, 0);
    ring_offer(&ring, head);
    return guest_ptr(&g, at);
}

static bool all_zero(const u8 *p, u32 len)
{
    for (u32 i = 0; i < len; i++) {
        if (p[i] != 0) {
            return false;
        }
    }
    return true;
}

/* The next answer; asserts that it is the one to `head`, and gives its length. */
static u32 answered(u32 head)
{
    u32 len;

    assert_int_equal(ring_used(&ring, &len), head);
    return len;
}

static void what_it_is(void **state)
{
    (void)state;
    assert_int_equal(reg_read(&g, BASE, VMMIO_DEVICE_ID), 4);
    assert_int_equal(driver_offered(&g, BASE) & 0xffffff, 0);
    assert_int_equal(reg_read(&g, BASE, VMMIO_QUEUE_SIZE_MAX), SIZE);
    assert_int_equal(reg_read(&g, BASE, VMMIO_CONFIG), 0);
    reg_write(&g, BASE, VMMIO_QUEUE_SEL, 1);
    assert_int_equal(reg_read(&g, BASE, VMMIO_QUEUE_SIZE_MAX), 0);
}

static void a_request_is_answered_at_once(void **state)
{
    u8 *p = offer(3, 64), *q;

    (void)state;
    ring_kick(&ring);
    assert_int_equal(answered(3), 64);
    assert_int_equal(g.level[INTID], 1);
    assert_false(all_zero(p, 32) || all_zero(p + 32, 32));
    assert_memory_not_equal(p, p + 32, 32);
    driver_irq(&g, BASE);
    assert_int_equal(g.level[INTID], 0);
    q = offer(4, 64);
    ring_kick(&ring);
    assert_int_equal(answered(4), 64);
    assert_memory_not_equal(p, q, 64);
}

static void only_so_much_and_not_a_byte_more(void **state)
{
    u8 *p = offer(0, 4096);

    (void)state;
    ring_kick(&ring);
    assert_int_equal(answered(0), RANDOM_MAX);
    assert_false(all_zero(p + RANDOM_MAX - 8, 8));
    assert_true(all_zero(p + RANDOM_MAX, 4096 - RANDOM_MAX));
    p = offer(1, 3);
    ring_kick(&ring);
    assert_int_equal(answered(1), 3);
    assert_true(all_zero(p + 3, 5));
}

static void scattered_buffers(void **state)
{
    u64 at = guest_alloc(&g, 64, 8);
    u8 *p = guest_ptr(&g, at);

    (void)state;
    ring_desc(&ring, 0, at, 8, D_WRITE | D_NEXT, 1);
    ring_desc(&ring, 1, at + 32, 5, D_WRITE, 0);
    ring_offer(&ring, 0);
    ring_kick(&ring);
    assert_int_equal(answered(0), 13);
    assert_false(all_zero(p, 8) || all_zero(p + 32, 5));
    assert_true(all_zero(p + 8, 24) && all_zero(p + 37, 27));
}

/* What is readable only is neither read nor written. */
static void nothing_to_write(void **state)
{
    u64 at = guest_alloc(&g, 64, 8);

    (void)state;
    ring_desc(&ring, 0, at, 64, 0, 0);
    ring_offer(&ring, 0);
    ring_kick(&ring);
    assert_int_equal(answered(0), 0);
    assert_true(all_zero(guest_ptr(&g, at), 64));
    assert_int_equal(reg_read(&g, BASE, VMMIO_STATUS) & S_NEEDS_RESET, 0);
}

static u32 count_answers(void)
{
    u32 n = 0;

    while (ring_used(&ring, NULL) >= 0) {
        n++;
    }
    return n;
}

/* However many requests come at once, and however often it is told: one now, one a millisecond. */
static void many_requests_take_their_time(void **state)
{
    (void)state;
    for (u32 i = 0; i < SIZE; i++) {
        offer(i, 64);
    }
    for (u32 i = 0; i < 100; i++) {
        ring_kick(&ring);
    }
    assert_int_equal(count_answers(), 1);
    run_for(5 * MS);
    assert_int_equal(count_answers(), 5);
    run_for(100 * MS);
    assert_int_equal(count_answers(), SIZE - 6);
    offer(0, 64); /* and then it's fresh again */
    ring_kick(&ring);
    assert_int_equal(count_answers(), 1);
}

static void broken_queue(void **state)
{
    (void)state;
    ring_desc(&ring, 0, GUEST_RAM_BASE + GUEST_RAM_SIZE - 8, 64, D_WRITE, 0);
    ring_offer(&ring, 0);
    ring_kick(&ring);
    assert_int_equal(count_answers(), 0);
    assert_int_not_equal(reg_read(&g, BASE, VMMIO_STATUS) & S_NEEDS_RESET, 0);
}

/* A broken chain behind a good one: found by the timer. */
static void broken_later(void **state)
{
    (void)state;
    offer(0, 64);
    ring_desc(&ring, 1, 0x1000, 64, D_WRITE, 0);
    ring_offer(&ring, 1);
    ring_kick(&ring);
    run_for(10 * MS);
    assert_int_equal(count_answers(), 1);
    assert_int_not_equal(reg_read(&g, BASE, VMMIO_STATUS) & S_NEEDS_RESET, 0);
}

static void reset_with_requests_open(void **state)
{
    u8 *p;

    (void)state;
    offer(0, 64);
    p = offer(1, 64);
    ring_kick(&ring);
    reg_write(&g, BASE, VMMIO_STATUS, 0);
    run_for(10 * MS);
    assert_true(all_zero(p, 64));
    start(0);
    offer(0, 64);
    ring_kick(&ring); /* no pause of before is left */
    assert_int_equal(count_answers(), 1);
}

/* The reset comes between the timer and the work that it queued. */
static void reset_in_the_pause(void **state)
{
    u8 *p;

    (void)state;
    offer(0, 64);
    offer(1, 64);
    ring_kick(&ring);
    host_now_ns += 2 * MS;
    timer_expire(&pcpus[0]);
    reg_write(&g, BASE, VMMIO_STATUS, 0);
    start(0);
    p = offer(0, 64);
    assert_true(run_all());
    assert_true(all_zero(p, 64)); /* nobody asked yet */
    ring_kick(&ring);
    assert_int_equal(count_answers(), 1);
}

static void event_index(void **state)
{
    (void)state;
    reg_write(&g, BASE, VMMIO_STATUS, 0);
    start(F_EVENT_IDX);
    offer(0, 64);
    ring_kick(&ring);
    assert_int_equal(count_answers(), 1);
    assert_int_equal(ring_avail_event(&ring), 1); /* it wants to hear of the next one */
}

/* Two VMs, two starts: never the same bytes. */
static void nobody_gets_the_same(void **state)
{
    u8 first[64], *p = offer(0, 64);

    (void)state;
    ring_kick(&ring);
    memcpy(first, p, 64);
    random_seed(&g.vm.random, "vm", 1);
    p = offer(1, 64);
    ring_kick(&ring);
    assert_memory_not_equal(first, p, 64);
}

/* Only where it's known that there's no entropy it is refused. */
static void refused_without_entropy(void **state)
{
    struct diag diag = {.emit = said_emit};
    struct vdev_conf conf = {.type = &virtio_rng_type};

    (void)state;
    said_clear();
    assert_true(virtio_rng_type.check(&g.cfg, &conf, &diag));
    assert_string_equal(said, "");
    random_init(NULL, 0);
    assert_false(virtio_rng_type.check(&g.cfg, &conf, &diag));
    assert_non_null(strstr(said, "virtio-rng needs real entropy, and this board has none"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_it_is),
        TEST(a_request_is_answered_at_once),
        TEST(only_so_much_and_not_a_byte_more),
        TEST(scattered_buffers),
        TEST(nothing_to_write),
        TEST(many_requests_take_their_time),
        TEST(broken_queue),
        TEST(broken_later),
        TEST(reset_with_requests_open),
        TEST(reset_in_the_pause),
        TEST(event_index),
        TEST(nobody_gets_the_same),
        TEST(refused_without_entropy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
