/* SPDX-License-Identifier: MIT */
/*
 * virtio-console: a driver's queues on one side, the console's UART on the other, and in between no
 * byte lost, whoever waits for whom, and whatever the driver makes up.
 */
#include "vdev/virtio/console.h"

#include "arch/host/arch.h"
#include "core/arch.h"
#include "core/config.h"
#include "core/log.h"
#include "core/sched.h"
#include "tests/host/driver.h"
#include "tests/host/run.h"
#include "tests/host/said.h"
#include "vdev/chan.h"
#include "vdev/pl011.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BASE        0x0a000000ull
#define INTID       48u
#define SIZE        64u
#define MS          1000000ull
#define F_MULTIPORT (1ull << 1)
#define F_EMERGENCY (1ull << 2)
#define BUF         256u /* of each receive buffer */
#define QUEUES      8u

enum { READY, ADD, REMOVE, PORT_READY, CONSOLE, RESIZE, OPEN, NAME }; /* §5.3.6.2 */
enum { RX, TX, CTRL_RX, CTRL_TX, RX1, TX1, RX2, TX2 };

static struct guest g;
static struct vdev *dev;
static struct ring ring[QUEUES];
static u64 buffers[QUEUES]; /* of receive rings, SIZE times BUF */
static char screen[400000];
static u32 screen_len;

static void show(char c)
{
    assert_true(screen_len + 1 < sizeof(screen));
    screen[screen_len++] = c;
    screen[screen_len] = '\0';
}

static void clear(void)
{
    screen_len = 0;
    screen[0] = '\0';
}

static void expect(const char *text)
{
    assert_string_equal(screen, text);
    clear();
}

static void no_prompt(char c)
{
    (void)c;
}

static void type_in(const char *text, size_t len)
{
    assert_int_equal(host_uart_type(text, len), len);
    chan_uart_irq();
    assert_true(run_all());
}

static void type(const char *text)
{
    type_in(text, strlen(text));
}

static void uart_takes(u32 bytes)
{
    host_uart_room = bytes;
    chan_uart_irq();
    assert_true(run_all());
}

/* --- a driver -----------------------------------------------------------------------------------
 */

/* Reset, `features`, all rings that there are; no buffers yet. */
static void begin(u64 features)
{
    u32 queues = features & F_MULTIPORT ? QUEUES : 2;

    driver_begin(&g, BASE, F_VERSION_1 | features);
    for (u32 i = 0; i < queues; i++) {
        reg_write(&g, BASE, VMMIO_QUEUE_SEL, i);
        if (reg_read(&g, BASE, VMMIO_QUEUE_SIZE_MAX) == 0) {
            break;
        }
        ring_alloc(&ring[i], &g, BASE, i, SIZE);
        assert_true(ring_enable(&ring[i]));
    }
}

static void start(u64 features)
{
    begin(features);
    driver_ok(&g, BASE);
    assert_true(run_all());
}

static void send_chain(u32 queue, u32 head, u64 at, u32 len)
{
    ring_desc(&ring[queue], head, at, len, 0, 0);
    ring_offer(&ring[queue], head);
    ring_kick(&ring[queue]);
}

static void send(u32 queue, const void *data, u32 len)
{
    static u32 head;
    u64 at = guest_alloc(&g, len, 1);

    memcpy(guest_ptr(&g, at), data, len);
    send_chain(queue, head++ % SIZE, at, len);
}

static bool sent(u32 queue)
{
    u32 len = 1;

    if (ring_used(&ring[queue], &len) < 0) {
        return false;
    }
    assert_int_equal(len, 0); /* nothing was written */
    return true;
}

static void print(u32 queue, const char *text)
{
    send(queue, text, (u32)strlen(text));
    assert_true(sent(queue));
}

/* Offers buffer `i` of a receive queue. */
static void offer(u32 queue, u32 i, u32 len)
{
    if (buffers[queue] == 0) {
        buffers[queue] = guest_alloc(&g, SIZE * BUF, 8);
    }
    ring_desc(&ring[queue], i, buffers[queue] + i * BUF, len, D_WRITE, 0);
    ring_offer(&ring[queue], i);
    ring_kick(&ring[queue]);
}

