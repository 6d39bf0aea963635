/* SPDX-License-Identifier: MIT */
/*
 * Messages of Muntin itself: formatted on the stack, handed as whole lines to the console mux, or
 * to the UART before there is one. Any CPU; the sink does the locking.
 */
#include "core/log.h"

#include "core/arch.h"
#include "core/atomic.h"
#include "core/config.h"
#include "core/vm.h"

#define VM_LOG_WINDOW_NS 1000000000ull
#define VM_LOG_LINES     8
#define PUT_TRIES        1000000u /* more than 10 ms, on any board */

enum log_level log_threshold = LOG_INFO;
void (*log_sink)(const char *line, size_t len);

/* A transmitter that takes nothing for so long is switched off or nobody's: no more waiting. */
static void put_byte(char c)
{
    static bool dead;
    u32 tries = atomic_load(&dead) ? 1 : PUT_TRIES;

    while (tries > 0 && !arch_putc(c)) {
        tries--;
    }
    atomic_store(&dead, tries == 0);
}

/* keep_only: for the prompt's `log`, not shown. */
static void log_line(const char *line, size_t len, bool keep_only)
{
    log_keep(line, len);
    if (keep_only) {
        return;
    }
    if (log_sink != NULL) {
        log_sink(line, len);
        return;
    }
    for (size_t i = 0; i < len; i++) {
        put_byte(line[i]);
    }
    put_byte('\r');
    put_byte('\n');
}

static void log_text(enum log_level level, const char *who, bool keep_only, const char *fmt,
                     va_list ap)
{
    static const char *const mark[] = {"error: ", "warning: ", "", ""};
    char line[320];
    int n = fmt_print(line, sizeof(line), "%s: %s", who, mark[level]);

    n += fmt_vprint(line + n, sizeof(line) - (size_t)n, fmt, ap);
    log_line(line, MIN((size_t)n, sizeof(line) - 1), keep_only);
}

void log_msg(enum log_level level, const char *fmt, ...)
{
    va_list ap;

    if (level > log_threshold) {
        return;
    }
    va_start(ap, fmt);
    log_text(level, "muntin", false, fmt, ap);
    va_end(ap);
}

/* True if one more line may go out now. Races between a VM's vCPUs cost or gain a line: harmless.
 */
static bool vm_log_allowed(struct vm *vm)
{
    u64 now = arch_now_ns();
    u64 window = atomic_load(&vm->log_window_ns);

    if (now - window >= VM_LOG_WINDOW_NS) {
        atomic_store(&vm->log_window_ns, now);
        atomic_store(&vm->log_count, 0u);
    }
    if (atomic_add(&vm->log_count, 1u) <= VM_LOG_LINES) {
        return true;
    }
    counter_inc(&vm->log_held);
    return false;
}

/*
 * Is the level in one of the VM's `logger` sets? What stops a VM is logged as an error: it's in the
 * set with `error` or `fatal`. Debug messages also come by `debug` or Muntin's own level.
 */
static bool vm_log_in(const struct vm *vm, enum log_level level, u32 set)
{
    static const u32 severity[] = {SEV_ERROR | SEV_FATAL, SEV_WARN, SEV_INFO,
                                   SEV_DEBUG | SEV_VERBOSE};

    return (set & severity[level]) != 0 ||
           (level == LOG_DEBUG && (level <= log_threshold || vm->cfg->debug));
}

void vm_log(struct vm *vm, enum log_level level, const char *fmt, ...)
{
    bool show = vm->cfg != NULL ? vm_log_in(vm, level, vm->cfg->log_set) : level <= log_threshold;
    u32 held;
    va_list ap;

    if ((!show && (vm->cfg == NULL || !vm_log_in(vm, level, vm->cfg->slog_set))) ||
        !vm_log_allowed(vm)) {
        return;
    }
    held = atomic_xchg(&vm->log_held, 0u);
    if (held != 0) {
        log_msg(LOG_WARN, "%s: %u messages held back", vm->name, held);
    }
    va_start(ap, fmt);
    log_text(level, vm->name, !show, fmt, ap);
    va_end(ap);
}
