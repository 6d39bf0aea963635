/* SPDX-License-Identifier: MIT */
/*
 * The PL011, through mmio_access on one side and the console's UART on the other, the way drivers
 * use it: Linux's interrupt handler and its way of sending are played here step by step.
 */
#include "vdev/pl011.h"

#include "arch/host/arch.h"
#include "core/arch.h"
#include "core/config.h"
#include "core/mmio.h"
#include "core/sched.h"
#include "core/vm.h"
#include "tests/host/driver.h"
#include "tests/host/run.h"
#include "tests/host/said.h"
#include "vdev/chan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BASE  0x09000000
#define INTID 33

/* Registers, as a driver's header has them. */
enum {
    DR = 0x00,
    RSR = 0x04,
    FR = 0x18,
    ILPR = 0x20,
    IBRD = 0x24,
    FBRD = 0x28,
    LCR_H = 0x2c,
    CR = 0x30,
    IFLS = 0x34,
    IMSC = 0x38,
    RIS = 0x3c,
    MIS = 0x40,
    ICR = 0x44,
    DMACR = 0x48,
};
enum { FEN = 0x10, LBE = 0x80, TXE = 0x100, RXE = 0x200, UARTEN = 1 };
enum { FR_BUSY = 8, FR_RXFE = 0x10, FR_TXFF = 0x20, FR_RXFF = 0x40, FR_TXFE = 0x80 };
enum { RX = 0x10, TX = 0x20, RT = 0x40, BE = 0x200, OE = 0x400 };

static char screen[20000];
static u32 screen_len;
static struct vm_config cfg;
static struct vdev_conf conf[2];
static struct vm vm;
static struct vcpu vcpu = {.vm = &vm};
static struct vdev *uart;
static bool line; /* the interrupt's level */
static u32 line_changes;

static void show(char c)
{
    assert_true(screen_len + 1 < sizeof(screen));
    screen[screen_len++] = c;
    screen[screen_len] = '\0';
}

static void no_prompt(char c)
{
    (void)c;
}

static void set_line(struct vm *to, struct vcpu *v, u32 intid, bool level)
{
    assert_ptr_equal(to, &vm);
    assert_null(v);
    assert_int_equal(intid, INTID);
    line = level;
    line_changes++;
}

static const struct irqchip irqchip = {.set_line = set_line};

static int setup(void **state)
{
    (void)state;
    host_init();
    host_putc = show;
    host_uart_room = UINT32_MAX;
    host_now_ns = 1000000000;
    while (host_uart_waiting() > 0) {
        (void)arch_getc();
    }
    sched_init(1);
    chan_init('\x1d', no_prompt);
    vm = (struct vm){.cfg = &cfg, .name = "a", .irqchip = &irqchip};
    conf[0] = (struct vdev_conf){.type = &pl011_type, .loc = BASE, .intid = INTID};
    uart = pl011_type.create(&vm, &conf[0]);
    assert_non_null(uart);
    mmio_freeze(&vm.mmio);
    line = false;
    line_changes = 0;
    chan_focus(1);
    run_for(0);
    screen_len = 0;
    screen[0] = '\0';
    return 0;
}

static u64 access_mmio(u32 offset, u8 size, bool write, u64 value)
{
    struct mmio m = {.addr = BASE + offset, .size = size, .write = write, .value = value};

    assert_int_equal(mmio_access(&vcpu, &m), MMIO_DONE);
    return m.value;
}

static u32 get(u32 offset)
{
    return (u32)access_mmio(offset, 4, false, 0);
}

static void set(u32 offset, u32 value)
{
    (void)access_mmio(offset, 4, true, value);
}

static void type(const char *text)
{
    assert_int_equal(host_uart_type(text, strlen(text)), strlen(text));
    chan_uart_irq();
    run_all();
}

static void send(const char *text)
{
    for (; *text != '\0'; text++) {
        assert_false(get(FR) & FR_TXFF);
        set(DR, (u8)*text);
    }
}

