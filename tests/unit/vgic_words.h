/* SPDX-License-Identifier: MIT */
/* What tests of the vGIC say over and over, for GICv2 and GICv3 alike. */
#ifndef TESTS_UNIT_VGIC_WORDS_H
#define TESTS_UNIT_VGIC_WORDS_H

#include "arch/host/arch.h"
#include "core/atomic.h"
#include "tests/host/gcpu.h"

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
static inline u64 reg(const struct gcpu *c, u32 kind, u32 id)
{
    u64 base = GCPU_GICD;

    if (version == 3 && id < IRQ_PRIVATE) {
        base = GCPU_GICR + c->vcpu.id * GCPU_STRIDE + GCPU_SGIS;
    }
    return base + kind + (kind == IPRIORITYR ? id : id / 32 * 4);
}

static inline void set(struct gcpu *c, u32 kind, u32 id)
{
    gcpu_write(c, reg(c, kind, id), 4, BIT(id % 32));
    gcpu_enter_all(&g);
}

static inline bool get(struct gcpu *c, u32 kind, u32 id)
{
    return (gcpu_read(c, reg(c, kind, id), 4) >> (id % 32) & 1) != 0;
}

static inline void set_prio(struct gcpu *c, u32 id, u32 prio)
{
    gcpu_write(c, reg(c, IPRIORITYR, id), 1, prio);
    gcpu_enter_all(&g);
}

static inline void set_edge(u32 id)
{
    u64 at = GCPU_GICD + ICFGR + id / 16 * 4;

    gcpu_write(cpu0, at, 4, gcpu_read(cpu0, at, 4) | BIT(id % 16 * 2 + 1));
}

static inline void target(u32 id, u32 cpu)
{
    if (version == 3) {
        gcpu_write(cpu0, GCPU_GICD + IROUTER + 8 * id, 8, cpu);
    } else {
        gcpu_write(cpu0, GCPU_GICD + ITARGETSR + id, 1, BIT(cpu));
    }
    gcpu_enter_all(&g);
}

static inline void line(u32 id, bool level)
{
    g.vm.irqchip->set_line(&g.vm, NULL, id, level);
    gcpu_enter_all(&g);
}

/* SGI id to the vCPUs in the mask */
static inline void sgi(struct gcpu *c, u32 id, u32 targets)
{
    if (version == 3) {
        g.vm.irqchip->sgi(&c->vcpu, (u64)id << 24 | targets);
    } else {
        gcpu_write(c, GCPU_GICD + 0xf00, 4, targets << 16 | id);
    }
    gcpu_enter_all(&g);
}

/* What c acknowledges now, without the sender of an SGI. */
static inline u32 ack(struct gcpu *c)
{
    u32 iar;

    gcpu_enter_all(&g);
    iar = gcpu_ack(c);
    gcpu_enter_all(&g);
    return iar;
}

static inline void eoi(struct gcpu *c, u32 iar)
{
    gcpu_eoi(c, iar);
    gcpu_enter_all(&g);
}

/* Acknowledged and ended at once. */
static inline u32 take(struct gcpu *c)
{
    u32 iar = ack(c);

    if (iar != GCPU_NONE) {
        eoi(c, iar);
    }
    return iar & 0x3ff;
}

static inline void start(u32 v, u32 ncpus)
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

static inline int start_v2(void **state)
{
    (void)state;
    start(2, 2);
    return 0;
}

static inline int start_v3(void **state)
{
    (void)state;
    start(3, 2);
    return 0;
}

#define BOTH(test) cmocka_unit_test_setup(test, start_v2), cmocka_unit_test_setup(test, start_v3)

#endif
