/* SPDX-License-Identifier: MIT */
/*
 * One VM with the small PrimeCell devices (clock, watchdog, GPIO): register accesses of all sizes,
 * time that goes by, presses of the button, resets. What must hold: each interrupt line is what the
 * masked status says, no guest makes more timers than there are devices or has them fire without
 * end, a VM is ended only by a watchdog that was enabled to do so, and time reads forwards.
 *
 * Input: operations, each a byte and its arguments.
 */
#include "arch/host/arch.h"
#include "core/panic.h"
#include "core/wall.h"
#include "tests/fuzz/input.h"
#include "tests/host/driver.h"
#include "tests/host/run.h"
#include "vdev/pl031.h"
#include "vdev/pl061.h"
#include "vdev/sp805.h"

#include <string.h>

#define DEVICES 3
#define FIRES                                                                                      \
    64 /* timers that may fire for one operation: each device has one, which may rearm             \
        */

enum { RTC, DOG, GPIO };

static struct guest g;
static const u64 base[DEVICES] = {0x09010000, 0x1c0f0000, 0x09030000};
static struct vdev *dev[DEVICES];
static bool may_bite;

static void set_up(void)
{
    static const struct vdev_type *const type[DEVICES] = {&pl031_type, &sp805_type, &pl061_type};

    guest_init(&g, "fuzz");
    spin_init(&g.vm.lock, LOCK_VM);
    for (u32 i = 0; i < DEVICES; i++) {
        dev[i] = guest_add(&g, type[i], base[i], 40 + i, NULL, NULL);
        assert(dev[i] != NULL);
    }
    mmio_freeze(&g.vm.mmio);
}

static u32 get(u32 i, u32 offset)
{
    return (u32)guest_read(&g, base[i] + offset, 4);
}

static u32 timers(void)
{
    u32 n = 0;

    for (struct timer *t = pcpus[0].remote.timers; t != NULL; t = t->next) {
        n++;
    }
    return n;
}

static void check(void)
{
    static const u16 mis[DEVICES] = {0x18, 0x14, 0x418}, ris[DEVICES] = {0x14, 0x10, 0x414};

    for (u32 i = 0; i < DEVICES; i++) {
        u32 masked = get(i, mis[i]), raw = get(i, ris[i]);

        assert((masked & ~raw) == 0);
        assert(g.level[40 + i] == (masked != 0));
    }
    assert(timers() <= DEVICES);
    assert(g.vm.state == VM_RUNNING || (may_bite && g.vm.reason == VM_EXIT_WATCHDOG));
    assert(get(DOG, 4) <= get(DOG, 0) || !(get(DOG, 8) & 1));
}

/* As run_for, but counts. */
static void pass(u64 ns)
{
    u64 end = host_now_ns + ns;
    u32 fires = 0;

    while (pcpus[0].remote.timers != NULL && pcpus[0].remote.timers->deadline_ns <= end) {
        host_now_ns = MAX(pcpus[0].remote.timers->deadline_ns, host_now_ns);
        timer_expire(&pcpus[0]);
        assert(++fires <= FIRES);
    }
    host_now_ns = end;
}

static u32 offset_of(u32 i, u8 b)
{
    static const u16 dog[] = {0, 4, 8, 0xc, 0x10, 0x14, 0xc00, 0xc04};

    if (b >= 0xe0) {
        return 0xfe0 + (b & 31);
    }
    if (i == DOG) {
        return dog[b & 7] + (b >> 3 & 1);
    }
    return i == GPIO && (b & 0x40) ? 0x400u + (b & 63) : (b & 63) * (i == GPIO ? 16u : 1u);
}

static void do_access(struct input *in, u8 op)
{
    u32 i = (op >> 2) % DEVICES, size = 1u << (op >> 5 & 3);
    u32 offset = offset_of(i, (u8)take(in, 1));

    offset = MIN(offset, 0x1000 - size);
    if (op & 1) {
        u64 value = take(in, 4);

        may_bite |= i == DOG && !(get(DOG, 0xc00) & 1);
        value = value == 0x1acce5 ? 0x1acce551 : value;
        guest_write(&g, base[i] + offset, size, size == 8 ? value | value << 32 : value);
    } else {
        (void)guest_read(&g, base[i] + offset, size);
    }
}

static void do_time(struct input *in)
{
    u32 before = get(RTC, 0), shift = take(in, 1) & 63, after;
    u64 ns = (u64)take(in, 2) << MIN(shift, 35u);

    pass(ns);
    after = get(RTC, 0);
    assert(after - before == (u32)(ns / 1000000000) ||
           after - before == (u32)(ns / 1000000000) + 1);
}

static void do_misc(struct input *in)
{
    u32 what = take(in, 1), i = (what >> 2) % DEVICES;
    u32 before = get(RTC, 0);

    if (what & 1) {
        dev[i]->ops->reset(dev[i]);
        assert(g.level[40 + i] == 0 && get(RTC, 0) == before);
    } else if (what & 2) {
        (void)dev[GPIO]->ops->press(dev[GPIO]);
        assert(get(GPIO, 0x20) == 8 || (get(GPIO, 0x400) & 8)); /* the line is high, or an output */
    } else {
        host_now_ns += take(in, 2); /* timers are late */
    }
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct input in = {data, data + size};

    if (dev[0] == NULL) {
        set_up();
    }
    for (u32 i = 0; i < DEVICES; i++) {
        dev[i]->ops->reset(dev[i]);
    }
    g.vm.state = VM_RUNNING;
    may_bite = false;
    host_now_ns = 1000000000;
    wall_set(1700000000);
    for (u32 ops = 0; in.p < in.end && ops < 500; ops++) {
        u8 op = (u8)take(&in, 1);

        if ((op & 3) == 2) {
            do_time(&in);
        } else if ((op & 31) == 31) {
            do_misc(&in);
        } else {
            do_access(&in, op);
        }
        check();
    }
    return 0;
}
