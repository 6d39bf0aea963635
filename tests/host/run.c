/* SPDX-License-Identifier: MIT */
/* Stands in for the boot CPU in unit tests. One thread may be it at a time. */
#include "tests/host/run.h"

#include "arch/host/arch.h"
#include "core/atomic.h"
#include "core/sched.h"

bool run_work(void)
{
    struct pcpu *p = &pcpus[0];
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
    if (w == NULL) {
        return false;
    }
    atomic_store_release(&w->queued, 0u);
    if (w->fn(w)) {
        work_queue(p, w);
    }
    return true;
}

bool run_all(void)
{
    for (u32 i = 0; i < 10000; i++) {
        if (!run_work()) {
            return true;
        }
    }
    return false;
}

static u64 next_timer(void)
{
    struct pcpu *p = &pcpus[0];
    u64 ns = TIMER_OFF;

    spin_lock(&p->remote.lock);
    if (p->remote.timers != NULL) {
        ns = p->remote.timers->deadline_ns;
    }
    spin_unlock(&p->remote.lock);
    return ns;
}

void run_for(u64 ns)
{
    u64 end = atomic_load(&host_now_ns) + ns;
    u32 budget = 10000;

    (void)run_all();
    for (u64 next = next_timer(); next <= end && budget > 0; next = next_timer(), budget--) {
        atomic_store(&host_now_ns, MAX(next, atomic_load(&host_now_ns)));
        timer_expire(&pcpus[0]);
        (void)run_all();
    }
    atomic_store(&host_now_ns, end);
}
