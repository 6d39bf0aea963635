/* SPDX-License-Identifier: MIT */
/* What Muntin says; see logged.h. */
#include "tests/host/logged.h"

#include "core/log.h"

#include <stdio.h>
#include <string.h>

char logged[8192];

static void keep(const char *line, size_t len)
{
    size_t n = strlen(logged);

    snprintf(logged + n, sizeof(logged) - n, "%.*s|", (int)len, line);
}

void logged_begin(void)
{
    log_sink = keep;
    logged[0] = '\0';
}
