/* SPDX-License-Identifier: MIT */
/*
 * A minimal driver for GICv2 (Arm IHI 0048) and GICv3 (IHI 0069), enough to poke at every bit of
 * one.  SGIs and PPIs are those of the calling CPU.  All interrupts are in group 1 on GICv3 and in
 * group 0 on GICv2, as an EL1 guest without security states uses them.
 */
#ifndef TESTS_GUESTS_LIB_GIC_H
#define TESTS_GUESTS_LIB_GIC_H

#include <stdbool.h>
#include <stdint.h>

/* Distributor registers; SGI and PPI banks of a GICv3 have the same offsets in gic_frame(0). */
enum {
    GICD_CTLR = 0x000,
    GICD_TYPER = 0x004,
    GICD_IIDR = 0x008,
    GICD_IGROUPR = 0x080,
    GICD_ISENABLER = 0x100,
    GICD_ICENABLER = 0x180,
    GICD_ISPENDR = 0x200,
    GICD_ICPENDR = 0x280,
    GICD_ISACTIVER = 0x300,
    GICD_ICACTIVER = 0x380,
    GICD_IPRIORITYR = 0x400,
    GICD_ITARGETSR = 0x800,
    GICD_ICFGR = 0xc00,
    GICD_IGRPMODR = 0xd00,
    GICD_SGIR = 0xf00,
    GICD_CPENDSGIR = 0xf10,
    GICD_SPENDSGIR = 0xf20,
    GICV2_PIDR2 = 0xfe8,
    GICD_IROUTER = 0x6000,
    GICV3_PIDR2 = 0xffe8,
};

/* Redistributor, RD_base frame; the SGI frame follows at GICR_SGI_FRAME. */
enum {
    GICR_CTLR = 0x00,
    GICR_IIDR = 0x04,
    GICR_TYPER = 0x08,
    GICR_WAKER = 0x14,
    GICR_SGI_FRAME = 0x10000,
};

/* CPU interface of a GICv2. */
enum {
    GICC_CTLR = 0x00,
    GICC_PMR = 0x04,
    GICC_BPR = 0x08,
    GICC_IAR = 0x0c,
    GICC_EOIR = 0x10,
    GICC_RPR = 0x14,
    GICC_HPPIR = 0x18,
    GICC_ABPR = 0x1c,
    GICC_APR0 = 0xd0,
    GICC_IIDR = 0xfc,
    GICC_DIR = 0x1000,
};

enum { GIC_SPURIOUS = 1023, GIC_DEFAULT_PRIORITY = 0xa0 };

/* Distributor and CPU 0; then each further CPU for itself. */
void gic_init(void);
void gic_cpu_init(void);

uint32_t gic_spi_count(void); /* INTIDs below 32 + this exist, but for 1020 and up */

/* The frame whose register banks hold this interrupt. */
uint64_t gic_frame(uint32_t intid);

/* One bit of a bank, such as GICD_ISENABLER; writing a 0 does nothing there. */
bool gic_bit(uint32_t bank, uint32_t intid);
void gic_set_bit(uint32_t bank, uint32_t intid);

void gic_enable(uint32_t intid);
void gic_disable(uint32_t intid); /* returns when it has taken effect */
void gic_set_priority(uint32_t intid, uint8_t priority);
uint8_t gic_priority(uint32_t intid);
void gic_set_edge(uint32_t intid, bool edge);
void gic_route(uint32_t spi, uint32_t cpu);

/* CPU interface of the calling CPU. */
uint32_t gic_ack(void); /* on GICv2 with the source CPU of an SGI in bits 12:10 */
void gic_eoi(uint32_t iar);
void gic_deactivate(uint32_t iar);
void gic_set_mask(uint8_t priority);
uint32_t gic_mask(void);
void gic_set_binary_point(uint32_t point);
void gic_set_eoi_mode(bool split); /* true: EOI drops the priority only */
void gic_finish_all(void);         /* drops every active priority of this CPU, whatever left it */
uint32_t gic_running_priority(void);
uint32_t gic_highest_pending(void);

static inline uint32_t gic_intid(uint32_t iar)
{
    return iar & 0x3ff;
}

void gic_send_sgi(uint32_t cpu, uint32_t sgi);
void gic_send_sgi_self(uint32_t sgi);
void gic_send_sgi_others(uint32_t sgi);

#endif
