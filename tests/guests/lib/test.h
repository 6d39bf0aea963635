/* SPDX-License-Identifier: MIT */
/*
 * How a guest reports: "@@ GUEST CASE: PASS|FAIL detail" for each case, "@@ GUEST DONE passed=N
 * failed=N" as its last line, then it powers off.  The lines are what tests/qemu reads.
 */
#ifndef TESTS_GUESTS_LIB_TEST_H
#define TESTS_GUESTS_LIB_TEST_H

#include <stdbool.h>
#include <stdint.h>

struct test_case {
    const char *name;
    void (*run)(void);
};

/* guest is the first word of each line. */
void test_begin(const char *guest);

/*
 * Runs the cases in order, all of them, or those of only=A,B and without those of skip=A,B of the
 * boot arguments.  A case passes if each of its checks held; it fails if it made none.
 */
void test_run(const struct test_case *cases, uint32_t count);

/* Counts towards the running case; prints the reason if condition is false. */
bool test_check(bool condition, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define test_equal(what, got, expected)                                                            \
    test_check((uint64_t)(got) == (uint64_t)(expected), "%s: 0x%lx, expected 0x%lx", what,         \
               (uint64_t)(got), (uint64_t)(expected))

/* The running case has nothing to test on this machine: it passes with this remark. */
void test_skip(const char *reason);

/* A line "@@ GUEST ..." beside the cases. */
void test_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The DONE line. */
void test_done(void);

/* The DONE line, then SYSTEM_OFF. */
void test_end(void) __attribute__((noreturn));

/* A "@@ GUEST PANIC" line, a failure more, then as test_end(). */
void test_panic(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
