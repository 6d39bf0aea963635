/* SPDX-License-Identifier: MIT */
/* Between core/vm.c, which stops VMs, and core/vm_end.c, which knows why. */
#ifndef CORE_VM_END_H
#define CORE_VM_END_H

#include "core/vm.h"

struct vm_ending {
    enum vm_reason reason;
    bool restart;    /* start it again */
    bool asked;      /* because somebody wants that: no limit, and no wait for its core */
    bool dump;       /* its vCPUs' registers go to the log, and its core out if it has `dump` */
    const char *why; /* what led to it; NULL: nothing more than the reason */
};

void vm_begin_stop(struct vm *vm, const struct vm_ending *e);

/* With vm->lock: counts a restart that nobody asked for; false: there were too many. */
bool vm_may_restart(struct vm *vm) MUST_CHECK;

/* Parts of it: the first one with vm->lock, the other without, when no vCPU of vm runs any more. */
void vm_set_stopping(struct vm *vm, const struct vm_ending *e);
void vm_finish_stop(struct vm *vm);

/* How many VMs are not VM_STOPPED, or kept from being so by somebody: when none is, all_stopped. */
void vm_hold(void);
void vm_release(void);

/* --- core/vm_core.c --- */

/* vm ended, and no vCPU of it runs: true if its core is wanted first, and vm_core_done comes. */
bool vm_core_at_end(struct vm *vm) MUST_CHECK;

/* For core/gcore.c: vm's core is written, and not cancelled. */
void vm_core_done(struct vm *vm);

/* With vm->lock, of one that was VM_PAUSED: its vCPUs go on, and its core is left as it is. */
void vm_core_leave(struct vm *vm);

/* With vm->lock: one vCPU more stands still, or is off; true if it was the last, and that's for
 * vm_core_begin, without the lock. */
bool vm_core_counted(struct vm *vm) MUST_CHECK;
void vm_core_begin(struct vm *vm);

/* Writes the registers of v, which isn't loaded any more, to the log. On its own CPU. */
void vm_dump_vcpu(struct vcpu *v);

#endif
