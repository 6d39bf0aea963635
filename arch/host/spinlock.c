/* SPDX-License-Identifier: MIT */
/*
 * Spinlocks of host builds: the algorithm of core/spinlock.c, plus a check on every call that locks
 * are taken in rising rank and released by their holder. Breaking the order aborts the test.
 */
#include "core/spinlock.h"

#include "core/atomic.h"
#include "core/panic.h"

#include <sched.h>

static _Thread_local u32 held[LOCK_RANKS]; /* locks of each rank that this thread holds */

static void rank_take(const struct spinlock *l)
{
    assert(l->rank < LOCK_RANKS);
    for (u32 r = l->rank; r < LOCK_RANKS; r++) {
        if (held[r] != 0) {
            panic("lock order: rank %u wanted while %u is held", l->rank, r);
        }
    }
    held[l->rank]++;
}

void spin_lock(struct spinlock *l)
{
    u32 ticket;

    rank_take(l);
    ticket = __atomic_fetch_add(&l->next, 1, __ATOMIC_RELAXED);
    while (atomic_load_acquire(&l->owner) != ticket) {
        sched_yield();
    }
}

void spin_unlock(struct spinlock *l)
{
    assert(held[l->rank] > 0);
    held[l->rank]--;
    atomic_store_release(&l->owner, l->owner + 1);
}