static void offer_all(u32 queue)
{
    for (u32 i = 0; i < SIZE; i++) {
        offer(queue, i, BUF);
    }
}

/* What came next in a receive queue; its length, -1: nothing. */
static int received(u32 queue, u8 **data)
{
    u32 len;
    int head = ring_used(&ring[queue], &len);

    if (head < 0) {
        return -1;
    }
    *data = guest_ptr(&g, buffers[queue] + (u32)head * BUF);
    return (int)len;
}

/* All of it, in one string. */
static const char *all_received(u32 queue)
{
    static char text[20000];
    u32 at = 0;
    u8 *p;
    int n;

    while ((n = received(queue, &p)) >= 0) {
        assert_true(at + (u32)n < sizeof(text));
        memcpy(text + at, p, (u32)n);
        at += (u32)n;
    }
    text[at] = '\0';
    return text;
}

static void tell(u32 id, u16 event, u16 value)
{
    struct {
        u32 id;
        u16 event, value;
    } m = {id, event, value};

    send(CTRL_TX, &m, sizeof(m));
    assert_true(sent(CTRL_TX));
}

/* The next message is this one. */
static void told(u32 id, u16 event, const char *name)
{
    u8 *p;
    int n = received(CTRL_RX, &p);
    u32 got_id;
    u16 got[2];

    assert_int_equal(n, 8 + strlen(name));
    memcpy(&got_id, p, 4);
    memcpy(got, p + 4, 4);
    assert_int_equal(got_id, id);
    assert_int_equal(got[0], event);
    assert_int_equal(got[1], 1);
    assert_memory_equal(p + 8, name, strlen(name));
}

static void told_no_more(void)
{
    u8 *p;

    assert_int_equal(received(CTRL_RX, &p), -1);
}

static bool needs_reset(void)
{
    return (reg_read(&g, BASE, VMMIO_STATUS) & S_NEEDS_RESET) != 0;
}

/* --- setups --------------------------------------------------------------------------------------
 */

static struct console_opts three = {
    .port = {{.in = true, .out = true},
             {.name = {"log", 3}, .in = true, .out = true},
             {.name = {"out", 3}, .out = true}},
    .nports = 3,
};

static void make(void *opts)
{
    host_init();
    sched_init(1);
    host_putc = show;
    host_uart_room = UINT32_MAX;
    host_now_ns = 1000 * MS;
    while (host_uart_waiting() > 0) {
        (void)arch_getc();
    }
    chan_init('\x1d', no_prompt);
    guest_init(&g, "vm");
    memset(buffers, 0, sizeof(buffers));
    dev = guest_add(&g, &virtio_console_type, BASE, INTID, "", opts);
    assert_non_null(dev);
    g.vm.state = VM_RUNNING;
    chan_focus(1);
    run_for(0);
    clear();
}

static int setup(void **state)
{
    (void)state;
    make(NULL);
    start(0);
    return 0;
}

/* Three ports, a driver that knows of them, none ready yet. */
static int setup_ports(void **state)
{
    (void)state;
    make(&three);
    start(F_MULTIPORT);
    return 0;
}

/* … all of them ready, and log open. */
static int setup_open(void **state)
{
    setup_ports(state);
    offer_all(CTRL_RX);
    tell(0, READY, 1);
    for (u32 i = 0; i < 3; i++) {
        tell(i, PORT_READY, 1);
    }
    tell(0, OPEN, 1);
    tell(1, OPEN, 1);
    (void)all_received(CTRL_RX);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    uart_takes(UINT32_MAX);
    guest_free(&g);
    return 0;
}

/* --- the console alone
 * ---------------------------------------------------------------------------- */

static void what_it_is(void **state)
{
    (void)state;
    assert_int_equal(reg_read(&g, BASE, VMMIO_DEVICE_ID), 3);
    assert_int_equal(driver_offered(&g, BASE) & 0xffffff, F_EMERGENCY);
    assert_int_equal(reg_read(&g, BASE, VMMIO_CONFIG + 4), 1);
    assert_int_equal(reg_read(&g, BASE, VMMIO_CONFIG + 8), 0);
    reg_write(&g, BASE, VMMIO_QUEUE_SEL, 2);
    assert_int_equal(reg_read(&g, BASE, VMMIO_QUEUE_SIZE_MAX), 0);
}

