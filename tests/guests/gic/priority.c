/* SPDX-License-Identifier: MIT */
/*
 * The gic guest: who comes first, who waits, who interrupts whom.  Priorities are multiples of 16:
 * a GIC has 16 levels at least.
 */
#include <stddef.h>

#include "tests/guests/gic/gic_test.h"
#include "tests/guests/lib/cpu.h"
#include "tests/guests/lib/gic.h"
#include "tests/guests/lib/io.h"
#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/sysreg.h"
#include "tests/guests/lib/test.h"

enum { SGIS = 12, IDLE_PRIORITY = 0xff, BPR_SPLITS_AT_7 = 6, BPR_COARSEST = 7 };

/* Sorted by priority, each of the wanted ones once. */
static void check_sorted(uint32_t count)
{
    const struct irq_log *log = log_of(0);
    uint64_t seen[1024 / 64] = {0};

    test_equal("interrupts", log->count, count);
    for (uint32_t i = 0; i < log->count && i < LOG_SIZE; i++) {
        uint32_t intid = gic_intid(log->iar[i]);

        test_check(!(seen[intid / 64] >> intid % 64 & 1), "%u came twice", intid);
        seen[intid / 64] |= 1ull << intid % 64;
        test_check(!i || gic_priority(gic_intid(log->iar[i - 1])) <= gic_priority(intid),
                   "%u (priority 0x%x) came before %u (0x%x)", gic_intid(log->iar[i ? i - 1 : 0]),
                   gic_priority(gic_intid(log->iar[i ? i - 1 : 0])), intid, gic_priority(intid));
        test_equal("running priority", log->running[i], gic_priority(intid));
    }
}

void priority_order(void)
{
    log_reset();
    for (uint32_t i = 0; i < 3; i++) {
        gic_set_priority(spare(i), (uint8_t)(0xb0 - 0x20 * i));
        gic_enable(spare(i));
        gic_set_bit(GICD_ISPENDR, spare(i));
    }
    log_wait(3);
    log_settle();
    check_sorted(3);
}

/* Many more than any implementation has list registers, SGIs among them. */
void priority_overflow(void)
{
    log_reset();
    for (uint32_t i = 0; i < SPARES; i++) {
        gic_set_priority(spare(i), (uint8_t)(0x10 + i * 7 % 13 * 0x10));
        gic_enable(spare(i));
        gic_set_bit(GICD_ISPENDR, spare(i));
    }
    for (uint32_t i = 0; i < SGIS; i++) {
        gic_set_priority(i, (uint8_t)(0x10 + i * 5 % 14 * 0x10));
        gic_send_sgi_self(i);
    }
    for (uint32_t i = 0; i < SPARES; i++) {
        test_check(gic_bit(GICD_ISPENDR, spare(i)), "%u not pending", spare(i));
    }
    log_wait(SPARES + SGIS);
    log_settle();
    check_sorted(SPARES + SGIS);
}

void priority_mask(void)
{
    uint32_t a = spare(0);

    log_reset();
    gic_enable(a);
    gic_set_mask(PRIORITY_MID);
    gic_set_bit(GICD_ISPENDR, a);
    expect_none("priority equal to the mask");
    test_equal("acknowledge", gic_intid(gic_ack()), GIC_SPURIOUS);
    gic_set_mask(PRIORITY_MID + 0x10);
    expect_one("mask raised", a);
    gic_set_mask(0);
    gic_set_priority(a, 0);
    gic_set_bit(GICD_ISPENDR, a);
    expect_none("mask 0");
    gic_set_mask(0xff);
    test_check(gic_mask() >= 0xf0, "mask reads 0x%x", gic_mask());
    test_equal("highest pending", gic_intid(gic_highest_pending()), a);
    expect_one("mask 0xff", a);
    test_equal("idle running priority", gic_running_priority(), IDLE_PRIORITY);
    test_equal("nothing pending", gic_intid(gic_highest_pending()), GIC_SPURIOUS);
    test_equal("nothing to acknowledge", gic_intid(gic_ack()), GIC_SPURIOUS);
}

/* In the first handler: makes spare(1) pending and lets it in if the GIC does. */
static uint32_t nested_count;

