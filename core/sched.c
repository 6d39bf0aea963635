/* SPDX-License-Identifier: MIT */
/*
 * What each physical CPU does. Its ready queue holds every vCPU that wants to run, the running one
 * included, by priority and then in turn; the head runs. Lock: the CPU's LOCK_SCHED.
 *
 * Attention bits and vCPU states are read without the lock, so each side stores its own word, then
 * a full fence, then reads the other's: whoever comes second sees the first (see vcpu_ask and
 * sched_block).
 */
#include "core/sched.h"

#include "core/arch.h"
#include "core/atomic.h"
#include "core/irq.h"
#include "core/panic.h"
#include "core/vdev.h"
#include "core/vm.h"

#define SOON_NS 20000u /* work waits for so long: about as long as a piece of it takes */

struct pcpu pcpus[PCPU_MAX];
u32 pcpu_count;

void (*arch_uart_irq)(void);

static void ask(struct pcpu *p, u32 bits)
{
    u32 old = atomic_or(&p->remote.attention, bits);

    if ((old & bits) != bits && p != arch_pcpu()) {
        arch_kick(p);
    }
}

static void slice_over(struct timer *t)
{
    struct pcpu *p = t->pcpu;

    if (p->current != NULL) {
        sched_requeue(p->current);
    }
}

static void work_again(struct timer *t)
{
    ask(t->pcpu, PCPU_WORK);
}

void sched_init(u32 count)
{
    pcpu_count = count;
    for (u32 i = 0; i < count; i++) {
        struct pcpu *p = &pcpus[i];

        p->id = i;
        spin_init(&p->remote.lock, LOCK_SCHED);
        p->remote.work_tail = &p->remote.work;
        timer_init(&p->slice, p, slice_over);
        timer_init(&p->work_pause, p, work_again);
    }
}

static void queue_insert(struct pcpu *p, struct vcpu *v)
{
    struct vcpu **at = &p->remote.ready;

    while (*at != NULL && (*at)->prio >= v->prio) {
        at = &(*at)->next;
    }
    v->next = *at;
    *at = v;
}

static void queue_remove(struct pcpu *p, struct vcpu *v)
{
    struct vcpu **at = &p->remote.ready;

    while (*at != NULL && *at != v) {
        at = &(*at)->next;
    }
    if (*at == v) {
        *at = v->next;
    }
}

/*
 * To READY, if it still is in the state that the caller means: between a look at it and the lock,
 * another CPU may have woken the vCPU, and it may have gone off.
 */
static void make_ready(struct vcpu *v, u8 from)
{
    struct pcpu *p = v->pcpu;
    bool changed;

    spin_lock(&p->remote.lock);
    changed = v->state == from;
    if (changed) {
        atomic_store(&v->state, VCPU_READY);
        queue_insert(p, v);
    }
    spin_unlock(&p->remote.lock);
    if (changed) {
        ask(p, PCPU_RESCHED);
    }
}

void sched_ready(struct vcpu *v)
{
    make_ready(v, VCPU_OFF);
}

void sched_wake(struct vcpu *v)
{
    make_ready(v, VCPU_BLOCKED);
}

void sched_resume(struct vcpu *v)
{
    make_ready(v, VCPU_PAUSED);
}

static void leave_queue(struct vcpu *v, u8 state)
{
    struct pcpu *p = v->pcpu;

    spin_lock(&p->remote.lock);
    queue_remove(p, v);
    atomic_store(&v->state, state);
    spin_unlock(&p->remote.lock);
    atomic_or(&p->remote.attention, (u32)PCPU_RESCHED);
}

void sched_block(struct vcpu *v)
{
    leave_queue(v, VCPU_BLOCKED);
    atomic_fence(); /* pairs with vcpu_ask */
    if (atomic_load(&v->attention) != 0) {
        sched_wake(v);
    }
}

void sched_off(struct vcpu *v)
{
    leave_queue(v, VCPU_OFF);
}

void sched_pause(struct vcpu *v)
{
    leave_queue(v, VCPU_PAUSED);
}

void sched_requeue(struct vcpu *v)
{
    struct pcpu *p = v->pcpu;

    spin_lock(&p->remote.lock);
    if (v->state == VCPU_READY) {
        queue_remove(p, v);
        queue_insert(p, v);
    }
    spin_unlock(&p->remote.lock);
    atomic_or(&p->remote.attention, (u32)PCPU_RESCHED);
}

