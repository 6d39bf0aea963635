/* SPDX-License-Identifier: MIT */
/*
 * The virtio-mmio transport with a toy device behind it: registers, status machine, interrupts.
 * A test rule_N_… is about rule N of docs/virtqueue-rules.md.
 */
#include "arch/host/arch.h"
#include "core/log.h"
#include "tests/host/driver.h"
#include "tests/host/toy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define BASE      0x0a000000ull
#define OTHER     0x0a001000ull
#define INTID     40u
#define OFFERED   0x13ull
#define USUAL     (F_VERSION_1 | 1)
#define READY     (S_ACK | S_DRIVER | S_FEATURES_OK)
#define RUNNING   (READY | S_DRIVER_OK)
#define TRANSPORT (F_VERSION_1 | F_INDIRECT | F_EVENT_IDX | F_DATA)
#define MAX_SIZE  16

static struct guest g;
static struct toy *toy, *other;
static struct ring r;

static int setup(void **state)
{
    (void)state;
    toy_setup = (struct toy_setup){.offered = OFFERED, .queue_max = MAX_SIZE};
    guest_init(&g, "alpha");
    toy = (struct toy *)guest_add(&g, &toy_type, BASE, INTID, "one", NULL);
    other = (struct toy *)guest_add(&g, &toy_type, OTHER, INTID + 1, "two", NULL);
    mmio_freeze(&g.vm.mmio);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    guest_free(&g);
    return 0;
}

static u32 rd(u32 offset)
{
    return reg_read(&g, BASE, offset);
}

static void wr(u32 offset, u32 value)
{
    reg_write(&g, BASE, offset, value);
}

static void run(void)
{
    assert_int_equal(driver_begin(&g, BASE, USUAL), READY);
    ring_alloc(&r, &g, BASE, 0, 8);
    assert_true(ring_enable(&r));
    driver_ok(&g, BASE);
    assert_int_equal(rd(VMMIO_STATUS), RUNNING);
}

/* --- registers -------------------------------------------------------------------------------- */

static void identification(void **state)
{
    (void)state;
    assert_int_equal(rd(VMMIO_MAGIC), 0x74726976);
    assert_int_equal(rd(VMMIO_VERSION), 2);
    assert_int_equal(rd(VMMIO_DEVICE_ID), TOY_ID);
    assert_int_not_equal(rd(VMMIO_VENDOR_ID), 0);
    wr(VMMIO_MAGIC, 0);
    wr(VMMIO_DEVICE_ID, 0);
    assert_int_equal(rd(VMMIO_MAGIC), 0x74726976);
    assert_int_equal(rd(VMMIO_DEVICE_ID), TOY_ID);
}

static void features_offered(void **state)
{
    (void)state;
    assert_int_equal(driver_offered(&g, BASE), OFFERED | TRANSPORT);
    for (u32 sel = 2; sel != 0; sel *= 2) {
        wr(VMMIO_DEVICE_FEATURES_SEL, sel);
        assert_int_equal(rd(VMMIO_DEVICE_FEATURES), 0);
    }
}

static void absent_shared_memory(void **state)
{
    (void)state;
    for (u32 off = 0; off < 16; off += 4) {
        assert_int_equal(rd(VMMIO_SHM_LEN + off), 0xffffffff);
    }
}

static void unknown_offsets(void **state)
{
    static const u32 unknown[] = {0x018, 0x028, 0x03c, 0x040, 0x048, 0x054, 0x068,
                                  0x074, 0x088, 0x0a8, 0x0ac, 0x0c0, 0x0f8};

    (void)state;
    run();
    for (u32 i = 0; i < ARRAY_SIZE(unknown); i++) {
        wr(unknown[i], 0xffffffff);
        assert_int_equal(rd(unknown[i]), 0);
    }
    for (u32 off = 0; off < 0x100; off += 4) { /* write-only ones read 0 too */
        if (off == VMMIO_NOTIFY || off == VMMIO_ACK || off == VMMIO_QUEUE_SEL) {
            assert_int_equal(rd(off), 0);
        }
    }
    assert_int_equal(rd(VMMIO_STATUS), RUNNING);
}

