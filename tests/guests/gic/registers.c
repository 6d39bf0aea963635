/* SPDX-License-Identifier: MIT */
/*
 * The gic guest: registers as memory.  What is writable reads back, what is reserved reads as
 * zero, nothing hangs, neighbours keep their values.
 */
#include <stddef.h>

#include "tests/guests/gic/gic_test.h"
#include "tests/guests/lib/cpu.h"
#include "tests/guests/lib/gic.h"
#include "tests/guests/lib/io.h"
#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/probe.h"
#include "tests/guests/lib/test.h"

static uint64_t gicd(uint32_t reg)
{
    return platform.gicd.base + reg;
}

static void check_redistributors(void)
{
    uint32_t lasts = 0;
    uint64_t r = platform.gicr[0].base;

    for (uint32_t i = 0; i < platform.cpu_count; i++) {
        uint32_t typer = io_read32(r + GICR_TYPER);

        test_equal("GICR_TYPER affinity", io_read32(r + GICR_TYPER + 4), cpu_at(i)->mpidr);
        test_equal("GICR_TYPER processor", typer >> 8 & 0xffff, i);
        test_equal("GICR_TYPER as 64 bits", io_read64(r + GICR_TYPER),
                   (uint64_t)cpu_at(i)->mpidr << 32 | typer);
        test_equal("GICR_PIDR2 revision", io_read32(r + GICV3_PIDR2) >> 4 & 0xf, 3);
        lasts += typer >> 4 & 1;
        r += typer & 2 ? 0x40000 : 0x20000;
    }
    test_equal("redistributors marked last", lasts, 1);
}

void registers_ids(void)
{
    uint32_t typer = io_read32(gicd(GICD_TYPER));

    log_reset();
    test_check((typer & 0x1f) >= 1, "GICD_TYPER 0x%x: no SPIs", typer);
    test_check(io_read32(gicd(GICD_IIDR)) != 0, "GICD_IIDR is 0");
    if (platform.gic_version == 2) {
        test_equal("GICD_TYPER CPUs", (typer >> 5 & 7) + 1, platform.cpu_count);
        test_equal("PIDR2 revision", io_read32(gicd(GICV2_PIDR2)) >> 4 & 0xf, 2);
        test_equal("GICC_IIDR version", io_read32(platform.gicc.base + GICC_IIDR) >> 16 & 0xf, 2);
    } else {
        test_equal("PIDR2 revision", io_read32(gicd(GICV3_PIDR2)) >> 4 & 0xf, 3);
        check_redistributors();
    }
}

/* One set/clear pair, such as ISENABLER and ICENABLER, over the spare SPIs. */
static void check_pair(const char *name, uint32_t set, uint32_t clear)
{
    for (uint32_t i = 0; i < SPARES; i++) {
        gic_set_bit(clear, spare(i));
    }
    for (uint32_t i = 0; i < SPARES; i += 2) {
        gic_set_bit(set, spare(i));
    }
    for (uint32_t i = 0; i < SPARES; i++) {
        test_check(gic_bit(set, spare(i)) == !(i & 1) && gic_bit(clear, spare(i)) == !(i & 1),
                   "%s of %u: %u %u", name, spare(i), gic_bit(set, spare(i)),
                   gic_bit(clear, spare(i)));
    }
    io_write32(gic_frame(spare(0)) + set + spare(0) / 32 * 4, 0);
    test_check(gic_bit(set, spare(0)), "%s: writing 0 clears", name);
    for (uint32_t i = 0; i < SPARES; i++) {
        gic_set_bit(clear, spare(i));
        test_check(!gic_bit(set, spare(i)), "%s of %u does not clear", name, spare(i));
    }
}

