/* SPDX-License-Identifier: MIT */
/* See gicref.h. */
#include "tests/host/gicref.h"

#include <string.h>

static bool is_sgi_v2(const struct gicref *r, const struct gicref_irq *irq)
{
    const struct gicref_irq *first = &r->private[0][0];
    size_t i = (size_t)(irq - first);

    return r->version == 2 && irq >= first && i < VCPU_MAX * 32u && i % 32 < 16;
}

void gicref_reset(struct gicref *r, u32 version, u32 ncpus)
{
    struct gicref old = *r;

    memset(r, 0, sizeof(*r));
    r->version = version;
    r->ncpus = ncpus;
    for (u32 cpu = 0; cpu < VCPU_MAX; cpu++) {
        for (u32 id = 0; id < GICREF_IDS; id++) {
            struct gicref_irq *irq = gicref_irq(r, cpu, id);

            irq->level = id >= 16;
            irq->group1 = version == 3;
            irq->enabled = id < 16 && version == 2;
            irq->target = version == 3 || ncpus == 1 ? 0 : 0xff;
            irq->last = 0xff;
            irq->line = gicref_irq(&old, cpu, id)->line;
        }
    }
}

struct gicref_irq *gicref_irq(struct gicref *r, u32 cpu, u32 id)
{
    return id < 32 ? &r->private[cpu][id] : &r->spi[id - 32];
}

bool gicref_pending(const struct gicref *r, const struct gicref_irq *irq)
{
    if (is_sgi_v2(r, irq)) {
        return irq->sources != 0;
    }
    return irq->latch || (irq->level && irq->line);
}

/* The physical interrupt is active as long as something virtual stands for it. */
static void settle(struct gicref_irq *irq)
{
    irq->held = irq->held && (irq->latch || irq->active);
}

void gicref_line(struct gicref *r, u32 cpu, u32 id, bool level)
{
    struct gicref_irq *irq = gicref_irq(r, cpu, id);

    irq->latch = irq->latch || (level && !irq->line && !irq->level);
    irq->line = level;
}

void gicref_fire(struct gicref *r, u32 cpu, u32 id)
{
    struct gicref_irq *irq = gicref_irq(r, cpu, id);

    if (!irq->held) {
        irq->held = true;
        irq->latch = true;
    }
}

void gicref_sgi(struct gicref *r, u32 from, u32 targets, u32 id)
{
    for (u32 cpu = 0; cpu < r->ncpus; cpu++) {
        struct gicref_irq *irq = &r->private[cpu][id];

        if ((targets >> cpu & 1) == 0) {
            continue;
        }
        if (r->version == 2) {
            irq->sources |= (u8)BIT(from);
        } else {
            irq->latch = true;
        }
    }
}

void gicref_set_pending(struct gicref *r, u32 cpu, u32 id, bool pending)
{
    struct gicref_irq *irq = gicref_irq(r, cpu, id);

    if (!is_sgi_v2(r, irq)) {
        irq->latch = pending;
        settle(irq);
    }
}

void gicref_set_active(struct gicref *r, u32 cpu, u32 id, bool active)
{
    struct gicref_irq *irq = gicref_irq(r, cpu, id);

    irq->active = active;
    settle(irq);
}

static bool deliverable(struct gicref *r, u32 cpu, u32 id)
{
    struct gicref_irq *irq = gicref_irq(r, cpu, id);

    return gicref_pending(r, irq) && irq->enabled && r->group_on[irq->group1] && !irq->active &&
           (id < 32 || irq->target == cpu);
}

/* The highest priority that is deliverable to cpu; 0x100: nothing is. */
static u32 best_prio(struct gicref *r, u32 cpu)
{
    u32 best = 0x100;

    for (u32 id = 0; id < GICREF_IDS; id++) {
        if (deliverable(r, cpu, id)) {
            best = MIN(best, gicref_irq(r, cpu, id)->prio);
        }
    }
    return best;
}

bool gicref_wakes(struct gicref *r, u32 cpu)
{
    return best_prio(r, cpu) != 0x100;
}

bool gicref_ack(struct gicref *r, u32 cpu, u32 iar)
{
    u32 best = best_prio(r, cpu), depth = r->depth[cpu], id = iar & 0x3ff, from = iar >> 10;
    u32 limit = depth == 0 ? 0x100 : r->running_prio[cpu][depth - 1];
    struct gicref_irq *irq;

    if (best >= limit) {
        return iar == GICREF_NONE;
    }
    if (id >= GICREF_IDS || !deliverable(r, cpu, id) || gicref_irq(r, cpu, id)->prio != best) {
        return false;
    }
    irq = gicref_irq(r, cpu, id);
    if (is_sgi_v2(r, irq)) {
        if ((irq->sources >> from & 1) == 0) {
            return false;
        }
        irq->sources &= (u8)~BIT(from);
    }
    irq->latch = false;
    irq->active = true;
    irq->last = (u8)cpu;
    r->running[cpu][depth] = (u16)iar;
    r->running_prio[cpu][depth] = irq->prio;
    r->depth[cpu]++;
    return true;
}

u32 gicref_eoi(struct gicref *r, u32 cpu)
{
    u32 iar;

    if (r->depth[cpu] == 0) {
        return GICREF_NONE;
    }
    iar = r->running[cpu][--r->depth[cpu]];
    gicref_set_active(r, cpu, iar & 0x3ff, false);
    return iar;
}