static void access_sizes(void **state)
{
    static const u32 sizes[] = {1, 2, 8};
    u64 before = toy->v.ignored;

    (void)state;
    run();
    for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
        assert_int_equal(guest_read(&g, BASE + VMMIO_MAGIC, sizes[i]), 0);
        guest_write(&g, BASE + VMMIO_STATUS, sizes[i], 0);
        guest_write(&g, BASE + VMMIO_NOTIFY, sizes[i], 0);
    }
    guest_write(&g, BASE + VMMIO_STATUS - 2, 4, 0);
    assert_int_equal(guest_read(&g, BASE + VMMIO_MAGIC + 2, 4), 0);
    assert_int_equal(rd(VMMIO_STATUS), RUNNING);
    assert_int_equal(toy->notified[0], 0);
    assert_int_equal(toy->v.ignored - before, 11);
}

static void rule_38_config_bounds(void **state)
{
    (void)state;
    for (u32 i = 0; i < TOY_CONFIG; i++) {
        guest_write(&g, BASE + VMMIO_CONFIG + i, 1, 0xa0 + i);
    }
    for (u32 i = 0; i < TOY_CONFIG; i++) {
        assert_int_equal(guest_read(&g, BASE + VMMIO_CONFIG + i, 1), 0xa0 + i);
    }
    assert_int_equal(guest_read(&g, BASE + VMMIO_CONFIG + 2, 2), 0xa3a2);
    assert_int_equal(guest_read(&g, BASE + VMMIO_CONFIG, 8), 0xa7a6a5a4a3a2a1a0);
    assert_int_equal(guest_read(&g, BASE + VMMIO_CONFIG + 8, 4), 0xa9a8);
    assert_int_equal(guest_read(&g, BASE + VMMIO_CONFIG + 9, 8), 0xa9);
    assert_int_equal(guest_read(&g, BASE + VMMIO_CONFIG + TOY_CONFIG, 4), 0);
    assert_int_equal(guest_read(&g, BASE + 0xff8, 8), 0);
    guest_write(&g, BASE + VMMIO_CONFIG + 8, 8, UINT64_MAX);
    assert_int_equal(toy->config[9], 0xff);
    guest_write(&g, BASE + VMMIO_CONFIG + TOY_CONFIG, 8, UINT64_MAX);
    guest_write(&g, BASE + 0xffc, 4, UINT64_MAX);
    assert_int_equal(toy->notified[0], 0);
}

/* --- status -------------------------------------------------------------------------------------
 */

static void status_only_gains_bits(void **state)
{
    (void)state;
    run();
    assert_int_equal(toy->starts, 1);
    wr(VMMIO_STATUS, S_ACK);
    assert_int_equal(rd(VMMIO_STATUS), RUNNING);
    wr(VMMIO_STATUS, RUNNING); /* again: no second start */
    assert_int_equal(toy->starts, 1);
    wr(VMMIO_STATUS, RUNNING | S_NEEDS_RESET | 0x30); /* not the driver's */
    assert_int_equal(rd(VMMIO_STATUS), RUNNING);
    wr(VMMIO_STATUS, RUNNING | 128);
    assert_int_equal(rd(VMMIO_STATUS), RUNNING | 128);
}

static void features_refused(void **state)
{
    (void)state;
    assert_int_equal(driver_begin(&g, BASE, 1), S_ACK | S_DRIVER); /* no VERSION_1 */
    assert_int_equal(driver_begin(&g, BASE, USUAL | 4), S_ACK | S_DRIVER);
    assert_int_equal(driver_begin(&g, BASE, USUAL | 1ull << 33), S_ACK | S_DRIVER);
    toy->refuse = true;
    assert_int_equal(driver_begin(&g, BASE, USUAL), S_ACK | S_DRIVER);
    toy->refuse = false;
    assert_int_equal(driver_begin(&g, BASE, USUAL), READY);
    assert_int_equal(driver_begin(&g, BASE, USUAL), READY); /* again, after a reset */
}

static void features_of_no_word(void **state)
{
    (void)state;
    wr(VMMIO_STATUS, 0);
    wr(VMMIO_STATUS, S_ACK | S_DRIVER);
    wr(VMMIO_DRIVER_FEATURES_SEL, 1);
    wr(VMMIO_DRIVER_FEATURES, 1);
    wr(VMMIO_DRIVER_FEATURES_SEL, 2);
    wr(VMMIO_DRIVER_FEATURES, 1);
    wr(VMMIO_STATUS, READY);
    assert_int_equal(rd(VMMIO_STATUS), S_ACK | S_DRIVER);
    assert_int_equal(driver_begin(&g, BASE, USUAL), READY); /* forgotten by the reset */
}

