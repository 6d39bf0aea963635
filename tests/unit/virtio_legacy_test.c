/* SPDX-License-Identifier: MIT */
/*
 * The virtio-mmio transport as a legacy device, with a toy behind it: registers of version 1, a
 * queue in one block of pages, a status machine without FEATURES_OK. What both versions share is
 * tested in virtio_mmio_test.c. A test rule_N_… is about rule N of docs/virtqueue-rules.md.
 */
#include "tests/host/driver.h"
#include "tests/host/toy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define BASE     0x0a000000ull
#define INTID    40u
#define OFFERED  (0x13ull | 1ull << 40) /* the bit in the second word is nobody's here */
#define LOW      0x13ull
#define READY    (S_ACK | S_DRIVER)
#define RUNNING  (READY | S_DRIVER_OK)
#define MAX_SIZE 1000
#define PAGE     4096u

static struct guest g;
static struct toy *toy;
static struct ring r;

static int setup(void **state)
{
    (void)state;
    toy_setup = (struct toy_setup){.offered = OFFERED, .queue_max = MAX_SIZE, .legacy = true};
    toy_setup.packed = true; /* is ignored */
    guest_init(&g, "alpha");
    toy = (struct toy *)guest_add(&g, &toy_type, BASE, INTID, "one", NULL);
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
    assert_int_equal(driver_begin(&g, BASE, LOW | F_EVENT_IDX), READY);
    ring_alloc_legacy(&r, &g, BASE, 0, 8);
    assert_true(ring_enable(&r));
    driver_ok(&g, BASE);
    assert_int_equal(rd(VMMIO_STATUS), RUNNING);
}

static void identification(void **state)
{
    (void)state;
    assert_int_equal(rd(VMMIO_MAGIC), 0x74726976);
    assert_int_equal(rd(VMMIO_VERSION), 1);
    assert_int_equal(rd(VMMIO_DEVICE_ID), TOY_ID);
    assert_int_equal(driver_offered(&g, BASE), LOW | F_ANY | F_INDIRECT | F_EVENT_IDX);
    for (u32 i = 0; i < TOY_QUEUES; i++) {
        wr(VMMIO_QUEUE_SEL, i);
        assert_int_equal(rd(VMMIO_QUEUE_SIZE_MAX), 512); /* the power of two below 1000 */
        assert_int_equal(rd(VMMIO_QUEUE_PFN), 0);
    }
}

static void frames_go_both_ways(void **state)
{
    struct virtq *q = &toy->v.queue[0];
    static struct chain c;
    u64 buf;
    u32 len;

    (void)state;
    run();
    assert_int_equal(toy->starts, 1);
    assert_false(virtio_has(&toy->v, VIRTIO_F_VERSION_1));
    assert_true(q->event_idx && !q->indirect && !q->packed);
    buf = guest_alloc(&g, 64, 64);
    ring_desc(&r, 3, buf, 64, D_WRITE, 0);
    ring_offer(&r, 3);
    ring_kick(&r);
    assert_int_equal(toy->notified[0] + toy->notified[1], 1);
    spin_lock(&q->lock);
    assert_int_equal(virtq_pop(q, &c), VIRTQ_OK);
    assert_int_equal(chain_write(&c, 0, "hello", 5), 5);
    virtq_push(q, &c, 5);
    assert_true(virtq_publish(q));
    spin_unlock(&q->lock);
    virtio_interrupt(&toy->v);
    assert_int_equal(g.level[INTID], 1);
    assert_int_equal(ring_used(&r, &len), 3);
    assert_int_equal(len, 5);
    assert_memory_equal(guest_ptr(&g, buf), "hello", 5);
    assert_int_equal(driver_irq(&g, BASE), 1);
    assert_int_equal(g.level[INTID], 0);
}

