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

static void panic_line(const char *fmt, va_list ap)
{
    char line[256];

    fmt_vprint(line, sizeof(line), fmt, ap);
    panic_puts(line);
    panic_puts("\r\n");
}

static void PRINTF(1, 2) panic_print(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    panic_line(fmt, ap);
    va_end(ap);
}

void panic(const char *fmt, ...)
{
    va_list ap;

    panic_puts("\r\nmuntin: PANIC: ");
    va_start(ap, fmt);
    panic_line(fmt, ap);
    va_end(ap);
    arch_panic_dump(panic_print);
    arch_stop(STOP_HALT);
}
