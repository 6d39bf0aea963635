/* SPDX-License-Identifier: MIT */
/* The files that go into a bundle, gathered on the host. Part of build/muntin. */
#ifndef ARCH_HOST_TOOL_FILES_H
#define ARCH_HOST_TOOL_FILES_H

#include "core/config.h"
#include "core/types.h"

#define FILES_MAX    256
#define FILES_PATHS  16
#define PATH_LEN_MAX 4096

struct host_file {
    struct str name; /* in the bundle */
    char *path;      /* on the host */
    u8 *data;
    size_t size;
};

struct files {
    struct cfg_source source; /* .open finds what @FILE names, and adds it */
    /* What becomes of a config's text before it's read or packed; takes and returns heap memory. */
    u8 *(*text)(struct str name, u8 *data, size_t *size);
    struct host_file file[FILES_MAX];
    u32 count;
    char *path[FILES_PATHS]; /* of -I: searched last */
    u32 paths;
    char *folder; /* of the config that is being read: searched first; then the current folder */
    bool failed;  /* two different files want one name, or one can't be read: told on stderr */
};

void files_init(struct files *f);
/* Where later names are looked for first: the folder of this config. */
void files_folder(struct files *f, const char *config);

/* Reads a whole file, NUL behind it; exits with a message if it can't. */
u8 *files_read(const char *path, size_t *size);
void files_write(const char *path, const void *data, size_t size);

/* Whether both are there and one file; whether it's one of those that were gathered. */
bool files_same(const char *a, const char *b);
bool files_has(const struct files *f, const char *path);

/* Adds bytes under a name of their own. NULL: another file has that name (told on stderr). */
struct host_file *files_add(struct files *f, struct str name, const char *path, u8 *data,
                            size_t size);
/* Looks for a file that a config names and adds it under that name. NULL: there's none. */
struct host_file *files_find(struct files *f, struct str name);

/* All of them as a newc cpio, in the order they were added; to be freed. */
u8 *files_pack(const struct files *f, size_t *size);

#endif