/* VIRTIO 1.2 §2.7.2: used ring at the next boundary behind descriptors and available ring. */
static void layout(void **state)
{
    static const struct {
        u32 page, size, align;
        u64 avail, used;
    } row[] = {
        {4096, 8, 4096, 128, 4096}, {4096, 256, 4096, 4096, 8192},
        {4096, 8, 4, 128, 152},     {4096, 512, 4096, 8192, 12288},
        {1024, 16, 64, 256, 320},   {65536, 128, 65536, 2048, 65536},
        {4096, 1, 4, 16, 24},
    };

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(row); i++) {
        struct virtq *q = &toy->v.queue[1];
        u32 pfn = (u32)((GUEST_RAM_BASE + 0x20000) / row[i].page);

        wr(VMMIO_PAGE_SIZE, row[i].page);
        wr(VMMIO_STATUS, 0);
        wr(VMMIO_STATUS, READY);
        wr(VMMIO_QUEUE_SEL, 1);
        wr(VMMIO_QUEUE_SIZE, row[i].size);
        wr(VMMIO_QUEUE_ALIGN, row[i].align);
        wr(VMMIO_QUEUE_PFN, pfn);
        assert_int_equal(rd(VMMIO_QUEUE_PFN), pfn);
        assert_int_equal(q->desc_addr, GUEST_RAM_BASE + 0x20000);
        assert_int_equal(q->avail_addr, q->desc_addr + row[i].avail);
        assert_int_equal(q->used_addr, q->desc_addr + row[i].used);
        assert_int_equal(q->size, row[i].size);
        wr(VMMIO_QUEUE_SEL, 0);
        assert_int_equal(rd(VMMIO_QUEUE_PFN), 0);
    }
}

static void page_size_outlives_the_drivers_reset(void **state)
{
    (void)state;
    wr(VMMIO_PAGE_SIZE, 16384);
    wr(VMMIO_STATUS, 0);
    assert_int_equal(toy->v.page_size, 16384);
    toy->v.dev.ops->reset(&toy->v.dev); /* but not the VM's */
    assert_int_equal(toy->v.page_size, PAGE);
}

static void config_space(void **state)
{
    (void)state;
    run();
    for (u32 i = 0; i < 8; i++) {
        guest_write(&g, BASE + VMMIO_CONFIG + i, 1, 0xa0 + i);
    }
    assert_int_equal(guest_read(&g, BASE + VMMIO_CONFIG + 2, 1), 0xa2);
    assert_int_equal(toy->config[7], 0xa7);
    virtio_config_changed(&toy->v);
    assert_int_equal(rd(VMMIO_ISR), 2);
    assert_int_equal(rd(VMMIO_GENERATION), 0); /* it has none */
}

static void registers_of_version_2(void **state)
{
    static const u32 absent[] = {VMMIO_QUEUE_READY, VMMIO_DESC,        VMMIO_DESC + 4,
                                 VMMIO_AVAIL,       VMMIO_USED,        VMMIO_SHM_LEN,
                                 VMMIO_GENERATION,  VMMIO_MAGIC + 0x18};
    u64 desc;

    (void)state;
    run();
    desc = toy->v.queue[0].desc_addr;
    for (u32 i = 0; i < ARRAY_SIZE(absent); i++) {
        wr(absent[i], 0);
        assert_int_equal(rd(absent[i]), 0);
    }
    assert_true(toy->v.queue[0].ready);
    assert_int_equal(toy->v.queue[0].desc_addr, desc);
    assert_int_equal(rd(VMMIO_PAGE_SIZE), 0); /* write-only */
    assert_int_equal(rd(VMMIO_QUEUE_ALIGN), 0);
}

static void reset(void **state)
{
    (void)state;
    run();
    virtio_interrupt(&toy->v);
    wr(VMMIO_STATUS, 0);
    assert_int_equal(rd(VMMIO_STATUS), 0);
    assert_int_equal(rd(VMMIO_QUEUE_PFN), 0);
    assert_int_equal(g.level[INTID], 0);
    assert_int_equal(toy->v.driver_features, 0);
    assert_int_equal(toy->alive, 0);
    run();
}

