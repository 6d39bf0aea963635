/* SPDX-License-Identifier: MIT */
/* Muntin's prompt: what each line typed there does and says, and the editing of a line. */
#include "core/console.h"

#include "arch/host/arch.h"
#include "core/arch.h"
#include "core/log.h"
#include "core/sched.h"
#include "core/vdev.h"
#include "core/vm.h"
#include "tests/host/driver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char screen[20000];
static u32 screen_len;
static u32 focused;
static struct vm one, two;
static struct vcpu vcpu[2];

static void hook_write(const char *s, size_t len)
{
    assert_true(screen_len + len < sizeof(screen));
    memcpy(screen + screen_len, s, len);
    screen_len += (u32)len;
    screen[screen_len] = '\0';
}

static void hook_focus(u32 number)
{
    focused = number;
}

static u32 hook_find(const char *name)
{
    return strcmp(name, "one") == 0 ? 1 : strcmp(name, "two") == 0 ? 2 : 0;
}

/* "two" has come after others. */
static u32 hook_key(u32 number)
{
    return number == 2 ? 10 : number;
}

static void hook_net_show(void (*print)(const char *fmt, ...) PRINTF(1, 2))
{
    print("switch %s\n", "lan");
}

static void hook_net_capture(const char *nic, const char *verb,
                             void (*print)(const char *fmt, ...) PRINTF(1, 2))
{
    print("capture %s: %s\n", nic, verb);
}

static const struct console_hooks hooks = {
    .escape = '\x1d',
    .write = hook_write,
    .focus = hook_focus,
    .find = hook_find,
    .key = hook_key,
    .net_show = hook_net_show,
    .net_capture = hook_net_capture,
};

static void dev_show(struct vdev *d, void (*print)(const char *fmt, ...))
{
    (void)d;
    print("  a device\n");
}

static enum vdev_button button;
static u32 presses;

static enum vdev_button dev_press(struct vdev *d)
{
    (void)d;
    presses++;
    return button;
}

static const struct vdev_ops dev_ops = {.show = dev_show};
static const struct vdev_ops button_ops = {.show = dev_show, .press = dev_press};
static struct vdev dev = {.ops = &dev_ops};
static struct vdev button_dev = {.ops = &button_ops};

static void keep(const char *line, size_t len)
{
    hook_write(line, len);
    hook_write("\n", 1);
}

static void clear(void)
{
    screen_len = 0;
    screen[0] = '\0';
}

/* one runs, with two vCPUs; two is stopped and has been killed. */
static int setup(void **state)
{
    (void)state;
    host_init();
    sched_init(2);
    one = (struct vm){.name = "one", .nvcpus = 2, .state = VM_RUNNING, .running = 2, .starts = 3};
    two = (struct vm){.name = "two", .nvcpus = 1, .starts = 1, .reason = VM_EXIT_KILLED};
    spin_init(&one.lock, LOCK_VM);
    spin_init(&two.lock, LOCK_VM);
    one.mem.region[0].size = 64 * MIB;
    one.mem.count = 1;
    one.mmio_unknown = 11;
    one.devs = &dev;
    for (u32 i = 0; i < 2; i++) {
        vcpu[i] = (struct vcpu){.vm = &one, .id = i, .pcpu = &pcpus[i], .state = VCPU_READY};
        one.vcpu[i] = &vcpu[i];
    }
    pcpus[1].current = &vcpu[1];
    vcpu[1].exits = 12345;
    vcpu[1].run_ns = 1002000000;
    two.vcpu[0] = &vcpu[0];
    vms[0] = &one;
    vms[1] = &two;
    vm_count = 2;
    focused = 99;
    log_sink = NULL;
    console_init(&hooks);
    clear();
    return 0;
}

static void type(const char *s)
{
    for (; *s != '\0'; s++) {
        console_input(*s);
    }
}

/* What a line makes the prompt say, without the echo before and the next prompt behind. */
static const char *answer(const char *line)
{
    static char text[20000];
    size_t echo = strlen(line) + 2, n;

    clear();
    type(line);
    console_input('\r');
    assert_memory_equal(screen, line, strlen(line));
    n = screen_len - echo;
    assert_true(n >= 8);
    assert_string_equal(screen + screen_len - 8, "muntin> ");
    memcpy(text, screen + echo, n - 8);
    text[n - 8] = '\0';
    return text;
}

