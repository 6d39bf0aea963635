/* SPDX-License-Identifier: MIT */
/*
 * The target's spin_lock and spin_unlock, inline: each is a handful of instructions that every trap
 * runs several times. Included by core/spinlock.h only, which has the contract; the wait for a lock
 * that is taken is in core/spinlock.c.
 */
#ifndef CORE_LIB_SPIN_H
#define CORE_LIB_SPIN_H

#include "core/atomic.h"

void spin_wait(struct spinlock *l, u32 ticket);

static inline void spin_lock(struct spinlock *l)
{
    u32 ticket = __atomic_fetch_add(&l->next, 1, __ATOMIC_RELAXED);

    if (unlikely(atomic_load_acquire(&l->owner) != ticket)) {
        spin_wait(l, ticket);
    }
}

static inline void spin_unlock(struct spinlock *l)
{
    atomic_store_release(&l->owner, l->owner + 1);
}

#endif
