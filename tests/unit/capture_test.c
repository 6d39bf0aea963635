/* SPDX-License-Identifier: MIT */
/* Captures: what a port's ring keeps, and that the console's text has all of it. */
#include "vdev/net/capture.h"

#include "arch/host/arch.h"
#include "core/arch.h"
#include "core/pcap_text.h"
#include "core/sched.h"
#include "core/str.h"
#include "core/textline.h"
#include "tests/host/driver.h"
#include "tests/host/port.h"
#include "tests/host/run.h"
#include "tests/host/said.h"
#include "vdev/chan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define MS       1000000ull
#define RING     4096u
#define BIG_RING (256u * KIB)

static struct stub a, b;
static struct chan *port; /* of a VM's virtio-console */
static char screen[1u << 20];
static u32 screen_len;
static u8 payload[70000]; /* behind each frame's private head */
static struct chain chain;

/* What a dump holds: a pcap file without its header, and how it ended. */
static struct {
    u8 bytes[1u << 19];
    u32 len, lines, begins, ends, total;
    char name[64];
} got;

static void show(char c)
{
    assert_true(screen_len < sizeof(screen));
    screen[screen_len++] = c;
}

static const char *command(const char *nic, const char *verb)
{
    said_clear();
    capture_command(nic, verb, said_print);
    return said;
}

static void no_prompt(char c)
{
    (void)c;
}

static void ready(void *dev)
{
    (void)dev;
}

static const struct chan_ops port_ops = {.rx_ready = ready, .tx_ready = ready};

static int setup(void **state)
{
    (void)state;
    host_init();
    host_putc = show;
    host_uart_room = UINT32_MAX;
    host_now_ns = 3000 * MS;
    screen_len = 0;
    sched_init(1);
    chan_init('\x1d', no_prompt);
    port = chan_create_port("vm/tap", &port_ops, NULL);
    assert_non_null(port);
    stub_init(&a, "vm", "a", 1);
    stub_init(&b, "vm", "b", 2);
    a.port.capture = capture_create(RING);
    b.port.capture = capture_create(BIG_RING);
    assert_non_null(a.port.capture);
    assert_non_null(b.port.capture);
    assert_true(net_connect(&a.port) && net_connect(&b.port));
    for (u32 i = 0; i < sizeof(payload); i++) {
        payload[i] = (u8)(i * 7 + i / 251);
    }
    chain = (struct chain){.nreadable = 1, .readable = sizeof(payload)};
    chain.span[0].p = (guest_t *)(void *)payload;
    chain.span[0].len = sizeof(payload);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    net_forget_all();
    return 0;
}

/* A frame of len bytes: those of payload, the first ones in the private head. */
static void frame(struct net_port *p, u32 len, bool sent)
{
    static struct net_frame f;

    f.chain = &chain;
    f.len = len;
    f.head_len = MIN(len, 20u);
    memcpy(f.head, payload, f.head_len);
    f.off = 0;
    capture_frame(p, &f, sent);
}

static void take(const struct textline *l, void *ctx)
{
    (void)ctx;
    assert_int_equal(l->seq, got.lines);
    got.lines++;
    if (l->kind == PCAP_BEGIN) {
        u8 head[PCAP_HEADER];

        pcap_file_header(head);
        assert_memory_equal(l->data, head, PCAP_HEADER);
        memcpy(got.name, l->data + PCAP_HEADER, l->len - PCAP_HEADER);
        got.begins++;
    } else if (l->kind == PCAP_END) {
        got.total = textline_get32(l->data);
        got.ends++;
    } else {
        memcpy(got.bytes + got.len, l->data, l->len);
        got.len += l->len;
    }
}

/* All that a dump of `nic` prints within that time. */
static void dump(const char *nic, u64 ns)
{
    struct str text = {screen, 0};

    memset(&got, 0, sizeof(got));
    screen_len = 0;
    (void)command(nic, "dump");
    run_for(ns);
    text.len = screen_len;
    while (text.len > 0) {
        struct str line = str_cut(text, '\n', &text);
        struct textline l;
        bool torn;

        if (textline_read(PCAP_MARK, line, &l, &torn)) {
            take(&l, NULL);
        }
        assert_true(!torn || text.len == 0); /* a line that the UART has not yet all of */
    }
}

