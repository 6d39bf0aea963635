/* SPDX-License-Identifier: MIT */
/*
 * List registers of one vCPU: takes what the guest did with them, puts in what is most urgent. All
 * of it runs on that vCPU's own CPU, which owns v->irq, with vgic.lock held.
 *
 * Rules for a list register (GICv3 architecture §6, "Virtual interrupt handling"; GICv2 §5.2):
 * - An interrupt is in one at most. It stays there until it's neither pending nor active, unless
 *   more urgent ones need the place.
 * - Linked to a physical interrupt (hw), it's pending or active, never both: the guest's
 *   deactivation would take the physical one along while the second instance is still to come.
 * - A level-triggered one is pending or active, never both: when the guest ends it, a maintenance
 *   interrupt (eoi) has us look at the line again. While nothing is left to look at, eoi is off.
 * - One slot is for the most urgent pending interrupt, always, even if all others are active, so
 *   that it can preempt.
 */
#include "core/arch.h"
#include "core/atomic.h"
#include "vdev/gic/vgic_again.h"
#include "vdev/gic/vgic_state.h"

/* A list register and what is in it. */
struct slot {
    struct irq_ctx *ctx;
    struct irq_lr *lr;
    u32 n;
    u32 wi, bit;
    struct vgic_word *w;
};

static inline struct slot slot_of(struct vgic *g, struct vgic_cpu *cpu, u32 n)
{
    struct irq_ctx *ctx = &cpu->vcpu->irq;
    struct irq_lr *lr = &ctx->lr[n];
    u32 wi = lr->virq / 32;

    return (struct slot){ctx, lr, n, wi, BIT(lr->virq % 32), vgic_word(g, cpu, wi)};
}

static inline void set_dirty(struct slot s)
{
    s.ctx->dirty |= (u16)BIT(s.n);
}

static inline void mark_listed(struct vgic *g, struct vgic_cpu *cpu, struct slot s)
{
    s.w->listed |= s.bit;
    cpu->listed[s.wi] |= s.bit;
    cpu->lrs |= BIT(s.n);
    s.ctx->used |= (u16)BIT(s.n);
    if (s.wi == 0) {
        cpu->slot[s.lr->virq] = (u8)s.n;
        cpu->again |= s.bit;
    } else {
        g->slot[s.lr->virq - IRQ_PRIVATE] = (u8)s.n;
    }
}

/* The list register is free, in our copy. */
static inline void unlist(struct vgic_cpu *cpu, struct slot s)
{
    s.w->listed &= ~s.bit;
    s.w->dropped &= ~s.bit;
    cpu->listed[s.wi] &= ~s.bit;
    cpu->lrs &= ~BIT(s.n);
    cpu->again &= s.wi == 0 ? ~s.bit : ~0u;
    s.ctx->used &= (u16)~BIT(s.n);
}

/* After unlist: what may be next for the interrupt. */
static inline void unlisted(struct vgic *g, struct vgic_cpu *cpu, struct slot s)
{
    if ((s.w->held & s.bit) != 0) {
        vgic_settle(g, cpu, s.wi, s.bit);
    }
    if ((vgic_wants(s.w) & s.bit) != 0) {
        vgic_changed(g, cpu, s.wi, 0);
    }
}

/* What is pending in s is pending in memory again. */
static RARE void take_back(const struct vgic *g, struct vgic_cpu *cpu, struct slot s)
{
    if ((s.w->handed & s.bit) != 0) {
        s.w->handed &= ~s.bit;
        s.w->latch |= s.bit;
        if (vgic_is_sgi_v2(g, s.lr->virq)) {
            cpu->sources[s.lr->virq] |= (u8)BIT(s.lr->source);
        }
    }
    s.lr->state &= (u8)~LR_PENDING;
}

