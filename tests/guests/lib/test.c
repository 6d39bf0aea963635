/* SPDX-License-Identifier: MIT */
/* See test.h.  Checks may come from all CPUs, cases run on CPU 0. */
#include "tests/guests/lib/test.h"

#include <stdarg.h>
#include <stddef.h>

#include "tests/guests/lib/atomic.h"
#include "tests/guests/lib/bootargs.h"
#include "tests/guests/lib/print.h"
#include "tests/guests/lib/psci.h"

enum { MAX_COMPLAINTS = 12 };

static const char *guest = "guest";
static const char *running;
static const char *skipped;
static uint32_t checks;
static uint32_t failed_checks;
static uint32_t passed;
static uint32_t failed;

void test_begin(const char *name)
{
    guest = name;
    print("\n@@ %s START\n", name);
}

static void run_case(const struct test_case *c)
{
    running = c->name;
    skipped = NULL;
    atomic_store(&checks, 0);
    atomic_store(&failed_checks, 0);
    c->run();
    running = NULL;
    if (skipped) {
        print("@@ %s %s: PASS skipped, %s\n", guest, c->name, skipped);
        passed++;
    } else if (atomic_load(&failed_checks) || !atomic_load(&checks)) {
        print("@@ %s %s: FAIL %u of %u checks\n", guest, c->name, failed_checks, checks);
        failed++;
    } else {
        print("@@ %s %s: PASS %u checks\n", guest, c->name, checks);
        passed++;
    }
}

void test_run(const struct test_case *cases, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (bootargs_has("only") && !bootargs_lists("only", cases[i].name)) {
            continue;
        }
        if (!bootargs_lists("skip", cases[i].name)) {
            run_case(&cases[i]);
        }
    }
}

bool test_check(bool condition, const char *format, ...)
{
    va_list args;

    atomic_add(&checks, 1);
    if (!condition) {
        atomic_add(&failed_checks, 1);
    }
    if (!condition && atomic_load(&failed_checks) <= MAX_COMPLAINTS) {
        print("@@ %s %s: failed check: ", guest, running ? running : "-");
        va_start(args, format);
        print_args(format, args);
        va_end(args);
        print("\n");
    }
    return condition;
}

void test_skip(const char *reason)
{
    skipped = reason;
}

void test_note(const char *format, ...)
{
    va_list args;

    print("@@ %s ", guest);
    va_start(args, format);
    print_args(format, args);
    va_end(args);
    print("\n");
}

void test_done(void)
{
    print("@@ %s DONE passed=%u failed=%u\n", guest, passed, failed);
}

void test_end(void)
{
    test_done();
    psci_system_off();
}

void test_panic(const char *format, ...)
{
    va_list args;

    print_break_lock();
    print("\n@@ %s PANIC in %s: ", guest, running ? running : "no case");
    va_start(args, format);
    print_args(format, args);
    va_end(args);
    print("\n");
    failed++;
    test_end();
}