/* The next record of what a dump held: its length, and that it holds a frame cut to kept. */
static u32 record(u32 *at, u32 kept, u32 len)
{
    const u8 *r = got.bytes + *at;

    assert_true(*at + PCAP_RECORD + kept <= got.len);
    assert_int_equal(textline_get32(r + 8), kept);
    assert_int_equal(textline_get32(r + 12), len);
    assert_memory_equal(r + PCAP_RECORD, payload, kept);
    *at += PCAP_RECORD + kept;
    return textline_get32(r);
}

static void nothing_until_on(void **state)
{
    (void)state;
    frame(&a.port, 100, true);
    dump("a", 10 * MS);
    assert_int_equal(got.begins, 1);
    assert_int_equal(got.ends, 1);
    assert_int_equal(got.total, 0);
    assert_int_equal(got.len, 0);
    assert_string_equal(got.name, "a");
}

static void frames_of_many_lengths(void **state)
{
    static const u32 lengths[] = {14, 20, 21, 60, 128, 129, 144, 145, 271, 272, 273, 1514};
    u32 at = 0;

    (void)state;
    assert_string_equal(command("b", "on"), "b: capture is on; 0 frames sent, 0 got; 0 kept\n");
    for (u32 i = 0; i < ARRAY_SIZE(lengths); i++) {
        frame(&b.port, lengths[i], i % 3 == 0);
        host_now_ns += 1000 * MS;
    }
    assert_string_equal(command("b", "off"), "b: capture is off; 4 frames sent, 8 got; 12 kept\n");
    frame(&b.port, 100, true);
    dump("b", 100 * MS);
    for (u32 i = 0; i < ARRAY_SIZE(lengths); i++) {
        assert_int_equal(record(&at, lengths[i], lengths[i]), 3 + i);
    }
    assert_int_equal(at, got.len);
    assert_int_equal(got.total, ARRAY_SIZE(lengths));
    assert_int_equal(got.ends, 1);
}

/* Starting again forgets what there was. */
static void on_starts_anew(void **state)
{
    u32 at = 0;

    (void)state;
    (void)command("b", "on");
    frame(&b.port, 100, true);
    (void)command("b", "on");
    frame(&b.port, 50, true);
    dump("b", 20 * MS);
    (void)record(&at, 50, 50);
    assert_int_equal(at, got.len);
}

/* The oldest frames make room, and records go around the ring's end at any offset. */
static void oldest_are_dropped(void **state)
{
    (void)state;
    (void)command("a", "on");
    for (u32 i = 0; i < 3000; i++) {
        frame(&a.port, 14 + i % 200, true);
    }
    dump("a", 200 * MS);
    assert_int_equal(got.ends, 1);
    assert_true(got.len <= RING && got.len > RING - 16 - 214);
    for (u32 at = 0, i = 3000 - got.total; i < 3000; i++) {
        (void)record(&at, 14 + i % 200, 14 + i % 200);
    }
}

/* A frame may fill the ring; a larger one, and one beyond what pcap allows, is cut. */
static void large_frames_are_cut(void **state)
{
    u32 at = 0;

    (void)state;
    (void)command("a", "on");
    frame(&a.port, 60, true);
    frame(&a.port, RING - 16, true);
    dump("a", 50 * MS);
    (void)record(&at, RING - 16, RING - 16);
    assert_int_equal(got.total, 1);
    (void)command("a", "on");
    frame(&a.port, 9000, true);
    dump("a", 50 * MS);
    at = 0;
    (void)record(&at, RING - 16, 9000);

    (void)command("b", "on");
    frame(&b.port, 65535, true);
    frame(&b.port, 65536, true);
    frame(&b.port, 65550, true);
    dump("b", 2000 * MS);
    at = 0;
    (void)record(&at, 65535, 65535);
    (void)record(&at, 65535, 65536);
    (void)record(&at, 65535, 65550);
    assert_int_equal(at, got.len);
}

/* No more than 256 small frames make room for a large one, which is cut to what that gives. */
static void dropping_is_bounded(void **state)
{
    u32 count = BIG_RING / 30, at = 0;

    (void)state;
    (void)command("b", "on");
    for (u32 i = 0; i < count; i++) {
        frame(&b.port, 14, true);
    }
    frame(&b.port, 65535, true);
    dump("b", 6000 * MS);
    assert_int_equal(got.total, count - 256 + 1);
    for (u32 i = 0; i < count - 256; i++) {
        (void)record(&at, 14, 14);
    }
    (void)record(&at, BIG_RING - (count - 256) * 30 - 16, 65535);
    assert_int_equal(at, got.len);
}

