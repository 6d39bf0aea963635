/* SPDX-License-Identifier: MIT */
/*
 * Registers of the virtual GICv2: identification, targets, SGIs and their senders, access sizes.
 */
#include "arch/host/arch.h"
#include "core/atomic.h"
#include "tests/host/gcpu.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define GICD      GCPU_GICD
#define SGIR      (GICD + 0xf00)
#define CPENDSGIR (GICD + 0xf10)
#define SPENDSGIR (GICD + 0xf20)
#define OTHERS    (1u << 24) /* GICD_SGIR.TargetListFilter */
#define ITSELF    (2u << 24)
#define SPI       45u

static struct gcpu_vm g;

static u32 rd(u32 cpu, u64 addr, u32 size)
{
    return (u32)gcpu_read(&g.cpu[cpu], addr, size);
}

static void wr(u32 cpu, u64 addr, u32 size, u32 value)
{
    gcpu_write(&g.cpu[cpu], addr, size, value);
}

static u32 ack(u32 cpu)
{
    u32 iar;

    gcpu_enter_all(&g);
    iar = gcpu_ack(&g.cpu[cpu]);
    gcpu_enter_all(&g);
    return iar;
}

static u32 take(u32 cpu)
{
    u32 iar = ack(cpu);

    if (iar != GCPU_NONE) {
        gcpu_eoi(&g.cpu[cpu], iar);
    }
    gcpu_enter_all(&g);
    return iar;
}

static u32 from(u32 sender, u32 id)
{
    return sender << 10 | id;
}

static int start(void **state)
{
    (void)state;
    gcpu_create(&g, 2, 4, 4);
    wr(0, GICD, 4, 1);
    gcpu_enter_all(&g);
    return 0;
}

static int start_alone(void **state)
{
    (void)state;
    gcpu_create(&g, 2, 1, 4);
    wr(0, GICD, 4, 1);
    gcpu_enter_all(&g);
    return 0;
}

static void identifies_itself(void **state)
{
    (void)state;
    assert_int_equal(rd(0, GICD + 4, 4), 3 << 5 | 8); /* 4 CPUs, 288 interrupts, no security */
    assert_int_equal(rd(0, GICD + 8, 4) & 0xfff, 0x43b);
    assert_int_equal(rd(0, GICD + 0xfe8, 4), 0x2b);
    assert_int_equal(rd(0, GICD + 0xfd0, 4), 0x04);
    assert_int_equal(rd(0, GICD + 0xff0, 4), 0x0d);
    assert_int_equal(rd(0, GICD + 0xffc, 4), 0xb1);
    assert_int_equal(rd(0, GICD + 0xfcc, 4), 0);
    assert_int_equal(rd(0, GICD + 0xe00, 4), 0); /* NSACR */
    wr(0, GICD, 4, 0xffffffff);
    assert_int_equal(rd(0, GICD, 4), 3);
}

static void each_vcpu_finds_itself_in_its_own_targets(void **state)
{
    (void)state;
    for (u32 cpu = 0; cpu < 4; cpu++) {
        u32 bit = BIT(cpu);

        wr(cpu, GICD + 0x800, 4, 0);
        assert_int_equal(rd(cpu, GICD + 0x800, 4), bit | bit << 8 | bit << 16 | bit << 24);
        assert_int_equal(rd(cpu, GICD + 0x81f, 1), bit);
    }
}

static void targets_are_bytes(void **state)
{
    (void)state;
    assert_int_equal(rd(0, GICD + 0x800 + 44, 4), 0);
    wr(0, GICD + 0x800 + SPI, 1, 0xff);
    assert_int_equal(rd(0, GICD + 0x800 + 44, 4), 0x0f00); /* only vCPUs that there are */
    wr(0, GICD + 0x800 + 44, 4, 0x01020408);
    assert_int_equal(rd(0, GICD + 0x800 + SPI, 1), 4);
    assert_int_equal(rd(0, GICD + 0x800 + 47, 1), 1);
    assert_int_equal(rd(0, GICD + 0x800 + 44, 2), 0);
    wr(0, GICD + 0x800 + 44, 2, 0xffff);
    assert_int_equal(rd(0, GICD + 0x800 + 44, 4), 0x01020408);
    assert_int_equal(rd(0, GICD + 0x800 + 288, 4), 0);
    wr(0, GICD + 0x800 + 288, 4, 0xffffffff);
    assert_int_equal(rd(0, GICD + 0x800 + 288, 4), 0);
}

