/* SPDX-License-Identifier: MIT */
/*
 * The console mux, through vdev/chan.h and a UART that the test holds the other end of: what is
 * shown, in which order, that nothing is lost or torn, where input goes.
 */
#include "vdev/chan.h"

#include "arch/host/arch.h"
#include "core/arch.h"
#include "core/atomic.h"
#include "core/sched.h"
#include "tests/host/driver.h"
#include "tests/host/run.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ESCAPE     '\x1d'
#define MS         1000000ull
#define SCREEN_MAX (4u << 20)

static char screen[SCREEN_MAX + 1];
static u32 screen_len;
static char typed_at_prompt[256];
static u32 prompt_len;

/* One VM's end of a channel. */
struct user {
    struct chan *chan;
    u32 rx_calls, tx_calls;
};

static struct user guest[3];

static void show(char c)
{
    assert_true(screen_len < SCREEN_MAX);
    screen[screen_len++] = c;
    screen[screen_len] = '\0';
}

static void prompt(char c)
{
    assert_true(prompt_len + 1 < sizeof(typed_at_prompt));
    typed_at_prompt[prompt_len++] = c;
    typed_at_prompt[prompt_len] = '\0';
}

static void rx_ready(void *dev)
{
    counter_inc(&((struct user *)dev)->rx_calls);
}

static void tx_ready(void *dev)
{
    counter_inc(&((struct user *)dev)->tx_calls);
}

static const struct chan_ops ops = {.rx_ready = rx_ready, .tx_ready = tx_ready};

static void clear(void)
{
    screen_len = 0;
    screen[0] = '\0';
}

/* Three VMs, a, b and c; a has the focus. */
static int setup(void **state)
{
    static const char *const names[] = {"a", "b", "c"};

    (void)state;
    host_init();
    clear();
    host_putc = show;
    host_uart_room = UINT32_MAX;
    host_uart_tx_irq = false;
    host_uart_rx_irq = true;
    host_now_ns = 1000 * MS;
    sched_init(1);
    while (host_uart_waiting() > 0) {
        (void)arch_getc();
    }
    chan_init(ESCAPE, prompt);
    for (u32 i = 0; i < 3; i++) {
        guest[i] = (struct user){.chan = chan_create(names[i], &ops, &guest[i])};
        assert_non_null(guest[i].chan);
        assert_int_equal(chan_number(guest[i].chan), i + 1);
    }
    chan_focus(1);
    run_for(0);
    assert_string_equal(screen, "muntin: console of a (Ctrl-] ? lists the keys)\r\n");
    clear();
    prompt_len = 0;
    typed_at_prompt[0] = '\0';
    return 0;
}

/* Sends text that the channel must have room for. */
static void say_n(u32 g, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        assert_true(chan_putc(guest[g].chan, (u8)text[i]));
    }
}

static void say(u32 g, const char *text)
{
    say_n(g, text, strlen(text));
}

static void type(const char *text)
{
    assert_int_equal(host_uart_type(text, strlen(text)), strlen(text));
    chan_uart_irq();
    run_all();
}

static void expect(const char *text)
{
    assert_string_equal(screen, text);
    clear();
}

/* Everything that g has received so far. */
static void expect_input(u32 g, const char *text)
{
    char got[256];
    u32 n = 0;

    for (int b = chan_getc(guest[g].chan); b >= 0; b = chan_getc(guest[g].chan)) {
        assert_true(n + 1 < sizeof(got));
        got[n++] = (char)b;
    }
    got[n] = '\0';
    assert_string_equal(got, text);
}

/* --- what is shown ---------------------------------------------------------------------------- */

static void focused_goes_out_as_it_is(void **state)
{
    (void)state;
    say(0, "\033[1mhi\a\r\n\tbye \xff");
    expect("\033[1mhi\a\r\n\tbye \xff");
}

static void others_in_whole_prefixed_lines(void **state)
{
    (void)state;
    say(1, "hel");
    say(2, "wor");
    expect("");
    say(1, "lo\r\n");
    expect("[b] hello\r\n");
    say(2, "ld\n\n");
    expect("[c] world\r\n[c] \r\n");
}

static void others_are_harmless(void **state)
{
    (void)state;
    say(1, "\033[31mred\033[0m \x01\x7f gr\xc3\xbc\xc3\x9f \x9b"
           "2J\r10%\r\n");
    expect("[b] red .. gr\xc3\xbc\xc3\x9f .2J.10%\r\n");
    say(1, "\033]0;title\r\nnext\r\n"); /* a sequence ends with its line at the latest */
    expect("[b] \r\n[b] next\r\n");
}