/* A sender may promise more than there is. */
static void missing_bytes_are_zero(void **state)
{
    (void)state;
    chain.span[0].len = 100;
    chain.readable = 100;
    (void)command("b", "on");
    frame(&b.port, 300, true);
    dump("b", 20 * MS);
    assert_int_equal(got.len, PCAP_RECORD + 300);
    assert_memory_equal(got.bytes + PCAP_RECORD, payload, 100);
    for (u32 i = 100; i < 300; i++) {
        assert_int_equal(got.bytes[PCAP_RECORD + i], 0);
    }
}

/* While the UART takes nothing the dump waits; nothing is lost. */
static void full_console(void **state)
{
    u32 at = 0;

    (void)state;
    (void)command("b", "on");
    for (u32 i = 0; i < 40; i++) {
        frame(&b.port, 1500, true);
    }
    host_uart_room = 1000;
    dump("b", 500 * MS);
    assert_int_equal(got.ends, 0);
    assert_int_equal(screen_len, 1000);
    assert_string_equal(command("b", "dump"), "a capture is still being printed\n");
    assert_string_equal(command("a", "dump"), "a capture is still being printed\n");
    assert_string_equal(command("b", "on"), "a capture is still being printed\n");
    assert_string_equal(command("a", "on"), "a: capture is on; 0 frames sent, 0 got; 0 kept\n");
    (void)command("a", "off");

    host_uart_room = UINT32_MAX;
    chan_uart_irq();
    run_for(3000 * MS);
    memset(&got, 0, sizeof(got));
    (void)textline_each(PCAP_MARK, (struct str){screen, screen_len}, take, NULL);
    assert_int_equal(got.ends, 1);
    for (u32 i = 0; i < 40; i++) {
        (void)record(&at, 1500, 1500);
    }
}

/* --- out by a port ---------------------------------------------------------------------------- */

/* What the VM behind the port reads by then, at most `len` bytes, in any pieces. */
static void reads(struct chan *c, u32 len)
{
    u32 n;

    run_for(MS);
    while (len > 0 && (n = chan_read(c, got.bytes + got.len, MIN(len, 1 + got.len % 300))) > 0) {
        got.len += n;
        len -= n;
        run_for(MS);
    }
}

static void file_header(u32 *at)
{
    u8 head[PCAP_HEADER];

    pcap_file_header(head);
    assert_memory_equal(got.bytes + *at, head, PCAP_HEADER);
    *at += PCAP_HEADER;
}

static void leaves_by_a_port(void **state)
{
    static const u32 lengths[] = {14, 60, 111, 112, 113, 127, 128, 129, 1514, 9014};
    u32 at = 0;

    (void)state;
    memset(&got, 0, sizeof(got));
    assert_int_equal(chan_feed(port, (const u8 *)"typed", 5), 5);
    assert_string_equal(
        command("b", "vm/tap"),
        "b: capture is on; 0 frames sent, 0 got; 0 kept; it goes to vm/tap, 0 lost\n");
    reads(port, UINT32_MAX);
    assert_int_equal(got.len, PCAP_HEADER); /* a reader sees a file at once */
    for (u32 i = 0; i < 300; i++) {
        frame(&b.port, lengths[i % ARRAY_SIZE(lengths)], i % 2);
        reads(port, UINT32_MAX);
    }
    file_header(&at);
    for (u32 i = 0; at < got.len; i++) {
        (void)record(&at, lengths[i % ARRAY_SIZE(lengths)], lengths[i % ARRAY_SIZE(lengths)]);
        assert_true(i < 300);
    }
    assert_string_equal(
        command("b", "off"),
        "b: capture is off; 150 frames sent, 150 got; 0 kept; it goes to vm/tap, 0 lost\n");
    run_for(MS);
    assert_string_equal(command("b", "off"),
                        "b: capture is off; 150 frames sent, 150 got; 0 kept\n");
}

