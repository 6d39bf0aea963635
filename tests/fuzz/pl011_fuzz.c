/* SPDX-License-Identifier: MIT */
/*
 * Two VMs with a PL011 each on one console: a program of register accesses, typed bytes, a UART
 * that fills up, time that goes by and focus changes. What must hold at any time: the interrupt is
 * what RIS and IMSC say, nothing that a VM out of focus prints is obeyed by a terminal, the boot
 * CPU's work comes to an end, and once the UART takes everything nothing stays behind.
 *
 * Input: a byte of flags, then operations, each a byte and its arguments; see ops[].
 */
#include "vdev/pl011.h"

#include "arch/host/arch.h"
#include "core/arch.h"
#include "core/config.h"
#include "core/page.h"
#include "core/panic.h"
#include "core/vm.h"
#include "tests/host/run.h"
#include "vdev/chan.h"
#include "vdev/chan_mux.h"

#include <string.h>

#define MEMORY (64 * KIB)
#define BASE   0x09000000
#define MS     1000000ull
#define VMS    2

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/* The focus stays on a third console that prints nothing: all output is foreign to it. */
#define FLAG_FOREIGN 1

struct input {
    const u8 *p;
    size_t left;
    bool foreign;
    u32 budget; /* operations that repeat share it, so that runs stay short */
};

static _Alignas(PAGE_SIZE) u8 memory[MEMORY];
static u8 memory_saved[MEMORY];
static struct mux mux_saved;
static struct vm_config cfg;
static struct vdev_conf conf = {.type = &pl011_type, .loc = BASE, .intid = 33};
static struct vm vm[VMS];
static struct vcpu vcpu[VMS];
static struct vdev *uart[VMS];
static bool line[VMS];
static struct text_state screen_state;
static bool check_screen;

static void set_line(struct vm *to, struct vcpu *v, u32 intid, bool level)
{
    assert(v == NULL && intid == 33);
    assert(line[to - vm] != level);
    line[to - vm] = level;
}

static const struct irqchip irqchip = {.set_line = set_line};

/* Bytes come one at a time, so UTF-8 isn't looked at here: text_test.c does that. */
static void show(char c)
{
    u8 b = (u8)c, out;

    if (check_screen && b != '\r' && b != '\n' && b != '\t' && b < 0x80) {
        assert(text_clean(&screen_state, &b, 1, &out) == 1 && out == b);
    }
}

static void prompt(char c)
{
    chan_prompt_write(&c, 1);
}

static void ready(void *dev)
{
    (void)dev;
}

static const struct chan_ops quiet = {.rx_ready = ready, .tx_ready = ready};

/* Everything is made once; each run starts from a copy. */
static void set_up(void)
{
    page_add((uintptr_t)memory, MEMORY);
    sched_init(1);
    chan_init('\x1d', prompt);
    for (u32 i = 0; i < VMS; i++) {
        vm[i] = (struct vm){.cfg = &cfg, .irqchip = &irqchip};
        vm[i].name[0] = (char)('a' + i);
        vcpu[i].vm = &vm[i];
        uart[i] = pl011_type.create(&vm[i], &conf);
        assert(uart[i] != NULL);
        mmio_freeze(&vm[i].mmio);
    }
    assert(chan_create("quiet", &quiet, NULL) != NULL);
    memcpy(memory_saved, memory, MEMORY);
    mux_saved = mux;
}

static void start_run(void)
{
    host_putc = show;
    host_uart_room = UINT32_MAX;
    host_now_ns = 1000 * MS;
    while (arch_getc() >= 0) {
    }
    sched_init(1);
    chan_init('\x1d', prompt);
    memcpy(memory, memory_saved, MEMORY);
    mux = mux_saved;
    memset(line, 0, sizeof(line));
    screen_state = (struct text_state){0};
}

static u8 byte(struct input *in)
{
    if (in->left == 0) {
        return 0;
    }
    in->left--;
    return *in->p++;
}

/* Up to n bytes in place; their number. */
static size_t bytes(struct input *in, size_t n, const u8 **p)
{
    n = MIN(n, in->left);
    *p = in->p;
    in->p += n;
    in->left -= n;
    return n;
}

static u64 reg_offset(u8 b)
{
    static const u16 regs[] = {0x00, 0x04, 0x18, 0x20, 0x24, 0x28, 0x2c,  0x30,
                               0x34, 0x38, 0x3c, 0x40, 0x44, 0x48, 0xfe0, 0xffc};

    return b < 0xf0 ? regs[b % 16] : 0xff8 + (b & 7);
}