static void endless_line_is_cut(void **state)
{
    char line[1024], want[1200];

    (void)state;
    memset(line, 'x', 399);
    strcpy(line + 399, "\xe2\x82\xac" /* the euro sign straddles byte 400 */
                       "tail\r\n");
    say(1, line);
    snprintf(want, sizeof(want), "[b] %.402s\r\n[b] tail\r\n", line);
    expect(want);

    memset(line, 'y', 400);
    strcpy(line + 400, "\r\n"); /* just as long as a piece: no empty rest */
    say(1, line);
    snprintf(want, sizeof(want), "[b] %.400s\r\n", line);
    expect(want);
}

static void prompt_of_another_is_shown_after_a_while(void **state)
{
    (void)state;
    say(1, "login: ");
    run_for(900 * MS);
    expect("");
    run_for(200 * MS);
    expect("[b] login: \r\n");
    say(1, "\r\nWelcome\r\n");
    expect("[b] Welcome\r\n"); /* the end of the line that is shown already is no empty line */
}

static void prompt_behind_a_held_up_line_is_shown_too(void **state)
{
    (void)state;
    host_uart_room = 0;
    chan_log("log", 3);
    say(1, "line\r\nlogin: ");
    run_for(2000 * MS);
    type("x"); /* the boot CPU looks at all that is due */
    host_uart_room = UINT32_MAX;
    chan_uart_irq();
    run_all();
    expect("log\r\n[b] line\r\n[b] login: \r\n");
}

static void others_wait_for_the_end_of_the_focused_line(void **state)
{
    (void)state;
    say(0, "one ");
    say(1, "other\r\n");
    run_for(50 * MS);
    say(0, "line\r\n");
    expect("one line\r\n[b] other\r\n");
}

static void unfinished_focused_line_is_interrupted_and_redrawn(void **state)
{
    (void)state;
    say(0, "boot\r\n# l");
    say(1, "other\r\n");
    run_for(99 * MS);
    expect("boot\r\n# l");
    run_for(2 * MS);
    expect("\r\n[b] other\r\n");
    say(2, "third\r\n"); /* the line is open already: at once, on a fresh line */
    expect("[c] third\r\n");
    run_for(101 * MS); /* quiet: the prompt comes back */
    expect("# l");
    say(2, "fourth\r\n"); /* has been quiet for long: no wait at all */
    expect("\r\n[c] fourth\r\n");
    say(0, "s\r\n"); /* goes on: redrawn at once */
    expect("# ls\r\n");
    run_for(1000 * MS);
    expect("");
}

static void endless_focused_line_does_not_starve_others(void **state)
{
    (void)state;
    say(1, "other\r\n");
    clear();
    say(0, "..");
    say(1, "late\r\n");
    for (u32 i = 0; i < 11; i++) {
        run_for(10 * MS);
        say(0, ".");
    }
    assert_non_null(strstr(screen, "\r\n[b] late\r\n"));
    assert_non_null(strstr(screen, "\r\n............")); /* all of them again, below */
}

static void muntins_lines_come_at_once(void **state)
{
    (void)state;
    say(0, "# ");
    chan_log("muntin: x", 9);
    expect("# \r\nmuntin: x\r\n# ");
    chan_log("a\033[2Jb", 6);
    expect("\r\nab\r\n# ");
}

static void a_message_leaves_the_rest_to_the_interrupt(void **state)
{
    (void)state;
    host_uart_room = 0;
    say(0, "a1\r\na2\r\n");
    say(1, "b\r\n");
    host_uart_room = UINT32_MAX;
    chan_log("log", 3);      /* its caller may hold locks that the devices' calls want */
    expect("a\r\nlog\r\na"); /* the first byte was on its way already */
    assert_true(host_uart_tx_irq);
    chan_uart_irq();
    expect("1\r\n[b] b\r\na2\r\n");
    assert_false(host_uart_tx_irq);
}

static void redraw_keeps_the_last_bytes(void **state)
{
    char line[1000];

    (void)state;
    for (u32 i = 0; i < sizeof(line); i++) {
        line[i] = (char)('a' + i % 26);
    }
    say_n(0, line, sizeof(line));
    clear();
    chan_log("x", 1);
    assert_memory_equal(screen, "\r\nx\r\n", 5);
    assert_in_range(screen_len - 5, 128, 256);
    assert_memory_equal(screen + 5, line + sizeof(line) - (screen_len - 5), screen_len - 5);
}

