/* SPDX-License-Identifier: MIT */
/*
 * Spinlocks with a rank. EL2 runs with interrupts masked, so a lock never has to mask them.
 * Locks are taken in order of rising rank; two locks of one rank are never held together, but for
 * LOCK_QUEUE_RX, which a sender takes one receiver at a time while it holds its LOCK_QUEUE_TX.
 * Host builds check the order at run time (arch/host/spinlock.c).
 */
#ifndef CORE_SPINLOCK_H
#define CORE_SPINLOCK_H

#include "core/types.h"

/* The one order of all locks, lowest first. */
enum lock_rank {
    LOCK_VM,        /* life cycle of one VM: state, vCPUs going on and off */
    LOCK_TRANSPORT, /* virtio transport: status, features, ring addresses of one device */
    LOCK_CONTROL,   /* commands of a control queue, one at a time */
    LOCK_QUEUE_TX,  /* a transmit (or only) virtqueue */
    LOCK_SWITCH,    /* learning table of one switch */
    LOCK_QUEUE_RX,  /* a receive virtqueue, taken by senders */
    LOCK_SHMEM,     /* what one VM has of shared memory */
    LOCK_REGION,    /* clients of one region of shared memory; the names of all */
    LOCK_DEVICE,    /* registers of an emulated device (PL011 …) */
    LOCK_RANDOM,    /* a generator of random bytes */
    LOCK_VGIC,      /* virtual interrupt state of one VM */
    LOCK_SCHED,     /* run queue, timers and work of one physical CPU */
    LOCK_EVENTS,    /* event queue of the SMMU: who takes events from it */
    LOCK_SMMU,      /* command queue of the SMMU */
    LOCK_CONSOLE,   /* console mux and the UART behind it */
    LOCK_PAGE,      /* page allocator */
    LOCK_RANKS,
};

struct spinlock {
    u32 next;  /* ticket the next taker gets */
    u32 owner; /* ticket being served */
    u8 rank;   /* enum lock_rank */
};

#define SPINLOCK_INIT(r)                                                                           \
    {                                                                                              \
        .rank = (r)                                                                                \
    }

static inline void spin_init(struct spinlock *l, enum lock_rank rank)
{
    *l = (struct spinlock)SPINLOCK_INIT((u8)rank);
}

/* spin_lock and spin_unlock: of the target inline (core/lib), of host builds in arch/host */
#include "spin.h"

#endif
