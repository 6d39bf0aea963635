/* SPDX-License-Identifier: MIT */
/*
 * For modules that are started once and never again: each test of a program runs in a process of
 * its own, as if it were a boot of its own.
 */
#ifndef TESTS_HOST_BOOTS_H
#define TESTS_HOST_BOOTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* As cmocka_run_group_tests: how many failed. */
int boots_run(const struct CMUnitTest *tests, size_t count);

#endif