static void prints(void **state)
{
    u64 at = guest_alloc(&g, 32, 1);

    (void)state;
    print(TX, "hello, ");
    memcpy(guest_ptr(&g, at), "world\n", 6);
    ring_desc(&ring[TX], 0, at, 3, D_NEXT, 1);
    ring_desc(&ring[TX], 1, at + 3, 3, 0, 0);
    ring_offer(&ring[TX], 0);
    ring_kick(&ring[TX]);
    assert_true(sent(TX));
    expect("hello, world\n");
}

/* Whoever waits for buffers to come back is told after a moment; whoever has seen them, not. */
static void interrupts_of_output(void **state)
{
    (void)state;
    print(TX, "x");
    assert_int_equal(g.level[INTID], 0);
    run_for(2 * MS);
    assert_int_equal(g.level[INTID], 1);
    driver_irq(&g, BASE);
    assert_int_equal(g.level[INTID], 0);

    start(F_EVENT_IDX);
    print(TX, "y");
    run_for(2 * MS);
    assert_int_equal(g.level[INTID], 1); /* its event is still the first entry */
    driver_irq(&g, BASE);
    ring_set_used_event(&ring[TX], 1);
    for (u32 i = 2; i < 20; i++) {
        print(TX, "z");
        ring_set_used_event(&ring[TX], (u16)i); /* as hvc does, with interrupts off */
        run_for(2 * MS);
        assert_int_equal(g.level[INTID], 0);
    }
    print(TX, "z");
    run_for(2 * MS);
    assert_int_equal(g.level[INTID], 1);
    driver_irq(&g, BASE);
    print(TX, "z");
    start(0); /* nothing of it is left for the next driver */
    run_for(2 * MS);
    assert_int_equal(g.level[INTID], 0);
}

static void takes_input(void **state)
{
    (void)state;
    offer(RX, 0, BUF);
    offer(RX, 1, BUF);
    assert_string_equal(all_received(RX), ""); /* a buffer waits for bytes … */
    type("ab");
    assert_int_equal(g.level[INTID], 1);
    assert_string_equal(all_received(RX), "ab");
    type("c");
    assert_string_equal(all_received(RX), "c");
    type("def"); /* … and bytes for a buffer */
    assert_string_equal(all_received(RX), "");
    offer(RX, 2, 2);
    assert_string_equal(all_received(RX), "de");
    offer(RX, 3, BUF);
    assert_string_equal(all_received(RX), "f");
}

/* The UART takes nothing for a while, then a few bytes at a time: buffers wait, and all arrives. */
static void full_uart_holds_buffers_back(void **state)
{
    static char data[100000];
    u64 at = guest_alloc(&g, sizeof(data), 1);
    u32 chains = 0;

    (void)state;
    srand(1);
    for (u32 i = 0; i < sizeof(data); i++) {
        data[i] = (char)(rand() % 255 + 1);
    }
    memcpy(guest_ptr(&g, at), data, sizeof(data));
    host_uart_room = 0;
    for (u32 i = 0; i < 10; i++) {
        send_chain(TX, i, at + i * 10000, 10000);
    }
    assert_true(run_all());
    assert_false(sent(TX)); /* less than the first one has room */
    for (u32 i = 0; chains < 10; i++) {
        u32 least;

        uart_takes(1 + i % 500);
        while (sent(TX)) {
            chains++;
        }
        least = chains * 10000; /* what was given back has gone, or is about to */
        assert_true(least <= screen_len + 4096 + 512);
        assert_true(i < 2000);
    }
    uart_takes(UINT32_MAX);
    assert_int_equal(screen_len, sizeof(data));
    assert_memory_equal(screen, data, sizeof(data));
}

/* More is typed than anybody has room for. */
static void long_input_waits(void **state)
{
    static char data[4000];
    char got[sizeof(data) + 1] = "";

    (void)state;
    for (u32 i = 0; i < sizeof(data); i++) {
        data[i] = (char)('a' + i % 26);
    }
    type_in(data, sizeof(data));
    assert_true(host_uart_waiting() > 0);
    for (u32 i = 0; strlen(got) < sizeof(data); i++) {
        offer(RX, i % SIZE, 1 + i % BUF);
        assert_true(run_all());
        strcat(got, all_received(RX));
        assert_true(i < 4000);
    }
    assert_memory_equal(got, data, sizeof(data));
    assert_int_equal(host_uart_waiting(), 0);
}