/* Nobody waits for who doesn't read: frames are lost, and counted; those that came are whole. */
static void a_slow_reader_loses_whole_frames(void **state)
{
    u32 at = 0, count = 0, sent, lost;

    (void)state;
    memset(&got, 0, sizeof(got));
    (void)command("a", "vm/tap");
    for (u32 i = 0; i < 100; i++) {
        frame(&a.port, 500, true);
        run_for(MS);
        reads(port, i % 7 * 20);
    }
    (void)command("a", "off");
    assert_int_equal(sscanf(said,
                            "a: capture is off; %u frames sent, 0 got; %*u kept; it goes to "
                            "vm/tap, %u lost",
                            &sent, &lost),
                     2);
    reads(port, UINT32_MAX);
    for (file_header(&at); at < got.len; count++) {
        (void)record(&at, 500, 500);
    }
    assert_in_range(count, 8, 60);
    assert_int_equal(count, sent);
    assert_int_equal(sent + lost, 100);
    (void)command("a", "off");
    assert_non_null(strstr(said, "; 0 kept\n"));
    frame(&a.port, 9000, true);
    assert_int_equal(got.len, at);
}

static void a_frame_that_never_fits(void **state)
{
    u32 at = 0;

    (void)state;
    memset(&got, 0, sizeof(got));
    (void)command("a", "vm/tap");
    frame(&a.port, RING - 15, true);
    frame(&a.port, RING - 16, true);
    frame(&a.port, 14, true);
    (void)command("a", "off");
    assert_string_equal(said, "a: capture is off; 1 frames sent, 0 got; 1 kept; it goes to vm/tap, "
                              "2 lost\n");
    reads(port, UINT32_MAX);
    file_header(&at);
    (void)record(&at, RING - 16, RING - 16);
    assert_int_equal(got.len, at);
}

/* Whoever reads from the start again says so at the prompt; the others must wait their turn. */
static void begins_anew_when_told(void **state)
{
    u32 at = 0;

    (void)state;
    memset(&got, 0, sizeof(got));
    (void)command("b", "vm/tap");
    for (u32 i = 0; i < 5; i++) {
        frame(&b.port, 900, true);
    }
    reads(port, 700);
    assert_string_equal(command("b", "on"), "it still goes to vm/tap\n");
    assert_string_equal(command("b", "dump"), "it still goes to vm/tap\n");
    assert_string_equal(command("a", "vm/tap"), "b goes there\n");
    got.len = 0;
    (void)command("b", "vm/tap");
    frame(&b.port, 100, true);
    reads(port, UINT32_MAX);
    file_header(&at);
    (void)record(&at, 100, 100);
    assert_int_equal(got.len, at);
    frame(&b.port, 900, true);
    frame(&b.port, 900, true);
    (void)command("b", "off");
    (void)command("b", "off"); /* what hasn't left can be printed */
    at = 0;
    dump("b", 50 * MS);
    (void)record(&at, 900, 900);
    (void)record(&at, 900, 900);
    assert_int_equal(got.total, 2);
}

static void wrong_words(void **state)
{
    static struct stub c;

    (void)state;
    stub_init(&c, "vm", "c", 3);
    assert_true(net_connect(&c.port));
    assert_string_equal(command("x", "on"), "no NIC 'x' has a capture; these have: b a\n");
    assert_string_equal(command("c", "on"), "no NIC 'c' has a capture; these have: b a\n");
    assert_string_equal(command("a", "of"), "net capture: 'of' is not on, off, dump or a port of a "
                                            "virtio-console, VM/PORT\n");
    assert_string_equal(command("a", "vm"), "net capture: 'vm' is not on, off, dump or a port of "
                                            "a virtio-console, VM/PORT\n");
    assert_string_equal(command("a", "vm/none"), "net capture: 'vm/none' is not on, off, dump or a "
                                                 "port of a virtio-console, VM/PORT\n");
    frame(&c.port, 100, true); /* nowhere to go */
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(nothing_until_on),
        T(frames_of_many_lengths),
        T(on_starts_anew),
        T(oldest_are_dropped),
        T(large_frames_are_cut),
        T(dropping_is_bounded),
        T(missing_bytes_are_zero),
        T(full_console),
        T(wrong_words),
        T(leaves_by_a_port),
        T(a_slow_reader_loses_whole_frames),
        T(a_frame_that_never_fits),
        T(begins_anew_when_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