static void a_pending_spi_moves_with_its_target(void **state)
{
    (void)state;
    wr(0, GICD + 0x104, 4, BIT(SPI % 32));
    g.vm.irqchip->set_line(&g.vm, NULL, SPI, true);
    gcpu_enter_all(&g);
    for (u32 cpu = 0; cpu < 4; cpu++) {
        assert_int_equal(gcpu_peek(&g.cpu[cpu]), GCPU_NONE); /* no target yet */
    }
    wr(0, GICD + 0x800 + SPI, 1, 1);
    gcpu_enter_all(&g);
    assert_int_equal(gcpu_peek(&g.cpu[0]), SPI);
    wr(0, GICD + 0x800 + SPI, 1, 8);
    gcpu_enter_all(&g);
    assert_int_equal(gcpu_peek(&g.cpu[0]), GCPU_NONE);
    assert_int_equal(gcpu_peek(&g.cpu[3]), SPI);
    assert_int_equal(ack(3), SPI);
    wr(0, GICD + 0x800 + SPI, 1, 1); /* while active: it ends where it was acknowledged */
    gcpu_enter_all(&g);
    assert_int_equal(gcpu_peek(&g.cpu[0]), GCPU_NONE);
    gcpu_eoi(&g.cpu[3], SPI);
    gcpu_enter_all(&g);
    assert_int_equal(gcpu_peek(&g.cpu[3]), GCPU_NONE);
    assert_int_equal(gcpu_peek(&g.cpu[0]), SPI);
}

static void with_several_targets_one_gets_it(void **state)
{
    u32 seen = 0;

    (void)state;
    wr(0, GICD + 0x104, 4, BIT(SPI % 32));
    g.cpu[1].vcpu.state = VCPU_OFF;
    wr(0, GICD + 0x800 + SPI, 1, 0x6);
    g.vm.irqchip->set_line(&g.vm, NULL, SPI, true);
    gcpu_enter_all(&g);
    for (u32 cpu = 0; cpu < 4; cpu++) {
        seen |= gcpu_peek(&g.cpu[cpu]) == SPI ? BIT(cpu) : 0;
    }
    assert_int_equal(seen, BIT(2)); /* the one that is on */
}

static void one_cpu_is_everything_s_target(void **state)
{
    (void)state;
    assert_int_equal(rd(0, GICD + 4, 4), 8);
    assert_int_equal(rd(0, GICD + 0x800, 4), 0x01010101);
    assert_int_equal(rd(0, GICD + 0x800 + 44, 4), 0x01010101);
    wr(0, GICD + 0x800 + 44, 4, 0);
    wr(0, GICD + 0x104, 4, BIT(SPI % 32));
    g.vm.irqchip->set_line(&g.vm, NULL, SPI, true);
    assert_int_equal(ack(0), SPI);
}

static void sgis_go_where_the_filter_says(void **state)
{
    (void)state;
    wr(1, SGIR, 4, 0x0d << 16 | 3);
    assert_int_equal(take(1), GCPU_NONE);
    assert_int_equal(take(0), from(1, 3));
    assert_int_equal(take(2), from(1, 3));
    assert_int_equal(take(3), from(1, 3));
    wr(2, SGIR, 4, OTHERS | 0xff << 16 | 4);
    assert_int_equal(take(2), GCPU_NONE);
    assert_int_equal(take(0), from(2, 4));
    assert_int_equal(take(1), from(2, 4));
    assert_int_equal(take(3), from(2, 4));
    wr(2, SGIR, 4, ITSELF | 5);
    assert_int_equal(take(2), from(2, 5));
    wr(2, SGIR, 4, 3u << 24 | 0xff << 16 | 6); /* reserved */
    wr(2, SGIR, 4, 0xf0 << 16 | 6);            /* nobody */
    wr(2, SGIR, 1, ITSELF | 6);                /* a word only */
    for (u32 cpu = 0; cpu < 4; cpu++) {
        assert_int_equal(take(cpu), GCPU_NONE);
    }
}

static void each_sender_counts(void **state)
{
    u32 seen = 0;

    (void)state;
    for (u32 cpu = 0; cpu < 4; cpu++) {
        wr(cpu, SGIR, 4, 1 << 16 | 7);
        wr(cpu, SGIR, 4, 1 << 16 | 7); /* twice is once */
    }
    gcpu_enter_all(&g);
    assert_int_equal(rd(0, CPENDSGIR + 7, 1), 0xf);
    assert_int_equal(rd(0, SPENDSGIR + 4, 4), 0x0f000000);
    for (u32 i = 0; i < 4; i++) {
        u32 iar = take(0);

        assert_int_equal(iar & 0x3ff, 7);
        seen |= BIT(iar >> 10);
    }
    assert_int_equal(seen, 0xf);
    assert_int_equal(take(0), GCPU_NONE);
    assert_int_equal(rd(0, CPENDSGIR + 7, 1), 0);
}

static void a_sender_s_sgi_can_come_again_while_active(void **state)
{
    u32 iar;

    (void)state;
    wr(1, SGIR, 4, 1 << 16 | 7);
    iar = ack(0);
    assert_int_equal(iar, from(1, 7));
    wr(1, SGIR, 4, 1 << 16 | 7);
    wr(2, SGIR, 4, 1 << 16 | 7);
    gcpu_enter_all(&g);
    assert_int_equal(rd(0, CPENDSGIR + 7, 1), 6);
    assert_int_equal(ack(0), GCPU_NONE);
    gcpu_eoi(&g.cpu[0], iar);
    assert_int_not_equal(take(0), GCPU_NONE);
    assert_int_not_equal(take(0), GCPU_NONE);
    assert_int_equal(take(0), GCPU_NONE);
}

