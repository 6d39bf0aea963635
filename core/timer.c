/* SPDX-License-Identifier: MIT */
/*
 * One-shot deadlines of each physical CPU: a short list, sorted. Lock: the CPU's LOCK_SCHED, given
 * up while a timer's function runs.
 */
#include "core/timer.h"

#include "core/arch.h"
#include "core/atomic.h"
#include "core/sched.h"

void timer_init(struct timer *t, struct pcpu *p, void (*fn)(struct timer *t))
{
    *t = (struct timer){.deadline_ns = TIMER_OFF, .fn = fn, .pcpu = p};
}

static void list_remove(struct timer *t)
{
    struct timer **at = &t->pcpu->remote.timers;

    while (*at != NULL && *at != t) {
        at = &(*at)->next;
    }
    if (*at == t) {
        *at = t->next;
    }
    t->deadline_ns = TIMER_OFF;
}

static void list_insert(struct timer *t, u64 deadline_ns)
{
    struct timer **at = &t->pcpu->remote.timers;

    while (*at != NULL && (*at)->deadline_ns <= deadline_ns) {
        at = &(*at)->next;
    }
    t->deadline_ns = deadline_ns;
    t->next = *at;
    *at = t;
}

void timer_set(struct timer *t, u64 deadline_ns)
{
    struct pcpu *p = t->pcpu;
    bool first;

    spin_lock(&p->remote.lock);
    list_remove(t);
    if (deadline_ns != TIMER_OFF) {
        list_insert(t, deadline_ns);
    }
    first = p->remote.timers == t;
    spin_unlock(&p->remote.lock);
    if (!first) {
        return; /* the hardware fires early at worst, and timer_expire sets it right */
    }
    if (p == arch_pcpu()) {
        arch_deadline(deadline_ns);
    } else {
        atomic_or(&p->remote.attention, (u32)PCPU_TIMER);
        arch_kick(p);
    }
}

void timer_cancel(struct timer *t)
{
    timer_set(t, TIMER_OFF);
}

static struct timer *take_due(struct pcpu *p, u64 now, u64 *next_ns)
{
    struct timer *t;

    spin_lock(&p->remote.lock);
    t = p->remote.timers;
    if (t != NULL && t->deadline_ns <= now) {
        p->remote.timers = t->next;
        t->deadline_ns = TIMER_OFF;
    } else {
        *next_ns = t == NULL ? TIMER_OFF : t->deadline_ns;
        t = NULL;
    }
    spin_unlock(&p->remote.lock);
    return t;
}

void timer_expire(struct pcpu *p)
{
    u64 now = arch_now_ns(), next_ns = TIMER_OFF;
    struct timer *t;

    /* What comes due after `now` was read is for the next interrupt: the loop ends. */
    while ((t = take_due(p, now, &next_ns)) != NULL) {
        t->fn(t);
    }
    arch_deadline(next_ns);
}