void registers_banks(void)
{
    log_reset();
    check_pair("enable", GICD_ISENABLER, GICD_ICENABLER);
    check_pair("pending", GICD_ISPENDR, GICD_ICPENDR);
    check_pair("active", GICD_ISACTIVER, GICD_ICACTIVER);
    gic_enable(platform.vtimer_irq);
    test_check(gic_bit(GICD_ISENABLER, platform.vtimer_irq), "PPI enable");
    gic_disable(platform.vtimer_irq);
    test_check(!gic_bit(GICD_ISENABLER, platform.vtimer_irq), "PPI disable");
}

/* At least 16 levels: the upper four bits hold, what does not hold reads as zero. */
void registers_priority(void)
{
    uint64_t word = gic_frame(spare(0)) + GICD_IPRIORITYR + (spare(0) & ~3u);
    uint32_t implemented;

    log_reset();
    io_write32(word, 0xffffffff);
    implemented = io_read32(word);
    test_check((implemented & 0xf0f0f0f0) == 0xf0f0f0f0, "0x%x of 0xffffffff hold", implemented);
    io_write32(word, 0x10203040);
    test_equal("word", io_read32(word), 0x10203040);
    io_write8(word + 1, 0x80);
    test_equal("after a byte", io_read32(word), 0x10208040);
    test_equal("byte 3", io_read8(word + 3), 0x10);
    for (uint32_t intid = 0; intid < 32; intid++) {
        if (intid < 16 || intid == platform.vtimer_irq) {
            gic_set_priority(intid, (uint8_t)(intid << 3 & 0xf0));
            test_equal("SGI or PPI", gic_priority(intid), intid << 3 & 0xf0);
        }
    }
    log_reset();
}

void registers_config(void)
{
    uint64_t frame = gic_frame(0);

    log_reset();
    test_equal("ICFGR0, SGIs", io_read32(frame + GICD_ICFGR), 0xaaaaaaaa);
    io_write32(frame + GICD_ICFGR, 0);
    test_equal("ICFGR0 after a write", io_read32(frame + GICD_ICFGR), 0xaaaaaaaa);
    for (uint32_t i = 0; i < SPARES; i++) {
        uint64_t reg = gicd(GICD_ICFGR) + spare(i) / 16 * 4;
        uint32_t shift = 2 * (spare(i) % 16);

        gic_set_edge(spare(i), true);
        test_check((io_read32(reg) >> shift & 2) == 2, "edge of %u does not hold", spare(i));
        gic_set_edge(spare(i), false);
        test_check((io_read32(reg) >> shift & 2) == 0, "level of %u does not hold", spare(i));
    }
    io_write32(gicd(GICD_ICFGR) + spare(0) / 16 * 4, 0xffffffff);
    test_equal("reserved bits", io_read32(gicd(GICD_ICFGR) + spare(0) / 16 * 4) & 0x55555555, 0);
    log_reset();
}

static void check_itargetsr(void)
{
    uint32_t all = (1u << platform.cpu_count) - 1;
    uint32_t self = platform.cpu_count > 1 ? 1 : io_read8(gicd(GICD_ITARGETSR));

    test_equal("ITARGETSR0", io_read32(gicd(GICD_ITARGETSR)), self * 0x01010101);
    io_write32(gicd(GICD_ITARGETSR), 0);
    test_equal("ITARGETSR0 after a write", io_read32(gicd(GICD_ITARGETSR)), self * 0x01010101);
    if (platform.cpu_count == 1) {
        return; /* uniprocessor: RAZ/WI is allowed */
    }
    io_write8(gicd(GICD_ITARGETSR) + spare(0), 0xff);
    test_equal("all targets", io_read8(gicd(GICD_ITARGETSR) + spare(0)), all);
    io_write8(gicd(GICD_ITARGETSR) + spare(0), 2);
    test_equal("target CPU 1", io_read8(gicd(GICD_ITARGETSR) + spare(0)), 2);
    test_equal("neighbour", io_read8(gicd(GICD_ITARGETSR) + spare(1)), 1);
}

