/* SPDX-License-Identifier: MIT */
/*
 * A GIC as the specification describes it, interrupt by interrupt: slow, without list registers,
 * and small enough to be believed. Tests compare the vGIC with it. What a guest can't rely on
 * (which of several equally urgent interrupts comes first) is left to the vGIC's choice.
 */
#ifndef TESTS_HOST_GICREF_H
#define TESTS_HOST_GICREF_H

#include "core/types.h"
#include "core/vcpu.h"

#define GICREF_IDS  288u
#define GICREF_NONE 1023u

struct gicref_irq {
    bool enabled, group1, level, line, latch, active, held;
    u8 prio;
    u8 sources; /* GICv2 SGI: senders whose SGI is pending */
    u8 target;  /* SPI: vCPU, 0xff: none */
    u8 last;    /* SPI: vCPU that acknowledged it last, 0xff: none has */
};

struct gicref {
    u32 version, ncpus;
    bool group_on[2];
    struct gicref_irq private[VCPU_MAX][32];
    struct gicref_irq spi[GICREF_IDS - 32];
    u16 running[VCPU_MAX][64]; /* as acknowledged: sender << 10 | id */
    u8 running_prio[VCPU_MAX][64];
    u32 depth[VCPU_MAX];
};

void gicref_reset(struct gicref *r, u32 version, u32 ncpus);
struct gicref_irq *gicref_irq(struct gicref *r, u32 cpu, u32 id);
bool gicref_pending(const struct gicref *r, const struct gicref_irq *irq);

void gicref_line(struct gicref *r, u32 cpu, u32 id, bool level);
void gicref_fire(struct gicref *r, u32 cpu, u32 id);
void gicref_sgi(struct gicref *r, u32 from, u32 targets, u32 id);
void gicref_set_pending(struct gicref *r, u32 cpu, u32 id, bool pending);
void gicref_set_active(struct gicref *r, u32 cpu, u32 id, bool active);

/* Something would end a WFI of cpu. */
bool gicref_wakes(struct gicref *r, u32 cpu);
/* True if cpu may get `iar` from an acknowledge now; if so, it did. */
bool gicref_ack(struct gicref *r, u32 cpu, u32 iar);
/* Ends what cpu acknowledged last, and gives it; GICREF_NONE: nothing. */
u32 gicref_eoi(struct gicref *r, u32 cpu);

#endif
