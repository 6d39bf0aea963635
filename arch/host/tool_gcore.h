/* SPDX-License-Identifier: MIT */
/* `muntin gcore`: from a console's log to ELF cores of guests. Part of build/muntin. */
#ifndef ARCH_HOST_TOOL_GCORE_H
#define ARCH_HOST_TOOL_GCORE_H

#include "core/types.h"

/*
 * Writes a file for each core in `log` (NULL: standard input): `out`, out-2 and so on; NULL: as
 * QNX names them, NAME-YYYYMMDD-hhmmss.gcore. False: there's none, or parts are missing.
 */
bool gcore_extract(const char *log, const char *out);

#endif