static void features_need_a_driver(void **state)
{
    (void)state;
    wr(VMMIO_STATUS, 0);
    wr(VMMIO_DRIVER_FEATURES_SEL, 1);
    wr(VMMIO_DRIVER_FEATURES, 1);
    wr(VMMIO_STATUS, S_FEATURES_OK);
    assert_int_equal(rd(VMMIO_STATUS), 0);
    wr(VMMIO_STATUS, RUNNING); /* all at once is in order */
    assert_int_equal(rd(VMMIO_STATUS), RUNNING);
}

static void rule_34_no_driver_ok_without_features(void **state)
{
    (void)state;
    wr(VMMIO_STATUS, 0);
    wr(VMMIO_STATUS, S_ACK | S_DRIVER | S_DRIVER_OK);
    assert_int_equal(rd(VMMIO_STATUS), S_ACK | S_DRIVER);
    assert_int_equal(toy->starts, 0);
}

static void rule_36_features_are_frozen(void **state)
{
    (void)state;
    assert_int_equal(driver_begin(&g, BASE, USUAL), READY);
    wr(VMMIO_DRIVER_FEATURES_SEL, 0);
    wr(VMMIO_DRIVER_FEATURES, 0x10);
    assert_true(virtio_has(&toy->v, 0));
    assert_false(virtio_has(&toy->v, 4));
}

/* --- queues -------------------------------------------------------------------------------------
 */

static void rule_1_queue_select(void **state)
{
    static const u32 absent[] = {TOY_QUEUES, VIRTIO_QUEUES, 0x7fffffff, 0x80000000, 0xffffffff};

    (void)state;
    assert_int_equal(driver_begin(&g, BASE, USUAL), READY);
    for (u32 i = 0; i < ARRAY_SIZE(absent); i++) {
        ring_alloc(&r, &g, BASE, absent[i], 8);
        wr(VMMIO_QUEUE_SEL, absent[i]);
        assert_int_equal(rd(VMMIO_QUEUE_SIZE_MAX), 0);
        assert_false(ring_enable(&r));
    }
    for (u32 i = 0; i < TOY_QUEUES; i++) {
        wr(VMMIO_QUEUE_SEL, i);
        assert_int_equal(rd(VMMIO_QUEUE_SIZE_MAX), MAX_SIZE);
        assert_int_equal(rd(VMMIO_QUEUE_READY), 0);
    }
}

static void queue_set_up(void **state)
{
    (void)state;
    assert_int_equal(driver_begin(&g, BASE, USUAL), READY);
    ring_alloc(&r, &g, BASE, 1, 8);
    wr(VMMIO_QUEUE_SEL, 1);
    wr(VMMIO_DESC, 0xffffffff); /* a second try replaces the first */
    wr(VMMIO_DESC + 4, 0xffffffff);
    assert_true(ring_enable(&r));
    assert_int_equal(toy->v.queue[1].size, 8);
    assert_false(toy->v.queue[0].ready);
    wr(VMMIO_QUEUE_READY, 0);
    assert_int_equal(rd(VMMIO_QUEUE_READY), 0);
    wr(VMMIO_QUEUE_READY, 1);
    assert_int_equal(rd(VMMIO_QUEUE_READY), 1);
}

static void rule_2_sizes_written(void **state)
{
    static const u32 bad[] = {0, 3, MAX_SIZE * 2, 0x10008, 0xffffffff};

    (void)state;
    assert_int_equal(driver_begin(&g, BASE, USUAL), READY);
    ring_alloc(&r, &g, BASE, 0, 8);
    for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
        assert_true(ring_enable(&r));
        wr(VMMIO_QUEUE_READY, 0);
        wr(VMMIO_QUEUE_SIZE, bad[i]);
        wr(VMMIO_QUEUE_READY, 1);
        assert_int_equal(rd(VMMIO_QUEUE_READY), 0);
    }
}

/* Replaces the toy by one with other numbers. */
static void remake(u16 queue_max, bool packed)
{
    guest_free(&g);
    guest_init(&g, "alpha");
    toy_setup.queue_max = queue_max;
    toy_setup.packed = packed;
    toy = (struct toy *)guest_add(&g, &toy_type, BASE, INTID, "one", NULL);
    toy_setup.queue_max = MAX_SIZE;
    toy_setup.packed = false;
}

