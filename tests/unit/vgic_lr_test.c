/* SPDX-License-Identifier: MIT */
/*
 * The vGIC's list registers: more interrupts than there are, pending and active, and those that are
 * linked to physical ones.
 */
#include "tests/host/gicboard.h"
#include "tests/unit/vgic_words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* --- more pending than list registers ----------------------------------------------------------
 */

/* Enables SPIs 40.. and raises them, edge-triggered, with the given priorities. */
static void raise_many(const u8 *prio, u32 count)
{
    for (u32 i = 0; i < count; i++) {
        set_edge(40 + i);
        set_prio(cpu0, 40 + i, prio[i]);
        set(cpu0, ISENABLER, 40 + i);
    }
    for (u32 i = 0; i < count; i++) {
        g.vm.irqchip->set_line(&g.vm, NULL, 40 + i, true);
        g.vm.irqchip->set_line(&g.vm, NULL, 40 + i, false);
    }
    gcpu_enter_all(&g);
}

static void the_most_urgent_come_first(void **state)
{
    static const u8 prio[] = {0x80, 0x10, 0xf0, 0x40, 0x08, 0xe8, 0x20, 0x90, 0x30, 0xa0, 0x50};
    u32 last = 0;

    (void)state;
    raise_many(prio, ARRAY_SIZE(prio));
    for (u32 i = 0; i < ARRAY_SIZE(prio); i++) {
        u32 id = take(cpu0);

        assert_in_range(id, 40, 40 + ARRAY_SIZE(prio) - 1);
        assert_true(prio[id - 40] > last);
        last = prio[id - 40];
    }
    assert_int_equal(take(cpu0), GCPU_NONE);
}

static void a_late_urgent_one_replaces_a_listed_one(void **state)
{
    static const u8 prio[] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80};
    u32 count = 0;

    (void)state;
    raise_many(prio, ARRAY_SIZE(prio));
    set_prio(cpu0, SPI + 10, 0x10);
    set(cpu0, ISENABLER, SPI + 10);
    line(SPI + 10, true);
    assert_int_equal(ack(cpu0), SPI + 10);
    line(SPI + 10, false);
    eoi(cpu0, SPI + 10);
    while (take(cpu0) != GCPU_NONE) {
        count++;
    }
    assert_int_equal(count, ARRAY_SIZE(prio)); /* the one that made way is not lost */
}

/* Each preempts the last, deeper than there are list registers; all end in order. */
static void nesting_is_deeper_than_the_list_registers(void **state)
{
    (void)state;
    for (u32 i = 0; i < 10; i++) {
        set_edge(40 + i);
        set_prio(cpu0, 40 + i, 0xf0 - 0x10 * i);
        set(cpu0, ISENABLER, 40 + i);
        line(40 + i, true);
        assert_int_equal(ack(cpu0), 40 + i);
    }
    for (u32 i = 0; i < 10; i++) {
        assert_true(get(cpu0, ISACTIVER, 40 + i));
    }
    for (u32 i = 10; i-- > 0;) {
        eoi(cpu0, 40 + i);
        assert_false(get(cpu0, ISACTIVER, 40 + i));
        assert_true(i == 0 || get(cpu0, ISACTIVER, 40 + i - 1));
    }
    for (u32 i = 0; i < 10; i++) {
        line(40 + i, false);
        line(40 + i, true);
        assert_int_equal(take(cpu0), 40 + i);
    }
}

static void a_linked_interrupt_that_lost_its_list_register_is_ended_too(void **state)
{
    (void)state;
    set_prio(cpu0, TIMER, 0xf0);
    set(cpu0, ISENABLER, TIMER);
    gcpu_fire(cpu0, TIMER);
    assert_int_equal(ack(cpu0), TIMER);
    for (u32 i = 0; i < 6; i++) {
        set_prio(cpu0, 40 + i, 0xe0 - 0x10 * i);
        set(cpu0, ISENABLER, 40 + i);
        line(40 + i, true);
        assert_int_equal(ack(cpu0), 40 + i);
        line(40 + i, false);
    }
    for (u32 i = 6; i-- > 0;) {
        eoi(cpu0, 40 + i);
    }
    assert_true(cpu0->held[TIMER]);
    eoi(cpu0, TIMER);
    assert_false(cpu0->held[TIMER]);
    gcpu_fire(cpu0, TIMER);
    assert_int_equal(take(cpu0), TIMER);
}

/* --- the linked timer
 * ----------------------------------------------------------------------------- */

