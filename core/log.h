/* SPDX-License-Identifier: MIT */
/*
 * Messages of Muntin itself. Before the console mux exists they go straight to the UART, after it
 * through log_sink. Disabled levels are still compiled, so their formats stay checked.
 * Formats: %c %s %d %i %u %x %X %o %p %%, with l, ll, z, 0, -, width, .precision, .*;
 * text that is a struct str is printed as %.*s with STR_ARG(s).
 */
#ifndef CORE_LOG_H
#define CORE_LOG_H

#include "core/types.h"

#include <stdarg.h>

enum log_level { LOG_ERR, LOG_WARN, LOG_INFO, LOG_DEBUG };

#define STR_ARG(s) (int)(s).len, (s).p

/* One line, without newline. Any CPU, any time; holds LOCK_CONSOLE while it prints. */
void log_msg(enum log_level level, const char *fmt, ...) PRINTF(2, 3);

#define log_err(...)   log_msg(LOG_ERR, __VA_ARGS__)
#define log_warn(...)  log_msg(LOG_WARN, __VA_ARGS__)
#define log_info(...)  log_msg(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_msg(LOG_DEBUG, __VA_ARGS__)

struct vm;
/*
 * A message that a guest can provoke: prefixed with the VM's name and limited to 8 lines a second
 * for each VM; what is held back is counted and said once with the next line.
 */
void vm_log(struct vm *vm, enum log_level level, const char *fmt, ...) PRINTF(3, 4);

/* Messages above this level are dropped. LOG_INFO at start; the boot argument `debug` raises it. */
extern enum log_level log_threshold;

/*
 * Where finished lines go (no newline in them). Set once by core/main.c when the console mux is up;
 * NULL means the UART. The sink may take LOCK_CONSOLE.
 */
extern void (*log_sink)(const char *line, size_t len);

/*
 * The last messages, at least the last 40 lines, kept in memory. log_last gives the place of the
 * last `lines` (at least 1) lines, or of the oldest that is left; log_read takes the line there
 * into `line` and steps on; false behind the last one. Any CPU.
 */
void log_keep(const char *line, size_t len);
u64 log_last(u32 lines);
bool log_read(u64 *pos, char *line, size_t size);

/* snprintf of the kinds above; always terminates; returns what the whole text would need. */
int fmt_print(char *buf, size_t size, const char *fmt, ...) PRINTF(3, 4);
int fmt_vprint(char *buf, size_t size, const char *fmt, va_list ap);

#endif