static void nothing_to_send_or_to_fill(void **state)
{
    u64 at = guest_alloc(&g, 16, 8);

    (void)state;
    ring_desc(&ring[TX], 0, at, 16, D_WRITE, 0); /* readable: 0 bytes */
    ring_offer(&ring[TX], 0);
    ring_kick(&ring[TX]);
    assert_true(sent(TX));
    expect("");
    type("x");
    ring_desc(&ring[RX], 0, at, 16, 0, 0); /* writable: 0 bytes */
    ring_offer(&ring[RX], 0);
    ring_kick(&ring[RX]);
    assert_int_equal(ring_used(&ring[RX], NULL), 0);
    offer(RX, 1, BUF);
    assert_string_equal(all_received(RX), "x");
    assert_false(needs_reset());
}

static void input_of_before_the_driver(void **state)
{
    (void)state;
    reg_write(&g, BASE, VMMIO_STATUS, 0);
    type("early");
    begin(0);
    offer(RX, 0, BUF); /* and its notification means nothing yet */
    assert_string_equal(all_received(RX), "");
    driver_ok(&g, BASE);
    assert_true(run_all());
    assert_string_equal(all_received(RX), "early");
}

static void rule_34_nothing_before_driver_ok(void **state)
{
    u64 at = guest_alloc(&g, 16, 8);

    (void)state;
    begin(0);
    memcpy(guest_ptr(&g, at), "too early", 9);
    send_chain(TX, 0, at, 9);
    type("x");
    assert_true(run_all());
    expect("");
    assert_false(sent(TX));
}

static u32 count_sent(u32 queue)
{
    u32 n = 0;

    while (sent(queue)) {
        n++;
    }
    return n;
}

/* A full ring costs one notification no more than a handful of chains and bytes; work does the
 * rest. */
static void rule_40_a_full_ring(void **state)
{
    u64 at = guest_alloc(&g, 100, 8);
    u32 n;

    (void)state;
    memset(guest_ptr(&g, at), 'x', 100);
    for (u32 len = 1; len <= 100; len += 99) {
        for (u32 i = 0; i < SIZE; i++) {
            ring_desc(&ring[TX], i, at, len, 0, 0);
            ring_offer(&ring[TX], i);
        }
        ring_kick(&ring[TX]);
        n = count_sent(TX);
        assert_in_range(n, 1, 8);
        assert_in_range(n * len, 1, 256);
        (void)host_run_work(1);
        n += count_sent(TX);
        assert_in_range(n, 3, 16);
        assert_true(run_all());
        assert_int_equal(n + count_sent(TX), SIZE);
        assert_int_equal(screen_len, SIZE * len);
        clear();
    }
}

static void broken_chains(void **state)
{
    (void)state;
    for (u32 queue = RX; queue <= TX; queue++) {
        start(0);
        type("x");
        ring_desc(&ring[queue], 0, 0x1000, 10, queue == RX ? D_WRITE : 0, 0);
        ring_offer(&ring[queue], 0);
        ring_kick(&ring[queue]);
        assert_true(run_all());
        assert_true(needs_reset());
        assert_int_equal(ring_used_idx(&ring[queue]), 0);
    }
    start(0);
    offer(RX, 0, BUF);
    assert_true(run_all());
    assert_string_equal(all_received(RX), "xx"); /* broken drivers took nothing with them */
}

/* --- its life
 * ------------------------------------------------------------------------------------- */

static void send_more_than_fits(void)
{
    u64 at = guest_alloc(&g, 10000, 1);

    memset(guest_ptr(&g, at), 'x', 10000);
    host_uart_room = 0;
    send_chain(TX, 0, at, 10000);
    assert_true(run_all());
    assert_false(sent(TX));
}

