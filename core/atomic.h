/* SPDX-License-Identifier: MIT */
/*
 * Atomics and barriers, as compiler builtins so that ThreadSanitizer sees them. Memory shared with
 * another CPU is only touched through these, or under a spinlock. Works on any scalar type.
 */
#ifndef CORE_ATOMIC_H
#define CORE_ATOMIC_H

#include "core/types.h"

#define atomic_load(p)             __atomic_load_n(p, __ATOMIC_RELAXED)
#define atomic_load_acquire(p)     __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define atomic_store(p, v)         __atomic_store_n(p, v, __ATOMIC_RELAXED)
#define atomic_store_release(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)
#define atomic_add(p, v)           __atomic_add_fetch(p, v, __ATOMIC_ACQ_REL)
#define atomic_or(p, v)            __atomic_fetch_or(p, v, __ATOMIC_ACQ_REL)
#define atomic_and(p, v)           __atomic_fetch_and(p, v, __ATOMIC_ACQ_REL)
#define atomic_xchg(p, v)          __atomic_exchange_n(p, v, __ATOMIC_ACQ_REL)

/* Orders every access before it with every access after it (DMB ISH on Arm). */
static inline void atomic_fence(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* A statistic: counted from several CPUs, never used to decide anything. */
#define counter_inc(p) ((void)__atomic_fetch_add(p, 1, __ATOMIC_RELAXED))

#endif