/* --- back-pressure and fairness ----------------------------------------------------------------
 */

static void full_uart_holds_back_and_loses_nothing(void **state)
{
    u32 sent = 0;

    (void)state;
    host_uart_room = 10;
    while (chan_putc(guest[0].chan, (u8)('a' + sent % 26))) {
        sent++;
        assert_true(sent < 100000);
    }
    assert_in_range(sent, 4096 + 10, 4096 + 10 + 64);
    assert_true(host_uart_tx_irq);
    assert_int_equal(screen_len, 10);
    assert_int_equal(guest[0].tx_calls, 0);

    while (screen_len < sent) { /* the transmitter's FIFO empties again and again */
        host_uart_room = 16;
        chan_uart_irq();
        run_all();
        assert_true(host_uart_tx_irq || screen_len == sent);
    }
    host_uart_room = 16;
    chan_uart_irq();
    assert_false(host_uart_tx_irq);
    assert_int_equal(guest[0].tx_calls, 1);
    for (u32 i = 0; i < sent; i++) {
        assert_int_equal(screen[i], 'a' + i % 26);
    }
}

static void lines_are_whole_on_a_slow_uart(void **state)
{
    (void)state;
    host_uart_room = 3;
    say(1, "from b\r\n");
    say(2, "from c\r\n");
    say(0, "from a\r\n");
    chan_log("log", 3);
    for (u32 i = 0; i < 30; i++) {
        host_uart_room = 3;
        chan_uart_irq();
    }
    expect("[b] from b\r\nlog\r\nfrom a\r\n[c] from c\r\n");
    assert_false(host_uart_tx_irq);
}

static void one_call_sends_a_bounded_amount(void **state)
{
    (void)state;
    host_uart_room = 0;
    for (u32 i = 0; i < 4000; i++) {
        assert_true(chan_putc(guest[0].chan, 'x'));
    }
    host_uart_room = UINT32_MAX;
    chan_uart_irq();
    assert_int_equal(screen_len, 2000);
    assert_true(run_work()); /* goes on without the UART's help */
    assert_int_equal(screen_len, 4000);
}

static void all_take_turns(void **state)
{
    static const char *const want[] = {"a\r\n", "[b] b\r\n", "a\r\n", "[c] c\r\n"};
    const char *p = screen;

    (void)state;
    host_uart_room = 0;
    for (u32 i = 0; i < 100; i++) {
        say(0, "a\r\n");
        say(1, "b\r\n");
        say(2, "c\r\n");
    }
    host_uart_room = UINT32_MAX;
    chan_uart_irq();
    run_all();
    p = strchr(p, '\n') + 1; /* what was being sent when the UART filled up */
    for (u32 i = 0; i < 150; i++) {
        const char *line = want[(i + 1) % 4];

        assert_memory_equal(p, line, strlen(line));
        p += strlen(line);
    }
}

static void lost_lines_of_muntin_are_counted(void **state)
{
    char line[100], want[100];
    const char *p;
    u32 shown = 0;

    (void)state;
    memset(line, 'l', sizeof(line));
    host_uart_room = 0;
    for (u32 i = 0; i < 200; i++) {
        chan_log(line, sizeof(line));
    }
    host_uart_room = UINT32_MAX;
    clear();
    chan_uart_irq();
    run_all();
    for (p = strchr(screen, '\n') + 1; *p == 'l'; p = strchr(p, '\n') + 1) {
        shown++;
    }
    snprintf(want, sizeof(want), "muntin: warning: %u of Muntin's own lines were lost here\r\n",
             199 - shown);
    assert_string_equal(p, want);
    assert_in_range(shown, 100, 198);
}

static void drain_sends_all(void **state)
{
    (void)state;
    say(0, "# ");
    say(1, "line\r\nrest");
    chan_drain();
    expect("# \r\n[b] line\r\n[b] rest\r\n# ");
}

/* --- input and focus ---------------------------------------------------------------------------
 */

static void input_goes_to_the_focus_only(void **state)
{
    (void)state;
    type("ls\r");
    assert_int_equal(guest[0].rx_calls, 1);
    assert_int_equal(guest[1].rx_calls, 0);
    expect_input(0, "ls\r");
    expect_input(1, "");
    expect("");
}