/* What has not been taken over of a buffer is forgotten with its driver, and never looked at. */
static void rule_33_reset_amid_a_buffer(void **state)
{
    (void)state;
    send_more_than_fits();
    start(0);
    uart_takes(UINT32_MAX);
    run_for(10 * MS);
    assert_in_range(screen_len, 4096, 5000);
    assert_false(sent(TX));
    clear();
    print(TX, "anew");
    expect("anew");
}

static void rule_7_queue_taken_away_amid_a_buffer(void **state)
{
    (void)state;
    send_more_than_fits();
    reg_write(&g, BASE, VMMIO_QUEUE_SEL, TX);
    reg_write(&g, BASE, VMMIO_QUEUE_READY, 0);
    uart_takes(UINT32_MAX);
    run_for(10 * MS);
    assert_in_range(screen_len, 4096, 5000);
    assert_int_equal(ring_used_idx(&ring[TX]), 0);
}

static void typed_bytes_outlive_the_driver_not_the_vm(void **state)
{
    (void)state;
    type("kept");
    start(0);
    offer(RX, 0, BUF);
    assert_true(run_all());
    assert_string_equal(all_received(RX), "kept");
    type("gone");
    print(TX, "unfinished");
    g.vm.state = VM_STARTING;
    dev->ops->reset(dev);
    g.vm.state = VM_RUNNING;
    start(0);
    offer(RX, 0, BUF);
    assert_true(run_all());
    assert_string_equal(all_received(RX), "");
    expect("unfinished\r\n");
}

static void emergency(void **state)
{
    (void)state;
    reg_write(&g, BASE, VMMIO_STATUS, 0);
    reg_write(&g, BASE, VMMIO_CONFIG + 8, 0x12345600 | '!');
    guest_write(&g, BASE + VMMIO_CONFIG + 8, 1, '?');
    expect("!?");
    for (u32 at = 0; at < 16; at++) { /* nothing else there can be written */
        if (at != 8) {
            guest_write(&g, BASE + VMMIO_CONFIG + at, 1, 'x');
        }
    }
    expect("");
    host_uart_room = 0;
    for (u32 i = 0; i < 10000; i++) { /* no room: hardware would drop them too */
        reg_write(&g, BASE, VMMIO_CONFIG + 8, 'x');
    }
    uart_takes(UINT32_MAX);
    assert_in_range(screen_len, 4096, 5000);
}

static void legacy_driver(void **state)
{
    struct console_opts opts = {.legacy = true};

    (void)state;
    guest_free(&g);
    make(&opts);
    reg_write(&g, BASE, VMMIO_STATUS, 0);
    reg_write(&g, BASE, VMMIO_STATUS, S_ACK | S_DRIVER);
    reg_write(&g, BASE, VMMIO_PAGE_SIZE, 4096);
    for (u32 i = 0; i < 2; i++) {
        ring_alloc_legacy(&ring[i], &g, BASE, i, SIZE);
        assert_true(ring_enable(&ring[i]));
    }
    reg_write(&g, BASE, VMMIO_STATUS, S_ACK | S_DRIVER | S_DRIVER_OK);
    print(TX, "old");
    expect("old");
}

/* --- ports
 * ----------------------------------------------------------------------------------------- */

static void what_it_is_with_ports(void **state)
{
    (void)state;
    assert_int_equal(driver_offered(&g, BASE) & 0xffffff, F_EMERGENCY | F_MULTIPORT);
    assert_int_equal(reg_read(&g, BASE, VMMIO_CONFIG + 4), 3);
    reg_write(&g, BASE, VMMIO_QUEUE_SEL, 7);
    assert_int_equal(reg_read(&g, BASE, VMMIO_QUEUE_SIZE_MAX), SIZE);
    reg_write(&g, BASE, VMMIO_QUEUE_SEL, 8);
    assert_int_equal(reg_read(&g, BASE, VMMIO_QUEUE_SIZE_MAX), 0);
}

static void handshake(void **state)
{
    (void)state;
    offer_all(CTRL_RX);
    told_no_more(); /* it doesn't begin */
    tell(0, READY, 1);
    for (u32 i = 0; i < 3; i++) {
        told(i, ADD, "");
    }
    told_no_more();
    tell(1, PORT_READY, 1);
    told(1, NAME, "log");
    told(1, OPEN, "");
    told_no_more();
    tell(0, PORT_READY, 1);
    told(0, CONSOLE, "");
    told(0, OPEN, "");
    tell(2, PORT_READY, 0); /* the driver failed to add it */
    told_no_more();
    assert_int_equal(g.level[INTID], 1);
}

