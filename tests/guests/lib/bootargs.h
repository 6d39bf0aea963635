/* SPDX-License-Identifier: MIT */
/* Words of the kernel command line: "name=value" or "name", separated by blanks. */
#ifndef TESTS_GUESTS_LIB_BOOTARGS_H
#define TESTS_GUESTS_LIB_BOOTARGS_H

#include <stdbool.h>
#include <stdint.h>

bool bootargs_has(const char *name);

/* The number (decimal or 0x) after "name=", or otherwise. */
uint64_t bootargs_number(const char *name, uint64_t otherwise);

/* Is word one of the comma-separated words after "name="? */
bool bootargs_lists(const char *name, const char *word);

#endif
