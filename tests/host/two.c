/* SPDX-License-Identifier: MIT */
/* Up to two VMs; see two.h. */
#include "tests/host/two.h"

#include "core/atomic.h"
#include "core/str.h"
#include "core/vdev.h"
#include "tests/host/cpus.h"
#include "tests/host/driver.h"
#include "tests/host/said.h"

struct two two;

static void reset_device(struct vdev *d)
{
    atomic_add(&two.dev_resets[d->vm->index], 1u);
    atomic_store(&two.reset_state, atomic_load(&d->vm->state));
}

static void reset_chip(struct vm *vm)
{
    atomic_add(&two.chip_resets[vm->index], 1u);
}

static void nothing(struct vcpu *v)
{
    (void)v;
}

static bool not_pending(struct vcpu *v)
{
    (void)v;
    return false;
}

static bool make_irqchip(struct vm *vm)
{
    static const struct vdev_ops ops = {.reset = reset_device};
    static const struct irqchip chip = {
        .update = nothing, .pending = not_pending, .reset = reset_chip, .reset_vcpu = nothing};
    static struct vdev device[2];

    device[vm->index] = (struct vdev){.ops = &ops, .vm = vm};
    vm_add_device(vm, &device[vm->index]);
    vm->irqchip = &chip;
    return !two.bad_chip;
}

static u32 make_dtb(struct vm *vm, void *buf, u32 size)
{
    memset(buf, 0xdb, size);
    atomic_add(&two.trees, 1u);
    if (two.in_make_dtb != NULL) {
        two.in_make_dtb(vm);
    }
    return two.bad_tree ? 0 : size;
}

static void all_stopped(void)
{
    atomic_add(&two.stops, 1u);
}

void two_begin(u32 cpus)
{
    static const struct vm_hooks hooks = {make_irqchip, make_dtb, all_stopped};

    host_init();
    cpus_init(cpus);
    vm_hooks = &hooks;
    vm_count = 0;
    memset(&two, 0, sizeof(two));
    said_log();
}

struct vm_config *two_next(u32 ncpus, const u32 *pcpu)
{
    static const char *const name[] = {"alpha", "beta"};
    struct vm_config *c = &two.cfg[vm_count];

    *c = (struct vm_config){.name = str_of(name[vm_count]),
                            .ncpus = ncpus,
                            .nmems = 1,
                            .log_set = SEV_INFO,
                            .counter_offset = UINT64_MAX};
    c->mem[0] = (struct cfg_mem){.kind = MEM_RAM, .base = TWO_RAM, .size = TWO_RAM_SIZE};
    for (u32 i = 0; i < ncpus; i++) {
        c->cpu[i] = (struct cfg_cpu){.prio = CFG_PRIO, .pcpu = pcpu[i]};
    }
    two.plan[vm_count] = (struct image_plan){
        .is64 = true, .entry = TWO_ENTRY, .dtb = TWO_DTB, .dtb_size = PAGE_SIZE};
    return c;
}

struct vm *two_make(void)
{
    return vm_create(&two.cfg[vm_count], &two.plan[vm_count]);
}