static void expect(const char *text)
{
    assert_string_equal(screen, text);
    screen_len = 0;
    screen[0] = '\0';
}

/* Fills the channel and the FIFO behind a UART that takes nothing; how many bytes that was. */
static u32 fill_up(void)
{
    u32 n = 0;

    host_uart_room = 0;
    while (!(get(FR) & FR_TXFF)) {
        set(DR, 'a' + n % 26);
        n++;
        assert_true(n < 10000);
    }
    return n;
}

/* The UART takes everything again. */
static void let_go(void)
{
    host_uart_room = UINT32_MAX;
    chan_uart_irq();
    assert_true(run_all());
}

/* --- registers ---------------------------------------------------------------------------------
 */

static void reset_values(void **state)
{
    static const u16 want[][2] = {
        {RSR, 0},  {ILPR, 0},    {IBRD, 0}, {FBRD, 0}, {LCR_H, 0}, {CR, 0x300},
        {IMSC, 0}, {IFLS, 0x12}, {RIS, 0},  {MIS, 0},  {DMACR, 0}, {FR, 0x97},
    };

    (void)state;
    set(IBRD, 13);
    set(FBRD, 1);
    set(LCR_H, 0x70);
    set(CR, 0xf01);
    set(IFLS, 0);
    set(IMSC, 0x7ff);
    set(DMACR, 7);
    set(DR, 'x');
    assert_true(line);
    uart->ops->reset(uart);
    assert_false(line);
    for (u32 i = 0; i < ARRAY_SIZE(want); i++) {
        assert_int_equal(get(want[i][0]), want[i][1]);
    }
}

static void registers_keep_their_bits(void **state)
{
    static const u16 want[][2] = {
        {ILPR, 0xff}, {IBRD, 0xffff}, {FBRD, 0x3f},  {LCR_H, 0xff},
        {CR, 0xff87}, {IFLS, 0x3f},   {IMSC, 0x7ff}, {DMACR, 7},
    };

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(want); i++) {
        set(want[i][0], 0xffffffff);
        assert_int_equal(get(want[i][0]), want[i][1]);
        set(want[i][0], 0);
        assert_int_equal(get(want[i][0]), 0);
    }
    set(FR, 0); /* read-only, and holes: nothing happens */
    set(RIS, 0xffff);
    set(0x8, 0xffff);
    set(0xfe0, 0);
    assert_int_equal(get(FR), 0x97);
    assert_int_equal(get(0x8), 0);
    assert_int_equal(get(0xffc - 0x100), 0);
}