static void invite(uint32_t intid)
{
    if (intid == spare(0)) {
        uint32_t before = log_of(0)->count;

        gic_set_bit(GICD_ISPENDR, spare(1));
        irq_unmask();
        for (uint32_t i = 0; i < 1000; i++) {
            __asm__ volatile("nop");
        }
        irq_mask();
        nested_count = log_of(0)->count - before;
    }
}

static void check_nesting(const char *what, uint8_t first, uint8_t second, uint32_t expected)
{
    log_clear(0);
    nested_count = 0;
    log_in_handler = invite;
    gic_set_priority(spare(0), first);
    gic_set_priority(spare(1), second);
    gic_enable(spare(0));
    gic_enable(spare(1));
    gic_set_bit(GICD_ISPENDR, spare(0));
    log_wait(2);
    log_settle();
    test_check(nested_count == expected && log_of(0)->count == 2, "%s: %u nested, %u in all", what,
               nested_count, log_of(0)->count);
    test_equal("running priority afterwards", gic_running_priority(), IDLE_PRIORITY);
}

void priority_preemption(void)
{
    log_reset();
    check_nesting("a higher one", 0x90, 0x80, 1);
    check_nesting("an equal one", 0x90, 0x90, 0);
    check_nesting("a lower one", 0x80, 0x90, 0);
    check_nesting("a much higher one", 0xe0, 0x00, 1);
}

/* With a coarser binary point the lower bits order, but do not preempt. */
void priority_binary_point(void)
{
    log_reset();
    gic_set_binary_point(BPR_COARSEST);
    check_nesting("same group priority", 0x90, 0x80, 0);
    gic_set_binary_point(BPR_SPLITS_AT_7);
    check_nesting("higher group priority", 0x80, 0x40, 1);
    gic_set_binary_point(0);
    check_nesting("finest", 0x90, 0x80, 1);
}

/* EOImode 1: EOI drops the priority, DIR deactivates, in any order of interrupts. */
void priority_eoi_split(void)
{
    const struct irq_log *log = log_of(0);

    log_reset();
    gic_set_eoi_mode(true);
    for (uint32_t i = 0; i < 3; i++) {
        gic_enable(spare(i));
        gic_set_bit(GICD_ISPENDR, spare(i));
    }
    log_wait(3);
    test_equal("interrupts", log->count, 3);
    test_equal("running priority after EOI", gic_running_priority(), IDLE_PRIORITY);
    for (uint32_t i = 0; i < 3; i++) {
        test_check(gic_bit(GICD_ISACTIVER, spare(i)), "%u not active before DIR", spare(i));
        gic_set_bit(GICD_ISPENDR, spare(i));
    }
    expect_none("pending but active");
    for (uint32_t i = 0; i < 3; i++) {
        gic_deactivate(spare(i));
        test_check(!gic_bit(GICD_ISACTIVER, spare(i)), "%u active after DIR", spare(i));
        expect_one("after DIR", spare(i));
        gic_deactivate(spare(i));
    }
    gic_set_eoi_mode(false);
    gic_set_bit(GICD_ISPENDR, spare(0));
    expect_one("EOImode 0 again", spare(0));
    test_check(!gic_bit(GICD_ISACTIVER, spare(0)), "EOI does not deactivate");
}

/* Off at the distributor: nothing comes; on again: it does.  Groups can be written and restored. */
void priority_groups(void)
{
    uint64_t group = gic_frame(spare(0)) + GICD_IGROUPR + spare(0) / 32 * 4;
    uint32_t ctlr;
    uint32_t groups;

    log_reset();
    ctlr = io_read32(platform.gicd.base + GICD_CTLR);
    test_check(ctlr & 3, "GICD_CTLR reads 0x%x", ctlr);
    gic_enable(spare(0));
    io_write32(platform.gicd.base + GICD_CTLR, ctlr & ~3u);
    gic_set_bit(GICD_ISPENDR, spare(0));
    expect_none("distributor off");
    io_write32(platform.gicd.base + GICD_CTLR, ctlr);
    expect_one("distributor on", spare(0));
    groups = io_read32(group);
    io_write32(group, ~groups);
    io_write32(group, groups);
    test_equal("IGROUPR restored", io_read32(group), groups);
    gic_set_bit(GICD_ISPENDR, spare(0));
    expect_one("groups flipped and restored", spare(0));
}
