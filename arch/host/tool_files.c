/* SPDX-License-Identifier: MIT */
/*
 * Host files for build/muntin: found where a config means them, each once, and written as a newc
 * cpio whose bytes depend on names and contents only.
 */
#include "arch/host/tool_files.h"

#include "core/log.h"
#include "core/str.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static void *must(void *p)
{
    if (p == NULL) {
        fprintf(stderr, "muntin: out of memory\n");
        exit(71);
    }
    return p;
}

static void fail(const char *path)
{
    fprintf(stderr, "muntin: %s: %s\n", path, strerror(errno));
    exit(66);
}

u8 *files_read(const char *path, size_t *size)
{
    FILE *in = fopen(path, "rb");
    size_t room = 1 << 16, len = 0, n;
    u8 *data = must(malloc(room + 1));
    struct stat st;

    if (in == NULL) {
        fail(path);
    }
    if (fstat(fileno(in), &st) == 0 && st.st_size > UINT32_MAX) {
        errno = EFBIG; /* a cpio's sizes have 32 bits */
        fail(path);
    }
    while ((n = fread(data + len, 1, room - len, in)) > 0) {
        len += n;
        if (len == room) {
            room *= 2;
            data = must(realloc(data, room + 1));
        }
    }
    if (ferror(in)) {
        fail(path);
    }
    fclose(in);
    data[len] = 0;
    *size = len;
    return data;
}

void files_write(const char *path, const void *data, size_t size)
{
    FILE *out = fopen(path, "wb");

    if (out == NULL || fwrite(data, 1, size, out) != size || fclose(out) != 0) {
        fprintf(stderr, "muntin: %s: %s\n", path, strerror(errno));
        exit(73);
    }
}

bool files_same(const char *a, const char *b)
{
    struct stat sa, sb;

    return stat(a, &sa) == 0 && stat(b, &sb) == 0 && sa.st_dev == sb.st_dev &&
           sa.st_ino == sb.st_ino;
}

bool files_has(const struct files *f, const char *path)
{
    for (u32 i = 0; i < f->count; i++) {
        if (files_same(f->file[i].path, path)) {
            return true;
        }
    }
    return false;
}

static bool is_file(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

struct host_file *files_add(struct files *f, struct str name, const char *path, u8 *data,
                            size_t size)
{
    struct host_file *h;

    for (u32 i = 0; i < f->count; i++) {
        h = &f->file[i];
        if (!str_same(h->name, name)) {
            continue;
        }
        if (h->size == size && memcmp(h->data, data, size) == 0) {
            return h;
        }
        fprintf(stderr, "muntin: two files for the name '%.*s' in the bundle: %s and %s\n",
                STR_ARG(name), h->path, path);
        f->failed = true;
        return NULL;
    }
    if (f->count == FILES_MAX) {
        fprintf(stderr, "muntin: more than %d files\n", FILES_MAX);
        exit(65);
    }
    h = &f->file[f->count++];
    *h = (struct host_file){name, must(strdup(path)), data, size};
    return h;
}

/* The host path of a name that a config uses; false: there's no such file. */
static bool resolve(const struct files *f, struct str name, char *path)
{
    if (name.len > 0 && name.p[0] == '/') {
        snprintf(path, PATH_LEN_MAX, "%.*s", STR_ARG(name));
        return is_file(path);
    }
    for (u32 i = 0; i < f->paths + 2; i++) {
        const char *folder = i == 0 ? f->folder : i == 1 ? "" : f->path[i - 2];
        const char *slash = folder[0] != '\0' && !str_ends(str_of(folder), "/") ? "/" : "";

        snprintf(path, PATH_LEN_MAX, "%s%s%.*s", folder, slash, STR_ARG(name));
        if (is_file(path)) {
            return true;
        }
    }
    return false;
}

/* The file, if it's there already under that name. */
static struct host_file *known(struct files *f, struct str name, const char *path)
{
    for (u32 i = 0; i < f->count; i++) {
        if (str_same(f->file[i].name, name) && strcmp(f->file[i].path, path) == 0) {
            return &f->file[i];
        }
    }
    return NULL;
}

static struct host_file *find(struct files *f, struct str name, bool config)
{
    char path[PATH_LEN_MAX];
    struct host_file *h;
    size_t size;
    u8 *data;

    if (!resolve(f, name, path)) {
        return NULL;
    }
    h = known(f, name, path);
    if (h != NULL) {
        return h;
    }
    data = files_read(path, &size);
    if (config) {
        data = f->text(str_of(must(strdup(path))), data, &size); /* messages keep the name */
    }
    h = files_add(f, name, path, data, size);
    if (h == NULL || h->data != data) {
        free(data);
    }
    return h;
}

struct host_file *files_find(struct files *f, struct str name)
{
    return find(f, name, false);
}

static bool open_part(struct cfg_source *s, struct str *name, struct str *text)
{
    struct files *f = container_of(s, struct files, source);
    struct host_file *h = find(f, *name, true);

    if (h == NULL) {
        return false;
    }
    *name = str_of(h->path);
    *text = (struct str){(const char *)h->data, (u32)h->size};
    return true;
}

void files_init(struct files *f)
{
    *f = (struct files){.source.open = open_part};
    f->folder = must(strdup(""));
}

void files_folder(struct files *f, const char *config)
{
    const char *slash = strrchr(config, '/');

    free(f->folder);
    f->folder = must(slash == NULL ? strdup("") : strndup(config, (size_t)(slash - config) + 1));
}

struct archive {
    u8 *data;
    size_t len, room;
    u32 inode;
};

static void put(struct archive *a, const void *data, size_t len)
{
    while (a->room - a->len < len + 4) {
        a->room = a->room * 2 + 4096;
        a->data = must(realloc(a->data, a->room));
    }
    if (len > 0) {
        memcpy(a->data + a->len, data, len);
    }
    a->len += len;
    while (a->len % 4 != 0) {
        a->data[a->len++] = 0;
    }
}

static void put_entry(struct archive *a, struct str name, u32 mode, const u8 *data, size_t size)
{
    char head[110 + PATH_LEN_MAX];
    int n =
        snprintf(head, sizeof(head), "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08x%08x",
                 a->inode++, mode, 0u, 0u, 1u, 0u, size, 0u, 0u, 0u, 0u, name.len + 1, 0u);

    memcpy(head + n, name.p, name.len);
    head[n + (int)name.len] = '\0';
    put(a, head, (size_t)n + name.len + 1);
    put(a, data, size);
}

u8 *files_pack(const struct files *f, size_t *size)
{
    struct archive a = {.inode = 1};

    for (u32 i = 0; i < f->count; i++) {
        put_entry(&a, f->file[i].name, 0100644, f->file[i].data, f->file[i].size);
    }
    put_entry(&a, str_of("TRAILER!!!"), 0, NULL, 0);
    *size = a.len;
    return a.data;
}
