/* SPDX-License-Identifier: MIT */
/*
 * What build/muntin links but never calls: it reads configs, it creates no VM. Tests have stand-ins
 * of their own, which do something.
 */
#include "core/arch.h"
#include "core/panic.h"

bool arch_s2_create(struct vm *vm)
{
    panic("arch_s2_create(%p) in the host tool", (void *)vm);
}

bool arch_s2_map(struct vm *vm, gpa_t ipa, hpa_t pa, u64 size, enum s2_perm perm)
{
    panic("arch_s2_map(%p, 0x%llx, 0x%llx, 0x%llx, %u) in the host tool", (void *)vm,
          (unsigned long long)ipa.v, (unsigned long long)pa, (unsigned long long)size, perm);
}

void arch_idle(struct pcpu *p, bool wait)
{
    panic("arch_idle(%p, %d) in the host tool", (void *)p, wait);
}

struct vcpu *arch_vcpu_create(struct vm *vm, u32 id, struct pcpu *p)
{
    panic("arch_vcpu_create(%p, %u, %p) in the host tool", (void *)vm, id, (void *)p);
}

void arch_vcpu_reset(struct vcpu *v, u64 entry, u64 context)
{
    panic("arch_vcpu_reset(%p, 0x%llx, 0x%llx) in the host tool", (void *)v,
          (unsigned long long)entry, (unsigned long long)context);
}

u64 arch_vcpu_switch(struct pcpu *p, struct vcpu *v)
{
    panic("arch_vcpu_switch(%p, %p) in the host tool", (void *)p, (void *)v);
}

void arch_vcpu_run(struct vcpu *v)
{
    panic("arch_vcpu_run(%p) in the host tool", (void *)v);
}

void arch_vcpu_regs(struct vcpu *v, struct vcpu_regs *r)
{
    panic("arch_vcpu_regs(%p, %p) in the host tool", (void *)v, (void *)r);
}
