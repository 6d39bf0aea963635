/* SPDX-License-Identifier: MIT */
/* Messages that a guest provokes: whose they are, which are wanted, how many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/host/arch.h"
#include "core/config.h"
#include "core/log.h"
#include "core/vm.h"
#include "tests/host/said.h"

static struct vm *new_vm(const struct vm_config *cfg)
{
    static struct vm vm;

    vm = (struct vm){.cfg = cfg, .name = "a"};
    said_log();
    host_now_ns += 10000000000ull;
    return &vm;
}

static void say_all(struct vm *vm)
{
    vm_log(vm, LOG_ERR, "E%d", 1);
    vm_log(vm, LOG_WARN, "W");
    vm_log(vm, LOG_INFO, "I");
    vm_log(vm, LOG_DEBUG, "D");
}

/* The VM's logger is a set, not a level; `debug` and Muntin's own level add debug messages. */
static void test_severities(void **state)
{
    static const struct {
        u32 set;
        bool debug;
        enum log_level threshold;
        const char *seen;
    } cases[] = {
        {SEV_ERROR | SEV_WARN | SEV_INFO, false, LOG_INFO, "a: error: E1|a: warning: W|a: I|"},
        {SEV_ERROR | SEV_INFO, false, LOG_INFO, "a: error: E1|a: I|"},
        {SEV_INTERNAL, false, LOG_INFO, ""},
        {SEV_DEBUG, false, LOG_INFO, "a: D|"},
        {SEV_WARN, true, LOG_INFO, "a: warning: W|a: D|"},
        {SEV_WARN, false, LOG_DEBUG, "a: warning: W|a: D|"},
        {SEV_WARN, false, LOG_ERR, "a: warning: W|"},
        {SEV_FATAL, false, LOG_INFO, "a: error: E1|"}, /* what stops a VM is an error */
        {SEV_VERBOSE, false, LOG_INFO, "a: D|"},
        {0, false, LOG_INFO, ""},
    };

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
        struct vm_config cfg = {.log_set = cases[i].set, .debug = cases[i].debug};

        log_threshold = cases[i].threshold;
        say_all(new_vm(&cfg));
        assert_string_equal(said, cases[i].seen);
    }
    log_threshold = LOG_INFO;
    say_all(new_vm(NULL));
    assert_string_equal(said, "a: error: E1|a: warning: W|a: I|");
}

static char sent[32];

static void keep_byte(char c)
{
    size_t n = strlen(sent);

    assert_true(n + 1 < sizeof(sent));
    sent[n] = c;
}

/* Before there's a console: a transmitter that takes no more must not keep Muntin from booting. */
static void test_dead_transmitter(void **state)
{
    (void)state;
    log_sink = NULL;
    host_putc = keep_byte;
    host_uart_room = 3;
    log_info("some");
    log_info("thing");
    assert_string_equal(sent, "mun");
    host_uart_room = UINT32_MAX;
    log_info("more");
    assert_string_equal(sent, "munmuntin: more\r\n");
    host_putc = NULL;
}

/* What goes to slog is kept for the prompt's `log`, and shown only if the other set has it, too. */
static void test_slog(void **state)
{
    struct vm_config cfg = {.log_set = SEV_INFO, .slog_set = SEV_WARN | SEV_INFO};
    char line[64];
    u64 pos;

    (void)state;
    say_all(new_vm(&cfg));
    assert_string_equal(said, "a: I|");
    pos = log_last(2);
    assert_true(log_read(&pos, line, sizeof(line)));
    assert_string_equal(line, "a: warning: W");
    assert_true(log_read(&pos, line, sizeof(line)));
    assert_string_equal(line, "a: I");
    assert_false(log_read(&pos, line, sizeof(line)));
}

/* Eight lines a second; what was held back is counted and said with the next line. */
static void test_limit(void **state)
{
    struct vm_config cfg = {.log_set = SEV_WARN};
    struct vm *vm = new_vm(&cfg);

    (void)state;
    for (int i = 0; i < 20; i++) {
        vm_log(vm, LOG_WARN, "%d", i);
    }
    assert_non_null(strstr(said, "a: warning: 7|"));
    assert_null(strstr(said, "a: warning: 8|"));
    host_now_ns += 1000000000;
    said_log();
    vm_log(vm, LOG_WARN, "x");
    vm_log(vm, LOG_WARN, "y");
    assert_string_equal(said,
                        "muntin: warning: a: 12 messages held back|a: warning: x|a: warning: y|");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_severities),
        cmocka_unit_test(test_dead_transmitter),
        cmocka_unit_test(test_slog),
        cmocka_unit_test(test_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
