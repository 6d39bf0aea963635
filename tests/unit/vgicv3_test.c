/* SPDX-License-Identifier: MIT */
/*
 * Registers of the virtual GICv3: identification, affinity routing, redistributors, SGIs by system
 * register, access sizes, register-write-pending.
 */
#include "arch/host/arch.h"
#include "core/atomic.h"
#include "tests/host/gcpu.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define GICD     GCPU_GICD
#define RD(n)    (GCPU_GICR + (n)*GCPU_STRIDE)
#define SGI(n)   (RD(n) + GCPU_SGIS)
#define RWP      BIT(31)
#define ANY      BIT(31) /* GICD_IROUTER.Interrupt_Routing_Mode */
#define SPI      45u
#define ROUTE(n) (GICD + 0x6000 + 8 * (n))

static struct gcpu_vm g;

static u32 rd32(u64 addr)
{
    return (u32)gcpu_read(&g.cpu[0], addr, 4);
}

static void wr32(u64 addr, u32 value)
{
    gcpu_write(&g.cpu[0], addr, 4, value);
}

static u32 take(u32 cpu)
{
    u32 iar;

    gcpu_enter_all(&g);
    iar = gcpu_ack(&g.cpu[cpu]);
    if (iar != GCPU_NONE) {
        gcpu_eoi(&g.cpu[cpu], iar);
    }
    gcpu_enter_all(&g);
    return iar;
}

static void line(u32 id, bool level)
{
    g.vm.irqchip->set_line(&g.vm, NULL, id, level);
}

static void enable(u32 id)
{
    wr32(GICD + 0x100 + id / 32 * 4, BIT(id % 32));
}

static int start(void **state)
{
    (void)state;
    gcpu_create(&g, 3, 4, 4);
    wr32(GICD, 0x12);
    for (u32 cpu = 0; cpu < 4; cpu++) {
        gcpu_write(&g.cpu[cpu], SGI(cpu) + 0x100, 4, 0xffff);
    }
    gcpu_enter_all(&g);
    return 0;
}

static void identifies_itself(void **state)
{
    (void)state;
    assert_int_equal(rd32(GICD + 4) & 0x1f, 8);       /* 288 interrupts */
    assert_int_equal(rd32(GICD + 4) >> 5 & 7, 0);     /* CPUNumber: ARE only */
    assert_int_equal(rd32(GICD + 4) >> 16 & 3, 0);    /* neither LPIs nor message-based SPIs */
    assert_int_equal(rd32(GICD + 4) >> 19 & 0x1f, 9); /* 10 bits of INTID */
    assert_int_equal(rd32(GICD + 0xc), 0);            /* TYPER2 */
    assert_int_equal(rd32(GICD + 0x10), 0);           /* STATUSR */
    assert_int_equal(rd32(GICD + 8) & 0xfff, 0x43b);  /* IIDR */
    assert_int_equal(rd32(GICD + 0xffe8), 0x3b);      /* PIDR2 */
    assert_int_equal(rd32(GICD + 0xfff0), 0x0d);      /* CIDR0 */
    assert_int_equal(rd32(RD(0) + 0xffe8), 0x3b);
    assert_int_equal(rd32(RD(3) + 4) & 0xfff, 0x43b);
}

static void distributor_has_affinity_routing_for_good(void **state)
{
    (void)state;
    wr32(GICD, 0);
    assert_int_equal(rd32(GICD), 0x50); /* ARE, DS */
    wr32(GICD, 0xffffffff);
    assert_int_equal(rd32(GICD), 0x53);
    wr32(GICD + 0x100, 0xffffffff); /* private interrupts aren't seen here */
    assert_int_equal(rd32(GICD + 0x100), 0);
    gcpu_write(&g.cpu[0], GICD + 0x400, 1, 0xff);
    assert_int_equal(rd32(GICD + 0x400), 0);
    assert_int_equal(rd32(GICD + 0xc00), 0);
    wr32(GICD + 0x800 + SPI, 0xff); /* nor targets, nor GICv2's SGIs */
    assert_int_equal(rd32(GICD + 0x800 + 44), 0);
    wr32(GICD + 0xf00, 0x02000000);
    assert_int_equal(take(0), GCPU_NONE);
}