static void split_sizes_are_powers_of_two(void **state)
{
    static const u16 sizes[][2] = {{1, 1}, {2, 2}, {3, 2}, {100, 64}, {1023, 512}, {1024, 1024}};

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
        remake(sizes[i][0], true); /* offered, but not taken */
        assert_int_equal(driver_begin(&g, BASE, USUAL), READY);
        assert_int_equal(rd(VMMIO_QUEUE_SIZE_MAX), sizes[i][1]);
        ring_alloc(&r, &g, BASE, 0, sizes[i][1]);
        assert_true(ring_enable(&r));
    }
}

static void packed_rings(void **state)
{
    static const u16 sizes[] = {1, 3, 100, 1024};

    (void)state;
    assert_int_equal(driver_begin(&g, BASE, USUAL | F_PACKED), S_ACK | S_DRIVER);
    for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
        remake(sizes[i], true);
        assert_int_equal(driver_offered(&g, BASE), OFFERED | TRANSPORT | F_PACKED);
        assert_int_equal(driver_begin(&g, BASE, USUAL | F_PACKED), READY);
        wr(VMMIO_QUEUE_SEL, 1);
        assert_int_equal(rd(VMMIO_QUEUE_SIZE_MAX), sizes[i]);
        ring_alloc_packed(&r, &g, BASE, 1, sizes[i]);
        assert_true(ring_enable(&r));
        driver_ok(&g, BASE);
        assert_true(toy->v.queue[1].packed);
        assert_int_equal(driver_begin(&g, BASE, USUAL), READY); /* and back */
        ring_alloc(&r, &g, BASE, 1, 1);
        assert_true(ring_enable(&r));
        assert_false(toy->v.queue[1].packed);
    }
}

static void rule_6_activation_has_its_time(void **state)
{
    (void)state;
    wr(VMMIO_STATUS, 0);
    wr(VMMIO_STATUS, S_ACK | S_DRIVER);
    ring_alloc(&r, &g, BASE, 0, 8);
    assert_false(ring_enable(&r)); /* before FEATURES_OK */
    run();
    ring_alloc(&r, &g, BASE, 1, 8);
    assert_false(ring_enable(&r)); /* after DRIVER_OK */
}

static void rule_6_no_second_activation(void **state)
{
    (void)state;
    assert_int_equal(driver_begin(&g, BASE, USUAL), READY);
    ring_alloc(&r, &g, BASE, 0, 8);
    assert_true(ring_enable(&r));
    toy->v.queue[0].avail_next = 5; /* would start anew at 0 */
    toy->v.queue[0].avail = NULL;
    wr(VMMIO_QUEUE_READY, 1);
    assert_int_equal(toy->v.queue[0].avail_next, 5);
    assert_null(toy->v.queue[0].avail);
}

static void rule_8_set_up_is_frozen(void **state)
{
    struct virtq *q = &toy->v.queue[0];
    u64 desc, used;

    (void)state;
    run();
    desc = q->desc_addr;
    used = q->used_addr;
    wr(VMMIO_QUEUE_SEL, 0);
    wr(VMMIO_QUEUE_SIZE, 16);
    wr(VMMIO_DESC, 0);
    wr(VMMIO_AVAIL + 4, 1);
    wr(VMMIO_USED, 0);
    assert_int_equal(q->size, 8);
    assert_int_equal(q->desc_addr, desc);
    assert_int_equal(q->used_addr, used);
}

static void rule_35_notify_only_what_is_there(void **state)
{
    u64 before;

    (void)state;
    assert_int_equal(driver_begin(&g, BASE, USUAL), READY);
    wr(VMMIO_NOTIFY, 0); /* before DRIVER_OK */
    assert_int_equal(toy->notified[0], 0);
    run();
    before = toy->v.ignored;
    wr(VMMIO_NOTIFY, 0);
    wr(VMMIO_NOTIFY, 1);
    assert_int_equal(toy->notified[0], 1);
    assert_int_equal(toy->notified[1], 1);
    wr(VMMIO_NOTIFY, TOY_QUEUES);
    wr(VMMIO_NOTIFY, 0x10000);
    wr(VMMIO_NOTIFY, 0x80000000);
    wr(VMMIO_NOTIFY, 0xffffffff);
    assert_int_equal(toy->notified[0] + toy->notified[1], 2);
    assert_int_equal(toy->v.ignored - before, 4);
}

