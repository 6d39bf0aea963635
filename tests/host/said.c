/* SPDX-License-Identifier: MIT */
/* What Muntin says; see said.h. */
#include "tests/host/said.h"

#include "core/log.h"
#include "core/vdev.h"

#include <stdio.h>
#include <string.h>

char said[8192];

void said_clear(void)
{
    said[0] = '\0';
}

u32 said_count(const char *text)
{
    u32 count = 0;

    for (const char *p = strstr(said, text); p != NULL; p = strstr(p + 1, text)) {
        count++;
    }
    return count;
}

void said_print(const char *fmt, ...)
{
    size_t len = strlen(said);
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(said + len, sizeof(said) - len, fmt, ap);
    va_end(ap);
}

static void keep(const char *line, size_t len)
{
    said_print("%.*s|", (int)len, line);
}

void said_log(void)
{
    said_clear();
    log_sink = keep;
}

void said_emit(struct diag *d, int level, const char *text)
{
    (void)d;
    (void)level;
    said_print("%s\n", text);
}

const char *said_show(struct vdev *d)
{
    said_clear();
    d->ops->show(d, said_print);
    return said;
}
