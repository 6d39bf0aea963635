/* SPDX-License-Identifier: MIT */
/*
 * See gic.h: what both versions share, the banks of the distributor.  What differs is behind
 * struct gic_ops in gicv2.c and gicv3.c.
 */
#include "tests/guests/lib/gic.h"

#include "tests/guests/lib/gic_ops.h"
#include "tests/guests/lib/io.h"
#include "tests/guests/lib/platform.h"

static const struct gic_ops *ops;

void gic_init(void)
{
    ops = platform.gic_version == 3 ? &gicv3_ops : &gicv2_ops;
    ops->distributor_init();
    gic_cpu_init();
}

void gic_cpu_init(void)
{
    ops->cpu_init();
}

uint32_t gic_spi_count(void)
{
    uint32_t lines = 32 * (io_read32(platform.gicd.base + GICD_TYPER) & 0x1f);

    return lines < 1020 - 32 ? lines : 1020 - 32;
}

uint64_t gic_frame(uint32_t intid)
{
    return intid < 32 ? ops->banked_frame() : platform.gicd.base;
}

static uint64_t word_of(uint32_t bank, uint32_t intid)
{
    return gic_frame(intid) + bank + intid / 32 * 4;
}

bool gic_bit(uint32_t bank, uint32_t intid)
{
    return io_read32(word_of(bank, intid)) >> intid % 32 & 1;
}

void gic_set_bit(uint32_t bank, uint32_t intid)
{
    io_write32(word_of(bank, intid), 1u << intid % 32);
}

void gic_enable(uint32_t intid)
{
    gic_set_bit(GICD_ISENABLER, intid);
}

void gic_disable(uint32_t intid)
{
    gic_set_bit(GICD_ICENABLER, intid);
    ops->wait_disabled(intid);
}

void gic_set_priority(uint32_t intid, uint8_t priority)
{
    io_write8(gic_frame(intid) + GICD_IPRIORITYR + intid, priority);
}

uint8_t gic_priority(uint32_t intid)
{
    return io_read8(gic_frame(intid) + GICD_IPRIORITYR + intid);
}

void gic_set_edge(uint32_t intid, bool edge)
{
    uint64_t reg = gic_frame(intid) + GICD_ICFGR + intid / 16 * 4;
    uint32_t bit = 2u << 2 * (intid % 16);
    uint32_t value = io_read32(reg);

    io_write32(reg, edge ? value | bit : value & ~bit);
}

void gic_route(uint32_t spi, uint32_t cpu)
{
    ops->route(spi, cpu);
}

uint32_t gic_ack(void)
{
    return ops->ack();
}

void gic_eoi(uint32_t iar)
{
    ops->eoi(iar);
}

void gic_deactivate(uint32_t iar)
{
    ops->deactivate(iar);
}

void gic_set_mask(uint8_t priority)
{
    ops->set_mask(priority);
}

uint32_t gic_mask(void)
{
    return ops->mask();
}

void gic_set_binary_point(uint32_t point)
{
    ops->set_binary_point(point);
}

void gic_set_eoi_mode(bool split)
{
    ops->set_eoi_mode(split);
}

void gic_finish_all(void)
{
    ops->finish_all();
}

uint32_t gic_running_priority(void)
{
    return ops->running_priority();
}

uint32_t gic_highest_pending(void)
{
    return ops->highest_pending();
}

void gic_send_sgi(uint32_t cpu, uint32_t sgi)
{
    ops->send_sgi(cpu, sgi);
}

void gic_send_sgi_self(uint32_t sgi)
{
    ops->send_sgi_self(sgi);
}

void gic_send_sgi_others(uint32_t sgi)
{
    ops->send_sgi_others(sgi);
}