/* --- editing -----------------------------------------------------------------------------------
 */

static void a_line_is_edited(void **state)
{
    (void)state;
    type("hxx\x7f\belp");
    assert_string_equal(screen, "hxx\b \b\b \belp");
    clear();
    type("\r\n"); /* one end of line */
    assert_non_null(strstr(screen, "this list"));
    assert_ptr_equal(strstr(screen, "\r\nmuntin> "), screen + screen_len - 10);
    clear();
    type("\n");
    assert_string_equal(screen, "\r\nmuntin> ");
    clear();
    type("ab\x15");
    assert_string_equal(screen, "ab\b \b\b \b");
    type("\x7f"); /* nothing left to erase */
    assert_string_equal(screen, "ab\b \b\b \b");
    clear();
    type("junk\x03");
    assert_string_equal(screen, "junk^C\r\nmuntin> ");
    assert_string_equal(answer("  "), "");
}

static void other_keys_do_nothing(void **state)
{
    (void)state;
    type("m\033[A\033[1;5D\033OPe\x01\t\xc3\xa4");
    assert_string_equal(screen, "me");
    type("mory\r");
    assert_non_null(strstr(screen, "free"));
}

static void long_line_is_bounded(void **state)
{
    (void)state;
    for (u32 i = 0; i < 1000; i++) {
        console_input('x');
    }
    assert_int_equal(screen_len, 120);
    type("\r");
    assert_non_null(strstr(screen, "is no command; `help` lists them"));
}

static void form_feed_shows_it_again(void **state)
{
    (void)state;
    type("vm l");
    clear();
    console_input('\f');
    assert_string_equal(screen, "\rmuntin> vm l");
    type("ist\r");
    assert_non_null(strstr(screen, "64 MiB"));
}

/* --- commands ----------------------------------------------------------------------------------
 */

static void help_lists_everything(void **state)
{
    static const char *const words[] = {
        "help",    "vm list", "vm status [NAME]", "vm start NAME", "vm stop", "vm kill", "vm reset",
        "vm dump", "focus",   "net show",         "log [N]",       "memory",  "Ctrl-] "};

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(words); i++) {
        assert_non_null(strstr(answer("help"), words[i]));
    }
}

static void vm_list(void **state)
{
    (void)state;
    assert_string_equal(
        answer("vm list"),
        "  one              running   2 vCPUs, 64 MiB, console 1\r\n"
        "  two              stopped   1 vCPU, 0 MiB, console 10, killed (exit code 3)\r\n");
    vm_count = 0;
    assert_string_equal(answer(" vm  list "), "there are no VMs\r\n");
}

static void vm_status(void **state)
{
    const char *text = answer("vm status one");

    (void)state;
    assert_non_null(strstr(text, "3 starts; accesses to nothing: 11 memory"));
    assert_non_null(strstr(text, "vCPU 0 on CPU 0: waits for its CPU, 0 exits\r\n"));
    assert_non_null(strstr(text, "vCPU 1 on CPU 1: runs, 12345 exits, 1.002 s run\r\n"));
    assert_non_null(strstr(text, "  a device\r\n"));
    assert_null(strstr(text, "two"));
    vcpu[0].state = VCPU_BLOCKED;
    text = answer("vm status");
    assert_non_null(strstr(text, "vCPU 0 on CPU 0: waits for an interrupt"));
    assert_non_null(strstr(text, "two"));
}

static void vm_start_and_stop(void **state)
{
    (void)state;
    assert_non_null(strstr(answer("vm start one"), "one can't be started: it's running"));
    assert_int_equal(one.state, VM_RUNNING);
    assert_non_null(strstr(answer("vm kill two"), "two is stopped already"));
    assert_string_equal(answer("vm start two"), "two: starts\r\n");
    assert_int_equal(two.state, VM_STARTING);
    assert_true(two.start_work.queued);
}

