/* SPDX-License-Identifier: MIT */
/*
 * A defect of Muntin itself: one line, what the CPU knows, and a halt. Locks are not taken: the
 * holder may be the one that died.
 */
#include "core/panic.h"

#include "core/arch.h"
#include "core/log.h"

#include <stdarg.h>

static void panic_puts(const char *s)
{
    for (; *s != '\0'; s++) {
        for (u32 spin = 0; spin < 1000000 && !arch_putc(*s); spin++) {
        }
    }
}

void panic(const char *fmt, ...)
{
    char line[256];
    va_list ap;

    va_start(ap, fmt);
    fmt_vprint(line, sizeof(line), fmt, ap);
    va_end(ap);
    panic_puts("\r\nmuntin: PANIC: ");
    panic_puts(line);
    panic_puts("\r\n");
    arch_panic_dump(panic_puts);
    arch_stop(STOP_HALT);
}
