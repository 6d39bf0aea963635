/* SPDX-License-Identifier: MIT */
/*
 * The firmware interface of a guest, by HVC and, trapped, by SMC: SMCCC 1.2 (DEN 0028), PSCI 1.1
 * (DEN 0022), TRNG 1.0 (DEN 0098), and who we are. Portable: knows no register; calls core/vm.h.
 * What Muntin doesn't have answers NOT_SUPPORTED and counts in vm->smc_unknown, without a word.
 */
#ifndef ARCH_ARM_COMMON_VPSCI_H
#define ARCH_ARM_COMMON_VPSCI_H

#include "core/types.h"

struct vcpu;

#define VPSCI_WORKAROUND_1 0x80008000u
#define VPSCI_WORKAROUND_2 0x80007fffu
#define VPSCI_WORKAROUND_3 0x80003fffu

/* What the real firmware does about speculation; set once at boot, before any guest runs. */
struct vpsci_host {
    s32 workaround1, workaround2, workaround3; /* results of SMCCC_ARCH_FEATURES; -1: unknown */
    void (*forward)(u32 function, u64 arg);    /* carries one out; any CPU */
};

void vpsci_set_host(const struct vpsci_host *host);

/*
 * One call of v: x[0] is the function id, x[1] to x[3] its arguments; results replace them (a
 * guest's other registers stay). On v's own CPU, no lock held. The caller has moved the program
 * counter behind the instruction, and afterwards looks at what v and its CPU are asked for
 * (v->attention, scheduling): CPU_OFF, CPU_SUSPEND and the SYSTEM_ calls return before they take
 * effect.
 */
void vpsci_call(struct vcpu *v, u64 x[4]);

#endif
