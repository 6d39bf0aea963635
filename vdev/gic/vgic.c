/* SPDX-License-Identifier: MIT */
/*
 * The virtual GIC's state and what core asks of it: lines, physical interrupts, SGIs, reset. Knows
 * neither registers (vgic_regs.c, vgicv2.c, vgicv3.c) nor list registers (vgic_lr.c).
 *
 * A lock, LOCK_VGIC, per VM. Whoever changes something under it leaves the vCPUs concerned in
 * vgic.ask; they're told (irq_attention) once the lock is released.
 */
#include "vdev/gic/vgic.h"

#include "core/arch.h"
#include "core/atomic.h"
#include "core/config.h"
#include "core/page.h"
#include "core/sched.h"
#include "vdev/gic/vgic_hw.h"
#include "vdev/gic/vgic_state.h"

#include <string.h>

_Static_assert(VGIC_WORDS <= 32, "a bit for each word");

#define V2_SIZE   0x10000u /* as on QEMU's virt; registers are in its first page only */
#define V2_MIN    0x1000u
#define V3_SIZE   0x10000u
#define GICR_SIZE 0x20000u /* of each vCPU: its RD frame, then its SGI frame */

void vgic_unlock_tell(struct vgic *g)
{
    u32 ask = g->ask;

    g->ask = 0;
    spin_unlock(&g->lock);
    for (; ask != 0; ask &= ask - 1) {
        irq_attention(g->cpu[__builtin_ctz(ask)].vcpu);
    }
}

void vgic_unlock_busy(struct vgic *g, struct vgic_cpu *cpu)
{
    bool concerned = (g->ask & BIT(cpu->index)) != 0;

    if (concerned) {
        arch_irq_save(cpu->vcpu);
        vgic_lr_update(g, cpu);
    }
    vgic_unlock(g);
    if (concerned || cpu->vcpu->irq.dirty != 0) {
        arch_irq_load(cpu->vcpu);
    }
}

/* The list registers of cpu that these listed interrupts are in have to follow a change. */
static inline void make_stale(struct vgic *g, struct vgic_cpu *cpu, u32 wi, u32 bits)
{
    const u8 *slot = wi == 0 ? cpu->slot : &g->slot[(wi - 1) * 32];
    u32 stale = 0;

    for (; bits != 0; bits &= bits - 1) {
        stale |= BIT(slot[__builtin_ctz(bits)]);
    }
    cpu->stale |= stale;
    cpu->restyle |= stale;
    g->ask |= BIT(cpu->index);
}

static inline void offer(struct vgic *g, struct vgic_cpu *cpu, u32 wi, u32 ready, u32 touched)
{
    u32 before = cpu->ready[wi];

    if ((touched & cpu->listed[wi]) != 0) {
        make_stale(g, cpu, wi, touched & cpu->listed[wi]);
    }
    if (ready != before || (touched & ready) != 0) {
        vgic_set_ready(cpu, wi, ready);
        if (((ready & ~before) | (touched & ready)) != 0) {
            g->ask |= BIT(cpu->index);
        }
    }
}

static inline u32 ready_of(const struct vgic *g, const struct vgic_word *w)
{
    return vgic_wants(w) & vgic_forward(g, w) & ~(w->active | w->listed);
}

static inline void changed_private(struct vgic *g, struct vgic_cpu *cpu, u32 touched)
{
    offer(g, cpu, 0, ready_of(g, &cpu->word), touched);
}

void vgic_changed(struct vgic *g, struct vgic_cpu *cpu, u32 wi, u32 touched)
{
    u32 ready;

    if (wi == 0) {
        changed_private(g, cpu, touched);
        return;
    }
    ready = ready_of(g, &g->spi[wi - 1]);
    for (u32 i = 0; i < g->ncpus; i++) {
        offer(g, &g->cpu[i], wi, ready & g->cpu[i].mine[wi], touched);
    }
}

void vgic_settle(struct vgic *g, struct vgic_cpu *cpu, u32 wi, u32 bits)
{
    struct vgic_word *w = vgic_word(g, cpu, wi);
    u32 over = w->held & bits & ~(w->latch | w->active | w->listed);

    if (over == 0) {
        return;
    }
    w->held &= ~over;
    if (wi == 0) {
        cpu->complete |= over; /* only that vCPU's own CPU can */
        g->ask |= BIT(cpu->index);
        return;
    }
    for (; over != 0; over &= over - 1) {
        arch_irq_complete(g->pintid[(wi - 1) * 32 + (u32)__builtin_ctz(over)]);
    }
}

