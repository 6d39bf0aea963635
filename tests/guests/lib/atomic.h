/* SPDX-License-Identifier: MIT */
/* Words shared between a guest's CPUs, or between an interrupt handler and the code below it. */
#ifndef TESTS_GUESTS_LIB_ATOMIC_H
#define TESTS_GUESTS_LIB_ATOMIC_H

#include <stdint.h>

/* For loads, stores and sums of uint16_t, uint32_t, uint64_t and pointers. */
#define atomic_load(p)         __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define atomic_store(p, value) __atomic_store_n((p), (value), __ATOMIC_RELEASE)
#define atomic_add(p, value)   ((void)__atomic_fetch_add((p), (value), __ATOMIC_ACQ_REL))
#define atomic_swap(p, value)  __atomic_exchange_n((p), (value), __ATOMIC_ACQ_REL)
#define atomic_fence()         __atomic_thread_fence(__ATOMIC_SEQ_CST)

#endif
