/* SPDX-License-Identifier: MIT */
/*
 * Why a VM ends, and what comes then: the config's choice, with a limit to restarts that nobody
 * asked for. How it ends is in core/vm.c. Lock: vm->lock.
 */
#include "core/vm_end.h"

#include "core/arch.h"
#include "core/config.h"
#include "core/log.h"
#include "core/regs.h"

#define MINUTE_NS 60000000000ull

const char *vm_state_name(u32 state)
{
    static const char *const names[] = {"stopped", "starting", "running", "stopping", "paused"};

    return state < ARRAY_SIZE(names) ? names[state] : "?";
}

const char *vm_reason_name(enum vm_reason reason)
{
    switch (reason) {
    case VM_EXIT_OFF:
        return "powered off";
    case VM_EXIT_KILLED:
        return "killed";
    case VM_EXIT_WATCHDOG:
        return "its watchdog bit";
    case VM_EXIT_UNSUPPORTED:
        return "it did what its config forbids";
    case VM_EXIT_VDEV:
        return "a device failed";
    case VM_EXIT_START:
        return "it could not be started";
    case VM_EXIT_CONFIG:
        return "its config has errors";
    case VM_EXIT_UNEXPECTED:
    case VM_EXIT_FATAL:
        break;
    }
    return "unexpected";
}

bool vm_may_restart(struct vm *vm)
{
    u64 now = arch_now_ns();

    if (vm->restarts == 0 || now - vm->restart_window_ns >= MINUTE_NS) {
        vm->restart_window_ns = now;
        vm->restarts = 0;
    }
    if (vm->restarts >= vm->cfg->max_restarts) {
        return false;
    }
    vm->restarts++;
    return true;
}

void vm_stop(struct vm *vm, enum vm_reason reason)
{
    vm_begin_stop(vm, &(struct vm_ending){.reason = reason, .asked = true});
}

void vm_restart(struct vm *vm)
{
    vm_begin_stop(vm, &(struct vm_ending){.restart = true, .asked = true});
}

void vm_reset_by_guest(struct vm *vm)
{
    vm_begin_stop(
        vm, &(struct vm_ending){.restart = vm->cfg->on_reset.restart, .why = "reset by its guest"});
}

void vm_end(struct vm *vm, enum vm_reason reason, bool dump, const char *why, ...)
{
    const struct cfg_end *end =
        reason == VM_EXIT_WATCHDOG ? &vm->cfg->on_watchdog : &vm->cfg->on_crash;
    char text[VM_WHY];
    va_list ap;

    va_start(ap, why);
    (void)fmt_vprint(text, sizeof(text), why, ap);
    va_end(ap);
    vm_log(vm, LOG_ERR, "%s%s", text,
           reason == VM_EXIT_UNSUPPORTED ? ": stopped, as configured" : "");
    vm_begin_stop(
        vm, &(struct vm_ending){
                .reason = reason, .restart = end->restart, .dump = dump || end->dump, .why = text});
}

static void PRINTF(1, 2) dump_line(const char *fmt, ...)
{
    char text[200];
    va_list ap;

    va_start(ap, fmt);
    (void)fmt_vprint(text, sizeof(text), fmt, ap);
    va_end(ap);
    log_info("%s", text);
}

void vm_dump_vcpu(struct vcpu *v)
{
    struct vcpu_regs regs;

    log_info("%s: registers of vCPU %u:", v->vm->name, v->id);
    arch_vcpu_regs(v, &regs);
    regs_print(&regs, dump_line);
}