static void identifies_itself(void **state)
{
    static const u8 want[] = {0x11, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

    (void)state;
    for (u32 i = 0; i < 8; i++) {
        assert_int_equal(get(0xfe0 + 4 * i), want[i]);
    }
}

static void access_sizes(void **state)
{
    (void)state;
    (void)access_mmio(DR, 1, true, 'b');
    (void)access_mmio(DR, 2, true, 'h');
    (void)access_mmio(DR, 8, true, 0xffffffff00000000 | 'd');
    expect("bhd");
    (void)access_mmio(DR + 1, 1, true, 'n'); /* another lane */
    expect("");
    set(IBRD, 0x1234);
    set(FBRD, 0x2a);
    assert_int_equal(access_mmio(IBRD, 1, false, 0), 0x34);
    assert_int_equal(access_mmio(IBRD + 1, 1, false, 0), 0x12);
    assert_int_equal(access_mmio(IBRD, 2, false, 0), 0x1234);
    assert_int_equal(access_mmio(IBRD, 8, false, 0), 0x2a00001234);
    type("q");
    assert_int_equal(access_mmio(DR, 1, false, 0), 'q');
}

/* --- sending ------------------------------------------------------------------------------------
 */

static void sends_without_being_set_up(void **state)
{
    (void)state;
    send("early\r\n");
    expect("early\r\n");
    set(CR, 0);
    send("off");
    expect("off");
    assert_int_equal(get(FR) & (FR_BUSY | FR_TXFF | FR_TXFE), FR_TXFE);
}

static void full_channel_shows_as_full_fifo(void **state)
{
    u32 sent;

    (void)state;
    set(LCR_H, FEN);
    sent = fill_up();
    assert_int_equal(sent % 16, 4096 % 16 + 1); /* one is with the UART already */
    assert_true(get(FR) & FR_BUSY);
    set(DR, '!'); /* no room: lost, as the guest was told */
    assert_int_equal(screen_len, 0);
    let_go();
    assert_int_equal(screen_len, sent);
    for (u32 i = 0; i < sent; i++) {
        assert_int_equal(screen[i], 'a' + i % 26);
    }
    assert_int_equal(get(FR) & (FR_BUSY | FR_TXFF | FR_TXFE), FR_TXFE);
}

static void without_fifo_there_is_one_place(void **state)
{
    u32 with, without;

    (void)state;
    without = fill_up();
    set(DR, '!'); /* lost */
    let_go();
    assert_int_equal(screen_len, without);
    assert_int_equal(get(RIS), TX);
    screen_len = 0;
    set(LCR_H, FEN);
    with = fill_up();
    assert_int_equal(with, without + 15);
}

static void transmit_interrupt_marks_the_passage(void **state)
{
    (void)state;
    set(LCR_H, FEN);
    set(IMSC, TX);
    assert_int_equal(get(RIS), 0); /* empty, but nothing has passed yet */
    assert_false(line);
    set(DR, 'x');
    assert_int_equal(get(MIS), TX); /* sent at once */
    assert_true(line);
    set(ICR, TX);
    assert_int_equal(get(RIS), 0);
    assert_false(line);

    (void)fill_up();
    assert_int_equal(get(RIS) & TX, 0); /* more in it than the trigger level */
    assert_false(line);
    let_go();
    assert_int_equal(get(RIS) & TX, TX);
    assert_true(line);
    set(IMSC, 0);
    assert_false(line);
    assert_int_equal(get(MIS), 0);
}

static void transmit_trigger_levels(void **state)
{
    static const u8 level[] = {2, 4, 8, 12, 14};

    (void)state;
    set(LCR_H, FEN);
    for (u32 i = 0; i < ARRAY_SIZE(level); i++) {
        set(IFLS, i);
        set(DR, 'x');
        set(ICR, TX);
        (void)fill_up(); /* 16 in the FIFO */
        set(ICR, TX);
        assert_int_equal(get(RIS) & TX, 0);
        let_go();
        assert_int_equal(get(RIS) & TX, TX);
        /* Below the level, writing doesn't take it back; above, it does. */
        host_uart_room = 0;
        while (chan_putc(vm.console, 'y')) {
        }
        for (u32 n = 1; n <= 16; n++) {
            set(DR, 'z');
            assert_int_equal(get(RIS) & TX, n <= level[i] ? TX : 0);
        }
        let_go();
        screen_len = 0;
    }
}

/*
 * Linux: fills the FIFO until TXFF, then lets the interrupt do the rest, half a FIFO at a time
 * without looking at TXFF again. Everything has to arrive.
 */
static void linux_sends_by_interrupt(void **state)
{
    char text[6001];
    u32 pos = 0;

    (void)state;
    for (u32 i = 0; i < sizeof(text) - 1; i++) {
        text[i] = (char)('0' + i % 75);
    }
    text[sizeof(text) - 1] = '\0';
    set(LCR_H, FEN | 0x60);
    set(CR, UARTEN | TXE | RXE);
    host_uart_room = 0;
    while (!(get(FR) & FR_TXFF)) {
        set(DR, (u8)text[pos++]);
    }
    set(IMSC, TX);
    for (u32 round = 0; round < 10000 && pos < sizeof(text) - 1; round++) {
        host_uart_room = 7;
        chan_uart_irq();
        run_all();
        while (line && pos < sizeof(text) - 1) {
            for (u32 i = 0; i < 8 && pos < sizeof(text) - 1; i++) {
                set(DR, (u8)text[pos++]);
            }
        }
    }
    let_go();
    expect(text);
}

/* --- receiving ----------------------------------------------------------------------------------
 */

static void polled_input(void **state)
{
    (void)state;
    assert_true(get(FR) & FR_RXFE);
    assert_int_equal(get(DR), 0);
    type("ok");
    assert_int_equal(get(FR) & (FR_RXFE | FR_RXFF), FR_RXFF); /* one place without FEN */
    assert_int_equal(get(DR), 'o');
    assert_int_equal(get(DR), 'k');
    assert_true(get(FR) & FR_RXFE);
}

static void nothing_is_taken_while_receive_is_off(void **state)
{
    (void)state;
    set(CR, TXE);
    type("later");
    assert_true(get(FR) & FR_RXFE);
    set(CR, RXE);
    assert_int_equal(get(DR), 'l');
}

static void few_bytes_give_the_timeout_interrupt(void **state)
{
    (void)state;
    set(LCR_H, FEN);
    set(IMSC, RX | RT);
    type("abc");
    assert_int_equal(get(MIS), RT);
    assert_true(line);
    assert_int_equal(get(DR), 'a');
    set(ICR, RT);
    assert_false(line); /* cleared by hand, with data left */
    assert_int_equal(get(DR), 'b');
    assert_true(line); /* there's still a byte, and nothing more comes */
    assert_int_equal(get(DR), 'c');
    assert_int_equal(get(RIS), 0);
    assert_false(line);
}

static void many_bytes_give_the_receive_interrupt(void **state)
{
    static const u8 level[] = {2, 4, 8, 12, 14};
    static const char text[] = "0123456789abcd";

    (void)state;
    set(LCR_H, FEN);
    for (u32 i = 0; i < ARRAY_SIZE(level); i++) {
        char few[16];

        set(IFLS, i << 3);
        snprintf(few, sizeof(few), "%.*s", level[i] - 1, text);
        type(few);
        assert_int_equal(get(RIS), RT);
        type("x");
        assert_int_equal(get(RIS) & RX, RX);
        (void)get(DR);
        assert_int_equal(get(RIS), RT);
        for (u32 n = 1; n < level[i]; n++) {
            (void)get(DR);
        }
        assert_int_equal(get(RIS), 0);
    }
}

static void long_input_comes_through_whole(void **state)
{
    char text[600], got[600];
    u32 n = 0;

    (void)state;
    for (u32 i = 0; i < sizeof(text) - 1; i++) {
        text[i] = (char)('0' + i % 75);
    }
    text[sizeof(text) - 1] = '\0';
    set(LCR_H, FEN);
    set(IMSC, RX | RT);
    type(text);
    assert_true(get(FR) & FR_RXFF);
    while (line) { /* Linux: reads until the FIFO is empty, each time */
        while (!(get(FR) & FR_RXFE)) {
            assert_true(n + 1 < sizeof(got));
            got[n++] = (char)get(DR);
        }
    }
    got[n] = '\0';
    assert_string_equal(got, text);
    assert_int_equal(get(RIS), 0);
}

static void line_changes_only_when_it_does(void **state)
{
    (void)state;
    set(LCR_H, FEN);
    set(IMSC, RX | RT);
    type("abc");
    type("def");
    (void)get(FR);
    assert_int_equal(line_changes, 1);
}

/* --- loopback -----------------------------------------------------------------------------------
 */

static void loopback(void **state)
{
    (void)state;
    type("z"); /* in the FIFO before */
    assert_int_equal(get(DR), 'z');
    set(LCR_H, FEN);
    set(CR, LBE | TXE | RXE | UARTEN);
    type("typed");
    for (u32 i = 0; i < 16; i++) {
        set(DR, 'a' + i);
    }
    expect("");
    assert_true(get(FR) & FR_RXFF);
    assert_int_equal(get(RIS) & (RX | OE), RX);
    assert_int_equal(get(RSR), 0);
    set(DR, '!');
    assert_int_equal(get(RIS) & OE, OE);
    assert_int_equal(get(RSR), 8);
    set(RSR, 0);
    assert_int_equal(get(RSR), 0);
    assert_int_equal(get(DR), 'a' | 0x800);
    for (u32 i = 1; i < 16; i++) {
        assert_int_equal(get(DR), 'a' + i);
    }
    assert_true(get(FR) & FR_RXFE);
    set(CR, TXE | RXE | UARTEN);
    assert_int_equal(get(DR), 't'); /* what came from outside has waited */
}

static void loopback_of_the_modem_lines(void **state)
{
    (void)state;
    set(CR, LBE);
    assert_int_equal(get(FR) & 0x107, 0);
    assert_int_equal(get(RIS), 0xe); /* CTS, DCD and DSR went away */
    set(ICR, 0x7ff);
    set(CR, LBE | 0x3c00); /* Out2, Out1, RTS, DTR */
    assert_int_equal(get(FR) & 0x107, 0x107);
    assert_int_equal(get(RIS), 0xf);
}

/* --- breaks --------------------------------------------------------------------------------------
 */

static void break_comes_in_its_place(void **state)
{
    (void)state;
    set(LCR_H, FEN);
    set(IMSC, BE);
    type("ab\x1d"
         "b"
         "cd");
    assert_true(line);
    assert_int_equal(get(MIS), BE);
    assert_int_equal(get(DR), 'a');
    assert_int_equal(get(RSR), 0);
    assert_int_equal(get(DR), 'b');
    assert_int_equal(get(DR), 0x400);
    assert_int_equal(get(RSR), 4);
    assert_int_equal(get(DR), 'c');
    assert_int_equal(get(RSR), 0); /* of the character read last */
    assert_int_equal(get(DR), 'd');
    assert_true(get(FR) & FR_RXFE);
    assert_true(line); /* until it's cleared */
    set(ICR, BE);
    assert_false(line);
}

static void break_waits_for_room(void **state)
{
    (void)state;
    type("x\x1d"
         "b\x1d"
         "by"); /* one place; two breaks in a row are one */
    assert_int_equal(get(RIS) & BE, 0);
    assert_int_equal(get(DR), 'x');
    assert_int_equal(get(RIS) & BE, BE);
    assert_int_equal(get(DR), 0x400);
    assert_int_equal(get(DR), 'y');
    assert_true(get(FR) & FR_RXFE);
}

static void break_alone_interrupts_as_input(void **state)
{
    (void)state;
    set(LCR_H, FEN);
    set(IMSC, RT);
    type("\x1d"
         "b");
    assert_true(line); /* there's a character, if 0 */
    set(RSR, 0);
    assert_int_equal(get(DR), 0x400);
    assert_int_equal(get(RSR), 4);
    set(RSR, 0);
    assert_int_equal(get(RSR), 0);
}

static void reset_forgets_a_break(void **state)
{
    (void)state;
    type("x\x1d"
         "b");
    uart->ops->reset(uart);
    type("y");
    assert_int_equal(get(DR), 'y');
    assert_true(get(FR) & FR_RXFE);
    assert_int_equal(get(RIS) & BE, 0);
}

static void break_sent_in_loopback(void **state)
{
    (void)state;
    set(LCR_H, FEN | 1);
    assert_true(get(FR) & FR_RXFE); /* out to the line: nobody is there */
    set(LCR_H, FEN);
    set(CR, LBE | TXE | RXE | UARTEN);
    set(LCR_H, FEN | 1);
    set(LCR_H, FEN | 1); /* it goes on */
    assert_int_equal(get(RIS) & BE, BE);
    assert_int_equal(get(DR), 0x400);
    assert_true(get(FR) & FR_RXFE);
    for (u32 i = 0; i < 16; i++) {
        set(DR, 'a');
    }
    set(LCR_H, FEN);
    set(LCR_H, FEN | 1); /* no room */
    assert_int_equal(get(RIS) & OE, OE);
    assert_int_equal(get(DR), 'a' | 0x800);
}

/* --- around it ----------------------------------------------------------------------------------
 */

static void reset_sends_what_is_left(void **state)
{
    u32 sent;

    (void)state;
    sent = fill_up();
    type("gone");
    host_uart_room = 100; /* now there's room in the channel for the last byte */
    chan_uart_irq();
    uart->ops->reset(uart);
    let_go();
    assert_int_equal(screen_len, sent + 2); /* and the line is ended */
    assert_string_equal(screen + sent, "\r\n");
    assert_true(get(FR) & FR_RXFE);
}

static void second_uart_has_its_own_channel(void **state)
{
    struct vdev *second;
    struct mmio m = {.addr = 0x09040000, .size = 4, .write = true, .value = 'x'};

    (void)state;
    vm.mmio.frozen = false;
    conf[1] = conf[0];
    conf[1].loc = 0x09040000;
    conf[1].name = (struct str){"modem", 5};
    second = pl011_type.create(&vm, &conf[1]);
    assert_non_null(second);
    assert_int_equal(chan_find("a"), 1);
    assert_int_equal(chan_find("a.modem"), 2);
    assert_int_equal(mmio_access(&vcpu, &m), MMIO_DONE);
    m.value = '\n';
    assert_int_equal(mmio_access(&vcpu, &m), MMIO_DONE);
    expect("[a.modem] x\r\n");
    conf[1].loc = BASE; /* taken */
    assert_null(pl011_type.create(&vm, &conf[1]));
}

static const struct opt *option(const char *name)
{
    const struct opt *o = pl011_type.opts;

    while (o->name != NULL && strcmp(o->name, name) != 0) {
        o++;
    }
    return o;
}

static void hostdev_is_the_console_only(void **state)
{
    static const char *const good[] = {">-", "-", "<-"}, *const bad[] = {"", ">", "/dev/x", ">/x"};
    const struct opt *o = option("hostdev");
    const char *why = NULL;

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(good); i++) {
        assert_true(o->parse(NULL, (struct str){good[i], (u32)strlen(good[i])}, &why));
    }
    assert_null(why);
    for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
        why = NULL;
        assert_false(o->parse(NULL, (struct str){bad[i], (u32)strlen(bad[i])}, &why));
        assert_non_null(why);
    }
}

