/* SPDX-License-Identifier: MIT */
/*
 * What unit tests of single devices need to link and never call: guests don't run on the host, VMs
 * aren't created. Each of these goes when the real one can be built for the host.
 */
#include "core/arch.h"
#include "core/panic.h"
#include "core/vcpu.h"

void arch_vcpu_switch(struct pcpu *p, struct vcpu *v)
{
    panic("arch_vcpu_switch(%p, %p) on the host", (void *)p, (void *)v);
}

u64 arch_vcpu_wakeup_ns(struct vcpu *v)
{
    (void)v;
    return UINT64_MAX;
}

void arch_idle(struct pcpu *p, bool wait)
{
    (void)p;
    (void)wait;
}

void arch_vcpu_reset(struct vcpu *v, u64 entry, u64 context)
{
    (void)v;
    (void)entry;
    (void)context;
}

void arch_vcpu_run(struct vcpu *v)
{
    panic("arch_vcpu_run(%p) on the host", (void *)v);
}

bool arch_s2_create(struct vm *vm)
{
    (void)vm;
    return false;
}

bool arch_s2_map(struct vm *vm, gpa_t ipa, hpa_t pa, u64 size, enum s2_perm perm)
{
    (void)vm;
    (void)ipa;
    (void)pa;
    (void)size;
    (void)perm;
    return false;
}

struct vcpu *arch_vcpu_create(struct vm *vm, u32 id)
{
    (void)vm;
    (void)id;
    return NULL;
}

void arch_vcpu_dump(struct vcpu *v, void (*print)(const char *fmt, ...))
{
    print("registers of vCPU %u\n", v->id);
}