static void redistributors_tell_who_they_are(void **state)
{
    (void)state;
    for (u32 cpu = 0; cpu < 4; cpu++) {
        u64 typer = gcpu_read(&g.cpu[3], RD(cpu) + 8, 8);

        assert_int_equal(typer >> 32, cpu);
        assert_int_equal(typer >> 8 & 0xffff, cpu);
        assert_int_equal(typer & 0xff, cpu == 3 ? 0x10 : 0);
        assert_int_equal(rd32(RD(cpu) + 8), (u32)typer);
        assert_int_equal(rd32(RD(cpu) + 12), (u32)(typer >> 32));
    }
}

static void redistributor_wakes(void **state)
{
    (void)state;
    assert_int_equal(rd32(RD(1) + 0x14), 6);
    wr32(RD(1) + 0x14, 0);
    assert_int_equal(rd32(RD(1) + 0x14), 0);
    wr32(RD(1) + 0x14, 0xffffffff);
    assert_int_equal(rd32(RD(1) + 0x14), 6);
    assert_int_equal(rd32(RD(0) + 0x14), 6);
}

static void private_registers_are_each_vcpus_own(void **state)
{
    (void)state;
    wr32(SGI(2) + 0x100, BIT(27));
    assert_int_equal(rd32(SGI(2) + 0x100), BIT(27) | 0xffff);
    assert_int_equal(rd32(SGI(1) + 0x100), 0xffff);
    wr32(SGI(2) + 0x180, 0xff);
    assert_int_equal(rd32(SGI(2) + 0x180), BIT(27) | 0xff00);
    gcpu_write(&g.cpu[0], SGI(2) + 0x400 + 27, 1, 0xa7);
    assert_int_equal(gcpu_read(&g.cpu[2], SGI(2) + 0x400 + 27, 1), 0xa0);
    assert_int_equal(rd32(SGI(2) + 0x400 + 24), 0xa0000000);
    assert_int_equal(rd32(SGI(2) + 0xc00), 0xaaaaaaaa); /* SGIs: edge, read-only */
    wr32(SGI(2) + 0xc04, 0xffffffff);
    assert_int_equal(rd32(SGI(2) + 0xc04), 0); /* PPIs: level */
    assert_int_equal(rd32(SGI(2) + 0x104), 0); /* one word only */
    wr32(SGI(2) + 0x104, 0xffffffff);
    assert_int_equal(rd32(GICD + 0x104), 0);
    assert_int_equal(rd32(SGI(2) + 0xd00), 0); /* IGRPMODR */
}

static void sizes_other_than_the_registers_own_read_zero(void **state)
{
    (void)state;
    enable(SPI);
    assert_int_equal(rd32(GICD + 0x104), BIT(SPI % 32));
    assert_int_equal(gcpu_read(&g.cpu[0], GICD + 0x104, 1), 0);
    assert_int_equal(gcpu_read(&g.cpu[0], GICD + 0x104, 2), 0);
    assert_int_equal(gcpu_read(&g.cpu[0], GICD + 0x100, 8), 0);
    assert_int_equal(gcpu_read(&g.cpu[0], GICD + 0x106, 4), 0);
    gcpu_write(&g.cpu[0], GICD + 0x180, 8, ~0ull);
    gcpu_write(&g.cpu[0], GICD + 0x184, 2, 0xffff);
    assert_int_equal(rd32(GICD + 0x104), BIT(SPI % 32));
    assert_int_equal(gcpu_read(&g.cpu[0], GICD + 0x400 + 44, 2), 0);
    assert_int_equal(gcpu_read(&g.cpu[0], RD(0) + 4, 8), 0);
    assert_int_equal(gcpu_read(&g.cpu[0], RD(0) + 0x14, 1), 0);
}