static void vm_stop_presses_the_button(void **state)
{
    (void)state;
    dev.next = NULL;
    assert_non_null(strstr(answer("vm stop one"), "one can't be asked to stop: its machine has no "
                                                  "power button (`vdev pl061`). "));
    dev.next = &button_dev;
    button = BUTTON_NONE;
    presses = 0;
    assert_non_null(strstr(answer("vm stop one"), "has no power button"));
    button = BUTTON_UNHEARD;
    assert_non_null(strstr(answer("vm stop one"), "doesn't listen to it. Run `poweroff` in it, or "
                                                  "stop it at once with `vm kill one`\r\n"));
    button = BUTTON_PRESSED;
    assert_non_null(strstr(answer("vm stop one"), "one has its power button pressed. "));
    assert_int_equal(presses, 3);
    assert_non_null(strstr(answer("vm stop two"), "two is stopped already"));
    assert_int_equal(presses, 3);
    assert_int_equal(one.state, VM_RUNNING);
    dev.next = NULL;
}

static void vm_status_says_why_it_ended(void **state)
{
    (void)state;
    assert_null(strstr(answer("vm status one"), "ended"));
    one.ends = 1;
    one.last_reason = VM_EXIT_WATCHDOG;
    strcpy(one.why, "not refreshed");
    assert_non_null(strstr(answer("vm status one"), "  ended 1 time, the last: exit code 4, its "
                                                    "watchdog bit: not refreshed\r\n"));
    one.ends = 2;
    one.last_reason = VM_EXIT_OFF;
    one.why[0] = '\0';
    assert_non_null(
        strstr(answer("vm status one"), "  ended 2 times, the last: exit code 0, powered off\r\n"));
}

static void vm_kill(void **state)
{
    (void)state;
    assert_string_equal(answer("vm kill one"), "");
    assert_int_equal(one.state, VM_STOPPING);
    assert_int_equal(one.reason, VM_EXIT_KILLED);
    assert_false(one.restart);
    assert_true(vcpu[0].attention & VCPU_STOP);
    assert_true(vcpu[1].attention & VCPU_STOP);
}

static void vm_reset(void **state)
{
    (void)state;
    assert_string_equal(answer("vm reset one"), "");
    assert_int_equal(one.state, VM_STOPPING);
    assert_true(one.restart);
    assert_string_equal(answer("vm reset two"), "");
    assert_int_equal(two.state, VM_STARTING);
}

static void refused_vm_says_why(void **state)
{
    (void)state;
    strcpy(two.refused, "its CPU is not up");
    assert_string_equal(answer("vm start two"), "two can't be started: its CPU is not up\r\n");
    assert_string_equal(answer("vm reset two"), "two can't be started: its CPU is not up\r\n");
    assert_int_equal(two.state, VM_STOPPED);
    assert_non_null(strstr(answer("vm list"), ", refused: its CPU is not up\r\n"));
}

static void vm_dump(void **state)
{
    const char *text = answer("vm dump one");

    (void)state;
    assert_non_null(strstr(text, "vCPU 0 on CPU 0"));
    assert_non_null(strstr(text, "vCPU 1 on CPU 1"));
    assert_non_null(strstr(text, "\r\n  pc 0x40080001  pstate 0x5 "));
}

static void errors_name_what_was_expected(void **state)
{
    (void)state;
    assert_string_equal(answer("reboot"), "'reboot' is no command; `help` lists them\r\n");
    assert_string_equal(answer("vm"),
                        "'vm' is no command; there are: vm list, vm status, vm start, vm stop, "
                        "vm kill, vm reset, vm dump, vm core\r\n");
    assert_string_equal(answer("net shw"),
                        "'net shw' is no command; there are: net show, net capture\r\n");
    assert_string_equal(answer("vm kill"), "usage: vm kill NAME\r\n");
    assert_string_equal(answer("vm kill one two three four"), "usage: vm kill NAME\r\n");
    assert_int_equal(one.state, VM_RUNNING);
    assert_string_equal(answer("vm list x"), "usage: vm list\r\n");
    assert_string_equal(answer("vm kill three"), "no VM is called 'three': one, two\r\n");
    assert_string_equal(answer("log x"), "log: 'x' is not a number of lines, 1 to 9999\r\n");
    assert_string_equal(answer("log 0"), "log: '0' is not a number of lines, 1 to 9999\r\n");
    assert_string_equal(answer("focus x"),
                        "no console is called 'x'; there are those of: one, two\r\n");
    assert_int_equal(focused, 99);
}