static void rule_35_notification_data(void **state)
{
    (void)state;
    assert_int_equal(driver_begin(&g, BASE, USUAL | F_DATA), READY);
    driver_ok(&g, BASE);
    wr(VMMIO_NOTIFY, 0x80010000);
    wr(VMMIO_NOTIFY, 0xffff0001);
    assert_int_equal(toy->notified[0], 1);
    assert_int_equal(toy->notified[1], 1);
    wr(VMMIO_NOTIFY, TOY_QUEUES);
    wr(VMMIO_NOTIFY, 0xffffffff);
    assert_int_equal(toy->notified[0] + toy->notified[1], 2);
    run(); /* without it the other bits count again */
    wr(VMMIO_NOTIFY, 0x80010000);
    assert_int_equal(toy->notified[0], 1);
}

/* --- reset --------------------------------------------------------------------------------------
 */

static void check_power_on(void)
{
    assert_int_equal(rd(VMMIO_STATUS), 0);
    assert_int_equal(rd(VMMIO_ISR), 0);
    assert_int_equal(g.level[INTID], 0);
    for (u32 i = 0; i < TOY_QUEUES; i++) {
        wr(VMMIO_QUEUE_SEL, i);
        assert_int_equal(rd(VMMIO_QUEUE_READY), 0);
        assert_int_equal(toy->v.queue[i].size, MAX_SIZE);
        assert_int_equal(toy->v.queue[i].desc_addr, 0);
    }
    assert_int_equal(toy->v.driver_features, 0);
    wr(VMMIO_NOTIFY, 0);
    assert_int_equal(toy->notified[0], 0);
}

static void rule_39_reset(void **state)
{
    (void)state;
    run();
    wr(VMMIO_QUEUE_SEL, 1);
    wr(VMMIO_DEVICE_FEATURES_SEL, 1);
    virtio_interrupt(&toy->v);
    virtio_config_changed(&toy->v);
    assert_int_equal(g.level[INTID], 1);
    wr(VMMIO_STATUS, 0);
    assert_int_equal(toy->v.queue_sel, 0);
    assert_int_equal(toy->v.features_sel, 0);
    check_power_on();
    assert_int_equal(toy->resets, 2); /* driver_begin's and this one */
    assert_int_equal(toy->alive, 0);  /* dead before the device hears of it */
}

static void reset_by_the_vm(void **state)
{
    (void)state;
    run();
    virtio_interrupt(&toy->v);
    toy->v.dev.ops->reset(&toy->v.dev);
    check_power_on();
}

/* --- interrupts ---------------------------------------------------------------------------------
 */

static void rule_34_silent_before_driver_ok(void **state)
{
    u32 generation;

    (void)state;
    assert_int_equal(driver_begin(&g, BASE, USUAL), READY);
    generation = rd(VMMIO_GENERATION);
    virtio_interrupt(&toy->v);
    virtio_config_changed(&toy->v);
    virtio_broken(&toy->v, "test");
    assert_int_equal(rd(VMMIO_ISR), 0);
    assert_int_equal(g.raises[INTID], 0);
    assert_int_equal(rd(VMMIO_STATUS), READY);
    assert_int_not_equal(rd(VMMIO_GENERATION), generation);
}

static void interrupt_status(void **state)
{
    (void)state;
    run();
    virtio_interrupt(&toy->v);
    virtio_config_changed(&toy->v);
    assert_int_equal(g.raises[INTID], 1);
    assert_int_equal(rd(VMMIO_ISR), 3);
    assert_int_equal(rd(VMMIO_ISR), 3); /* reading changes nothing */
    wr(VMMIO_ACK, 0xfffffffc);
    assert_int_equal(rd(VMMIO_ISR), 3);
    wr(VMMIO_ACK, 2);
    assert_int_equal(rd(VMMIO_ISR), 1);
    assert_int_equal(g.level[INTID], 1);
    wr(VMMIO_ACK, 1);
    assert_int_equal(rd(VMMIO_ISR), 0);
    assert_int_equal(g.level[INTID], 0);
    wr(VMMIO_ACK, 3); /* nothing there: nothing happens */
    assert_int_equal(g.level[INTID], 0);
    virtio_interrupt(&toy->v);
    assert_int_equal(g.level[INTID], 1);
    assert_int_equal(g.raises[INTID], 2);
}

