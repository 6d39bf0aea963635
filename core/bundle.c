/* SPDX-License-Identifier: MIT */
/*
 * newc cpio, read only (the format of cpio(5) with magic 070701 or 070702): a header of 8-digit
 * hex fields, the name, the data, each padded to 4 bytes from the archive's start. Every size is
 * bounded against what is there before it's used. Archives may follow each other, with zero bytes
 * between them, as boot loaders join initrds.
 */
#include "core/bundle.h"

#include "core/log.h"
#include "core/str.h"

#define HEADER   110u
#define NAME_MAX 1024u
#define MODE_FMT 0170000u
#define MODE_REG 0100000u

/* The fields of a header that matter, and where they are. */
enum { AT_MODE = 14, AT_FILESIZE = 54, AT_NAMESIZE = 94 };

struct entry {
    struct bundle_file file;
    u32 mode;
    bool trailer;
    u64 next; /* offset behind it */
};

static char why_text[160];

static bool hex8(const u8 *p, u32 *v)
{
    *v = 0;
    for (u32 i = 0; i < 8; i++) {
        u32 c = p[i], d = c - '0';

        if (d > 9) {
            d = (c | 0x20) - 'a' + 10;
            if (d < 10 || d > 15) {
                return false;
            }
        }
        *v = *v << 4 | d;
    }
    return true;
}

static bool is_magic(const struct bundle *b, u64 at)
{
    return b->size - at >= 6 &&
           (memcmp(b->data + at, "070701", 6) == 0 || memcmp(b->data + at, "070702", 6) == 0);
}

static bool fail(u64 at, const char *text)
{
    fmt_print(why_text, sizeof(why_text), "%s at byte %llu", text, (unsigned long long)at);
    return false;
}

static bool fail_short(struct str name, u64 needs, u64 has)
{
    if (name.len == 0) {
        name = str_of("its header");
    }
    fmt_print(why_text, sizeof(why_text), "truncated in '%.*s': needs %llu bytes, %llu are there",
              (int)MIN(name.len, 64u), name.p, (unsigned long long)needs, (unsigned long long)has);
    return false;
}

/* Without "./" or "/" at the front, which say nothing in an archive. */
static struct str clean_name(struct str s)
{
    while (str_starts(s, "./") || str_starts(s, "/")) {
        s = str_after(s, s.p[0] == '/' ? 1 : 2);
    }
    return s;
}

/* Reads the entry at `at`; b->size - at >= 0. False: why_text says what is wrong. */
static bool read_entry(const struct bundle *b, u64 at, struct entry *e)
{
    u64 left = b->size - at, data, padded;
    u32 size, name_size;
    struct str name = {"", 0};

    if (left < HEADER) {
        return fail_short(name, HEADER, left);
    }
    if (!is_magic(b, at)) {
        return fail(at, "not a cpio archive of format newc: no magic 070701");
    }
    if (!hex8(b->data + at + AT_MODE, &e->mode) || !hex8(b->data + at + AT_FILESIZE, &size) ||
        !hex8(b->data + at + AT_NAMESIZE, &name_size)) {
        return fail(at, "malformed cpio header");
    }
    if (name_size < 2 || name_size > NAME_MAX) {
        return fail(at, "malformed cpio header: name is empty or too long");
    }
    if (left < HEADER + name_size) {
        return fail_short(name, HEADER + name_size, left);
    }
    name = (struct str){(const char *)b->data + at + HEADER, name_size - 1};
    if (str_find(name, '\0') != name.len || name.p[name.len] != '\0') {
        return fail(at, "malformed cpio header: name and its length disagree");
    }
    data = MIN(ALIGN_UP(at + HEADER + name_size, 4ull), b->size);
    if (size > b->size - data) {
        return fail_short(name, size, b->size - data);
    }
    padded = ALIGN_UP(data + size, 4ull);
    e->trailer = str_is(name, "TRAILER!!!");
    e->file = (struct bundle_file){clean_name(name), b->data + data, size};
    e->next = MIN(padded, b->size);
    return true;
}

/* The first byte from `at` on that isn't zero. */
static u64 skip_zeros(const struct bundle *b, u64 at)
{
    while (at < b->size && b->data[at] == 0) {
        at++;
    }
    return at;
}

bool bundle_open(struct bundle *b, const void *data, u64 size, u64 *end, const char **why)
{
    struct entry e;
    u64 at = 0;

    *b = (struct bundle){data, size};
    *why = why_text;
    if (size == 0) {
        fmt_print(why_text, sizeof(why_text), "it is empty (0 bytes)");
        return false;
    }
    for (;;) {
        if (at == b->size) {
            fmt_print(why_text, sizeof(why_text),
                      "truncated: %llu bytes, but no end mark (TRAILER!!!)",
                      (unsigned long long)size);
            return false;
        }
        if (!read_entry(b, at, &e)) {
            return false;
        }
        at = e.next;
        if (!e.trailer) {
            continue;
        }
        if (end != NULL) {
            *end = at;
            b->size = at;
            return true;
        }
        at = skip_zeros(b, at);
        if (at == b->size) {
            return true;
        }
        at = ALIGN_DOWN(at, 4ull);
    }
}

bool bundle_next(const struct bundle *b, u64 *pos, struct bundle_file *f)
{
    struct entry e;

    while (*pos < b->size) {
        if (!read_entry(b, *pos, &e)) {
            return false;
        }
        *pos = e.next;
        if (e.trailer) {
            *pos = ALIGN_DOWN(skip_zeros(b, *pos), 4ull);
            *pos = b->size - *pos < HEADER ? b->size : *pos;
        } else if ((e.mode & MODE_FMT) == MODE_REG && e.file.name.len > 0) {
            *f = e.file;
            return true;
        }
    }
    return false;
}

bool bundle_find(const struct bundle *b, struct str name, struct bundle_file *f)
{
    struct bundle_file candidate;
    bool found = false;
    u64 pos = 0;

    name = clean_name(name);
    while (bundle_next(b, &pos, &candidate)) {
        if (str_same(candidate.name, name)) {
            *f = candidate;
            return true;
        }
        if (!found && str_same(str_basename(candidate.name), str_basename(name))) {
            *f = candidate;
            found = true;
        }
    }
    return found;
}
