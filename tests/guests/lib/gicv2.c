/* SPDX-License-Identifier: MIT */
/* GICv2 behind gic.h: memory-mapped CPU interface, targets as bit masks of CPU interfaces. */
#include "tests/guests/lib/gic.h"
#include "tests/guests/lib/gic_ops.h"
#include "tests/guests/lib/io.h"
#include "tests/guests/lib/platform.h"

enum { CTLR_ENABLE = 1, GICC_CTLR_EOIMODE = 1 << 9 };
enum { SGIR_OTHERS = 1 << 24, SGIR_SELF = 2 << 24 };

static uint64_t gicc(uint32_t reg)
{
    return platform.gicc.base + reg;
}

static void distributor_init(void)
{
    io_write32(platform.gicd.base + GICD_CTLR, CTLR_ENABLE);
}

static void interface_init(void)
{
    io_write32(platform.gicd.base + GICD_ISENABLER, 0xffff);
    for (uint32_t i = 0; i < 32; i += 4) {
        io_write32(platform.gicd.base + GICD_IPRIORITYR + i, GIC_DEFAULT_PRIORITY * 0x01010101u);
    }
    io_write32(gicc(GICC_PMR), 0xff);
    io_write32(gicc(GICC_BPR), 0);
    io_write32(gicc(GICC_CTLR), CTLR_ENABLE);
}

static uint64_t banked_frame(void)
{
    return platform.gicd.base;
}

static void wait_disabled(uint32_t intid)
{
    (void)intid;
}

static void route(uint32_t spi, uint32_t cpu)
{
    io_write8(platform.gicd.base + GICD_ITARGETSR + spi, (uint8_t)(1u << cpu));
}

static uint32_t ack(void)
{
    return io_read32(gicc(GICC_IAR));
}

static void eoi(uint32_t iar)
{
    io_write32(gicc(GICC_EOIR), iar);
}

static void deactivate(uint32_t iar)
{
    io_write32(gicc(GICC_DIR), iar);
}

static void set_mask(uint8_t priority)
{
    io_write32(gicc(GICC_PMR), priority);
}

static uint32_t mask(void)
{
    return io_read32(gicc(GICC_PMR));
}

static void set_binary_point(uint32_t point)
{
    io_write32(gicc(GICC_BPR), point);
}

static void set_eoi_mode(bool split)
{
    io_write32(gicc(GICC_CTLR), CTLR_ENABLE | (split ? GICC_CTLR_EOIMODE : 0));
}

static void finish_all(void)
{
    for (uint32_t i = 0; i < 4; i++) {
        io_write32(gicc(GICC_APR0) + 4 * i, 0);
    }
}

static uint32_t running_priority(void)
{
    return io_read32(gicc(GICC_RPR));
}

static uint32_t highest_pending(void)
{
    return io_read32(gicc(GICC_HPPIR));
}

static void send_sgi(uint32_t cpu, uint32_t sgi)
{
    io_write32(platform.gicd.base + GICD_SGIR, 1u << (16 + cpu) | sgi);
}

static void send_sgi_self(uint32_t sgi)
{
    io_write32(platform.gicd.base + GICD_SGIR, SGIR_SELF | sgi);
}

static void send_sgi_others(uint32_t sgi)
{
    io_write32(platform.gicd.base + GICD_SGIR, SGIR_OTHERS | sgi);
}

const struct gic_ops gicv2_ops = GIC_OPS;
