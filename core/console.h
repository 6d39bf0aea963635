/* SPDX-License-Identifier: MIT */
/* Muntin's own prompt on the console: what is typed while no VM has the focus. */
#ifndef CORE_CONSOLE_H
#define CORE_CONSOLE_H

#include "core/types.h"

/* How the prompt reaches the mux and the network; filled by core/main.c. */
struct console_hooks {
    char escape; /* the key that moves the focus */
    void (*write)(const char *s, size_t len);
    void (*focus)(u32 number);
    u32 (*find)(const char *name); /* a console's number, or 0 */
    u32 (*key)(u32 number);        /* the key that gives it the focus, or 0 */
    void (*net_show)(void (*print)(const char *fmt, ...) PRINTF(1, 2));
    void (*net_capture)(const char *nic, const char *verb,
                        void (*print)(const char *fmt, ...) PRINTF(1, 2));
};

/* Boot. The hooks have to stay. */
void console_init(const struct console_hooks *hooks);

/*
 * One typed byte, or a form feed: show the prompt and what was typed so far (again). One caller at
 * a time, without locks.
 */
void console_input(char c);

/*
 * The first screen: says which VMs there are and which keys to press, and gives the focus to the
 * first VM that has a console. When the VMs exist.
 */
void console_banner(void);

/* How a key is written: "Ctrl-]" for 0x1d, else the character itself. At most 8 bytes. */
void console_key_name(char key, char *buf, size_t size);

#endif