/* GICv2: one of those whose SGI is latched is in s from now on. */
static inline void take_source(struct vgic_cpu *cpu, struct slot s)
{
    u32 sources = cpu->sources[s.lr->virq];

    s.lr->source = (u8)(__builtin_ctz(sources | BIT(31)) % VCPU_MAX);
    sources &= sources - 1;
    cpu->sources[s.lr->virq] = (u8)sources;
    s.w->handed |= s.bit;
    if (sources == 0) {
        s.w->latch &= ~s.bit;
    }
}

/* GICv2: what is latched of the SGI's own sender is in s, too. True: that was all. */
static inline bool merge_source(struct vgic_cpu *cpu, struct slot s)
{
    u8 *sources = &cpu->sources[s.lr->virq];

    if ((*sources & BIT(s.lr->source)) != 0) {
        *sources &= (u8)~BIT(s.lr->source);
        s.w->handed |= s.bit;
    }
    return *sources == 0;
}

/* What is latched is in s, too, or, an SGI of another sender, has to wait. */
static inline void merge(const struct vgic *g, struct vgic_cpu *cpu, struct slot s)
{
    if (vgic_is_sgi_v2(g, s.lr->virq) && !merge_source(cpu, s)) {
        return;
    }
    s.w->handed |= s.w->latch & s.bit;
    s.w->latch &= ~s.bit;
}

/*
 * If the guest ended what was in s, it ended the linked physical interrupt too. A private one that
 * fired again since was seen to have ended first (see inject_hw); an SPI may be injected anywhere,
 * so that a new event counts as a new physical interrupt.
 */
static inline void ended_in_hardware(struct slot s)
{
    if (s.lr->hw && s.lr->state == 0) {
        s.w->held &= (s.wi != 0 ? s.w->latch : 0) | ~s.bit;
    }
}

/* A register write made s active or inactive. */
static RARE void force(const struct vgic *g, struct vgic_cpu *cpu, struct slot s)
{
    s.w->forced &= ~s.bit;
    ended_in_hardware(s);
    if ((s.w->active & s.bit) != 0) {
        take_back(g, cpu, s);
        s.lr->state = LR_ACTIVE;
        s.lr->hw = false;
    } else if ((s.lr->state & LR_ACTIVE) != 0) {
        s.lr->state &= (u8)~LR_ACTIVE;
        s.lr->hw = false; /* the physical interrupt has not ended with it */
    }
    set_dirty(s);
}

/* The guest ended what was in s. */
static inline void finish(struct vgic *g, struct vgic_cpu *cpu, struct slot s)
{
    unlist(cpu, s);
    if (s.lr->eoi) {
        /* until it's written, the register goes on asking for maintenance */
        set_dirty(s);
        g->ask |= BIT(cpu->index);
    }
    unlisted(g, cpu, s);
}

/* Takes the guest's progress out of s. False: there's nothing in it any more; to be finished. */
static inline bool observe(struct vgic *g, struct vgic_cpu *cpu, struct slot s)
{
    u32 state;

    if (unlikely((s.w->forced & s.bit) != 0)) {
        force(g, cpu, s);
    }
    state = s.lr->state;
    if ((state & LR_PENDING) == 0) {
        s.w->handed &= ~s.bit;
    } else if (s.lr->hw) {
        s.w->handed |= s.bit & ~s.w->dropped; /* it may have been injected again */
    }
    if ((state & LR_ACTIVE) != 0) {
        s.w->active |= s.bit;
        return true;
    }
    s.w->active &= ~s.bit;
    ended_in_hardware(s);
    return state != 0;
}

