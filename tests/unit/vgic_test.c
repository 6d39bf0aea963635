/* SPDX-License-Identifier: MIT */
/*
 * The vGIC's state and list registers, for GICv2 and GICv3 alike: what a guest CPU sees when it
 * enables, acknowledges and ends interrupts, with few list registers and with many interrupts.
 */
#include "tests/unit/vgic_words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* --- tests ----------------------------------------------------------------------------------- */

static void level_interrupt_follows_its_line(void **state)
{
    u32 iar;

    (void)state;
    set(cpu0, ISENABLER, SPI);
    assert_int_equal(ack(cpu0), GCPU_NONE);
    line(SPI, true);
    assert_true(get(cpu0, ISPENDR, SPI));
    iar = ack(cpu0);
    assert_int_equal(iar, SPI);
    assert_true(get(cpu0, ISACTIVER, SPI));
    assert_true(get(cpu0, ISPENDR, SPI)); /* active and pending: the line is up */
    assert_int_equal(ack(cpu0), GCPU_NONE);
    eoi(cpu0, iar);
    assert_int_equal(ack(cpu0), SPI); /* still up: again */
    line(SPI, false);
    assert_false(get(cpu0, ISPENDR, SPI));
    eoi(cpu0, SPI);
    assert_int_equal(ack(cpu0), GCPU_NONE);
    assert_false(get(cpu0, ISACTIVER, SPI));
}

static void end_of_quiet_level_interrupt_needs_no_maintenance(void **state)
{
    (void)state;
    set(cpu0, ISENABLER, SPI);
    line(SPI, true);
    assert_int_equal(ack(cpu0), SPI);
    line(SPI, false); /* what the guest's handler does to its device */
    eoi(cpu0, SPI);
    assert_int_equal(cpu0->maintenance, 0);
    line(SPI, true);
    assert_int_equal(take(cpu0), SPI);
}

static void level_risen_again_while_active_comes_again(void **state)
{
    (void)state;
    set(cpu0, ISENABLER, SPI);
    line(SPI, true);
    assert_int_equal(ack(cpu0), SPI);
    line(SPI, false);
    line(SPI, true);
    eoi(cpu0, SPI);
    assert_int_equal(ack(cpu0), SPI);
}

static void line_dropped_before_acknowledge_is_retracted(void **state)
{
    (void)state;
    set(cpu0, ISENABLER, SPI);
    line(SPI, true);
    assert_int_equal(gcpu_peek(cpu0), SPI);
    line(SPI, false);
    assert_int_equal(gcpu_peek(cpu0), GCPU_NONE);
    assert_int_equal(ack(cpu0), GCPU_NONE);
}

static void edge_is_remembered_after_the_line_fell(void **state)
{
    (void)state;
    set_edge(SPI);
    line(SPI, true);
    line(SPI, false);
    assert_true(get(cpu0, ISPENDR, SPI));
    set(cpu0, ISENABLER, SPI);
    assert_int_equal(ack(cpu0), SPI);
    assert_false(get(cpu0, ISPENDR, SPI));
    line(SPI, true); /* while active: one more instance, not two */
    line(SPI, false);
    line(SPI, true);
    assert_true(get(cpu0, ISPENDR, SPI));
    assert_true(get(cpu0, ISACTIVER, SPI));
    eoi(cpu0, SPI);
    assert_int_equal(take(cpu0), SPI);
    assert_int_equal(take(cpu0), GCPU_NONE);
}

static void disabled_while_pending_stays_pending(void **state)
{
    (void)state;
    for (u32 edge = 0; edge < 2; edge++) {
        u32 id = SPI + edge;

        if (edge) {
            set_edge(id);
        }
        set(cpu0, ISENABLER, id);
        line(id, true);
        assert_int_equal(gcpu_peek(cpu0), id);
        set(cpu0, ICENABLER, id);
        assert_int_equal(ack(cpu0), GCPU_NONE);
        assert_true(get(cpu0, ISPENDR, id));
        set(cpu0, ISENABLER, id);
        assert_int_equal(ack(cpu0), id);
        set(cpu0, ICENABLER, id); /* now while it's active */
        assert_true(get(cpu0, ISACTIVER, id));
        line(id, false);
        eoi(cpu0, id);
        assert_false(get(cpu0, ISACTIVER, id));
        assert_false(get(cpu0, ISPENDR, id));
        set(cpu0, ISENABLER, id);
        assert_int_equal(ack(cpu0), GCPU_NONE);
    }
}

