/* SPDX-License-Identifier: MIT */
/*
 * virtio-console with three ports: any register access, chains of any shape in any queue, control
 * messages, typed bytes, a UART that fills up, time, focus changes, resets. What must hold at any
 * time: the interrupt is what InterruptStatus says, and the boot CPU's work comes to an end. If the
 * driver kept the rules, and once the UART takes everything: all that it sent has come back.
 */
#include "arch/host/arch.h"
#include "core/arch.h"
#include "core/panic.h"
#include "core/sched.h"
#include "tests/fuzz/input.h"
#include "tests/host/driver.h"
#include "tests/host/run.h"
#include "vdev/chan.h"
#include "vdev/virtio/console.h"

#include <string.h>

#define BASE   0x0a000000ull
#define INTID  48u
#define SIZE   16u
#define QUEUES 8u
#define STEPS  400
#define MS     1000000ull
#define DATA   (64 * KIB) /* where buffers lie */

static struct console_opts opts = {
    .port = {{.in = true, .out = true},
             {.name = {"log", 3}, .in = true, .out = true},
             {.name = {"out", 3}, .out = true}},
    .nports = 3,
};

static struct guest g;
static struct vdev *dev;
static u64 brk, data;
static struct ring ring[QUEUES];
static u32 rings;
static u32 offered[QUEUES]; /* chains since the start */
static bool honest;         /* the driver broke no rule so far */

static void show(char c)
{
    (void)c;
}

static void prompt(char c)
{
    chan_prompt_write(&c, 1);
}

/* Once: a run ends with all output gone and no work left. */
static void set_up(void)
{
    host_init();
    chan_init('\x1d', prompt);
    guest_init(&g, "vm");
    dev = guest_add(&g, &virtio_console_type, BASE, INTID, "", &opts);
    assert(dev != NULL);
    data = guest_alloc(&g, DATA, 4096);
    brk = g.brk;
    host_now_ns = 1000 * MS;
}

/* A driver that has `features` and rings for the queues that go with them. */
static void start(u64 features)
{
    g.brk = brk;
    driver_begin(&g, BASE, F_VERSION_1 | features);
    rings = features & 2 ? QUEUES : 2;
    for (u32 i = 0; i < rings; i++) {
        ring_alloc(&ring[i], &g, BASE, i, SIZE);
        assert(ring_enable(&ring[i]));
        offered[i] = 0;
    }
    driver_ok(&g, BASE);
    honest = true;
}

static void start_run(void)
{
    host_putc = show;
    host_uart_room = UINT32_MAX;
    while (arch_getc() >= 0) {
    }
    chan_uart_irq();
    assert(run_all());
    g.vm.state = VM_STARTING;
    dev->ops->reset(dev);
    g.vm.state = VM_RUNNING;
    chan_focus(1);
}

/* --- operations
 * ------------------------------------------------------------------------------------ */

static struct ring *some_ring(struct input *in)
{
    return &ring[take(in, 1) % rings];
}

static bool room_in(const struct ring *r)
{
    return offered[r->index] - ring_used_idx((struct ring *)r) < SIZE / 4;
}

/* A chain as a driver makes it: at most four descriptors, all of the kind that the queue wants. */
static void op_chain(struct input *in)
{
    struct ring *r = some_ring(in);
    u32 count = 1 + take(in, 1) % 4, first = (offered[r->index] % (SIZE / 4)) * 4;

    if (!honest || !room_in(r)) {
        return;
    }
    for (u32 i = 0; i < count; i++) {
        u32 at = take(in, 2) % (DATA / 2), len = take(in, 2) % 5000;

        ring_desc(r, first + i, data + at, len,
                  (r->index % 2 == 0 ? D_WRITE : 0) | (i + 1 < count ? D_NEXT : 0), first + i + 1);
    }
    ring_offer(r, first);
    offered[r->index]++;
    ring_kick(r);
}

