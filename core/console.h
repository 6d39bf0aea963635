/* SPDX-License-Identifier: MIT */
/* Muntin's own prompt on the console: what is typed while no VM has the focus. */
#ifndef CORE_CONSOLE_H
#define CORE_CONSOLE_H

#include "core/types.h"

/* How the prompt reaches the mux and the network; filled by core/main.c. */
struct console_hooks {
    void (*write)(const char *s, size_t len);
    void (*focus)(u32 number);
    u32 (*find)(const char *name);
    void (*net_show)(void (*print)(const char *fmt, ...) PRINTF(1, 2));
};

void console_init(const struct console_hooks *hooks);
/* One typed byte. One caller at a time. */
void console_input(char c);

#endif
