/* SPDX-License-Identifier: MIT */
/*
 * vCPUs and stage 2 on the host: they exist as data, so that VMs can be created, scheduled and
 * stopped in unit tests, but no guest runs.
 */
#include "arch/host/arch.h"

#include "core/arch.h"
#include "core/atomic.h"
#include "core/panic.h"
#include "core/regs.h"
#include "core/sched.h"
#include "core/vcpu.h"
#include "core/vm.h"

#include <stdlib.h>

u32 host_switches;
u32 host_resets;
void (*host_switch)(struct pcpu *p, struct vcpu *v);
void (*host_unload)(struct vcpu *v);
void (*host_reset)(struct vcpu *v, u64 entry, u64 context);
void (*host_idle)(struct pcpu *p, bool wait);
u64 host_wakeup_ns = TIMER_OFF;

struct vcpu *arch_vcpu_create(struct vm *vm, u32 id, struct pcpu *p)
{
    struct vcpu *v = calloc(1, sizeof(*v));

    if (v != NULL) {
        v->vm = vm;
        v->id = id;
        v->pcpu = p;
    }
    return v;
}

void arch_vcpu_reset(struct vcpu *v, u64 entry, u64 context)
{
    __atomic_fetch_add(&host_resets, 1, __ATOMIC_RELAXED);
    if (host_reset != NULL) {
        host_reset(v, entry, context);
    }
}

u64 arch_vcpu_switch(struct pcpu *p, struct vcpu *v)
{
    if (p->current != NULL && host_unload != NULL) {
        host_unload(p->current);
    }
    atomic_store(&p->current, v);
    __atomic_fetch_add(&host_switches, 1, __ATOMIC_RELAXED);
    if (host_switch != NULL) {
        host_switch(p, v);
    }
    return host_wakeup_ns;
}

void arch_vcpu_run(struct vcpu *v)
{
    panic("arch_vcpu_run(%p): no guest runs on the host", (void *)v);
}

void (*host_regs)(struct vcpu *v, struct vcpu_regs *r);

void arch_vcpu_regs(struct vcpu *v, struct vcpu_regs *r)
{
    *r = (struct vcpu_regs){.pc = 0x40080000 + v->id, .pstate = 5};
    if (host_regs != NULL) {
        host_regs(v, r);
    }
}

void arch_idle(struct pcpu *p, bool wait)
{
    if (host_idle != NULL) {
        host_idle(p, wait);
    } else if (wait) {
        panic("CPU %u sleeps, and nothing would wake it", p->id);
    }
}

bool arch_s2_create(struct vm *vm)
{
    vm->s2_root = PAGE_SIZE; /* only to be told from none */
    return true;
}

bool (*host_s2_map)(struct vm *vm, u64 ipa, hpa_t pa, u64 size, u32 perm);

bool arch_s2_map(struct vm *vm, gpa_t ipa, hpa_t pa, u64 size, enum s2_perm perm)
{
    if (host_s2_map != NULL && !host_s2_map(vm, ipa.v, pa, size, perm)) {
        return false;
    }
    return ((ipa.v | pa | size) & (PAGE_SIZE - 1)) == 0;
}