/* --- routing --------------------------------------------------------------------------------- */

void vgic_route(struct vgic *g, u32 spi, u32 target)
{
    u32 old = g->target[spi];
    u32 wi = 1 + spi / 32, bit = BIT(spi % 32);

    if (old == target) {
        return;
    }
    g->target[spi] = (u8)target;
    if (old != VGIC_NOBODY) {
        g->cpu[old].mine[wi] &= ~bit;
    }
    if (target != VGIC_NOBODY) {
        g->cpu[target].mine[wi] |= bit;
    }
    if (unlikely((g->hw[wi - 1] & bit) != 0)) {
        vgic_hw_route(g, spi, target);
    }
    vgic_changed(g, NULL, wi, bit);
}

static bool is_on(const struct vgic_cpu *cpu)
{
    return atomic_load(&cpu->vcpu->state) != VCPU_OFF;
}

u32 vgic_pick(const struct vgic *g, u32 spi, u32 mask)
{
    u32 old = g->target[spi];

    if (mask == 0) {
        return VGIC_NOBODY;
    }
    if (old != VGIC_NOBODY && (mask & BIT(old)) != 0 && is_on(&g->cpu[old])) {
        return old;
    }
    for (u32 m = mask; m != 0; m &= m - 1) {
        if (is_on(&g->cpu[__builtin_ctz(m)])) {
            return (u32)__builtin_ctz(m);
        }
    }
    return (u32)__builtin_ctz(mask);
}

/* An SPI with several possible targets must not wait for one that went off since. */
static void reroute(struct vgic *g, u32 spi)
{
    if ((g->multi[spi / 32] & BIT(spi % 32)) != 0) {
        vgic_route(g, spi, vgic_pick(g, spi, g->mask[spi]));
    }
}

/* --- struct irqchip -------------------------------------------------------------------------- */

static void set_line(struct vm *vm, struct vcpu *v, u32 intid, bool level)
{
    struct vgic *g = vm->irqchip_data;
    struct vgic_cpu *cpu = v != NULL ? &g->cpu[v->id] : NULL;
    u32 wi = intid / 32, bit = BIT(intid % 32);
    struct vgic_word *w;

    if (v != NULL ? intid - IRQ_SGIS >= IRQ_PRIVATE - IRQ_SGIS : intid - IRQ_PRIVATE >= VGIC_SPIS) {
        return; /* no such input */
    }
    w = vgic_word(g, cpu, wi);
    spin_lock(&g->lock);
    if (((w->line & bit) != 0) != level) {
        w->line ^= bit;
        if (level) {
            w->latch |= bit & ~w->level;
        }
        if (level || (w->level & bit) != 0) {
            if (cpu == NULL) {
                reroute(g, intid - IRQ_PRIVATE);
            }
            vgic_changed(g, cpu, wi, bit);
        }
    }
    vgic_unlock(g);
}

static RARE void inject_private(struct vgic *g, struct vgic_cpu *cpu, u32 intid, u32 pintid)
{
    spin_lock(&g->lock);
    if ((cpu->listed[0] & BIT(intid)) != 0) {
        vgic_lr_sync(g, cpu); /* ended, or it could not have fired: held is of the new one */
    }
    cpu->pintid[intid] = (u16)pintid;
    cpu->word.held |= BIT(intid);
    cpu->word.latch |= BIT(intid);
    vgic_changed(g, cpu, 0, BIT(intid));
    if (atomic_load(&cpu->vcpu->state) == VCPU_READY) {
        vgic_unlock_self(g, cpu);
    } else {
        vgic_unlock(g); /* it's woken */
    }
}

static RARE void inject_spi(struct vgic *g, u32 spi, u32 pintid)
{
    if (spi >= VGIC_SPIS) {
        arch_irq_complete(pintid);
        return;
    }
    spin_lock(&g->lock);
    g->pintid[spi] = (u16)pintid;
    reroute(g, spi);
    g->spi[spi / 32].held |= BIT(spi % 32);
    g->spi[spi / 32].latch |= BIT(spi % 32);
    vgic_changed(g, NULL, 1 + spi / 32, BIT(spi % 32));
    vgic_unlock(g);
}