static void op_message(struct input *in)
{
    struct ring *r = &ring[3];
    u32 head = (offered[3] % (SIZE / 4)) * 4, slot = DATA - 64 + head * 4;
    u8 *p = guest_ptr(&g, data + slot);

    if (rings < QUEUES || !honest || !room_in(r)) {
        return;
    }
    p[0] = (u8)(take(in, 1) % 5);
    p[1] = p[2] = p[3] = 0;
    p[4] = (u8)(take(in, 1) % 9);
    p[5] = 0;
    p[6] = (u8)(take(in, 1) & 1);
    p[7] = 0;
    ring_desc(r, head, data + slot, 8, 0, 0);
    ring_offer(r, head);
    offered[3]++;
    ring_kick(r);
}

/* A descriptor of any kind in any place, made available. */
static void op_nonsense(struct input *in)
{
    struct ring *r = some_ring(in);
    u32 i = take(in, 1) % SIZE;
    u64 at = data + take(in, 4);

    honest = false;
    ring_desc(r, i, at, take(in, 4), take(in, 1), take(in, 2));
    ring_offer(r, take(in, 1) % (SIZE + 1));
    ring_kick(r);
}

static void op_register(struct input *in)
{
    u32 offset = take(in, 2) % 0x120, size = 1u << (take(in, 1) & 3);

    if (offset >= VMMIO_STATUS && offset < VMMIO_CONFIG) {
        honest = false;
    }
    offset &= ~(size - 1);
    honest = honest && (offset >= VMMIO_CONFIG || offset == VMMIO_NOTIFY);
    guest_write(&g, BASE + offset, size, take(in, 4));
    (void)guest_read(&g, BASE + offset, size);
}

static void op_type(struct input *in)
{
    u32 n = take(in, 1) * 8;
    char c = (char)take(in, 1);

    for (u32 i = 0; i < n && c != '\x1d'; i++) {
        (void)host_uart_type(&c, 1);
    }
    chan_uart_irq();
}

static void op_uart(struct input *in)
{
    u32 room = take(in, 1);

    host_uart_room = room == 255 ? UINT32_MAX : room * 4;
    chan_uart_irq();
}

static void op_misc(struct input *in)
{
    u32 what = take(in, 1);

    switch (what % 8) {
    case 0:
        start((what & 8) != 0 ? 2 : 0);
        break;
    case 1:
        start(F_EVENT_IDX | F_INDIRECT | ((what & 8) != 0 ? 2 : 0));
        break;
    case 2:
        chan_focus(what / 8 % 5);
        break;
    case 3:
        (void)run_work();
        break;
    case 4:
        (void)driver_irq(&g, BASE);
        break;
    case 5:
        ring_set_used_event(&ring[what / 8 % rings], (u16)take(in, 1));
        break;
    case 6:
        run_for(what / 8 * MS);
        break;
    default:
        assert(run_all());
        break;
    }
}

static void (*const operations[])(struct input *in) = {
    op_chain, op_chain, op_message, op_type, op_uart, op_misc, op_nonsense, op_register,
};

static void check_line(void)
{
    assert(g.level[INTID] == (reg_read(&g, BASE, VMMIO_ISR) != 0));
}

/* With a UART that takes everything nothing waits any more. */
static void finish(void)
{
    host_uart_room = UINT32_MAX;
    chan_uart_irq();
    run_for(5000 * MS);
    assert(run_all());
    for (u32 i = 1; honest && i < rings; i += 2) {
        assert(ring_used_idx(&ring[i]) == (u16)offered[i]);
    }
    check_line();
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size)
{
    struct input in = {bytes, bytes + size};

    if (dev == NULL) {
        set_up();
    }
    start_run();
    start(take(&in, 1) & 1 ? 2 : 0);
    for (u32 i = 0; i < STEPS && in.p < in.end; i++) {
        operations[take(&in, 1) % ARRAY_SIZE(operations)](&in);
        check_line();
    }
    finish();
    return 0;
}