/* Gives s what goes with its state: link, maintenance, priority, group. True: something changed. */
static inline bool dress(const struct vgic *g, const struct vgic_cpu *cpu, struct slot s)
{
    struct irq_lr *lr = s.lr;
    u32 wants = vgic_wants(s.w) & s.bit, held = s.w->held & s.bit;
    bool hw = held != 0 && wants == 0 && lr->state != (LR_PENDING | LR_ACTIVE);
    bool eoi = !hw && (wants | held) != 0;
    bool group1 = (s.w->group1 & s.bit) != 0;
    u8 prio = vgic_prio(g, cpu, lr->virq);
    bool same = lr->hw == hw && lr->eoi == eoi && lr->group1 == group1 && lr->prio == prio;

    lr->hw = hw;
    lr->eoi = eoi;
    lr->group1 = group1;
    lr->prio = prio;
    if (hw) {
        lr->pirq =
            lr->virq < IRQ_PRIVATE ? cpu->pintid[lr->virq] : g->pintid[lr->virq - IRQ_PRIVATE];
    }
    return !same;
}

/* Makes s what it should be now, after observe. */
static void adjust(struct vgic *g, struct vgic_cpu *cpu, struct slot s)
{
    struct vgic_word *w = s.w;
    u32 ok = vgic_forward(g, w) & cpu->mine[s.wi] & s.bit;
    u32 before = s.lr->state;

    if ((before & LR_PENDING) != 0) {
        u32 wants = vgic_is_sgi_v2(g, s.lr->virq) ? 0 : vgic_wants(w); /* may be another sender's */

        if ((ok & (w->handed | wants)) == 0) {
            take_back(g, cpu, s);
        } else if ((w->latch & s.bit) != 0) {
            merge(g, cpu, s);
        }
    } else if ((ok & w->latch & ~w->level & ~w->held) != 0) {
        merge(g, cpu, s); /* acknowledged, and another edge or SGI since */
        s.lr->state |= (w->handed & s.bit) != 0 ? LR_PENDING : 0;
    }
    w->dropped &= ~s.bit;
    if (s.wi == 0) {
        cpu->again = ok != 0 ? cpu->again | s.bit : cpu->again & ~s.bit;
    }
    cpu->seen[s.n] = s.lr->state;
    if (s.lr->state == 0) {
        set_dirty(s);
        unlist(cpu, s);
        unlisted(g, cpu, s);
    } else if (dress(g, cpu, s) || s.lr->state != before) {
        set_dirty(s);
    }
}

/*
 * s is done, but its interrupt is pending again: if nothing else is waiting for a list register, it
 * stays in this one.
 */
static inline bool renew(struct vgic *g, struct vgic_cpu *cpu, struct slot s, bool restyle)
{
    u32 again = vgic_wants(s.w) & vgic_forward(g, s.w) & cpu->mine[s.wi] & s.bit;

    if (again == 0 || (cpu->ready_words | cpu->out_words) != 0 ||
        (s.w->held & ~s.w->latch & s.bit) != 0) {
        return false;
    }
    if (vgic_is_sgi_v2(g, s.lr->virq)) {
        take_source(cpu, s);
    } else {
        s.w->handed |= s.w->latch & s.bit;
        s.w->latch &= ~s.bit;
    }
    s.lr->state = LR_PENDING;
    cpu->seen[s.n] = LR_PENDING;
    if (restyle || s.lr->hw || ((s.w->held | vgic_wants(s.w)) & s.bit) != 0) {
        (void)dress(g, cpu, s);
    } else {
        s.lr->eoi = false; /* no more than that can have changed */
    }
    set_dirty(s);
    return true;
}

static inline void look_at(struct vgic *g, struct vgic_cpu *cpu, u32 n, bool stale, bool restyle)
{
    struct slot s = slot_of(g, cpu, n);

    if (observe(g, cpu, s)) {
        cpu->seen[n] = s.lr->state;
        if (stale) {
            adjust(g, cpu, s);
        } /* else only the guest changed something; what it left is right as it is */
    } else if (!renew(g, cpu, s, restyle)) {
        finish(g, cpu, s);
    }
}

/* --- filling --------------------------------------------------------------------------------- */

