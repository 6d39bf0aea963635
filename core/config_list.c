/* SPDX-License-Identifier: MIT */
/* Which configs of a bundle are VMs, and the bundle as a source of @FILE texts. */
#include "core/config.h"
#include "core/config_lex.h"
#include "core/str.h"

#define PATH_ROOM 1024

static struct str file_text(const struct bundle_file *f)
{
    return (struct str){(const char *)f->data, (u32)MIN(f->size, (u64)UINT32_MAX)};
}

bool config_bundle_open(struct cfg_source *s, struct str *name, struct str *text)
{
    struct cfg_bundle_source *b = container_of(s, struct cfg_bundle_source, source);
    struct bundle_file f;

    if (!bundle_find(b->bundle, *name, &f)) {
        return false;
    }
    *name = f.name;
    *text = file_text(&f);
    return true;
}

/* True if `by` names the file `f` of bundle b with @FILE. */
static bool includes(const struct bundle *b, const struct bundle_file *by,
                     const struct bundle_file *f)
{
    static u8 word[PATH_ROOM]; /* longer quoted words are read as empty: they're no file names */
    struct cfg_arena arena = {word, sizeof(word), 0};
    struct lexer l;
    struct token t;
    struct bundle_file found;

    lex_init(&l, file_text(by), 0, &arena, NULL);
    while (lex_next(&l, &t)) {
        arena.used = 0;
        if (t.text.len > 1 && t.text.p[0] == '@' && bundle_find(b, str_after(t.text, 1), &found) &&
            found.data == f->data) {
            return true;
        }
    }
    return false;
}

static bool is_config(const struct bundle_file *f)
{
    return str_ends(f->name, ".qvmconf") && f->size > 0;
}

u32 config_list(const struct bundle *b, struct bundle_file *out, u32 max)
{
    struct bundle_file f, other;
    u64 pos = 0;
    u32 count = 0;

    while (bundle_next(b, &pos, &f)) {
        u64 at = 0;
        bool part = !is_config(&f);

        while (!part && bundle_next(b, &at, &other)) {
            part = is_config(&other) && other.data != f.data && includes(b, &other, &f);
        }
        if (!part && count++ < max) {
            out[count - 1] = f;
        }
    }
    return count;
}