static void escape_moves_the_focus(void **state)
{
    (void)state;
    say(1, "b # ");
    run_for(2000 * MS);
    clear();
    say(0, "a # ");
    clear();
    type("x\x1d"
         "2y");
    assert_int_equal(chan_focused(), 2);
    expect("\r\nmuntin: console of b (Ctrl-] ? lists the keys)\r\nb # ");
    expect_input(0, "x");
    expect_input(1, "y");
    type("\x1dn");
    assert_int_equal(chan_focused(), 3);
    type("\x1dn");
    assert_int_equal(chan_focused(), 0);
    type("\x1dp\x1dp");
    assert_int_equal(chan_focused(), 2);
    clear();
    type("\x1d"
         "9");
    expect("\r\nmuntin: there's no VM 9; Ctrl-] ? lists the keys\r\nb # ");
    type("\x1d"
         "a");
    assert_non_null(strstr(screen, "means nothing"));
    clear();
    type("\x1d"
         "b");
    assert_non_null(strstr(screen, "muntin: b can't be sent a break: it's no serial port"));
    clear();
    type("\x1d?");
    assert_non_null(strstr(screen, "Ctrl-] 2  b (here you are)\r\n"));
    assert_non_null(strstr(screen, "Ctrl-] 3  c\r\n"));
    expect_input(1, "");
    type("\x1d\x1d");
    expect_input(1, "\x1d");
}

static void old_focus_becomes_one_of_the_others(void **state)
{
    (void)state;
    say(0, "a # ");
    chan_focus(2);
    clear();
    say(0, "\r\neth0: up\r\n");
    expect("[a] eth0: up\r\n");
    say(0, "half");
    chan_focus(3);
    chan_focus(1); /* what isn't shown yet of its line, is */
    clear();
    say(0, "!\r\n");
    expect("!\r\n");
}

static void unsent_prompt_of_the_old_focus_is_shown(void **state)
{
    (void)state;
    host_uart_room = 0;
    say(0, "login: "); /* the first byte is on its way */
    chan_focus(2);
    host_uart_room = UINT32_MAX;
    chan_uart_irq();
    run_for(500 * MS);
    expect("l\r\nmuntin: console of b (Ctrl-] ? lists the keys)\r\n");
    run_for(1000 * MS);
    expect("[a] ogin: \r\n");
}

static void muntin_has_its_own_prompt(void **state)
{
    (void)state;
    type("\x1d"
         "0");
    assert_string_equal(typed_at_prompt, "\f");
    clear();
    chan_prompt_write("> ", 2);
    type("vm");
    assert_string_equal(typed_at_prompt, "\fvm");
    expect("> ");
    say(0, "news\r\n");
    run_for(300 * MS);
    expect("\r\n[a] news\r\n> ");
    assert_int_equal(chan_find("c"), 3);
    assert_int_equal(chan_find("d"), 0);
}

static void many_bytes_at_once(void **state)
{
    static u8 out[5000], in[300];
    u32 sent, n = 0;

    (void)state;
    memset(out, 'x', sizeof(out));
    host_uart_room = 0;
    sent = chan_write(guest[0].chan, out, sizeof(out));
    assert_in_range(sent, 4096, sizeof(out) - 1);
    sent += chan_write(guest[0].chan, out, sizeof(out)); /* a piece of it is on its way */
    assert_int_equal(chan_write(guest[0].chan, out, 1), 0);
    host_uart_room = UINT32_MAX;
    chan_uart_irq();
    run_for(0);
    assert_int_equal(guest[0].tx_calls, 1);
    assert_int_equal(screen_len, sent);

    assert_false(chan_has_input(guest[0].chan));
    type("some input");
    assert_true(chan_has_input(guest[0].chan));
    n = chan_read(guest[0].chan, in, 4);
    assert_int_equal(n, 4);
    n += chan_read(guest[0].chan, in + n, sizeof(in) - n);
    assert_int_equal(n, 10);
    assert_memory_equal(in, "some input", 10);
    assert_false(chan_has_input(guest[0].chan));
    assert_int_equal(chan_read(guest[0].chan, in, sizeof(in)), 0);
}

