/* SPDX-License-Identifier: MIT */
/* VMs with shared memory, for tests: see shm.h. */
#include "tests/host/shm.h"

#include "arch/host/arch.h"
#include "core/arch.h"
#include "core/atomic.h"
#include "core/check.h"
#include "core/mmio.h"
#include "core/panic.h"
#include "core/place.h"
#include "core/str.h"
#include "tests/host/said.h"
#include "vdev/shmem.h"
#include "vdev/table.h"

#include <pthread.h>
#include <string.h>

#define MAPS 256

u32 shm_maps;
bool shm_map_fail;

static struct guest guests[SHM_VMS];
static u32 count;
static struct diag diag;
static u8 memory[SHM_VMS * 64 * 1024] __attribute__((aligned(16)));
static struct cfg_arena arena;

static struct map {
    const struct vm *vm;
    u64 ipa, size;
    hpa_t pa;
} maps[MAPS];
static pthread_mutex_t maps_lock = PTHREAD_MUTEX_INITIALIZER;

static bool take_away(const struct vm *vm, u64 ipa, u64 size)
{
    for (u32 i = 0; i < shm_maps; i++) {
        if (maps[i].vm == vm && maps[i].ipa == ipa && maps[i].size == size) {
            maps[i] = maps[--shm_maps];
            return true;
        }
    }
    return false;
}

static bool change(struct vm *vm, u64 ipa, hpa_t pa, u64 size, u32 perm)
{
    bool done = true;

    pthread_mutex_lock(&maps_lock);
    if (perm == S2_NONE) {
        done = take_away(vm, ipa, size);
        assert(done);
    } else if (shm_map_fail) {
        shm_map_fail = false;
        done = false;
    } else {
        assert(perm == S2_RW && shm_maps < MAPS);
        for (u32 i = 0; i < shm_maps; i++) {
            assert(maps[i].vm != vm || !range_overlap(ipa, size, maps[i].ipa, maps[i].size));
        }
        maps[shm_maps++] = (struct map){vm, ipa, size, pa};
    }
    pthread_mutex_unlock(&maps_lock);
    return done;
}

u64 shm_mapped(const struct guest *g, u64 addr)
{
    for (u32 i = 0; i < shm_maps; i++) {
        if (maps[i].vm == &g->vm && range_within(addr, 1, maps[i].ipa, maps[i].size)) {
            return maps[i].pa + (addr - maps[i].ipa);
        }
    }
    return 0;
}

void shm_begin(void)
{
    shmem_forget_all();
    said_clear();
    shm_maps = 0;
    shm_map_fail = false;
    count = 0;
    diag = (struct diag){.emit = said_emit};
    arena = (struct cfg_arena){memory, sizeof(memory), 0};
    memset(memory, 0, sizeof(memory));
    host_s2_map = change;
}

struct guest *shm_vm(const char *name, const char *config)
{
    struct guest *g = &guests[count++];

    assert(count <= SHM_VMS);
    guest_init(g, name);
    config_parse(&g->cfg, str_of(name), str_of(config), NULL, vdev_types, &arena, &diag);
    return g;
}

bool shm_go(void)
{
    static struct vm_config *vm[SHM_VMS];
    bool made = true;

    for (u32 i = 0; i < count; i++) {
        vm[i] = &guests[i].cfg;
        place_mems(vm[i]);
        place_gic(vm[i], 3);
        place_vdevs(vm[i], &diag);
    }
    check_all(vm, count, 1, &diag);
    for (u32 i = 0; i < count; i++) {
        struct guest *g = &guests[i];

        for (u32 k = 0; vm[i]->errors == 0 && k < vm[i]->nvdevs; k++) {
            struct vdev *d = vm[i]->vdev[k].type->create(&g->vm, &vm[i]->vdev[k]);

            made &= d != NULL;
            if (d != NULL) {
                d->next = g->vm.devs;
                g->vm.devs = d;
            }
        }
        mmio_freeze(&g->vm.mmio);
    }
    return made;
}

void shm_end(void)
{
    for (u32 i = 0; i < count; i++) {
        guests[i].cfg.nvdevs = 0; /* their options are in the arena */
        guest_free(&guests[i]);
    }
    count = 0;
    host_s2_map = NULL;
}

u64 shm_factory(const struct guest *g, u32 n)
{
    return g->cfg.vdev[n].loc;
}

void shm_name(struct guest *g, u64 factory, const char *name)
{
    for (u32 i = 0; i <= strlen(name); i++) {
        guest_write(g, factory + SHM_NAME + i, 1, (u8)name[i]);
    }
}

u32 shm_attach(struct guest *g, u64 factory, const char *name, u32 pages)
{
    shm_name(g, factory, name);
    guest_write(g, factory + SHM_SIZE, 4, pages);
    return (u32)guest_read(g, factory + SHM_STATUS, 4);
}