static void place_active(struct vgic *g, struct vgic_cpu *cpu, u32 n, u32 id)
{
    struct irq_lr *lr = &cpu->vcpu->irq.lr[n];
    struct slot s;

    *lr = (struct irq_lr){.virq = (u16)id, .state = LR_ACTIVE};
    s = slot_of(g, cpu, n);
    s.lr->source = vgic_is_sgi_v2(g, id) ? cpu->out_source[id] : 0;
    vgic_set_out(cpu, s.wi, cpu->out[s.wi] & ~s.bit);
    mark_listed(g, cpu, s);
    cpu->again &= s.wi == 0 ? ~s.bit : ~0u;
    cpu->seen[n] = LR_ACTIVE;
    (void)dress(g, cpu, s);
    set_dirty(s);
}

/* Puts an interrupt that is ready into the free list register n. */
static void place(struct vgic *g, struct vgic_cpu *cpu, u32 n, u32 id)
{
    struct irq_lr *lr = &cpu->vcpu->irq.lr[n];
    struct slot s;
    u32 wants, hw;

    lr->virq = (u16)id;
    s = slot_of(g, cpu, n);
    mark_listed(g, cpu, s);
    vgic_set_ready(cpu, s.wi, cpu->ready[s.wi] & ~s.bit);
    lr->source = 0;
    if (vgic_is_sgi_v2(g, id)) {
        take_source(cpu, s);
    } else {
        s.w->handed |= s.w->latch & s.bit;
        s.w->latch &= ~s.bit;
    }
    wants = vgic_wants(s.w) & s.bit;
    hw = s.w->held & s.bit & ~wants;
    lr->hw = hw != 0;
    if (hw != 0) {
        lr->pirq = id < IRQ_PRIVATE ? cpu->pintid[id] : g->pintid[id - IRQ_PRIVATE];
    }
    lr->eoi = wants != 0;
    lr->group1 = (s.w->group1 & s.bit) != 0;
    lr->prio = vgic_prio(g, cpu, id);
    lr->state = LR_PENDING;
    cpu->seen[n] = LR_PENDING;
    set_dirty(s);
}

static void evict(struct vgic *g, struct vgic_cpu *cpu, u32 n)
{
    struct slot s = slot_of(g, cpu, n);

    (void)observe(g, cpu, s);
    if ((s.lr->state & LR_PENDING) != 0) {
        take_back(g, cpu, s);
    }
    if (s.lr->state != 0) {
        vgic_set_out(cpu, s.wi, cpu->out[s.wi] | s.bit);
        if (vgic_is_sgi_v2(g, s.lr->virq)) {
            cpu->out_source[s.lr->virq] = s.lr->source;
        }
    }
    unlist(cpu, s);
    s.lr->state = 0;
    set_dirty(s);
    unlisted(g, cpu, s);
}

/* The most urgent of those that are out; at least one is. */
static u32 most_urgent_out(const struct vgic *g, const struct vgic_cpu *cpu)
{
    u32 best = 0, best_prio = 0x100;

    for (u32 words = cpu->out_words; words != 0; words &= words - 1) {
        u32 wi = (u32)__builtin_ctz(words);

        for (u32 m = cpu->out[wi]; m != 0; m &= m - 1) {
            u32 id = wi * 32 + (u32)__builtin_ctz(m);

            if (vgic_prio(g, cpu, id) < best_prio) {
                best = id;
                best_prio = vgic_prio(g, cpu, id);
            }
        }
    }
    return best;
}

/*
 * The list register that is least urgent, to be given up for a pending interrupt of priority prio:
 * a pending one of lower priority; failing that, if no other is pending at all, an active one.
 * IRQ_LR_MAX: none.
 */