static void routes_by_affinity(void **state)
{
    (void)state;
    enable(SPI);
    line(SPI, true);
    gcpu_write(&g.cpu[0], ROUTE(SPI), 8, 2);
    assert_int_equal(gcpu_read(&g.cpu[1], ROUTE(SPI), 8), 2);
    gcpu_enter_all(&g);
    assert_int_equal(gcpu_peek(&g.cpu[0]), GCPU_NONE);
    assert_int_equal(gcpu_peek(&g.cpu[2]), SPI);
    wr32(ROUTE(SPI), 3); /* while pending; the halves alone, too */
    gcpu_enter_all(&g);
    assert_int_equal(gcpu_peek(&g.cpu[2]), GCPU_NONE);
    assert_int_equal(gcpu_peek(&g.cpu[3]), SPI);
    wr32(ROUTE(SPI) + 4, 1); /* Aff3: there's no such vCPU, it stays pending */
    assert_int_equal(gcpu_read(&g.cpu[1], ROUTE(SPI), 8), 0x100000003);
    gcpu_enter_all(&g);
    assert_int_equal(gcpu_peek(&g.cpu[3]), GCPU_NONE);
    assert_int_equal(rd32(GICD + 0x204), BIT(SPI % 32));
    gcpu_write(&g.cpu[0], ROUTE(SPI), 8, ~0ull);
    assert_int_equal(gcpu_read(&g.cpu[1], ROUTE(SPI), 8), 0xff80ffffff);
    assert_int_equal(gcpu_read(&g.cpu[1], ROUTE(31), 8), 0);
    assert_int_equal(gcpu_read(&g.cpu[1], ROUTE(288), 8), 0);
}

static void routes_to_any_vcpu_that_is_on(void **state)
{
    (void)state;
    g.cpu[0].vcpu.state = VCPU_OFF;
    g.cpu[1].vcpu.state = VCPU_OFF;
    gcpu_write(&g.cpu[2], ROUTE(SPI), 8, ANY);
    enable(SPI);
    line(SPI, true);
    gcpu_enter_all(&g);
    assert_int_equal(gcpu_peek(&g.cpu[2]), SPI);
    gcpu_stop(&g.cpu[2]); /* goes off with it in a list register: it comes to who is left */
    gcpu_enter_all(&g);
    assert_int_equal(gcpu_peek(&g.cpu[2]), GCPU_NONE);
    assert_int_equal(gcpu_peek(&g.cpu[3]), SPI);
}

/* The one that it was routed to went off when nobody else was on. */
static void routes_anew_to_who_came_on_since(void **state)
{
    (void)state;
    for (u32 cpu = 1; cpu < 4; cpu++) {
        gcpu_stop(&g.cpu[cpu]);
    }
    gcpu_write(&g.cpu[0], ROUTE(SPI), 8, ANY);
    enable(SPI);
    gcpu_stop(&g.cpu[0]);
    gcpu_restart(&g.cpu[3]);
    line(SPI, true);
    gcpu_enter_all(&g);
    assert_int_equal(gcpu_peek(&g.cpu[3]), SPI);
}

