/* SPDX-License-Identifier: MIT */
/* Text to the guest's PL011, polled.  A call's text is never mixed with another CPU's. */
#ifndef TESTS_GUESTS_LIB_PRINT_H
#define TESTS_GUESTS_LIB_PRINT_H

#include <stdarg.h>

void print_init(void);

/* Knows %s %c %d %u %x with l, a width and a 0 before it, and %%. */
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));
void print_args(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

/* From here on print() takes no lock: for the last words of a dying guest. */
void print_break_lock(void);

#endif