static void acknowledged_too_late(void **state)
{
    (void)state;
    run();
    virtio_interrupt(&toy->v);
    assert_int_equal(rd(VMMIO_ISR), 1);
    virtio_interrupt(&toy->v); /* after the driver looked, before it acknowledges */
    wr(VMMIO_ACK, 1);
    assert_int_equal(g.level[INTID], 1);
    assert_int_equal(driver_irq(&g, BASE), 1);
    assert_int_equal(g.level[INTID], 0);
}

static void acknowledged_without_looking(void **state)
{
    (void)state;
    run();
    virtio_interrupt(&toy->v);
    wr(VMMIO_ACK, 1); /* once more, in case … */
    assert_int_equal(g.level[INTID], 1);
    wr(VMMIO_ACK, 1); /* … but not for ever */
    assert_int_equal(g.level[INTID], 0);
    assert_int_equal(rd(VMMIO_ISR), 0);
}

static void config_generation(void **state)
{
    u32 before;

    (void)state;
    run();
    before = rd(VMMIO_GENERATION);
    virtio_interrupt(&toy->v);
    assert_int_equal(rd(VMMIO_GENERATION), before);
    virtio_config_changed(&toy->v);
    assert_int_equal(rd(VMMIO_GENERATION), before + 1);
    assert_int_equal(rd(VMMIO_ISR), 3);
}

static void rule_37_broken(void **state)
{
    (void)state;
    run();
    assert_int_equal(driver_begin(&g, OTHER, USUAL), READY);
    driver_ok(&g, OTHER);
    virtio_broken(&toy->v, "test");
    assert_int_equal(rd(VMMIO_STATUS), RUNNING | S_NEEDS_RESET);
    assert_int_equal(rd(VMMIO_ISR), 2);
    assert_int_equal(g.level[INTID], 1);
    assert_false(virtio_running(&toy->v));
    wr(VMMIO_NOTIFY, 0);
    assert_int_equal(toy->notified[0], 0);
    virtio_interrupt(&toy->v);
    assert_int_equal(driver_irq(&g, BASE), 2);
    assert_int_equal(g.level[INTID], 0);
    assert_int_equal(reg_read(&g, OTHER, VMMIO_STATUS), RUNNING); /* others don't notice */
    reg_write(&g, OTHER, VMMIO_NOTIFY, 1);
    assert_int_equal(other->notified[1], 1);
    assert_int_equal(g.level[INTID + 1], 0);
    run(); /* a reset heals */
    assert_true(virtio_running(&toy->v));
}

static u32 lines;

static void count_lines(char c)
{
    lines += c == '\n';
}

static u32 break_often(u64 step_ns)
{
    lines = 0;
    host_putc = count_lines;
    for (u32 i = 0; i < 100; i++) {
        run();
        virtio_broken(&toy->v, "test");
        virtio_broken(&toy->v, "test");
        g.brk = GUEST_RAM_BASE;
        host_now_ns += step_ns;
    }
    host_putc = NULL;
    return lines;
}

static void rule_41_log_is_limited(void **state)
{
    (void)state;
    host_now_ns += 10000000000ull;
    assert_in_range(break_often(0), 1, 10);
    assert_int_equal(toy->v.breakage, 200);
    assert_int_equal(break_often(2000000000ull), 100); /* once for each time it breaks */
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(identification),
        T(features_offered),
        T(absent_shared_memory),
        T(unknown_offsets),
        T(access_sizes),
        T(rule_38_config_bounds),
        T(status_only_gains_bits),
        T(features_refused),
        T(features_of_no_word),
        T(features_need_a_driver),
        T(rule_34_no_driver_ok_without_features),
        T(rule_36_features_are_frozen),
        T(rule_1_queue_select),
        T(queue_set_up),
        T(rule_2_sizes_written),
        T(split_sizes_are_powers_of_two),
        T(packed_rings),
        T(rule_6_activation_has_its_time),
        T(rule_6_no_second_activation),
        T(rule_8_set_up_is_frozen),
        T(rule_35_notify_only_what_is_there),
        T(rule_35_notification_data),
        T(rule_39_reset),
        T(reset_by_the_vm),
        T(rule_34_silent_before_driver_ok),
        T(interrupt_status),
        T(acknowledged_too_late),
        T(acknowledged_without_looking),
        T(config_generation),
        T(rule_37_broken),
        T(rule_41_log_is_limited),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