static void sgi_register_names_its_targets(void **state)
{
    (void)state;
    gcpu_sgi(&g.cpu[0], 5ull << 24 | 0xe); /* list */
    assert_int_equal(take(0), GCPU_NONE);
    for (u32 cpu = 1; cpu < 4; cpu++) {
        assert_int_equal(take(cpu), 5);
        assert_int_equal(take(cpu), GCPU_NONE);
    }
    gcpu_sgi(&g.cpu[2], 6ull << 24 | BIT64(40) | 4); /* everybody else, whatever the list says */
    assert_int_equal(take(2), GCPU_NONE);
    assert_int_equal(take(0), 6);
    assert_int_equal(take(1), 6);
    assert_int_equal(take(3), 6);
    gcpu_sgi(&g.cpu[2], 7ull << 24 | 4); /* itself */
    assert_int_equal(take(2), 7);
    /* other clusters, another range of Aff0, vCPUs that there aren't */
    gcpu_sgi(&g.cpu[0], 8ull << 24 | 0xf | 1ull << 16);
    gcpu_sgi(&g.cpu[0], 8ull << 24 | 0xf | 1ull << 32);
    gcpu_sgi(&g.cpu[0], 8ull << 24 | 0xf | 1ull << 48);
    gcpu_sgi(&g.cpu[0], 8ull << 24 | 0xf | 1ull << 44);
    gcpu_sgi(&g.cpu[0], 8ull << 24 | 0xfff0);
    for (u32 cpu = 0; cpu < 4; cpu++) {
        assert_int_equal(take(cpu), GCPU_NONE);
    }
}

static void sgi_register_knows_clusters(void **state)
{
    (void)state;
    g.cpu[2].vcpu.mpidr = 0x0100000312; /* 1.0.3.18 */
    g.vm.irqchip->reset(&g.vm);
    wr32(GICD, 0x12);
    wr32(SGI(2) + 0x100, 0xffff);
    assert_int_equal(gcpu_read(&g.cpu[0], RD(2) + 8, 8) >> 32, 0x01000312);
    gcpu_sgi(&g.cpu[0], 9ull << 24 | BIT(2) | 3ull << 16 | 1ull << 48); /* range 0 */
    assert_int_equal(take(2), GCPU_NONE);
    gcpu_sgi(&g.cpu[0], 9ull << 24 | BIT(2) | 3ull << 16 | 1ull << 44 | 1ull << 48);
    assert_int_equal(take(2), 9);
    gcpu_write(&g.cpu[0], ROUTE(SPI), 8, 0x0100000312);
    enable(SPI);
    line(SPI, true);
    gcpu_enter_all(&g);
    assert_int_equal(gcpu_peek(&g.cpu[2]), SPI);
}

static void sgi_can_be_made_pending_by_register(void **state)
{
    (void)state;
    wr32(SGI(1) + 0x200, BIT(4));
    assert_int_equal(rd32(SGI(1) + 0x280), BIT(4));
    gcpu_enter_all(&g);
    assert_int_equal(rd32(SGI(1) + 0x280), BIT(4));
    wr32(SGI(1) + 0x280, BIT(4));
    assert_int_equal(rd32(SGI(1) + 0x280), 0);
    assert_int_equal(take(1), GCPU_NONE);
    wr32(SGI(1) + 0x200, BIT(4));
    assert_int_equal(take(1), 4);
}

/* RWP until the vCPU that has it listed has let go of it. */
static void disable_is_pending_until_it_took_effect(void **state)
{
    (void)state;
    gcpu_write(&g.cpu[0], ROUTE(SPI), 8, 1);
    enable(SPI);
    line(SPI, true);
    gcpu_enter_all(&g);
    assert_int_equal(gcpu_peek(&g.cpu[1]), SPI);
    wr32(GICD + 0x184, BIT(SPI % 32));
    assert_int_equal(rd32(GICD) & RWP, RWP);
    assert_true((g.cpu[1].vcpu.attention & VCPU_IRQ) != 0);
    gcpu_enter(&g.cpu[0]);
    assert_int_equal(rd32(GICD) & RWP, RWP);
    gcpu_enter(&g.cpu[1]);
    assert_int_equal(rd32(GICD) & RWP, 0);
    assert_int_equal(gcpu_peek(&g.cpu[1]), GCPU_NONE);
}