void vcpu_wfi(struct vcpu *v)
{
    if (atomic_load(&v->attention) == 0 && !v->vm->irqchip->pending(v)) {
        sched_block(v);
    }
}

static inline __attribute__((always_inline)) void ask_vcpu(struct vcpu *v, u32 bits)
{
    struct pcpu *p = v->pcpu;
    u32 old = atomic_or(&v->attention, bits);

    atomic_fence(); /* pairs with sched_block and sched_enter: they store, fence, then look */
    if (atomic_load(&v->state) == VCPU_BLOCKED) {
        sched_wake(v);
    } else if ((bits & (VCPU_STOP | VCPU_PAUSE)) != 0) {
        ask(p, PCPU_RESCHED); /* it goes first, loaded or not: see choose() */
    } else if ((old & bits) != bits && p != arch_pcpu() && atomic_load(&p->current) == v) {
        arch_kick(p);
    }
}

void vcpu_ask(struct vcpu *v, u32 bits)
{
    ask_vcpu(v, bits);
}

void irq_attention(struct vcpu *v)
{
    ask_vcpu(v, VCPU_IRQ);
}

void vdev_irq(struct vdev *d, bool level)
{
    d->vm->irqchip->set_line(d->vm, NULL, d->intid, level);
}

/* p's lock is held. */
static void work_append(struct pcpu *p, struct work *w)
{
    w->next = NULL;
    *p->remote.work_tail = w;
    p->remote.work_tail = &w->next;
}

/*
 * What a guest's trap leaves behind waits until that guest has run for a while: with the trap's own
 * part it would be twice as long a time without interrupts.
 */
void work_queue(struct pcpu *p, struct work *w)
{
    bool first, later;

    if (atomic_xchg(&w->queued, 1u) != 0) {
        return;
    }
    spin_lock(&p->remote.lock);
    first = p->remote.work == NULL;
    later = p == arch_pcpu() && p->remote.ready != NULL;
    work_append(p, w);
    spin_unlock(&p->remote.lock);
    if (!later) {
        ask(p, PCPU_WORK);
    } else if (first) { /* else the first one's time, or turn, is this one's, too */
        timer_set(&p->work_pause, arch_now_ns() + SOON_NS);
    }
}

static struct work *work_take(struct pcpu *p)
{
    struct work *w;

    spin_lock(&p->remote.lock);
    w = p->remote.work;
    if (w != NULL) {
        p->remote.work = w->next;
        if (w->next == NULL) {
            p->remote.work_tail = &p->remote.work;
        }
    }
    spin_unlock(&p->remote.lock);
    return w;
}

/*
 * One piece of work. While there's more, guests of this CPU get as much time between the pieces as
 * the pieces take; with none to run, the next piece follows at once.
 */
static void work_run(struct pcpu *p)
{
    u64 start = arch_now_ns(), now;
    struct work *w = work_take(p);
    bool again, work, guests;

    if (w == NULL) {
        return;
    }
    atomic_store_release(&w->queued, 0u); /* from here on it may be queued anew */
    again = w->fn(w) && atomic_xchg(&w->queued, 1u) == 0;
    spin_lock(&p->remote.lock);
    if (again) {
        work_append(p, w);
    }
    work = p->remote.work != NULL;
    guests = p->remote.ready != NULL;
    spin_unlock(&p->remote.lock);
    if (!work) {
        return;
    }
    if (!guests) {
        atomic_or(&p->remote.attention, (u32)PCPU_WORK);
        arch_idle(p, false);
        return;
    }
    now = arch_now_ns();
    atomic_and(&p->remote.attention, ~(u32)PCPU_WORK);
    timer_set(&p->work_pause, now + (now - start));
}

/*
 * Who has to go off, or to stand still, goes first: it could wait for ever behind one of higher
 * priority that never sleeps. It doesn't enter its guest.
 */
static struct vcpu *choose(const struct pcpu *p)
{
    for (struct vcpu *v = p->remote.ready; v != NULL; v = v->next) {
        if ((atomic_load(&v->attention) & (VCPU_STOP | VCPU_PAUSE)) != 0) {
            return v;
        }
    }
    return p->remote.ready;
}

/* The vCPU that should run now; arms the time slice if another one waits for its turn. */
static struct vcpu *pick(struct pcpu *p)
{
    struct vcpu *v;
    bool shared;