static void inject_hw(struct vm *vm, struct vcpu *v, u32 intid, u32 pintid)
{
    struct vgic *g = vm->irqchip_data;
    struct vgic_cpu *cpu;

    if (v == NULL || intid >= IRQ_PRIVATE) {
        inject_spi(g, v == NULL ? intid - IRQ_PRIVATE : VGIC_SPIS, pintid);
        return;
    }
    cpu = &g->cpu[v->id];
    if (likely(atomic_load(&v->state) == VCPU_READY && vgic_lr_inject(cpu, intid, pintid))) {
        arch_irq_load(v);
    } else {
        inject_private(g, cpu, intid, pintid);
    }
}

/* Latches SGI id for `to`. True: that concerns it. */
static inline bool latch_sgi(const struct vgic *g, struct vgic_cpu *to, u32 id, u32 sender)
{
    struct vgic_word *w = &to->word;
    u32 bit = BIT(id);

    to->sources[id] |= (u8)BIT(sender);
    w->latch |= bit;
    if ((w->listed & bit) != 0) {
        to->stale |= BIT(to->slot[id]);
        return true;
    }
    if ((vgic_forward(g, w) & ~w->active & bit) == 0) {
        return false;
    }
    vgic_set_ready(to, 0, to->ready[0] | bit);
    return true;
}

enum self_sgi {
    SELF_MORE,    /* it's more than the short cut can do; nothing was done */
    SELF_PENDING, /* it's pending in its list register already */
    SELF_RENEWED, /* now it is; to be loaded */
};

/* An SGI of cpu to itself that is listed still. */
static inline enum self_sgi self_sgi(const struct vgic *g, struct vgic_cpu *cpu, u32 id)
{
    struct vgic_word *w = &cpu->word;
    u32 n = cpu->slot[id], bit = BIT(id);
    struct irq_ctx *ctx = &cpu->vcpu->irq;
    struct irq_lr *lr = &ctx->lr[n];

    if ((w->listed & ~w->latch & ~w->forced & vgic_forward(g, w) & bit) == 0 ||
        (cpu->stale >> n & 1) != 0 || (cpu->ready_words | cpu->out_words) != 0) {
        return SELF_MORE;
    }
    arch_irq_save(cpu->vcpu);
    if ((lr->state & LR_PENDING) != 0) {
        /* the same once more; one from another sender is something else */
        return (w->handed & bit) != 0 && (g->version == 3 || lr->source == cpu->index)
                   ? SELF_PENDING
                   : SELF_MORE;
    }
    if (lr->state != 0) {
        return SELF_MORE;
    }
    w->handed |= bit;
    w->active &= ~bit;
    lr->source = g->version == 3 ? 0 : (u8)cpu->index;
    lr->eoi = false;
    lr->state = LR_PENDING;
    cpu->seen[n] = LR_PENDING;
    ctx->dirty |= (u16)BIT(n);
    return SELF_RENEWED;
}

/* An SGI that isn't for one other vCPU. Kept out of line: it would make that one dearer. */
static NOINLINE void send_sgi_more(struct vgic *g, struct vgic_cpu *cpu, u32 targets, u32 id)
{
    enum self_sgi self = SELF_MORE;

    spin_lock(&g->lock);
    if (targets == BIT(cpu->index)) {
        self = self_sgi(g, cpu, id);
    }
    if (likely(self != SELF_MORE)) {
        spin_unlock(&g->lock);
        if (self == SELF_RENEWED) {
            arch_irq_load(cpu->vcpu);
        }
        return;
    }
    for (; targets != 0; targets &= targets - 1) {
        u32 i = (u32)__builtin_ctz(targets);

        g->ask |= latch_sgi(g, &g->cpu[i], id, cpu->index) ? BIT(i) : 0;
    }
    vgic_unlock_self(g, cpu);
}

static inline void send_sgi(struct vgic *g, struct vgic_cpu *cpu, u32 targets, u32 id)
{
    struct vgic_cpu *to;
    bool concerned;

    if ((targets & (BIT(cpu->index) | (targets - 1))) != 0 || targets == 0) {
        send_sgi_more(g, cpu, targets, id);
        return;
    }
    to = &g->cpu[__builtin_ctz(targets)];
    spin_lock(&g->lock);
    concerned = latch_sgi(g, to, id, cpu->index);
    spin_unlock(&g->lock);
    if (concerned) {
        irq_attention(to->vcpu);
    }
}