/* Without buffers nothing can be said; with each, one thing, and nothing twice. */
static void handshake_buffer_by_buffer(void **state)
{
    u8 *p;

    (void)state;
    tell(0, READY, 1);
    tell(0, READY, 1);
    tell(0, PORT_READY, 1);
    told_no_more();
    offer(CTRL_RX, 0, 7); /* too small for any message: given back, nothing is lost */
    assert_int_equal(received(CTRL_RX, &p), 7);
    offer(CTRL_RX, 1, 8);
    told(1, ADD, "");
    offer(CTRL_RX, 2, BUF);
    offer(CTRL_RX, 3, BUF);
    offer(CTRL_RX, 4, BUF);
    offer(CTRL_RX, 5, BUF);
    told(2, ADD, "");
    told(0, CONSOLE, "");
    told(0, OPEN, "");
    told_no_more();
    tell(1, PORT_READY, 1);
    told(1, NAME, "log");
    told_no_more();
    offer(CTRL_RX, 6, 10); /* room for the 8 bytes and two of … no name is owed any more */
    told(1, OPEN, "");
}

static void messages_without_meaning(void **state)
{
    (void)state;
    offer_all(CTRL_RX);
    tell(3, PORT_READY, 1);
    tell(UINT32_MAX, OPEN, 1);
    tell(0x80000000u, PORT_READY, 1);
    tell(1, ADD, 1);
    tell(1, NAME, 1);
    tell(1, 0xffff, 1);
    send(CTRL_TX, "\0\0\0\0\0\0\1", 7); /* a byte is missing */
    assert_true(sent(CTRL_TX));
    told_no_more();
    tell(7, READY, 1); /* its id means nothing */
    told(0, ADD, "");
    assert_false(needs_reset());
}

static void rule_40_many_messages(void **state)
{
    u64 at = guest_alloc(&g, 8, 8);

    (void)state;
    offer_all(CTRL_RX);
    memcpy(guest_ptr(&g, at), "\0\0\0\0\0\0\1\0", 8);
    for (u32 i = 0; i < SIZE; i++) {
        ring_desc(&ring[CTRL_TX], i, at, 8, 0, 0);
        ring_offer(&ring[CTRL_TX], i);
    }
    ring_kick(&ring[CTRL_TX]);
    assert_in_range(count_sent(CTRL_TX), 1, 8);
    assert_true(run_all());
    assert_int_equal(ring_used_idx(&ring[CTRL_TX]), SIZE);
}

static void broken_control_queues(void **state)
{
    (void)state;
    for (u32 queue = CTRL_RX; queue <= CTRL_TX; queue++) {
        start(F_MULTIPORT);
        ring_desc(&ring[queue], 0, 0x1000, 8, queue == CTRL_RX ? D_WRITE : 0, 0);
        ring_offer(&ring[queue], 0);
        ring_kick(&ring[queue]);
        if (queue == CTRL_RX) {
            assert_false(needs_reset()); /* nobody has looked yet */
            tell(0, READY, 1);
        }
        assert_true(needs_reset());
    }
}

static void reset_forgets_what_was_to_be_said(void **state)
{
    (void)state;
    tell(0, READY, 1);
    start(F_MULTIPORT);
    offer_all(CTRL_RX);
    told_no_more();
}

static void ports_are_apart(void **state)
{
    (void)state;
    print(TX, "on the console\n");
    expect("on the console\n");
    print(TX1, "first\n");
    print(TX2, "second\n");
    expect("[vm/log] first\r\n[vm/out] second\r\n");
    offer_all(RX);
    offer_all(RX1);
    chan_focus(chan_find("vm/log"));
    type("for log");
    assert_string_equal(all_received(RX1), "for log");
    assert_string_equal(all_received(RX), "");
    chan_focus(1);
    type("for vm");
    assert_string_equal(all_received(RX), "for vm");
    assert_string_equal(all_received(RX1), "");
}