static void clearing_a_linked_interrupt_ends_the_physical_one(void **state)
{
    (void)state;
    gcpu_fire(cpu0, TIMER); /* disabled: in no list register */
    set(cpu0, ICPENDR, TIMER);
    assert_false(cpu0->held[TIMER]);
    set(cpu0, ISENABLER, TIMER);
    gcpu_fire(cpu0, TIMER);
    gcpu_enter_all(&g);
    assert_int_equal(gcpu_peek(cpu0), TIMER);
    set(cpu0, ICPENDR, TIMER); /* listed */
    assert_false(cpu0->held[TIMER]);
    assert_int_equal(gcpu_peek(cpu0), GCPU_NONE);
    gcpu_fire(cpu0, TIMER);
    assert_int_equal(ack(cpu0), TIMER);
    set(cpu0, ICACTIVER, TIMER);
    assert_false(cpu0->held[TIMER]);
    eoi(cpu0, TIMER);
    assert_int_equal(host_completes, 3);
    gcpu_fire(cpu0, TIMER);
    assert_int_equal(take(cpu0), TIMER);
    assert_int_equal(host_completes, 3);
}

static void disabling_an_active_linked_interrupt_does_not_orphan_it(void **state)
{
    (void)state;
    set(cpu0, ISENABLER, TIMER);
    gcpu_fire(cpu0, TIMER);
    assert_int_equal(ack(cpu0), TIMER);
    set(cpu0, ICENABLER, TIMER);
    assert_true(cpu0->held[TIMER]);
    eoi(cpu0, TIMER);
    assert_false(cpu0->held[TIMER]);
    gcpu_fire(cpu0, TIMER);
    assert_int_equal(ack(cpu0), GCPU_NONE);
    set(cpu0, ISENABLER, TIMER);
    assert_int_equal(take(cpu0), TIMER);
    assert_false(cpu0->held[TIMER]);
}

static void a_linked_interrupt_made_pending_by_hand_does_not_end_the_physical_one(void **state)
{
    (void)state;
    set(cpu0, ISENABLER, TIMER);
    set(cpu0, ISPENDR, TIMER);
    assert_int_equal(ack(cpu0), TIMER);
    gcpu_fire(cpu0, TIMER);
    gcpu_enter_all(&g);
    eoi(cpu0, TIMER);
    assert_true(cpu0->held[TIMER]); /* that was the other one */
    assert_int_equal(take(cpu0), TIMER);
    assert_false(cpu0->held[TIMER]);
}

/* Another vCPU clears what is pending here: it's this one's CPU that has to end it. */
static void a_linked_interrupt_is_ended_on_its_own_cpu(void **state)
{
    (void)state;
    if (version == 2) {
        return; /* private registers are banked */
    }
    set(cpu0, ISENABLER, TIMER);
    gcpu_fire(cpu0, TIMER);
    gcpu_enter_all(&g);
    gcpu_write(cpu1, reg(cpu0, ICPENDR, TIMER), 4, BIT(TIMER));
    gcpu_enter(cpu1);
    assert_int_equal(host_completes, 0);
    gcpu_enter(cpu0);
    assert_int_equal(host_completes, 1);
    assert_false(cpu0->held[TIMER]);
    assert_int_equal(gcpu_peek(cpu0), GCPU_NONE);
}

/* It comes too late, the guest has acknowledged it; that must not hit the next one. */
static void a_late_clear_of_a_linked_interrupt_is_over_with_it(void **state)
{
    (void)state;
    if (version == 2) {
        return; /* private registers are banked */
    }
    set(cpu0, ISENABLER, TIMER);
    gcpu_fire(cpu0, TIMER);
    gcpu_enter_all(&g);
    assert_int_equal(gcpu_ack(cpu0), TIMER);
    gcpu_write(cpu1, reg(cpu0, ICPENDR, TIMER), 4, BIT(TIMER));
    gcpu_enter(cpu0);
    gcpu_eoi(cpu0, TIMER);
    gcpu_fire(cpu0, TIMER);
    gcpu_write(cpu1, reg(cpu0, IPRIORITYR, TIMER), 1, 0x40);
    assert_int_equal(take(cpu0), TIMER);
}

static void a_linked_spi_follows_its_target(void **state)
{
    (void)state;
    target(SPI, 1);
    set(cpu0, ISENABLER, SPI);
    gicboard[77].active = true;
    g.vm.irqchip->inject_hw(&g.vm, NULL, SPI, 77);
    assert_int_equal(ack(cpu1), SPI);
    assert_true(gicboard[77].active);
    eoi(cpu1, SPI);
    assert_false(gicboard[77].active);
    g.vm.irqchip->inject_hw(&g.vm, NULL, 300, 78); /* no such interrupt: let it go */
    assert_int_equal(host_completes, 1);
    set(cpu0, ICENABLER, SPI);
    g.vm.irqchip->inject_hw(&g.vm, NULL, SPI, 77);
    set(cpu0, ICPENDR, SPI);
    assert_int_equal(host_completes, 2);
}