static void shows_what_went_through(void **state)
{
    (void)state;
    assert_non_null(strstr(said_show(uart), "the guest has printed nothing"));
    assert_null(strstr(said, "baud"));
    send("hello");
    type("abc");
    (void)get(DR);
    set(IBRD, 13);
    set(FBRD, 1);
    assert_null(strstr(said_show(uart), "baud")); /* not before LCR_H is written */
    set(LCR_H, FEN);
    set(IBRD, 1);
    assert_non_null(strstr(said_show(uart), ", set to 115246 baud\n"));
    assert_non_null(strstr(said, "console `a`, 5 bytes out, "));
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        T(reset_values),
        T(registers_keep_their_bits),
        T(identifies_itself),
        T(access_sizes),
        T(sends_without_being_set_up),
        T(full_channel_shows_as_full_fifo),
        T(without_fifo_there_is_one_place),
        T(transmit_interrupt_marks_the_passage),
        T(transmit_trigger_levels),
        T(linux_sends_by_interrupt),
        T(polled_input),
        T(nothing_is_taken_while_receive_is_off),
        T(few_bytes_give_the_timeout_interrupt),
        T(many_bytes_give_the_receive_interrupt),
        T(long_input_comes_through_whole),
        T(line_changes_only_when_it_does),
        T(loopback),
        T(loopback_of_the_modem_lines),
        T(break_comes_in_its_place),
        T(break_waits_for_room),
        T(break_alone_interrupts_as_input),
        T(reset_forgets_a_break),
        T(break_sent_in_loopback),
        T(reset_sends_what_is_left),
        T(second_uart_has_its_own_channel),
        T(hostdev_is_the_console_only),
        T(shows_what_went_through),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
