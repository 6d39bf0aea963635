/* SPDX-License-Identifier: MIT */
/* Between core/vm.c, which stops VMs, and core/vm_end.c, which knows why. */
#ifndef CORE_VM_END_H
#define CORE_VM_END_H

#include "core/vm.h"

struct vm_ending {
    enum vm_reason reason;
    bool restart;    /* start it again */
    bool asked;      /* … because somebody wants that: no limit */
    bool dump;       /* its vCPUs' registers go to the log */
    const char *why; /* what led to it; NULL: nothing more than the reason */
};

void vm_begin_stop(struct vm *vm, const struct vm_ending *e);

/* With vm->lock: counts a restart that nobody asked for; false: there were too many. */
bool vm_may_restart(struct vm *vm) MUST_CHECK;

/* Writes the registers of v, which isn't loaded any more, to the log. On its own CPU. */
void vm_dump_vcpu(struct vcpu *v);

#endif
