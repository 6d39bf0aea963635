/* SPDX-License-Identifier: MIT */
/*
 * Messages about config files: formatted, counted and handed to whoever wants to show them. Also
 * the arena that parsed configs live in. One caller at a time, at boot or in the host tool.
 */
#include "core/config.h"
#include "core/log.h"
#include "core/str.h"

#define DIAG_LINE 768

static void diag_text(struct diag *d, int level, struct place p, const char *fmt, va_list ap)
{
    static const char *const mark[] = {"error", "warning", "note"};
    char line[DIAG_LINE];
    int n = 0;

    if (p.line != 0 && p.file < d->files) {
        n = fmt_print(line, sizeof(line), "%.*s:%u:%u: ", STR_ARG(d->file_name[p.file]), p.line,
                      p.col);
    }
    n = MIN(n, DIAG_LINE / 2);
    n += fmt_print(line + n, sizeof(line) - (size_t)n, "%s: ", mark[level]);
    fmt_vprint(line + n, sizeof(line) - (size_t)n, fmt, ap);
    d->emit(d, level, line);
}

void diag_error(struct diag *d, struct place p, const char *fmt, ...)
{
    va_list ap;

    d->errors++;
    va_start(ap, fmt);
    diag_text(d, LOG_ERR, p, fmt, ap);
    va_end(ap);
}

void diag_warn(struct diag *d, struct place p, const char *fmt, ...)
{
    va_list ap;

    d->warnings++;
    va_start(ap, fmt);
    diag_text(d, LOG_WARN, p, fmt, ap);
    va_end(ap);
}

void diag_note(struct diag *d, struct place p, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    diag_text(d, LOG_INFO, p, fmt, ap);
    va_end(ap);
}

u16 diag_file(struct diag *d, struct str name)
{
    for (u32 i = 0; i < d->files; i++) {
        if (str_same(d->file_name[i], name)) {
            return (u16)i;
        }
    }
    if (d->files == CFG_FILES) {
        d->file_name[CFG_FILES - 1] = str_of("(one of many files)");
        return CFG_FILES - 1;
    }
    d->file_name[d->files] = name;
    return (u16)d->files++;
}

void *cfg_alloc(struct cfg_arena *a, size_t size)
{
    size_t start = ALIGN_UP(a->used, (size_t)16);

    if (start > a->size || size > a->size - start) {
        return NULL;
    }
    a->used = start + size;
    memset(a->base + start, 0, size);
    return a->base + start;
}
