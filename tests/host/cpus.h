/* SPDX-License-Identifier: MIT */
/*
 * Physical CPUs in unit tests of the scheduler and of VMs: each is driven by sched_enter itself,
 * from the test's thread or from a thread of its own. Guests are what the test says.
 */
#ifndef TESTS_HOST_CPUS_H
#define TESTS_HOST_CPUS_H

#include "core/sched.h"
#include "core/types.h"

/* Forgets everything and makes `count` CPUs, all up; time starts at 1 s. This thread is CPU 0. */
void cpus_init(u32 count);

/* This thread is CPU `id` from now on. */
void cpu_become(u32 id);

/* What CPU `id` does before it enters a guest. The vCPU it would enter, or NULL: it would sleep. */
struct vcpu *cpu_enter(u32 id);

/* The same with its timers looked at first, `ns` later. */
struct vcpu *cpu_enter_after(u32 id, u64 ns);

/* True, once, if CPU `id` was kicked since the last call or since it last slept. */
bool cpu_kicked(u32 id);

/* Waits for a kick of this thread's CPU, as a guest that never leaves by itself does. False: none
 * came within seconds. */
bool cpu_wait_kick(void);

/* With true, cpu_enter sleeps until its CPU is kicked, for threads; it returns NULL if none comes
 * within seconds. */
void cpus_sleep(bool on);

#endif
