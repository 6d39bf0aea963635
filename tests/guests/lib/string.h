/* SPDX-License-Identifier: MIT */
/* The few string functions that a guest and the compiler need. */
#ifndef TESTS_GUESTS_LIB_STRING_H
#define TESTS_GUESTS_LIB_STRING_H

#include <stdbool.h>
#include <stddef.h>

void *memset(void *dest, int byte, size_t len);
void *memcpy(void *dest, const void *src, size_t len);
int memcmp(const void *a, const void *b, size_t len);
size_t strlen(const char *s);
bool str_equal(const char *a, const char *b);
bool str_starts(const char *s, const char *prefix);

#endif