static void check_irouter(void)
{
    uint64_t reg = gicd(GICD_IROUTER) + 8ull * spare(0);
    uint64_t last = cpu_at(platform.cpu_count - 1)->mpidr;

    io_write64(reg, last);
    test_equal("IROUTER", io_read64(reg), last);
    io_write32(reg + 4, 0);
    io_write32(reg, 0);
    test_equal("IROUTER by halves", io_read64(reg), 0);
    /* With affinity routing the registers it replaces are reserved. */
    io_write32(gicd(GICD_ITARGETSR) + (spare(0) & ~3u), 0xffffffff);
    test_equal("ITARGETSR", io_read32(gicd(GICD_ITARGETSR) + (spare(0) & ~3u)), 0);
}

void registers_targets(void)
{
    log_reset();
    if (platform.gic_version == 2) {
        check_itargetsr();
    } else {
        check_irouter();
    }
    log_reset();
}

/* Reserved on both versions; nothing may stick. */
void registers_reserved(void)
{
    static const uint32_t reserved[] = {0x00c, 0x020, 0x03c, 0xd80, 0xe80, 0xefc, 0xf30};
    uint32_t end = 32 + gic_spi_count();

    log_reset();
    for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
        io_write32(gicd(reserved[i]), 0xffffffff);
        test_check(io_read32(gicd(reserved[i])) == 0, "offset 0x%x: 0x%x", reserved[i],
                   io_read32(gicd(reserved[i])));
    }
    if (end < 1020) {
        io_write32(gicd(GICD_ISENABLER) + end / 8, 0xffffffff);
        test_equal("ISENABLER beyond the last", io_read32(gicd(GICD_ISENABLER) + end / 8), 0);
        io_write32(gicd(GICD_ISPENDR) + end / 8, 0xffffffff);
        test_equal("ISPENDR beyond the last", io_read32(gicd(GICD_ISPENDR) + end / 8), 0);
        io_write32(gicd(GICD_IPRIORITYR) + end, 0xffffffff);
        test_equal("IPRIORITYR beyond the last", io_read32(gicd(GICD_IPRIORITYR) + end), 0);
    }
    if (platform.gic_version == 3) {
        io_write32(gicd(GICD_ISENABLER), 0xffffffff);
        test_equal("GICD_ISENABLER0", io_read32(gicd(GICD_ISENABLER)), 0);
        io_write32(gicd(GICD_SGIR), 0x02000001);
        expect_none("GICD_SGIR with affinity routing");
    }
}

/* Sizes nobody defined: a value or an abort, but an answer; and the distributor still works. */
void registers_sizes(void)
{
    static const uint32_t banks[] = {GICD_CTLR,    GICD_TYPER,      GICD_ISENABLER, GICD_ISPENDR,
                                     GICD_ICFGR,   GICD_IPRIORITYR, GICD_ITARGETSR, GICD_SGIR,
                                     GICD_IROUTER, GICV3_PIDR2};
    uint32_t aborts = 0;
    struct probe p;

    log_reset();
    for (size_t i = 0; i < sizeof(banks) / sizeof(banks[0]); i++) {
        if (banks[i] + 0x20 >= platform.gicd.size) {
            continue;
        }
        for (uint32_t size = 1; size <= 8; size *= 2) {
            aborts += !probe_read(&p, gicd(banks[i]), size);
            aborts += size < 4 && !probe_read(&p, gicd(banks[i]) + size, size);
        }
        aborts += !probe_write(&p, gicd(GICD_ISENABLER) + 8, 1, 0);
        aborts += !probe_write(&p, gicd(GICD_ISENABLER) + 8, 2, 0);
        aborts += !probe_write(&p, gicd(GICD_ISENABLER) + 8, 8, 0);
    }
    test_note("sizes: %u aborts", aborts);
    gic_enable(spare(0));
    gic_set_bit(GICD_ISPENDR, spare(0));
    expect_one("afterwards", spare(0));
}
