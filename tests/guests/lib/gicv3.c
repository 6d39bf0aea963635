/* SPDX-License-Identifier: MIT */
/* GICv3 behind gic.h: system-register CPU interface, affinity routing, redistributors. */
#include "tests/guests/lib/cpu.h"
#include "tests/guests/lib/gic.h"
#include "tests/guests/lib/gic_ops.h"
#include "tests/guests/lib/io.h"
#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/sysreg.h"

#define ICC_PMR_EL1     "S3_0_C4_C6_0"
#define ICC_IAR1_EL1    "S3_0_C12_C12_0"
#define ICC_EOIR1_EL1   "S3_0_C12_C12_1"
#define ICC_HPPIR1_EL1  "S3_0_C12_C12_2"
#define ICC_BPR1_EL1    "S3_0_C12_C12_3"
#define ICC_DIR_EL1     "S3_0_C12_C11_1"
#define ICC_RPR_EL1     "S3_0_C12_C11_3"
#define ICC_SGI1R_EL1   "S3_0_C12_C11_5"
#define ICC_AP0R0_EL1   "S3_0_C12_C8_4"
#define ICC_AP1R0_EL1   "S3_0_C12_C9_0"
#define ICC_IGRPEN0_EL1 "S3_0_C12_C12_6"
#define ICC_CTLR_EL1    "S3_0_C12_C12_4"
#define ICC_SRE_EL1     "S3_0_C12_C12_5"
#define ICC_IGRPEN1_EL1 "S3_0_C12_C12_7"

enum { CTLR_RWP = 1u << 31, CTLR_ARE = 1 << 4, CTLR_GROUP1 = 1 << 1 };
enum { GICR_CTLR_RWP = 1 << 3, WAKER_SLEEP = 1 << 1, WAKER_ASLEEP = 1 << 2 };
enum { TYPER_VLPIS = 1 << 1, TYPER_LAST = 1 << 4 };
enum { ICC_CTLR_EOIMODE = 1 << 1 };
#define SGI1R_OTHERS (1ull << 40)

static void distributor_init(void)
{
    uint32_t lines = gic_spi_count() + 32;

    io_write32(platform.gicd.base + GICD_CTLR, CTLR_ARE);
    for (uint32_t i = 32; i < lines; i += 32) {
        io_write32(platform.gicd.base + GICD_IGROUPR + i / 8, ~0u);
    }
    io_write32(platform.gicd.base + GICD_CTLR, CTLR_ARE | CTLR_GROUP1);
}

/* GICR_TYPER carries the affinity in its upper word. */
static uint64_t find_redistributor(uint64_t mpidr)
{
    uint64_t affinity = (mpidr >> 8 & 0xff000000) | (mpidr & 0xffffff);

    for (uint32_t i = 0; i < platform.gicr_count; i++) {
        uint64_t r = platform.gicr[i].base;
        uint64_t end = r + platform.gicr[i].size;
        uint32_t typer;

        do {
            typer = io_read32(r + GICR_TYPER);
            if (io_read32(r + GICR_TYPER + 4) == affinity) {
                return r;
            }
            r += platform.gicr_stride ? platform.gicr_stride
                                      : (typer & TYPER_VLPIS ? 0x40000u : 0x20000u);
        } while (r < end && !(typer & TYPER_LAST));
    }
    return 0;
}

static uint64_t banked_frame(void)
{
    return cpu_self()->gicr + GICR_SGI_FRAME;
}

static void interface_init(void)
{
    struct cpu *self = cpu_self();

    self->gicr = find_redistributor(self->mpidr);
    sysreg_write(ICC_SRE_EL1, sysreg_read(ICC_SRE_EL1) | 1);
    isb();
    io_write32(self->gicr + GICR_WAKER,
               io_read32(self->gicr + GICR_WAKER) & ~(uint32_t)WAKER_SLEEP);
    while (io_read32(self->gicr + GICR_WAKER) & WAKER_ASLEEP) {
    }
    io_write32(banked_frame() + GICD_IGROUPR, ~0u);
    io_write32(banked_frame() + GICD_ISENABLER, 0xffff);
    for (uint32_t i = 0; i < 32; i += 4) {
        io_write32(banked_frame() + GICD_IPRIORITYR + i, GIC_DEFAULT_PRIORITY * 0x01010101u);
    }
    sysreg_write(ICC_PMR_EL1, 0xff);
    sysreg_write(ICC_BPR1_EL1, 0);
    sysreg_write(ICC_CTLR_EL1, 0);
    sysreg_write(ICC_IGRPEN1_EL1, 1);
    isb();
}

static void wait_disabled(uint32_t intid)
{
    if (intid < 32) {
        while (io_read32(cpu_self()->gicr + GICR_CTLR) & GICR_CTLR_RWP) {
        }
    } else {
        while (io_read32(platform.gicd.base + GICD_CTLR) & CTLR_RWP) {
        }
    }
}

static void route(uint32_t spi, uint32_t cpu)
{
    io_write64(platform.gicd.base + GICD_IROUTER + 8ull * spi, cpu_at(cpu)->mpidr);
}

static uint32_t ack(void)
{
    uint32_t iar = (uint32_t)sysreg_read(ICC_IAR1_EL1);

    __asm__ volatile("dsb sy" : : : "memory");
    return iar;
}

static void eoi(uint32_t iar)
{
    sysreg_write(ICC_EOIR1_EL1, iar);
    isb();
}

static void deactivate(uint32_t iar)
{
    sysreg_write(ICC_DIR_EL1, iar);
    isb();
}

static void set_mask(uint8_t priority)
{
    sysreg_write(ICC_PMR_EL1, priority);
    isb();
}

static uint32_t mask(void)
{
    return (uint32_t)sysreg_read(ICC_PMR_EL1);
}

static void set_binary_point(uint32_t point)
{
    sysreg_write(ICC_BPR1_EL1, point);
    isb();
}

static void set_eoi_mode(bool split)
{
    sysreg_write(ICC_CTLR_EL1, split ? ICC_CTLR_EOIMODE : 0);
    isb();
}

/* Only AP0R0 and AP1R0 are sure to exist, and 32 levels fit in them. */
static void finish_all(void)
{
    sysreg_write(ICC_AP0R0_EL1, 0);
    sysreg_write(ICC_AP1R0_EL1, 0);
    sysreg_write(ICC_IGRPEN0_EL1, 0);
    isb();
}

static uint32_t running_priority(void)
{
    return (uint32_t)sysreg_read(ICC_RPR_EL1);
}

static uint32_t highest_pending(void)
{
    return (uint32_t)sysreg_read(ICC_HPPIR1_EL1);
}

static void send_sgi(uint32_t cpu, uint32_t sgi)
{
    uint64_t mpidr = cpu_at(cpu)->mpidr;

    sysreg_write(ICC_SGI1R_EL1, (mpidr >> 32 & 0xff) << 48 | (mpidr >> 16 & 0xff) << 32 |
                                    (mpidr >> 8 & 0xff) << 16 | (mpidr >> 4 & 0xf) << 44 |
                                    1ull << (mpidr & 0xf) | (uint64_t)sgi << 24);
    isb();
}

static void send_sgi_self(uint32_t sgi)
{
    send_sgi(cpu_self()->index, sgi);
}

static void send_sgi_others(uint32_t sgi)
{
    sysreg_write(ICC_SGI1R_EL1, SGI1R_OTHERS | (uint64_t)sgi << 24);
    isb();
}

const struct gic_ops gicv3_ops = GIC_OPS;