static void rule_1_queue_select(void **state)
{
    static const u32 absent[] = {TOY_QUEUES, VIRTIO_QUEUES, 0xffffffff};

    (void)state;
    assert_int_equal(driver_begin(&g, BASE, LOW), READY);
    for (u32 i = 0; i < ARRAY_SIZE(absent); i++) {
        ring_alloc_legacy(&r, &g, BASE, absent[i], 8);
        assert_false(ring_enable(&r));
        assert_int_equal(rd(VMMIO_QUEUE_SIZE_MAX), 0);
        assert_int_equal(rd(VMMIO_QUEUE_PFN), 0);
    }
}

static void rule_2_sizes_written(void **state)
{
    static const u32 bad[] = {0, 3, 1024, 0x10008, 0xffffffff};

    (void)state;
    assert_int_equal(driver_begin(&g, BASE, LOW), READY);
    ring_alloc_legacy(&r, &g, BASE, 0, 8);
    for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
        assert_true(ring_enable(&r));
        wr(VMMIO_QUEUE_PFN, 0);
        wr(VMMIO_QUEUE_SIZE, bad[i]);
        wr(VMMIO_QUEUE_PFN, (u32)(r.desc / PAGE));
        assert_int_equal(rd(VMMIO_QUEUE_PFN), 0);
    }
}

static void rule_3_page_size_and_alignment(void **state)
{
    static const u32 bad[] = {0, 3, 4095, 0x20000, 0x80000000, 0xffffffff};

    (void)state;
    wr(VMMIO_QUEUE_SEL, 0);
    for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
        wr(VMMIO_PAGE_SIZE, bad[i]);
        wr(VMMIO_QUEUE_ALIGN, bad[i]);
        assert_int_equal(toy->v.page_size, PAGE); /* what it was */
        assert_int_equal(toy->v.legacy_queue[0].align, PAGE);
    }
    assert_int_equal(driver_begin(&g, BASE, LOW), READY);
    ring_alloc_legacy(&r, &g, BASE, 0, 8);
    r.align = 1; /* a used ring at 150 */
    assert_false(ring_enable(&r));
    wr(VMMIO_PAGE_SIZE, 8);
    r.align = PAGE;
    wr(VMMIO_QUEUE_ALIGN, PAGE);
    wr(VMMIO_QUEUE_PFN, (u32)(r.desc / 8) + 1); /* descriptors at 8 */
    assert_int_equal(rd(VMMIO_QUEUE_PFN), 0);
}

static void rule_4_block_in_ram(void **state)
{
    static const u64 bad[] = {PAGE,
                              0x10000000,
                              GUEST_ROM_BASE,
                              GUEST_RAM_BASE - PAGE,
                              GUEST_RAM_BASE + GUEST_RAM_SIZE - PAGE,
                              GUEST_RAM_BASE + (1ull << 32)};

    (void)state;
    assert_int_equal(driver_begin(&g, BASE, LOW), READY);
    for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
        wr(VMMIO_QUEUE_SEL, 0);
        wr(VMMIO_QUEUE_SIZE, 8);
        wr(VMMIO_QUEUE_ALIGN, PAGE);
        wr(VMMIO_QUEUE_PFN, (u32)(bad[i] / PAGE));
        assert_int_equal(rd(VMMIO_QUEUE_PFN), 0);
    }
    wr(VMMIO_QUEUE_PFN, (u32)((GUEST_RAM_BASE + GUEST_RAM_SIZE) / PAGE - 2)); /* just fits */
    assert_int_not_equal(rd(VMMIO_QUEUE_PFN), 0);
}

