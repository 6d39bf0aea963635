/* SPDX-License-Identifier: MIT */
/* The gic guest: software-generated interrupts, between CPUs and to oneself. */
#include "tests/guests/gic/gic_test.h"
#include "tests/guests/lib/atomic.h"
#include "tests/guests/lib/cpu.h"
#include "tests/guests/lib/gic.h"
#include "tests/guests/lib/io.h"
#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/sysreg.h"
#include "tests/guests/lib/test.h"
#include "tests/guests/lib/timer.h"

enum { SGIS = 15, QUIET_US = 1000 };

void sgi_self(void)
{
    log_reset();
    for (uint32_t sgi = 0; sgi < 16; sgi++) {
        gic_send_sgi_self(sgi);
        expect_one("SGI to itself", sgi);
        if (platform.gic_version == 2) {
            io_write32(platform.gicd.base + GICD_SGIR, 1u << 16 | sgi);
            expect_one("SGI to CPU 0 by its number", sgi);
        }
    }
}

void sgi_targeted(void)
{
    uint32_t cpus;

    log_reset();
    cpus = listeners_start();
    for (uint32_t cpu = 1; cpu < cpus; cpu++) {
        for (uint32_t sgi = 0; sgi < SGIS; sgi++) {
            log_clear(cpu);
            gic_send_sgi(cpu, sgi);
            test_check(log_wait_cpu(cpu, 1), "SGI %u does not reach CPU %u", sgi, cpu);
            test_equal("INTID", gic_intid(log_of(cpu)->iar[0]), sgi);
        }
    }
    log_clear(0);
    timer_delay(QUIET_US);
    expect_none("SGIs for others");
    listeners_stop();
    test_check(true, "one CPU");
}

void sgi_broadcast(void)
{
    uint32_t cpus;

    log_reset();
    cpus = listeners_start();
    for (uint32_t sgi = 0; sgi < SGIS; sgi++) {
        for (uint32_t cpu = 1; cpu < cpus; cpu++) {
            log_clear(cpu);
        }
        gic_send_sgi_others(sgi);
        for (uint32_t cpu = 1; cpu < cpus; cpu++) {
            test_check(log_wait_cpu(cpu, 1), "SGI %u does not reach CPU %u", sgi, cpu);
        }
        expect_none("broadcast to others");
    }
    timer_delay(QUIET_US);
    for (uint32_t cpu = 1; cpu < cpus; cpu++) {
        test_equal("SGIs taken", atomic_load(&log_of(cpu)->count), 1);
    }
    listeners_stop();
}

/* To CPUs that do not exist, or are off: no effect, no hang. */
void sgi_absent(void)
{
    log_reset();
    if (platform.gic_version == 2) {
        if (platform.cpu_count < 8) {
            io_write32(platform.gicd.base + GICD_SGIR, 1u << 23 | 3);
        }
        io_write32(platform.gicd.base + GICD_SGIR, 3);            /* no target at all */
        io_write32(platform.gicd.base + GICD_SGIR, 3u << 24 | 3); /* reserved filter */
    } else {
        sysreg_write("S3_0_C12_C11_5", 0xffull << 48 | 1 | 3 << 24); /* Aff3 = 255 */
        sysreg_write("S3_0_C12_C11_5", 0xffull << 16 | 1 | 3 << 24); /* Aff1 = 255 */
        sysreg_write("S3_0_C12_C11_5", 3 << 24);                     /* no target at all */
        isb();
    }
    expect_none("SGI to absent CPUs");
    gic_send_sgi_self(3);
    expect_one("afterwards", 3);
}

static void send_to_0(uint64_t sgi)
{
    gic_cpu_init();
    gic_send_sgi(0, (uint32_t)sgi);
}

/* Banked by source on GICv2: two interrupts; one on GICv3. */
void sgi_two_sources(void)
{
    uint32_t expected = platform.gic_version == 2 ? 2 : 1;
    const struct irq_log *log = log_of(0);

    log_reset();
    if (platform.cpu_count < 2) {
        test_skip("one CPU");
        return;
    }
    cpu_start_all();
    cpu_run(1, send_to_0, 5);
    cpu_wait(1);
    gic_send_sgi_self(5);
    log_wait(expected);
    log_settle();
    test_equal("SGIs taken", log->count, expected);
    if (platform.gic_version == 2 && log->count == 2) {
        test_equal("sources", (1u << (log->iar[0] >> 10 & 7)) | (1u << (log->iar[1] >> 10 & 7)), 3);
    }
}

static void pending_registers_v2(void)
{
    uint64_t set = platform.gicd.base + GICD_SPENDSGIR;
    uint64_t clear = platform.gicd.base + GICD_CPENDSGIR;

    io_write8(set + 5, 1);
    test_equal("SPENDSGIR", io_read8(set + 5), 1);
    test_equal("CPENDSGIR", io_read8(clear + 5), 1);
    test_check(gic_bit(GICD_ISPENDR, 5), "ISPENDR does not show it");
    io_write8(clear + 5, 1);
    test_equal("cleared", io_read8(set + 5), 0);
    expect_none("cleared");
    io_write8(set + 5, 1);
    expect_one("by SPENDSGIR", 5);
    gic_set_bit(GICD_ISPENDR, 6); /* read-only for SGIs on GICv2 */
    expect_none("ISPENDR of an SGI");
}

static void pending_registers_v3(void)
{
    gic_set_bit(GICD_ISPENDR, 5);
    test_check(gic_bit(GICD_ISPENDR, 5), "ISPENDR does not hold");
    gic_set_bit(GICD_ICPENDR, 5);
    test_check(!gic_bit(GICD_ISPENDR, 5), "ICPENDR does not clear");
    expect_none("cleared");
    gic_set_bit(GICD_ISPENDR, 5);
    expect_one("by ISPENDR", 5);
}

void sgi_pending_registers(void)
{
    log_reset();
    if (platform.gic_version == 2) {
        pending_registers_v2();
    } else {
        pending_registers_v3();
    }
    gic_send_sgi_self(7);
    test_check(gic_bit(GICD_ISPENDR, 7), "a sent SGI is not pending");
    gic_set_mask(0);
    expect_none("masked");
    gic_set_mask(0xff);
    expect_one("unmasked", 7);
}

/* The zeros of a word write mean nothing.  (QEMU 10.0's own GICv2 dies of this.) */
void sgi_pending_word(void)
{
    log_reset();
    if (platform.gic_version != 2) {
        test_skip("no SPENDSGIR");
        return;
    }
    io_write32(platform.gicd.base + GICD_SPENDSGIR + 4, 1u << 8);
    expect_one("by a word of SPENDSGIR", 5);
}