/* Its list register is used again, in place; a priority that changed meanwhile counts. */
static void an_sgi_comes_again_as_new(void **state)
{
    u32 iar;

    (void)state;
    sgi(cpu0, 4, BIT(1));
    iar = ack(cpu1);
    assert_int_equal(iar & 0x3ff, 4);
    assert_true(get(cpu1, ISACTIVER, 4));
    gcpu_eoi(cpu1, iar);
    sgi(cpu0, 4, BIT(1));
    if (version == 3) { /* seen by another vCPU, which can't look into the list registers */
        assert_int_equal(gcpu_read(cpu0, reg(cpu1, ISACTIVER, 0), 4), 0);
        assert_int_equal(gcpu_read(cpu0, reg(cpu1, ISPENDR, 0), 4), BIT(4));
    }
    iar = ack(cpu1);
    assert_int_equal(iar & 0x3ff, 4);
    gcpu_eoi(cpu1, iar);
    gcpu_write(version == 3 ? cpu0 : cpu1, reg(cpu1, IPRIORITYR, 4), 1, 0xf0);
    sgi(cpu0, 4, BIT(1));
    set_prio(cpu1, 5, 0x80);
    sgi(cpu0, 5, BIT(1));
    assert_int_equal(take(cpu1), 5);
    assert_int_equal(take(cpu1), 4);
    assert_int_equal(take(cpu1), GCPU_NONE);
}

/* Sends without entering the target. */
static void send(struct gcpu *c, u32 id, u32 targets)
{
    if (version == 3) {
        gcpu_sgi(c, (u64)id << 24 | targets);
    } else {
        gcpu_write(c, GCPU_GICD + 0xf00, 4, targets << 16 | id); /* SGIR */
    }
}

static void an_sgi_comes_again_beside_another(void **state)
{
    u32 iar;

    (void)state;
    sgi(cpu0, 4, BIT(1));
    iar = ack(cpu1);
    gcpu_eoi(cpu1, iar);
    send(cpu0, 6, BIT(1));
    send(cpu0, 4, BIT(1));
    gcpu_enter_all(&g);
    assert_int_equal(take(cpu1) + take(cpu1), 10);
    assert_int_equal(take(cpu1), GCPU_NONE);
}

/* One that is disabled when it's sent again waits, and one of two senders comes twice (GICv2). */
static void an_sgi_comes_again_only_where_it_may(void **state)
{
    u32 iar;

    (void)state;
    sgi(cpu0, 4, BIT(1));
    iar = ack(cpu1);
    if (version == 3) {
        set(cpu1, ICENABLER, 4);
        gcpu_eoi(cpu1, iar);
        sgi(cpu0, 4, BIT(1));
        assert_int_equal(take(cpu1), GCPU_NONE);
        set(cpu1, ISENABLER, 4);
        assert_int_equal(take(cpu1), 4);
    } else {
        gcpu_eoi(cpu1, iar);
        send(cpu0, 4, BIT(1));
        send(cpu1, 4, BIT(1));
        gcpu_enter_all(&g);
        assert_int_equal(take(cpu1), 4);
        assert_int_equal(take(cpu1), 4);
    }
    assert_int_equal(take(cpu1), GCPU_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(the_most_urgent_come_first),
        BOTH(a_late_urgent_one_replaces_a_listed_one),
        BOTH(nesting_is_deeper_than_the_list_registers),
        BOTH(a_linked_interrupt_that_lost_its_list_register_is_ended_too),
        BOTH(clearing_a_linked_interrupt_ends_the_physical_one),
        BOTH(disabling_an_active_linked_interrupt_does_not_orphan_it),
        BOTH(a_linked_interrupt_made_pending_by_hand_does_not_end_the_physical_one),
        BOTH(a_linked_interrupt_is_ended_on_its_own_cpu),
        BOTH(a_late_clear_of_a_linked_interrupt_is_over_with_it),
        BOTH(a_linked_spi_follows_its_target),
        BOTH(an_sgi_comes_again_as_new),
        BOTH(an_sgi_comes_again_beside_another),
        BOTH(an_sgi_comes_again_only_where_it_may),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
