/* SPDX-License-Identifier: MIT */
/* The part of <stdlib.h> that libfdt uses (fdt_overlay.c), for freestanding builds. */
#ifndef CORE_LIB_STDLIB_H
#define CORE_LIB_STDLIB_H

unsigned long strtoul(const char *s, char **end, int base);

#endif