static u32 least_urgent(const struct vgic_cpu *cpu, u32 prio)
{
    const struct irq_lr *lr = cpu->vcpu->irq.lr;
    u32 pending = IRQ_LR_MAX, active = IRQ_LR_MAX;

    for (u32 lrs = cpu->lrs; lrs != 0; lrs &= lrs - 1) {
        u32 n = (u32)__builtin_ctz(lrs);
        u32 *worst = (lr[n].state & LR_ACTIVE) != 0 ? &active : &pending;

        if (*worst == IRQ_LR_MAX || lr[n].prio > lr[*worst].prio) {
            *worst = n;
        }
    }
    if (pending == IRQ_LR_MAX) {
        return active;
    }
    return lr[pending].prio > prio ? pending : IRQ_LR_MAX;
}

/* An interrupt that is ready, and its priority. */
struct candidate {
    u16 id;
    u8 prio;
};

/* The most urgent of those that are ready, in order: at most `max`, not 0, into list[]; how many.
 */
static u32 pick_ready(const struct vgic *g, const struct vgic_cpu *cpu, struct candidate *list,
                      u32 max)
{
    u32 count = 0;

    for (u32 words = cpu->ready_words; words != 0; words &= words - 1) {
        u32 wi = (u32)__builtin_ctz(words);

        for (u32 m = cpu->ready[wi]; m != 0; m &= m - 1) {
            u32 id = wi * 32 + (u32)__builtin_ctz(m);
            u8 prio = vgic_prio(g, cpu, id);
            u32 at;

            if (count == max && (max == 0 || list[max - 1].prio <= prio)) {
                continue;
            }
            count += count < max;
            for (at = count - 1; at > 0 && list[at - 1].prio > prio; at--) {
                list[at] = list[at - 1];
            }
            list[at] = (struct candidate){(u16)id, prio};
        }
    }
    return count;
}

/* More than one is ready: the most urgent first, into free list registers or in place of others. */
static void fill_sorted(struct vgic *g, struct vgic_cpu *cpu, u32 free)
{
    struct candidate list[IRQ_LR_MAX];
    u32 count = pick_ready(g, cpu, list, cpu->vcpu->irq.count);

    for (u32 i = 0; i < count; i++) {
        u32 n;

        if (free != 0) {
            n = (u32)__builtin_ctz(free);
            free &= free - 1;
        } else {
            n = least_urgent(cpu, list[i].prio);
            if (n == IRQ_LR_MAX) {
                return;
            }
            evict(g, cpu, n);
        }
        place(g, cpu, n, list[i].id);
    }
}

static void fill_active(struct vgic *g, struct vgic_cpu *cpu, u32 free)
{
    /* the last one stays free for a pending interrupt, if there's any */
    for (u32 i = 0; i < IRQ_LR_MAX && cpu->out_words != 0; i++) {
        if (free == 0 || ((free & (free - 1)) == 0 && cpu->ready_words != 0)) {
            return;
        }
        place_active(g, cpu, (u32)__builtin_ctz(free), most_urgent_out(g, cpu));
        free &= free - 1;
    }
}

static u32 free_lrs(const struct vgic_cpu *cpu)
{
    return ~cpu->lrs & (BIT(cpu->vcpu->irq.count) - 1);
}

static RARE void fill_many(struct vgic *g, struct vgic_cpu *cpu)
{
    if (cpu->out_words != 0) {
        fill_active(g, cpu, free_lrs(cpu));
    }
    fill_sorted(g, cpu, free_lrs(cpu));
}

static inline void fill(struct vgic *g, struct vgic_cpu *cpu)
{
    u32 free = free_lrs(cpu), wi = (u32)__builtin_ctz(cpu->ready_words | BIT(31)) % VGIC_WORDS;
    u32 ready = cpu->ready[wi];

    /* most often there's one, and room for it */
    if (likely(cpu->out_words == 0 && free != 0 && is_pow2(ready) && cpu->ready_words == BIT(wi))) {
        place(g, cpu, (u32)__builtin_ctz(free), wi * 32 + (u32)__builtin_ctz(ready));
    } else {
        fill_many(g, cpu);
    }
}