    spin_lock(&p->remote.lock);
    v = choose(p);
    shared = v != NULL && v->next != NULL && v->next->prio == v->prio;
    spin_unlock(&p->remote.lock);
    if (shared && (v != p->current || p->slice.deadline_ns == TIMER_OFF)) {
        timer_set(&p->slice, arch_now_ns() + SCHED_SLICE_NS);
    } else if (!shared && p->slice.deadline_ns != TIMER_OFF) {
        timer_cancel(&p->slice);
    }
    return v;
}

static void load(struct pcpu *p, struct vcpu *v)
{
    struct vcpu *old = p->current;
    u64 wakeup_ns;

    if (old == v) {
        return;
    }
    wakeup_ns = arch_vcpu_switch(p, v);
    if (v != NULL) {
        atomic_or(&v->attention, (u32)VCPU_IRQ); /* its maintenance interrupt may have got lost */
    }
    if (old != NULL && atomic_load(&old->state) == VCPU_BLOCKED) {
        timer_set(&old->wakeup, wakeup_ns);
    }
    if (v != NULL && v->wakeup.deadline_ns != TIMER_OFF) {
        timer_cancel(&v->wakeup);
    }
    atomic_fence(); /* p->current is stored: now vcpu_ask kicks us, or we see its bits */
}

static inline void update_irqs(struct vcpu *v)
{
    arch_irq_save(v);
    v->vm->irqchip->update(v);
    arch_irq_load(v);
}

/* What others want of v, which is loaded. False: it's not to be entered now. */
static bool attend(struct pcpu *p, struct vcpu *v)
{
    u32 bits = atomic_xchg(&v->attention, 0u);

    if ((bits & (VCPU_INIT | VCPU_STOP)) == VCPU_INIT) {
        load(p, NULL);
        v->vm->irqchip->reset_vcpu(v);
        arch_vcpu_reset(v, v->entry, v->context);
        load(p, v);
        /* Anew: who asked while it wasn't loaded didn't kick, and load left VCPU_IRQ. */
        bits = atomic_xchg(&v->attention, 0u) | (bits & VCPU_PAUSE);
    }
    if (bits & VCPU_STOP) {
        load(p, NULL);
        v->vm->irqchip->reset_vcpu(v); /* lets go of what only this CPU can deactivate */
        vm_vcpu_left(v);
        return false;
    }
    if (bits & VCPU_PAUSE) {
        load(p, NULL);
        vm_vcpu_paused(v);
        return false;
    }
    if (bits & VCPU_IRQ) {
        update_irqs(v);
    }
    return true;
}

static void attend_cpu(struct pcpu *p)
{
    u32 bits = atomic_xchg(&p->remote.attention, 0u);

    if (bits & PCPU_TIMER) {
        timer_expire(p);
    }
    if (bits & PCPU_WORK) {
        work_run(p);
    }
}

/*
 * p->current is ready: it was in the guest, and to block or go off (leave_queue) leaves
 * PCPU_RESCHED set.
 */
bool sched_irq(struct pcpu *p)
{
    struct vcpu *v = p->current;

    if (atomic_load(&v->attention) != VCPU_IRQ || atomic_load(&p->remote.attention) != 0) {
        return false;
    }
    atomic_and(&v->attention, ~(u32)VCPU_IRQ); /* others may have come since: they stay */
    update_irqs(v);
    return (atomic_load(&v->attention) | atomic_load(&p->remote.attention)) == 0;
}

struct vcpu *sched_enter(struct pcpu *p)
{
    for (;;) {
        struct vcpu *v = p->current;

        if (atomic_load(&p->remote.attention) != 0) {
            attend_cpu(p);
            v = pick(p);
            if (v != NULL) {
                load(p, v);
            }
        }
        if (v == NULL || atomic_load(&v->state) != VCPU_READY) {
            if (atomic_load(&p->remote.attention) == 0) {
                arch_idle(p, true);
            }
            atomic_or(&p->remote.attention, (u32)PCPU_RESCHED);
            continue;
        }
        if (atomic_load(&v->attention) != 0 && !attend(p, v)) {
            atomic_or(&p->remote.attention, (u32)PCPU_RESCHED);
            continue;
        }
        if (atomic_load(&p->remote.attention) == 0) {
            return v;
        }
    }
}

void sched_run(struct pcpu *p)
{
    atomic_or(&p->remote.attention, (u32)PCPU_RESCHED);
    arch_vcpu_run(sched_enter(p));
}