/* A port takes no key from the consoles behind it; n, p and its name reach it. */
static void ports_have_no_key(void **state)
{
    static struct user port, late;
    u32 n;

    (void)state;
    port.chan = chan_create_port("a/log", &ops, &port);
    late.chan = chan_create("d", &ops, &late);
    n = chan_number(port.chan);
    assert_int_equal(chan_key(n), 0);
    assert_int_equal(chan_key(0), 0);
    assert_int_equal(chan_key(chan_number(late.chan)), 4);
    assert_int_equal(chan_find("a/log"), n);
    type("\x1d"
         "4");
    assert_int_equal(chan_focused(), chan_number(late.chan));
    type("\x1d"
         "p");
    assert_int_equal(chan_focused(), n);
    clear();
    type("\x1d"
         "5");
    expect("muntin: there's no VM 5; Ctrl-] ? lists the keys\r\n");
    type("\x1d"
         "?");
    assert_non_null(strstr(screen, "muntin:   n, p      a/log (here you are)\r\n"));
    assert_non_null(strstr(screen, "muntin:   Ctrl-] 4  d\r\n"));
}

static void full_receiver_lets_input_wait(void **state)
{
    char text[3000];
    u32 got = 0;

    (void)state;
    for (u32 i = 0; i < sizeof(text); i++) {
        text[i] = (char)('a' + i % 26);
    }
    assert_int_equal(host_uart_type(text, sizeof(text)), sizeof(text));
    chan_uart_irq();
    run_all();
    assert_int_equal(host_uart_waiting(), sizeof(text) - 1024);
    assert_false(host_uart_rx_irq); /* or it would interrupt for ever */
    chan_uart_irq();
    assert_int_equal(host_uart_waiting(), sizeof(text) - 1024);
    for (u32 i = 0; i < sizeof(text); i++) {
        assert_int_equal(chan_getc(guest[0].chan), text[i]);
        run_all();
        got++;
    }
    assert_int_equal(got, sizeof(text));
    assert_true(host_uart_rx_irq);
    run_for(5000 * MS);
    expect("");
}

static void deaf_guest_does_not_lock_the_user_in(void **state)
{
    char text[1500];

    (void)state;
    memset(text, 't', sizeof(text));
    assert_int_equal(host_uart_type(text, sizeof(text)), sizeof(text));
    chan_uart_irq();
    run_for(1900 * MS);
    assert_int_equal(host_uart_waiting(), 1500 - 1024);
    run_for(200 * MS);
    assert_int_equal(host_uart_waiting(), 0);
    assert_true(host_uart_rx_irq);
    expect("muntin: warning: a takes no input; what you type is dropped until it does\r\n");
    type("\x1d"
         "2");
    assert_int_equal(chan_focused(), 2);
    type("x");
    expect_input(1, "x");
    for (u32 i = 0; i < 1024; i++) {
        assert_int_equal(chan_getc(guest[0].chan), 't');
    }
    assert_int_equal(chan_getc(guest[0].chan), -1);
}

static void reset_forgets_input_and_ends_the_line(void **state)
{
    (void)state;
    type("abc");
    say(0, "# ");
    chan_reset(guest[0].chan);
    say(0, "again\r\n");
    expect("# \r\nagain\r\n");
    expect_input(0, "");
    say(1, "rest");
    chan_reset(guest[1].chan);
    expect("[b] rest\r\n");
    chan_reset(guest[1].chan); /* nothing unfinished: nothing to show */
    expect("");
}

static void too_many_channels(void **state)
{
    u32 made = 3;

    (void)state;
    while (chan_create("more", &ops, &guest[0]) != NULL) {
        made++;
        assert_true(made < 1000);
    }
    assert_int_equal(made, 63);
    type("\x1dp");
    assert_int_equal(chan_focused(), 0);
    type("\x1dp");
    assert_int_equal(chan_focused(), 63);
}

/* --- all at once -------------------------------------------------------------------------------
 */

#define LINES   2000
#define WRITERS 3

static u32 writers_left;

static void *writer(void *arg)
{
    struct user *g = arg;
    char line[64];

    for (u32 i = 0; i < LINES; i++) {
        int n = snprintf(line, sizeof(line), "%c line %u of a VM that talks a lot\r\n",
                         'a' + (int)(g - guest), i);

        for (int k = 0; k < n;) {
            if (chan_putc(g->chan, (u8)line[k])) {
                k++;
            } else {
                sched_yield();
            }
        }
    }
    (void)atomic_add(&writers_left, -1u);
    return NULL;
}

static void *logger(void *arg)
{
    char line[64];

    (void)arg;
    for (u32 i = 0; i < 100; i++) {
        int n = snprintf(line, sizeof(line), "muntin: line %u", i);

        chan_log(line, (size_t)n);
        sched_yield();
    }
    return NULL;
}

