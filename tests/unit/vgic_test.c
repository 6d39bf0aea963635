/* SPDX-License-Identifier: MIT */
/*
 * The vGIC's state and list registers, for GICv2 and GICv3 alike: what a guest CPU sees when it
 * enables, acknowledges and ends interrupts, with few list registers and with many interrupts.
 */
#include "arch/host/arch.h"
#include "core/atomic.h"
#include "tests/host/gcpu.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Offsets that distributor and redistributor's SGI frame have in common */
enum {
    CTLR = 0x000,
    IGROUPR = 0x080,
    ISENABLER = 0x100,
    ICENABLER = 0x180,
    ISPENDR = 0x200,
    ICPENDR = 0x280,
    ISACTIVER = 0x300,
    ICACTIVER = 0x380,
    IPRIORITYR = 0x400,
    ITARGETSR = 0x800,
    ICFGR = 0xc00,
    IROUTER = 0x6000,
};

#define TIMER 27u
#define PPI   20u
#define SPI   45u
#define LAST  287u

static struct gcpu_vm g;
static u32 version;
static struct gcpu *const cpu0 = &g.cpu[0], *const cpu1 = &g.cpu[1];

/* --- small words ----------------------------------------------------------------------------- */

/* Where the register of `kind` for interrupt id of vCPU c is. */
static u64 reg(const struct gcpu *c, u32 kind, u32 id)
{
    u64 base = GCPU_GICD;

    if (version == 3 && id < IRQ_PRIVATE) {
        base = GCPU_GICR + c->vcpu.id * GCPU_STRIDE + GCPU_SGIS;
    }
    return base + kind + (kind == IPRIORITYR ? id : id / 32 * 4);
}

static void set(struct gcpu *c, u32 kind, u32 id)
{
    gcpu_write(c, reg(c, kind, id), 4, BIT(id % 32));
    gcpu_enter_all(&g);
}

static bool get(struct gcpu *c, u32 kind, u32 id)
{
    return (gcpu_read(c, reg(c, kind, id), 4) >> (id % 32) & 1) != 0;
}

static void set_prio(struct gcpu *c, u32 id, u32 prio)
{
    gcpu_write(c, reg(c, IPRIORITYR, id), 1, prio);
    gcpu_enter_all(&g);
}

static void set_edge(u32 id)
{
    u64 at = GCPU_GICD + ICFGR + id / 16 * 4;

    gcpu_write(cpu0, at, 4, gcpu_read(cpu0, at, 4) | BIT(id % 16 * 2 + 1));
}

static void target(u32 id, u32 cpu)
{
    if (version == 3) {
        gcpu_write(cpu0, GCPU_GICD + IROUTER + 8 * id, 8, cpu);
    } else {
        gcpu_write(cpu0, GCPU_GICD + ITARGETSR + id, 1, BIT(cpu));
    }
    gcpu_enter_all(&g);
}

static void line(u32 id, bool level)
{
    g.vm.irqchip->set_line(&g.vm, NULL, id, level);
    gcpu_enter_all(&g);
}

/* SGI id to the vCPUs in the mask */
static void sgi(struct gcpu *c, u32 id, u32 targets)
{
    if (version == 3) {
        g.vm.irqchip->sgi(&c->vcpu, (u64)id << 24 | targets);
    } else {
        gcpu_write(c, GCPU_GICD + 0xf00, 4, targets << 16 | id);
    }
    gcpu_enter_all(&g);
}

/* What c acknowledges now, without the sender of an SGI. */
static u32 ack(struct gcpu *c)
{
    u32 iar;

    gcpu_enter_all(&g);
    iar = gcpu_ack(c);
    gcpu_enter_all(&g);
    return iar;
}

static void eoi(struct gcpu *c, u32 iar)
{
    gcpu_eoi(c, iar);
    gcpu_enter_all(&g);
}

/* Acknowledged and ended at once. */
static u32 take(struct gcpu *c)
{
    u32 iar = ack(c);

    if (iar != GCPU_NONE) {
        eoi(c, iar);
    }
    return iar & 0x3ff;
}

static void start(u32 v, u32 ncpus)
{
    version = v;
    host_completes = 0;
    gcpu_create(&g, v, ncpus, 4);
    gcpu_write(cpu0, GCPU_GICD + CTLR, 4, 3);
    for (u32 id = IRQ_PRIVATE; id <= LAST && v == 2; id += 4) {
        gcpu_write(cpu0, GCPU_GICD + ITARGETSR + id, 4, 0x01010101);
    }
    for (u32 i = 0; i < ncpus; i++) {
        set(&g.cpu[i], ISENABLER, 0);
        gcpu_write(&g.cpu[i], reg(&g.cpu[i], ISENABLER, 0), 4, 0xffff);
    }
    gcpu_enter_all(&g);
}

static int start_v2(void **state)
{
    (void)state;
    start(2, 2);
    return 0;
}

static int start_v3(void **state)
{
    (void)state;
    start(3, 2);
    return 0;
}

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

#define BOTH(test) cmocka_unit_test_setup(test, start_v2), cmocka_unit_test_setup(test, start_v3)

int main(void)
{
    (void)cpu1;
    const struct CMUnitTest tests[] = {
        BOTH(level_interrupt_follows_its_line),
        BOTH(end_of_quiet_level_interrupt_needs_no_maintenance),
        BOTH(level_risen_again_while_active_comes_again),
        BOTH(line_dropped_before_acknowledge_is_retracted),
        BOTH(edge_is_remembered_after_the_line_fell),
        BOTH(disabled_while_pending_stays_pending),
        BOTH(timer_is_linked_to_its_physical_interrupt),
        BOTH(sgi_reaches_its_targets),
    };

    (void)set_prio;
    (void)target;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
