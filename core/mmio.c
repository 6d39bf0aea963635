/* SPDX-License-Identifier: MIT */
/*
 * From a guest-physical address to the device that owns it: a sorted table, frozen before the VM
 * starts, searched without a lock.
 */
#include "core/mmio.h"

#include "core/atomic.h"
#include "core/config.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/vdev.h"
#include "core/vm.h"

bool mmio_add(struct mmio_map *map, u64 base, u64 size, struct vdev *dev, u32 region)
{
    u32 i;

    assert(!map->frozen);
    if (size == 0 || base + size < base || map->count == MMIO_WINDOWS) {
        return false;
    }
    for (i = 0; i < map->count; i++) {
        if (range_overlap(base, size, map->window[i].base, map->window[i].size)) {
            return false;
        }
    }
    for (i = map->count; i > 0 && map->window[i - 1].base > base; i--) {
        map->window[i] = map->window[i - 1];
    }
    map->window[i] = (struct mmio_window){base, size, dev, region};
    map->count++;
    return true;
}

void mmio_freeze(struct mmio_map *map)
{
    map->frozen = true;
}

const struct mmio_window *mmio_find(const struct mmio_map *map, u64 addr, u32 size)
{
    u32 low = 0, high = map->count;

    while (low < high) {
        u32 mid = (low + high) / 2;
        const struct mmio_window *w = &map->window[mid];

        if (addr < w->base) {
            high = mid;
        } else if (addr - w->base >= w->size) {
            low = mid + 1;
        } else {
            return size <= w->size - (addr - w->base) ? w : NULL;
        }
    }
    return NULL;
}

RARE enum mmio_result mmio_nothing(struct vm *vm, struct mmio m)
{
    counter_inc(&vm->mmio_unknown);
    switch (vm->cfg->on_reference) {
    case POLICY_ABORT:
        vm_end(vm, VM_EXIT_UNSUPPORTED, false, "%s of %u bytes at 0x%llx, %s",
               m.write ? "write" : "read", m.size, (unsigned long long)m.addr,
               gmem_span(&vm->mem, gpa(m.addr), m.size, false) != NULL ? "which is ROM"
                                                                       : "where nothing is");
        return MMIO_STOP;
    case POLICY_FAIL:
        return MMIO_ABORT;
    case POLICY_IGNORE:
        break;
    }
    return MMIO_DONE;
}

RARE const struct mmio_window *mmio_look_up(struct vcpu *v, u64 addr, u32 size)
{
    const struct mmio_window *w = mmio_find(&v->vm->mmio, addr, size);

    if (w != NULL) {
        v->mmio_last = w;
    }
    return w;
}
