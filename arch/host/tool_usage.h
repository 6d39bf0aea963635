/* SPDX-License-Identifier: MIT */
/* What `muntin` says of itself. Part of build/muntin. */
#ifndef ARCH_HOST_TOOL_USAGE_H
#define ARCH_HOST_TOOL_USAGE_H

enum { EXIT_USAGE = 64, EXIT_CONFIG = 65, EXIT_WRITE = 73 };

/* `muntin help`, on stdout; 0. */
int usage_help(void);

/* What is wrong with the command line, if anything, and the short form, on stderr; EXIT_USAGE. */
int usage(const char *why, const char *what);

#endif
