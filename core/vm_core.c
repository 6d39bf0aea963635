/* SPDX-License-Identifier: MIT */
/*
 * When the core of a VM can be written, and what comes then: at its end, before it restarts or is
 * stopped; of a running VM, that stands still for so long; of a stopped one. How it's written is in
 * core/gcore.c. Lock: vm->lock.
 *
 * vm->frozen is set while a core is due; its state says what comes when it's out: VM_PAUSED, it
 * runs on; VM_STOPPING, it ends; VM_STOPPED, nothing. Whoever changes the state before that cancels
 * the core.
 */
#include "core/arch.h"
#include "core/atomic.h"
#include "core/config.h"
#include "core/gcore.h"
#include "core/log.h"
#include "core/vm.h"
#include "core/vm_end.h"

/* --- at its end ------------------------------------------------------------------------------- */

bool vm_core_at_end(struct vm *vm)
{
    bool wanted;

    spin_lock(&vm->lock);
    wanted = vm->dump && vm->cfg->core;
    atomic_store(&vm->frozen, wanted);
    spin_unlock(&vm->lock);
    return wanted && gcore_start(vm);
}

/* --- while it runs ---------------------------------------------------------------------------- */

static void stand_still(struct vm *vm)
{
    atomic_store(&vm->state, VM_PAUSED);
    vm->frozen_ticks = arch_ticks();
    vm->awake = vm->running;
    for (u32 i = 0; i < vm->nvcpus; i++) {
        if (atomic_load(&vm->vcpu[i]->state) != VCPU_OFF) {
            vcpu_ask(vm->vcpu[i], VCPU_PAUSE);
        }
    }
}

/* To its counters nothing has happened, unless they are the board's. */
static void run_on(struct vm *vm)
{
    if (vm->cfg->counter_offset != 0) {
        vm->counter_offset += arch_ticks() - vm->frozen_ticks;
    }
    atomic_store(&vm->state, VM_RUNNING);
    for (u32 i = 0; i < vm->nvcpus; i++) {
        sched_resume(vm->vcpu[i]);
    }
}

bool vm_core_counted(struct vm *vm)
{
    return vm->state == VM_PAUSED && --vm->awake == 0;
}

void vm_vcpu_paused(struct vcpu *v)
{
    struct vm *vm = v->vm;
    bool last = false;

    spin_lock(&vm->lock);
    if (vm->state == VM_PAUSED) { /* else it's to be stopped instead */
        sched_pause(v);
        last = vm_core_counted(vm);
    }
    spin_unlock(&vm->lock);
    if (last) {
        vm_core_begin(vm);
    }
}

void vm_core_begin(struct vm *vm)
{
    if (!gcore_start(vm)) {
        vm_core_done(vm);
    }
}

void vm_core_leave(struct vm *vm)
{
    (void)gcore_cancel(vm);
    atomic_store(&vm->frozen, false);
    for (u32 i = 0; i < vm->nvcpus; i++) {
        sched_resume(vm->vcpu[i]);
    }
}

/* ---------------------------------------------------------------------------------------------- */

bool vm_core(struct vm *vm)
{
    bool running, stopped;

    spin_lock(&vm->lock);
    running = vm->state == VM_RUNNING;
    stopped = vm->state == VM_STOPPED && vm->starts > 0 && !vm->frozen;
    if (running || stopped) {
        atomic_store(&vm->frozen, true);
    }
    if (running) {
        stand_still(vm);
    }
    if (stopped) {
        vm_hold();
    }
    spin_unlock(&vm->lock);
    if (stopped) {
        vm_core_begin(vm);
    }
    return running || stopped;
}

void vm_core_done(struct vm *vm)
{
    bool due;
    u8 state;

    spin_lock(&vm->lock);
    due = vm->frozen; /* else it was stopped since the core was out: its vCPUs are on their way */
    state = vm->state;
    atomic_store(&vm->frozen, false);
    if (due && state == VM_PAUSED) {
        run_on(vm);
    }
    spin_unlock(&vm->lock);
    if (due && state == VM_STOPPING) {
        vm_finish_stop(vm);
    } else if (due && state == VM_STOPPED) {
        vm_release();
    }
}
