/* SPDX-License-Identifier: MIT */
/* Physical CPUs in unit tests: see cpus.h. A kick stays until it's looked at, as an SGI does. */
#include "tests/host/cpus.h"

#include "arch/host/arch.h"
#include "core/atomic.h"

#include <sched.h>
#include <setjmp.h>
#include <string.h>
#include <time.h>

#define PATIENCE_S 20

static u32 kicked[PCPU_MAX]; /* atomic */
static bool sleeps;
static _Thread_local jmp_buf asleep;

static void note_kick(struct pcpu *p)
{
    (void)atomic_xchg(&kicked[p->id], 1u);
}

bool cpu_kicked(u32 id)
{
    return atomic_xchg(&kicked[id], 0u) != 0;
}

bool cpu_wait_kick(void)
{
    time_t end = time(NULL) + PATIENCE_S;

    while (!cpu_kicked(host_pcpu->id)) {
        if (time(NULL) > end) {
            return false;
        }
        sched_yield();
    }
    return true;
}

static void idle(struct pcpu *p, bool wait)
{
    if (wait && !(sleeps ? cpu_wait_kick() : cpu_kicked(p->id))) {
        longjmp(asleep, 1); /* no lock is held */
    }
}

void cpus_init(u32 count)
{
    memset(pcpus, 0, sizeof(pcpus));
    memset(kicked, 0, sizeof(kicked));
    sched_init(count);
    for (u32 i = 0; i < count; i++) {
        pcpus[i].online = true;
    }
    sleeps = false;
    host_now_ns = 1000000000;
    host_kicks = 0;
    host_switches = 0;
    host_resets = 0;
    host_switch = NULL;
    host_unload = NULL;
    host_reset = NULL;
    host_wakeup_ns = TIMER_OFF;
    host_deadline_ns = TIMER_OFF;
    host_kick = note_kick;
    host_idle = idle;
    cpu_become(0);
}

void cpu_become(u32 id)
{
    host_pcpu = &pcpus[id];
}

struct vcpu *cpu_enter(u32 id)
{
    struct pcpu *before = host_pcpu;
    struct vcpu *v = NULL;

    cpu_become(id);
    if (setjmp(asleep) == 0) {
        v = sched_enter(&pcpus[id]);
    }
    host_pcpu = before;
    return v;
}

struct vcpu *cpu_enter_after(u32 id, u64 ns)
{
    host_now_ns += ns;
    (void)atomic_or(&pcpus[id].remote.attention, (u32)PCPU_TIMER);
    return cpu_enter(id);
}

void cpus_sleep(bool on)
{
    sleeps = on;
}