/* Linux would throw away what comes to a port that no program has open. */
static void a_closed_port_gets_nothing(void **state)
{
    (void)state;
    offer_all(RX1);
    chan_focus(chan_find("vm/log"));
    tell(1, OPEN, 0);
    type("wait");
    assert_string_equal(all_received(RX1), "");
    ring_kick(&ring[RX1]);
    assert_string_equal(all_received(RX1), "");
    tell(1, OPEN, 1);
    assert_true(run_all());
    assert_string_equal(all_received(RX1), "wait");
    tell(1, OPEN, 0);
    clear();
    print(TX1, "last words\n"); /* what it sent before that is still on its way */
    expect("last words\n");
    start(F_MULTIPORT); /* a new driver has nothing open */
    offer_all(RX1);
    type("wait");
    assert_string_equal(all_received(RX1), "");
}

static void one_way_ports(void **state)
{
    struct console_opts opts = three;

    (void)state;
    tell(2, OPEN, 1);
    offer_all(RX2);
    chan_focus(chan_find("vm/out"));
    type("x");
    assert_string_equal(all_received(RX2), ""); /* `>`: out only */

    guest_free(&g);
    opts.port[1].out = false;
    make(&opts);
    start(F_MULTIPORT);
    print(TX1, "not shown\n"); /* `<`: in only, and its buffers come back */
    expect("");
    offer_all(RX1);
    tell(1, OPEN, 1);
    chan_focus(chan_find("vm/log"));
    type("y");
    assert_string_equal(all_received(RX1), "y");
}

/* A driver that doesn't know of ports has the first one, which is always open. */
static void driver_without_multiport(void **state)
{
    (void)state;
    start(0);
    print(TX, "plain\n");
    expect("plain\n");
    offer_all(RX);
    type("in");
    assert_string_equal(all_received(RX), "in");
}

/* One port waits for the UART, and its CPU does nothing for it meanwhile; nor do the others wait.
 */
static void a_full_port_costs_nothing(void **state)
{
    u64 at = guest_alloc(&g, 100000, 1);

    (void)state;
    memset(guest_ptr(&g, at), 'x', 100000);
    host_uart_room = 0;
    send_chain(TX, 0, at, 100000);
    assert_true(run_all());
    assert_false(run_work());
    ring_kick(&ring[TX]); /* nor when it's told again */
    assert_false(run_work());
    print(TX1, "short\n"); /* has a ring of its own */
    assert_true(run_all());
}

/* --- configs
 * ---------------------------------------------------------------------------------------- */

static const char *parse(struct console_opts *o, const char *arg)
{
    const char *why = NULL;
    const struct opt *opt = virtio_console_type.opts;

    assert_string_equal(opt->name, "hostdev");
    if (opt->parse(o, (struct str){arg, (u32)strlen(arg)}, &why)) {
        return NULL;
    }
    assert_non_null(why);
    return why;
}

static void port_is(const struct console_port_opts *p, const char *name, bool in, bool out)
{
    assert_int_equal(p->name.len, strlen(name));
    assert_memory_equal(p->name.p, name, p->name.len);
    assert_int_equal(p->in, in);
    assert_int_equal(p->out, out);
}

static void hostdevs(void **state)
{
    struct console_opts o = {0};

    (void)state;
    assert_null(parse(&o, "/dev/ser1"));
    assert_null(parse(&o, ">log"));
    assert_null(parse(&o, "</dev/a/b"));
    assert_null(parse(&o, ">-"));
    assert_int_equal(o.nports, 4);
    port_is(&o.port[0], "", true, true); /* the console comes first */
    port_is(&o.port[1], "ser1", true, true);
    port_is(&o.port[2], "log", false, true);
    port_is(&o.port[3], "b", true, false);
    assert_non_null(strstr(parse(&o, "-"), "the console already"));
    assert_non_null(strstr(parse(&o, "/other/log"), "port of that name already"));
    assert_non_null(strstr(parse(&o, ">"), "1 to 31"));
    assert_non_null(strstr(parse(&o, "/dev/"), "1 to 31"));
    assert_non_null(strstr(parse(&o, "/dev/abcdefghijklmnopqrstuvwxyz123456"), "1 to 31"));
    assert_null(parse(&o, "/dev/abcdefghijklmnopqrstuvwxyz12345"));
    assert_null(parse(&o, "6"));
    assert_null(parse(&o, "7"));
    assert_non_null(strstr(parse(&o, "8"), "at most 7"));
    assert_int_equal(o.nports, 7);
}