static void focus_leaves_no_prompt_behind(void **state)
{
    (void)state;
    type("focus two\r");
    assert_string_equal(screen, "focus two\r\n");
    assert_int_equal(focused, 2);
    clear();
    console_input('\f'); /* back again */
    assert_string_equal(screen, "\rmuntin> ");
}

static void net_show(void **state)
{
    (void)state;
    assert_string_equal(answer("net show"), "switch lan\r\n");
    assert_string_equal(answer("net capture a/eth on"), "capture a/eth: on\r\n");
    assert_string_equal(answer("net capture a/eth"), "usage: net capture NIC on|off|dump|PORT\r\n");
    assert_string_equal(answer("net capture"), "usage: net capture NIC on|off|dump|PORT\r\n");
    assert_string_equal(answer("net capture a/eth on x"),
                        "usage: net capture NIC on|off|dump|PORT\r\n");
}

static void memory(void **state)
{
    const char *text = answer("memory");

    (void)state;
    assert_non_null(strstr(text, "  one                 65536 KiB\r\n"));
    assert_non_null(strstr(text, "Muntin"));
    assert_non_null(strstr(text, "free                65536 KiB, the largest piece 65536 KiB"));
}

/* --- log and first screen ------------------------------------------------------------------------
 */

static void nowhere(const char *line, size_t len)
{
    (void)line;
    (void)len;
}

static void log_shows_the_last_lines(void **state)
{
    char want[2000];
    size_t n = 0;

    (void)state;
    log_sink = nowhere;
    for (u32 i = 0; i < 30; i++) {
        log_info("line %u", i);
    }
    assert_string_equal(answer("log 2"), "muntin: line 28\r\nmuntin: line 29\r\n");
    for (u32 i = 10; i < 30; i++) {
        n += (size_t)snprintf(want + n, sizeof(want) - n, "muntin: line %u\r\n", i);
    }
    assert_string_equal(answer("log"), want);
}

static void log_keeps_whole_lines_when_it_wraps(void **state)
{
    char text[400];
    u64 pos, old;
    u32 lines = 0;

    (void)state;
    log_sink = nowhere;
    log_info("soon gone");
    old = log_last(1);
    for (u32 i = 0; i < 2000; i++) {
        log_info("message number %u", i);
    }
    pos = log_last(9999);
    while (log_read(&pos, text, sizeof(text))) {
        lines++;
        assert_memory_equal(text, "muntin: message number ", 23);
        assert_int_equal(strlen(text), 23 + 4);
    }
    assert_in_range(lines, 16384 / 28 - 1, 16384 / 28 + 1);
    assert_string_equal(text, "");                   /* behind the last one */
    assert_true(log_read(&old, text, sizeof(text))); /* overwritten: the oldest that is left */
    assert_memory_equal(text, "muntin: message number 1", 24);
    pos = log_last(2);
    assert_true(log_read(&pos, text, sizeof(text)));
    assert_string_equal(text, "muntin: message number 1998");
}

static void banner_names_vms_and_keys(void **state)
{
    (void)state;
    log_sink = keep;
    console_banner();
    assert_string_equal(
        screen, "muntin: 2 VMs:\n"
                "muntin:   Ctrl-] 1   one: 2 vCPUs, 64 MiB\n"
                "muntin:   Ctrl-] n, p two: 1 vCPU, 0 MiB\n"
                "muntin: keys: Ctrl-] and then 1-9: that console; n, p: the next, the previous; "
                "0: Muntin's prompt; ?: these keys\n");
    assert_int_equal(focused, 1);
    clear();
    vm_count = 0;
    console_banner();
    assert_int_equal(focused, 0);
    log_sink = NULL;
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        T(a_line_is_edited),
        T(other_keys_do_nothing),
        T(long_line_is_bounded),
        T(form_feed_shows_it_again),
        T(help_lists_everything),
        T(vm_list),
        T(vm_status),
        T(vm_start_and_stop),
        T(vm_kill),
        T(vm_stop_presses_the_button),
        T(vm_status_says_why_it_ended),
        T(vm_reset),
        T(refused_vm_says_why),
        T(vm_dump),
        T(errors_name_what_was_expected),
        T(focus_leaves_no_prompt_behind),
        T(net_show),
        T(memory),
        T(log_shows_the_last_lines),
        T(log_keeps_whole_lines_when_it_wraps),
        T(banner_names_vms_and_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
