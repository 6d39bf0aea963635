/* SPDX-License-Identifier: MIT */
/*
 * Ticket spinlocks: fair, so that a guest that hammers one can't starve its peers. Host builds use
 * arch/host/spinlock.c instead, which checks the order of ranks.
 */
#include "core/spinlock.h"

#include "core/arch.h"
#include "core/atomic.h"

void spin_wait(struct spinlock *l, u32 ticket)
{
    u32 owner = atomic_load_acquire(&l->owner);

    while (owner != ticket) {
        arch_wait_change(&l->owner, owner);
        owner = atomic_load_acquire(&l->owner);
    }
}