/* --- what the other files call --------------------------------------------------------------- */

/*
 * The guest ended interrupts that are in no list register: by priority drop order, the most urgent
 * of the active ones first. (With EOImode 1 a guest may deactivate in another order: then the wrong
 * one of its own interrupts ends early.)
 */
static RARE void take_eois(struct vgic *g, struct vgic_cpu *cpu)
{
    u32 count = MIN(cpu->vcpu->irq.eoicount, (u32)VGIC_IDS);

    cpu->vcpu->irq.eoicount = 0;
    for (; count != 0 && cpu->out_words != 0; count--) {
        u32 id = most_urgent_out(g, cpu);
        u32 wi = id / 32, bit = BIT(id % 32);

        vgic_set_out(cpu, wi, cpu->out[wi] & ~bit);
        vgic_word(g, cpu, wi)->active &= ~bit;
        vgic_settle(g, cpu, wi, bit);
        vgic_changed(g, cpu, wi, 0);
    }
}

void vgic_lr_sync(struct vgic *g, struct vgic_cpu *cpu)
{
    arch_irq_save(cpu->vcpu);
    if (cpu->vcpu->irq.eoicount != 0) {
        take_eois(g, cpu);
    }
    for (u32 lrs = cpu->lrs; lrs != 0; lrs &= lrs - 1) {
        struct slot s = slot_of(g, cpu, (u32)__builtin_ctz(lrs));

        if (!observe(g, cpu, s)) {
            finish(g, cpu, s);
        }
    }
}

static NOINLINE void update_all(struct vgic *g, struct vgic_cpu *cpu)
{
    struct irq_ctx *ctx = &cpu->vcpu->irq;
    u32 stale = cpu->stale, restyle = cpu->restyle;

    cpu->stale = 0;
    cpu->restyle = 0;
    if (unlikely(ctx->eoicount != 0)) {
        take_eois(g, cpu);
    }
    for (u32 lrs = cpu->lrs; lrs != 0; lrs &= lrs - 1) {
        u32 n = (u32)__builtin_ctz(lrs);

        bool follow = (stale >> n & 1) != 0;

        if (follow || ctx->lr[n].state != cpu->seen[n]) {
            look_at(g, cpu, n, follow, (restyle >> n & 1) != 0);
        }
    }
    if ((cpu->ready_words | cpu->out_words) != 0) {
        fill(g, cpu);
    }
    for (; unlikely(cpu->complete != 0); cpu->complete &= cpu->complete - 1) {
        arch_irq_complete(cpu->pintid[__builtin_ctz(cpu->complete)]);
    }
    ctx->refill = cpu->ready_words != 0;
    if (unlikely(g->unsettled != 0)) {
        atomic_store(&g->unsettled, g->unsettled & ~(BIT(cpu->index) | BIT(VCPU_MAX + cpu->index)));
    }
    g->ask &= ~BIT(cpu->index);
}

void vgic_lr_update(struct vgic *g, struct vgic_cpu *cpu)
{
    if (!vgic_again_update(g, cpu)) {
        update_all(g, cpu);
    }
}

void vgic_update(struct vcpu *v)
{
    struct vgic *g = v->vm->irqchip_data;

    spin_lock(&g->lock);
    vgic_lr_update(g, &g->cpu[v->id]);
    vgic_unlock(g);
}

void vgic_lr_flush(struct vgic *g, struct vgic_cpu *cpu)
{
    if (cpu->vcpu->irq.eoicount != 0) {
        take_eois(g, cpu);
    }
    for (u32 lrs = cpu->lrs; lrs != 0; lrs &= lrs - 1) {
        u32 n = (u32)__builtin_ctz(lrs);
        struct slot s = slot_of(g, cpu, n);

        if (observe(g, cpu, s)) {
            evict(g, cpu, n);
        } else {
            finish(g, cpu, s);
        }
    }
}