static void rule_6_activation_has_its_time(void **state)
{
    (void)state;
    ring_alloc_legacy(&r, &g, BASE, 0, 8);
    wr(VMMIO_STATUS, 0);
    wr(VMMIO_STATUS, S_ACK);
    assert_false(ring_enable(&r)); /* before DRIVER */
    run();
    ring_alloc_legacy(&r, &g, BASE, 1, 8);
    assert_false(ring_enable(&r)); /* after DRIVER_OK */
}

static void rule_8_set_up_is_frozen(void **state)
{
    struct virtq *q = &toy->v.queue[0];
    u32 pfn;
    u64 used;

    (void)state;
    run();
    pfn = rd(VMMIO_QUEUE_PFN);
    used = q->used_addr;
    wr(VMMIO_QUEUE_SIZE, 16);
    wr(VMMIO_QUEUE_ALIGN, 4);
    wr(VMMIO_QUEUE_PFN, pfn + 1);
    assert_int_equal(q->size, 8);
    assert_int_equal(q->used_addr, used);
    assert_int_equal(rd(VMMIO_QUEUE_PFN), pfn);
    assert_int_equal(toy->v.legacy_queue[0].align, r.align);
    wr(VMMIO_QUEUE_PFN, 0);
    assert_int_equal(rd(VMMIO_QUEUE_PFN), 0);
    assert_false(q->ready);
}

static void rule_34_driver_ok(void **state)
{
    (void)state;
    wr(VMMIO_STATUS, 0);
    wr(VMMIO_STATUS, S_ACK | S_DRIVER_OK); /* nobody there */
    assert_int_equal(rd(VMMIO_STATUS), S_ACK);
    assert_int_equal(driver_begin(&g, BASE, LOW), READY);
    ring_alloc_legacy(&r, &g, BASE, 0, 8);
    assert_true(ring_enable(&r));
    ring_kick(&r); /* too early, as some do */
    assert_int_equal(toy->notified[0] + toy->notified[1], 0);
    wr(VMMIO_STATUS, READY | S_FEATURES_OK); /* there is no such thing */
    assert_int_equal(rd(VMMIO_STATUS), READY);
    toy->refuse = true;
    driver_ok(&g, BASE);
    assert_int_equal(rd(VMMIO_STATUS), READY);
    toy->refuse = false;
    driver_ok(&g, BASE);
    assert_int_equal(rd(VMMIO_STATUS), RUNNING);
    ring_kick(&r);
    assert_int_equal(toy->notified[0] + toy->notified[1], 1);
}

static void rule_36_features(void **state)
{
    (void)state;
    assert_int_equal(driver_begin(&g, BASE, 0xffffffff), READY);
    wr(VMMIO_DRIVER_FEATURES_SEL, 1); /* as Linux does, but with bits in it */
    wr(VMMIO_DRIVER_FEATURES, 0xffffffff);
    wr(VMMIO_DRIVER_FEATURES_SEL, 2);
    wr(VMMIO_DRIVER_FEATURES, 0xffffffff);
    wr(VMMIO_DRIVER_FEATURES_SEL, 0);
    driver_ok(&g, BASE);
    assert_int_equal(rd(VMMIO_STATUS), RUNNING);
    assert_int_equal(toy->negotiated, LOW | F_ANY | F_INDIRECT | F_EVENT_IDX);
    wr(VMMIO_DRIVER_FEATURES, 0); /* frozen */
    assert_int_equal(toy->v.driver_features, toy->negotiated);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(identification),
        T(frames_go_both_ways),
        T(layout),
        T(page_size_outlives_the_drivers_reset),
        T(config_space),
        T(registers_of_version_2),
        T(reset),
        T(rule_1_queue_select),
        T(rule_2_sizes_written),
        T(rule_3_page_size_and_alignment),
        T(rule_4_block_in_ram),
        T(rule_6_activation_has_its_time),
        T(rule_8_set_up_is_frozen),
        T(rule_34_driver_ok),
        T(rule_36_features),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