static u64 reg_access(u32 n, u64 offset, u8 size, bool write, u64 value)
{
    struct mmio m = {.addr = BASE + MIN(offset, (u64)0x1000 - size),
                     .size = size,
                     .write = write,
                     .value = value};

    assert(mmio_access(&vcpu[n], &m) == MMIO_DONE);
    return m.value;
}

static void check(void)
{
    for (u32 n = 0; n < VMS; n++) {
        bool level = (reg_access(n, 0x3c, 4, false, 0) & reg_access(n, 0x38, 4, false, 0)) != 0;

        assert(level == line[n]);
    }
}

static void op_read(struct input *in)
{
    u8 reg = byte(in), size = (u8)(1 << (byte(in) & 3));

    (void)reg_access(reg >> 4 & 1, reg_offset(reg), size, false, 0);
}

static void op_write(struct input *in)
{
    u8 reg = byte(in), size = (u8)(1 << (byte(in) & 3));
    u64 value = byte(in);

    value |= (u64)byte(in) << 8;
    (void)reg_access(reg >> 4 & 1, reg_offset(reg), size, true, value | value << 32);
}

/* Text that a VM prints: the low bit says which, the rest how much. */
static void op_print(struct input *in)
{
    u8 head = byte(in);
    const u8 *p;
    size_t n = bytes(in, head >> 1, &p);

    for (size_t i = 0; i < n; i++) {
        (void)reg_access(head & 1, 0, 4, true, p[i]);
    }
}

static void op_flood(struct input *in)
{
    u32 n = MIN(byte(in) * 32u, in->budget);
    u8 b = byte(in);

    in->budget -= n;
    for (u32 i = 0; i < n; i++) {
        (void)reg_access(b & 1, 0, 1, true, i % 64 == 63 ? '\n' : b);
    }
}

static void op_type(struct input *in)
{
    u32 count = 1u + byte(in) % 8;
    const u8 *p;
    size_t n = bytes(in, byte(in), &p), total = MIN(n * count, (size_t)in->budget);

    in->budget -= (u32)total;
    for (size_t i = 0; i < total; i++) {
        char c = (char)p[i % n];

        if (!in->foreign || c != '\x1d') {
            (void)host_uart_type(&c, 1);
        }
    }
    chan_uart_irq();
}

static void op_room(struct input *in)
{
    u8 room = byte(in);

    host_uart_room = room == 255 ? UINT32_MAX : room;
    chan_uart_irq();
}

static void op_time(struct input *in)
{
    run_for(byte(in) * 20 * MS);
}

static void op_misc(struct input *in)
{
    u8 what = byte(in);
    const u8 *p;
    size_t n;

    switch (what & 7) {
    case 0:
        uart[what >> 3 & 1]->ops->reset(uart[what >> 3 & 1]);
        break;
    case 1:
        n = bytes(in, what >> 3, &p);
        chan_log((const char *)p, n);
        break;
    case 2:
        if (!in->foreign) {
            chan_focus(what >> 3);
        }
        break;
    case 3:
        (void)run_work();
        break;
    case 4:
        for (u32 i = 0; i < what && in->budget > 0; i++, in->budget--) {
            chan_log("muntin: a line that comes again and again until it is too much", 62);
        }
        break;
    default:
        assert(run_all());
        break;
    }
}

static void (*const ops[])(struct input *in) = {
    op_read, op_write, op_print, op_flood, op_type, op_room, op_time, op_misc,
};

/* With a UART that takes everything and time to do so, all output goes out. */
static void finish(void)
{
    host_uart_room = UINT32_MAX;
    chan_uart_irq();
    run_for(5000 * MS);
    for (u32 i = 0; i < mux.count; i++) {
        assert(ring_used(&mux.chan[i]->tx) == 0);
    }
    assert(mux.out_len == 0 && ring_used(&mux.log) == 0 && !host_uart_tx_irq);
    check();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct input in = {.p = data, .left = size, .budget = 15000};

    if (mux_saved.count == 0) {
        set_up();
    }
    start_run();
    in.foreign = byte(&in) & FLAG_FOREIGN;
    check_screen = in.foreign;
    chan_focus(in.foreign ? VMS + 1 : 1);
    while (in.left > 0) {
        ops[byte(&in) % ARRAY_SIZE(ops)](&in);
        check();
    }
    finish();
    return 0;
}
