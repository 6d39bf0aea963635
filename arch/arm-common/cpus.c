/* SPDX-License-Identifier: MIT */
/*
 * The board's CPUs, as far as the two architectures have them alike: their stacks, how they are
 * started, woken and stopped, and cache maintenance.
 */
#include "arch/arm-common/boot.h"
#include "arch/arm-common/clock.h"
#include "arch/arm-common/gic.h"
#include "arch/arm-common/io.h"
#include "arch/arm-common/irqs.h"
#include "arch/arm-common/psci.h"
#include "arch/arm-common/start.h"
#include "core/arch.h"
#include "core/atomic.h"
#include "core/board.h"
#include "core/log.h"
#include "core/sched.h"
#include "sysreg.h"

#define START_TIMEOUT_NS 5000000000ull

static u64 stacks[PCPU_MAX]; /* top of each CPU's stack */
static struct {
    u64 at;
    bool flags;
} releases[PCPU_MAX];
struct cpu_start cpu_starts[START_COUNT] __attribute__((aligned(64)));

_Static_assert(START_COUNT == PCPU_MAX, "one for each CPU");

u64 cpu_stack(const struct pcpu *p)
{
    return stacks[p->id];
}

void cpu_set_stack(u32 id, u64 top)
{
    stacks[id] = top;
}

void cpu_set_release(u32 id, u64 at, bool flags)
{
    releases[id].at = at;
    releases[id].flags = flags;
}

void arch_kick(struct pcpu *p)
{
    gic_kick(p);
}

void arch_idle(struct pcpu *p, bool wait)
{
    if (wait) {
        dsb_sy(); /* what we stored is seen before we sleep */
        __asm__ volatile("wfi" : : : "memory");
    }
    irqs_poll(p);
}

void arch_clean_dcache(const void *start, size_t len)
{
    size_t line = cache_line();
    const char *p = (const char *)((uintptr_t)start & ~(line - 1));
    const char *end = (const char *)start + len;

    for (; p < end; p += line) {
        dc_clean_invalidate(p);
    }
    dsb_sy();
    ic_invalidate_is();
    dsb_ish();
    isb();
}

void secondary_main(struct pcpu *p)
{
    if (!cpu_init()) {
        arch_stop(STOP_HALT);
    }
    atomic_store_release(&p->online, true);
    sched_run(p);
}

/*
 * Spin-table (Devicetree Specification 3.8.1; Linux, booting.rst): the CPU sleeps in WFE and looks
 * at a word of memory, with its caches off, so the word must be there before the event.
 */
static void let_go(uintptr_t at)
{
    u64 *release = (u64 *)at;

    atomic_store(release, (u64)(uintptr_t)lone_entry);
    arch_clean_dcache(release, sizeof(*release));
    __asm__ volatile("sev" : : : "memory");
}

/*
 * Versatile Express (Motherboard TRM, DUI 0447: SYS_FLAGSSET, SYS_FLAGSCLR): the CPUs sleep in WFI,
 * and when interrupted look whether the flags hold an address.
 */
static void call_all(uintptr_t flags)
{
    io_write32(flags + 4, UINT32_MAX);
    io_write32(flags, (u32)(uintptr_t)lone_entry);
    dsb_sy(); /* is there before the interrupt */
    gic_kick_others();
}

/*
 * What each CPU finds when it comes: of all before the first comes, as they may not come one by
 * one. It reads this, and fetches its first instructions, with its caches off.
 */
static void prepare(struct pcpu *p)
{
    struct cpu_start *s = &cpu_starts[p->id];

    *s = (struct cpu_start){
        .stack = stacks[p->id],
        .pcpu = (u64)(uintptr_t)p,
        .self = p->mpidr | BIT(31),
    };
    start_copy(s);
    arch_clean_dcache(s, sizeof(*s));
}

static bool start_cpu(struct pcpu *p)
{
    struct cpu_start *s = &cpu_starts[p->id];
    u64 give_up = arch_now_ns() + START_TIMEOUT_NS;

    if (releases[p->id].flags) {
        call_all((uintptr_t)releases[p->id].at);
    } else if (releases[p->id].at != 0) {
        let_go((uintptr_t)releases[p->id].at);
    } else if (psci_cpu_on(p->mpidr, (u64)(uintptr_t)secondary_entry, (u64)(uintptr_t)s) != 0) {
        return false;
    }
    while (!atomic_load_acquire(&p->online)) {
        if (arch_now_ns() > give_up) {
            return false;
        }
        cpu_relax();
    }
    return true;
}

void boot_start_cpus(void)
{
    for (u32 i = 1; i < pcpu_count; i++) {
        prepare(&pcpus[i]);
    }
    for (u32 i = 1; i < pcpu_count; i++) {
        if (!start_cpu(&pcpus[i])) {
            log_err("CPU %u (affinity 0x%llx) did not start: VMs can't use it", i,
                    (unsigned long long)pcpus[i].mpidr);
        }
    }
}

u64 arch_ticks(void)
{
    return clock_ticks();
}

void arch_stop(enum arch_stop how)
{
    if (how == STOP_POWEROFF) {
        psci_poweroff();
        log_err("the board can't be switched off: halted");
    } else if (how == STOP_REBOOT) {
        psci_reboot();
        log_err("the board can't be reset: halted");
    }
    for (;;) {
        __asm__ volatile("wfi");
    }
}