static void line_of(char *buf, size_t size, u32 writer, u32 n)
{
    snprintf(buf, size, "%c line %u of a VM that talks a lot", 'a' + (int)writer, n);
}

/*
 * Lines of the VM in focus: a start of the next one counts as nothing, since the whole follows. The
 * last one may come once more, if what interrupted it came just before its newline.
 */
static u32 check_focused(const char *line, u32 next, bool interrupted)
{
    char want[64];

    if (interrupted && next > 0) {
        line_of(want, sizeof(want), 0, next - 1);
        if (strcmp(line, want) == 0) {
            return next;
        }
    }
    line_of(want, sizeof(want), 0, next);
    if (strcmp(line, want) == 0) {
        return next + 1;
    }
    assert_memory_equal(line, want, strlen(line));
    return next;
}

/* Every line of every writer is there, whole, once, in order. */
static void check_lines(char *text)
{
    u32 next[WRITERS] = {0}, logs = 0;
    bool interrupted = false;
    char want[64];

    for (char *line = strtok(text, "\r\n"); line != NULL; line = strtok(NULL, "\r\n")) {
        bool log = strncmp(line, "muntin: ", 8) == 0;

        if (log) {
            snprintf(want, sizeof(want), "muntin: line %u", logs++);
            assert_string_equal(line, want);
        } else if (line[0] == '[') {
            u32 w = line[1] == 'b' ? 1 : 2;

            assert_memory_equal(line, w == 1 ? "[b] " : "[c] ", 4);
            line_of(want, sizeof(want), w, next[w]++);
            assert_string_equal(line + 4, want);
        } else {
            next[0] = check_focused(line, next[0], interrupted);
            interrupted = false;
        }
        interrupted |= log;
    }
    for (u32 w = 0; w < WRITERS; w++) {
        assert_int_equal(next[w], LINES);
    }
    assert_int_equal(logs, 100);
}

static void many_writers_at_once(void **state)
{
    pthread_t t[WRITERS + 1];

    (void)state;
    writers_left = WRITERS;
    atomic_store(&host_uart_room, 16u);
    for (u32 i = 0; i < WRITERS; i++) {
        assert_int_equal(pthread_create(&t[i], NULL, writer, &guest[i]), 0);
    }
    assert_int_equal(pthread_create(&t[WRITERS], NULL, logger, NULL), 0);
    /* This thread is the boot CPU and its UART. Time stands still: no line is interrupted. */
    while (atomic_load_acquire(&writers_left) > 0) {
        atomic_store(&host_uart_room, 16u);
        chan_uart_irq();
        (void)run_work();
        sched_yield();
    }
    for (u32 i = 0; i <= WRITERS; i++) {
        pthread_join(t[i], NULL);
    }
    host_uart_room = UINT32_MAX;
    chan_uart_irq();
    assert_true(run_all());
    check_lines(screen);
    assert_true(guest[0].tx_calls + guest[1].tx_calls + guest[2].tx_calls > 0);
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        T(focused_goes_out_as_it_is),
        T(others_in_whole_prefixed_lines),
        T(others_are_harmless),
        T(endless_line_is_cut),
        T(prompt_of_another_is_shown_after_a_while),
        T(prompt_behind_a_held_up_line_is_shown_too),
        T(others_wait_for_the_end_of_the_focused_line),
        T(unfinished_focused_line_is_interrupted_and_redrawn),
        T(endless_focused_line_does_not_starve_others),
        T(muntins_lines_come_at_once),
        T(a_message_leaves_the_rest_to_the_interrupt),
        T(redraw_keeps_the_last_bytes),
        T(full_uart_holds_back_and_loses_nothing),
        T(lines_are_whole_on_a_slow_uart),
        T(one_call_sends_a_bounded_amount),
        T(all_take_turns),
        T(lost_lines_of_muntin_are_counted),
        T(drain_sends_all),
        T(input_goes_to_the_focus_only),
        T(escape_moves_the_focus),
        T(old_focus_becomes_one_of_the_others),
        T(unsent_prompt_of_the_old_focus_is_shown),
        T(muntin_has_its_own_prompt),
        T(many_bytes_at_once),
        T(ports_have_no_key),
        T(full_receiver_lets_input_wait),
        T(deaf_guest_does_not_lock_the_user_in),
        T(reset_forgets_input_and_ends_the_line),
        T(too_many_channels),
        T(many_writers_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