void vgic_send_sgi(struct vgic *g, struct vgic_cpu *cpu, u32 targets, u32 id)
{
    send_sgi(g, cpu, targets, id);
}

static void sgi(struct vcpu *v, u64 value)
{
    struct vgic *g = v->vm->irqchip_data;
    struct vgic_cpu *cpu = &g->cpu[v->id];
    u32 targets;

    if (unlikely(g->version != 3)) {
        return;
    }
    targets = (u32)value & (BIT(g->ncpus) - 1) & 0xffff;
    if (unlikely(!g->flat || (value & VGICV3_SGI_ROUTE) != 0)) {
        targets = vgicv3_sgi_targets(g, cpu, value);
    }
    send_sgi(g, cpu, targets, (u32)(value >> 24) & 15);
}

static bool pending(struct vcpu *v)
{
    struct vgic *g = v->vm->irqchip_data;
    struct vgic_cpu *cpu = &g->cpu[v->id];

    if (atomic_load(&cpu->ready_words) != 0) {
        return true;
    }
    arch_irq_save(v);
    for (u32 lrs = cpu->lrs; lrs != 0; lrs &= lrs - 1) {
        const struct irq_lr *lr = &v->irq.lr[__builtin_ctz(lrs)];

        if (lr->state == LR_PENDING || (lr->state == 0 && lr->eoi)) {
            return true; /* in the latter case its line is to be looked at again */
        }
    }
    return v->irq.eoicount != 0;
}

void vgic_enable_groups(struct vgic *g, u32 groups)
{
    atomic_store(&g->control, groups & 3);
    g->group_on[0] = (groups & 1) != 0 ? ~0u : 0;
    g->group_on[1] = (groups & 2) != 0 ? ~0u : 0;
    vgic_hw_look(g);
    for (u32 i = 0; i < g->ncpus; i++) {
        if (g->cpu[i].lrs != 0) {
            atomic_store(&g->unsettled, g->unsettled | BIT(i)); /* until its update */
        }
        vgic_changed(g, &g->cpu[i], 0, ~0u);
    }
    for (u32 wi = 1; wi < VGIC_WORDS; wi++) {
        vgic_changed(g, NULL, wi, ~0u);
    }
}

/*
 * Before it runs again a vCPU that isn't in the guest now takes VCPU_IRQ into account, so only
 * those that are count. p->current is stored before attention is looked at (core/sched.c).
 */
bool vgic_runs(const struct vgic_cpu *cpu)
{
    const struct vcpu *v = cpu->vcpu;

    return v->pcpu != NULL && atomic_load(&v->pcpu->current) == v &&
           atomic_load(&v->state) == VCPU_READY;
}

bool vgic_settling(const struct vgic *g, const struct vgic_cpu *cpu)
{
    u32 unsettled = atomic_load(&g->unsettled);

    if (cpu != NULL) {
        return (unsettled & BIT(VCPU_MAX + cpu->index)) != 0 && vgic_runs(cpu);
    }
    for (u32 left = unsettled & (BIT(g->ncpus) - 1); left != 0; left &= left - 1) {
        if (vgic_runs(&g->cpu[__builtin_ctz(left)])) {
            return true;
        }
    }
    return false;
}

/* --- reset and creation ---------------------------------------------------------------------- */

static void reset_cpu(struct vgic *g, struct vgic_cpu *cpu)
{
    struct vcpu *v = cpu->vcpu;
    u32 complete = cpu->complete | cpu->word.held;
    u16 pintid[IRQ_PRIVATE];

    memcpy(pintid, cpu->pintid, sizeof(pintid));
    memset(cpu, 0, sizeof(*cpu));
    memcpy(cpu->pintid, pintid, sizeof(pintid));
    cpu->vcpu = v;
    cpu->index = v->id;
    cpu->complete = complete;
    cpu->mine[0] = ~0u;
    cpu->word.level = ~VGIC_SGI_MASK;
    memset(v->irq.lr, 0, sizeof(v->irq.lr));
    v->irq.dirty |= v->irq.used;
    v->irq.used = 0;
    v->irq.refill = false;
    v->irq.eoicount = 0;
    g->ask |= BIT(cpu->index);
}

