/* SPDX-License-Identifier: MIT */
/*
 * The model behind gcpu.h: GICv3's virtual CPU interface (IHI 0069 §6) in the terms of
 * core/irq.h, with all 32 priorities preempting.
 */
#include "tests/host/gcpu.h"

#include "arch/host/arch.h"
#include "core/arch.h"
#include "core/atomic.h"
#include "core/mmio.h"
#include "core/panic.h"
#include "tests/host/driver.h"
#include "tests/host/gicboard.h"
#include "vdev/gic/vgic.h"

#include <string.h>

static struct gcpu *to_guest(struct vcpu *v)
{
    return container_of(v, struct gcpu, vcpu);
}

static void save(struct vcpu *v)
{
    struct gcpu *c = to_guest(v);

    for (u32 left = v->irq.used & (u32)~v->irq.dirty; left != 0; left &= left - 1) {
        u32 n = (u32)__builtin_ctz(left);

        v->irq.lr[n].state = c->hw[n].state;
        if (v->irq.lr[n].hw && c->hw[n].state == LR_PENDING && gicboard_is_gone(c->hw[n].pirq)) {
            v->irq.lr[n].state = 0; /* as gic_lr_recheck of arch */
            v->irq.dirty |= (u16)BIT(n);
            gicboard[c->hw[n].pirq].active = false;
        }
    }
}

/* Is the physical interrupt that the list register is linked to active? */
static bool is_held(const struct gcpu *c, u32 pintid)
{
    return pintid < IRQ_PRIVATE ? c->held[pintid] : gicboard[pintid].active;
}

static void deactivate(struct gcpu *c, u32 pintid)
{
    if (pintid < IRQ_PRIVATE) {
        c->held[pintid] = false;
    } else {
        gicboard[pintid].active = false;
    }
}

static void check_lr(const struct gcpu *c, u32 n)
{
    const struct irq_lr *lr = &c->hw[n];

    assert(n < c->vcpu.irq.count);
    assert((lr->prio & 7) == 0 && lr->virq < 288);
    assert(!lr->hw || lr->state != (LR_PENDING | LR_ACTIVE));
    assert(!lr->hw || !lr->eoi);
    assert(!lr->hw || is_held(c, lr->pirq));
    for (u32 i = 0; i < c->vcpu.irq.count; i++) {
        assert(i == n || c->hw[i].state == 0 || c->hw[i].virq != lr->virq);
    }
}

static void load(struct vcpu *v)
{
    struct gcpu *c = to_guest(v);
    u32 dirty = v->irq.dirty;

    for (u32 left = dirty; left != 0; left &= left - 1) {
        u32 n = (u32)__builtin_ctz(left);

        if (v->irq.lr[n].state == 0) {
            c->hw[n] = (struct irq_lr){0};
        } else {
            c->hw[n] = v->irq.lr[n];
        }
    }
    for (u32 left = dirty; left != 0; left &= left - 1) {
        if (c->hw[__builtin_ctz(left)].state != 0) {
            check_lr(c, (u32)__builtin_ctz(left));
        }
    }
    v->irq.dirty = 0;
    c->np = v->irq.refill;
}

static _Thread_local struct gcpu *this_cpu;

static void complete(u32 pintid)
{
    if (this_cpu != NULL) {
        deactivate(this_cpu, pintid);
    }
}

void gcpu_create(struct gcpu_vm *g, u32 version, u32 ncpus, u32 lrs)
{
    host_init();
    memset(g, 0, sizeof(*g));
    host_irq_save = save;
    host_irq_load = load;
    host_irq_complete = complete;
    host_pcpu = NULL;
    g->cfg.gicd = GCPU_GICD;
    g->cfg.gicc = GCPU_GICC;
    g->cfg.gicr = GCPU_GICR;
    g->cfg.gic_version = version;
    g->cfg.on_reference = POLICY_IGNORE;
    g->vm.cfg = &g->cfg;
    g->vm.nvcpus = ncpus;
    for (u32 i = 0; i < ncpus; i++) {
        struct vcpu *v = &g->cpu[i].vcpu;

        v->vm = &g->vm;
        v->id = i;
        v->mpidr = i;
        v->pcpu = &pcpus[i];
        v->state = VCPU_READY;
        v->irq.count = (u8)lrs;
        pcpus[i].current = v;
        g->vm.vcpu[i] = v;
    }
    assert(vgic_create(&g->vm, version));
    mmio_freeze(&g->vm.mmio);
    gcpu_enter_all(g);
}

static bool wants_maintenance(const struct gcpu *c)
{
    bool pending = false;

    for (u32 n = 0; n < c->vcpu.irq.count; n++) {
        if (c->hw[n].state == 0 && c->hw[n].eoi) {
            return true;
        }
        pending |= c->hw[n].state == LR_PENDING;
    }
    return (c->np && !pending) || c->eoicount != 0;
}

void gcpu_enter(struct gcpu *c)
{
    struct vcpu *v = &c->vcpu;

    this_cpu = c;
    if (v->pcpu->current != v) {
        return; /* it's off */
    }
    for (u32 i = 0;; i++) {
        if (wants_maintenance(c)) {
            c->maintenance++;
            v->irq.eoicount = (u16)(v->irq.eoicount + c->eoicount);
            c->eoicount = 0;
            irq_attention(v);
        }
        if (atomic_xchg(&v->attention, 0u) == 0) {
            break;
        }
        assert(i < 1000); /* a storm */
        arch_irq_save(v);
        v->vm->irqchip->update(v);
        arch_irq_load(v);
    }
}