static void timer_is_linked_to_its_physical_interrupt(void **state)
{
    (void)state;
    gcpu_fire(cpu0, TIMER);
    gcpu_enter_all(&g);
    assert_int_equal(ack(cpu0), GCPU_NONE); /* not enabled: waits, and can't fire again */
    assert_true(cpu0->held[TIMER]);
    assert_true(get(cpu0, ISPENDR, TIMER));
    set(cpu0, ISENABLER, TIMER);
    assert_int_equal(ack(cpu0), TIMER);
    assert_true(cpu0->held[TIMER]);
    eoi(cpu0, TIMER);
    assert_false(cpu0->held[TIMER]);
    gcpu_fire(cpu0, TIMER);
    assert_int_equal(ack(cpu0), TIMER);
    eoi(cpu0, TIMER);
    assert_int_equal(cpu0->maintenance, 0);
    assert_int_equal(host_completes, 0);
}

static void sgi_reaches_its_targets(void **state)
{
    (void)state;
    sgi(cpu0, 5, 2);
    assert_int_equal(ack(cpu0), GCPU_NONE);
    assert_int_equal(take(cpu1), 5);
    sgi(cpu0, 6, 3);
    assert_int_equal(take(cpu0), 6);
    assert_int_equal(take(cpu1), 6);
    sgi(cpu1, 7, 2);
    assert_int_equal(take(cpu1), 7);
    assert_int_equal(take(cpu1), GCPU_NONE);
}

/* --- active and pending by register ------------------------------------------------------------
 */

static void pending_can_be_written(void **state)
{
    (void)state;
    set(cpu0, ISENABLER, SPI);
    set(cpu0, ISPENDR, SPI);
    assert_int_equal(gcpu_peek(cpu0), SPI);
    set(cpu0, ICPENDR, SPI);
    assert_int_equal(gcpu_peek(cpu0), GCPU_NONE);
    set(cpu0, ISPENDR, SPI);
    assert_int_equal(take(cpu0), SPI);
    assert_int_equal(take(cpu0), GCPU_NONE);
    line(SPI, true);
    set(cpu0, ICPENDR, SPI); /* the line wins */
    assert_true(get(cpu0, ISPENDR, SPI));
    assert_int_equal(ack(cpu0), SPI);
    set(cpu0, ISPENDR, SPI); /* once more, while it's active */
    line(SPI, false);
    eoi(cpu0, SPI);
    assert_int_equal(take(cpu0), SPI);
    assert_int_equal(take(cpu0), GCPU_NONE);
}

static void an_interrupt_that_is_made_active_waits(void **state)
{
    (void)state;
    set(cpu0, ISENABLER, SPI);
    set(cpu0, ISACTIVER, SPI);
    line(SPI, true);
    assert_true(get(cpu0, ISACTIVER, SPI));
    assert_int_equal(ack(cpu0), GCPU_NONE);
    set(cpu0, ICACTIVER, SPI);
    assert_false(get(cpu0, ISACTIVER, SPI));
    assert_int_equal(ack(cpu0), SPI);
    set(cpu0, ICACTIVER, SPI); /* under the guest's hands; the line is still up */
    assert_int_equal(gcpu_peek(cpu0), GCPU_NONE); /* its priority has not dropped */
    eoi(cpu0, SPI);
    assert_int_equal(ack(cpu0), SPI);
}

static void made_active_while_listed(void **state)
{
    (void)state;
    set(cpu0, ISENABLER, SPI);
    line(SPI, true);
    assert_int_equal(gcpu_peek(cpu0), SPI);
    set(cpu0, ISACTIVER, SPI);
    assert_int_equal(gcpu_peek(cpu0), GCPU_NONE);
    assert_true(get(cpu0, ISPENDR, SPI));
    set(cpu0, ICACTIVER, SPI);
    assert_int_equal(ack(cpu0), SPI);
}

/* --- WFI, reset, off and on ---------------------------------------------------------------------
 */

static void what_is_pending_ends_a_wfi(void **state)
{
    const struct irqchip *chip = g.vm.irqchip;

    (void)state;
    assert_false(chip->pending(&cpu0->vcpu));
    line(SPI, true);
    assert_false(chip->pending(&cpu0->vcpu)); /* disabled */
    set(cpu0, ISENABLER, SPI);
    assert_true(chip->pending(&cpu0->vcpu));
    assert_false(chip->pending(&cpu1->vcpu));
    assert_int_equal(gcpu_ack(cpu0), SPI);
    assert_false(chip->pending(&cpu0->vcpu)); /* seen though no update came between */
    gcpu_eoi(cpu0, SPI);
    assert_true(chip->pending(&cpu0->vcpu)); /* its line is up: it has to be looked at */
    gcpu_enter_all(&g);
    assert_true(chip->pending(&cpu0->vcpu));
}

