/* SPDX-License-Identifier: MIT */
/*
 * Captures out of a console's log: lines of core/pcap_text.h among anything else. A frame is kept
 * if all its lines are there; the others are counted, and the file holds what is left.
 */
#include "arch/host/tool_pcap.h"

#include "arch/host/tool_files.h"
#include "core/pcap_text.h"
#include "core/str.h"
#include "core/textline.h"

#include <stdio.h>
#include <stdlib.h>

#define NAME_LEN   120
#define RECORD_MAX (PCAP_RECORD + PCAP_SNAP)

/* The capture that is being read. */
struct reader {
    bool open;
    char name[NAME_LEN];
    u32 seq;    /* of the line that comes next */
    u32 frames; /* that were written */
    u32 lines;  /* that are missing */

    u8 record[RECORD_MAX];
    u32 have; /* bytes of it; 0: there's none, or it's broken */

    u8 *file;
    size_t size, room;

    const char *out;
    u32 captures;
    bool whole; /* nothing is missing so far */
};

static void append(struct reader *r, const void *data, size_t len)
{
    if (r->size + len > r->room) {
        r->room = 2 * (r->size + len);
        r->file = realloc(r->file, r->room);
        if (r->file == NULL) {
            abort();
        }
    }
    memcpy(r->file + r->size, data, len);
    r->size += len;
}

/* OUT for the first, then OUT-2.pcap and so on; without OUT the NIC's name, '-' for '/'. */
static void file_name(const struct reader *r, char path[PATH_LEN_MAX])
{
    const char *base = r->out != NULL ? r->out : r->name;
    size_t len = strlen(base);

    len -= str_ends(str_of(base), ".pcap") ? 5 : 0;
    if (r->captures == 1) {
        snprintf(path, PATH_LEN_MAX, "%s%s", base, r->out != NULL ? "" : ".pcap");
    } else {
        snprintf(path, PATH_LEN_MAX, "%.*s-%u.pcap", (int)len, base, r->captures);
    }
    for (char *p = path; r->out == NULL && *p != '\0'; p++) {
        *p = *p == '/' ? '-' : *p;
    }
}

/* total: frames that there should be; UINT32_MAX: the end is missing. */
static void close_capture(struct reader *r, u32 total)
{
    char path[PATH_LEN_MAX];

    if (!r->open) {
        return;
    }
    r->open = false;
    file_name(r, path);
    files_write(path, r->file, r->size);
    printf("%s: %u frames of %s", path, r->frames, r->name);
    if (total == UINT32_MAX) {
        printf("; its end is missing");
    } else if (total != r->frames) {
        printf("; there were %u: %u lines are missing", total, r->lines);
    }
    printf("\n");
    r->whole &= total == r->frames;
}

/* Printable and harmless, whatever the log says. */
static void take_name(struct reader *r, const u8 *name, u32 len)
{
    u32 n = MIN(len, NAME_LEN - 1u);

    for (u32 i = 0; i < n; i++) {
        bool good = name[i] > ' ' && name[i] < 0x7f;

        r->name[i] = good && (i > 0 || name[i] != '.') ? (char)name[i] : '_';
    }
    r->name[n] = '\0';
}

static void begin(struct reader *r, const struct textline *l)
{
    if (r->open && r->seq == l->seq + 1) { /* shown again */
        return;
    }
    close_capture(r, UINT32_MAX);
    if (l->len <= PCAP_HEADER) {
        return;
    }
    r->open = true;
    r->captures++;
    r->seq = l->seq + 1;
    r->frames = 0;
    r->lines = 0;
    r->have = 0;
    r->size = 0;
    append(r, l->data, PCAP_HEADER);
    take_name(r, l->data + PCAP_HEADER, l->len - PCAP_HEADER);
}

/* Adds a line's bytes to the record, and the record to the file if that was all of it. */
static void take_piece(struct reader *r, const struct textline *l)
{
    u32 want;

    if (l->kind == PCAP_FIRST) {
        r->have = 0;
        if (l->len < PCAP_RECORD) {
            return;
        }
    } else if (r->have == 0) {
        return;
    }
    want = l->kind == PCAP_FIRST ? textline_get32(l->data + 8) : textline_get32(r->record + 8);
    if (want > PCAP_SNAP || r->have + l->len > PCAP_RECORD + want) {
        r->have = 0;
        return;
    }
    memcpy(r->record + r->have, l->data, l->len);
    r->have += l->len;
    if (r->have == PCAP_RECORD + want) {
        append(r, r->record, r->have);
        r->frames++;
        r->have = 0;
    }
}

static void take_line(const struct textline *l, void *ctx)
{
    struct reader *r = ctx;

    if (l->kind == PCAP_BEGIN) {
        begin(r, l);
        return;
    }
    if (!r->open || l->seq < r->seq) { /* shown again by the console, or without its beginning */
        return;
    }
    if (l->seq > r->seq) {
        r->lines += l->seq - r->seq;
        r->have = 0;
    }
    r->seq = l->seq + 1;
    if (l->kind == PCAP_FIRST || l->kind == PCAP_MORE) {
        take_piece(r, l);
    } else if (l->kind == PCAP_END && l->len == 4) {
        close_capture(r, textline_get32(l->data));
    }
}

bool pcap_extract(const char *log, const char *out)
{
    static struct reader r;
    size_t size;
    u8 *data = files_read(log != NULL ? log : "/dev/stdin", &size);
    u32 torn;

    r.out = out;
    r.whole = true;
    torn = textline_each(PCAP_MARK,
                         (struct str){(const char *)data, (u32)MIN(size, (size_t)UINT32_MAX)},
                         take_line, &r);
    close_capture(&r, UINT32_MAX);
    if (r.captures == 0) {
        fprintf(stderr, "muntin: no capture in %s\n", log != NULL ? log : "what came in");
    } else if (!r.whole) {
        fprintf(stderr, "muntin: parts are missing; %u lines are torn\n", torn);
    }
    free(r.file);
    free(data);
    return r.captures > 0 && r.whole;
}
