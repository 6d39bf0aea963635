/* SPDX-License-Identifier: MIT */
/*
 * Shared memory under guests that do anything to its registers. After each step, seen from outside:
 * data is mapped exactly where a control page answers, and it's the same memory for all; indexes
 * are unique and make up what the status says; nobody has what it may not have; a doorbell that
 * wasn't taken holds the line.
 */
#include "core/log.h"
#include "core/panic.h"
#include "tests/fuzz/input.h"
#include "tests/host/shm.h"
#include "vdev/shmem.h"

#include <string.h>

#define VMS   3
#define INTID 44u
#define GONE  0xffffu

static const char *const configs[VMS] = {
    "system a ram 4M vdev shmem intr gic:44 create x,8K create big,2M create s,4K spare 2,4K",
    "system b ram 4M vdev shmem intr gic:44 allow x allow [n-z]* spare 1,8K",
    "system c ram 4M vdev shmem intr gic:44 deny s deny b?g subst ,x subst q,",
};
static const char *const names[] = {"x", "big", "s", "y", "z", "q", "", "xy", "a/b", "own", "new"};

static struct guest *g[VMS];
static u64 control[VMS][SHMEM_REGIONS]; /* 0: the VM never has this region */

static void set_up(void)
{
    log_threshold = LOG_ERR;
    shm_begin();
    for (u32 i = 0; i < VMS; i++) {
        g[i] = shm_vm(configs[i], configs[i]);
    }
    assert(shm_go());
    for (u32 i = 0; i < VMS; i++) {
        const struct vdev_conf *conf = &g[i]->cfg.vdev[0];
        u64 end = 0, at;

        for (u32 n = 0; n < shmem_plan.count; n++) {
            if (shmem_place(conf->opts, &shmem_plan.region[n], &end, &at)) {
                control[i][n] = conf->window + at;
            }
        }
        assert(end == conf->window_size);
    }
}

/* What one VM has of a region; its bit among the clients, or 0. */
static u32 check_one(u32 i, u32 n, u64 *memory)
{
    u64 at = control[i][n], pa = at != 0 ? shm_mapped(g[i], at + PAGE_SIZE) : 0;
    u32 live = at != 0 ? (u32)guest_read(g[i], at + 2, 2) : GONE;
    u32 index, pending;

    if (live == GONE) {
        assert(pa == 0);
        return 0;
    }
    index = (u32)guest_read(g[i], at + SHM_INDEX, 4);
    pending = (u32)guest_read(g[i], at, 2);
    assert(pa != 0 && (*memory == 0 || *memory == pa));
    assert(index < 16 && (live >> index & 1) != 0);
    assert(pending == 0 || g[i]->level[INTID] != 0);
    assert(shm_mapped(g[i], at) == 0);
    *memory = pa;
    return BIT(index);
}

static void check(void)
{
    u32 attached = 0;

    for (u32 n = 0; n < shmem_plan.count; n++) {
        u32 live = 0;
        u64 memory = 0;

        for (u32 i = 0; i < VMS; i++) {
            u32 bit = check_one(i, n, &memory);

            assert((live & bit) == 0);
            live |= bit;
            attached += bit != 0;
        }
        for (u32 i = 0; i < VMS; i++) {
            u32 seen = control[i][n] != 0 ? (u32)guest_read(g[i], control[i][n] + 2, 2) : GONE;

            assert(seen == GONE || seen == live);
        }
    }
    assert(attached == shm_maps);
}

static void op_attach(struct input *in, u32 i)
{
    const char *name = names[take(in, 1) % ARRAY_SIZE(names)];
    u32 status = shm_attach(g[i], shm_factory(g[i], 0), name, take(in, 1));

    assert(status <= 6);
    assert((status == 0) == (guest_read(g[i], shm_factory(g[i], 0) + SHM_SHMEM, 8) != UINT64_MAX));
}

static void op_factory(struct input *in, u32 i)
{
    u32 size = 1u << take(in, 1) % 4, offset = take(in, 1) % 72;
    u64 value = take(in, 4);

    guest_write(g[i], shm_factory(g[i], 0) + offset, size, value << 32 | value);
    (void)guest_read(g[i], shm_factory(g[i], 0) + offset, size);
}

/* Near a control page or its end, whatever is there. */
static void op_window(struct input *in, u32 i)
{
    const struct vdev_conf *conf = &g[i]->cfg.vdev[0];
    u32 n = take(in, 1), size = 1u << (n & 3), offset = take(in, 1);
    u64 at = control[i][(n >> 2) % shmem_plan.count], value = take(in, 4);

    at = at == 0 ? conf->window : at + (offset < 0xf0 ? offset % 24 : PAGE_SIZE - 0x100 + offset);
    at = MIN(at, conf->window + conf->window_size - size);
    if ((offset & 1) != 0) {
        (void)guest_read(g[i], at, size);
    } else {
        guest_write(g[i], at, size, value << 32 | value);
    }
}

static void op_register(struct input *in, u32 i)
{
    static const u8 reg[] = {SHM_CLIENTS, SHM_NOTIFY, SHM_NOTIFY, SHM_DETACH};
    u32 n = take(in, 1);
    u64 at = control[i][(n >> 2) % shmem_plan.count];

    if (at == 0) {
        return;
    }
    if ((n & 3) == 0) {
        (void)guest_read(g[i], at, 4);
    } else {
        guest_write(g[i], at + reg[n & 3], 4, (n & 1) != 0 ? UINT32_MAX : take(in, 2));
    }
}

static void op_find(struct input *in, u32 i)
{
    guest_write(g[i], shm_factory(g[i], 0) + SHM_FIND, 4, take(in, 1) % 8);
}

static void op_fail(struct input *in, u32 i)
{
    shm_map_fail = true;
    op_attach(in, i);
    shm_map_fail = false;
}

static void op_reset(struct input *in, u32 i)
{
    (void)in;
    g[i]->vm.devs->ops->reset(g[i]->vm.devs);
    assert(g[i]->level[INTID] == 0);
}

/* With all taken, the line is low. */
static void op_take_all(struct input *in, u32 i)
{
    (void)in;
    for (u32 n = 0; n < shmem_plan.count; n++) {
        if (control[i][n] != 0) {
            (void)guest_read(g[i], control[i][n], 8);
        }
    }
    assert(g[i]->level[INTID] == 0);
}

static void (*const ops[])(struct input *in, u32 i) = {
    op_attach, op_factory, op_window, op_register, op_find, op_fail, op_reset, op_take_all,
};

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct input in = {data, data + MIN(size, (size_t)2048)};

    if (g[0] == NULL) {
        set_up();
    }
    for (u32 i = 0; i < VMS; i++) {
        op_reset(&in, i);
    }
    shmem_forget_names();
    check();
    while (in.p < in.end) {
        u32 op = take(&in, 1);

        ops[op % ARRAY_SIZE(ops)](&in, (op >> 3) % VMS);
        check();
    }
    return 0;
}