static void reset_forgets_all_but_the_lines(void **state)
{
    (void)state;
    set(cpu0, ISENABLER, TIMER);
    set(cpu0, ISENABLER, SPI);
    set_prio(cpu0, SPI, 0x40);
    gcpu_fire(cpu0, TIMER);
    line(SPI, true);
    assert_int_equal(ack(cpu0), TIMER);
    sgi(cpu1, 3, 1);
    g.vm.irqchip->reset(&g.vm);
    cpu0->depth = 0;
    gcpu_enter_all(&g);
    assert_int_equal(gcpu_peek(cpu0), GCPU_NONE);
    assert_false(cpu0->held[TIMER]);
    assert_int_equal(gcpu_read(cpu0, GCPU_GICD, 4) & 3, 0);
    assert_false(get(cpu0, ISENABLER, SPI));
    assert_false(get(cpu0, ISACTIVER, TIMER));
    assert_false(get(cpu0, ISPENDR, 3));
    assert_true(get(cpu0, ISPENDR, SPI));
    assert_int_equal(gcpu_read(cpu0, reg(cpu0, IPRIORITYR, SPI), 1), 0);
    assert_false(g.vm.irqchip->pending(&cpu0->vcpu));
}

static void private_state_outlives_cpu_off(void **state)
{
    (void)state;
    set(cpu1, ISENABLER, PPI);
    set_prio(cpu1, PPI, 0x40);
    sgi(cpu0, 4, 2);
    gcpu_stop(cpu1);
    sgi(cpu0, 5, 2); /* for when it comes back */
    gcpu_restart(cpu1);
    gcpu_enter_all(&g);
    assert_true(get(cpu1, ISENABLER, PPI));
    assert_int_equal(gcpu_read(cpu1, reg(cpu1, IPRIORITYR, PPI), 1), 0x40);
    assert_int_equal(take(cpu1), 4);
    assert_int_equal(take(cpu1), 5);
}

/* A write that concerns the own list registers takes effect before the guest runs on. */
static void own_writes_take_effect_at_once(void **state)
{
    (void)state;
    set(cpu0, ISENABLER, SPI);
    line(SPI, true);
    gcpu_write(cpu0, reg(cpu0, ICENABLER, SPI), 4, BIT(SPI % 32));
    assert_int_equal(gcpu_peek(cpu0), GCPU_NONE);
    gcpu_write(cpu0, reg(cpu0, ISENABLER, SPI), 4, BIT(SPI % 32));
    assert_int_equal(gcpu_peek(cpu0), SPI);
}

/* Whoever disables an interrupt and waits until it's inactive is not told so too early. */
static void disabled_and_listed_elsewhere_counts_as_active(void **state)
{
    (void)state;
    set_edge(SPI); /* so that its end is no maintenance interrupt */
    target(SPI, 1);
    set(cpu0, ISENABLER, SPI);
    line(SPI, true);
    assert_int_equal(gcpu_ack(cpu1), SPI); /* nobody has seen that yet */
    gcpu_write(cpu0, reg(cpu0, ICENABLER, SPI), 4, BIT(SPI % 32));
    assert_true(get(cpu0, ISACTIVER, SPI));
    gcpu_enter(cpu1);
    assert_true(get(cpu0, ISACTIVER, SPI));
    gcpu_eoi(cpu1, SPI); /* no trap for that */
    (void)get(cpu0, ISACTIVER, SPI);
    gcpu_enter(cpu1); /* it was asked to look */
    assert_false(get(cpu0, ISACTIVER, SPI));
}

static void bad_numbers_are_ignored(void **state)
{
    const struct irqchip *chip = g.vm.irqchip;

    (void)state;
    chip->set_line(&g.vm, NULL, 0, true);
    chip->set_line(&g.vm, NULL, 31, true);
    chip->set_line(&g.vm, NULL, 288, true);
    chip->set_line(&g.vm, NULL, 1023, true);
    chip->set_line(&g.vm, &cpu0->vcpu, 32, true);
    gcpu_enter_all(&g);
    assert_int_equal(gcpu_read(cpu0, GCPU_GICD + ISPENDR + 4, 4), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(level_interrupt_follows_its_line),
        BOTH(end_of_quiet_level_interrupt_needs_no_maintenance),
        BOTH(level_risen_again_while_active_comes_again),
        BOTH(line_dropped_before_acknowledge_is_retracted),
        BOTH(edge_is_remembered_after_the_line_fell),
        BOTH(disabled_while_pending_stays_pending),
        BOTH(timer_is_linked_to_its_physical_interrupt),
        BOTH(sgi_reaches_its_targets),
        BOTH(pending_can_be_written),
        BOTH(an_interrupt_that_is_made_active_waits),
        BOTH(made_active_while_listed),
        BOTH(what_is_pending_ends_a_wfi),
        BOTH(reset_forgets_all_but_the_lines),
        BOTH(private_state_outlives_cpu_off),
        BOTH(own_writes_take_effect_at_once),
        BOTH(disabled_and_listed_elsewhere_counts_as_active),
        BOTH(bad_numbers_are_ignored),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