static void disable_does_not_wait_for_who_is_not_running(void **state)
{
    (void)state;
    gcpu_write(&g.cpu[0], ROUTE(SPI), 8, 1);
    enable(SPI);
    line(SPI, true);
    gcpu_enter_all(&g);
    pcpus[1].current = NULL; /* it's updated before it's run again */
    wr32(GICD + 0x184, BIT(SPI % 32));
    assert_int_equal(rd32(GICD) & RWP, 0);
    pcpus[1].current = &g.cpu[1].vcpu;
    gcpu_enter_all(&g);
    wr32(GICD, 0x10); /* groups off, with nothing listed anywhere */
    assert_int_equal(rd32(GICD) & RWP, 0);
}

static void private_disable_is_pending_in_the_redistributor(void **state)
{
    (void)state;
    gcpu_sgi(&g.cpu[0], 5ull << 24 | 2);
    gcpu_enter_all(&g);
    wr32(SGI(1) + 0x180, BIT(5));
    assert_int_equal(rd32(RD(1)), 8);
    assert_int_equal(rd32(RD(0)), 0);
    assert_int_equal(rd32(GICD) & RWP, 0);
    gcpu_enter(&g.cpu[1]);
    assert_int_equal(rd32(RD(1)), 0);
    assert_int_equal(rd32(SGI(1) + 0x200), BIT(5)); /* stays pending */
}

static void groups_are_enabled_apart(void **state)
{
    (void)state;
    wr32(SGI(0) + 0x80, ~BIT(3)); /* SGI 3: group 0 */
    gcpu_sgi(&g.cpu[0], 3ull << 24 | 1);
    assert_int_equal(take(0), GCPU_NONE);
    gcpu_sgi(&g.cpu[0], 4ull << 24 | 1);
    gcpu_enter_all(&g);
    assert_true(g.cpu[0].hw[0].group1);
    wr32(GICD, 0x11);
    gcpu_enter_all(&g);
    assert_int_equal(gcpu_peek(&g.cpu[0]), 3);
    assert_int_equal(take(0), 3);
    assert_int_equal(take(0), GCPU_NONE);
    wr32(GICD, 0x13);
    assert_int_equal(take(0), 4);
}

/* Windows end where they should; nothing there ends the world. */
static void every_offset_can_be_accessed(void **state)
{
    (void)state;
    for (u64 at = 0; at < 0x10000; at += 4) {
        (void)rd32(GICD + at);
        wr32(GICD + at, 0xffffffff);
        (void)gcpu_read(&g.cpu[1], GICD + at, 8);
    }
    for (u64 at = 0; at < 4 * GCPU_STRIDE; at += 4) {
        (void)rd32(RD(0) + at);
        wr32(RD(0) + at, 0xffffffff);
        (void)gcpu_read(&g.cpu[1], RD(0) + at, 1);
    }
    gcpu_enter_all(&g);
    assert_int_equal(rd32(GICD + 0x0a0), 0xffffffff); /* IGROUPR8, of the last 32 SPIs */
    assert_int_equal(rd32(GICD + 0x0a4), 0);
    assert_int_equal(rd32(RD(4)), 0xffffffff); /* nobody's */
}

#define TEST(name) cmocka_unit_test_setup(name, start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(identifies_itself),
        TEST(distributor_has_affinity_routing_for_good),
        TEST(redistributors_tell_who_they_are),
        TEST(redistributor_wakes),
        TEST(private_registers_are_each_vcpus_own),
        TEST(sizes_other_than_the_registers_own_read_zero),
        TEST(routes_by_affinity),
        TEST(routes_to_any_vcpu_that_is_on),
        TEST(routes_anew_to_who_came_on_since),
        TEST(sgi_register_names_its_targets),
        TEST(sgi_register_knows_clusters),
        TEST(sgi_can_be_made_pending_by_register),
        TEST(disable_is_pending_until_it_took_effect),
        TEST(disable_does_not_wait_for_who_is_not_running),
        TEST(private_disable_is_pending_in_the_redistributor),
        TEST(groups_are_enabled_apart),
        TEST(every_offset_can_be_accessed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