static void sgis_are_made_pending_and_not_by_their_own_registers(void **state)
{
    (void)state;
    wr(0, GICD + 0x200, 4, 0xffff); /* ISPENDR0: read-only for SGIs */
    assert_int_equal(rd(0, GICD + 0x200, 4), 0);
    wr(0, SPENDSGIR + 4, 4, 0x00ff0500); /* SGI 5 from 0 and 2, SGI 6 from all */
    assert_int_equal(rd(0, CPENDSGIR + 4, 4), 0x000f0500);
    assert_int_equal(rd(0, GICD + 0x200, 4), BIT(5) | BIT(6));
    assert_int_equal(rd(1, CPENDSGIR + 4, 4), 0); /* each vCPU's own */
    gcpu_enter_all(&g);
    assert_int_equal(rd(0, CPENDSGIR + 4, 4), 0x000f0500); /* also when listed */
    wr(0, GICD + 0x280, 4, 0xffff);
    assert_int_equal(rd(0, GICD + 0x200, 4), BIT(5) | BIT(6));
    wr(0, CPENDSGIR + 6, 1, 0xff);
    wr(0, CPENDSGIR + 5, 1, 1);
    gcpu_enter_all(&g);
    assert_int_equal(rd(0, CPENDSGIR + 4, 4), 0x00000400);
    assert_int_equal(take(0), from(2, 5));
    assert_int_equal(take(0), GCPU_NONE);
    assert_int_equal(rd(0, SGIR, 4), 0); /* write-only */
}

static void sgis_are_always_enabled(void **state)
{
    (void)state;
    assert_int_equal(rd(3, GICD + 0x100, 4), 0xffff);
    wr(3, GICD + 0x180, 4, 0xffffffff);
    assert_int_equal(rd(3, GICD + 0x100, 4), 0xffff);
}

static void group_0_is_signalled_by_its_own_enable(void **state)
{
    (void)state;
    wr(0, GICD + 0x080, 4, BIT(3));
    assert_int_equal(rd(0, GICD + 0x080, 4), BIT(3));
    assert_int_equal(rd(1, GICD + 0x080, 4), 0);
    wr(0, SGIR, 4, ITSELF | 3);
    assert_int_equal(take(0), GCPU_NONE);
    wr(0, GICD, 4, 2);
    gcpu_enter_all(&g);
    assert_true(g.cpu[0].hw[0].group1);
    assert_int_equal(take(0), 3);
}

static void configuration_is_the_spis_own(void **state)
{
    (void)state;
    assert_int_equal(rd(0, GICD + 0xc00, 4), 0xaaaaaaaa);
    wr(0, GICD + 0xc00, 4, 0);
    assert_int_equal(rd(0, GICD + 0xc00, 4), 0xaaaaaaaa);
    wr(0, GICD + 0xc04, 4, 0xffffffff);
    assert_int_equal(rd(0, GICD + 0xc04, 4), 0);
    wr(0, GICD + 0xc08, 4, 0xffffffff);
    assert_int_equal(rd(0, GICD + 0xc08, 4), 0xaaaaaaaa);
    wr(0, GICD + 0xc0c, 4, 0x00080000);
    assert_int_equal(rd(0, GICD + 0xc0c, 4), 0x00080000);
    assert_int_equal(rd(0, GICD + 0xc48, 4), 0);
}

static void every_offset_can_be_accessed(void **state)
{
    static const u8 sizes[] = {1, 2, 4, 8};

    (void)state;
    for (u32 at = 0; at < 0x10000; at++) {
        u32 size = sizes[at % 4];

        (void)rd(at % 4, GICD + MIN(at, 0x10000 - size), size);
        wr(at % 4, GICD + MIN(at, 0x10000 - size), size, 0xffffffff);
    }
    gcpu_enter_all(&g);
    assert_int_equal(rd(0, GICD + 0x10000 - 0x18, 4), 0); /* nothing behind the first page */
}

#define TEST(name) cmocka_unit_test_setup(name, start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(identifies_itself),
        TEST(each_vcpu_finds_itself_in_its_own_targets),
        TEST(targets_are_bytes),
        TEST(a_pending_spi_moves_with_its_target),
        TEST(with_several_targets_one_gets_it),
        cmocka_unit_test_setup(one_cpu_is_everything_s_target, start_alone),
        TEST(sgis_go_where_the_filter_says),
        TEST(each_sender_counts),
        TEST(a_sender_s_sgi_can_come_again_while_active),
        TEST(sgis_are_made_pending_and_not_by_their_own_registers),
        TEST(sgis_are_always_enabled),
        TEST(group_0_is_signalled_by_its_own_enable),
        TEST(configuration_is_the_spis_own),
        TEST(every_offset_can_be_accessed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