static void ports_of_two_devices(void **state)
{
    static struct vm_config vm;
    static struct console_opts a, b;
    struct diag diag = {.emit = said_emit};

    (void)state;
    said_clear();
    vm.nvdevs = 2;
    vm.vdev[0] = (struct vdev_conf){.type = &virtio_console_type, .opts = &a, .place = {.line = 7}};
    vm.vdev[1] = (struct vdev_conf){.type = &virtio_console_type, .opts = &b};
    assert_null(parse(&a, "-"));
    assert_null(parse(&a, "log"));
    assert_null(parse(&b, "-"));
    assert_null(parse(&b, "other"));
    assert_true(virtio_console_type.check(&vm, &vm.vdev[0], &diag));
    assert_true(virtio_console_type.check(&vm, &vm.vdev[1], &diag));
    assert_null(parse(&b, "log"));
    assert_true(virtio_console_type.check(&vm, &vm.vdev[0], &diag));
    assert_false(virtio_console_type.check(&vm, &vm.vdev[1], &diag));
    assert_non_null(strstr(said, "port 'log': the virtio-console of line 7 has it too"));
}

/* Who comes first has the VM's name. */
static void beside_a_pl011(void **state)
{
    (void)state;
    assert_int_equal(chan_find("vm"), 1);
    assert_non_null(guest_add(&g, &pl011_type, 0x09000000, 33, "", NULL));
    assert_non_null(guest_add(&g, &virtio_console_type, BASE + 0x1000, 49, "second", NULL));
    assert_int_equal(chan_find("vm.9000000"), 2);
    assert_int_equal(chan_find("vm.second"), 3);
    assert_int_equal(chan_key(3), 3);
}

static void status(void **state)
{
    (void)state;
    print(TX1, "abc\n");
    assert_non_null(strstr(said_show(dev), "port 0: console `vm`, open, 0 bytes out, 0 in\n"));
    assert_non_null(strstr(said, "port 1: console `vm/log`, open, 4 bytes out, 0 in\n"));
    assert_non_null(strstr(said, "port 2: console `vm/out`, closed, 0 bytes out, 0 in\n"));
    reg_write(&g, BASE, VMMIO_STATUS, 0);
    assert_non_null(strstr(said_show(dev), "port 0: console `vm`, no driver"));
}

#define ALONE(f)  cmocka_unit_test_setup_teardown(f, setup, teardown)
#define PORTS(f)  cmocka_unit_test_setup_teardown(f, setup_ports, teardown)
#define OPENED(f) cmocka_unit_test_setup_teardown(f, setup_open, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ALONE(what_it_is),
        ALONE(prints),
        ALONE(interrupts_of_output),
        ALONE(takes_input),
        ALONE(full_uart_holds_buffers_back),
        ALONE(long_input_waits),
        ALONE(nothing_to_send_or_to_fill),
        ALONE(input_of_before_the_driver),
        ALONE(rule_34_nothing_before_driver_ok),
        ALONE(rule_40_a_full_ring),
        ALONE(broken_chains),
        ALONE(rule_33_reset_amid_a_buffer),
        ALONE(rule_7_queue_taken_away_amid_a_buffer),
        ALONE(typed_bytes_outlive_the_driver_not_the_vm),
        ALONE(emergency),
        ALONE(legacy_driver),
        PORTS(what_it_is_with_ports),
        PORTS(handshake),
        PORTS(handshake_buffer_by_buffer),
        PORTS(messages_without_meaning),
        PORTS(rule_40_many_messages),
        PORTS(broken_control_queues),
        PORTS(reset_forgets_what_was_to_be_said),
        OPENED(ports_are_apart),
        OPENED(a_closed_port_gets_nothing),
        OPENED(one_way_ports),
        PORTS(driver_without_multiport),
        OPENED(a_full_port_costs_nothing),
        ALONE(hostdevs),
        ALONE(ports_of_two_devices),
        ALONE(beside_a_pl011),
        OPENED(status),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