void gcpu_enter_all(struct gcpu_vm *g)
{
    bool again = true;

    for (u32 i = 0; again; i++) {
        assert(i < 1000);
        again = false;
        for (u32 n = 0; n < g->vm.nvcpus; n++) {
            gcpu_enter(&g->cpu[n]);
        }
        for (u32 n = 0; n < g->vm.nvcpus; n++) {
            again |= g->cpu[n].vcpu.attention != 0 && pcpus[n].current != NULL;
        }
    }
}

static const struct irq_lr *best(const struct gcpu *c)
{
    u32 limit = c->depth == 0 ? 0x100 : c->running_prio[c->depth - 1];
    const struct irq_lr *lr = NULL;

    for (u32 n = 0; n < c->vcpu.irq.count; n++) {
        if (c->hw[n].state == LR_PENDING && c->hw[n].prio < limit) {
            lr = &c->hw[n];
            limit = lr->prio;
        }
    }
    return lr;
}

static u32 iar_of(const struct irq_lr *lr)
{
    return lr == NULL ? GCPU_NONE : lr->virq | (u32)lr->source << 10;
}

u32 gcpu_peek(const struct gcpu *c)
{
    return iar_of(best(c));
}

u32 gcpu_ack(struct gcpu *c)
{
    const struct irq_lr *lr = best(c);
    u32 iar = iar_of(lr);

    if (lr != NULL) {
        c->hw[lr - c->hw].state = LR_ACTIVE;
        c->running[c->depth] = (u16)iar;
        c->running_prio[c->depth] = lr->prio;
        c->depth++;
    }
    return iar;
}

void gcpu_eoi(struct gcpu *c, u32 iar)
{
    if (c->depth > 0) {
        c->depth--;
    }
    for (u32 n = 0; n < c->vcpu.irq.count; n++) {
        struct irq_lr *lr = &c->hw[n];

        if ((lr->state & LR_ACTIVE) != 0 && iar_of(lr) == iar) {
            lr->state &= (u8)~LR_ACTIVE;
            if (lr->hw) {
                deactivate(c, lr->pirq);
            }
            return;
        }
    }
    c->eoicount = MIN(c->eoicount + 1, 31u);
}

u64 gcpu_read(struct gcpu *c, u64 addr, u32 size)
{
    struct mmio m = {.addr = addr, .size = (u8)size};

    this_cpu = c;
    assert(mmio_access(&c->vcpu, &m) == MMIO_DONE);
    return m.value;
}

void gcpu_write(struct gcpu *c, u64 addr, u32 size, u64 value)
{
    struct mmio m = {.addr = addr, .size = (u8)size, .write = true, .value = value};

    this_cpu = c;
    assert(mmio_access(&c->vcpu, &m) == MMIO_DONE);
}

void gcpu_sgi(struct gcpu *c, u64 value)
{
    this_cpu = c;
    c->vcpu.vm->irqchip->sgi(&c->vcpu, value);
}

void gcpu_stop(struct gcpu *c)
{
    struct vcpu *v = &c->vcpu;

    this_cpu = c;
    arch_irq_save(v);
    v->irq.eoicount = (u16)(v->irq.eoicount + c->eoicount);
    c->eoicount = 0;
    memset(c->hw, 0, sizeof(c->hw));
    c->np = false;
    c->depth = 0;
    v->pcpu->current = NULL;
    v->vm->irqchip->reset_vcpu(v);
    v->state = VCPU_OFF;
    v->attention = 0;
}

void gcpu_restart(struct gcpu *c)
{
    struct vcpu *v = &c->vcpu;

    gcpu_stop(c);
    v->vm->irqchip->reset_vcpu(v);
    v->pcpu->current = v;
    v->state = VCPU_READY;
    v->irq.dirty |= v->irq.used;
    arch_irq_load(v);
    irq_attention(v);
}

void gcpu_reset(struct gcpu_vm *g, u32 lrs)
{
    const struct irqchip *chip = g->vm.irqchip;

    for (u32 id = IRQ_PRIVATE; id < 288; id++) {
        chip->set_line(&g->vm, NULL, id, false);
    }
    for (u32 i = 0; i < g->vm.nvcpus; i++) {
        struct gcpu *c = &g->cpu[i];

        for (u32 id = 0; id < IRQ_PRIVATE; id++) {
            chip->set_line(&g->vm, &c->vcpu, id, false);
        }
        c->vcpu.state = VCPU_READY;
        c->vcpu.irq = (struct irq_ctx){.count = (u8)lrs};
        memset(c->hw, 0, sizeof(c->hw));
        c->np = false;
        c->eoicount = 0;
        c->depth = 0;
        c->maintenance = 0;
        pcpus[i].current = &c->vcpu;
    }
    chip->reset(&g->vm);
    gcpu_enter_all(g);
}

void gcpu_fire(struct gcpu *c, u32 intid)
{
    if (!c->held[intid]) {
        c->held[intid] = true;
        this_cpu = c;
        c->vcpu.vm->irqchip->inject_hw(c->vcpu.vm, &c->vcpu, intid, intid);
    }
}