static void reset(struct vm *vm)
{
    struct vgic *g = vm->irqchip_data;

    spin_lock(&g->lock);
    g->group_on[0] = 0;
    g->group_on[1] = 0;
    g->control = 0;
    g->unsettled = 0;
    g->flat = true;
    for (u32 i = 0; i < g->ncpus; i++) {
        g->flat = g->flat && g->cpu[i].vcpu->mpidr == i;
    }
    for (u32 i = 0; i < g->ncpus; i++) {
        u32 line = g->cpu[i].word.line;

        reset_cpu(g, &g->cpu[i]);
        g->cpu[i].word.line = line;
    }
    for (u32 i = 0; i < ARRAY_SIZE(g->spi); i++) {
        struct vgic_word *w = &g->spi[i];
        u32 line = w->line, held = w->held;

        vgic_hw_enable(g, i + 1, ~0u, false);
        *w = (struct vgic_word){.level = ~0u, .held = held};
        vgic_settle(g, NULL, i + 1, ~0u);
        w->line = line; /* inputs are the devices' business */
    }
    memset(g->multi, 0, sizeof(g->multi));
    memset(g->prio, 0, sizeof(g->prio));
    memset(g->mask, 0, sizeof(g->mask));
    memset(g->router, 0, sizeof(g->router));
    memset(g->target, VGIC_NOBODY, sizeof(g->target));
    if (g->version == 3) {
        vgicv3_reset(g);
    } else {
        vgicv2_reset(g);
    }
    vgic_unlock(g);
}

/* What may go to others too goes to others: cpu is about to go off, or is just coming on. */
static void send_elsewhere(struct vgic *g, const struct vgic_cpu *cpu)
{
    for (u32 i = 0; i < ARRAY_SIZE(g->multi); i++) {
        for (u32 m = g->multi[i] & cpu->mine[i + 1]; m != 0; m &= m - 1) {
            u32 spi = i * 32 + (u32)__builtin_ctz(m);
            u32 to = vgic_pick(g, spi, g->mask[spi] & ~BIT(cpu->index));

            if (to != VGIC_NOBODY && is_on(&g->cpu[to])) {
                vgic_route(g, spi, to);
            }
        }
    }
}

static void reset_vcpu(struct vcpu *v)
{
    struct vgic *g = v->vm->irqchip_data;

    spin_lock(&g->lock);
    vgic_lr_flush(g, &g->cpu[v->id]);
    send_elsewhere(g, &g->cpu[v->id]);
    vgic_unlock(g);
}

static const struct irqchip vgic_irqchip = {
    .set_line = set_line,
    .inject_hw = inject_hw,
    .link = vgic_hw_link,
    .update = vgic_update,
    .pending = pending,
    .sgi = sgi,
    .reset = reset,
    .reset_vcpu = reset_vcpu,
};

static bool add_windows(struct vgic *g, struct vm *vm)
{
    const struct vm_config *cfg = vm->cfg;

    if (g->version == 3) {
        return mmio_add(&vm->mmio, cfg->gicd, V3_SIZE, &g->dev, 0) &&
               mmio_add(&vm->mmio, cfg->gicr, (u64)GICR_SIZE * g->ncpus, &g->dev, 1);
    }
    if (range_overlap(cfg->gicd, V2_SIZE, cfg->gicc, V2_MIN)) {
        return mmio_add(&vm->mmio, cfg->gicd, V2_MIN, &g->dev, 0);
    }
    return mmio_add(&vm->mmio, cfg->gicd, V2_SIZE, &g->dev, 0);
}

bool vgic_create(struct vm *vm, u32 version)
{
    struct vgic *g;

    g = page_alloc(sizeof(*g));
    if (g == NULL) {
        return false;
    }
    spin_init(&g->lock, LOCK_VGIC);
    g->vm = vm;
    g->version = version;
    g->ncpus = vm->nvcpus;
    g->dev.ops = version == 3 ? &vgicv3_ops : &vgicv2_ops;
    g->dev.vm = vm;
    for (u32 i = 0; i < g->ncpus; i++) {
        g->cpu[i].vcpu = vm->vcpu[i];
    }
    if (!add_windows(g, vm)) {
        return false;
    }
    vm->irqchip = &vgic_irqchip;
    vm->irqchip_data = g;
    g->dev.next = vm->devs;
    vm->devs = &g->dev;
    reset(vm);
    return true;
}
