/* SPDX-License-Identifier: MIT */
/*
 * Which physical CPU each vCPU is pinned to, decided for all VMs together before any is created:
 * who has least choice first, then where fewest are, and away from CPUs that somebody wants for
 * himself (`set exit-on-halt off`).
 */
#include "core/check_cpus.h"

#include "core/check_switch.h"
#include "core/log.h"
#include "core/sched.h"

#define SPOILED 100u /* what a CPU that is wanted alone weighs, in vCPUs */

struct assign {
    struct vm_config *const *vm;
    u32 count, npcpus;
    u32 polled;           /* mask of the CPUs that poll for switches */
    u32 load[PCPU_MAX];   /* vCPUs */
    bool alone[PCPU_MAX]; /* one of them wants it alone */
};

static bool takes_part(const struct vm_config *vm)
{
    return vm->errors == 0 && !vm->dryrun;
}

static u32 choices(const struct assign *a, const struct cfg_cpu *c)
{
    u32 all = (BIT(a->npcpus) - 1) & ~a->polled;

    return c->runmask == 0 ? all : c->runmask & all;
}

static u32 bits(u32 mask)
{
    u32 n = 0;

    for (; mask != 0; mask &= mask - 1) {
        n++;
    }
    return n;
}

static void pick(struct assign *a, const struct vm_config *vm, struct cfg_cpu *c)
{
    bool alone = vm->exit_on_halt == HALT_OFF;
    u32 mask = choices(a, c), best = UINT32_MAX;

    for (u32 i = 0; i < a->npcpus; i++) {
        u32 weight = a->load[i] * (alone ? SPOILED : 1) + (a->alone[i] ? SPOILED : 0);

        if ((mask & BIT(i)) != 0 && weight < best) {
            best = weight;
            c->pcpu = i;
        }
    }
    a->load[c->pcpu]++;
    a->alone[c->pcpu] |= alone;
}

/* All vCPUs with that many CPUs to choose from; those that want theirs alone before the others. */
static void pick_level(struct assign *a, u32 level, bool alone)
{
    for (u32 i = 0; i < a->count; i++) {
        struct vm_config *vm = a->vm[i];

        for (u32 k = 0; takes_part(vm) && k < vm->ncpus; k++) {
            if (bits(choices(a, &vm->cpu[k])) == level && (vm->exit_on_halt == HALT_OFF) == alone) {
                pick(a, vm, &vm->cpu[k]);
            }
        }
    }
}

/* Another vCPU on that CPU, or NULL. */
static const struct cfg_cpu *other_on(const struct assign *a, const struct cfg_cpu *c)
{
    for (u32 i = 0; i < a->count; i++) {
        const struct vm_config *vm = a->vm[i];

        for (u32 k = 0; takes_part(vm) && k < vm->ncpus; k++) {
            if (&vm->cpu[k] != c && vm->cpu[k].pcpu == c->pcpu) {
                return &vm->cpu[k];
            }
        }
    }
    return NULL;
}

static bool complain_shared(const struct assign *a, struct vm_config *vm, struct diag *d)
{
    for (u32 k = 0; k < vm->ncpus; k++) {
        const struct cfg_cpu *other = other_on(a, &vm->cpu[k]);

        if (other != NULL) {
            diag_error(d, vm->exit_on_halt_place,
                       "exit-on-halt off, but CPU %u is shared with the vCPU at %.*s:%u",
                       vm->cpu[k].pcpu, STR_ARG(d->file_name[other->place.file]),
                       other->place.line);
            return true;
        }
    }
    return false;
}

void check_cpus(struct vm_config *const *vm, u32 count, u32 npcpus, struct diag *d)
{
    struct assign a = {.vm = vm, .count = count, .npcpus = MIN(npcpus, (u32)PCPU_MAX)};

    a.polled = config_polled(vm, count);

    for (u32 level = 1; level <= a.npcpus; level++) {
        pick_level(&a, level, true);
        pick_level(&a, level, false);
    }
    for (u32 i = 0; i < count; i++) {
        if (takes_part(vm[i]) && vm[i]->exit_on_halt == HALT_OFF && complain_shared(&a, vm[i], d)) {
            vm[i]->errors++;
        }
    }
}
